"""Constraints of one indication: work-up, results, prerequisites, coverage and access.

One function per constraint. ``f`` is the :class:`planner.optimise.formulation.Formulation` whose
variables they bind; ``mine`` are the results taken (:class:`Taken`) of the indication and year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pulp

from planner.optimise.row import NONE, Row, add
from planner.optimise.terms import TINY
from planner.pathway.arrays import many, most, some
from planner.pathway.problem import Indication, TherapyOption

if TYPE_CHECKING:
    from planner.optimise.formulation import Formulation, Taken


def work_up(f: Formulation, ind: Indication, T, t: int) -> None:
    """Bases exclude each other: their shares sum to the share worked up."""
    row: Row = {T: -1.0}
    for name in (NONE, *(s.service for s in ind.services)):
        y = f.y.get((ind.region, ind.indication, name, t))
        if y is not None:
            add(row, y, 1.0)
    f.constrain(f"workup_{ind.region}_{ind.indication}_{t + 1}", row, pulp.LpConstraintEQ, 0)


def one_result_per_biomarker(f: Formulation, ind, base: str, mine, y, t: int) -> None:
    """Within a base a result for b is taken once: its singles, or the base's own."""
    for b in sorted({k.source.biomarker for k in mine if k.source.base == base}):
        row: Row = {y: -1.0}
        for k in mine:
            if k.source.base == base and k.source.biomarker == b:
                add(row, k.q, 1.0)
        f.constrain(
            f"once_{ind.region}_{ind.indication}_{b}_{base}_{t + 1}", row, pulp.LpConstraintLE, 0
        )


def prerequisites(f: Formulation, ind, base: str, mine, cases, t: int) -> None:
    """Within a base b is read only where its prerequisite is known.

    One that the scenario excludes, or that has no number for the objective, is never known, so b is not
    read. One that is no active use case here for another reason (no drug of its own, below the gate) cannot
    be enforced through q and is left to the note of the plan.
    """
    active = {u.biomarker for u in cases}
    unknown = {u.biomarker for u in ind.use_cases if u.excluded or (u.active and u.biomarker not in active)}
    for u in cases:
        for required in u.requires:
            if required not in active and required not in unknown:
                continue
            row: Row = {}
            for k in mine:
                if k.source.base == base and k.source.biomarker == u.biomarker:
                    add(row, k.q, 1.0)
                if k.source.base == base and k.source.biomarker == required:
                    add(row, k.q, -1.0)
            if any(c > 0 for c in row.values()):
                f.constrain(
                    f"first_{ind.region}_{ind.indication}_{u.biomarker}_{required}_{base}_{t + 1}",
                    row, pulp.LpConstraintLE, 0,
                )


def treated_within_worked_up(f: Formulation, ind, base: str, mine, y, t: int) -> None:
    """Per decision and base: people given a matched drug never exceed people worked up."""
    groups = {d.line_group for k in mine for d, _ in k.x + k.v if k.source.base == base}
    for group in sorted(groups):
        row: Row = {y: -1.0}
        biomarkers = set()
        for k in mine:
            if k.source.base != base:
                continue
            result = k.option.result(k.source.biomarker)
            called = k.use_case.subgroup * sum(k.use_case.called(result)) * result.eta
            for d, variable in k.x + k.v:
                if d.line_group == group:
                    add(row, variable, called)
                    biomarkers.add(k.source.biomarker)
        if len(biomarkers) > 1:
            f.constrain(
                f"treated_{ind.region}_{ind.indication}_{group}_{base}_{t + 1}",
                row, pulp.LpConstraintLE, 0,
            )


def coverage_limits(f: Formulation, ind, cases, mine, T, t: int) -> None:
    """Coverage of b at most kap; the share worked up at most the largest kap."""
    T.upBound = max(u.kap for u in cases)
    for u in cases:
        row = {k.q: 1.0 for k in mine if k.source.biomarker == u.biomarker}
        if row:
            f.constrain(
                f"cover_{ind.region}_{ind.indication}_{u.biomarker}_{t + 1}",
                row, pulp.LpConstraintLE, u.kap,
            )
        if row and f.scenario.access.mode == "selective":
            f.constrain(
                f"reach_{ind.region}_{ind.indication}_{u.biomarker}_{t + 1}",
                {k.qa: 1.0 for k in mine if k.source.biomarker == u.biomarker},
                pulp.LpConstraintLE, f.reach(u),
            )


def access(f: Formulation, k: Taken) -> None:
    """Access within each line group: today's, the ceiling if bought, and never below blind use."""
    selective = f.scenario.access.mode == "selective"
    scale = most(f.reach(k.use_case), TINY) if selective else 1.0
    tag = "_".join(map(str, k.source[:5])) + f"_{k.source.year + 1}"
    for group in sorted({d.line_group for d in k.use_case.therapies}):
        mine = [d for d in k.use_case.therapies if d.line_group == group]
        if f.levers or scale > 0:
            line_group(f, k, f"{tag}_{group}", mine, scale)
    if selective:
        f.constrain(f"reached_{tag}", {k.qa: 1.0, k.q: -1.0}, pulp.LpConstraintLE, 0)


def line_group(f: Formulation, k: Taken, tag: str, mine: list[TherapyOption], scale: float) -> None:
    """Rows of one line group of a taken result; ``scale`` is A in selective mode, else 1."""
    names = {d.therapy for d in mine}
    x = {d.therapy: variable for d, variable in k.x if d.therapy in names}
    v = {d.therapy: variable for d, variable in k.v if d.therapy in names}
    nested(f, f"access_{tag}", {d.therapy: d.alpha * d.sub / scale for d in mine}, [x], k.qa)
    if v:
        ceiling = {d.therapy: f.ceiling(d) * d.sub / scale for d in mine}
        nested(f, f"ceiling_{tag}", ceiling, [x, v], k.qa)
    for d in mine:
        if d.therapy in v:
            more = (f.ceiling(d) - d.alpha) * d.sub / scale
            f.constrain(f"bought_{tag}_{d.therapy}", {v[d.therapy]: 1.0, k.qa: -more}, pulp.LpConstraintLE, 0)
    blind = sum(d.u0 for d in mine) / scale
    if f.levers or some(blind):  # nobody is denied by being tested what he would get blind
        row: Row = dict.fromkeys([*x.values(), *v.values()], 1.0)
        f.put(row, k.qa, -1.0 * blind)
        f.constrain(f"blind_{tag}", row, pulp.LpConstraintGE, 0)


def nested(f: Formulation, name: str, reach: dict, variables: list[dict], qa) -> None:
    """Nested access: whoever gets the scarcer drug could have got the commoner one.

    ``reach``: accessible share by therapy. For each therapy: it and all scarcer ones together use no
    more than it allows.
    """
    mine = {t: [group[t] for group in variables if t in group] for t in sorted(reach)}
    for last in mine:
        row: Row = {}
        for therapy, used in mine.items():
            for variable in used:
                f.put(row, variable, within(reach[therapy], reach[last], therapy <= last))
        if row:
            f.put(row, qa, -1.0 * reach[last])
            f.constrain(f"{name}_{last}", row, pulp.LpConstraintLE, 0)


def within(a, b, first: bool):
    """1 where access a is scarcer than b, or as scarce and ``first`` by id; else 0 (one per version)."""
    if many(a, b):
        return np.where((a < b) | ((a == b) & first), 1.0, 0.0)
    return float(a < b or (a == b and first))
