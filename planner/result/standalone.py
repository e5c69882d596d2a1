"""One use case on its own: what a patient tested would bring, whatever the budget.

Used for lines that are not funded: their all-in cost per QALY, what they would need, and the
value they would have if the drug were reachable.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.pathway.problem import Indication, ServiceOption, TherapyOption, UseCase


@dataclass(frozen=True)
class Standalone:
    """Per eligible patient covered. qalys, costs in USD; ``cost_per_qaly`` is None without gain."""

    service: str
    qalys: float
    testing_cost: float
    incremental_cost: float
    exact: bool
    treated: float
    therapies: tuple[str, ...] = ()

    def net_health(self, threshold: float) -> float:
        """QALYs less what their cost would buy elsewhere."""
        return self.qalys - (self.testing_cost + self.incremental_cost) / threshold

    @property
    def cost_per_qaly(self) -> float | None:
        if self.qalys <= 1e-12:
            return None
        return (self.testing_cost + self.incremental_cost) / self.qalys

    @property
    def qalys_per_testing_dollar(self) -> float:
        return self.qalys / self.testing_cost if self.testing_cost > 0 else float("inf")


def shares(therapies, reach, worth) -> dict[str, float]:
    """Best use of nested access: per line group what is worth more first, as far as access goes.

    reach: therapy -> accessible share (times sub-population); worth: therapy -> value per treated.
    The first n drugs, scarcest first, may together use what the commonest of them allows. Drugs worth
    nothing are used only as far as people would have got them blind.
    """
    out: dict[str, float] = {}
    for group in sorted({t.line_group for t in therapies}):
        mine = sorted((t for t in therapies if t.line_group == group), key=lambda t: (reach(t), t.therapy))
        limits = [reach(t) for t in mine]
        used = [0.0] * len(mine)
        blind = sum(t.u0 for t in mine)
        for n in sorted(range(len(mine)), key=lambda n: -worth(mine[n])):
            room = max(0.0, min(limits[m] - sum(used[: m + 1]) for m in range(n, len(mine))))
            wanted = room if worth(mine[n]) > 0 else min(room, max(0.0, blind - sum(used)))
            used[n] = wanted
        out |= {t.therapy: share for t, share in zip(mine, used, strict=True)}
    return out


def evaluate(u: UseCase, ind: Indication, option: ServiceOption, therapies, reach,
             threshold: float | None = None) -> Standalone:
    """One service alone, with access as ``reach`` says.

    Drugs are used for health (as the plan does); with a ``threshold`` only as far as each adds health
    worth its cost.
    """
    result = option.result(u.biomarker)
    true, false = u.called(result)
    pi = u.drug_prevalence

    def gain(t: TherapyOption) -> float:
        h, hneg = t.effects.carrier["qalys"], t.effects.noncarrier["qalys"]
        return true * h + false * hneg

    def worth(t: TherapyOption) -> float:  # per share of access used: only the fit are treated
        return t.fit * (gain(t) - ((true + false) * t.m / threshold if threshold else 0.0))

    taken = shares(therapies, reach, worth)
    qalys = cost = treated = 0.0
    exact = True
    for t in therapies:
        h, hneg = t.effects.carrier["qalys"], t.effects.noncarrier["qalys"]
        given = result.eta * t.fit * taken[t.therapy]
        blind = result.eta * t.fit * t.u0
        qalys += given * gain(t) - blind * (pi * h + (1 - pi) * hneg)
        cost += (given * (true + false) - blind) * t.m
        treated += given * (true + false)
        exact &= t.m_kind == "incremental" or given == 0
    used = tuple(t.therapy for t in therapies if taken[t.therapy] > 0)
    return Standalone(option.service, qalys, option.cost + ind.workup_cost, cost, exact, treated, used)


def offered(u: UseCase, ind: Indication) -> list[ServiceOption]:
    """Services that tell carriers from others better than chance."""
    return [s for s in ind.services if (r := s.result(u.biomarker)) and r.se + r.sp > 1]


def measured(u: UseCase) -> list[TherapyOption]:
    return [t for t in u.therapies if t.effects.pair("qalys") is not None]


def reach_of(at_ceiling: bool):
    """Accessible share of positives: today's, or the ceiling if access were bought."""
    return lambda t: (max(t.alpha, t.amax) if at_ceiling else t.alpha) * t.sub


def best(u: UseCase, ind: Indication, at_ceiling: bool = False) -> Standalone | None:
    """The service with the lowest all-in cost per QALY, drugs used for health."""
    found = [evaluate(u, ind, s, measured(u), reach_of(at_ceiling)) for s in offered(u, ind)]
    if not found or not measured(u):
        return None
    return min(found, key=lambda s: (s.cost_per_qaly is None, s.cost_per_qaly or 0.0, s.service))


def paying(u: UseCase, ind: Indication, threshold: float, at_ceiling: bool = False) -> Standalone | None:
    """The service and drugs with which the line is worth its cost, or None where there are none.

    Only drugs whose health is worth their cost at the threshold are used, so that one dear drug that
    few can reach does not make the test look dear.
    """
    found = [evaluate(u, ind, s, measured(u), reach_of(at_ceiling), threshold) for s in offered(u, ind)]
    pays = [s for s in found if s.qalys > 1e-12 and s.net_health(threshold) >= 0]
    return max(pays, key=lambda s: (s.net_health(threshold), s.service)) if pays else None


@dataclass(frozen=True)
class PayingPrice:
    """Highest gross cost of a course of one therapy, USD, at which its line pays, others not used."""

    therapy: str
    name: str
    price: float
    course_cost: float


def price_that_pays(u: UseCase, ind: Indication, threshold: float) -> PayingPrice | None:
    """The therapy nearest to paying, and its price; None where even a free course would not pay.

    One drug at a time: tests and that drug alone against the health it brings.
    """
    out = []
    for t in measured(u):
        for s in offered(u, ind):
            ceiling = max(t.alpha, t.amax) * t.sub if t.alpha <= 0 else t.alpha * t.sub
            # the others are not used, but what they bring untested patients is lost or saved all the same
            alone = evaluate(u, ind, s, measured(u), lambda d, mine=t, share=ceiling: share if d is mine else 0.0)
            if alone.treated > 1e-12 and alone.qalys > 0:
                excess = alone.testing_cost + alone.incremental_cost - threshold * alone.qalys
                price = t.course_cost - excess / alone.treated
                if 0 < price < t.course_cost:
                    out.append(PayingPrice(t.therapy, t.name, price, t.course_cost))
    return max(out, key=lambda p: (p.price / p.course_cost if p.course_cost else 0.0, p.therapy), default=None)
