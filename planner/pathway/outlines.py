"""Outlines of work-ups that were followed before, kept: a pathway's branches hang on accuracies, failures, prevalences
and tissue, not on money, access or time, so that most changes of a scenario leave them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from planner.pathway.branches import Outline, Step, WorkUp, outline

MOST = 4096  # kept; a country has some two hundred


@dataclass(frozen=True)
class _Question:
    """A work-up by all that its branches hang on."""

    content: tuple
    work: WorkUp = field(compare=False, repr=False)


def outlines(work: WorkUp, biomarkers: list[str]) -> Mapping[str, Outline]:
    """The outline of a work-up for each biomarker, from memory where the same one was followed before. Versions in
    arrays are followed anew."""
    question = _Question((tuple(biomarkers), *_content(work)), work)
    try:
        return _known(question)
    except TypeError:  # arrays have no place in a memory of single numbers
        return _followed(question)


@lru_cache(maxsize=MOST)
def _known(question: _Question) -> Mapping[str, Outline]:
    return _followed(question)


def _followed(question: _Question) -> Mapping[str, Outline]:
    seen: dict = {}
    return {b: outline(question.work, b, seen) for b in question.content[0]}


def _content(work: WorkUp) -> tuple:
    """Days, intervals and the loss while waiting come in later: see :meth:`Outline.expected`."""
    return tuple(map(_step, work.steps)), tuple(sorted(work.prevalence.items())), work.exclusive, work.tissue, work.correlation


def _step(step: Step) -> tuple:
    accuracies = tuple((b, p and p.content) for b, p in sorted(step.accuracies.items()))
    again = step.again and (step.again.feasible, step.again.successful)
    return step.assay, step.biomarkers, step.on, step.failure, accuracies, step.slides, again
