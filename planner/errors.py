"""The error types: every fault of an input is an Issue, and all are told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Issue:
    """One fault: where it is, what is wrong, what to do. ``code`` is a stable slug for tests."""

    where: str
    what: str
    remedy: str
    code: str = ""
    # of a limit that is too small: what it is set to and what is needed, in the user's own terms
    have: float | None = None
    need: float | None = None
    axis: str = ""
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}".rstrip(". ") + "."


class PlannerError(Exception):
    """Base of all errors a user can cause or must see; ``exit_status`` is the command line's."""

    exit_status = 1

    def __init__(self, issues: Iterable[Issue] | Issue):
        self.issues: tuple[Issue, ...] = (issues,) if isinstance(issues, Issue) else tuple(issues)
        # The issues alone are the exception's arguments, so that it survives pickling (dask).
        super().__init__(self.issues)

    def __str__(self) -> str:
        return "\n".join(f"- {issue}" for issue in self.issues)


class BadInput(PlannerError):
    """Faulty evidence, scenario or argument."""

    exit_status = 2


class Infeasible(PlannerError):
    """No plan meets all limits; the issues name the conflict."""


class SolverFailure(PlannerError):
    """The solver stopped without a usable answer."""
