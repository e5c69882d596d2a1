"""Where one way of testing overtakes another: by volume, and by the number of biomarkers.

The home laboratory at a volume of one test: instruments for this test alone, as many as its runs need, runs that are
at least its schedule, reagents, labour and fees; against the same test elsewhere at its price with transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.pathway.costing import average_cost, break_even, whole
from planner.pathway.problem import HomeAssay, HomeLaboratory, Indication, ServiceOption

VOLUMES = (10, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400)
MOST = 20_000  # samples a year up to which a break-even is sought


@dataclass(frozen=True)
class AtVolume:
    """The cheapest way to run a test at home at a volume: USD per sample, platform, runs a year (0: each by itself)."""

    cost: float
    platform: str
    runs_a_year: float


def at_home(home: HomeLaboratory, a: HomeAssay, samples: float, transport: float = 0.0) -> AtVolume:
    """Average cost per sample of a test that has the laboratory to itself, by the cheapest platform and schedule."""
    platforms = {p.platform: p for p in home.platforms}
    ways = []
    for name, positions in a.platforms:
        p = platforms[name]
        for n in (0.0, *a.schedules):
            runs = max(n, samples / positions) if n else samples
            used = p.used(samples, runs, positions)
            spare = p.existing * p.runs_per_year
            bought = max(0, whole((used - spare) / p.runs_per_year)) if used > spare else 0
            fixed = bought * p.yearly_cost + a.quality_fee + home.quality_fee
            per_sample = a.per_sample + a.labour + transport + (0.0 if n else a.per_run)
            cost = average_cost(samples, fixed + (runs * a.per_run if n else 0.0), 0.0, 1.0, 0.0, 1.0, per_sample)
            ways.append((cost, name, n))
    return AtVolume(*min(ways))


def by_volume(home: HomeLaboratory, a: HomeAssay, elsewhere: Mapping[str, float], transport: float = 0.0) -> list[dict]:
    """Rows of the curve: volume, cost at home, price in each laboratory elsewhere (USD per sample)."""
    rows = []
    for n in VOLUMES:
        own = at_home(home, a, n, transport)
        rows.append({"assay": a.assay, "name": a.name, "samples": n, "own_cost": own.cost, "platform": own.platform,
                     "runs_a_year": own.runs_a_year, "hub_cost": elsewhere.get("hub"),
                     "send_out_cost": elsewhere.get("send_out")})
    return rows


def volume(home: HomeLaboratory, a: HomeAssay, price: float, transport: float = 0.0, most: int = MOST) -> int | None:
    """Samples a year from which the test is cheaper at home at every volume up to ``most``; None where never."""
    known: dict[int, float] = {}

    def own(n: int) -> float:
        if n not in known:
            known[n] = at_home(home, a, n, transport).cost
        return known[n]

    return break_even(own, lambda _: price, most)


def singles_for(ind: Indication, biomarkers: list[str], options: Mapping[str, ServiceOption], people: Mapping[str, float],
                ) -> list[float]:
    """Cost per eligible patient of the single tests of the first, the first two, ... biomarkers."""
    total, out = 0.0, []
    for b in biomarkers:
        total += options[b].cost * people[b]
        out.append(total)
    return out


def by_number(ind: Indication, biomarkers: list[str], options: Mapping[str, ServiceOption], people: Mapping[str, float],
              ) -> list[dict]:
    """Rows: a panel against single tests for the first n of its biomarkers (in the order given), USD per patient."""
    rows = []
    for panel in (s for s in ind.services if s.kind == "base"):
        mine = [b for b in biomarkers if panel.result(b) and b in options]
        costs = singles_for(ind, mine, options, people)
        first = next((n for n, cost in enumerate(costs, 1) if cost >= panel.cost), None)
        rows += [{"service": panel.service, "name": panel.name, "biomarkers": n, "added": b, "singles_cost": cost,
                  "panel_cost": panel.cost, "break_even": first} for n, (b, cost) in enumerate(zip(mine, costs, strict=True), 1)]
    return rows
