"""The whole laboratory: every way to run it, over all indications, with fixed cost at the whole volume.

Each way is the scenario planned again with some services forbidden: everything elsewhere, everything at home that can
be, single tests only, panels wherever there is one; beside the plan itself, the plan of the highest net health with no
budget, no testing, and today's practice. A hospital's volume is halved and doubled
(:mod:`planner.analysis.other_volumes`), so that one sees what its size decides.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.analysis.break_even import at_home, volume
from planner.analysis.laboratory_way import (
    Allowed,
    anything,
    days_words,
    planned,
    runs_at_home,
    runs_words,
    way_row,
    way_tests,
)
from planner.analysis.not_possible import not_possible
from planner.analysis.other_volumes import other_volumes
from planner.analysis.side_by_side import NOTHING, TODAY, Known, best_of, compared, known_today, today_words, value_words
from planner.analysis.strategies import prices
from planner.analysis.study import Analysis, Progress, Study, figure, money, silent
from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.optimise.laboratory import most_at_home
from planner.optimise.resolve import Engine
from planner.pathway.laboratories import PLACES
from planner.result import laboratory
from planner.result.readout import read
from planner.scenario.model import Scenario

PLAN, BEST = "the plan", "plan of the highest net health"
HOME_ALL = "everything at home that can be"
NAMED = 6  # lines named in a sentence; the table has them all
TESTED = 0.005  # coverage from which a line counts as tested
EVALUATED = ("gap", "search", "home_samples", "home_cost", "fixed_cost", "margin")  # of what was not searched
TABLES = ("strategies", "tests", "platforms", "staff", "break_even", "volumes", "volume_tests", "not_possible", "searches")


def whole_laboratory(scenario: Scenario, evidence: Evidence, progress: Progress = silent) -> Analysis:
    """Ways to run the laboratory over all indications.

    Tables: ``strategies`` (one way each), ``tests`` (each test of each way: where, why, how often, samples, marginal and
    average cost, price elsewhere, margin), ``platforms`` and ``staff`` (each way), ``break_even`` (volume from which a
    test is cheaper at home), ``volumes`` and ``volume_tests`` (a hospital at half, its own and twice its cases),
    ``not_possible`` (tests and lines that cannot be had here, and why), ``searches`` (how each search ended).
    """
    study, tables = Study(scenario, evidence), {name: [] for name in TABLES}
    engine, known = study.engine, known_today(study.engine)
    others, ways = prices(study.problem.indications), _ways(study)
    lines: dict[str, frozenset] = {}
    for n, (name, words, allowed) in enumerate(ways):
        progress(0.7 * n / (len(ways) + 1), name)
        values = planned(engine, allowed)
        if values is not None:
            lines[name] = _told(study, engine, name, words, values, others, known, tables)
    progress(0.7 * len(ways) / (len(ways) + 1), BEST)
    _best(study, known, lines, tables)
    if not tables["strategies"]:
        raise BadInput([Issue("laboratory", "no way to run it meets the limits", "see `plan` for the limits that contradict")])
    rows = tables["strategies"]
    rows.append(_nothing(rows[0]))
    today, _ = engine.today()
    if today is not None:
        row = way_row(study, engine, TODAY, f"what is known of today ({known.words}), by the services here", today.values, known)
        rows.append(row | dict.fromkeys(EVALUATED) | {"leaves_out": ""})
    _left_out(study, lines, rows)
    compared(rows, known, study.problem.threshold)
    tables["break_even"] = _break_even(study, others, tables["tests"])
    tables["volumes"], tables["volume_tests"] = other_volumes(study, progress, 0.75)
    tables["not_possible"] = not_possible(study)
    tables["searches"] = _searches(tables)
    settings = {"indication": "all", "threshold": study.problem.threshold, "costing": scenario.laboratory.costing,
                "reference": next(r["reference"] for r in rows if r["reference"])}
    return study.answer("laboratory", settings, _words(study, known, tables), tables)


def _ways(study: Study) -> list[tuple[str, str, Allowed]]:
    """(name, in words, which services it may use)."""
    out: list[tuple[str, str, Allowed]] = [
        (PLAN, "every test where it does most for the money", anything),
        ("single tests only", "no panel and no pathway of several biomarkers",
         lambda s, home, panel: s is None or s.kind == "single"),
        ("panels where there is one", "a panel or pathway for every patient of an indication that has one",
         lambda s, home, panel: s is not None or not panel),
    ]
    if study.problem.laboratory is not None:
        out += [
            ("everything elsewhere", "nothing is run at home", lambda s, home, panel: s is None or not runs_at_home(s)),
            (HOME_ALL, "elsewhere only what the home laboratory cannot run",
             lambda s, home, panel: s is None or not home or runs_at_home(s)),
        ]
    return out


def _best(study: Study, known: Known, lines: dict, tables: dict) -> None:
    """The plan of the highest net health whatever the budget: planned again, not picked from the other ways."""
    budget = study.scenario.budget.model_copy(update={"testing": None, "treatment": None, "total": None})
    other = Study(study.scenario.model_copy(update={"objective": "net_health", "budget": budget}), study.evidence)
    values = planned(other.engine, anything)
    if values is not None:
        lines[BEST] = _told(other, other.engine, BEST, "most health for the money at the threshold, without a budget",
                            values, prices(other.problem.indications), known, tables)


def _nothing(like: Mapping) -> dict:
    """No testing, which everything is measured against."""
    row = {k: 0.0 if isinstance(v, int | float) else None for k, v in like.items()}
    return row | dict.fromkeys(EVALUATED) | {"strategy": NOTHING, "words": "nobody is tested; care as without a result",
                                             "leaves_out": "", "lines_funded": 0, "cost_per_sample": None}


def _left_out(study: Study, lines: Mapping[str, frozenset], rows: list[dict]) -> None:
    """Into each way: the lines that the plan tests and it does not."""
    for r in rows:
        if r["strategy"] in lines and r["strategy"] != BEST:
            less = lines.get(PLAN, frozenset()) - lines[r["strategy"]]
            r["leaves_out"] = "; ".join(sorted(study.said(key) for key in less))


# -- what one way comes to -------------------------------------------------------------------------------


def _told(study: Study, engine: Engine, name: str, words: str, values: np.ndarray, others: Mapping, known: Known,
          tables: dict) -> frozenset:
    """A way into the tables; the lines that it tests."""
    tests = way_tests(study, engine, name, values, others)
    tables["tests"] += [t for t in tests if t["samples"] >= laboratory.TOLD]
    tables["staff"] += [{"strategy": name} | row for row in laboratory.staff(engine, values)]
    readout = read(engine, values)
    tables["platforms"] += [{"strategy": name} | row for row in
                            laboratory.platforms(engine, values, readout.tests, study.evidence)]
    row = way_row(study, engine, name, words, values, known)
    home = [t for t in tests if t["at_home"]]
    row["home_samples"] = sum(t["samples"] for t in home)
    row["home_cost"] = sum(t["samples"] * t["average_cost"] for t in home)
    row["fixed_cost"] = sum(t["samples"] * (t["average_cost"] - t["marginal_cost"]) for t in home)
    row["margin"] = sum(t["margin"] for t in home if t["margin"] is not None) if home else None
    row["leaves_out"] = ""
    tables["strategies"].append(row)
    return frozenset(key for key, line in readout.lines.items() if line.coverage >= TESTED)


def _break_even(study: Study, others: Mapping, tests: list[dict]) -> list[dict]:
    """Volume from which each test is cheaper at home, beside the volume of the plan and how the plan runs it."""
    home, out = study.problem.laboratory, []
    if home is None:
        return out
    most = most_at_home(study.problem.indications)
    schedules, plan = study.scenario.laboratory.runs_a_year, [t for t in tests if t["strategy"] == PLAN]
    for a in home.assays:
        mine = [t for t in plan if t["assay"] == a.assay]
        samples = sum(t["samples"] for t in mine)
        own = at_home(home, a, samples, home.transport, schedules) if samples else None
        for place, price in sorted(others.get(a.assay, {}).items()):
            first = volume(home, a, price, home.transport, schedules)
            out.append({"assay": a.assay, "name": a.name, "elsewhere": PLACES[place], "price": price, "break_even": first,
                        "planned": samples, "most_here": most.get(a.assay, 0.0), "note": _note(first, samples, own, mine, price)})
    return out


def _note(first: int | None, samples: float, own, mine: list[dict], price: float) -> str:
    """Why the plan does otherwise than the break-even says: the cheapest schedule is not the one that helps most."""
    if first is None or samples < first or own is None:
        return ""
    here = [t for t in mine if t["at_home"]]
    if not here:
        return f"sent by the plan all the same: with {runs_words(own.runs_a_year)} here it comes later, or money does more"
    t = max(here, key=lambda t: t["samples"])
    if t["average_cost"] <= price or t["runs_a_year"] == own.runs_a_year:
        return ""
    wait = 365 / own.runs_a_year / 2 - t["wait_days"] if own.runs_a_year else 0.0
    sooner = f", {days_words(wait)} sooner" if wait >= 0.5 else ""
    return (f"cheapest with {runs_words(own.runs_a_year)} ({money(own.cost)}); the plan takes {runs_words(t['runs_a_year'])} "
            f"({money(t['average_cost'])}){sooner}")


def _searches(tables: Mapping) -> list[dict]:
    """How the search of each way and of each volume ended."""
    ways = [{"what": r["strategy"], "search": r["search"], "gap": r["gap"], "qalys": r["qalys"]}
            for r in tables["strategies"] if r["search"]]
    return ways + [{"what": f"{r['scale']:g} times the cases", "search": r["search"], "gap": r["gap"], "qalys": r["qalys"]}
                   for r in tables["volumes"]]


# -- in words ----------------------------------------------------------------------------------------------


def _words(study: Study, known: Known, tables: Mapping) -> list[str]:
    """What is best at the threshold and what the whole budget buys; then the other ways; then how far to trust it."""
    rows, home = tables["strategies"], study.problem.laboratory
    value = value_words(rows, study.problem.threshold)
    value = value[1:] if best_of(rows)["strategy"] == BEST else value  # the headline has said it
    words = [_headline(study, tables), *value, today_words(rows, known, PLAN)]
    less = next((r for r in rows if r["strategy"] == HOME_ALL and r["leaves_out"]), None)
    if less:
        names = less["leaves_out"].split("; ")
        more = f"; and {len(names) - NAMED} others" if len(names) > NAMED + 1 else ""
        words.append(f"Everything at home that can be leaves out {len(names)} line{'s' * (len(names) > 1)} that the plan tests: "
                     f"{'; '.join(names[:NAMED] if more else names)}{more}.")
    if home is None:
        words.append('Tests are counted at their tariffs here. Set laboratory.costing = "micro" to weigh an own laboratory '
                     "with its instruments, runs and people against sending samples out.")
    else:
        gaps = [r["gap"] for r in tables["searches"] if r["gap"] is not None]
        ended = sorted({laboratory.ended(r["search"]) for r in tables["searches"]})
        words.append(f"The searches for whole instruments ended {' or '.join(ended)}, each with at most "
                     f"{100 * max(gaps, default=0.0):.2g} % more still possible of what it maximises.")
    return words


def _headline(study: Study, tables: Mapping) -> str:
    """Best at the threshold first, then all of the budget."""
    rows, limit = {r["strategy"]: r for r in tables["strategies"]}, study.scenario.budget.testing
    worth = f"At your value of a healthy year ({money(study.problem.threshold)}): "
    tested = BEST in rows and rows[BEST]["samples"] > 0
    parts = [worth + (_does(tables, rows[BEST]) if tested else "no test is worth its money") + "."]
    if PLAN in rows:
        aim = f"To use all of {money(limit)}" if isinstance(limit, int | float) else "For what the scenario asks"
        parts.append(f"{aim}: {_does(tables, rows[PLAN])}.")
    return " ".join(parts)


def _does(tables: Mapping, row: Mapping) -> str:
    """What a way does, each test counted once: at home, or where no part of it is, elsewhere."""
    mine = [t for t in tables["tests"] if t["strategy"] == row["strategy"]]
    here = {t["assay"] for t in mine if t["at_home"]}
    away = {t["assay"] for t in mine} - here
    if mine and mine[0]["laboratory"] == "at the tariff":
        what = f"use {_count(len(away))}"
    elif here and away:
        what = f"run {_count(len(here))} at home and send out {len(away)}"
    else:
        what = f"run {_count(len(here))} at home" if here else f"send out {_count(len(away))}"
    return f"{what} ({money(row['testing_cost'])} a year for tests, {figure(row['qalys'])} healthy years)"


def _count(n: int) -> str:
    return f"{n} test{'' if n == 1 else 's'}"
