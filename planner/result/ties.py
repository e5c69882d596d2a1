"""Ties: what could stand in the plan at the same health and the same cost."""

from __future__ import annotations

import numpy as np

from planner.optimise.resolve import Engine, Optimum

SAME = 1e-7
TRIAL = 0.01  # share of patients moved to try a tie


def find_ties(engine: Engine, optimum: Optimum) -> list[dict]:
    """Services that are not in the plan but could be, at equal health and equal cost.

    Candidates have a zero reduced cost in the cheapest-plan stage; they are tried by re-solving, so that a
    degenerate vertex names none falsely.
    """
    if not optimum.shadow_prices and engine.scenario.mode == "evaluate":
        return []
    plan, best = optimum.plan, optimum.best
    money = np.abs(engine.money_cost).max() or 1.0
    names: dict[tuple, int] = {}
    funded = {key for key, columns in engine.q_columns.items() if plan.values[columns].sum() > 1e-9}
    for k in engine.formulation.taken:
        column = engine.column(k.q)
        if k.use_case.requires and (k.source.region, k.use_case.id) not in funded:
            continue  # degenerate: held at zero by its prerequisite, not by a tie
        if plan.values[column] <= 1e-9 and abs(plan.reduced_costs[column]) <= 1e-9 * money + 0.01 \
                and abs(best.reduced_costs[column]) <= 1e-7:
            names.setdefault((k.source.region, k.use_case.id, k.source.service), column)
    tied = _held(engine, list(names.values()), float(engine.money_cost @ plan.values))
    return [
        {"region": region, "use_case": use_case, "service": service,
         "text": f"{service} could serve {use_case} at the same health and cost"}
        for (region, use_case, service), column in sorted(names.items()) if column in tied
    ]


def _held(engine: Engine, columns: list[int], money: float) -> set[int]:
    """Columns that can hold a hundredth of the patients in some plan of equal health and cost. The largest
    sum of all of them shows some; what stays at nothing is asked again without those, until none is left:
    a sum that cannot rise says that none of its parts can."""
    limit = money + SAME * max(1.0, abs(money))
    found: set[int] = set()
    while columns:
        values = engine.most_of(columns, limit)
        held = {c for c, v in zip(columns, values, strict=True) if v >= TRIAL}
        if not held:
            break
        found |= held
        columns = [c for c in columns if c not in held]
    return found
