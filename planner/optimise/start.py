"""A plan with whole instruments to begin with, by linear programmes alone, and what no plan can exceed.

Everything sent elsewhere is nearly always a plan, and so is mostly the linear answer with its instruments rounded up. The
better of the two, without the instruments that it does not need, is where the search of whole numbers starts: however
short that search is, there is an answer, and the linear answer bounds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import highspy
import numpy as np

from planner.optimise.laboratory import Laboratory, load

DUST = 1e-6  # samples and runs a year that are the solver's rounding
Values = np.ndarray


@dataclass(frozen=True)
class Begun:
    """Values of all columns of a plan with whole instruments, and its objective (the least is the best)."""

    values: Values
    objective: float


class Needed:
    """Which whole numbers of a home laboratory a plan uses. ``column``: position of a variable; ``integers``: columns."""

    def __init__(self, lab: Laboratory, column: Callable[[object], int], integers: np.ndarray):
        self.lab, self.column = lab, column
        self.at = {int(c): n for n, c in enumerate(integers)}

    def of(self, values: Values) -> np.ndarray:
        """The whole numbers of a plan, less what it pays for and does not use."""
        lab, out = self.lab, {}

        def value(variable) -> float:
            return float(values[self.column(variable)])

        for (name, t), u in lab.instruments.items():
            out[u] = min(round(value(u)), self._instruments(name, t, value))
        for (assay, t), w in lab.offered.items():
            out[w] = round(value(w)) * (self._samples(assay, None, t, value) > DUST)
        for (assay, n, t), o in lab.scheduled.items():
            out[o] = round(value(o)) * (self._samples(assay, n, t, value) > DUST)
        for t, variable in lab.open.items():
            out[variable] = int(any(out[w] for (_, year), w in lab.offered.items() if year == t))
        whole = np.zeros(len(self.at))
        for variable, number in out.items():
            whole[self.at[self.column(variable)]] = number
        return whole

    def _instruments(self, name: str, t: int, value) -> int:
        """As many as its work asks for, and as its fullest schedule does."""
        p = self.lab.platform(name)
        runs = sum(k * value(v) for v, k in load(self.lab, p, t).items())
        runs = max([runs, *(value(r) for (_, _, q, year), r in self.lab.runs.items() if (q, year) == (name, t))])
        return max(0, math.ceil(runs / p.runs_per_year - DUST) - p.existing)

    def _samples(self, assay: str, schedule: float | None, t: int, value) -> float:
        return sum(value(s) for (a, n, _, year), s in self.lab.samples.items()
                   if (a, year) == (assay, t) and schedule in (None, n))

    def fewer(self, whole: np.ndarray) -> Iterator[np.ndarray]:
        """The same without one kind of instrument, and without the tests that have no other."""
        for name, t in sorted(self.lab.instruments):
            if whole[self._at(self.lab.instruments[name, t])]:
                out = whole.copy()
                out[self._at(self.lab.instruments[name, t])] = 0
                yield self._without_place(out, t)

    def _without_place(self, whole: np.ndarray, t: int) -> np.ndarray:
        """Tests that no instrument is left for are no longer offered."""
        standing = {p.platform for p in self.lab.home.platforms
                    if p.existing or whole[self._at(self.lab.instruments[p.platform, t])]}
        lost = {a.assay for a in self.lab.home.assays if not standing & set(dict(a.platforms))}
        for (assay, year), w in self.lab.offered.items():
            if assay in lost and year == t:
                whole[self._at(w)] = 0
        for (assay, _, year), o in self.lab.scheduled.items():
            if assay in lost and year == t:
                whole[self._at(o)] = 0
        return whole

    def _at(self, variable) -> int:
        return self.at[self.column(variable)]


class Start:
    """Linear programmes on a copy of a loaded model (the least of its present cost), whole numbers held or free."""

    def __init__(self, model, integers: np.ndarray, needed: Needed):
        self.integers, self.needed = integers, needed
        self.highs = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1)):
            self.highs.setOptionValue(option, value)
        lp = model.highs.getLp()
        self.highs.passModel(lp)
        self.lower, self.upper = (np.array(b, float)[integers] for b in (lp.col_lower_, lp.col_upper_))
        self.relaxed = self._solve(self.lower, self.upper)  # None where there is no plan at all

    @property
    def bound(self) -> float:
        """The least that any plan could cost; minus infinity where it is not known."""
        return self.relaxed.objective if self.relaxed else -math.inf

    def best(self, *more: np.ndarray) -> Begun | None:
        """The best plan that is found at once: nothing at home, the linear answer rounded up, or with ``more`` held."""
        if self.relaxed is None:
            return None
        rounded = np.minimum(self.upper, np.ceil(self.relaxed.values[self.integers] - DUST))
        found = [b for whole in (self.lower, rounded, *more) if (b := self.held(whole))]
        return self.better(min(found, key=lambda b: b.objective)) if found else None

    def better(self, plan: Begun) -> Begun:
        """The plan without what it does not use, and without each kind of instrument for which it is no worse."""
        plan = self.used(plan)
        for whole in self.needed.fewer(np.round(plan.values[self.integers])):
            whole = np.minimum(whole, np.round(plan.values[self.integers]))  # less what an earlier one took along
            other = self.held(whole)
            if other and other.objective <= plan.objective + 1e-9 * max(1.0, abs(plan.objective)):
                plan = self.used(other)
        return plan

    def used(self, plan: Begun) -> Begun:
        """The plan with the whole numbers that it uses; the money of the others may bring something better."""
        while True:
            whole = np.clip(self.needed.of(plan.values), self.lower, np.round(plan.values[self.integers]))
            if (whole == np.round(plan.values[self.integers])).all():
                return plan
            other = self.held(whole)
            if other is None or other.objective > plan.objective + 1e-6 * max(1.0, abs(plan.objective)):
                return plan
            plan = other

    def held(self, whole: np.ndarray) -> Begun | None:
        """The best plan with these whole numbers."""
        return self._solve(whole, whole)

    def _solve(self, low: np.ndarray, high: np.ndarray) -> Begun | None:
        columns = self.integers.astype(np.int32)
        self.highs.changeColsBounds(len(columns), columns, low, high)
        self.highs.run()
        if self.highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return Begun(np.array(self.highs.getSolution().col_value), self.highs.getInfo().objective_function_value)
