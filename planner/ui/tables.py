"""Tables of the pages from plan documents: plain frames with headers for readers. No streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from planner.report.charts import LEVEL_WORDS, brief_name, line_name
from planner.report.numbers import MEASURE_WORDS, measure, of_row
from planner.result.laboratory import told
from planner.result.priority import TIER_WORDS
from planner.ui import words

Document = Mapping[str, Any]

USE_CASE_KINDS = {
    "Treated": "people", "People treated a year": "people", "QALYs": "qalys", "Tests, US$": "usd",
    "Tests, US$ a year": "usd", "US$ per QALY": "usd",
} | dict.fromkeys(MEASURE_WORDS.values(), "qalys")

MORE_KINDS = {
    "Against threshold": "ratio", "Drugs, US$ a year": "usd", "People tested a year": "people",
    "Positives found": "people", "Covered today": "share",
    "Attainable coverage": "share", "Drug reachable for": "share", "Enters at, US$ a year": "usd",
    "Lost if struck out (QALYs)": "qalys",
    "Years of life": "qalys", "Deaths averted": "qalys", "DALYs averted": "qalys",
}
SEPARATOR = " · "  # between the parts of what a number is of
OWN = {"citation": "your own number, no source named"}
TEST_KINDS = {"Tests a year": "people", "Tests, US$ a year": "usd", "Technician hours": "people",
              "Pathologist hours": "people"}


def by_use_case(document: Document) -> pd.DataFrame:
    """The list: one row a line, the reason third; health in the measure in use."""
    wanted = measure(document)
    name = "QALYs" if wanted == "qalys" else MEASURE_WORDS[wanted]
    health = {} if wanted == "patients_treated" else {name: lambda r: of_row(r, document)}
    rows = [{
        "Line": _ranked(r, document),
        "Priority": TIER_WORDS[r["priority_tier"]] + ", a must" * bool(r["mandated"]),
        "In the plan, and why": _why(r, document),
        "Treated": r["patients_treated"],
        **{name: value(r) for name, value in health.items()},
        "Tests, US$": r["testing_cost"],
        "US$ per QALY": _ratio(r),
    } for r in document["list"]]
    return pd.DataFrame(rows)


def _ranked(row, document: Document) -> str:
    region = f" ({row['region']})" if len(document["place"]) > 1 else ""
    return f"{row['rank']}. {brief_name(row)}{region}"


def _why(row, document: Document) -> str:
    state = {"full": "Yes", "part": "In part", "no": "No"}[row["funded"]]
    why = words.reason(row, document)
    return f"{state}: {why}" if why else state


def _ratio(row) -> float | None:
    """The all-in cost per QALY, or its upper bound where a comparator has no price."""
    return row["cost_per_qaly"] if row["cost_per_qaly"] is not None else row["cost_per_qaly_ceiling"]


def more_of_use_case(document: Document) -> pd.DataFrame:
    """The further columns of the list."""
    threshold = document["threshold"]["value"]
    return pd.DataFrame([{
        "Line": _ranked(r, document),
        "Coverage": 100 * r["coverage"],
        "Against threshold": _ratio(r) / threshold if _ratio(r) is not None and threshold else None,
        "Drugs, US$ a year": r["treatment_cost"],
        "People tested a year": r["patients_tested"],
        "Positives found": r["positives_found"],
        "Covered today": r["coverage_today"],
        "Attainable coverage": r["attainable_coverage"],
        "Drug reachable for": r["access_share"],
        "Enters at, US$ a year": r["entry_budget"],
        "Lost if struck out (QALYs)": r["criticality"],
        "Years of life": r["health"]["life_years"], "Deaths averted": r["health"]["deaths_averted"],
        "DALYs averted": r["health"]["dalys_averted"],
        "Evidence": _evidence(r["gate"]),
    } for r in document["list"]])


def _evidence(gate) -> str:
    parts = [f"level {gate['level']}" if gate["level"] else "", f"ESCAT {gate['escat']}" if gate["escat"] else "",
             "on the WHO list" if gate["who_eml"] else ""]
    return ", ".join(p for p in parts if p)


def by_biomarker(document: Document) -> pd.DataFrame:
    return pd.DataFrame([{
        "Biomarker": r["short_name"] if r["short_name"] == r["biomarker"] else f"{r['short_name']} ({r['biomarker']})",
        "Best rank": r["best_rank"], "Lines tested": f"{r['funded']} of {r['use_cases']}",
        "People treated a year": r["patients_treated"], **_health_of(r, document),
        "Tests, US$ a year": r["testing_cost"], "Drugs, US$ a year": r["treatment_cost"],
    } for r in document["by_biomarker"]])


def _health_of(biomarker, document: Document) -> dict[str, float]:
    """Health of a biomarker over its lines, in the measure in use."""
    wanted = measure(document)
    if wanted == "patients_treated":
        return {}
    lines = [of_row(r, document) for r in document["list"] if r["biomarker_id"] == biomarker["biomarker_id"]]
    return {MEASURE_WORDS[wanted]: sum(v for v in lines if v is not None)}


def by_test(document: Document) -> pd.DataFrame:
    return pd.DataFrame([{
        "Test to buy": r["name"], "Laboratory": (r["laboratory"] or "").replace("_", " "),
        "Tests a year": r["samples"], "Tests, US$ a year": r["cost"],
        "Technician hours": r["technician_minutes"] / 60, "Pathologist hours": r["pathologist_minutes"] / 60,
    } for r in told(document["by_test"])], columns=["Test to buy", "Laboratory", "Tests a year", "Tests, US$ a year",
                                              "Technician hours", "Pathologist hours"])


def do_not_buy(document: Document) -> pd.DataFrame:
    """What is not bought, by what speaks first against it."""
    rows = {(r["region"], r["indication_id"], r["biomarker_id"]): r for r in document["list"]}
    told = {(r["indication_id"], r["biomarker_id"]) for r in document["do_not_buy"]}
    titles = dict(words.NOT_BOUGHT)
    out = [{
        "Line": line_name(r) + (f" ({r['region']})" if len(document["place"]) > 1 else ""),
        "Priority": TIER_WORDS[r["priority_tier"]], "Speaks against it": titles[words.group(r, document)],
        "Why": words.reason(r, document),
    } for key, r in rows.items() if key[1:] in told and r["funded"] == "no"
        and r["priority_tier"] not in ("core", "expand")]
    order = {title: n for n, title in enumerate(titles.values())}
    out.sort(key=lambda r: order[r["Speaks against it"]])
    return pd.DataFrame(out, columns=["Line", "Priority", "Speaks against it", "Why"])


def today(document: Document) -> pd.DataFrame | None:
    """Today beside the plan, exact; None where nothing of today is known."""
    reference = document["reference"]["totals"]
    if reference is None:
        return None
    plan, wanted = document["totals"], measure(document)
    health = dict.fromkeys(["qalys"] if wanted in ("qalys", "patients_treated") else [wanted, "qalys"])
    measures = (("People tested a year", "patients_tested"), ("People treated a year", "patients_treated"),
                *((f"{MEASURE_WORDS[m]} a year", m) for m in health), ("Tests, US$ a year", "testing_cost"),
                ("Drugs, US$ a year", "treatment_cost"))
    return pd.DataFrame([{
        "": words, "Today, where known": reference[name], "Plan": plan[name],
        "Difference": plan[name] - reference[name],
    } for words, name in measures])


def facts(document: Document, sources: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> pd.DataFrame:
    """Every number in use with its source, grade and where it is borrowed from.

    names: id -> word, for the keys that say what a number is of. The last columns are for the app: where the number
    stands in the evidence, by which key an own one takes its place, and what it took the place of.
    """
    rows = []
    for f in document["provenance"]:
        found = [OWN if s == "scenario" else sources.get(s, {}) for s in str(f["source_id"]).split(";")]
        first = found[0] if found else {}
        rows.append({
            "Number": f["parameter"],
            "Of": SEPARATOR.join(names.get(k) or k.replace("_", " ") for k in f["key"].split("/")),
            "Value": f["value"], "Low": f["low"], "High": f["high"],
            "Unit": f["unit"], "Grade": f["quality"],
            "From": _origin(f), "Source": "; ".join(s.get("citation") or i for s, i in
                                                  zip(found, str(f["source_id"]).split(";"), strict=True)),
            "Note": f.get("note") or "", "Link": link(first), "level": f["level"], "key": f["key"],
            **{name: f.get(name) for name in ("table", "column", "own_key", "shipped")},
        })
    return pd.DataFrame(rows)


def _origin(fact) -> str:
    words = LEVEL_WORDS.get(fact["level"], fact["level"])
    place = str(fact["stratum"]).replace("_", " ")
    return words if fact["level"] in ("region", "country", "world", "scenario") else f"{words}: {place}"


def link(source: Mapping[str, Any]) -> str:
    """Address of a source: DOI, else PubMed, else what it states; only http(s) goes through."""
    if source.get("doi"):
        return f"https://doi.org/{source['doi']}"
    if source.get("pmid"):
        return f"https://pubmed.ncbi.nlm.nih.gov/{source['pmid']}/"
    url = str(source.get("url") or "")
    return url if url.startswith(("https://", "http://")) else ""
