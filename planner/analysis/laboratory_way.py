"""One way to run the laboratory: planned with some services forbidden, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from planner.analysis.break_even import at_home
from planner.analysis.side_by_side import Known, on_known_lines
from planner.analysis.strategies import burden, counted, over
from planner.analysis.study import Study, money
from planner.errors import Infeasible
from planner.optimise.resolve import Engine
from planner.optimise.row import NONE
from planner.pathway.laboratories import PLACES
from planner.pathway.problem import ServiceOption
from planner.result import laboratory
from planner.result.readout import MINUTES, Readout, read

Allowed = Callable[[ServiceOption | None, bool, bool], bool]  # (service, None for no base; can be run at home; has a panel)
DUST = 0.005  # samples a year below which a test is the solver's rounding, not one that is run


def anything(service: ServiceOption | None, home: bool, panel: bool) -> bool:
    """No service is forbidden."""
    return True


def runs_at_home(s: ServiceOption) -> bool:
    return any(u.home for u in s.assays)


def planned(engine: Engine, allowed: Allowed) -> np.ndarray | None:
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
    home = {s.family for i in engine.problem.indications for s in i.services if runs_at_home(s)}
    panels = {key[:2] for key in f.bases}
    options = {engine.column(k.q): (k.option, k.source[:2]) for k in f.taken}
    options |= {engine.column(y): (f.bases[key][1] if key[2] != NONE else None, key[:2]) for key, y in f.y.items()}
    return np.array(sorted(c for c, (s, where) in options.items()
                           if not allowed(s, s is not None and s.family in home, where in panels)), int)


def way_row(study: Study, engine: Engine, name: str, words: str, values: np.ndarray, known: Known) -> dict:
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
            **on_known_lines(out, known),
            "gap": engine.gap, "search": engine.settled.status if engine.settled else "optimal",
            "home_samples": 0.0, "home_cost": 0.0, "fixed_cost": 0.0, "margin": None}


def way_tests(study: Study, engine: Engine, name: str, values: np.ndarray, others: Mapping) -> list[dict]:
    """Each test of one way: at home with its schedule, or elsewhere; cost per sample of one more and on average."""
    rows, days = [], {(u.assay, u.place, u.runs_a_year): u.days for i in engine.problem.indications for s in i.services
                      for u in s.assays}
    found = laboratory.home(engine, values)
    bought = {p for p, n in found.instruments.items() if n} if found else set()
    for row in laboratory.home_tests(engine, values):
        if row["samples"] < DUST:
            continue
        price, place = min(((usd, lab) for lab, usd in others.get(row["assay"], {}).items()), default=(None, ""))
        rows.append(mine := {"strategy": name, "at_home": True, "price_elsewhere": price,
                             "days": days[row["assay"], engine.problem.laboratory.place, row["runs_a_year"]],
                             "days_elsewhere": days.get((row["assay"], place, 0.0)),
                             "margin": None if price is None else row["samples"] * (price - row["average_cost"]),
                             **{k: v for k, v in row.items() if k != "platforms"}})
        mine["runs_words"] = runs_words(row["runs_a_year"])
        mine["why"] = why_here(mine, any(p["platform"] in bought for p in row["platforms"] if p["samples"] > DUST))
    away = {}
    for (assay, place, _), t in read(engine, values).tests.items():
        if engine.problem.laboratory is not None and place == engine.problem.laboratory.place:
            continue
        mine = away.setdefault((assay, place), {"samples": 0.0, "cost": 0.0})
        mine["samples"] += t["samples"]
        mine["cost"] += t["cost"]
    for (assay, place), t in sorted(away.items()):
        record = study.evidence.record("assays", assay_id=assay)
        if t["samples"] < DUST or not record:
            continue
        each = t["cost"] / t["samples"]
        rows.append({"strategy": name, "at_home": False, "price_elsewhere": each, "margin": None, "assay": assay,
                     "name": record["name"], "laboratory": PLACES.get(place, "at the tariff"), "runs_a_year": None,
                     "runs_words": "",
                     "samples": t["samples"], "runs": None, "samples_per_run": None, "marginal_cost": each,
                     "average_cost": each, "wait_days": None, "days": days[assay, place, 0.0],
                     "days_elsewhere": days[assay, place, 0.0], "why": _why_elsewhere(study, assay, t["samples"], each, rows)})
    return rows


def why_here(t: Mapping, bought: bool) -> str:
    """What speaks for a test at home, and what against it, beside the cheapest laboratory elsewhere."""
    if t["price_elsewhere"] is None:
        return "no price elsewhere"
    sooner, dearer = t["days_elsewhere"] - t["days"], t["average_cost"] - t["price_elsewhere"]
    words = [] if abs(sooner) < 0.5 else [f"{days_words(abs(sooner))} {'sooner' if sooner > 0 else 'later'}"]
    words.append("costs the same" if abs(dearer) < 0.5 else
                 f"{money(abs(dearer))} a sample {'dearer' if dearer > 0 else 'cheaper'}")
    return ", ".join([*words, *([] if bought else ["instrument already here"])])


def days_words(days: float) -> str:
    return f"{days:.0f} day{'s' if round(days) != 1 else ''}"


def _why_elsewhere(study: Study, assay: str, samples: float, price: float, rows: list[dict]) -> str:
    """Why a test is sent: it cannot be run at home, or costs more there at this volume."""
    home = study.problem.laboratory
    if home is None:
        return ""
    if any(r["assay"] == assay and r["at_home"] for r in rows):
        return "in another pathway: run here too"
    a, refused = home.assay(assay), dict(home.refused)
    if a is None:
        return f"not possible here: {refused.get(assay, 'no pathway with it can be run here')}"
    own = at_home(home, a, samples, home.transport, study.scenario.laboratory.runs_a_year)
    if not np.isfinite(own.cost):
        return "too few samples for a run here"
    if own.cost > price:
        return f"{money(own.cost - price)} a sample dearer here at this volume"
    return f"cheaper here with {runs_words(own.runs_a_year)}, but later, or people and money do more elsewhere"


def runs_words(runs: float | None) -> str:
    """A schedule in words."""
    if runs is None:
        return ""
    return f"{runs:,.0f} runs a year" if runs else "each sample as it comes"
