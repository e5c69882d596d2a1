"""Documents made whole: the plan of a scenario, the analyses that its document wants, the paper.

The command line and the page Report ask here, so that both hand over the same document. ``progress`` is called
with (share done, what is going on).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planner import MODEL_VERSION
from planner.analysis.access import access
from planner.analysis.batch import moved
from planner.analysis.sensitivity import sensitivity
from planner.analysis.uncertainty import uncertainty
from planner.errors import BadInput, Infeasible, Issue, PlannerError
from planner.evidence.base import Evidence
from planner.evidence.strata import place
from planner.report.brief import brief
from planner.report.numbers import place_words
from planner.report.paper import Paper
from planner.report.proposal import Case, Proposal, Subject, proposal
from planner.report.proposal_paper import proposal_paper
from planner.result.make import make_plan
from planner.result.plan import Plan
from planner.scenario.model import Scenario

Progress = Callable[[float, str], None]


def brief_of(plan: Plan, evidence: Evidence, unlocking: bool, draws: int, seed: int, progress: Progress) -> Paper:
    """The brief of a plan; ``unlocking``: with what each drug would unlock; ``draws`` > 0: with how sure it is."""
    parts = bool(unlocking) + bool(draws)
    reach = access(plan.scenario, evidence, _part(progress, 0, parts)) if unlocking else None
    sure = uncertainty(plan.scenario, evidence, draws, seed, _part(progress, parts - 1, parts)) if draws else None
    return brief(plan, evidence, reach, sure)


@dataclass(frozen=True)
class Proposed:
    """A proposal with its figures and its document."""

    found: Proposal
    paper: Paper


def proposal_of(subject: Subject, scenario: Scenario, evidence: Evidence, countries: Sequence[str], draws: int, seed: int,
                progress: Progress) -> Proposed:
    """A proposal over countries (ISO codes), each planned by the scenario moved there.

    ``draws``: prices and what to measure by so many draws; 0: by each number's interval alone. Raises BadInput where
    the scenario gives its list or the subject has no use, and Infeasible where no country has a plan.
    """
    optimised(scenario)
    cases = [_case(scenario, evidence, code, draws, seed, _part(progress, n, len(countries)), len(countries) == 1)
             for n, code in enumerate(countries)]
    if all(c.plan is None for c in cases):
        raise Infeasible([Issue(c.name, c.why_not, "loosen the limit", "no_plan") for c in cases])
    found = proposal(subject, cases, evidence)
    return Proposed(found, proposal_paper(found, cases, evidence))


def optimised(scenario: Scenario) -> None:
    """Raises BadInput where the scenario gives its list: a proposal asks what would be best."""
    if scenario.mode == "evaluate":
        raise BadInput([Issue("mode", "a proposal asks what would be best, and this scenario gives a list",
                              'set mode = "optimise"')])


def _case(scenario: Scenario, evidence: Evidence, code: str, draws: int, seed: int, progress: Progress, alone: bool) -> Case:
    """One country planned, with access and what to measure; or why there is no plan, where others may have one."""
    here, name = moved(scenario, evidence, code), place(evidence, code).name
    progress(0.0, f"planning for {name}")
    try:
        made = make_plan(here, evidence, MODEL_VERSION)
        name = place_words(made.document)
        reach = access(here, evidence, _part(progress, 0, 2))
        if draws:
            return Case(code, name, made, reach, uncertainty=uncertainty(here, evidence, draws, seed, _part(progress, 1, 2)))
        return Case(code, name, made, reach, sensitivity=sensitivity(here, evidence, None, _part(progress, 1, 2)))
    except PlannerError as error:
        if alone:
            raise
        return Case(code, name, why_not="; ".join(map(str, error.issues)).rstrip("."))


def _part(progress: Progress, n: int, of: int) -> Progress:
    """The progress of part ``n`` of ``of`` equal parts, within the whole."""
    return lambda share, words: progress((n + share) / of, words)
