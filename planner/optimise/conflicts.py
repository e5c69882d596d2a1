"""Why a request cannot be met, in words: the limits that contradict, have and need.

A limit is lifted in all years at once; what is then the least it must be is told in the user's own
terms (with what is already spent blind, or without today's money where it is additional to it).
"""

from __future__ import annotations

import numpy as np

from planner.errors import Issue

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
    """Name each limit which, lifted alone, makes the request possible: have, need, what to do."""
    issues = [issue for stem, rows in _groups(engine).items() if (issue := _issue(engine, stem, rows))]
    if issues:
        return issues
    together = _together(engine)
    if together:
        return together
    mandated = sorted({u.id for u in engine.problem.use_cases if u.must_fund})
    floors = ", ".join(mandated) or "today's testing, which additional money may not lower"
    return [Issue("limits", f"several limits together are too small for what is mandated ({floors})",
                  "raise more than one limit, or shorten policy.must_fund", "conflict")]


def _together(engine) -> list[Issue]:
    """Limits that contradict only together: what each must be at least, all raised at once, at the smallest
    relative change of their sum."""
    model, groups = engine.model, {s: rows for s, rows in _groups(engine).items() if s != "ramp"}
    saved = {name: model.bounds(name)[1] for rows in groups.values() for name in rows}
    cost = np.zeros(len(model.variables))
    for name, bound in saved.items():
        model.set_row(name, None, None)
        _, indices, coefficients = model.highs.getRowEntries(model.row[name])
        np.add.at(cost, list(indices), np.asarray(list(coefficients)) / max(abs(bound), 1.0))
    model.set_cost(cost)
    activity = model.highs.getSolution().row_value if model.run() == "optimal" else None
    needs = {} if activity is None else {name: activity[model.row[name]] for name in saved}
    model.set_cost(engine.value_cost)
    for name, bound in saved.items():
        model.set_row(name, None, bound)
    out = []
    for stem, rows in groups.items():
        worst = max(rows, key=lambda name: needs.get(name, 0.0) - saved[name])
        if needs and needs[worst] > saved[worst] + 1e-6:
            out.append(_worded(engine, stem, rows, (saved[worst], float(np.ceil(round(needs[worst], 2)))), together=True))
    return out


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
    ok = model.run() == "optimal"
    need = None
    if ok:
        activity = model.highs.getSolution().row_value
        need = max(activity[model.row[name]] for name in rows)
    model.set_cost(engine.value_cost)
    for name, high in saved.items():
        model.set_row(name, None, high)
    return None if need is None else (max(saved.values()), float(np.ceil(round(need, 2))))
