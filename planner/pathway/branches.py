"""What happens to a sample: the branches of an ordered work-up, for every kind of patient.

A pathway is a list of steps, each an assay for some biomarkers. Who gets a step is told by its rule ``on``, which
looks at the last step before that answers the same biomarker or, if none does, at the step before:

- ``all``: everybody; ``positive``, ``equivocal``: those called so; ``failed``: those without a usable result;
- ``negative``: those called so; where the biomarkers exclude each other, all in whom none has been called positive
  so far (and in whom this very biomarker did not fail).

The last step done for a biomarker decides it; an equivocal result that nothing resolves counts as negative. A
biomarker that is not tested because another one decided is known not to lead to its drug: usable, not called.
Assays err independently of each other, but for two tests of the same biomarker whose errors may correlate.

Every branch of every kind of patient is followed, so the expectations are exact; for one biomarker at a time, since
the others matter only through what is done next. Numbers may be arrays, one entry per version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np

from planner.pathway.arrays import exp, least, many, most, some, where_positive
from planner.pathway.costing import still_waiting
from planner.pathway.performance import Performance

POSITIVE, EQUIVOCAL, NEGATIVE, FAILED = "positive", "equivocal", "negative", "failed"
SPENT = "spent"  # key of what a work-up uses, beside its branches
OTHERS = "*"  # the biomarkers of a panel that neither the question nor a step names, taken together


@dataclass(frozen=True)
class Biopsy:
    """A second biopsy where the first sample gave no result: shares 0 to 1, USD, days."""

    feasible: float
    successful: float
    cost: float
    days: float


@dataclass(frozen=True)
class Step:
    """One assay of a pathway. ``days``: turnaround with transport; ``interval``: days between its runs (0: a
    sample never waits); ``slides``: of the tissue that the steps share, 0 for blood; ``again``: it works on a
    second biopsy."""

    assay: str
    biomarkers: tuple[str, ...]
    on: str
    failure: float
    days: float
    accuracies: Mapping[str, Performance]
    interval: float = 0.0
    slides: float = 0.0
    again: Biopsy | None = None


@dataclass(frozen=True)
class WorkUp:
    """Steps in order with the setting's numbers.

    prevalence: share of carriers by biomarker; exclusive: nobody carries two of them; attrition: share a day who
    start treatment without the result; tissue: share of samples with at least so many slides, sorted;
    correlation: of the errors of two different assays for one biomarker, in carriers and in non-carriers.
    """

    steps: tuple[Step, ...]
    prevalence: Mapping[str, float]
    exclusive: bool = False
    attrition: float = 0.0
    tissue: tuple[tuple[float, float], ...] = ()
    correlation: float = 0.0


class Branch(NamedTuple):
    """One way a sample can go. ``done``: steps run; ``biopsies``: of these, steps that took a second biopsy, whether or
    not it sufficed; ``result`` of the biomarker asked for, None where it was not tested; ``until``: steps run, and
    second biopsies taken, until it was known."""

    probability: float
    done: tuple[int, ...]
    biopsies: tuple[int, ...]
    result: str | None
    usable: bool
    until: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Expected:
    """What a work-up tells about one biomarker: in time and usable, in all, in carriers and in non-carriers (shares
    of patients); called positive among those in time; mean days to a usable result."""

    in_time: float
    usable: float
    in_time_carriers: float
    in_time_others: float
    sensitivity: float
    specificity: float
    days: float


class _State(NamedTuple):
    probability: float
    done: tuple[int, ...]
    biopsies: tuple[int, ...]
    results: Mapping[str, str]
    decided_by: Mapping[str, int]  # step that gave the result
    slides: float
    until: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]  # what had been done when it was known


def enough(tissue: tuple[tuple[float, float], ...], slides: float) -> float:
    """Share of samples with at least so many slides: between the points that are known a straight line, beyond
    the last one its value."""
    before = (0.0, 1.0)
    for point in tissue:
        if slides <= point[0]:
            part = (slides - before[0]) / (point[0] - before[0])
            return before[1] + part * (point[1] - before[1])
        before = point
    return before[1]


def kinds(work_up: WorkUp, target: str, tracked: list[str], carrier: bool) -> Iterator[tuple[float, frozenset[str]]]:
    """(share, biomarkers carried) of every kind of patient that matters, among carriers of the target or the others."""
    share_of, others = work_up.prevalence, [b for b in tracked if b != target]
    own = frozenset([target] if carrier else [])
    if work_up.exclusive:
        if carrier:
            yield 1.0, own
            return
        total = sum(share_of.values())
        rest = most(1.0, total) - share_of[target]  # shares that add up to more than all are cut alike
        for b in sorted(share_of):
            if b != target:
                yield over(share_of[b], rest), frozenset([b])
        yield over(most(0.0, 1 - total), rest), own
        return
    for carried in product((True, False), repeat=len(others)):
        share = 1.0
        for b, yes in zip(others, carried, strict=True):
            share = share * (share_of[b] if yes else 1 - share_of[b])
        yield share, own | {b for b, yes in zip(others, carried, strict=True) if yes}


def tracked_for(work_up: WorkUp, target: str) -> list[str]:
    """The biomarkers whose results are followed one by one: the one asked for and those that steps name."""
    named = {s.biomarkers[0] for s in work_up.steps if len(s.biomarkers) == 1}
    return sorted(named | {target})


def follow(work_up: WorkUp, target: str, carried: frozenset[str], tracked: list[str] | None = None,
           seen: dict | None = None) -> Iterator[Branch]:
    """Every branch that a sample of one kind of patient can take, seen from one biomarker. ``seen``: branches already
    followed for another biomarker, which are the same where the same biomarkers are followed one by one."""
    tracked = tracked_for(work_up, target) if tracked is None else tracked
    seen, key = {} if seen is None else seen, (carried, tuple(tracked))
    if key not in seen:
        seen[key] = list(_Follower(work_up, carried, tracked).ends())
    for s in seen[key]:
        result = s.results.get(target)
        usable = result != FAILED if result else FAILED not in s.results.values()
        yield Branch(s.probability, s.done, s.biopsies, result, usable, s.until[target] if result else (s.done, s.biopsies))


@dataclass
class _Follower:
    work_up: WorkUp
    carried: frozenset[str]
    tracked: list[str]
    _memory: dict = field(default_factory=dict)

    def ends(self) -> Iterator[_State]:
        """Where each branch ends."""
        yield from self._walk(0, _State(1.0, (), (), {}, {}, 0.0, {}))

    def _walk(self, n: int, s: _State) -> Iterator[_State]:
        if not some(s.probability):
            return
        if n == len(self.work_up.steps):
            yield s
            return
        step = self.work_up.steps[n]
        asked = self._asked(n, step, s)
        if not asked:
            yield from self._walk(n + 1, s)
            return
        for state, has_sample in self._sample(n, step, s):
            if has_sample:
                yield from self._run(n, step, asked, state)
            else:
                yield from self._walk(n + 1, self._failed(n, asked, state))

    def _parts(self, step: Step) -> list[str]:
        """The step's biomarkers as they are followed: one by one, the others of a panel together."""
        mine = [b for b in step.biomarkers if b in self.tracked]
        return mine + [OTHERS] * (len(mine) < len(step.biomarkers))

    def _asked(self, n: int, step: Step, s: _State) -> list[str]:
        """Which of the step's biomarkers it is done for in this branch."""
        parts = self._parts(step)
        if step.on == "all":
            return parts
        if step.on == NEGATIVE and self.work_up.exclusive:
            if POSITIVE in s.results.values():
                return []
            return [b for b in parts if s.results.get(b) != FAILED]
        return [b for b in parts if self._seen(n, b, s) == step.on]

    def _seen(self, n: int, biomarker: str, s: _State) -> str | None:
        """The result the rule of step n looks at, for a biomarker of it."""
        if any(biomarker in self._parts(earlier) for earlier in self.work_up.steps[:n]):
            return s.results.get(biomarker)
        before = self.work_up.steps[n - 1]
        return next((s.results.get(b) for b in self._parts(before)), None)

    def _sample(self, n: int, step: Step, s: _State) -> Iterator[tuple[_State, bool]]:
        """Whether there is a sample for the step: tissue left of the first, or a second biopsy."""
        p = s.probability
        if step.again:
            b = step.again
            taken = s._replace(biopsies=(*s.biopsies, n), slides=step.slides)
            yield taken._replace(probability=p * b.feasible * b.successful), True
            yield taken._replace(probability=p * b.feasible * (1 - b.successful)), False
            yield s._replace(probability=p * (1 - b.feasible)), False
            return
        if not step.slides:
            yield s, True
            return
        used = s.slides + step.slides
        left = enough(self.work_up.tissue, used) / enough(self.work_up.tissue, max(s.slides, step.slides))
        yield s._replace(probability=p * left, slides=used), True
        yield s._replace(probability=p * (1 - left)), False

    def _run(self, n: int, step: Step, asked: list[str], s: _State) -> Iterator[_State]:
        """The step is run: it fails for all its biomarkers, or each gets a result."""
        s = s._replace(done=(*s.done, n))
        yield from self._walk(n + 1, self._failed(n, asked, s._replace(probability=s.probability * step.failure)))
        usable = s.probability * (1 - step.failure)
        for outcome in product((POSITIVE, EQUIVOCAL, NEGATIVE), repeat=len(asked)):
            share = usable
            for b, result in zip(asked, outcome, strict=True):
                share = share * self._chance(n, step, b, result, s)
            if not some(share):
                continue
            yield from self._walk(n + 1, self._with(n, dict(zip(asked, outcome, strict=True)),
                                                    s._replace(probability=share)))

    def _failed(self, n: int, asked: list[str], s: _State) -> _State:
        return self._with(n, dict.fromkeys(asked, FAILED), s)

    def _with(self, n: int, results: dict[str, str], s: _State) -> _State:
        return s._replace(
            results={**s.results, **results}, decided_by={**s.decided_by, **dict.fromkeys(results, n)},
            until={**s.until, **dict.fromkeys(results, (s.done, s.biopsies))},
        )

    def _chance(self, n: int, step: Step, biomarker: str, result: str, s: _State) -> float:
        """Probability of a usable result, given what was seen before."""
        if biomarker == OTHERS:
            none = self._no_other(n, step)
            return {POSITIVE: 1 - none, EQUIVOCAL: 0.0, NEGATIVE: none}[result]
        carrier = biomarker in self.carried
        positive, equivocal, _ = step.accuracies[biomarker].outcome(carrier)
        before, by = s.results.get(biomarker), s.decided_by.get(biomarker)
        if self.work_up.correlation and before in (POSITIVE, NEGATIVE):
            earlier = self.work_up.steps[by]
            if earlier.assay != step.assay:
                first = earlier.accuracies[biomarker].outcome(carrier)[0]
                positive = dependent(positive, first, before == POSITIVE, self.work_up.correlation)
                equivocal = least(equivocal, 1 - positive)
        return {POSITIVE: positive, EQUIVOCAL: equivocal, NEGATIVE: most(0.0, 1 - positive - equivocal)}[result]

    def _no_other(self, n: int, step: Step) -> float:
        """Chance that no other biomarker of a panel is called positive."""
        if n not in self._memory:
            none = 1.0
            for b in step.biomarkers:
                if b in self.tracked:
                    continue
                yes, no = (step.accuracies[b].outcome(c)[0] for c in (True, False))
                share = float(b in self.carried) if self.work_up.exclusive else self.work_up.prevalence[b]
                none = none * (1 - share * yes - (1 - share) * no)
            self._memory[n] = none
        return self._memory[n]


def many_waiting(attrition, interval: float):
    """Share still untreated when the next run starts; one entry per version."""
    if not interval:
        return 1.0
    if many(attrition):
        return np.array([still_waiting(float(a), interval) for a in attrition])
    return still_waiting(attrition, interval)


def dependent(second, first, was_positive: bool, correlation: float):
    """Chance that a second test is positive after a first one, by the correlation of the two results.

    second, first: chances of a positive result by itself; kept within 0 to 1.
    """
    spread = (second * (1 - second)) ** 0.5
    odds = ((1 - first) / most(first, 1e-12)) ** 0.5 if was_positive else -(first / most(1 - first, 1e-12)) ** 0.5
    return least(1.0, most(0.0, second + correlation * spread * odds))


@dataclass(frozen=True)
class Outline:
    """The branches of a work-up for one biomarker without their times: what the laboratories that run it share.

    runs: expected runs of each step, biopsies: second ones, per patient; known: (carrier, called positive, what was
    done until then) -> share of the carriers, of the others, with a usable result.
    """

    share: float
    runs: tuple[float, ...]
    biopsies: float
    known: Mapping[tuple[bool, bool, tuple[tuple[int, ...], tuple[int, ...]]], float]

    def expected(self, steps: tuple[Step, ...], attrition: float) -> Expected:
        """What is known in time where the steps take as long as ``steps`` tell."""
        lost = [exp(-attrition * s.days) * many_waiting(attrition, s.interval) for s in steps]
        took = [s.days + s.interval / 2 for s in steps]
        in_time, called, usable, days = ({True: 0.0, False: 0.0} for _ in range(4))
        for (carrier, positive, (done, again)), p in self.known.items():
            timely, wait = p, 0.0
            for n in done:
                timely, wait = timely * lost[n], wait + took[n]
            for n in again:
                timely, wait = timely * exp(-attrition * steps[n].again.days), wait + steps[n].again.days
            usable[carrier], days[carrier] = usable[carrier] + p, days[carrier] + p * wait
            in_time[carrier] = in_time[carrier] + timely
            if positive:
                called[carrier] = called[carrier] + timely

        def everybody(of: dict[bool, float]) -> float:
            return self.share * of[True] + (1 - self.share) * of[False]

        return Expected(
            everybody(in_time), everybody(usable), in_time[True], in_time[False],
            over(called[True], in_time[True]), 1 - over(called[False], in_time[False]),
            over(everybody(days), everybody(usable)),
        )


def outline(work_up: WorkUp, target: str, seen: dict | None = None) -> Outline:
    """All branches for one biomarker, summed by what they have in common.

    ``seen`` as in :func:`follow`; what the steps are run for does not depend on the biomarker asked for, so that it
    is added up for the first one only.
    """
    tracked, share = tracked_for(work_up, target), work_up.prevalence[target]
    seen, known = {} if seen is None else seen, {}
    runs, counted = {}, SPENT in seen
    for carrier, weight in ((True, share), (False, 1 - share)):
        for part, carried in kinds(work_up, target, tracked, carrier):
            if not some(part):
                continue
            for b in follow(work_up, target, carried, tracked, seen):
                p = part * b.probability
                if not counted:
                    spent = (b.done, len(b.biopsies))
                    runs[spent] = runs.get(spent, 0.0) + weight * p
                if b.usable:
                    key = (carrier, b.result == POSITIVE, b.until)
                    known[key] = known.get(key, 0.0) + p
    if not counted:
        seen[SPENT] = _spent(runs, len(work_up.steps))
    return Outline(share, *seen[SPENT], known)


def _spent(runs: Mapping[tuple[tuple[int, ...], int], float], steps: int) -> tuple[tuple[float, ...], float]:
    """(runs of each step, second biopsies) per patient, of the shares that went each way."""
    each = [sum(p for (done, _), p in runs.items() if n in done) for n in range(steps)]
    return tuple(each), sum(p * biopsies for (_, biopsies), p in runs.items())


def expected(work_up: WorkUp, target: str) -> tuple[Expected, tuple[float, ...], float]:
    """(what the work-up tells of a biomarker, expected runs of each step, second biopsies), per patient."""
    found = outline(work_up, target)
    return found.expected(work_up.steps, work_up.attrition), found.runs, found.biopsies


def over(part, whole):
    """part / whole, 0 where there is nobody."""
    return where_positive(whole, part / most(whole, 1e-300), 0.0)
