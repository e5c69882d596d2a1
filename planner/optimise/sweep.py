"""The exact value of a budget: concave, piecewise linear, found by intersecting tangents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner.optimise.resolve import Engine


@dataclass(frozen=True)
class Point:
    """One breakpoint of a sweep: budget (USD a year), value, slope to the right, coverage."""

    budget: float
    value: float
    coverage: np.ndarray


@dataclass(frozen=True)
class Sweep:
    """Value by budget, exact and concave: linear between ``points``. ``solves``: re-solves used."""

    axis: str
    points: tuple[Point, ...]
    keys: tuple[tuple[str, str], ...]
    solves: int

    def coverage_at(self, budget: float) -> np.ndarray:
        """Coverage by use case at a budget, linear between breakpoints."""
        x = np.array([p.budget for p in self.points])
        grid = np.array([p.coverage for p in self.points])
        return np.array([np.interp(budget, x, grid[:, j]) for j in range(grid.shape[1])])

    def value_at(self, budget: float) -> float:
        return float(np.interp(budget, [p.budget for p in self.points], [p.value for p in self.points]))


class Sweeper:
    """Tangent intersection on the concave value function of one budget axis."""

    def __init__(self, engine: Engine, axis: str):
        self.engine, self.axis = engine, axis
        self.rows = [f"budget_{axis}_{t + 1}" for t in range(engine.problem.years)]
        self.shift = engine.offset(axis)

    def points(self) -> tuple[Point, ...]:
        top, value = self._full()
        if not np.isfinite(value):
            return ()
        low = self._lowest(top)
        bottom, high = low[0], self._at(top)
        found = {bottom: low, top: high}
        stack = [(low, high)]
        tolerance = 1e-9 * max(1.0, abs(value))
        while stack:
            a, b = stack.pop()
            width = b[0] - a[0]
            if width <= 1e-9 * max(1.0, top):
                continue
            rise = b[1] - a[1]
            if min(abs(rise - a[2] * width), abs(rise - b[2] * width)) <= tolerance:
                continue  # one straight piece
            meet = a[0] + (rise - b[2] * width) / (a[2] - b[2]) if a[2] != b[2] else None
            if meet is None or not a[0] < meet < b[0]:
                meet = (a[0] + b[0]) / 2
            c = self._at(meet)
            found[meet] = c
            stack += [(c, b), (a, c)]
        ordered = [found[x] for x in sorted(found)]
        return tuple(Point(x + self.shift, v, cover) for x, v, _, cover in ordered)

    def _lowest(self, top: float):
        """The point of the smallest budget. Where floors hold it is asked for at once: nothing at all seldom does."""
        if self._floored():
            return self._at(self._bottom(top))
        low = self._at(0.0)
        return low if np.isfinite(low[1]) else self._at(self._bottom(top))

    def _floored(self) -> bool:
        model = self.engine.model
        return any(model.bounds(name)[0] > 0 for name in model.row if name.startswith("floor_"))

    def _full(self) -> tuple[float, float]:
        """(a budget at which more buys nothing, the smallest with one year; value there)."""
        engine = self.engine
        self._limit(None)
        value = engine.run()
        if not np.isfinite(value):
            return 0.0, value
        money = sum(engine.vector(engine.formulation.axis(self.axis, t))
                    for t in range(engine.problem.years))
        engine.model.set_row("health", value - 1e-9 * max(1.0, abs(value)), None)
        engine.model.set_cost(money)
        engine.run()
        spent = self._dearest_year()
        engine.model.set_cost(engine.value_cost)
        engine.model.set_row("health", None, None)
        return max(0.0, spent), value

    def _dearest_year(self) -> float:
        """Money of the year that needs most in the solution at hand: the budget is the same in every year."""
        activity = self.engine.model.highs.getSolution().row_value
        return max(activity[self.engine.model.row[name]] for name in self.rows)

    def _bottom(self, top: float) -> float:
        """A budget with which the other limits and floors can be met, the smallest with one year; nothing where
        nothing is needed."""
        engine = self.engine
        self._limit(None)
        engine.model.set_cost(sum(engine.vector(engine.formulation.axis(self.axis, t))
                                  for t in range(engine.problem.years)))
        engine.run()
        least = self._dearest_year()
        engine.model.set_cost(engine.value_cost)
        return 0.0 if least <= 1e-6 else min(top, least * (1 + 1e-9) + 1e-6)

    def _limit(self, amount: float | None) -> None:
        for name in self.rows:
            self.engine.model.set_row(name, None, amount)

    def _at(self, amount: float):
        """(budget, value, slope, coverage) at one budget."""
        self._limit(amount)
        engine = self.engine
        engine.solves += 1
        solution = engine.model.solve()
        if not solution.status.has_solution:
            return amount, float("nan"), 0.0, np.zeros(len(engine.keys))
        slope = sum(engine.model.shadow_price(solution, name) for name in self.rows)
        return amount, -solution.objective, slope, engine.coverage(solution.values)
