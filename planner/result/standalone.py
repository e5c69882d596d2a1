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

    @property
    def cost_per_qaly(self) -> float | None:
        if self.qalys <= 1e-12:
            return None
        return (self.testing_cost + self.incremental_cost) / self.qalys

    @property
    def qalys_per_testing_dollar(self) -> float:
        return self.qalys / self.testing_cost if self.testing_cost > 0 else float("inf")


def shares(therapies, reach) -> dict[str, float]:
    """Best use of nested access: per line group the larger gain first, as far as access goes.

    reach: therapy -> accessible share (times sub-population). The first n drugs, scarcest first,
    may together use what the commonest of them allows.
    """
    out: dict[str, float] = {}
    for group in sorted({t.line_group for t in therapies}):
        mine = sorted((t for t in therapies if t.line_group == group), key=lambda t: (reach(t), t.therapy))
        limits = [reach(t) for t in mine]
        used = [0.0] * len(mine)
        order = sorted(range(len(mine)), key=lambda n: -mine[n].effects.carrier["qalys"])
        for n in order:
            if mine[n].effects.carrier["qalys"] <= 0:
                continue
            used[n] = max(0.0, min(limits[m] - sum(used[: m + 1]) for m in range(n, len(mine))))
        out |= {t.therapy: share for t, share in zip(mine, used, strict=True)}
    return out


def evaluate(u: UseCase, ind: Indication, option: ServiceOption, therapies, reach) -> Standalone:
    """One service alone, with access as ``reach`` says."""
    result = option.result(u.biomarker)
    true, false = u.called(result)
    pi = u.drug_prevalence
    taken = shares(therapies, reach)
    qalys = cost = treated = 0.0
    exact = True
    for t in therapies:
        h, hneg = t.effects.carrier["qalys"], t.effects.noncarrier["qalys"]
        given = result.eta * t.fit * taken[t.therapy]
        blind = result.eta * t.fit * t.u0
        qalys += given * (true * h + false * hneg) - blind * (pi * h + (1 - pi) * hneg)
        cost += (given * (true + false) - blind) * t.m
        treated += given * (true + false)
        exact &= t.m_kind == "incremental" or given == 0
    return Standalone(option.service, qalys, option.cost + ind.workup_cost, cost, exact, treated)


def best(u: UseCase, ind: Indication, at_ceiling: bool = False) -> Standalone | None:
    """The service with the lowest all-in cost per QALY for this use case alone."""
    therapies = [t for t in u.therapies if t.effects.pair("qalys") is not None]
    options = [s for s in ind.services
               if (r := s.result(u.biomarker)) and r.se + r.sp > 1]
    if not therapies or not options:
        return None

    def reach(t: TherapyOption) -> float:
        return (max(t.alpha, t.amax) if at_ceiling else t.alpha) * t.sub

    found = [evaluate(u, ind, s, therapies, reach) for s in options]
    return min(found, key=lambda s: (s.cost_per_qaly is None, s.cost_per_qaly or 0.0, s.service))
