"""Tables of the analyses for readers: plain frames with few columns and headers in words. No streamlit here.

The files that a page offers have every column (:mod:`planner.report.analyses`); these are what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.analysis.study import Analysis, lowered
from planner.report.analysis_charts import FLIPS, line_key, line_of, percent, several, value_words
from planner.report.names import verdict
from planner.report.numbers import MEASURE_WORDS, show
from planner.report.uncertainty_charts import capital, list_words, tier_words
from planner.result.priority import TIER_WORDS

EVENT_WORDS = {"enter": "enters", "full": "all its people are tested", "leave": "gives way", "return": "comes back"}
CHANGE_WORDS = {"entered": "enters", "left": "leaves", "more": "more people", "less": "fewer people", "tier": "other priority"}
KINDS = {
    "At a budget of, US$": "usd", "Tested there": "share", "Health lost a year": "qalys", "More for tests, US$": "usd",
    "More for drugs, US$": "usd", "Tests, US$ a year": "usd", "Drugs, US$ a year": "usd", "Reach today": "share",
    "Reach then": "share", "People treated": "people", "Course today, US$": "usd", "Pays below, US$": "usd",
    "With its test alone below, US$": "usd",
    "Healthy years": "qalys", "Cost, US$": "usd", "Together": "qalys",
    "First alone": "qalys", "Second alone": "qalys", "Can get the drug": "share", "Get it untested": "share", "Tested": "share",
    "People": "people", "US$ per QALY": "usd", "Best in": "share", "Beats the first": "share", "Delivered": "share",
    "Lost by choosing it": "qalys", "Net of its cost": "qalys", "Low": "usd", "Middle": "usd", "High": "usd",
    "Pays today in": "share", "In so many draws": "share", "Give or take": "share", "Mean tested": "share",
    "People tested": "people", "Deaths averted": "people", "DALYs averted": "qalys",
    "Tested before": "share", "Tested today": "share",
    "Tested after": "share", "QALYs": "qalys",
} | dict.fromkeys(MEASURE_WORDS.values(), "qalys")
NAMED = 8  # lines named in a sentence
Words = Callable[[str], str]


def _made(rows: Sequence[Mapping[str, Any]], *columns: str) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(rows[0]) if rows else list(columns))


# -- budget --------------------------------------------------------------------------------------------


def events(found: Analysis) -> pd.DataFrame:
    many = several(found.tables["events"])
    return _made([{"Line": line_of(e, many), "What happens": EVENT_WORDS[e["event"]], "At a budget of, US$": float(e["budget"]),
                   "Tested there": float(e["coverage"])} for e in found.tables["events"]],
                 "Line", "What happens", "At a budget of, US$", "Tested there")


def moved(found: Analysis, before: float, after: float) -> tuple[list[str], list[str]]:
    """(lines that come in, lines that go out) between two budgets."""
    coming, going = [], []
    many = several(found.tables["events"])
    for key, (label, budgets, covered) in coverages(found).items():
        half = max(covered) / 2
        was, now = (_between(budgets, covered, b) >= half - 1e-12 for b in (before, after))
        if was != now and key:
            (coming if now else going).append(line_of(label, many))
    return coming, going


def coverages(found: Analysis) -> dict[tuple, tuple[Mapping, list[float], list[float]]]:
    """line -> (its label, budgets, coverage at each)."""
    out: dict[tuple, tuple[Mapping, list[float], list[float]]] = {}
    for row in found.tables["lines"]:
        _, budgets, covered = out.setdefault(line_key(row), (row, [], []))
        budgets.append(row["budget"])
        covered.append(row["coverage"])
    return out


def _between(x: Sequence[float], y: Sequence[float], at: float) -> float:
    return float(np.interp(at, x, y))


def slopes_at(found: Analysis, budget: float | None) -> tuple[float | None, float | None]:
    """Health per US dollar of a little less and of a little more at a budget; None where there is none."""
    points = found.tables["points"]
    if not points:
        return None, None
    if budget is None or budget >= points[-1]["budget"] * (1 + 1e-9):
        return 0.0, 0.0
    near = 1e-7 * max(1.0, points[-1]["budget"])
    at = next((p for p in points if abs(p["budget"] - budget) <= near), None)
    if at is not None:
        return at["value_per_usd_before"], at["value_per_usd_after"]
    after = next(p for p in points if p["budget"] > budget)
    return after["value_per_usd_before"], after["value_per_usd_before"]


def switches(found: Analysis, line: tuple | None) -> pd.DataFrame:
    """Every number of a line, or the flips of all lines, the nearest first."""
    rows = [v for v in found.tables["values"] if line_key(v) == line or (line is None and v["flips_at"] is not None)]
    many = several(found.tables["values"])
    far = float("inf")
    if line is None:
        rows.sort(key=lambda v: far if v["relative_change"] is None else abs(v["relative_change"]))
    return _made([{"Line": line_of(v, many), "In the plan": "yes" if v["in_plan"] else "no", "Number": v["lever_words"],
                   "Today": value_words(v["today"], v["unit"]), "Flips at": value_words(v["flips_at"], v["unit"]),
                   "Change": percent(v["relative_change"]),
                   "Then it": FLIPS[bool(v["in_plan"])] if v["flips_at"] is not None else
                   f"stays, up to {value_words(v['sought_to'], v['unit'])}"} for v in rows],
                 "Line", "In the plan", "Number", "Today", "Flips at", "Change", "Then it")


def preferences(found: Analysis, words: Words) -> pd.DataFrame:
    """Costliest first; those that cannot be told last, with the reason where there are any."""
    rows = sorted(found.tables["preferences"], key=lambda p: (p["health_cost"] is None, -(p["health_cost"] or 0.0)))
    notes = any(p["note"] for p in rows)
    return _made([{"Preference": capital(words(p["words"])), "Health lost a year": p["health_cost"],
                   "More for tests, US$": p["testing_cost"], "More for drugs, US$": p["treatment_cost"],
                   **({"Why it is not told": words(p["note"])} if notes else {})} for p in rows],
                 "Preference", "Health lost a year", "More for tests, US$", "More for drugs, US$")


def lists(found: Analysis) -> pd.DataFrame:
    """One row per list: health, money, how it differs from the plan."""
    measure = MEASURE_WORDS[found.settings["measure"]]
    return _made([{"List": capital(r["list"]), measure: r["health"], "Tests, US$ a year": r["testing_cost"],
                   "Drugs, US$ a year": r["treatment_cost"], "Lines": r["lines"], "Without": r["without"],
                   "Instead": r["instead"]} for r in found.tables["lists"]], "List")


def side_by_side(found: Analysis, all_lines: bool) -> pd.DataFrame:
    """Lines by lists: the share tested in each; only lines on which they differ unless all are wanted."""
    rows = found.tables["lines"]
    many = several(rows)
    out: dict[tuple, dict] = {}
    for r in rows:
        out.setdefault(line_key(r), {"Line": line_of(r, many)})[capital(r["list"])] = r["coverage"]
    for row in out.values():
        row |= {k: 0.0 if abs(v) < 1e-6 else v for k, v in row.items() if k != "Line"}
    picked = [r for r in out.values() if (values := list(r.values())[1:]) and max(values) > 1e-6
              and (all_lines or max(values) - min(values) > 0.005)]
    picked.sort(key=lambda r: (-sum(list(r.values())[1:]), r["Line"]))
    return _made(picked, "Line")


# -- drugs -----------------------------------------------------------------------------------------------


def drugs(found: Analysis) -> pd.DataFrame:
    measure = MEASURE_WORDS[found.settings["measure"]]
    return _made([{"Drug": d["name"], measure: d["health_gained"], "Reach today": d["share_today"], "Reach then": d["share_then"],
                   "People treated": d["people_treated"], "Lines that enter": d["lines_entering"],
                   "Lines that give way": d["lines_leaving"],
                   "Drugs, US$ a year": d["treatment_cost"], "Course today, US$": d["course_cost"],
                   "Pays below, US$": d["price_that_pays"],
                   "With its test alone below, US$": d["price_alone"], "Worth it?": verdict(d)}
                  for d in found.tables["drugs"]], "Drug")


def routes(found: Analysis, drug: str) -> pd.DataFrame:
    """The same people three ways: test with drug, drug without test, test without drug."""
    out = []
    mine = [r for r in found.tables["routes"] if r["drug"] == drug]
    many = several(mine)
    for r in mine:
        for way, name in (("both", "test and drug"), ("drug_only", "drug without test"), ("test_only", "test without drug")):
            out.append({"Line and treatment": f"{line_of(r, many)}: {r['therapy_name']}", "Way": name,
                        "Healthy years": r[f"{way}_qalys"], "Cost, US$": r[f"{way}_cost"],
                        "People treated": r.get(f"{way}_treated", 0.0),
                        "Treated without benefit": show(r["drug_only_without_benefit"], "people") if way == "drug_only" else ""})
    return _made(out, "Line and treatment")


def pairs(found: Analysis, words: Words) -> pd.DataFrame:
    return _made([{"Drug": words(p["drug_a"]), "With": words(p["drug_b"]), "Together": p["together"], "First alone": p["a_alone"],
                   "Second alone": p["b_alone"], "One treatment": "yes" if p["one_regimen"] else "no"}
                  for p in sorted(found.tables["pairs"], key=lambda p: -p["together"])], "Drug")


def closed(found: Analysis) -> pd.DataFrame:
    """Drugs that not everybody can get and that better access alone would not open, with the reason."""
    many = several(found.tables["closed"])
    return _made([{"Drug": d["name"], "Line": line_of(d, many), "Reach today": d["share_today"], "Why": capital(d["reason"])}
                  for d in found.tables["closed"]], "Drug", "Line", "Reach today", "Why")


def untested(found: Analysis, words: Words, reach: float = 0.0) -> pd.DataFrame:
    """Lines whose drug can be got and whose test is not funded in full, most health first."""
    many = several(found.tables["untested"])
    rows = sorted((r for r in found.tables["untested"] if r["access_share"] >= reach), key=lambda r: -r["qalys_if_tested"])
    return _made([{"Line": line_of(r, many), "Can get the drug": r["access_share"], "Get it untested": r["blind_use"],
                   "Tested": r["coverage"], "People": r["people"], "Healthy years": r["qalys_if_tested"],
                   "Tests, US$ a year": r["testing_cost"], "US$ per QALY": r["cost_per_qaly"], "Test": words(r["service"])}
                  for r in rows], "Line")


# -- uncertainty -------------------------------------------------------------------------------------------


def sure(found: Analysis) -> pd.DataFrame:
    many = several(found.tables["lines"])
    return _made([{"Line": f"{r['rank']}. {line_of(r, many)}", "In the plan": "yes" if r["in_plan"] else "no",
                   "In so many draws": r["share_in"], "Give or take": r["standard_error"], "Mean tested": r["mean_coverage"],
                   "Priority": TIER_WORDS[r["priority_tier"]], "Priority, if sure": tier_words(r)}
                  for r in found.tables["lines"]],
                 "Line")


def candidates(found: Analysis) -> pd.DataFrame:
    return _made([{"List": list_words(c["list"]), "QALYs": c["qalys"], "Cost, US$": c["cost"], "Net of its cost": c["net_health"],
                   "Best in": c["chance_best"], "Lost by choosing it": c["expected_loss"],
                   "Beats the first": c["beats_reference"],
                   "Delivered": c["delivered"], "Holds": c["holds"]} for c in found.tables["candidates"]], "List")


def prices(found: Analysis) -> pd.DataFrame:
    many = several(found.tables["prices"])
    rows = sorted(found.tables["prices"], key=lambda r: (-r["chance_pays_today"], r["therapy_name"]))
    return _made([{"Treatment": f"{r['therapy_name']} ({line_of(r, many)})", "Course today, US$": r["course_cost"],
                   "Low": r["low"],
                   "Middle": r["median"], "High": r["high"], "Pays today in": r["chance_pays_today"]} for r in rows], "Treatment")


# -- compare ---------------------------------------------------------------------------------------------


def outcomes(found: Analysis) -> pd.DataFrame:
    rows = found.tables["outcomes"]
    many = len({r["place"] for r in rows}) > 1
    return _made([{"Plan": capital(r["plan"]) + (f" ({r['place']})" if many and r["is_reference"] else ""), "QALYs": r["qalys"],
                   "Deaths averted": r["deaths_averted"], "DALYs averted": r["dalys_averted"],
                   "People tested": r["patients_tested"], "People treated": r["patients_treated"],
                   "Tests, US$ a year": r["testing_cost"], "Drugs, US$ a year": r["treatment_cost"],
                   "US$ per QALY": r["cost_per_qaly"],
                   "Lines": "" if r["lines_funded"] is None else f"{r['lines_funded']:.0f}"} for r in rows], "Plan")


def changes(found: Analysis, plan: str) -> pd.DataFrame:
    order = list(CHANGE_WORDS)
    rows = sorted((c for c in found.tables["changes"] if c["plan"] == plan),
                  key=lambda c: (order.index(c["change"]), c["rank_after"] or 999))
    return _made([{"Line": line_of(c), "Change": CHANGE_WORDS[c["change"]], "Tested before": c["coverage_before"],
                   "Tested after": c["coverage_after"], "Rank": f"{_blank(c['rank_before'])} → {_blank(c['rank_after'])}",
                   "What did it": capital(c["because"]) or "not laid to one setting"} for c in rows],
                 "Line", "Change", "Tested before", "Tested after", "Rank", "What did it")


def against_today(found: Analysis, plan: str) -> pd.DataFrame:
    words = CHANGE_WORDS | {"same": "as today"}
    rows = sorted((r for r in found.tables["today"] if r["plan"] == plan), key=lambda r: r["rank_after"])
    return _made([{"Line": line_of(r), "Change": words[r["change"]], "Tested today": r["coverage_today"],
                   "Tested after": r["coverage_after"], "What did it": capital(r["because"]), "Why": capital(r["reason"])}
                  for r in rows],
                 "Line", "Change", "Tested today", "Tested after", "What did it", "Why")


def _blank(rank: int | None) -> str:
    return "none" if rank is None else str(rank)


def in_words(found: Analysis, plan: str) -> list[str]:
    """What entered, left and changed, grouped by what did it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for c in found.tables["changes"]:
        if c["plan"] == plan and c["change"] != "tier":
            groups.setdefault((c["change"], c["because"]), []).append(f"{c['short_name']} in {lowered(c['indication'])}")
    out = []
    for change in CHANGE_WORDS:
        for (what, because), names in groups.items():
            if what == change:
                why = f" ({because})" if because else ""
                more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
                out.append(f"{CHANGE_WORDS[change].capitalize()}{why}: {', '.join(names[:NAMED])}{more}.")
    return out
