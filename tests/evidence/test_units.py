"""Money and time against hand calculations."""

from __future__ import annotations

import math

import pytest

from planner.errors import BadInput
from planner.units import annuity, discounted_exponential_mean, local_cost, to_base_usd


def test_money_by_hand(evidence):
    assert to_base_usd(1065, "KES", 2020, evidence) == pytest.approx(10 * 313.689 / 258.811, rel=1e-12)
    assert to_base_usd(7, "USD", 2024, evidence) == 7


@pytest.mark.parametrize(("currency", "year", "table", "words"), [
    ("EUR", 2020, "exchange_rates", "EUR in 2020"), ("USD", 1999, "deflators", "for 1999"),
    ("KES", 2024, "exchange_rates", "KES in 2024"),
])
def test_missing_rate_is_named(evidence, currency, year, table, words):
    with pytest.raises(BadInput) as error:
        to_base_usd(1, currency, year, evidence)
    issue, = error.value.issues
    assert issue.where == table and words in issue.what


def test_rate_of_zero_is_no_rate(load, tables):
    tables["exchange_rates"][0]["per_usd"] = 0
    with pytest.raises(BadInput, match="KES in 2020"):
        to_base_usd(1, "KES", 2020, load(tables))


def test_annuity():
    r = math.log(1.03)
    assert annuity(10, 0.03) == pytest.approx((1 - math.exp(-10 * r)) / r, rel=1e-14)
    assert annuity(10, 0) == 10
    assert annuity(1e-9, 0.03) == pytest.approx(1e-9, rel=1e-8)


def test_discounted_exponential_mean_against_the_sum():
    mean, rate, horizon, n = 2.5, 0.03, 7.0, 200_000
    step = horizon / n
    total = math.fsum(math.exp(-t / mean) * 1.03**-t * step for t in ((k + 0.5) * step for k in range(n)))
    assert discounted_exponential_mean(mean, rate, horizon) == pytest.approx(total, rel=1e-8)
    assert discounted_exponential_mean(mean, 0, math.inf) == pytest.approx(mean)
    assert discounted_exponential_mean(0, 0.03, 5) == 0
    assert discounted_exponential_mean(math.inf, 0.03, 5) == pytest.approx(annuity(5, 0.03))


def test_local_cost_by_hand():
    # 100 dollars in a country of price level 1: 60 traded + 20 % mark-up, 40 local at 0.4.
    assert local_cost(100, 0.6, 0.4, 1.0, 0.2) == pytest.approx(72 + 16)
    assert local_cost(100, 1.0, 0.4, 1.0, 0.0) == 100
