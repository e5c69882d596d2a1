"""Whole instruments: the mixed-integer search, with its time limit, its progress and its proven gap.

The search settles what must be whole; the plan, its duals and all that re-solves are then linear, with the
instruments held as they were settled. First the most health, then the least money at that health (within the gap
that was proven), so that no instrument is bought for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import highspy
import numpy as np

from planner.errors import Issue, SolverFailure
from planner.optimise.start import Begun, Needed, Start

LIMITS = {highspy.HighsModelStatus.kTimeLimit: "time limit", highspy.HighsModelStatus.kSolutionLimit: "work limit",
          highspy.HighsModelStatus.kInterrupt: "stopped"}
FULL = 1e-9  # shortfall of health that is the solver's rounding
MONEY_GAP = 0.01  # share of the money within which the cheapest way is searched


@dataclass(frozen=True)
class Step:
    """How far a search is: seconds, best value found, best that is still possible, gap between them (share)."""

    stage: str
    seconds: float
    found: float
    possible: float
    gap: float

    @property
    def words(self) -> str:
        """How far the search is, for a reader."""
        if not np.isfinite(self.found):
            return "searching whole instruments: none found yet"
        if self.stage != "health":
            return "searching whole instruments: the cheapest way"
        more = f", at most {100 * self.gap:.2g} % more possible" if np.isfinite(self.gap) else ""
        return f"searching whole instruments: {self.found:,.4g}{more}"


@dataclass(frozen=True)
class Settled:
    """Whole numbers of a search, by column. ``status``: ``optimal`` within the gap that was asked for, or the limit
    that ended it; ``gap``: share of the best health that a longer search could still add at most."""

    columns: np.ndarray
    values: np.ndarray
    status: str
    gap: float
    seconds: float
    bound: float  # the most that any plan could reach, in the unit of the objective


_watcher: ContextVar[Callable[[Step], bool] | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(by: Callable[[Step], bool]):
    """Tell the progress of searches to ``by``; where it answers False the search stops with what it has."""
    token = _watcher.set(by)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextmanager
def searching(progress: Callable[[float, str], None]):
    """Tell searches to the progress of a longer work, which yields back with its share remembered; what ``progress``
    raises ends the search and is raised again."""
    last = [0.0]

    def remembered(share: float, words: str) -> None:
        last[0] = share
        progress(share, words)

    def tell(step: Step) -> bool:
        progress(last[0], step.words)
        return True

    with watched(tell):
        yield remembered


class Search:
    """A mixed-integer search on a copy of a loaded model (minimise minus value) with its present limits.

    It starts from a plan that linear programmes give (:mod:`planner.optimise.start`), so that there is always an answer
    where there is one at all; ``seconds`` count for the search itself.
    """

    def __init__(self, model, integers: np.ndarray, needed: Needed, seconds: float, gap: float):
        self.integers, self.seconds, self.gap = integers, seconds, gap
        self.started = time.perf_counter()
        self.start = Start(model, integers, needed)
        self.highs = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 1), ("parallel", "off"),
                              ("mip_rel_gap", gap), ("mip_feasibility_tolerance", 1e-7)):
            self.highs.setOptionValue(option, value)
        self.highs.passModel(model.highs.getLp())
        kind = highspy.HighsVarType.kInteger
        for column in integers:
            self.highs.changeColIntegrality(int(column), kind)

    def settle(self, health_row: int, money: np.ndarray) -> Settled | None:
        """The most health, then the least money that buys it; None where there is no plan at all.

        The second search takes nothing new: it leaves out, or does elsewhere, what the first one found.
        """
        status, plan = self._searched("health", self.seconds * 3 / 4)
        if plan is None:
            return None
        best, bound = -plan.objective, -self._bound()
        values = self._cheapest(plan.values, health_row, best - max(FULL, self.gap / 10) * max(1.0, abs(best)), money)
        whole = np.minimum(self.start.needed.of(values), np.round(values[self.integers]))  # nothing bought is idle
        held = self.start.held(whole)
        best = max(best, -held.objective) if held else best  # the cheapest whole numbers may allow more than was asked of them
        gap = max(0.0, bound - best) / max(1e-9, abs(best)) if np.isfinite(bound) else float("inf")
        return Settled(self.integers, whole, status, gap, time.perf_counter() - self.started, bound)

    def _cheapest(self, values: np.ndarray, health_row: int, health: float, money: np.ndarray) -> np.ndarray:
        """The plan of least money at a health, with no more of anything whole; where none is found in time, the one given."""
        self._ask_for_less(values, health_row, health, money)
        if self._run("money", self.seconds / 4) == "infeasible":
            return values
        found = self._found()
        return values if found is None or found.objective > float(money @ values) else found.values

    def _ask_for_less(self, values: np.ndarray, health_row: int, health: float, money: np.ndarray) -> None:
        self.highs.changeRowBounds(health_row, health, highspy.kHighsInf)
        index, whole = np.arange(len(money), dtype=np.int32), self.integers.astype(np.int32)
        self.highs.changeColsCost(len(index), index, money)
        self.highs.changeColsBounds(len(whole), whole, np.zeros(len(whole)), np.round(values[whole]))
        self._begin_at(values)
        self.highs.setOptionValue("mip_rel_gap", max(self.gap, MONEY_GAP))

    def _begin_at(self, values: np.ndarray) -> None:
        solution = highspy.HighsSolution()
        solution.col_value = list(values)
        self.highs.setSolution(solution)

    def most(self) -> tuple[float, float] | None:
        """(best value found, most that is possible) of one search; None where there is no plan."""
        _, plan = self._searched("health", self.seconds, self.start.upper)
        return None if plan is None else (-plan.objective, -self._bound())

    def least(self) -> np.ndarray | None:
        """Whole numbers of the cheapest answer to the present question (its cost is money); None where it has none."""
        _, plan = self._searched("money", self.seconds)
        return None if plan is None else np.round(plan.values[self.integers])

    def _searched(self, stage: str, seconds: float, *more: np.ndarray) -> tuple[str, Begun | None]:
        """How the search ended, and the best plan; none where the limits allow none. ``more``: whole numbers to begin with."""
        begun = self.start.best(*more)
        if begun is not None:
            self._begin_at(begun.values)
        status = self._run(stage, seconds)
        if status == "infeasible":
            return status, None
        plans = [p for p in (self._found(), begun) if p is not None]
        if not plans:
            raise SolverFailure([Issue("laboratory", f"no plan with whole instruments was found ({status})",
                                       f"allow more than {self.seconds:g} seconds: set laboratory.seconds")])
        best = min(plans, key=lambda p: p.objective)
        return status, best if status == "optimal" else self.start.better(best)

    def _found(self) -> Begun | None:
        """What the search has found so far."""
        values, objective = self.highs.getSolution().col_value, self.highs.getInfo().objective_function_value
        return Begun(np.array(values), objective) if len(values) and np.isfinite(objective) else None

    def _bound(self) -> float:
        """The least objective that is still possible: by the search, or by the linear answer where that says more."""
        bound = self.highs.getInfo().mip_dual_bound
        return max(bound, self.start.bound) if np.isfinite(bound) else self.start.bound

    def _run(self, stage: str, seconds: float) -> str:
        """How a search ended: ``optimal``, ``infeasible``, or the limit that ended it."""
        watcher = _watcher.get()
        before = self.highs.getRunTime() if hasattr(self.highs, "getRunTime") else 0.0
        self.highs.setOptionValue("time_limit", before + seconds)
        if watcher is None:
            self.highs.run()
        else:
            self._run_watched(stage, watcher)
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return "optimal"
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return "infeasible"
        if status not in LIMITS:
            raise SolverFailure([Issue("solver", "it stopped with status "
                                       f"{self.highs.modelStatusToString(status).lower()}", "report the scenario")])
        return LIMITS[status]

    def _run_watched(self, stage: str, watcher: Callable[[Step], bool]) -> None:
        raised: list[BaseException] = []

        def tell(event) -> None:
            d = event.data_out
            sign = -1.0 if stage == "health" else 1.0
            step = Step(stage, time.perf_counter() - self.started, sign * d.mip_primal_bound, sign * d.mip_dual_bound, d.mip_gap)
            try:
                going = not raised and watcher(step)
            except BaseException as error:  # not through the solver: it is raised again once the solver has stopped
                raised.append(error)
                going = False
            if not going:
                event.data_in.user_interrupt = True

        self.highs.cbMipInterrupt += tell
        try:
            self.highs.run()
        finally:
            self.highs.cbMipInterrupt -= tell
        if raised:
            raise raised[0]
