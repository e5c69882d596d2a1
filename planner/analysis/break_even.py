"""Where one way of testing overtakes another: by volume, and by the number of biomarkers.

The home laboratory at a volume of one test: instruments for this test alone, as many as its runs need, runs that are
at least its schedule, reagents, labour and fees; against the same test elsewhere at its price with transport. Every
schedule of the scenario is tried: those of the plan are only the ones worth a thought at the volume of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.pathway.problem import HomeAssay, HomeLaboratory, Platform, ServiceOption

VOLUMES = (10, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400)
MOST = 20_000  # samples a year up to which a break-even is sought
MARGIN = 0.05  # of sensitivity + specificity - 1: a single test that is worse by more does not replace a panel's result


@dataclass(frozen=True)
class AtVolume:
    """The cheapest way to run a test at home at a volume: USD per sample, platform, runs a year (0: each by itself)."""

    cost: float
    platform: str
    runs_a_year: float


def _ways(a: HomeAssay, schedules: Sequence[float]) -> list[tuple[str, float, float]]:
    """(platform, samples of a full run, runs a year); by itself only what does not need several samples to start."""
    alone = () if a.least_in_run > 1 else (0.0,)
    return [(name, positions, n) for name, positions in a.platforms for n in (*alone, *sorted(set(schedules)))]


def _each(home: HomeLaboratory, a: HomeAssay, p: Platform, positions: float, n: float, samples: np.ndarray, transport: float,
          ) -> np.ndarray:
    """USD per sample of one platform and schedule at each volume; infinite where too few samples come for its runs."""
    runs = np.maximum(n, samples / positions) if n else samples
    used = p.used(samples, runs, positions)
    bought = np.maximum(0.0, np.ceil((used - p.existing * p.runs_per_year) / p.runs_per_year - 1e-9))
    fixed = bought * p.yearly_cost + a.quality_fee + home.quality_fee + (runs * a.per_run if n else 0.0)
    cost = fixed / samples + a.per_sample + a.labour + transport + (0.0 if n else a.per_run)
    return np.where(samples < n * a.least_in_run, np.inf, cost) if a.least_in_run > 1 else cost


def at_home(home: HomeLaboratory, a: HomeAssay, samples: float, transport: float, schedules: Sequence[float]) -> AtVolume:
    """Average cost per sample of a test that has the laboratory to itself, by the cheapest platform and schedule."""
    platforms, volume_ = {p.platform: p for p in home.platforms}, np.array([float(samples)])
    return min((AtVolume(float(_each(home, a, platforms[name], positions, n, volume_, transport)[0]), name, n)
                for name, positions, n in _ways(a, schedules)), key=lambda w: (w.cost, w.platform, w.runs_a_year))


def by_volume(home: HomeLaboratory, a: HomeAssay, elsewhere: Mapping[str, float], schedules: Sequence[float]) -> list[dict]:
    """Rows of the curve: volume, cost at home, price in each laboratory elsewhere (USD per sample)."""
    rows = []
    for n in VOLUMES:
        own = at_home(home, a, n, home.transport, schedules)
        rows.append({"assay": a.assay, "name": a.name, "samples": n, "own_cost": own.cost if np.isfinite(own.cost) else None,
                     "platform": own.platform, "runs_a_year": own.runs_a_year, "hub_cost": elsewhere.get("hub"),
                     "send_out_cost": elsewhere.get("send_out")})
    return rows


def volume(home: HomeLaboratory, a: HomeAssay, price: float, transport: float, schedules: Sequence[float], most: int = MOST,
           ) -> int | None:
    """Samples a year from which the test is cheaper at home at every volume up to ``most``; None where never."""
    platforms, samples = {p.platform: p for p in home.platforms}, np.arange(1.0, most + 1)
    own = np.full(most, np.inf)
    for name, positions, n in _ways(a, schedules):
        own = np.minimum(own, _each(home, a, platforms[name], positions, n, samples, transport))
    dearer = np.flatnonzero(own > price * (1 + 1e-12))
    first = int(dearer[-1]) + 2 if len(dearer) else 1
    return first if first <= most else None


# -- panel against single tests ------------------------------------------------------------------------------


def worth_as_much(panel: ServiceOption, biomarker: str, singles: Sequence[ServiceOption]) -> list[ServiceOption]:
    """Single tests whose sensitivity + specificity is at most ``MARGIN`` below the panel's, or, where all are worse, below
    that of the most accurate of them."""
    def sure(s: ServiceOption) -> float:
        r = s.result(biomarker)
        return (r.se if r.sensitivity is None else r.sensitivity) + (r.sp if r.specificity is None else r.specificity)

    least = min(sure(panel), max(map(sure, singles))) - MARGIN
    return [s for s in singles if sure(s) >= least]


def by_number(panels: Sequence[ServiceOption], biomarkers: Sequence[str], singles: Mapping[str, Sequence[ServiceOption]],
              people: Mapping[str, float], price: Callable[[ServiceOption], float]) -> list[dict]:
    """Rows: a panel against single tests for the first n of its biomarkers (in the order given), USD per eligible
    patient in full. For each biomarker the single test that a buyer who wants what the panel tells would take: of those
    about as accurate the cheapest, wherever it is run."""
    rows = []
    for panel in panels:
        mine = [(b, min(worth_as_much(panel, b, singles[b]), key=lambda s: (price(s), s.service)))
                for b in biomarkers if panel.result(b) and singles.get(b)]
        costs = list(np.cumsum([price(s) * people[b] for b, s in mine]).astype(float))
        first = next((n for n, cost in enumerate(costs, 1) if cost >= price(panel)), None)
        rows += [{"service": panel.service, "name": panel.name, "biomarkers": n, "added": b, "single": s.name,
                  "single_cost": price(s) * people[b], "singles_cost": cost, "panel_cost": price(panel), "break_even": first}
                 for n, ((b, s), cost) in enumerate(zip(mine, map(float, costs), strict=True), 1)]
    return rows
