"""Coefficients of the gain, money and people of one taken result, per unit of each variable.

One formula serves all of them (model.md, "What happens without the test"): what those called
positive get, minus what the same people would have got blind. ``k`` is a
:class:`planner.optimise.formulation.Taken`.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.pathway.arrays import most, some
from planner.pathway.problem import Indication, UseCase

TINY = 1e-12  # where nobody can get a drug, nobody gets it blind either: 0 over this is 0


def scale(k) -> tuple[float, float, float]:
    """(asked people with a usable result, true carriers called, non-carriers called)."""
    result = k.option.result(k.source.biomarker)
    return (k.use_case.asked(k.indication.eligible) * result.eta, *k.use_case.called(result))


def health(k, measure: str) -> Iterator[tuple[object, float]]:
    """Health gained by a measure. Therapies without the number contribute nothing."""
    people, true, false = scale(k)
    for d, variable in k.x + k.v:
        pair = d.effects.pair(measure)
        if pair:
            yield variable, people * d.fit * (true * pair[0] + false * pair[1])
    yield k.qa, -people * _blind_health(k, measure)


def _blind_health(k, measure: str) -> float:
    pi = k.use_case.drug_prevalence
    total = 0.0
    for d in k.use_case.therapies:
        pair = d.effects.pair(measure)
        if pair and some(d.u0):
            total += d.fit * u0(k, d) * (pi * pair[0] + (1 - pi) * pair[1])
    return total


def u0(k, d) -> float:
    """Empirical use among those the variable qa stands for (selective mode divides by A)."""
    return d.u0 / most(k.reach, TINY)


def incremental_cost(k) -> Iterator[tuple[object, float]]:
    """Discounted incremental cost against the comparator, all payers."""
    people, true, false = scale(k)
    for d, variable in k.x + k.v:
        yield variable, people * d.fit * (true + false) * d.m
    yield k.qa, -people * sum(d.fit * u0(k, d) * d.m for d in k.use_case.therapies)


def pay_in_year(d, start: int, year: int, years: int) -> float:
    """Cash in plan year ``year`` of a course begun in ``start``.

    A plan of one year is a steady state: the sum over all years of a course.
    """
    if years == 1:
        return sum(d.pay)
    age = year - start
    return d.pay[age] if 0 <= age < len(d.pay) else 0.0


def spending(k, payers, year: int, bought_by: str | None = None) -> Iterator[tuple[object, float]]:
    """Undiscounted gross cash of a year carried by the payers; bought access at full cost.

    With ``bought_by`` given, bought access is counted only in the call for that payer.
    """
    years = k.years
    people, true, false = scale(k)
    payers = tuple(payers)
    for d, variable in k.x:
        cash = pay_in_year(d, k.source.year, year, years) * d.paid_by(payers)
        yield variable, people * d.fit * (true + false) * cash
    if bought_by is None or bought_by in payers:
        for d, variable in k.v:
            cash = pay_in_year(d, k.source.year, year, years)
            yield variable, people * d.fit * (true + false) * cash
    yield k.qa, -people * sum(
        d.fit * u0(k, d) * d.paid_by(payers) * pay_in_year(d, k.source.year, year, years)
        for d in k.use_case.therapies if some(d.u0)
    )


def treated(k) -> Iterator[tuple[object, float]]:
    """People treated, by variable."""
    n, true, false = scale(k)
    for d, variable in k.x + k.v:
        yield variable, n * d.fit * (true + false)


def people(k, drug: str) -> Iterator[tuple[object, float]]:
    """People treated with a drug, difference from no testing."""
    n, true, false = scale(k)
    for d, variable in k.x + k.v:
        if drug in d.drugs:
            yield variable, n * d.fit * (true + false)
    yield k.qa, -n * sum(d.fit * u0(k, d) for d in k.use_case.therapies if drug in d.drugs)


def blind_spending(ind: Indication, u: UseCase, payers, year: int) -> float:
    """R0: money that the payers spend a year with nobody tested (steady state)."""
    return u.asked(ind.eligible) * sum(d.fit * d.u0 * d.paid_by(tuple(payers)) * sum(d.pay) for d in u.therapies)


def blind_people(ind: Indication, u: UseCase, drug: str) -> float:
    """People given a drug a year with nobody tested."""
    return u.asked(ind.eligible) * sum(d.fit * d.u0 for d in u.therapies if drug in d.drugs)
