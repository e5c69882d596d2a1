"""What more money buys: the exact value of a budget, all its breakpoints, and who enters when.

The plan is a linear programme without integers, so its value is concave and piecewise linear in a
budget; the breakpoints are found by intersecting tangents (:mod:`planner.optimise.sweep`). Between two
points the shadow price is the slope. Mandates hold unless ``mandates=False``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.analysis.study import Analysis, Study, figure, money
from planner.evidence.base import Evidence
from planner.optimise.resolve import AXES
from planner.optimise.sweep import Sweep
from planner.result.priority import HALF, NEARLY
from planner.result.reasons import FUNDED
from planner.scenario.model import Axis, Scenario

NEARLY_ALL = 0.95  # share of the health that can be bought, whose budget is told beside the last
STRAIGHT = 1e-6  # slopes that differ by less are one
AXIS_WORDS = {"testing": "tests", "treatment": "treatment", "total": "tests and treatment together"}


def frontier(scenario: Scenario, evidence: Evidence, axis: Axis | None = None, mandates: bool = True) -> Analysis:
    """Value by budget on one axis, all other limits as in the scenario.

    Tables: ``points`` (budget USD a year, value, slope on both sides as value per USD and USD per unit),
    ``events`` (which line enters, fills up, leaves or returns, and at which budget), ``lines`` (coverage
    of every line at every breakpoint, long). Raises BadInput, Infeasible.
    """
    study = Study(scenario, evidence)
    axis = axis or scenario.frontier.axis
    if mandates:
        _ = study.optimum  # an impossible request is told in words first
    sweep = study.engine.sweep(axis, floors=mandates)
    points = list(_points(sweep, study))
    events = sorted(_events(study, sweep), key=lambda e: (e["budget"], e["event"], e["indication_id"], e["biomarker_id"]))
    settings = {"axis": axis, "mandates": mandates, "exact": True, "solves": sweep.solves,
                "breakpoints": len(points), "measure": study.measure, "objective": scenario.objective}
    return study.answer("frontier", settings, _words(study, axis, points, events),
                        {"points": points, "events": events, "lines": _lines(study, sweep)})


def _points(sweep: Sweep, study: Study) -> Iterator[dict]:
    """Corners of the value function, and its ends; a plan of several years as its mean year. Points of the
    sweep on a straight piece are left out: the list changes there, the price of health does not."""
    x = [p.budget for p in sweep.points]
    y = [p.value / study.engine.weight for p in sweep.points]
    slopes = [(y[n + 1] - y[n]) / (x[n + 1] - x[n]) for n in range(len(x) - 1)]
    for n, point in enumerate(sweep.points):
        left = slopes[n - 1] if n else None
        right = slopes[n] if n < len(slopes) else 0.0
        if left is not None and n < len(slopes) and abs(left - right) <= STRAIGHT * max(abs(left), abs(right)):
            continue
        yield {"budget": point.budget, "value": y[n], "measure": study.measure,
               "value_per_usd_before": left, "value_per_usd_after": right,
               "usd_per_unit_before": _inverse(left), "usd_per_unit_after": _inverse(right),
               "lines": int((point.coverage > FUNDED).sum())}


def _inverse(slope: float | None) -> float | None:
    return 1 / slope if slope and slope > 0 else None


def _events(study: Study, sweep: Sweep) -> Iterator[dict]:
    """Enter: coverage rises above half of what can be attained, for the first time; return: again; full:
    all that can be attained; leave: it falls below half. Budgets are read between breakpoints."""
    x = np.array([p.budget for p in sweep.points])
    for j, key in enumerate(sweep.keys):
        y = np.array([p.coverage[j] for p in sweep.points])
        top = y.max()
        if top <= FUNDED:
            continue
        entered = False
        for budget, up in _crossings(x, y, HALF * top):
            event = ("return" if entered else "enter") if up else "leave"
            entered |= up
            yield study.label(key) | {"event": event, "budget": budget, "coverage": HALF * top}
        for budget, up in _crossings(x, y, study.engine.attainable(study.use_cases[key][0]) * NEARLY):
            if up:
                yield study.label(key) | {"event": "full", "budget": budget,
                                          "coverage": study.engine.attainable(study.use_cases[key][0])}


def _crossings(x: np.ndarray, y: np.ndarray, level: float) -> Iterator[tuple[float, bool]]:
    """(budget, upwards) of every crossing of a level, linear between points."""
    if y[0] >= level - 1e-12:
        yield float(x[0]), True
    for n in range(1, len(x)):
        was, is_ = y[n - 1] >= level - 1e-12, y[n] >= level - 1e-12
        if was != is_:
            share = (level - y[n - 1]) / (y[n] - y[n - 1])
            yield float(x[n - 1] + share * (x[n] - x[n - 1])), is_


def _lines(study: Study, sweep: Sweep) -> list[dict]:
    table = np.array([p.coverage for p in sweep.points])
    ever = np.flatnonzero((table > FUNDED).any(axis=0)) if len(table) else ()
    return [study.label(sweep.keys[j]) | {"budget": p.budget, "coverage": float(table[n, j])}
            for j in ever for n, p in enumerate(sweep.points)]


def _words(study: Study, axis: str, points: list[dict], events: list[dict]) -> list[str]:
    if not points:
        return ["No budget makes this request possible."]
    last = points[-1]
    unit = study.unit
    most = next((p for p in points if p["value"] >= NEARLY_ALL * last["value"]), last)
    out = [f"Money for {AXIS_WORDS[axis]} brings health up to {money(last['budget'])} a year: {figure(last['value'])} {unit}; "
           f"{NEARLY_ALL:.0%} of it by {money(most['budget'])}. More buys nothing under the other limits."]
    limit = study.scenario.limit(axis, 0)
    if limit is not None and limit < last["budget"]:
        after = next((p for p in points if p["budget"] > limit), last)
        slope = after["value_per_usd_before"]
        if slope:
            out.append(f"At the {money(limit)} of this scenario one more healthy year costs {money(1 / slope)}"
                       if unit == "healthy years" else f"At {money(limit)} one more unit costs {money(1 / slope)}")
            out[-1] += f" of money for {AXIS_WORDS[axis]}" + (", its drugs not counted." if axis == "testing" else ".")
    gone = [e for e in events if e["event"] == "leave"]
    if gone:
        names = sorted({f"{e['short_name']} ({e['indication']})" for e in gone})
        out.append(f"Some lines give way to others as money grows: {', '.join(names[:4])}.")
    return out


def check_axis(axis: str | None) -> bool:
    return axis is None or axis in AXES
