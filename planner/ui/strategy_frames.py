"""Tables of the pages Strategies and Hospital, and of the laboratory of a plan: plain frames. No streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from planner.analysis.laboratory_way import runs_words
from planner.analysis.other_volumes import SCALES
from planner.analysis.study import Analysis
from planner.analysis.whole_laboratory import BEST, PLAN
from planner.pathway.laboratories import CADRES
from planner.report.laboratory_tables import CADRE_WORDS
from planner.report.strategy_charts import capital, frontier_rows, scale_words
from planner.result.laboratory import told

KINDS = {
    "US$ per patient": "usd", "In time": "share", "Days": "ratio", "Missed": "people", "Healthy years": "qalys",
    "In all, US$": "usd", "US$ per QALY": "usd", "Found": "people", "Wrong": "people", "Treated": "people", "Tested": "people",
    "Results": "people", "Tests, US$": "usd", "Usable": "share", "Sensitivity": "share", "Specificity": "share",
    "Asked": "people", "Samples a year": "people", "Runs a year": "people", "One more, US$": "usd", "On average, US$": "usd",
    "Elsewhere, US$": "usd", "Mean wait, days": "ratio", "Days to a result": "ratio", "Cost, US$ a year": "usd",
    "Healthy years lost with one fewer": "qalys",
    "Minutes a year": "people", "Full-time people": "ratio", "Limit, minutes": "people", "Use": "share",
    "Fixed, US$": "usd", "Margin, US$": "usd", "At home": "people", "US$ per sample": "usd", "Price there, US$": "usd",
    "In the plan": "people", "At most here": "people", "At home, US$ per sample": "usd", "Tests, US$ a year": "usd",
    "One more patient, US$": "usd", "Plus service already paid, US$": "usd", "Gap": "share",
    **{f"{words}, minutes": "people" for words in CADRE_WORDS.values()},
    **{f"{scale_words(s)}: {what}": kind for s in SCALES for what, kind in (("US$", "usd"), ("days", "ratio"))},
    "Slides": "ratio", "More QALYs than it": "qalys", "More cost than it, US$": "usd",
}


def _made(rows: Sequence[Mapping[str, Any]], *columns: str) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(rows[0]) if rows else list(columns))


# -- one indication ----------------------------------------------------------------------------------------


def _ordered(found: Analysis) -> list[tuple[str, Mapping[str, Any]]]:
    """(number of the step or nothing, strategy): those of best value first, then the most health."""
    steps = frontier_rows(found)
    rest = sorted((r for r in found.tables["strategies"] if r not in steps), key=lambda r: (-r["qalys"], r["total_cost"]))
    return [*((f"{n}. ", r) for n, r in enumerate(steps, 1)), *(("", r) for r in rest)]


def strategies(found: Analysis) -> pd.DataFrame:
    return _made([{"Way to test": f"{n}{capital(r['strategy'])}", "Beside the others": r["status_words"],
                   "US$ per patient": r["cost_per_patient"], **_one_more(found, r), "In time": r["results_in_time"],
                   "Days": r["days"], "Missed": r["positives_missed"] if r["kind"] != "nothing" else None,
                   "Healthy years": r["qalys"], "In all, US$": r["total_cost"],
                   "US$ per QALY": r["icer"]} for n, r in _ordered(found)], "Way to test")


def _one_more(found: Analysis, r: Mapping[str, Any]) -> dict[str, Any]:
    """The cost of one more patient beside the full one, where something is run at home."""
    return {"One more patient, US$": r["cost_one_more"]} if found.settings["costing"] == "micro" else {}


def more_of_strategies(found: Analysis) -> pd.DataFrame:
    return _made([{"Way to test": f"{n}{capital(r['strategy'])}", "Laboratory": r["place"], "Biomarkers": r["biomarkers"],
                   "Tested": r["patients"], "Results": r["results"], "Found": r["positives_true"],
                   "Wrong": r["positives_wrong"], "Treated": r["patients_treated"], "Tests, US$": r["testing_cost"],
                   "Slides": r["slides"], "More QALYs than it": r["qalys_to_reference"],
                   "More cost than it, US$": r["cost_to_reference"]} for n, r in _ordered(found)], "Way to test")


def biomarkers(found: Analysis, strategy: str) -> pd.DataFrame:
    return _made([{"Biomarker": r["short_name"], "Test": r["service"], "Asked": r["asked"], "In time": r["in_time"],
                   "Usable": r["usable"], "Sensitivity": r["sensitivity"], "Specificity": r["specificity"], "Days": r["days"],
                   "Found": r["positives_true"], "Missed": r["positives_missed"], "Wrong": r["positives_wrong"]}
                  for r in found.tables["biomarkers"] if r["strategy"] == strategy], "Biomarker")


# -- the whole laboratory ------------------------------------------------------------------------------------


def run_or_send(found: Analysis, way: str) -> pd.DataFrame:
    """Each test of a way: run at home or sent, what it costs there and elsewhere."""
    rows = sorted((r for r in found.tables["tests"] if r["strategy"] == way),
                  key=lambda r: (not r["at_home"], -r["samples"], r["name"]))
    return _made([{"Test": r["name"], "Days to a result": r["days"],
                   "Where": "run at home" if r["at_home"] else f"send to: {r['laboratory']}", "Why here": r["why"],
                   "Runs": runs_words(r["runs_a_year"]), "Samples a year": r["samples"],
                   "On average, US$": r["average_cost"], "One more, US$": r["marginal_cost"],
                   "Elsewhere, US$": r["price_elsewhere"] if r["at_home"] else None, "Mean wait, days": r["wait_days"]}
                  for r in rows], "Test")


def not_possible(found: Analysis) -> pd.DataFrame:
    return _made([{"What": capital(r["name"]), "Why not": capital(r["reason"])} for r in found.tables["not_possible"]], "What")


def volume_tests(found: Analysis) -> pd.DataFrame:
    """Each test at half, our and double volume beside each other: where, what a sample costs, days."""
    tests: dict[tuple, dict] = {}
    for r in found.tables["volume_tests"]:
        row = tests.setdefault((r["assay"], r["at_home"], r["laboratory"]), {
            "Test": r["name"], "Where": "at home" if r["at_home"] else r["laboratory"]})
        row |= {f"{scale_words(r['scale'])}: US$": r["average_cost"], f"{scale_words(r['scale'])}: days": r["days"]}
    every = [f"{scale_words(s)}: {what}" for s in sorted({r["scale"] for r in found.tables["volume_tests"]})
             for what in ("US$", "days")]
    return _made([{**row, **{c: row.get(c) for c in every}} for row in tests.values()], "Test")


def instruments(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Instruments of a way, or of a plan; the use as a percentage for bars."""
    decided = any(r["decided"] for r in rows)
    return _made([{"Instrument": r["name"], "Number": number_words(r), "Used, %": 100 * r["utilisation"],
                   "Samples a year": r["samples"], "Runs a year": r["runs"],
                   **({"Cost, US$ a year": r["yearly_cost"], "Plus service already paid, US$": r["service_already_paid"],
                       "Healthy years lost with one fewer": (r["one_fewer"] or {}).get("lost")} if decided else {})}
                  for r in rows], "Instrument")


def number_words(r: Mapping[str, Any]) -> str:
    """How many, and how many of them are new."""
    if not r["existing"]:
        return f"{r['instruments']:g}"
    return f"{r['instruments']:g}, of them {r['bought']:g} new" if r["bought"] else f"{r['instruments']:g}, there already"


def people(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    limited = any(r["limit"] is not None for r in rows)
    return _made([{"People": CADRE_WORDS[r["cadre"]], "Minutes a year": r["minutes"], "Full-time people": r["full_time"],
                   **({"Limit, minutes": r["limit"], "Use": r["utilisation"]} if limited else {})} for r in rows], "People")


def of_way(found: Analysis, table: str, way: str) -> list[Mapping[str, Any]]:
    return [r for r in found.tables[table] if r["strategy"] == way]


def ways(found: Analysis) -> pd.DataFrame:
    rows = sorted(found.tables["strategies"], key=lambda r: (r["strategy"] not in (BEST, PLAN), -r["qalys"]))
    return _made([{"Way": capital(r["strategy"]), "Healthy years": r["qalys"], "Tests, US$ a year": r["testing_cost"],
                   "In all, US$": r["total_cost"], "US$ per sample": r["cost_per_sample"], "At home": r["home_samples"],
                   "Fixed, US$": r["fixed_cost"], "Margin, US$": r["margin"], "Lines": f"{r['lines_funded']}",
                   "Beside the others": r["status_words"], "US$ per QALY": r["cost_per_qaly"],
                   "What it means": capital(r["words"]), "Leaves out": r["leaves_out"]} for r in rows], "Way")


def break_even(found: Analysis) -> pd.DataFrame:
    return _made([{"Test": r["name"], "Elsewhere": r["elsewhere"], "Price there, US$": r["price"],
                   "Cheaper at home from": "never" if r["break_even"] is None else f"{r['break_even']:,} a year",
                   "In the plan": r["planned"], "At most here": r["most_here"], "Why the plan does otherwise": capital(r["note"])}
                  for r in found.tables["break_even"]], "Test")


def volumes(found: Analysis) -> pd.DataFrame:
    return _made([{"Volume": scale_words(r["scale"]), "Samples a year": r["samples"], "Tests, US$ a year": r["testing_cost"],
                   "US$ per sample": r["cost_per_sample"], "Healthy years": r["qalys"], "Tests at home": f"{r['home_tests']}",
                   "At home": r["home_samples"], "At home, US$ per sample": r["home_cost_per_sample"],
                   "Instruments": r["which"] or "none", **{f"{CADRE_WORDS[c]}, minutes": r[f"{c}_minutes"] for c in CADRES},
                   "Search ended": r["search"], "Gap": r["gap"], "Which tests": r["at_home"] or "none"}
                  for r in found.tables["volumes"]], "Volume")


# -- the laboratory of a plan ----------------------------------------------------------------------------------


def home_tests(document: Mapping[str, Any]) -> pd.DataFrame:
    return _made([{"Test": r["name"], "Runs": runs_words(r["runs_a_year"]), "Samples a year": r["samples"],
                   "On average, US$": r["average_cost"], "One more, US$": r["marginal_cost"],
                   "Mean wait, days": r["wait_days"]} for r in told(document["home_tests"])], "Test")
