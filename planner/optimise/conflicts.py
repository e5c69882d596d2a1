"""Why a request cannot be met, in words: the limits that contradict, have and need."""

from __future__ import annotations

import numpy as np

from planner.errors import Issue

WORDS = {
    "budget_testing": "the testing budget", "budget_treatment": "the treatment budget",
    "budget_total": "the total budget", "people_technician_minutes": "technicians' time",
    "people_pathologist_minutes": "pathologists' time", "courses": "the supply of a drug",
    "ramp": "how fast testing may grow",
}


def words(name: str) -> str:
    """A constraint's name for a planner."""
    stem, _, year = name.rpartition("_")
    said = next((w for k, w in WORDS.items() if stem.startswith(k)), stem.replace("_", " "))
    if stem.startswith("courses_"):
        said = f"the supply of {stem.removeprefix('courses_').replace('_', ' ')}"
    return f"{said} (year {year})" if year.isdigit() and int(year) > 1 else said


def explain(engine) -> list[Issue]:
    """Name each limit which, lifted alone, makes the request possible: have, need, what to do."""
    model = engine.model
    limits = [n for n in model.row if n.startswith(("budget_", "people_", "courses_", "ramp_"))]
    floors = [n for n in model.row if n.startswith("floor_")]
    issues = []
    for name in limits:
        _, high = model.bounds(name)
        if not np.isfinite(high) or high >= 1e30:
            continue
        need = _need(engine, name, high)
        if need is not None:
            issues.append(Issue(
                words(name), f"have {high:,.0f}, need {need:,.0f} for what is mandated",
                f"raise it by {need - high:,.0f}, or take something off policy.must_fund",
            ))
    if not issues:
        named = ", ".join(f.removeprefix("floor_").rpartition("_")[0] for f in floors) or "none"
        issues.append(Issue(
            "limits", f"several limits contradict the floors together (floors: {named})",
            "lift more than one limit, or shorten policy.must_fund",
        ))
    return issues


def _need(engine, name: str, high: float) -> float | None:
    """Smallest amount of one limit at which the request becomes possible, others as they are."""
    model = engine.model
    k = model.row[name]
    row = np.zeros(len(model.variables))
    _, indices, coefficients = model.highs.getRowEntries(k)
    row[list(indices)] = coefficients
    model.set_row(name, None, None)
    model.set_cost(row)
    ok = model.run() == "optimal"
    need = model.highs.getInfo().objective_function_value if ok else None
    model.set_cost(engine.value_cost)
    model.set_row(name, None, high)
    return need
