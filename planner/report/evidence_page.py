"""The manual's page on the evidence, written from the evidence: Markdown with a heat map as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

import pandas as pd

from planner.evidence.base import Evidence
from planner.evidence.complete import coverage as complete
from planner.pathway import coverage
from planner.pathway.coverage import Survey
from planner.pathway.rests_on import BY_PLACE, LINKS
from planner.report.evidence_charts import BLUE, PALE, RANGE
from planner.report.evidence_words import (
    cell_words,
    level_words,
    line_names,
    links_by_region,
    names,
    weak_table,
    wide,
)
from planner.report.names import short
from planner.report.numbers import show

PICTURE = "evidence_heatmap.svg"
HEALTH_ROWS, MONEY_ROWS, EACH, REGION_ROWS = 25, 15, 2, 6
FIRST_COLUMNS = ("Number", "Of", "Grade", "Borrowed from", "Countries", "Weight, per 1,000", "What would better it")
REGION_COLUMNS = ("Number", "Of", "Grade", "Borrowed from", "Countries", "People a year", "What would better it")
HOW_WORDS = {"fulltext": "full text", "abstract": "abstract", "table": "a table of it", "data_file": "data file",
             "snippet": "a passage", "assumption": "assumption of the authors"}


def page(evidence: Evidence, found: Survey) -> str:
    """docs/evidence.md; the same evidence gives the same text."""
    known, lines = names(evidence), line_names(evidence)
    cells = coverage.cells(coverage.country_cells(found))
    weak = coverage.weakest(found)
    return "\n".join([
        *_head(evidence, found), *_heat(cells, lines), *_links(found), *_tables(evidence), *_weak(weak, known),
        *_first(found, weak, known), *_gaps(evidence, lines), *_sources(evidence)]) + "\n"


def _head(evidence: Evidence, found: Survey) -> list[str]:
    held = complete(evidence)
    return [
        "# The evidence: what it covers, what is weak, what to collect first", "",
        f"Version {evidence.version}. Written from `data/`; renew with `BIOMARKER_RENEW=1 python -m pytest "
        "tests/report/test_evidence_page.py`.", "",
        f"**{held.use_cases} use cases, {len(held.complete)} of them plannable, in {len(found.grounds)} countries, from "
        f"{len(evidence.table('sources'))} sources.** Grades: A this very place, B its region or a large cohort, C "
        "borrowed, D an assumption. What every column means stands in the [data dictionary](data_dictionary.md), how "
        "access shares are made in [access](access.md), terms of use in [data/LICENCES.md](../data/LICENCES.md).", "",
        "How it is read: a plan of one line rests on ten links, each on one or more numbers. A link has the grade of its "
        "weakest number (of several tests or treatments the middle one), a line in a country the middle grade of its "
        "links, a region its middle country. In ties the worse stands. All 185 countries of GLOBOCAN 2022 are resolved; "
        "none is picked as a stand-in.", "",
        f"The links: {', '.join(LINKS.values())}. All but the accuracy of the test and the effect of the treatment may "
        "differ by place.", "",
    ]


def _heat(cells: pd.DataFrame, lines: Mapping[str, str]) -> list[str]:
    counts = cells["typical"].value_counts()
    said = ", ".join(f"{g} in {counts[g]}" for g in sorted(counts.index))
    table = wide(cells.assign(text=[f"{cell_words(r)} / {r['near']}" for r in cells.to_dict("records")]), lines, "text")
    table.insert(0, "Line", [lines[u] for u in table.index])
    return [
        "## Use case by UN region", "",
        f"![Heat map of {len(table)} lines by {table.shape[1] - 1} UN regions; typical grade {said} of {len(cells)} cells. The "
        f"table beneath holds the same.]({PICTURE})", "",
        "Each cell: typical grade, links of grade D (of ten) / links that rest on the country itself or its UN region (of eight "
        "that differ by place; the others are borrowed from an income group or the world).", "", *markdown(table), "",
    ]


def _links(found: Survey) -> list[str]:
    table = links_by_region(found)
    table["text"] = [f"{r.grade}, {level_words(r.level) if r.level else 'the same everywhere'}" for r in table.itertuples()]
    made = table.pivot(index="link", columns="un_region", values="text").reindex(LINKS.values())
    made.insert(0, "Link", made.index)
    return ["## Link by UN region", "", "The middle grade over all lines and countries of the region, and the level that "
            "the middle number is borrowed from.", "", *markdown(made), ""]


def _tables(evidence: Evidence) -> list[str]:
    held = complete(evidence)
    rows = [{"Table": f"`{name}`", "Rows": sum(grades.values()), **{g: grades.get(g, 0) or "" for g in "ABCD"},
             "Countries with rows of their own": held.countries_with_own.get(name, "")}
            for name, grades in held.cells_by_grade.items()]
    return ["## Rows by grade", "", *markdown(pd.DataFrame(rows)), ""]


def _weak(weak: pd.DataFrame, known: Mapping[str, str]) -> list[str]:
    health, money = (_said(weak_table(weak[weak["moves"] == what].head(rows), known, collect=False))
                     for what, rows in (("health", HEALTH_ROWS), ("money", MONEY_ROWS)))
    return [
        "## The weakest numbers that matter most", "",
        "Numbers of grade C and D that lines rest on. *People a year*: carriers among the eligible of all lines and "
        "countries that use the number, who would get the drug if they were tested and could reach it. *Weight*: those "
        "people as a share of the people of all lines, times how far the number may be off (its own interval, or 30 % for "
        "C and 50 % for D; at most all of it); of several tests or treatments each counts its part. A share of exactly 0 "
        "or 1 is a rule and not listed. A number that stands for many places leads the list because bettering it betters "
        "all of them.", "",
        "### Numbers that move health", "", *markdown(health), "",
        "### Numbers that move what money buys", "", *markdown(money), "",
    ]


def _first(found: Survey, weak: pd.DataFrame, known: Mapping[str, str]) -> list[str]:
    first = coverage.first(weak, EACH)
    out = ["## What to collect first", "", f"The {EACH} weightiest numbers of every kind, and what would better them.", "",
           *markdown(_said(weak_table(first, known))[list(FIRST_COLUMNS)]), "",
           "By region, of the numbers that differ by place and move health:", ""]
    for region in found.regions:
        here = [c for c in found.grounds if found.region_of[c] == region]
        mine = coverage.weakest(found, here)
        mine = mine[(mine["moves"] == "health") & mine["link"].isin(BY_PLACE)].head(REGION_ROWS)
        table = _said(weak_table(mine, known))[list(REGION_COLUMNS)]
        out += [f"**{region}** ({len(here)} countries)", "", *markdown(table), ""]
    return out


def _gaps(evidence: Evidence, lines: Mapping[str, str]) -> list[str]:
    missing = complete(evidence).not_plannable
    table = pd.DataFrame([{"Line": lines[u], "What is missing": what} for u, what in missing.items()])
    return [f"## Not plannable: {len(missing)} use cases", "", "They stand in every list as *not plannable*, with the "
            "numbers that are missing and the reason, or as *no decision*, where nothing is done by the result.", "",
            *markdown(table), ""]


def _sources(evidence: Evidence) -> list[str]:
    how = evidence.table("sources")["how_read"].value_counts()
    said = ", ".join(f"{how[k]} {word}" for k, word in HOW_WORDS.items() if k in how)
    return [f"## Sources: {len(evidence.table('sources'))}", "", f"Read as: {said}. A number read in an abstract or a passage "
            "is that number, not the whole study. `python -m planner sources --for breast_early/her2` lists those behind one "
            "line.", "", "Licences, table by table, with the citations that are asked for: "
            "[data/LICENCES.md](../data/LICENCES.md)."]


def _said(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers to a few figures."""
    return table.assign(**{"People a year": [show(v, "people") for v in table["People a year"]],
                           "Weight, per 1,000": [f"{v:.1f}" for v in table["Weight, per 1,000"]]})


def markdown(table: pd.DataFrame) -> list[str]:
    """A table in Markdown."""
    cells = [[str(c).replace("|", "/").replace("\n", " ") for c in row] for row in table.itertuples(index=False)]
    return [f"| {' | '.join(map(str, table.columns))} |", f"|{'---|' * table.shape[1]}", *(f"| {' | '.join(c)} |" for c in cells)]


# -- the picture -------------------------------------------------------------------------------------

ROW, LEFT, COLUMN, TOP = 17, 330, 84, 30
ROOM = 52  # characters of a line's name


def heat_svg(evidence: Evidence, found: Survey) -> str:
    """The heat map without scripts or fonts of its own; colours by the mean grade, letters in every cell."""
    lines = line_names(evidence)
    cells = coverage.cells(coverage.country_cells(found))
    letters = wide(cells.assign(text=[cell_words(r) for r in cells.to_dict("records")]), lines, "text")
    means = wide(cells, lines, "mean_grade")
    width, height = LEFT + COLUMN * len(letters.columns) + 4, TOP + ROW * len(letters) + 8
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
           'font-family="sans-serif" font-size="12">', "<title>Grade of the evidence by use case and UN region</title>",
           "<desc>Letter: middle grade of ten links; number: links of grade D; the bluer, the better the mean grade.</desc>",
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    out += [_text(LEFT + COLUMN * (n + 0.5), TOP - 10, region, "middle", bold=True) for n, region in enumerate(letters.columns)]
    for y, use_case in enumerate(letters.index):
        at = TOP + ROW * y
        out.append(_text(LEFT - 8, at + 12.5, short(lines[use_case], ROOM), "end"))
        for n, region in enumerate(letters.columns):
            out.append(f'<rect x="{LEFT + COLUMN * n + 1}" y="{at + 1}" width="{COLUMN - 2}" height="{ROW - 2}" '
                       f'fill="{colour(means.loc[use_case, region])}"/>')
            out.append(_text(LEFT + COLUMN * (n + 0.5), at + 12.5, letters.loc[use_case, region], "middle"))
    return "\n".join([*out, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="#111111"{weight}>{escape(words)}</text>'


def colour(mean: float) -> str:
    """As on the page: the bluer, the better founded."""
    part = round(min(1.0, max(0.0, (mean - RANGE[0]) / (RANGE[1] - RANGE[0]))), 2)
    first, second = ([int(c[i:i + 2], 16) for i in (1, 3, 5)] for c in (BLUE, PALE))
    return "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in zip(first, second, strict=True))
