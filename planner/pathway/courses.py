"""What a course of treatment costs: drug, wastage, administration and monitoring.

Prices are those of :meth:`Values.drug_price` (never scaled by price level); giving and monitoring
are local services. Mean duration is used, not the median.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np

from planner.pathway.arrays import exp, least, most
from planner.pathway.resolve_values import Values, present
from planner.units import annuity

LN2 = math.log(2)
ECHOCARDIOGRAM_MONTHS = 3  # monitoring interval with HER2 antibodies, trastuzumab label


def mean_months(duration: float, kind: str, cap: float | None) -> float:
    """Mean months on treatment. A median of an exponential has the mean median / ln 2; a cap
    truncates it. The duration may be an array of versions."""
    if kind in ("fixed", "mean"):
        return least(duration, cap) if present(cap) else duration
    mean = duration / LN2
    return mean * (1 - exp(-cap / mean)) if present(cap) else mean


@dataclass(frozen=True)
class Course:
    """Cash of a course: undiscounted by year, discounted total; what is missing, in words."""

    by_year: tuple[float, ...]
    discounted: float
    missing: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return sum(self.by_year)


def spread(monthly: float, months: float, upfront: float, rate: float) -> Course:
    """Cash by year of an even monthly cost over ``months`` and an amount at the start."""
    years = max(1, math.ceil(float(np.max(months)) / 12 - 1e-9))  # the longest of many versions
    by_year = [monthly * most(0.0, least(12.0, months - 12 * j)) for j in range(years)]
    by_year[0] = by_year[0] + upfront
    return Course(tuple(by_year), upfront + 12 * monthly * annuity(months / 12, rate))


def plus(a: Course, b: Course) -> Course:
    n = max(len(a.by_year), len(b.by_year))
    years = tuple(
        sum(c.by_year[j] for c in (a, b) if j < len(c.by_year)) for j in range(n)
    )
    return Course(years, a.discounted + b.discounted, a.missing + b.missing)


EMPTY = Course((0.0,), 0.0)


def dose(values: Values, drug: str, indication: str) -> dict | None:
    """Dosing row of a drug; one for the indication beats one for all."""
    for scope in (indication, "*"):
        row = values.evidence.record("dosing", drug=drug, indication_id=scope)
        if row:
            return row
    return None


def drug_course(values: Values, drug: str, indication: str, months: float, rate: float) -> Course:
    """One drug over ``months``: amount with wastage, and its administrations."""
    row, price = dose(values, drug, indication), values.drug_price(drug)
    missing = [f"dose of {drug}"] * (row is None) + [f"price of {drug}"] * (price is None)
    if missing:
        return Course((0.0,), 0.0, tuple(missing))
    if not price.unit.endswith(row["unit"]):
        return Course((0.0,), 0.0, (f"price of {drug} per {row['unit']}",))
    amount = values.row_fact("dosing", row, "amount_per_month", "dose a month",
                             f"{row['unit']} a month", drug=drug, indication_id=row["indication_id"])
    bought = price.value / (1 - row["wastage"])
    monthly = amount.value * bought
    upfront = (row["loading_amount"] or 0.0) * bought if present(row["loading_amount"]) else 0.0
    if row["administrations_per_month"] > 0:
        infusion = values.local_money("administration_costs", "cost of an administration",
                                      "USD each", item="infusion")
        if infusion is None:
            return Course((0.0,), 0.0, ("cost of an administration",))
        monthly = monthly + row["administrations_per_month"] * infusion.value  # not in place: it may be drawn
    return spread(monthly, months, upfront, rate)


def monitoring(values: Values, drugs: list[str], months: float, rate: float) -> Course:
    """A month's visits and laboratory; echocardiograms with HER2 antibodies."""
    records = [values.evidence.record("drugs", drug=d) for d in drugs]
    item = "oral_month" if all(r["route"] == "oral" for r in records) else "infusion_month"
    if all(r["drug_class"].lower().startswith("endocrine") for r in records):
        item = "endocrine_month"
    month = values.local_money("administration_costs", "monitoring", "USD a month", item=item)
    if month is None:
        return Course((0.0,), 0.0, ("cost of monitoring",))
    monthly = month.value
    if any(r["drug_class"].lower().startswith("her2") and r["route"] != "oral" for r in records):
        echo = values.local_money("administration_costs", "echocardiogram", "USD each",
                                  item="echocardiogram")
        if echo is None:
            return Course((0.0,), 0.0, ("cost of an echocardiogram",))
        monthly = monthly + echo.value / ECHOCARDIOGRAM_MONTHS  # not in place: it may be drawn
    return spread(monthly, months, 0.0, rate)


def course(values: Values, drugs: list[tuple[str, float]], indication: str, rate: float,
           watched: bool = True) -> Course:
    """A regimen: (drug, months) pairs, with monitoring over the longest of them."""
    total = EMPTY
    for drug, months in drugs:
        total = plus(total, drug_course(values, drug, indication, months, rate))
    if watched and drugs:
        longest = reduce(most, (months for _, months in drugs))
        total = plus(total, monitoring(values, [d for d, _ in drugs], longest, rate))
    return total
