"""Whole instruments of an engine: searched once for its present limits, then held while all else is re-solved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np

from planner.errors import SolverFailure
from planner.optimise.integer import Search
from planner.optimise.start import Needed


class WholeNumbers:
    """What an :class:`planner.optimise.resolve.Engine` knows of whole numbers; nothing where its model is linear."""

    @cached_property
    def integers(self) -> np.ndarray:
        """Columns that must be whole."""
        lab = self.formulation.laboratory
        return np.array([self._columns[v] for v in lab.integers] if lab else [], int)

    def settle(self) -> None:
        """Search the whole numbers of the present limits and hold them; a linear model has none."""
        if not len(self.integers):
            return
        self.free_integers()
        self.settled = self._search().settle(self.model.row["health"], self.money_cost)
        if self.settled is not None:
            self.hold(self.settled.values)
        self.kept = {q: a for q, a in self.kept.items() if q[0] == "by itself"}

    def _search(self, shorter: float = 1.0, gap: float = 1.0) -> Search:
        """A search of the present question; ``shorter``, ``gap``: shares of the scenario's time and gap."""
        lab = self.scenario.laboratory
        needed = Needed(self.formulation.laboratory, self.column, self.integers)
        return Search(self.model, self.integers, needed, lab.seconds * shorter, lab.gap * gap)

    def hold(self, values: np.ndarray) -> None:
        """Hold the whole numbers at these values in both models."""
        for model in (self.model, self.cheapest):
            model.set_column_bounds(self.integers, values, values)

    def free_integers(self) -> None:
        """Let the whole numbers take any value between their bounds."""
        model = self.arrays[2]
        lower, upper = (np.asarray(b, float)[self.integers] for b in (model.col_lower_, model.col_upper_))
        for loaded in (self.model, self.cheapest):
            loaded.set_column_bounds(self.integers, lower, upper)

    def hold_cheapest(self) -> bool:
        """Hold the whole numbers of the cheapest answer to the present question, where there are any; False where
        the question has no answer in whole numbers."""
        if not len(self.integers):
            return True
        whole = self._search().least()
        if whole is not None:
            self.model.set_column_bounds(self.integers, whole, whole)
        return whole is not None

    @contextmanager
    def cheapest_whole(self) -> Iterator[bool]:
        """The whole numbers held at the cheapest answer to the present question, then free again; whether there is one."""
        try:
            yield self.hold_cheapest()
        finally:
            if len(self.integers):
                self.free_integers()

    @property
    def gap(self) -> float:
        """Share of the best health that a longer search for whole instruments could still add at most."""
        return self.settled.gap if self.settled else 0.0

    def lost_with_fewer(self, columns: list[int]) -> float | None:
        """Value lost a year where one instrument fewer is bought in every year, nothing else whole is taken up and
        everything is re-planned; None where no plan is left, or none was found in time."""
        most, held = np.round(self.settled.values), self.run()
        fewer = np.where(np.isin(self.integers, columns), np.maximum(most - 1, 0), most)
        self.model.set_column_bounds(self.integers, np.zeros(len(fewer)), fewer)
        try:
            found = self._search(1 / 4, 1 / 10).most()
        except SolverFailure:
            found = None
        self.hold(most)
        return None if found is None else max(0.0, held - found[0]) / self.weight

    def _stands(self, row: str) -> bool:
        """Whether a capacity row is one of instruments that are there or bought."""
        lab = self.formulation.laboratory
        if lab is None or not row.startswith("capacity_") or self.settled is None:
            return not row.startswith("capacity_")
        platform, _, year = row.removeprefix("capacity_").rpartition("_")
        held = dict(zip(self.integers.tolist(), self.settled.values, strict=True))
        return bool(lab.platform(platform).existing + held[self.column(lab.instruments[platform, int(year) - 1])])
