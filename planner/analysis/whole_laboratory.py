"""The whole laboratory: every way to run it, over all indications, with fixed cost at the whole volume.

Each way is the scenario planned again with some services forbidden: everything elsewhere, everything at home that can
be, single tests only, panels wherever there is one; beside the plan itself and today's practice. A hospital's volume is
halved and doubled (its budget alike), so that one sees what its size decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from planner.analysis.break_even import volume
from planner.analysis.strategies import TODAY, burden, compared, counted, over, prices
from planner.analysis.study import Analysis, Progress, Study, figure, money, silent
from planner.errors import BadInput, Infeasible, Issue
from planner.evidence.base import Evidence
from planner.optimise.laboratory import most_at_home
from planner.optimise.resolve import Engine
from planner.optimise.row import NONE
from planner.pathway.laboratories import PLACES
from planner.pathway.problem import ServiceOption
from planner.result import laboratory
from planner.result.readout import MINUTES, Readout, read
from planner.scenario.model import Scenario

PLAN = "the plan"
SCALES = (0.5, 1.0, 2.0)
Allowed = Callable[[ServiceOption | None, bool, bool], bool]  # (service, None for no base; can be run at home; has a panel)


def whole_laboratory(scenario: Scenario, evidence: Evidence, progress: Progress = silent) -> Analysis:
    """Ways to run the laboratory over all indications.

    Tables: ``strategies`` (one way each), ``tests`` (each test of each way: where, how often, samples, marginal and
    average cost, price elsewhere, margin), ``platforms`` and ``staff`` (each way), ``break_even`` (volume from which a
    test is cheaper at home), ``volumes`` (a hospital at half, its own and twice its cases).
    """
    study = Study(scenario, evidence)
    engine = study.engine
    others = prices(study.problem.indications)
    tables: dict[str, list[dict]] = {name: [] for name in ("strategies", "tests", "platforms", "staff", "break_even", "volumes")}
    ways = _ways(study)
    for n, (name, words, allowed) in enumerate(ways):
        progress(0.8 * n / len(ways), name)
        values = _planned(engine, allowed)
        if values is not None:
            _told(study, engine, name, words, values, others, tables)
    today, known = engine.today()
    if today is not None:
        row = _row(study, engine, TODAY, f"what is known of today ({len(known)} lines), by the services here", today.values)
        tables["strategies"].append(row | dict.fromkeys(
            ("gap", "search", "home_samples", "home_cost", "fixed_cost", "margin")))  # it was evaluated, not searched
    if not tables["strategies"]:
        raise BadInput([Issue("laboratory", "no way to run it meets the limits", "see `plan` for the limits that contradict")])
    rows = tables["strategies"]
    compared(rows, next((r for r in rows if r["strategy"] == TODAY), rows[0]), study.problem.threshold)
    tables["break_even"] = _break_even(study, others, tables["tests"])
    tables["volumes"] = _volumes(study, progress)
    settings = {"indication": "all", "threshold": study.problem.threshold, "costing": scenario.laboratory.costing}
    return study.answer("laboratory", settings, _words(study, tables), tables)


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
            ("everything elsewhere", "nothing is run at home", lambda s, home, panel: s is None or not _runs_at_home(s)),
            ("everything at home that can be", "elsewhere only what the home laboratory cannot run",
             lambda s, home, panel: s is None or not home or _runs_at_home(s)),
        ]
    return out


def anything(service: ServiceOption | None, home: bool, panel: bool) -> bool:
    """No service is forbidden."""
    return True


def _runs_at_home(s: ServiceOption) -> bool:
    return any(u.home for u in s.assays)


def _planned(engine: Engine, allowed: Allowed) -> np.ndarray | None:
    """The cheapest among the best plans with some services forbidden; None where the limits cannot be met."""
    columns = _forbidden(engine, allowed)
    for model in (engine.model, engine.cheapest):
        model.set_columns(columns, 0.0, 0.0)
    try:
        engine.reset()
        engine.settle()
        return engine.optimum().plan.values
    except Infeasible:
        return None
    finally:
        upper = np.asarray(engine.arrays[2].col_upper_, float)[columns]
        for model in (engine.model, engine.cheapest):
            model.set_column_bounds(columns, np.zeros(len(columns)), upper)


def _forbidden(engine: Engine, allowed: Allowed) -> np.ndarray:
    """Columns of the services that a way does without."""
    f = engine.formulation
    home = {s.family for i in engine.problem.indications for s in i.services if _runs_at_home(s)}
    panels = {key[:2] for key in f.bases}
    options = {engine.column(k.q): (k.option, k.source[:2]) for k in f.taken}
    options |= {engine.column(y): (f.bases[key][1] if key[2] != NONE else None, key[:2]) for key, y in f.y.items()}
    return np.array(sorted(c for c, (s, where) in options.items()
                           if not allowed(s, s is not None and s.family in home, where in panels)), int)


# -- what one way comes to -------------------------------------------------------------------------------


def _told(study: Study, engine: Engine, name: str, words: str, values: np.ndarray, others: Mapping, tables: dict) -> None:
    tests = _tests(study, engine, name, values, others)
    tables["tests"] += [t for t in tests if t["samples"] >= laboratory.TOLD]
    tables["staff"] += [{"strategy": name} | row for row in laboratory.staff(engine, values)]
    readout = read(engine, values)
    tables["platforms"] += [{"strategy": name} | row for row in
                            laboratory.platforms(engine, values, readout.tests, study.evidence)]
    row = _row(study, engine, name, words, values)
    home = [t for t in tests if t["at_home"]]
    row["home_samples"] = sum(t["samples"] for t in home)
    row["home_cost"] = sum(t["samples"] * t["average_cost"] for t in home)
    row["fixed_cost"] = sum(t["samples"] * (t["average_cost"] - t["marginal_cost"]) for t in home)
    row["margin"] = sum(t["margin"] for t in home if t["margin"] is not None) if home else None
    tables["strategies"].append(row)


def _row(study: Study, engine: Engine, name: str, words: str, values: np.ndarray) -> dict:
    out: Readout = read(engine, values)
    lines = [line for line in out.lines.values() if line.coverage > 1e-9]
    testing = sum(line.testing_cost for line in lines)
    treatment = sum(line.incremental_cost for line in lines)
    qalys = sum(line.health["qalys"] or 0.0 for line in lines)
    samples = sum(t["samples"] for t in out.tests.values())
    counts = [counted(k, float(values[engine.column(k.q)])) for k in engine.formulation.taken]
    told = {name: sum(c[name] for c in counts) for name in ("results", "true", "missed", "wrong", "asked")}
    minutes = {c: sum(float(engine.vector(engine.formulation.minutes(c, t)) @ values) for t in range(engine.problem.years))
               for c in MINUTES}
    return {"strategy": name, "words": words, "lines_funded": len(lines), "patients": out.patients_tested, "samples": samples,
            "testing_cost": testing, "cost_per_sample": testing / samples if samples else None,
            "results": told["results"], "results_in_time": over(told["results"], told["asked"]),
            "cost_per_result": over(testing, told["results"]), "positives_true": told["true"],
            "positives_missed": told["missed"], "positives_wrong": told["wrong"],
            "cost_per_positive": over(testing, told["true"]),
            "slides": burden(engine, values)[0],
            "patients_treated": sum(line.patients_treated for line in lines), "treatment_cost": treatment,
            "total_cost": testing + treatment, "qalys": qalys,
            "net_health": qalys - (testing + treatment) / study.problem.threshold, **minutes,
            "gap": engine.gap, "search": engine.settled.status if engine.settled else "optimal",
            "home_samples": 0.0, "home_cost": 0.0, "fixed_cost": 0.0, "margin": None}


def _tests(study: Study, engine: Engine, name: str, values: np.ndarray, others: Mapping) -> list[dict]:
    """Each test of one way: at home with its schedule, or elsewhere; cost per sample of one more and on average."""
    rows, days = [], {(u.assay, u.place, u.runs_a_year): u.days for i in engine.problem.indications for s in i.services
                      for u in s.assays}
    for row in laboratory.home_tests(engine, values):
        price = min(others.get(row["assay"], {}).values(), default=None)
        rows.append({"strategy": name, "at_home": True, "price_elsewhere": price,
                     "days": days[row["assay"], engine.problem.laboratory.place, row["runs_a_year"]],
                     "margin": None if price is None else row["samples"] * (price - row["average_cost"]),
                     **{k: v for k, v in row.items() if k != "platforms"}})
    away = {}
    for (assay, place, _), t in read(engine, values).tests.items():
        if engine.problem.laboratory is not None and place == engine.problem.laboratory.place:
            continue
        mine = away.setdefault((assay, place), {"samples": 0.0, "cost": 0.0})
        mine["samples"] += t["samples"]
        mine["cost"] += t["cost"]
    for (assay, place), t in sorted(away.items()):
        record = study.evidence.record("assays", assay_id=assay)
        if t["samples"] <= 1e-6 or not record:
            continue
        each = t["cost"] / t["samples"]
        rows.append({"strategy": name, "at_home": False, "price_elsewhere": each, "margin": None, "assay": assay,
                     "name": record["name"], "laboratory": PLACES.get(place, "at the tariff"), "runs_a_year": None,
                     "samples": t["samples"], "runs": None, "samples_per_run": None, "marginal_cost": each,
                     "average_cost": each, "wait_days": None, "days": days[assay, place, 0.0]})
    return rows


def _break_even(study: Study, others: Mapping, tests: list[dict]) -> list[dict]:
    """Volume from which each test is cheaper at home, beside the volume of the plan."""
    home, out = study.problem.laboratory, []
    if home is None:
        return out
    planned, most = {}, most_at_home(study.problem.indications)
    for t in tests:
        if t["strategy"] == PLAN:
            planned[t["assay"]] = planned.get(t["assay"], 0.0) + t["samples"]
    for a in home.assays:
        for place, price in sorted(others.get(a.assay, {}).items()):
            out.append({"assay": a.assay, "name": a.name, "elsewhere": PLACES[place], "price": price,
                        "break_even": volume(home, a, price, home.transport), "planned": planned.get(a.assay, 0.0),
                        "most_here": most.get(a.assay, 0.0)})
    return out


def _volumes(study: Study, progress: Progress) -> list[dict]:
    """A hospital at other volumes: what it runs at home, instruments, cost per test."""
    scenario, rows = study.scenario, []
    if scenario.setting.hospital is None or study.problem.laboratory is None:
        return rows
    for n, scale in enumerate(SCALES):
        progress(0.8 + 0.2 * n / len(SCALES), f"{scale:g} times the cases")
        other = study if scale == 1 else Study(_scaled(scenario, scale), study.evidence)
        values = _planned(other.engine, anything)
        if values is None:
            continue
        row = _row(other, other.engine, f"{scale:g} times the cases", "", values)
        tests = [t for t in laboratory.home_tests(other.engine, values) if t["samples"] >= laboratory.TOLD]
        instruments = laboratory.platforms(other.engine, values, {}, study.evidence)
        rows.append({"scale": scale, **{k: row[k] for k in ("samples", "testing_cost", "cost_per_sample", "qalys", "gap")},
                     "home_samples": sum(t["samples"] for t in tests), "home_tests": len({t["assay"] for t in tests}),
                     "home_cost_per_sample": _mean(tests), "at_home": "; ".join(sorted({t["name"] for t in tests})),
                     "instruments": sum(p["instruments"] for p in instruments),
                     "which": "; ".join(f"{p['instruments']:g} {p['name']}" for p in instruments)})
    return rows


def _mean(tests: list[dict]) -> float | None:
    samples = sum(t["samples"] for t in tests)
    return sum(t["samples"] * t["average_cost"] for t in tests) / samples if samples else None


def _scaled(scenario: Scenario, scale: float) -> Scenario:
    """The hospital with more or fewer cases, and money for tests alike."""
    budget = {}
    for axis in ("testing", "treatment", "total"):
        limit = getattr(scenario.budget, axis)
        if limit is not None:
            budget[axis] = tuple(scale * x for x in limit) if isinstance(limit, tuple) else scale * limit
    return scenario.model_copy(update={"cases": {k: v * scale for k, v in scenario.cases.items()},
                                       "budget": scenario.budget.model_copy(update=budget)})


def _words(study: Study, tables: Mapping) -> list[str]:
    """What to run at home first, then what the other ways would bring, then how far to trust the search."""
    rows = {r["strategy"]: r for r in tables["strategies"]}
    plan, home = rows.get(PLAN), study.problem.laboratory
    words = []
    if plan and home is not None:
        mine, away = ({t["assay"] for t in tables["tests"] if t["strategy"] == PLAN and t["at_home"] is here}
                      for here in (True, False))
        words.append(f"For the most health the {home.name} runs {len(mine)} tests ({figure(plan['home_samples'])} samples a "
                     f"year, {money(plan['fixed_cost'])} of fixed cost), and {len(away)} are sent elsewhere: "
                     f"{money(plan['testing_cost'])} a year for tests, {figure(plan['qalys'])} healthy years a year.")
    words.append(_worth_it(study, tables["strategies"]))
    if home is None:
        words.append('Tests are counted at their tariffs here. Set laboratory.costing = "micro" to weigh an own laboratory '
                     "with its instruments, runs and people against sending samples out.")
    elif plan:
        words.append(f"The search for whole instruments ended {laboratory.ended(plan['search'])}, with at most "
                     f"{100 * plan['gap']:.2g} % more health still possible.")
    return words


def _worth_it(study: Study, rows: list[dict]) -> str:
    """The way of most net health; where none is worth its money, that too."""
    best, worth = next(r for r in rows if r["best_at_threshold"]), f"{money(study.problem.threshold)} per healthy year"
    told = f"{money(best['testing_cost'])} a year for tests, {figure(best['qalys'])} healthy years"
    if best["net_health"] >= 0:
        return f"Of {len(rows)} ways to run the laboratory the most for the money, at {worth}, is: {best['strategy']} ({told})."
    return (f"None of the {len(rows)} ways is worth its money at {worth}, tests and treatment together; the least dear for what "
            f"it brings is: {best['strategy']} ({told}).")
