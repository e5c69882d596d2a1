"""Money, price years and discounting. Pure functions.

Rates are yearly, durations in years; discounting is continuous at the force ln(1 + rate), the
continuous equivalent of the yearly rate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import BadInput, Issue

if TYPE_CHECKING:
    from planner.evidence.base import Evidence

LATE = 3  # years that a rate may be older than the price that it converts
EARLIER_RATE = "exchange rate of"  # how such a stand-in is told, and recognised


def to_base_usd(amount: float, currency: str, year: int, evidence: Evidence) -> float:
    """Own currency of its price year -> US dollars of that year -> dollars of the base year.

    Exchange rates are yearly means, the deflator is the US consumer price index: the usual order
    for traded goods (Turner et al. 2019, Value in Health 22:1026). Where a year has no rate yet, that of the latest
    year before stands in (:func:`rate_year`), which whoever uses it says. Raises :class:`BadInput` naming the missing rate
    or index; nothing is assumed.
    """
    usd = amount if currency == "USD" else amount / _rate(currency, year, evidence)
    if year == evidence.base_year:
        return usd
    return usd * _index(evidence.base_year, evidence) / _index(year, evidence)


def _rate(currency: str, year: int, evidence: Evidence) -> float:
    found = rate_year(currency, year, evidence)
    if found is None:
        raise BadInput([Issue("exchange_rates", f"no rate for {currency} in {year}",
                              "add the row (units of the currency per US dollar, mean of the year)",
                              "missing_rate")])
    return evidence.record("exchange_rates", currency=currency, year=found)["per_usd"]


def rate_year(currency: str, year: int, evidence: Evidence) -> int | None:
    """The year whose mean rate turns money of a year into dollars: its own, else the latest one shortly before."""
    return next((y for y in range(year, year - LATE - 1, -1)
                 if evidence.record("exchange_rates", currency=currency, year=y).get("per_usd")), None)  # 0 is none either


def stand_in(currency: str | None, year: int, evidence: Evidence) -> str:
    """What to say of money that an earlier year's rate turns into dollars; nothing where its own year has one."""
    used = None if currency in (None, "USD") else rate_year(currency, year, evidence)
    return "" if used in (None, year) else f"{EARLIER_RATE} {used} for money of {year}: {currency} has no rate of that year"


def _index(year: int, evidence: Evidence) -> float:
    row = evidence.record("deflators", year=year)
    if not row.get("index"):
        raise BadInput([Issue("deflators", f"no US price index for {year}", "add the row",
                              "missing_deflator")])
    return row["index"]


def local_cost(cost_usd: float, traded_share: float, price_level: float,
               origin_price_level: float, import_markup: float) -> float:
    """A cost carried over to another price level: traded parts at world price with a mark-up,
    local parts (labour, overhead) by the ratio of price levels (data.md, rule 4)."""
    traded, local = cost_usd * traded_share, cost_usd * (1 - traded_share)
    return traded * (1 + import_markup) + local * price_level / origin_price_level


def annuity(years: float, rate: float) -> float:
    """Present value of one unit a year over ``years``, paid continuously."""
    return _lived(years, math.log1p(rate))


def discounted_exponential_mean(mean_years: float, rate: float, horizon: float) -> float:
    """Discounted expected years under an exponential of the given mean, truncated at the horizon:
    the integral of exp(-t / mean) (1 + rate)^-t from 0 to the horizon (which may be infinite)."""
    return _lived(horizon, 1 / mean_years + math.log1p(rate)) if np.any(mean_years) else 0.0


def _lived(years: float, force: float) -> float:
    """Integral of exp(-force t) from 0 to ``years``; expm1 keeps the digits of small forces."""
    if isinstance(force, np.ndarray) or isinstance(years, np.ndarray):  # many versions at once
        return -np.expm1(-force * years) / force
    return years if force == 0 else -math.expm1(-force * years) / force
