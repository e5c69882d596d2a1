"""One engine: the model is loaded once, changed in place and re-solved warm.

Everything that re-solves goes through here: the optimum with its cheapest plan, leave-one-out
criticality, the exact budget sweep, today's practice. After each question the model is put back.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.errors import Infeasible
from planner.optimise.conflicts import explain
from planner.optimise.formulation import Formulation
from planner.optimise.row import merge
from planner.optimise.solver import INF, LoadedModel, Solution
from planner.pathway.problem import Problem, UseCase
from planner.scenario.model import Scenario

AXES = ("testing", "treatment", "total")
EQUAL = 1e-9  # plans whose health differs by less than this share of the best are equal


@dataclass(frozen=True)
class Optimum:
    """The cheapest among the best plans. ``best``: stage one, with duals; ``plan``: stage two."""

    best: Solution
    plan: Solution
    value: float
    shadow_prices: dict[str, float]
    solves: int


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


class Engine:
    """A problem under a scenario, solved and re-solved in place."""

    def __init__(self, problem: Problem, scenario: Scenario):
        self.problem, self.scenario = problem, scenario
        self.formulation = Formulation(problem, scenario)
        self.model = LoadedModel(self.formulation.lp)
        self.solves = 0
        self._columns = {v: j for j, v in enumerate(self.model.variables)}
        self._value_cost = self.model.cost.copy()
        self._money_cost = self._vector(self.formulation.money)
        self._add_rows()
        self._bounds = self._limits()

    # -- set up ----------------------------------------------------------------------------------

    def _vector(self, row) -> np.ndarray:
        out = np.zeros(len(self.model.variables))
        for variable, coefficient in row.items():
            out[self._columns[variable]] += coefficient
        return out

    def _add_rows(self) -> None:
        """Rows that are free until a question needs them: health, money by axis, coverage."""
        self._free_row("health", -self._value_cost)
        for t in range(self.problem.years):
            for axis in AXES:
                if f"budget_{axis}_{t + 1}" not in self.model.row:
                    self._free_row(f"budget_{axis}_{t + 1}", self._vector(self.formulation.axis(axis, t)))

    def _free_row(self, name: str, vector: np.ndarray) -> None:
        idx = np.flatnonzero(vector).astype(np.int32)
        self.model.highs.addRow(-INF, INF, len(idx), idx, vector[idx])
        self.model.row[name] = len(self.model.row)

    def _limits(self) -> dict[str, float | None]:
        """Right-hand sides of the budget rows; today's testing money is added where the budget is
        additional to today's."""
        out: dict[str, float | None] = {}
        for t in range(self.problem.years):
            for axis in AXES:
                limit = self.scenario.limit(axis, t)
                name = f"budget_{axis}_{t + 1}"
                out[name] = None if limit is None else self.formulation.right_hand_side(axis, t, limit)
        if self.scenario.budget.basis == "additional" and any(v is not None for v in out.values()):
            spent = self.today_testing
            for name, value in out.items():
                if value is not None and "treatment" not in name:
                    out[name] = value + spent
                    self.model.set_row(name, None, out[name])
        return out

    @cached_property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """(region, use case) of every use case that the optimiser may fund, sorted."""
        return tuple(sorted({(k.source.region, k.use_case.id) for k in self.formulation.taken}))

    @cached_property
    def q_columns(self) -> dict[tuple[str, str], np.ndarray]:
        """Columns of the results of each use case, all years."""
        out: dict[tuple[str, str], list[int]] = {key: [] for key in self.keys}
        for k in self.formulation.taken:
            out[k.source.region, k.use_case.id].append(self._columns[k.q])
        return {key: np.array(cols) for key, cols in out.items()}

    def column(self, variable) -> int:
        return self._columns[variable]

    # -- questions ---------------------------------------------------------------------------------

    def run(self) -> float:
        """Re-solve warm; the value (not minus it), or NaN where infeasible."""
        self.solves += 1
        if self.model.run() != "optimal":
            return float("nan")
        return -self.model.highs.getInfo().objective_function_value

    def optimum(self) -> Optimum:
        """Best health, and the cheapest plan that reaches it (testing and treatment money).

        Raises :class:`Infeasible` naming the limits that contradict each other.
        """
        start = self.solves
        self.solves += 1
        best = self.model.solve()
        if not best.status.has_solution:
            raise Infeasible(explain(self))
        value = -best.objective
        prices = {name: self.model.shadow_price(best, name) for name in self._priced()}
        self._basis = self.model.basis()
        with self._health_kept(value):
            self.model.set_cost(self._money_cost)
            self.solves += 1
            plan = self.model.solve()
            self.model.set_cost(self._value_cost)
        if not plan.status.has_solution:
            plan = best
        self.model.restore(self._basis)
        return Optimum(best, plan, value, prices, self.solves - start)

    def _priced(self) -> list[str]:
        wanted = ("budget_", "people_", "courses_")
        limited = {n for n, v in self._bounds.items() if v is not None}
        return [n for n in self.model.row
                if n in limited or (n.startswith(wanted) and not n.startswith("budget_"))]

    @contextmanager
    def _health_kept(self, value: float):
        self.model.set_row("health", value - EQUAL * max(1.0, abs(value)), None)
        try:
            yield
        finally:
            self.model.set_row("health", None, None)

    def without(self, key: tuple[str, str]) -> float:
        """Best value with a use case struck out and everything else re-planned."""
        columns = self.q_columns[key]
        self.model.set_columns(columns, 0.0, 0.0)
        value = self.run()
        self.model.set_columns(columns, 0.0, INF)
        self.model.restore(self._basis)
        return value

    def criticality(self, optimum: Optimum, keys) -> dict[tuple[str, str], float]:
        """Health lost if a use case is struck out and the rest re-planned."""
        return {key: max(0.0, optimum.value - self.without(key)) for key in keys}

    def with_floor(self, column: int, floor: float) -> float:
        """Best value with one column held at ``floor`` or above."""
        self.model.set_columns([column], floor, INF)
        value = self.run()
        self.model.set_columns([column], 0.0, INF)
        self.model.restore(self._basis)
        return value

    def set_budget(self, axis: str, limit: float | None) -> None:
        """Change a budget of every year in place (USD a year; None lifts it)."""
        for t in range(self.problem.years):
            rhs = None if limit is None else self.formulation.right_hand_side(axis, t, limit)
            self.model.set_row(f"budget_{axis}_{t + 1}", None, rhs)

    def with_scenario(self, scenario: Scenario) -> Engine:
        """Take over a scenario that differs in budget amounts, frontier axis or name only: limits
        are moved in place, nothing is rebuilt. Returns itself."""
        self.scenario = self.formulation.scenario = scenario
        for name in self._bounds:
            self.model.set_row(name, None, None)
        self._bounds = self._limits()
        for name, limit in self._bounds.items():
            self.model.set_row(name, None, limit)
        return self

    def coverage(self, values: np.ndarray) -> np.ndarray:
        """Coverage by use case in the last year, in the order of ``keys``."""
        years = self.problem.years
        return np.array([values[self.q_columns[key]].sum() / years for key in self.keys])

    # -- the sweep -----------------------------------------------------------------------------------

    def sweep(self, axis: str, floors: bool = False) -> Sweep:
        """Exact value function of one budget axis, all else as in the scenario.

        Concave and piecewise linear: tangents of neighbouring points are intersected until they
        meet on the function, so that every breakpoint costs at most two re-solves. Mandates and
        today's floors are lifted unless ``floors``, since a mandated line carries the rank that it
        would have had.
        """
        start = self.solves
        lifted = [] if floors else [n for n in self.model.row if n.startswith("floor_")]
        saved = {n: self.model.bounds(n) for n in lifted}
        for name in lifted:
            self.model.set_row(name, None, None)
        points = _Sweeper(self, axis).points()
        for name, row in saved.items():
            self.model.set_row(name, row[0], None)
        for t in range(self.problem.years):
            name = f"budget_{axis}_{t + 1}"
            self.model.set_row(name, None, self._bounds[name])
        if hasattr(self, "_basis"):
            self.model.restore(self._basis)
        return Sweep(axis, points, self.keys, self.solves - start)

    # -- today ----------------------------------------------------------------------------------------

    def evaluate(self, coverage: dict[tuple[str, str], float]) -> Solution | None:
        """A given list, costed and valued by this model, not optimised: coverage is fixed, the
        cheapest services supply it, access follows its rules. None where it is impossible.

        A prerequisite of a line that is covered is covered as far.
        """
        wanted = {key: coverage.get(key, 0.0) for key in self.keys}
        for u in self.problem.use_cases:
            for required in u.requires:
                key = (u.region, f"{u.indication}/{required}")
                if key in wanted:
                    wanted[key] = max(wanted[key], wanted.get((u.region, u.id), 0.0))
        rows = [n for n in self.model.row if n.startswith(("budget_", "people_", "courses_", "floor_"))]
        saved = {n: self.model.bounds(n) for n in rows}
        for name in rows:
            self.model.set_row(name, None, None)
        covers = self._fix_coverage(wanted)
        basis = self.model.basis()
        testing = merge(*self.formulation.testing.values())
        self.model.set_cost(self._vector(testing))
        cheapest = self.model.solve()
        solution = None
        if cheapest.status.has_solution:
            self._free_testing(testing, cheapest.objective)
            self.model.set_cost(self._value_cost)
            solution = self.model.solve()
            self.model.set_row("evaluated_cost", None, None)
        self.model.set_cost(self._value_cost)
        for name, row in saved.items():
            self.model.set_row(name, *row)
        for name, upper in covers.items():
            self.model.set_row(name, None, upper)
        self.model.restore(basis)
        return solution if solution is not None and solution.status.has_solution else None

    def _fix_coverage(self, wanted) -> dict[str, float]:
        saved = {}
        for u in self.problem.use_cases:
            for t in range(self.problem.years):
                name = f"cover_{u.region}_{u.indication}_{u.biomarker}_{t + 1}".replace("-", "")
                if name in self.model.row:
                    share = min(wanted.get((u.region, u.id), 0.0), u.kap)
                    saved[name] = u.kap
                    self.model.set_row(name, share, share)
        return saved

    def _free_testing(self, testing, spent: float) -> None:
        if "evaluated_cost" not in self.model.row:
            self._free_row("evaluated_cost", self._vector(testing))
        self.model.set_row("evaluated_cost", None, spent * (1 + 1e-9) + 1e-6)

    def today(self) -> tuple[Solution | None, dict[tuple[str, str], float]]:
        """Today's practice where it is known, and the coverage that is known."""
        known = {(u.region, u.id): u.kap0 for u in self.problem.use_cases if u.kap0 is not None}
        known = {key: share for key, share in known.items() if key in self.keys}
        return (self.evaluate(known) if known else None), known

    @cached_property
    def today_testing(self) -> float:
        """Testing money of today's known practice in a year, USD."""
        solution, _ = self.today()
        if solution is None:
            return 0.0
        return float(self._vector(self.formulation.testing[0]) @ solution.values)

    def use_case(self, key: tuple[str, str]) -> UseCase:
        return next(u for u in self.problem.use_cases if (u.region, u.id) == key)


class _Sweeper:
    """Tangent intersection on the concave value function of one budget axis."""

    def __init__(self, engine: Engine, axis: str):
        self.engine, self.axis = engine, axis
        self.rows = [f"budget_{axis}_{t + 1}" for t in range(engine.problem.years)]
        self.shift = 0.0
        if axis != "testing" and engine.scenario.budget.basis == "all":
            self.shift = max(engine.formulation.blind_spending.values())

    def points(self) -> tuple[Point, ...]:
        top, value = self._full()
        if not np.isfinite(value):
            return ()
        low, high = self._at(0.0), self._at(top)
        found = {0.0: low, top: high}
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

    def _full(self) -> tuple[float, float]:
        """(smallest budget at which more buys nothing, value there)."""
        engine = self.engine
        self._limit(None)
        value = engine.run()
        if not np.isfinite(value):
            return 0.0, value
        money = sum(engine._vector(engine.formulation.axis(self.axis, t))
                    for t in range(engine.problem.years))
        with engine._health_kept(value):
            engine.model.set_cost(money)
            engine.run()
            spent = engine.model.highs.getInfo().objective_function_value
            engine.model.set_cost(engine._value_cost)
        return max(0.0, spent / engine.problem.years), value

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
