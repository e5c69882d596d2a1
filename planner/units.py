"""Money, price years and discounting."""

from __future__ import annotations

import math

from planner.errors import BadInput, Issue


def to_base_usd(amount: float, currency: str, year: int, evidence) -> float:
    """Own currency of its price year -> US dollars of that year -> dollars of the base year.

    Exchange rates are yearly means, the deflator is the US consumer price index. Raises
    :class:`BadInput` naming the missing rate or index; nothing is assumed.
    """
    usd = amount if currency == "USD" else amount / _rate(currency, year, evidence)
    if year == evidence.base_year:
        return usd
    return usd * _index(evidence.base_year, evidence) / _index(year, evidence)


def _rate(currency: str, year: int, evidence) -> float:
    row = evidence.record("exchange_rates", currency=currency, year=year)
    if not row:
        raise BadInput([Issue("exchange_rates", f"no rate for {currency} in {year}",
                              "add the row (units of the currency per US dollar, mean of the year)")])
    return row["per_usd"]


def _index(year: int, evidence) -> float:
    row = evidence.record("deflators", year=year)
    if not row:
        raise BadInput([Issue("deflators", f"no US price index for {year}", "add the row")])
    return row["index"]


def local_cost(usd: float, traded_share: float, price_level: float, origin_price_level: float,
               import_markup: float) -> float:
    """A cost carried over to another price level: traded parts at world price with a mark-up,
    local parts (labour, overhead) by the ratio of price levels."""
    traded, local = usd * traded_share, usd * (1 - traded_share)
    return traded * (1 + import_markup) + local * price_level / origin_price_level


def annuity(years: float, rate: float) -> float:
    """Present value of one unit a year over ``years``, paid continuously."""
    force = math.log1p(rate)
    return years if force == 0 else -math.expm1(-force * years) / force


def discounted_exponential_mean(mean: float, rate: float, horizon: float) -> float:
    """Discounted expected years under an exponential of the given mean, truncated at the horizon:
    the integral of exp(-t / mean) (1 + rate)^-t from 0 to the horizon."""
    force = 1 / mean + math.log1p(rate)
    return -math.expm1(-force * horizon) / force
