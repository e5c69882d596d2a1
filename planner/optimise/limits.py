"""Limits and floors of the scenario: money, people, supply, growth, mandates.

One function per constraint; ``f`` is the :class:`planner.optimise.formulation.Formulation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulp

from planner.errors import BadInput, Issue
from planner.optimise import terms
from planner.optimise.row import Row, add, merge
from planner.pathway.problem import UseCase

if TYPE_CHECKING:
    from planner.optimise.formulation import Formulation


def limits(f: Formulation) -> None:
    for t in range(f.problem.years):
        for axis in ("testing", "treatment", "total"):
            limit = f.scenario.limit(axis, t)
            if limit is not None:
                f.constrain(f"budget_{axis}_{t + 1}", f.axis(axis, t),
                                pulp.LpConstraintLE, f.right_hand_side(axis, t, limit))
        people(f, t)
        courses(f, t)
        ramp(f, t)


def people(f: Formulation, t: int) -> None:
    for who in ("technician_minutes", "scientist_minutes", "pathologist_minutes", "board_minutes"):
        limit = getattr(f.scenario.laboratory, who)
        if limit is not None:
            f.constrain(f"people_{who}_{t + 1}", f.minutes(who, t),
                            pulp.LpConstraintLE, limit)


def courses(f: Formulation, t: int) -> None:
    """Fixed supply of a drug: people treated with it, blind ones included."""
    fixed = {c for _, u in f.active() for d in u.therapies for c in d.courses}
    for drug, courses in sorted(fixed):
        row: Row = {}
        blind = sum(terms.blind_people(i, u, drug) for i, u in f.active())
        for k in f.taken:
            if k.source.year == t:
                for variable, coefficient in terms.people(k, drug):
                    add(row, variable, coefficient)
        f.constrain(f"courses_{drug}_{t + 1}", row, pulp.LpConstraintLE, courses - blind)


def ramp(f: Formulation, t: int) -> None:
    ramp = f.scenario.coverage.ramp_per_year
    if ramp is None:
        return
    for _, u in f.active():
        now = f.coverage_row(u, t)
        before = {v: -c for v, c in f.coverage_row(u, t - 1).items()} if t else {}
        today = known_today(f, u) if t == 0 else 0.0
        if now:
            f.constrain(f"ramp_{u.region}_{u.id.replace('/', '_')}_{t + 1}",
                            merge(now, before), pulp.LpConstraintLE, ramp + today)


def known_today(f: Formulation, u: UseCase) -> float:
    """Today's coverage, known or implied: a prerequisite of a line tested today is tested as far."""
    after = [o.kap0 or 0.0 for _, o in f.active()
             if o.region == u.region and o.indication == u.indication and u.biomarker in o.requires]
    return min(u.kap, max([u.kap0 or 0.0, *after]))


def policy(f: Formulation) -> None:
    """Floors: mandated use cases at what can be reached, today's coverage where money is
    counted as additional to today's."""
    for t in range(f.problem.years):
        for _, u in f.active():
            floor = u.kap if u.must_fund else 0.0
            if f.scenario.budget.basis == "additional" and u.kap0 is not None:
                floor = max(floor, min(u.kap0, u.kap))
            row = f.coverage_row(u, t)
            if floor > 0 and not row:
                where = f"policy.must_fund {u.id}" if u.must_fund else f"today's testing of {u.id}"
                raise BadInput([Issue(where, "no service supplies it here",
                                      "offer a service, or set budget.basis to \"all\"")])
            if floor > 0:
                f.constrain(f"floor_{u.region}_{u.id.replace('/', '_')}_{t + 1}", row,
                                pulp.LpConstraintGE, floor)
