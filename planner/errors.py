"""Errors in words a planner understands: where, what, what to do; collected, told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Issue:
    """One fault: where it is, what is wrong, what to do about it."""

    where: str
    what: str
    remedy: str
    code: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}"


class PlannerError(Exception):
    """A request that cannot be served, with every fault found."""

    def __init__(self, issues: Iterable[Issue]):
        self.issues = tuple(issues)
        super().__init__("\n".join(f"- {issue}" for issue in self.issues))


class BadInput(PlannerError):
    """Faults of a file or an argument (exit status 2)."""


class Infeasible(PlannerError):
    """Limits that contradict each other (exit status 1)."""


class SolverFailure(PlannerError):
    """The solver ended without a solution for another reason than infeasibility."""
