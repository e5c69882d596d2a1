"""The coverage of the evidence in words: names of lines and numbers, tables for the page and the manual."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from planner.evidence.base import Evidence
from planner.evidence.strata import GRADES, LEVELS
from planner.pathway.coverage import Survey, by_link, middle
from planner.pathway.rests_on import BY_PLACE, LINKS
from planner.report.charts import LEVEL_WORDS
from planner.report.names import brief_name
from planner.scenario.own_words import STEPS

NAMED = (("indications", "indication_id", "name"), ("biomarkers", "biomarker_id", "short_name"),
         ("drugs", "drug", "name"), ("assays", "assay_id", "name"), ("therapies", "therapy_id", "name"),
         ("cancer_sites", "cancer_site", "name"), ("access_rules", "rule", "name"), ("countries", "iso3", "name"))
PARAMETER_WORDS = {
    **STEPS, "work-up": "cost of a work-up", "attrition": "start of treatment without the result",
    "turnaround days": "days to the result", "failure": "samples without a result",
}
NOT_NAMED = ("female", "male", "both", *PARAMETER_WORDS)
ALL = "all cancers"


def names(evidence: Evidence) -> dict[str, str]:
    """Id -> name of everything that a number may be of."""
    return {r[key]: r[name] for table, key, name in NAMED for r in evidence.records(table)}


def line_names(evidence: Evidence) -> dict[str, str]:
    """Use case -> "biomarker · cancer", short; in the order of cancers, then biomarkers."""
    indications = {r["indication_id"]: r["name"] for r in evidence.records("indications")}
    biomarkers = {r["biomarker_id"]: r["short_name"] for r in evidence.records("biomarkers")}
    rows = [(f"{r['indication_id']}/{r['biomarker_id']}", {"short_name": biomarkers[r["biomarker_id"]],
                                                           "indication": indications[r["indication_id"]]})
            for r in evidence.records("use_cases")]
    return {use_case: brief_name(row) for use_case, row in rows}


def number_words(parameter: str) -> str:
    return PARAMETER_WORDS.get(parameter, parameter)


def of_words(key: str, known: Mapping[str, str]) -> str:
    """What a number is of, from its key."""
    parts = [ALL if p == "*" else known.get(p, p.replace("_", " ")) for p in key.split("/") if p not in NOT_NAMED]
    return " · ".join(dict.fromkeys(parts))


def level_words(level: str, stratum: str = "") -> str:
    """Where a number is borrowed from."""
    if level == "country" and stratum:
        return stratum
    word = {"rule": "a rule of access", "country": "the country"}.get(level, LEVEL_WORDS.get(level, level))
    return word if level in ("world", "rule") or not stratum else f"{word}: {stratum.replace('_', ' ')}"


def cell_words(row: Mapping) -> str:
    """A cell of the heat map: typical grade, links of grade D."""
    return f"{row['typical']} {row['d_links']}"


def wide(cells: pd.DataFrame, lines: Mapping[str, str], column: str) -> pd.DataFrame:
    """One row per line in the order of ``lines``, one column per region, of a column of the cells."""
    table = cells.pivot(index="use_case", columns="un_region", values=column)
    table = table.reindex([u for u in lines if u in table.index])
    table.columns.name = None
    return table


def weak_table(weak: pd.DataFrame, known: Mapping[str, str], collect: bool = True) -> pd.DataFrame:
    """Weak numbers for a reader."""
    out = pd.DataFrame({
        "Number": [number_words(n) for n in weak["number"]],
        "Of": [of_words(k, known) for k in weak["of"]],
        "Grade": weak["grade"].to_list(),
        "Borrowed from": [level_words(x, known.get(s, s)) for x, s in zip(weak["level"], weak["stratum"], strict=True)],
        "Lines": weak["lines"].to_list(), "Countries": weak["countries"].to_list(),
        "People a year": weak["people"].to_list(), "Weight, per 1,000": [1000 * w for w in weak["weight"]],
    })
    if weak["swing"].notna().any():
        out["Swing of the plan's health"] = weak["swing"].to_list()
    return out.assign(**{"What would better it": weak["first_collect"].to_list()}) if collect else out


def links_by_region(found: Survey) -> pd.DataFrame:
    """One row per link and region: the middle grade and level over lines and countries."""
    rows = []
    for region in found.regions:
        here = [c for c in found.grounds if found.region_of[c] == region]
        made = [by_link(found, c, line) for c in here for line in found.lines]
        for link, word in LINKS.items():
            grade = GRADES[middle([GRADES.index(m[link][0]) for m in made])]
            level = LEVELS[middle([LEVELS.index(m[link][1]) for m in made])] if link in BY_PLACE else ""
            rows.append((word, region, grade, level))
    return pd.DataFrame(rows, columns=["link", "un_region", "grade", "level"])
