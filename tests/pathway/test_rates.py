"""One's own prices in money whose year has no exchange rate yet."""

from __future__ import annotations

import pytest

import planner
from planner.errors import BadInput
from planner.pathway.build import build_problem
from planner.scenario.model import Scenario


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def quoted(country: str, currency: str, value: float, year: int = 2024) -> Scenario:
    return Scenario.model_validate({"name": "x", "setting": {"country": country}, "override": [{
        "table": "assay_costs", "key": {"assay_id": "egfr_pcr"}, "column": "cost", "value": value, "currency": currency,
        "year": year, "why": "our supplier's quotation"}]})


@pytest.mark.parametrize(("country", "currency"), [("COL", "COP"), ("VNM", "VND"), ("POL", "PLN")])
def test_the_latest_rate_stands_in_and_is_told(country, currency, evidence):
    last = max(r["year"] for r in evidence.records("exchange_rates", currency=currency))
    assert last == 2023  # once a rate of 2024 is in the evidence it is used, and this test looks at another currency
    rate = evidence.record("exchange_rates", currency=currency, year=last)["per_usd"]
    scenario = quoted(country, currency, 100 * rate)
    (fact,) = [f for f in build_problem(evidence, scenario).facts if f.parameter == "cost of the assay" and "egfr_pcr" in f.key
               and "ctdna" not in f.key]
    assert fact.value == pytest.approx(100) and fact.quality == "D"
    assert fact.note == f"our supplier's quotation; exchange rate of 2023 for money of 2024: {currency} has no rate of that year"
    (told,) = [w for w in planner.plan(scenario, evidence).document["warnings"] if w["code"] == "earlier_exchange_rate"]
    assert "2023" in told["text"] and currency in told["text"] and told["figure"] == 1


def test_money_with_a_rate_of_its_year_is_not_warned_of(evidence):
    plan = planner.plan(quoted("COL", "COP", 400_000, 2023), evidence)
    assert not [w for w in plan.document["warnings"] if w["code"] == "earlier_exchange_rate"]


def test_a_rate_too_old_is_none(evidence):
    with pytest.raises(BadInput) as caught:
        build_problem(evidence, quoted("COL", "COP", 400_000, 2030))
    assert "COP" in caught.value.issues[0].what
