"""Incremental cost-effectiveness of strategies of which only one can be chosen.

Strategies in order of cost; one is *dominated* where another is at least as effective and costs no more
(and is better in one of the two), *extendedly dominated* where a mixture of two others is more effective at
its cost. What is left is the frontier; each of its members is compared with the one before it (Paulden
2020, PharmacoEconomics 38:785; Weinstein & Stason 1977, New England Journal of Medicine 296:716). The
reference is the cheapest member of the frontier, by name, whatever is called usual care.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from planner.errors import BadInput, Issue

STATUS = {"frontier": "best value", "extended": "beaten by a mix of two others",
          "dominated": "beaten: another brings as much for no more money"}
LINE = 1e-12  # a strategy that lies on the line between two others, to rounding, is not dominated


@dataclass(frozen=True)
class Compared:
    """One strategy. ``against``: the member of the frontier before it, None for the reference and for what
    is dominated, which have no increments either. ``icer``: USD per unit of effect. ``equals``: the
    strategy of the same cost and effect that was given before it; both are on the frontier, or neither.
    ``icer_to_reference``: against the reference whatever lies between; None where it is no more effective."""

    name: str
    cost: float
    effect: float
    status: str
    against: str | None = None
    added_cost: float | None = None
    added_effect: float | None = None
    icer: float | None = None
    icer_to_reference: float | None = None
    equals: str | None = None


@dataclass(frozen=True)
class Ladder:
    """Strategies compared: the frontier by cost first, then the extendedly dominated, then the dominated."""

    reference: str
    rows: tuple[Compared, ...]

    @property
    def frontier(self) -> tuple[Compared, ...]:
        return tuple(r for r in self.rows if r.status == "frontier")

    def best(self, threshold: float) -> str:
        """The strategy of greatest net benefit at a value of a unit of effect; the cheaper one of equals."""
        chosen = self.reference
        for r in self.frontier:
            if r.equals is None and r.icer is not None and r.icer < threshold:
                chosen = r.name
        return chosen

    def row(self, name: str) -> Compared:
        return next(r for r in self.rows if r.name == name)

    def frame(self) -> pd.DataFrame:
        """The rows as a fresh frame."""
        return pd.DataFrame([vars(r) for r in self.rows])


def ladder(names: Sequence[str], cost: Sequence[float], effect: Sequence[float]) -> Ladder:
    """Strategies with their mean cost (USD) and effect (any unit, more is better), in any order.

    Raises BadInput where there is none, a name comes twice, the lengths differ or a number is not finite.
    """
    _checked(names, cost, effect)
    every = sorted(zip(map(float, cost), (-float(e) for e in effect), range(len(names)), names, strict=True))
    points: list[tuple[float, float, list[str]]] = []  # (cost, effect, names), equal ones together
    dominated: list[Compared] = []
    for c, minus, _, name in every:
        if points and (c, -minus) == points[-1][:2]:
            points[-1][2].append(name)
        elif points and -minus <= points[-1][1]:
            dominated.append(Compared(name, c, -minus, "dominated"))
        else:
            points.append((c, -minus, [name]))
    hull, between = _hull(points)
    reference = hull[0][2][0]
    extended = [Compared(name, c, e, "extended", equals=same[0] if n else None)
                for c, e, same in between for n, name in enumerate(same)]
    firsts = {(r.cost, r.effect): r.name for r in reversed(dominated)}
    dominated = [r if (first := firsts[r.cost, r.effect]) == r.name else _but(r, equals=first) for r in dominated]
    rows = [*_climbed(hull), *extended, *dominated]
    return Ladder(reference, tuple(_but(r, icer_to_reference=_ratio(r, hull[0])) for r in rows))


def _checked(names, cost, effect) -> None:
    where = "strategies"
    if not names or not len(names) == len(cost) == len(effect):
        raise BadInput([Issue(where, f"{len(names)} names, {len(cost)} costs, {len(effect)} effects",
                              "give a name, a cost and an effect for each of one or more strategies")])
    twice = sorted({n for n in names if list(names).count(n) > 1})
    wrong = [n for n, c, e in zip(names, cost, effect, strict=True) if not (math.isfinite(c) and math.isfinite(e))]
    issues = [Issue(f"{where}, {n}", "the name comes twice", "give each strategy a name of its own") for n in twice]
    issues += [Issue(f"{where}, {n}", "cost or effect is not a number", "leave the strategy out or give both") for n in wrong]
    if issues:
        raise BadInput(issues)


def _hull(points):
    """(frontier, extendedly dominated) of points that rise in cost and effect."""
    hull: list = []
    for p in points:
        while len(hull) > 1 and _above(hull[-2], hull[-1], p):
            hull.pop()
        hull.append(p)
    return hull, [p for p in points if p not in hull]


def _above(a, b, c) -> bool:
    """Whether b costs more than the mixture of a and c that is as effective."""
    dear, cheap = (b[0] - a[0]) * (c[1] - b[1]), (c[0] - b[0]) * (b[1] - a[1])
    return dear - cheap > LINE * max(abs(dear), abs(cheap))


def _climbed(hull) -> list[Compared]:
    out = []
    before = None
    for c, e, same in hull:
        for n, name in enumerate(same):
            row = Compared(name, c, e, "frontier", equals=same[0] if n else None)
            if before:
                added, gained = c - before[0], e - before[1]
                row = _but(row, against=before[2][0], added_cost=added, added_effect=gained, icer=added / gained)
            out.append(row)
        before = (c, e, same)
    return out


def _ratio(r: Compared, reference) -> float | None:
    return (r.cost - reference[0]) / (r.effect - reference[1]) if r.effect > reference[1] else None


def _but(r: Compared, **changes) -> Compared:
    return Compared(**(vars(r) | changes))
