"""The plan: what was decided, for whom, for what money, with what health, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from planner.optimise.sweep import Sweep
from planner.pathway.problem import Problem
from planner.scenario.model import Scenario

SCHEMA = "plan/1"


@dataclass(frozen=True)
class Plan:
    """A frozen plan. ``document`` is the plan JSON of ``interfaces.md``, unrounded.

    A plan cannot exist without a solution: infeasible requests raise
    :class:`planner.errors.Infeasible` before one is made.
    """

    scenario: Scenario
    problem: Problem = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    sweep: Sweep = field(repr=False)

    @property
    def list(self) -> pd.DataFrame:
        """One row per use case, in rank order; nested fields of the JSON are left out."""
        return _frame(self.document["list"])

    @property
    def by_biomarker(self) -> pd.DataFrame:
        return _frame(self.document["by_biomarker"])

    @property
    def by_test(self) -> pd.DataFrame:
        return _frame(self.document["by_test"])

    @property
    def do_not_buy(self) -> pd.DataFrame:
        return _frame(self.document["do_not_buy"])

    @property
    def provenance(self) -> pd.DataFrame:
        return _frame(self.document["provenance"])

    @property
    def totals(self) -> Mapping[str, Any]:
        return self.document["totals"]

    def to_dict(self) -> dict[str, Any]:
        """The plan JSON as a plain dictionary."""
        return dict(self.document)

    def frontier(self) -> pd.DataFrame:
        """Budget (USD a year) and value at every breakpoint of the swept axis."""
        return pd.DataFrame([(p.budget, p.value) for p in self.sweep.points], columns=["budget", "value"])


def _frame(rows) -> pd.DataFrame:
    flat = [
        {k: v for k, v in row.items() if not isinstance(v, (dict, tuple))}
        | {"reason": (row.get("reason") or {}).get("text", "")} if "reason" in row else
        {k: v for k, v in row.items() if not isinstance(v, (dict, tuple))}
        for row in rows
    ]
    return pd.DataFrame(flat)
