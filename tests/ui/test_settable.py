"""How each number in use is set, and what is typed for it: without a page."""

from __future__ import annotations

import pandas as pd
import pytest

import planner
from planner.errors import BadInput
from planner.pathway.build import build_problem
from planner.result.views import provenance
from planner.scenario.scenario import dumps, load, loads
from planner.ui import changes, settable, tables
from planner.ui.settable import CASES, NONE, OVERRIDE, SETTING


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def shown(evidence, scenario) -> pd.DataFrame:
    """The table of the page, of a problem."""
    rows = [provenance(f) for f in build_problem(evidence, scenario).facts]
    return tables.facts({"provenance": rows}, {}, {})


def typed(value: str, **more) -> dict:
    return {"value": value, "why": "our own count", **more}


@pytest.fixture(scope="module")
def kenya(evidence):
    return shown(evidence, load("kenya"))


def fact(facts: pd.DataFrame, number: str, key: str) -> dict:
    (found,) = facts[facts["Number"].eq(number) & facts["key"].eq(key)].to_dict("records")
    return found


def another(f) -> str:
    """Another number, typed as the page asks for it."""
    value = (f["Value"] or 0.5) * 0.83
    return f"{value * 100:.4g}" if f["Unit"] == "share" else f"{value:.4g}" if value < 1e6 else f"{value:,.0f}"


@pytest.mark.parametrize("name", ["kenya", "texas", "hospital_kenya"])
def test_one_number_of_each_kind_is_set_to_what_was_typed(evidence, name):
    """Edited one after the other as on the page, then planned: each stands there exactly, as the planner's own."""
    mine = load(name).model_copy(update={"parent": name})
    facts = shown(evidence, mine)
    wanted = {}
    for f in facts.drop_duplicates("Number").to_dict("records"):
        way = settable.way(f, mine, evidence)
        if way.kind == NONE:
            assert len(way.why) > 40 and f["Number"] == "new cases a year", f["Number"]
            continue
        text = another(f)
        mine = settable.taken(mine, way, typed(text), evidence)
        wanted[f["Number"], f["key"]] = float(text.replace(",", "")) / (100 if f["Unit"] == "share" else 1)
    after = shown(evidence, loads(dumps(mine), mine.name))
    for (number, key), value in wanted.items():
        found = fact(after, number, key)
        assert found["Value"] == pytest.approx(value, rel=1e-15) and found["level"] == "scenario", (number, key)
        assert number == "people a year in the hospital" or settable.known(found["shipped"]), number
    assert len(wanted) > 25


def test_every_number_of_kenya_is_set_or_says_what_to_set_instead(evidence, kenya):
    mine, ways = load("kenya"), {}
    for f in kenya.to_dict("records"):
        way = settable.way(f, mine, evidence)
        ways.setdefault(way.kind, []).append(f)
        if way.kind == OVERRIDE:
            own = {"table": way.table, "column": way.column, "key": dict(way.key), "value": f["Value"], "why": "as it was"}
            assert settable.override_issues(evidence, settable.Override.model_validate(own)) == [], f
        if way.instead:
            instead = settable.way(fact(kenya, *way.instead), mine, evidence)
            assert instead.kind == OVERRIDE, f
    assert set(ways) == {OVERRIDE, SETTING, NONE} and len(ways[SETTING]) == 1
    assert {f["Number"] for f in ways[NONE]} == {"new cases a year"} and len(ways[NONE]) == 4


def test_in_a_region_the_country_s_count_points_to_the_region_s(evidence):
    mine = load("texas")
    facts = shown(evidence, mine)
    whole = [f for f in facts.to_dict("records") if f["table"] == "incidence" and f["own_key"] is None
             and not f["Note"].startswith("rate")]
    assert len(whole) == 5
    for f in whole:
        way = settable.way(f, mine, evidence)
        assert "whole country" in way.why and settable.way(fact(facts, *way.instead), mine, evidence).kind == OVERRIDE


def test_a_price_abroad_says_how_it_is_changed(evidence):
    mine = load("kenya", {"laboratory": {"costing": "micro"}})
    f = next(f for f in shown(evidence, mine).to_dict("records") if f["Number"] == "price in a laboratory abroad")
    assert "--evidence" in settable.way(f, mine, evidence).why


def test_a_drug_s_reach_of_one_s_own_goes_before_its_payers(evidence, kenya):
    f = fact(kenya, "access to the drug, household", "imatinib/cml/household")
    stated = load("kenya", {"access": {"drugs": {"imatinib": 0.5}}})
    way = settable.way(f, stated, evidence)
    assert way.kind == NONE and "imatinib" in way.why
    limited = load("kenya", {"access": {"drugs": {"imatinib": {"courses": 100}}}})
    assert settable.way(f, limited, evidence).kind == OVERRIDE


def test_a_hospital_s_cases_and_the_value_of_a_healthy_year_are_settings(evidence):
    mine = load("hospital_kenya").model_copy(update={"parent": "hospital_kenya"})
    facts = shown(evidence, mine)
    cases = settable.way(fact(facts, "people a year in the hospital", "cml"), mine, evidence)
    worth = settable.way(fact(facts, "value of a QALY", "KEN"), mine, evidence)
    assert (cases.kind, worth.kind) == (CASES, SETTING)
    new = settable.taken(settable.taken(mine, cases, {"value": "11"}, evidence), worth, {"value": "1,250.5"}, evidence)
    assert new.cases == mine.cases | {"cml": 11} and new.value_of_qaly == 1250.5
    assert settable.taken(new, settable.Way(SETTING), {"value": "900"}, evidence).value_of_qaly == 900
    back = changes.without(new, settable.change(worth, new))
    assert back.value_of_qaly == "national" and back.cases == new.cases
    with pytest.raises(BadInput):
        settable.taken(mine, worth, {"value": "0"}, evidence)


# -- an own number in the scenario ----------------------------------------------------------------------------


def test_an_own_number_is_replaced_and_not_doubled(evidence, kenya):
    mine = load("kenya")
    share = settable.way(fact(kenya, "prevalence", "breast_early/her2"), mine, evidence)
    cost = settable.way(fact(kenya, "cost of the assay", "her2_ihc"), mine, evidence)
    new = settable.taken(settable.taken(mine, share, typed("22"), evidence), cost, typed("9", source="Tender 7"), evidence)
    new = settable.taken(new, share, typed("25", low="20", high="30"), evidence)
    assert [(o.value, o.low, o.high, o.source) for o in new.override] == [(0.25, 0.2, 0.3, ""), (9, None, None, "Tender 7")]
    change = settable.change(share, new)
    assert [o.value for o in changes.without(new, change).override] == [9]
    assert settable.change(share, mine) is None


def test_what_holds_for_others_names_them(kenya):
    donors = fact(kenya, "access to the drug, household", "imatinib/cml/household")
    assert len(settable.also(kenya, donors)) == 3
    dose = fact(kenya, "dose a month", "paclitaxel/*")
    assert settable.also(kenya, dose) and all("paclitaxel" in words for words in settable.also(kenya, dose))
    special = next(k for k in kenya["key"] if k.startswith("paclitaxel/") and k != "paclitaxel/*")
    assert settable.also(kenya, fact(kenya, "dose a month", special)) == []
    assert settable.also(kenya, fact(kenya, "prevalence", "breast_early/her2")) == []


def test_parts_of_a_laboratory_go_when_it_has_tariffs_again(evidence):
    mine = load("kenya", {"laboratory": {"costing": "micro"}, "override": [
        {"table": "platforms", "key": {"platform_id": "ihc_bench"}, "column": "capital_cost", "value": 5000, "why": "an offer"},
        {"table": "assays", "key": {"assay_id": "her2_ihc"}, "column": "failure", "value": 0.1, "why": "our audit"}]})
    assert [o.table for o in changes.costed(mine, False).override] == ["assays"]
    assert len(changes.costed(mine, True).override) == 2


# -- what is typed --------------------------------------------------------------------------------------------


SHARE = settable.Way(OVERRIDE, "prevalence", "share", {"indication_id": "breast_early", "biomarker_id": "her2"}, percent=True)
PRICE = settable.Way(OVERRIDE, "assay_costs", "cost", {"assay_id": "her2_ihc"})


@pytest.mark.parametrize(("text", "way", "value"), [
    ("12.71", SHARE, 0.1271), ("12.71 %", SHARE, 0.1271), ("0", SHARE, 0.0), ("100", SHARE, 1.0), (".5", SHARE, 0.005),
    ("1,250", PRICE, 1250.0), ("1,250,000.5", PRICE, 1250000.5), (" 60 ", PRICE, 60.0), ("6e1", PRICE, 60.0),
])
def test_numbers_as_they_are_typed(text, way, value):
    own, faults = settable.read(typed(text), way, 2024)
    assert (own["value"], faults) == (value, [])
    assert settable.read(typed(settable.untyped(value, way.percent)), way, 2024)[0]["value"] == value


@pytest.mark.parametrize(("fields", "way", "told"), [
    (typed(""), SHARE, {"value": "it is empty"}),
    (typed("a quarter"), SHARE, {"value": "“a quarter” is no number"}),
    (typed("0,25"), PRICE, {"value": "is no number"}), (typed("1e999"), PRICE, {"value": "is no number"}),
    (typed("nan"), PRICE, {"value": "is no number"}), (typed("."), PRICE, {"value": "is no number"}),
    (typed("5 %"), PRICE, {"value": "is no number"}),
    ({"value": "20", "why": "  "}, SHARE, {"why": "it is missing"}), ({"value": "20"}, SHARE, {"why": "it is missing"}),
    ({"value": "x", "why": "no"}, SHARE, {"value": "is no number", "why": "it is missing"}),
    (typed("20", low="30", high="10"), SHARE, {"low": "above the high end"}),
    (typed("20", low="30", high="40"), SHARE, {"value": "between low and high"}),
    (typed("20", low="10"), SHARE, {"high": "two ends"}), (typed("20", high="30"), SHARE, {"low": "two ends"}),
])
def test_what_cannot_be_read_is_told_by_its_field(fields, way, told):
    _, faults = settable.read(fields, way, 2024)
    assert {f.where: f.what for f in faults}.keys() == told.keys()
    assert all(words in next(f.what for f in faults if f.where == where) for where, words in told.items())


def test_impossible_numbers_are_told_with_all_else(evidence):
    with pytest.raises(BadInput) as error:
        settable.taken(load("kenya"), SHARE, {"value": "150"}, evidence)
    assert "1.5 is impossible (150 %)" in str(error.value) and "reason" in str(error.value)
    with pytest.raises(BadInput, match="impossible"):
        settable.taken(load("kenya"), PRICE, typed("-5"), evidence)


def test_money_in_its_currency_and_year(evidence):
    assert settable.read(typed("60", currency="USD", year=2024), PRICE, 2024)[0].keys() == {"value", "why"}
    new = settable.taken(load("kenya"), PRICE, typed("5000", currency="KES", year=2022), evidence)
    assert (new.override[0].currency, new.override[0].year) == ("KES", 2022)
    with pytest.raises(BadInput, match="no rate"):
        settable.taken(load("kenya"), PRICE, typed("5000", currency="KES", year=1991), evidence)
    assert "currency" not in settable.read(typed("20", currency="KES", year=2022), SHARE, 2024)[0]


def test_units_as_the_page_shows_them(kenya):
    assert settable.typed_unit("share", SHARE, 2024) == "%" and settable.exact(0.12714, "share") == "12.71 %"
    assert settable.typed_unit("USD per test", PRICE, 2024) == "per test"
    assert settable.exact(91.8, "USD per test") == "US$ 91.8 per test"
    assert settable.typed_unit("USD per QALY", settable.Way(SETTING), 2024) == "US$ per QALY, prices of 2024"
    assert settable.exact(1234567.0, "cases a year") == "1,235,000 cases a year"
