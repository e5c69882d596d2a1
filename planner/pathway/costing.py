"""What a laboratory's test costs at a volume: instruments, runs, samples, and the wait for a run.

Fixed + batch + variable, as micro-costing studies of sequencing build it up (van Nimwegen 2016, Clin Chem
62:1458: annuity of the instrument, service contract, costs per sample). Money in one currency and year, volumes
in samples a year. The functions take plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

DAYS_A_YEAR = 365.0


def annuity(years: float, rate: float) -> float:
    """Present value of 1 a year over ``years``, paid at the end of each year; ``years`` at a rate of 0."""
    return years if rate == 0 else (1 - (1 + rate) ** -years) / rate


def yearly_cost(capital: float, life_years: float, rate: float, service: float = 0.0, free_years: float = 0.0) -> float:
    """Cost a year of one instrument: its annuity, and the service contract spread over its life.

    service: contract a year; free_years: years at the start in which the supplier bears it.
    """
    return capital / annuity(life_years, rate) + service * (life_years - free_years) / life_years


def runs_for(samples: float, positions: float, scheduled: float = 0.0) -> float:
    """Runs a year: at least the scheduled ones, paid for part filled, and as many as the samples fill."""
    return max(scheduled, samples / positions)


def room(positions: float, full: float) -> tuple[float, float]:
    """(of a sample, of the controls of a run) shares of the places of an instrument's run, which different tests fill together.

    positions: places of a run; full: samples of one test that fill it beside their controls. A sample takes as many
    places as leave some for controls, where there are any; what the samples cannot fill is the controls'. Without known
    places the controls take none.
    """
    if positions <= 0:
        return 1 / full, 0.0
    each = max(1, math.floor(positions / (full + 1) + 1e-9))
    return each / positions, max(0.0, 1 - each * full / positions)


def whole(quantity: float) -> int:
    """The next whole number, where rounding of the arithmetic is no reason for one more."""
    return math.ceil(quantity - 1e-9)


def mean_wait(runs_a_year: float) -> float:
    """Mean days until the next scheduled run of a sample that comes at any time: half the interval."""
    return DAYS_A_YEAR / runs_a_year / 2


def still_waiting(rate: float, interval: float) -> float:
    """Share of patients who still wait for the result when the next run starts.

    rate: share a day who start treatment without it; interval: days between runs; the sample comes at any time
    of the interval. The mean of exp(-rate x wait).
    """
    lost = rate * interval
    return -math.expm1(-lost) / lost if lost > 1e-12 else 1.0


def average_cost(samples: float, fixed: float, per_instrument: float, capacity: float, per_run: float,
                 positions: float, per_sample: float, scheduled: float = 0.0) -> float:
    """Cost per sample at a volume.

    fixed: a year whatever the volume; per_instrument: a year and instrument, each of which does ``capacity`` samples;
    per_run: of a run with ``positions`` samples, of which ``scheduled`` a year start even if part filled.
    """
    instruments = whole(samples / capacity) if per_instrument else 0
    runs = whole(runs_for(samples, positions, scheduled)) if per_run else 0
    return (fixed + per_instrument * instruments + per_run * runs) / samples + per_sample


def break_even(cheaper: Callable[[int], float], dearer: Callable[[int], float], most: int) -> int | None:
    """The smallest volume from which ``cheaper`` costs no more per sample than ``dearer`` at every volume up to
    ``most``; None where it never does (fixed costs come in steps, so that the curves may cross several times)."""
    least = None
    for n in range(most, 0, -1):
        if cheaper(n) > dearer(n) * (1 + 1e-12):
            break
        least = n
    return least
