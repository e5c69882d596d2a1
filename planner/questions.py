"""The questions that can be asked of a scenario, as Python calls; each loads its analysis when it is asked.

``evidence`` is the shipped one by default. ``progress`` is called with (share done, what is going on).
All return a frozen :class:`planner.analysis.study.Analysis`: ``words`` (the answer), ``tables`` (tidy rows,
unrounded; ``frame(name)`` gives one as a DataFrame), ``to_dict()`` (the JSON ``analysis/1``). Tables and
columns: docs/analyses.md. Raise :class:`BadInput` for faults of the input, :class:`Infeasible` where the limits
contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.evidence.base import Evidence, load_evidence
from planner.scenario.model import Scenario

if TYPE_CHECKING:
    from planner.analysis.study import Analysis, Progress


def frontier(scenario: Scenario, evidence: Evidence | None = None, axis: str | None = None, mandates: bool = True) -> Analysis:
    """What more money buys: value by budget (``axis``: testing, treatment or total), and who enters when."""
    from planner.analysis.frontier import frontier as ask

    return ask(scenario, _shipped(evidence), axis, mandates)


def alternatives(scenario: Scenario, evidence: Evidence | None = None, tolerance: float = 0.02, count: int = 5,
                 progress: Progress | None = None) -> Analysis:
    """Other lists that lose at most ``tolerance`` (share) of the health, ``count`` at most."""
    from planner.analysis.alternatives import alternatives as ask

    return ask(scenario, _shipped(evidence), tolerance, count, progress or _silent)


def access(scenario: Scenario, evidence: Evidence | None = None, progress: Progress | None = None) -> Analysis:
    """What each drug that is not fully reachable would unlock, and the price at which it pays."""
    from planner.analysis.access import access as ask

    return ask(scenario, _shipped(evidence), progress or _silent)


def switching(scenario: Scenario, evidence: Evidence | None = None, progress: Progress | None = None) -> Analysis:
    """The values at which decisions flip, and what each preference of the scenario costs."""
    from planner.analysis.switching import switching as ask

    return ask(scenario, _shipped(evidence), progress or _silent)


def strategies(scenario: Scenario, evidence: Evidence | None = None, indication: str = "all",
               progress: Progress | None = None) -> Analysis:
    """All ways of testing for one indication side by side, or (``all``) all ways to run the whole laboratory."""
    from planner.analysis.strategies import strategies as one
    from planner.analysis.whole_laboratory import whole_laboratory

    if indication == "all":
        return whole_laboratory(scenario, _shipped(evidence), progress or _silent)
    return one(scenario, _shipped(evidence), indication, progress or _silent)


def sensitivity(scenario: Scenario, evidence: Evidence | None = None, two_way: tuple[str, str] | None = None,
                progress: Progress | None = None) -> Analysis:
    """Every uncertain number at both ends of its interval; two of them on a grid."""
    from planner.analysis.sensitivity import sensitivity as ask

    return ask(scenario, _shipped(evidence), two_way, progress or _silent)


def uncertainty(scenario: Scenario, evidence: Evidence | None = None, draws: int = 1000, seed: int = 1,
                progress: Progress | None = None, scheduler: str | None = None, workers: int | None = None) -> Analysis:
    """Every uncertain number drawn: how sure is each line, how does the plan fare, what is worth knowing.

    The numbers do not depend on ``workers`` (threads) or ``scheduler`` (address of a Dask cluster)."""
    from planner.analysis.uncertainty import uncertainty as ask

    return ask(scenario, _shipped(evidence), draws, seed, progress or _silent, scheduler, workers)


def compare(scenarios: Sequence[Scenario], evidence: Evidence | None = None, against: Evidence | None = None,
            progress: Progress | None = None) -> Analysis:
    """Plans of several scenarios beside the first, or of one on two evidence versions (``against``)."""
    from planner.analysis.compare import compare as ask

    return ask(scenarios, _shipped(evidence), against, progress or _silent)


def batch(scenario: Scenario, evidence: Evidence | None = None, countries: Sequence[str] | None = None, draws: int = 0,
          seed: int = 1, progress: Progress | None = None, scheduler: str | None = None, per_person: bool = False) -> Analysis:
    """The scenario in each country (codes or names; all by default). ``per_person``: budgets by population."""
    from planner.analysis.batch import batch as ask

    return ask(scenario, _shipped(evidence), countries, draws, seed, progress or _silent, scheduler, per_person)


def _shipped(evidence: Evidence | None) -> Evidence:
    return load_evidence() if evidence is None else evidence


def _silent(share: float, words: str) -> None:
    """The progress of work that nobody watches."""
