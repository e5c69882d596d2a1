"""The formulas of a laboratory's cost against counting: sums, integrals, a year of batches, a scan of all volumes."""

from __future__ import annotations

import math
import random
from itertools import product

import numpy as np
import pytest

from planner.pathway.costing import (
    DAYS_A_YEAR,
    annuity,
    average_cost,
    break_even,
    mean_wait,
    runs_for,
    still_waiting,
    whole,
    yearly_cost,
)


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.03, 0.045, 0.2])
@pytest.mark.parametrize("years", [1, 5, 10, 40])
def test_annuity_is_the_sum_of_discounted_years(rate, years):
    assert annuity(years, rate) == pytest.approx(sum((1 + rate) ** -t for t in range(1, years + 1)), rel=1e-8)


@pytest.mark.parametrize(("rate", "life", "free"), [(0.0, 5, 0), (0.03, 5, 1), (0.045, 10, 2), (0.1, 7, 7)])
def test_yearly_cost_pays_the_instrument_back(rate, life, free):
    """Paid every year it is worth the price of the instrument; the contract is what its paid years add up to."""
    capital, contract = 206_654.0, 28_300.0
    paid = yearly_cost(capital, life, rate)
    assert sum(paid * (1 + rate) ** -t for t in range(1, life + 1)) == pytest.approx(capital)
    spread = sum(contract for year in range(life) if year >= free) / life
    assert yearly_cost(capital, life, rate, contract, free) == pytest.approx(paid + spread)


def waits(interval: float, runs: int = 1, steps: int = 200_000) -> np.ndarray:
    """Days until the next run of samples that come evenly; runs at the end of each interval."""
    came = (np.arange(steps) + 0.5) / steps * interval * runs
    return np.ceil(came / interval) * interval - came


@pytest.mark.parametrize("runs", [1, 4, 12, 52, 365])
def test_mean_wait_is_the_mean_over_a_year(runs):
    found = waits(DAYS_A_YEAR / runs, runs, steps=runs * 1000)
    assert mean_wait(runs) == pytest.approx(found.mean(), rel=1e-9)


@pytest.mark.parametrize("rate", [0.0, 1e-15, 1e-9, 0.001, 0.01, 0.2, 3.0])
@pytest.mark.parametrize("interval", [0.5, 7.0, 30.4, 365.0])
def test_still_waiting_is_the_mean_over_the_interval(rate, interval):
    """The mid-point rule is off by less than (rate x interval / steps)^2 / 24 of the value at the wait of 0."""
    found = np.exp(-rate * waits(interval)).mean()
    assert still_waiting(rate, interval) == pytest.approx(found, abs=(rate * interval / 200_000) ** 2 + 1e-12)


def test_still_waiting_has_no_step_where_the_formula_changes():
    assert still_waiting(0.999e-12, 1.0) == pytest.approx(still_waiting(1.001e-12, 1.0), rel=1e-11)


def a_year(samples: int, positions: int, scheduled: int) -> tuple[int, int]:
    """(runs started, samples done) of a year in which the samples come evenly.

    A scheduled run takes what waits, up to its positions, and starts even if nobody waits; another one follows it
    while a full one waits. What is left at the end of the year goes into one last run.
    """
    came = [(i + 0.5) / samples for i in range(samples)]
    waiting = runs = done = n = 0

    def start():
        nonlocal waiting, runs, done
        taken = min(waiting, positions)
        waiting, done, runs = waiting - taken, done + taken, runs + 1

    for when in [(k + 1) / scheduled for k in range(scheduled)] or [1.0]:
        while n < samples and came[n] <= when + 1e-12:
            n, waiting = n + 1, waiting + 1
        if scheduled:
            start()
        while waiting >= positions:
            start()
    if waiting:
        start()
    return runs, done


@pytest.mark.parametrize(("samples", "positions", "scheduled"), list(product(
    (1, 7, 8, 95, 96, 97, 1000, 24_892), (1, 8, 24, 96), (0, 1, 12, 52, 250))))
def test_average_cost_is_a_year_of_batches(samples, positions, scheduled):
    """The money of the year added up receipt by receipt; costs that no two of them can be mistaken for each other."""
    fixed, instrument, capacity, run, sample = 10_007.0, 5_003.0, 300, 101.0, 7.0
    runs, done = a_year(samples, positions, scheduled)
    assert done == samples and runs == whole(runs_for(samples, positions, scheduled))
    spent, left = fixed, samples
    while left > 0:
        spent, left = spent + instrument, left - capacity
    for _ in range(runs):
        spent += run
    for _ in range(done):
        spent += sample
    assert average_cost(samples, fixed, instrument, capacity, run, positions, sample, scheduled) \
        == pytest.approx(spent / samples, rel=1e-12)


def test_nothing_is_paid_for_what_costs_nothing():
    """Without an instrument or run to pay their capacity is of no matter."""
    assert average_cost(10, 50.0, 0.0, 0.0, 0.0, 0.0, 2.0) == pytest.approx(7.0)


@pytest.mark.parametrize(("quantity", "next_one"), [
    (0.0, 0), (3.0, 3), (3.0 + 1e-12, 3), (96 / 19.2, 5), (0.3 / 0.1, 3), (3.001, 4), (0.2, 1)])
def test_whole_is_the_next_number_but_for_rounding(quantity, next_one):
    assert whole(quantity) == next_one


def scan(cheaper, dearer, most: int) -> int | None:
    """The least volume with no dearer one from there on, by looking at every volume from every start."""
    holds = [cheaper(n) <= dearer(n) * (1 + 1e-12) for n in range(1, most + 1)]
    return next((n for n in range(1, most + 1) if all(holds[n - 1:])), None)


def crossings(cheaper, dearer, most: int) -> int:
    holds = [cheaper(n) <= dearer(n) * (1 + 1e-12) for n in range(1, most + 1)]
    return sum(a != b for a, b in zip(holds, holds[1:]))


def curve(rng: random.Random):
    """Cost per sample with steps: instruments, runs part filled, a fixed part."""
    positions = rng.choice([4, 10, 16, 24])
    numbers = {"fixed": rng.choice([0.0, 500.0, 2_000.0]), "per_instrument": rng.choice([0.0, 1_000.0, 4_000.0]),
               "capacity": rng.choice([30, 50, 120]), "per_run": positions * rng.choice([0.0, 30.0, 50.0, 60.0]),
               "positions": positions, "per_sample": rng.choice([20.0, 40.0, 60.0]),
               "scheduled": rng.choice([0, 0, 12])}
    return lambda n: average_cost(n, **numbers)


def test_break_even_is_the_scan_of_every_volume():
    """Four hundred pairs of curves; a good part of them cross more than once."""
    rng, found, often = random.Random(20), [], 0
    for _ in range(400):
        one, other, most = curve(rng), curve(rng), rng.choice([40, 90, 400])
        found.append(break_even(one, other, most))
        assert found[-1] == scan(one, other, most)
        often += crossings(one, other, most) > 1
    assert often > 20
    assert None in found and 1 in found and any(n not in (None, 1) for n in found)


def test_break_even_where_the_curves_cross_several_times():
    """Own runs of 10 at 900 against 100 a sample sent out: cheaper from 9 to 10, from 18 to 20, and so on."""
    own, sent = (lambda n: average_cost(n, 0, 0, 1, 900.0, 10, 0.0)), (lambda n: 100.0)
    assert crossings(own, sent, 100) == 15
    assert [break_even(own, sent, most) for most in (100, 72, 71, 70, 10, 11)] == [72, 72, None, 63, 9, None]


def test_break_even_of_straight_costs_is_the_quotient():
    """fixed / (price - per sample), rounded up."""
    for fixed, price, per_sample in ((1_000.0, 12.0, 2.0), (1_001.0, 12.0, 2.0), (159_500.0, 10.0, 1.86)):
        least = break_even(lambda n, f=fixed, v=per_sample: f / n + v, lambda n, p=price: p, 100_000)
        assert least == math.ceil(fixed / (price - per_sample) - 1e-9)
    assert break_even(lambda n: 3.0, lambda n: 2.0, 50) is None
    assert break_even(lambda n: 2.0, lambda n: 2.0, 50) == 1
