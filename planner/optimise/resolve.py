"""One engine: the model is loaded once, changed in place and re-solved warm.

Everything that re-solves goes through here: the optimum with its cheapest plan, leave-one-out
criticality, the exact budget sweep, today's practice. After each question the model is put back.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.errors import Infeasible, Issue, SolverFailure
from planner.optimise.conflicts import explain
from planner.optimise.formulation import Formulation
from planner.optimise.integer import Settled
from planner.optimise.row import merge
from planner.optimise.solver import INF, LoadedModel, Solution, matrix
from planner.optimise.sweep import Sweep, Sweeper
from planner.optimise.whole import WholeNumbers
from planner.pathway.problem import Problem, UseCase
from planner.scenario.model import Scenario

AXES = ("testing", "treatment", "total")
EQUAL = 1e-12  # plans whose value differs by less than this share of the best are equal


@dataclass(frozen=True)
class Optimum:
    """The cheapest among the best plans. ``best``: stage one, with duals; ``plan``: stage two."""

    best: Solution
    plan: Solution
    value: float
    shadow_prices: dict[str, float]
    solves: int


class Engine(WholeNumbers):
    """A problem under a scenario, solved and re-solved in place.

    The one formulation is loaded twice: ``model`` maximises value, ``cheapest`` minimises money at
    the value found. Each keeps its own basis, so that both stages of a re-solve start warm.
    ``levers``: see :class:`planner.optimise.formulation.Formulation`.
    """

    def __init__(self, problem: Problem, scenario: Scenario, levers: bool = False):
        self.problem, self.scenario = problem, scenario
        self.formulation = Formulation(problem, scenario, levers)
        self.arrays = matrix(self.formulation.lp, zeros=levers)
        large = self.formulation.laboratory is not None
        self.model, self.cheapest = (LoadedModel(self.arrays, presolve=large) for _ in range(2))
        self.solves = 0
        self.compiled = None  # coefficient lists of the read-out, filled at its first use
        self.kept: dict = {}  # answers that the moving of a budget does not touch, by question
        self._columns = {v: j for j, v in enumerate(self.model.variables)}
        self.value_cost = self.model.cost.copy()
        self.money_cost = self.vector(self.formulation.money)
        self._add_rows()
        self.cheapest.set_cost(self.money_cost + self._order)
        self.settled: Settled | None = None  # whole numbers, where there are any
        self._bounds = self._limits()
        self.settle()

    # -- set up ----------------------------------------------------------------------------------

    def vector(self, row) -> np.ndarray:
        out = np.zeros(len(self.model.variables))
        for variable, coefficient in row.items():
            out[self._columns[variable]] += coefficient
        return out

    @cached_property
    def _order(self) -> np.ndarray:
        """Thousandths of a dollar by the order of ids: among plans of equal value and cost the first by
        id, whatever the way to it."""
        out = np.zeros(len(self.model.variables))
        for n, k in enumerate(sorted(self.formulation.taken, key=lambda k: k.source)):
            out[self._columns[k.q]] = 1e-3 * (1 + n / len(self.formulation.taken))
        for n, key in enumerate(sorted(self.formulation.y)):
            out[self._columns[self.formulation.y[key]]] = 1e-3 * (1 + n / len(self.formulation.y))
        return out

    def _add_rows(self) -> None:
        """Rows that are free until a question needs them: value, money by axis, money for tests."""
        self._free_row("health", -self.value_cost)
        self._free_row("money", self.money_cost)
        self._free_row("tests_paid", self.vector(merge(*self.formulation.testing.values())))
        for t in range(self.problem.years):
            for axis in AXES:
                if f"budget_{axis}_{t + 1}" not in self.model.row:
                    self._free_row(f"budget_{axis}_{t + 1}", self.vector(self.formulation.axis(axis, t)))

    def _free_row(self, name: str, vector: np.ndarray) -> None:
        for model in (self.model, self.cheapest):
            model.add_free_row(name, vector)

    def set_row(self, name: str, lower: float | None, upper: float | None) -> None:
        """Bounds of a constraint in both models; None is unbounded."""
        for model in (self.model, self.cheapest):
            model.set_row(name, lower, upper)

    def reset(self) -> None:
        """Forget all bases, so that what follows depends on the limits only, not on the way to them."""
        for model in (self.model, self.cheapest):
            model.highs.clearSolver()

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
                    self.set_row(name, None, out[name])
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

    @property
    def limits(self) -> dict[str, float | None]:
        """Right-hand sides of the budget rows that are set, by name."""
        return dict(self._bounds)

    def column(self, variable) -> int:
        return self._columns[variable]

    # -- questions ---------------------------------------------------------------------------------

    def run(self) -> float:
        """Re-solve warm; the value (not minus it), or NaN where infeasible."""
        self.solves += 1
        status = self.model.run()
        if status == "infeasible":
            return float("nan")
        if status != "optimal":
            raise SolverFailure([Issue("solver", f"it stopped with status {status}", "report the scenario")])
        return -self.model.highs.getInfo().objective_function_value

    def optimum(self) -> Optimum:
        """Best health, and the cheapest plan that reaches it (testing and treatment money).

        Raises :class:`Infeasible` naming the limits that contradict each other.
        """
        start = self.solves
        self.solves += 1
        best = self.model.solve()
        if best.status.name == "infeasible" or (len(self.integers) and self.settled is None):
            raise Infeasible(explain(self))
        if not best.status.has_solution:
            raise SolverFailure([Issue("solver", f"it stopped with status {best.status.name}", "report the scenario")])
        value = -best.objective + 0.0  # no minus zero
        prices = {name: self.model.shadow_price(best, name) for name in self._priced()}
        plan = self._cheapest_at(value)
        return Optimum(best, plan if plan.status.has_solution else best, value, prices, self.solves - start)

    def _cheapest_at(self, value: float) -> Solution:
        """Stage two: the least money, tests and treatment, at a value not below ``value``."""
        self.solves += 1
        self.cheapest.set_row("health", value - EQUAL * max(1.0, abs(value)), None)
        return self.cheapest.solve()

    def _priced(self) -> list[str]:
        """Rows of limits that are set; of instruments where there are any."""
        return [n for n, v in self._bounds.items() if v is not None] + [n for n in self._other_limits if self._stands(n)]

    @cached_property
    def _other_limits(self) -> list[str]:
        return [n for n in self.model.row if n.startswith(("people_", "courses_", "capacity_"))]

    def without(self, key: tuple[str, str]) -> float:
        """Best value with a use case struck out, its own mandate with it, and everything else re-planned;
        NaN where another mandate needs it."""
        columns = self.q_columns[key]
        self.model.set_columns(columns, 0.0, 0.0)
        value = self.lifted(self.floors(key))
        self.model.set_columns(columns, 0.0, INF)
        return value

    def floors(self, key: tuple[str, str]) -> list[str]:
        """Names of the rows that mandate a use case."""
        region, use_case = key
        stem = f"floor_{region}_{use_case.replace('/', '_')}".replace("-", "")
        return [name for t in range(self.problem.years) if (name := f"{stem}_{t + 1}") in self.model.row]

    @cached_property
    def weight(self) -> float:
        """Discounted years of the plan: what turns its value into a mean year's."""
        return sum((1 + self.problem.discount_rate) ** -t for t in range(self.problem.years))

    def criticality(self, optimum: Optimum, keys) -> dict[tuple[str, str], float | None]:
        """Value lost a year if a use case is struck out and the rest re-planned; None where another
        mandate needs it. Below the solver's rounding it is nothing."""
        out: dict[tuple[str, str], float | None] = {}
        for key in keys:
            lost = optimum.value - self.without(key)
            out[key] = None if lost != lost else 0.0 if lost <= 1e-9 * max(1.0, abs(optimum.value)) else lost / self.weight
        return out

    def lifted(self, rows: list[str]) -> float:
        """Best value with some floors lifted and everything else re-planned."""
        saved = {name: self.model.bounds(name) for name in rows if name in self.model.row}
        try:
            for name in saved:
                self.model.set_row(name, None, None)
            return self.run()
        finally:
            for name, (low, _) in saved.items():
                self.model.set_row(name, low, None)

    def most_of(self, columns: list[int], money: float) -> np.ndarray:
        """The plan, at the value of the last optimum and no more than ``money``, with the largest sum of some
        columns; their values. Empty where none can be found."""
        wanted = np.zeros(len(self.money_cost))
        wanted[columns] = -1.0
        self.cheapest.set_row("money", None, money)
        self.cheapest.set_cost(wanted)
        self.solves += 1
        solution = self.cheapest.solve()
        self.cheapest.set_row("money", None, None)
        self.cheapest.set_cost(self.money_cost + self._order)
        return solution.values[columns] if solution.status.has_solution else np.zeros(len(columns))

    def remembered(self, question, answer):
        """The answer to a question that no moved budget changes: asked once, from forgotten bases, so that it
        does not depend on what was asked before; bases are forgotten afterwards too, asked or recalled."""
        if question not in self.kept:
            self.reset()
            self.kept[question] = answer()
        self.reset()
        return self.kept[question]

    def offset(self, axis: str) -> float:
        """What lies between the row of a budget and the user's amount, USD: blind spending where all
        money counts, less today's testing where the budget is additional to today's."""
        if self.scenario.budget.basis == "additional":
            return 0.0 if axis == "treatment" else -self.today_testing
        return 0.0 if axis == "testing" else max(self.formulation.blind_spending.values())

    def with_scenario(self, scenario: Scenario) -> Engine:
        """Take over a scenario that differs in budget amounts, frontier axis or name only: limits
        are moved in place, nothing is rebuilt. Returns itself."""
        self.scenario = self.formulation.scenario = scenario
        before, self._bounds = self._bounds, self._limits()
        for name, limit in self._bounds.items():
            if limit != before[name]:
                self.set_row(name, None, limit)
        if self._bounds != before:
            self.settle()
        return self

    def attainable(self, u: UseCase) -> float:
        """The largest coverage that limits other than money allow: kap, growth over the years, and in
        selective mode the share with access (mean over the years of the plan)."""
        top = u.kap
        if self.scenario.access.mode == "selective" and u.therapies:
            top = min(top, self.formulation.reach(u))
        ramp = self.scenario.coverage.ramp_per_year
        if ramp is None:
            return top
        years = range(1, self.problem.years + 1)
        return sum(min(top, (u.kap0 or 0.0) + ramp * t) for t in years) / len(years)

    def coverage(self, values: np.ndarray) -> np.ndarray:
        """Coverage by use case, mean over the years, in the order of ``keys``."""
        cells, columns = self._coverage_cells
        return np.bincount(cells, values[columns], minlength=len(self.keys)) / self.problem.years

    @cached_property
    def _coverage_cells(self) -> tuple[np.ndarray, np.ndarray]:
        """(position in ``keys``, column) of every result."""
        groups = [self.q_columns[key] for key in self.keys]
        cells = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
        return cells, np.concatenate(groups) if groups else np.empty(0, int)

    # -- the sweep -----------------------------------------------------------------------------------

    def sweep(self, axis: str, floors: bool = False) -> Sweep:
        """Exact value function of one budget axis, all else as in the scenario.

        Concave and piecewise linear: tangents of neighbouring points are intersected until they
        meet on the function, so that every breakpoint costs at most two re-solves. Mandates and
        today's floors are lifted unless ``floors``, since a mandated line carries the rank that it
        would have had.
        """
        limits = tuple(sorted((n, v) for n, v in self._bounds.items() if not n.startswith(f"budget_{axis}_")))
        return self.remembered(("sweep", axis, floors, limits), lambda: self._swept(axis, floors))

    def _swept(self, axis: str, floors: bool) -> Sweep:
        start = self.solves
        lifted = [] if floors else [n for n in self.model.row if n.startswith("floor_")]
        saved = {n: self.model.bounds(n) for n in lifted}
        for name in lifted:
            self.model.set_row(name, None, None)
        points = Sweeper(self, axis).points()
        for name, row in saved.items():
            self.model.set_row(name, row[0], None)
        for t in range(self.problem.years):
            name = f"budget_{axis}_{t + 1}"
            self.model.set_row(name, None, self._bounds[name])
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
        with self._lifted():
            covers = self._fix_coverage(wanted)
            self.model.set_cost(self.vector(merge(*self.formulation.testing.values())))
            self.hold_cheapest()
            solution = self.model.solve()
            if solution.status.has_solution:
                self.model.set_row("tests_paid", None, solution.objective * (1 + 1e-9) + 1e-6)
                self.model.set_cost(self.value_cost)
                solution = self.model.solve()
            self.model.set_row("tests_paid", None, None)
            self.model.set_cost(self.value_cost)
            for name, upper in covers.items():
                self.model.set_row(name, None, upper)
        return solution if solution.status.has_solution else None

    @contextmanager
    def _lifted(self):
        """All limits and floors lifted for a question, then put back."""
        rows = [n for n in self.model.row if n.startswith(("budget_", "people_", "courses_", "floor_", "ramp_"))]
        saved = {n: self.model.bounds(n) for n in rows}
        for name in rows:
            self.model.set_row(name, None, None)
        if len(self.integers):  # a given list is not bound to the instruments of the plan
            self.free_integers()
        try:
            yield
        finally:
            if self.settled is not None:
                self.hold(self.settled.values)
            for name, bounds in saved.items():
                self.model.set_row(name, *bounds)

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

    def today(self) -> tuple[Solution | None, dict[tuple[str, str], float]]:
        """Today's practice where it is known, and the coverage that is known."""
        known = {(u.region, u.id): u.kap0 for u in self.problem.use_cases if u.kap0 is not None}
        known = {key: share for key, share in known.items() if key in self.keys}
        return self.remembered("today", lambda: self.evaluate(known) if known else None), known

    @cached_property
    def today_testing(self) -> float:
        """Testing money of today's known practice in a year, USD."""
        solution, known = self.today()
        if solution is None:
            if known:
                raise SolverFailure([Issue("today's testing", "it cannot be carried out with the services here",
                                           "set budget.basis to \"all\"")])
            return 0.0
        return float(self.vector(self.formulation.testing[0]) @ solution.values)
