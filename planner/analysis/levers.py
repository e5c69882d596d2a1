"""Levers on a problem: one line's tests, drugs, access, prevalence or effect moved, many versions at once.

A lever is a number or an array with one entry per version. The result is a problem of the same
structure for :class:`planner.optimise.many.ManyModels`. A lever moves the line named and nothing else:
prevalence, for example, does not move the lines that are asked after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import numpy as np

from planner.pathway.arrays import least, most
from planner.pathway.problem import Effects, Indication, Problem, ServiceOption, TherapyOption, UseCase
from planner.pathway.therapy import cut_empirical

Key = tuple[str, str]
# lever -> (word, unit of its value)
LEVERS = {
    "test_cost": ("cost of its tests", "times today's"),
    "drug_cost": ("cost of a course", "times today's"),
    "access": ("share of those in need who can get its most reachable drug", "share"),
    "prevalence": ("prevalence among the eligible", "share"),
    "effect": ("health gained per person treated", "times today's"),
}


def today(u: UseCase, lever: str) -> float:
    """Today's value of a lever of a line."""
    if lever == "access":
        return max((t.alpha for t in u.therapies), default=0.0)
    return u.prevalence_net if lever == "prevalence" else 1.0


def pull(problem: Problem, pulls: Mapping[Key, Mapping[str, np.ndarray]]) -> Problem:
    """The problem with levers of some lines moved: {(region, use case): {lever: value}}."""
    return replace(problem, indications=tuple(_indication(i, pulls) for i in problem.indications))


def _indication(i: Indication, pulls) -> Indication:
    mine = {u.biomarker: pulls[u.region, u.id] for u in i.use_cases if (u.region, u.id) in pulls}
    if not mine:
        return i
    dearer = {b: p["test_cost"] for b, p in mine.items() if "test_cost" in p}
    return replace(
        i, use_cases=tuple(_use_case(u, mine[u.biomarker]) if u.biomarker in mine else u for u in i.use_cases),
        services=tuple(_service(s, dearer) for s in i.services),
    )


def _service(s: ServiceOption, dearer: Mapping[str, np.ndarray]) -> ServiceOption:
    """A test that answers several lines is moved by each of their levers."""
    factor = 1.0
    for b, f in dearer.items():
        if s.result(b):
            factor = factor * f
    if not isinstance(factor, np.ndarray) and factor == 1.0:
        return s
    return replace(s, cost=s.cost * factor, assays=tuple(replace(a, cost=a.cost * factor) for a in s.assays))


def _use_case(u: UseCase, pulls: Mapping[str, np.ndarray]) -> UseCase:
    therapies = u.therapies
    if "access" in pulls:
        therapies = reached(therapies, pulls["access"])
    if "effect" in pulls:
        therapies = tuple(replace(t, effects=_scaled(t.effects, pulls["effect"])) for t in therapies)
    if "drug_cost" in pulls:
        therapies = tuple(dearer_course(t, pulls["drug_cost"]) for t in therapies)
    if "prevalence" in pulls:
        carriers = least(pulls["prevalence"], u.subgroup)
        return replace(u, prevalence=carriers, prevalence_net=carriers, therapies=therapies)
    return replace(u, therapies=therapies)


def _scaled(e: Effects, factor) -> Effects:
    def times(values):
        return {m: None if v is None else v if m == "patients_treated" else v * factor for m, v in values.items()}

    return replace(e, carrier=times(e.carrier), noncarrier=times(e.noncarrier))


def dearer_course(t: TherapyOption, factor) -> TherapyOption:
    """A course at a multiple of its cost; what it replaces costs what it did."""
    return replace(t, pay=tuple(p * factor for p in t.pay), m=t.m + (factor - 1) * t.gross, gross=t.gross * factor,
                   course_cost=t.course_cost * factor)


def reached(therapies: tuple[TherapyOption, ...], share) -> tuple[TherapyOption, ...]:
    """Access to the line set to a share: all drugs capped by it, and the most reachable raised to it."""
    if not therapies:
        return therapies
    first = max(therapies, key=lambda t: (t.alpha, -t.m, t.therapy)).therapy
    return recut([replace(t, alpha=share if t.therapy == first else least(t.alpha, share)) for t in therapies])


def recut(therapies: list[TherapyOption]) -> tuple[TherapyOption, ...]:
    """Blind use after access has changed: what it would be, cut to what can be reached."""
    fresh = [replace(t, u0=least(t.blind, t.alpha * t.sub), amax=most(t.amax, t.alpha)) for t in therapies]
    return tuple(_cut(fresh))


def _cut(therapies: list[TherapyOption]) -> list[TherapyOption]:
    """:func:`cut_empirical` for each version where access differs between them."""
    if not any(isinstance(t.alpha, np.ndarray) for t in therapies):
        return cut_empirical(therapies)
    size = max(len(t.alpha) for t in therapies if isinstance(t.alpha, np.ndarray))
    table = {t.therapy: np.broadcast_to(t.u0, size).copy() for t in therapies}
    alphas = {t.therapy: np.broadcast_to(t.alpha, size) for t in therapies}
    for n in range(size):
        each = cut_empirical([replace(t, alpha=float(alphas[t.therapy][n]), u0=float(table[t.therapy][n]))
                              for t in therapies])
        for t in each:
            table[t.therapy][n] = t.u0
    return [replace(t, u0=table[t.therapy]) for t in therapies]


def opened(problem: Problem, drugs: Mapping[str, np.ndarray], share: float | None = None) -> Problem:
    """Drugs made reachable up to their ceilings, or to ``share``, where the mask of the version says so.

    A regimen is as reachable as its scarcest part.
    """
    def therapy(t: TherapyOption) -> TherapyOption:
        if not any(d in drugs for d, _, _ in t.reach):
            return t
        alpha = None
        for d, today_share, ceiling in t.reach:
            there = max(today_share, ceiling if share is None else share)
            part = today_share + (there - today_share) * drugs[d] if d in drugs else today_share
            alpha = part if alpha is None else least(alpha, part)
        return replace(t, alpha=alpha, payers=t.payers or (("public", 1.0),), fit=fit(t))

    def fit(t: TherapyOption):
        """A share that is made is one of fit patients; today's may hold unfitness already."""
        if not t.unfit_within or not all(d in drugs for d in t.unfit_within):
            return t.fit
        made = reduce(least, (drugs[d] for d in t.unfit_within))
        return t.fit + (t.fitness - t.fit) * made

    def case(u: UseCase) -> UseCase:
        if not any(d in drugs for t in u.therapies for d, _, _ in t.reach):
            return u
        return replace(u, therapies=recut([therapy(t) for t in u.therapies]))

    return replace(problem, indications=tuple(
        replace(i, use_cases=net_of_first([case(u) for u in i.use_cases])) for i in problem.indications))


def net_of_first(cases: list[UseCase]) -> tuple[UseCase, ...]:
    """Prevalence net of what other biomarkers decide first, after their drugs' access has changed (as
    :func:`planner.pathway.build.net_of_overlap`)."""
    reach = {u.biomarker: reduce(most, (t.alpha for t in u.therapies), 0.0) for u in cases if u.gated and not u.excluded}

    def net(u: UseCase) -> UseCase:
        taken = sum(share * reach.get(first, 0.0) for first, share in u.overlaps)
        return replace(u, prevalence_net=u.prevalence * most(0.0, 1 - taken)) if u.overlaps else u

    return tuple(net(u) for u in cases)
