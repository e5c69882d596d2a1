"""What a line could bring by itself, whatever the plan: health at best access, the ratio with the drugs that are
worth their cost, the price of a course that pays. Written from docs/method.md, not from the planner's own code.

Access is nested, so that patients are looked at in order of their access: those between the reach of one drug and
of the next commoner one can get any drug from there on, and each gets the one that is worth most to him.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.pathway.problem import Indication, ServiceOption, TherapyOption, UseCase

NONE = 1e-12  # people or health that are rounding


@dataclass(frozen=True)
class Outcome:
    """One line by one service, per eligible patient tested: QALYs, cost of tests and drugs (USD), people treated."""

    service: str
    qalys: float
    cost: float
    treated: float

    @property
    def ratio(self) -> float | None:
        return self.cost / self.qalys if self.qalys > NONE else None


class Alone:
    """A use case by itself at a threshold, USD per QALY."""

    def __init__(self, case: UseCase, place: Indication, threshold: float):
        self.case, self.place, self.threshold = case, place, threshold
        plannable = not case.gap
        self.drugs = [t for t in case.therapies if t.effects.pair("qalys") is not None] if plannable else []
        self.services = [s for s in place.services if (r := s.result(case.biomarker)) and r.se + r.sp > 1] \
            if plannable and case.therapies else []

    def outcomes(self, reach: Callable, at_threshold: bool = False) -> Iterator[Outcome]:
        """One outcome for each service; ``at_threshold``: only drugs worth their cost are used."""
        if self.drugs:
            yield from (self._outcome(s, reach, at_threshold) for s in self.services)

    def potential(self) -> float:
        """QALYs of a patient tested with the drug as reachable as it could be made, by the service with the lowest
        cost per QALY."""
        found = sorted(self.outcomes(ceiling), key=lambda o: (o.ratio is None, o.ratio or 0.0, o.service))
        return max(0.0, found[0].qalys) if found else 0.0

    def where_it_pays(self) -> float | None:
        """Cost per QALY of the service that brings most at the threshold; None where none pays."""
        best, ratio = -NONE, None
        for o in sorted(self.outcomes(today, True), key=lambda o: o.service):
            net = o.qalys - o.cost / self.threshold
            if o.qalys > NONE and net >= max(best, 0.0):
                best, ratio = net, o.ratio
        return ratio

    def price(self) -> tuple[str, float] | None:
        """(therapy, cost of a course at which its line pays, no other matched drug used): that nearest to its cost."""
        found = []
        for t in self.drugs:
            share = (t.alpha if t.alpha > 0 else t.amax) * t.sub
            for o in self.outcomes(lambda d, mine=t, share=share: share if d is mine else 0.0):
                if o.treated > NONE and o.qalys > 0:
                    price = t.course_cost + (self.threshold * o.qalys - o.cost) / o.treated
                    if 0 < price < t.course_cost:
                        found.append((price / t.course_cost, t.therapy, price))
        return max(found)[1:] if found else None

    def _outcome(self, service: ServiceOption, reach: Callable, at_threshold: bool) -> Outcome:
        result, prevalence = service.result(self.case.biomarker), self.case.drug_prevalence
        carriers, others = self.case.called(result)
        called = carriers + others

        def gain(t: TherapyOption) -> float:
            h, other = t.effects.pair("qalys")
            return carriers * h + others * other

        def worth(t: TherapyOption) -> float:
            return t.fit * (gain(t) - (called * t.m / self.threshold if at_threshold else 0.0))

        given = nested(self.drugs, reach, worth)
        qalys = treated = 0.0
        cost = service.cost + self.place.workup_cost
        for t in self.drugs:
            h, other = t.effects.pair("qalys")
            some, blind = result.eta * t.fit * given[t.therapy], result.eta * t.fit * t.u0
            qalys += some * gain(t) - blind * (prevalence * h + (1 - prevalence) * other)
            cost += (some * called - blind) * t.m
            treated += some * called
        return Outcome(service.service, qalys, cost, treated)


def today(t: TherapyOption) -> float:
    """Share of positives who can get a therapy as things are."""
    return t.alpha * t.sub


def ceiling(t: TherapyOption) -> float:
    """The same if access were made as wide as it could be."""
    return max(t.alpha, t.amax) * t.sub


def nested(drugs: list[TherapyOption], reach: Callable, worth: Callable) -> dict[str, float]:
    """Share of positives who get each drug, each line group by itself. What is worth nothing is given only to as
    many as would have got a drug blind."""
    out = dict.fromkeys((t.therapy for t in drugs), 0.0)
    for group in {t.line_group for t in drugs}:
        mine = sorted((t for t in drugs if t.line_group == group), key=lambda t: (reach(t), t.therapy))
        left = [reach(t) - (reach(mine[k - 1]) if k else 0.0) for k, t in enumerate(mine)]  # patients by access
        for k, people in enumerate(left):
            best = max(mine[k:], key=worth)
            if worth(best) > 0:
                out[best.therapy] += people
                left[k] = 0.0
        owed = sum(t.u0 for t in mine) - sum(out[t.therapy] for t in mine)
        for t in sorted(mine, key=worth, reverse=True):
            for k in range(mine.index(t) + 1):
                if worth(t) <= 0 and owed > 0:
                    taken = min(left[k], owed)
                    left[k], owed = left[k] - taken, owed - taken
                    out[t.therapy] += taken
    return out
