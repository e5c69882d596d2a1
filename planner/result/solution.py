"""The decisions of a plan as plain rows, so that anybody can check them without the solver."""

from __future__ import annotations

import numpy as np

from planner.optimise.resolve import Engine
from planner.result.readout import DUST


def solution(engine: Engine, values: np.ndarray) -> dict[str, list[dict]]:
    """Decisions above zero, as shares of the eligible (or asked) patients of an indication and year.

    ``work_up``: share worked up, and given each base; ``results``: share whose result for a biomarker is
    taken from a service within a base, and the part of it with access (``random`` access: all);
    ``treated``: of those results the share that gets a therapy if called positive, by today's access and
    by access bought.
    """
    f = engine.formulation

    def share(variable) -> float:
        value = float(values[engine.column(variable)])
        return value if value >= DUST else 0.0

    bases: dict[tuple, dict[str, float]] = {}
    for (region, indication, base, t), y in sorted(f.y.items()):
        if share(y) > 0:
            bases.setdefault((region, indication, t), {})[base] = share(y)
    work_up = [{"region": r, "indication_id": i, "year": t + 1, "share": share(T), "bases": bases.get((r, i, t), {})}
               for (r, i, t), T in sorted(f.T.items()) if share(T) > 0]
    results, treated = [], []
    for k in sorted((k for k in f.taken if share(k.q) > 0), key=lambda k: k.source):
        s = k.source
        where = {"region": s.region, "indication_id": s.indication, "biomarker_id": s.biomarker, "base": s.base,
                 "service": s.service, "year": s.year + 1}
        results.append(where | {"share": share(k.q), "with_access": share(k.qa)})
        bought = {d.therapy: share(v) for d, v in k.v}
        treated += [where | {"therapy": d.therapy, "today": share(v), "bought": bought.pop(d.therapy, 0.0)}
                    for d, v in k.x if share(v) > 0 or bought.get(d.therapy, 0.0) > 0]
        treated += [where | {"therapy": d, "today": 0.0, "bought": b} for d, b in sorted(bought.items()) if b > 0]
    return {"work_up": work_up, "results": results, "treated": treated}
