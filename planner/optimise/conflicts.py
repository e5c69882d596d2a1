"""Why a request cannot be met, in words: the limits that contradict, have and need.

A limit is lifted in all years at once; what is then the least it must be is told in the user's own
terms (with what is already spent blind, or without today's money where it is additional to it). Where
no limit is to blame, the mandate and what stands in its way are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from planner.errors import Issue
from planner.optimise.solver import INF
from planner.pathway.problem import UseCase

WORDS = {
    "budget_testing": "the testing budget", "budget_treatment": "the treatment budget",
    "budget_total": "the total budget", "people_technician_minutes": "technicians' time",
    "people_pathologist_minutes": "pathologists' time", "people_scientist_minutes": "scientists' time",
    "people_board_minutes": "the tumour board's time",
}
UNITS = {"budget": "US$", "people": "minutes", "courses": "courses", "ramp": "share a year"}


def words(name: str) -> str:
    """A constraint's name for a planner."""
    stem, _, year = name.rpartition("_")
    said = WORDS.get(stem, stem.replace("_", " "))
    if stem.startswith("courses_"):
        said = f"the supply of {stem.removeprefix('courses_').replace('_', ' ')}"
    if stem.startswith("capacity_"):
        said = f"the runs of the {stem.removeprefix('capacity_').replace('_', ' ')}"
    if stem.startswith("ramp_"):
        said = "how fast testing may grow"
    return f"{said} (year {year})" if year.isdigit() and int(year) > 1 else said


def explain(engine) -> list[Issue]:
    """Name each limit which, lifted alone, makes the request possible: have, need, what to do. Where none is
    involved: each mandate that nothing can meet, and why."""
    groups = _groups(engine)
    issues = [issue for stem, rows in groups.items() if (issue := _issue(engine, stem, rows))]
    if issues:
        return issues
    with _lifted(engine, [name for rows in groups.values() for name in rows]):
        if engine.model.run() == "infeasible":
            return _unmeetable(engine)
    together = [] if len(engine.integers) else _together(engine)
    if together:
        return together
    mandated = sorted({u.id for u in engine.problem.use_cases if u.must_fund})
    floors = ", ".join(mandated) or "today's testing, which additional money may not lower"
    return [Issue("limits", f"several limits together are too small for what is mandated ({floors})",
                  "raise more than one limit, or shorten policy.must_fund", "conflict")]


@contextmanager
def _lifted(engine, rows: Iterable[str]) -> Iterator[None]:
    """Some rows without their bounds for a question, then put back."""
    saved = {name: engine.model.bounds(name) for name in rows}
    for name in saved:
        engine.model.set_row(name, None, None)
    try:
        yield
    finally:
        for name, bounds in saved.items():
            engine.model.set_row(name, *bounds)


# -- no limit is involved ----------------------------------------------------------------------------------

def _unmeetable(engine) -> list[Issue]:
    """Mandates that cannot be met although no limit stands in their way; called with all limits lifted."""
    floors = {(u.region, u.id): (u, rows) for u in engine.problem.use_cases
              if (rows := engine.floors((u.region, u.id)))}
    every = [name for _, rows in floors.values() for name in rows]
    issues = []
    for key, (u, rows) in floors.items():
        need = max(engine.model.bounds(name)[0] for name in rows)
        with _lifted(engine, every):
            have = _most(engine, key)
        if have < need - 1e-6:
            issues.append(_blocked(engine, u, have, need))
    if issues:
        return issues
    names = ", ".join(sorted({u.id for u, _ in floors.values()}))
    return [Issue("policy.must_fund", f"what is asked for cannot all be done, whatever the limits ({names})",
                  "take a line off policy.must_fund", "conflict")]


def _most(engine, key: tuple[str, str]) -> float:
    """The largest coverage of a line that the rest of the model allows, mean over the years."""
    cost = np.zeros(len(engine.model.variables))
    cost[engine.q_columns[key]] = -1.0
    engine.model.set_cost(cost)
    done = engine.model.run() == "optimal"
    most = -engine.model.highs.getInfo().objective_function_value / engine.problem.years if done else 0.0
    engine.model.set_cost(engine.value_cost)
    return max(most, 0.0) + 0.0  # no minus zero


def _blocked(engine, u: UseCase, have: float, need: float) -> Issue:
    """A mandate, the prerequisites that are never known, and the way out."""
    why = [_never_known(engine, first) for first in _prerequisites(engine, u)]
    found = [w for w in why if w]
    words = f"have at most {have:.0%} of its patients, need {need:.0%}"
    mandated = f"take {u.id} off policy.must_fund" if u.must_fund else 'set budget.basis to "all"'
    if not found:
        return Issue(_floor(u), f"{words}, whatever the limits", mandated, "conflict")
    return Issue(_floor(u), f"{words}: it is read only after {', and after '.join(what for what, _ in found)}",
                 f"{'; '.join(remedy for _, remedy in found)}; or {mandated}", "conflict")


def _floor(u: UseCase) -> str:
    return f"policy.must_fund {u.id}" if u.must_fund else f"today's testing of {u.id}"


def _prerequisites(engine, u: UseCase) -> list[UseCase]:
    """What must be known before a line is read, and before that in turn."""
    here = {v.biomarker: v for v in engine.problem.use_cases if (v.region, v.indication) == (u.region, u.indication)}
    out: list[UseCase] = []
    waiting = list(u.requires)
    while waiting:
        first = here.get(waiting.pop(0))
        if first is not None and first not in out:
            out.append(first)
            waiting += first.requires
    return out


def _never_known(engine, first: UseCase) -> tuple[str, str] | None:
    """(what, remedy) of a prerequisite whose result nobody has here; None where it can be had."""
    if first.excluded:
        return f"{first.id}, which policy.exclude leaves out", f"take {first.id} off policy.exclude"
    if not first.active or (first.region, first.id) in engine.keys:
        return None  # what is no line here is not enforced
    if engine.formulation._measured(first):
        return f"{first.id}, which no service supplies here", f"offer a service for {first.id}"
    return (f"{first.id}, which has no number for the objective {engine.scenario.objective}",
            "choose another objective")


# -- limits that contradict only together -------------------------------------------------------------------

def _together(engine) -> list[Issue]:
    """Limits that contradict only together: what each must be at least, all raised at once, at the smallest
    sum of their relative changes."""
    groups = {s: rows for s, rows in _groups(engine).items() if s != "ramp"}
    saved = {name: engine.model.bounds(name)[1] for rows in groups.values() for name in rows}
    needs = _least_raised(engine, saved)
    out = []
    for stem, rows in groups.items():
        worst = max(rows, key=lambda name: needs.get(name, 0.0) - saved[name])
        if needs and needs[worst] > saved[worst] + 1e-6 * max(1.0, abs(saved[worst])):
            out.append(_worded(engine, stem, rows, (saved[worst], float(np.ceil(round(needs[worst], 2)))), together=True))
    return out


def _least_raised(engine, limits: dict[str, float]) -> dict[str, float]:
    """What the limits must be where the sum of their relative changes is the smallest: each gets a column of
    what it lacks, in parts of itself. Empty where raising them does not help."""
    model, highs = engine.model, engine.model.highs
    first, scale = highs.getNumCol(), {name: max(abs(bound), 1.0) for name, bound in limits.items()}
    model.set_cost(np.zeros(first))
    for name in limits:
        highs.addCol(1.0, 0.0, INF, 1, np.array([model.row[name]], np.int32), np.array([-scale[name]]))
    raised = highs.getSolution().col_value[first:] if model.run() == "optimal" else []
    highs.deleteCols(len(limits), np.arange(first, first + len(limits), dtype=np.int32))
    model.set_cost(engine.value_cost)
    return {name: bound + scale[name] * share for (name, bound), share in zip(limits.items(), raised)}


def _groups(engine) -> dict[str, list[str]]:
    """Set limits of the model by stem, over the years; growth limits are one group."""
    out: dict[str, list[str]] = {}
    for name in engine.model.row:
        if not name.startswith(("budget_", "people_", "courses_", "ramp_")):
            continue
        if np.isfinite(engine.model.bounds(name)[1]):
            stem = "ramp" if name.startswith("ramp_") else name.rpartition("_")[0]
            out.setdefault(stem, []).append(name)
    return out


def _issue(engine, stem: str, rows: list[str]) -> Issue | None:
    found = _need(engine, rows)
    return None if found is None else _worded(engine, stem, rows, found)


def _worded(engine, stem: str, rows: list[str], found: tuple[float, float], together: bool = False) -> Issue:
    if stem == "ramp":
        return Issue("how fast testing may grow", "too slow for what is mandated",
                     "raise coverage.ramp_per_year, or shorten policy.must_fund", "conflict")
    axis = stem.removeprefix("budget_") if stem.startswith("budget_") else ""
    have, need = found
    if axis:
        years = range(engine.problem.years)
        have = max(engine.scenario.limit(axis, t) or 0.0 for t in years)
        need += engine.offset(axis)
    unit = UNITS[stem.split("_")[0]]
    more = "" if (axis != "treatment" and axis != "total") or engine.offset(axis) <= 0 else \
        f", {unit} {engine.offset(axis):,.0f} of it spent on treatment without tests"
    joint = " together with the others" if together else ""
    return Issue(
        words(rows[0]), f"have {_said(have, unit)}, need {_said(need, unit)} for what is mandated{more}",
        f"raise it{joint} to {_said(need, unit)}, or take something off policy.must_fund", "conflict",
        have, need, axis, unit,
    )


def _said(amount: float, unit: str) -> str:
    number = f"{amount + 0.0:,.0f}"
    return f"US$ {number}" if unit == "US$" else f"{number} {unit}"


def _need(engine, rows: list[str]) -> tuple[float, float] | None:
    """(present bound, smallest bound of the worst year) of a limit lifted in all years, or None where
    lifting it alone does not help."""
    model = engine.model
    saved = {name: model.bounds(name)[1] for name in rows}
    for name in rows:
        model.set_row(name, None, None)
    cost = np.zeros(len(model.variables))
    for name in rows:
        _, indices, coefficients = model.highs.getRowEntries(model.row[name])
        np.add.at(cost, list(indices), coefficients)
    model.set_cost(cost)
    with engine.cheapest_whole() as possible:  # a need by fractions of an instrument would not be enough
        ok = possible and model.run() == "optimal"
        activity = model.highs.getSolution().row_value if ok else []
    need = max(activity[model.row[name]] for name in rows) if ok else None
    model.set_cost(engine.value_cost)
    for name, high in saved.items():
        model.set_row(name, None, high)
    return None if need is None else (max(saved.values()), float(np.ceil(round(need, 2))))
