"""Comparisons lay a change to the setting, or the row of the evidence, that made it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

import planner
from planner.analysis.changed import against_today
from planner.analysis.compare import compare
from planner.analysis.versions import SILENT, _bears_on, _own_said, laid_over, row_differences
from planner.evidence.base import Evidence, Tables
from planner.report.analyses import printed
from planner.scenario.scenario import load

KEPT = ("breast_early/her2", "breast_early/er_pr", "cml/bcr_abl1", "nsclc_nonsq_advanced/egfr", "nsclc_nonsq_advanced/alk")


@pytest.fixture(scope="module")
def small(evidence, kenya):
    known = [f"{r['indication_id']}/{r['biomarker_id']}" for r in evidence.records("use_cases")]

    def make(name="first", testing=150_000, more=(), **changes):
        return kenya(name=name, budget={"testing": testing}, policy={"exclude": [u for u in known if u not in KEPT] + list(more)},
                     **changes)

    return make


def changed(found) -> dict[str, dict]:
    return {f"{r['indication_id']}/{r['biomarker_id']}": r for r in found.tables["changes"]}


def test_one_setting_did_it(evidence, small):
    found = compare([small(), small("more money", 600_000)], evidence)
    rows = changed(found)
    assert any(r["change"] in ("entered", "more") for r in rows.values())
    (setting,) = found.tables["settings"]
    for row in rows.values():
        assert row["because"] == setting["difference"]


def test_of_two_settings_each_is_laid_to_its_own(evidence, small):
    """Another budget, and bcr_abl1 excluded: its leaving is laid to the exclusion, entries to the money."""
    found = compare([small(), small("two things", 600_000, ["cml/bcr_abl1"])], evidence)
    rows = changed(found)
    assert rows["cml/bcr_abl1"]["change"] == "left"
    why = rows["cml/bcr_abl1"]["because"]
    alone = compare([small(), small("exclusion", 150_000, ["cml/bcr_abl1"])], evidence).tables["settings"]
    assert why == alone[0]["difference"]
    money = compare([small(), small("money", 600_000)], evidence).tables["settings"][0]["difference"]
    entered = [r for line, r in rows.items() if r["change"] == "entered"]
    assert entered and all(money in r["because"] for r in entered)


def test_a_scenario_against_itself_changes_nothing(evidence, small):
    found = compare([small(), small("again")], evidence)
    assert not found.tables["changes"] and not found.tables["settings"]
    outcomes = [r for r in found.tables["outcomes"] if not r["is_reference"]]
    assert {k: v for k, v in outcomes[0].items() if k != "plan"} == {k: v for k, v in outcomes[1].items() if k != "plan"}


def other(evidence, table, change, **key):
    """The evidence with one number of some rows changed."""
    frame = evidence.tables[table].copy()
    mine = pd.Series(True, index=frame.index)
    for column, value in key.items():
        mine &= frame[column] == value
    assert mine.any(), key
    for column, f in change.items():
        frame.loc[mine, column] = frame.loc[mine, column].map(f)
    tables = {name: evidence.tables[name] for name in evidence.tables} | {table: frame}
    return replace(evidence, tables=Tables(tables), version="other", digest="f" * 64)


def test_the_row_that_did_it_is_named(evidence, small):
    """BCR::ABL1 made so rare that it leaves and, at once, ALK a little rarer: the first is named, and only it."""
    both = other(evidence, "prevalence", {"share": lambda s: s * 1e-5}, indication_id="cml", biomarker_id="bcr_abl1")
    both = other(both, "prevalence", {"share": lambda s: s * 0.9999}, indication_id="nsclc_nonsq_advanced", biomarker_id="alk")
    found = compare([small(testing=15_000)], evidence, both)
    moved = changed(found)
    assert moved["cml/bcr_abl1"]["change"] == "left"
    tried = {r["about"]: r for r in found.tables["evidence"]}
    assert set(tried) == {"cml/bcr_abl1", "nsclc_nonsq_advanced/alk"}
    assert "cml/bcr_abl1" in tried["cml/bcr_abl1"]["lines"] and not tried["nsclc_nonsq_advanced/alk"]["lines"]
    assert all(row["because"] == tried["cml/bcr_abl1"]["words"] for row in moved.values())


def test_a_row_of_another_cancer_that_made_room_is_named(evidence, small):
    """Fewer patients with leukaemia leave money for breast cancer; the leukaemia line itself stays as it is."""
    fewer = other(evidence, "incidence_rates", {"rate": lambda r: r * 0.1}, cancer_site="cml")
    found = compare([small(testing=100_000)], evidence, fewer)
    moved = changed(found)
    assert moved and "cml/bcr_abl1" not in moved
    (row,) = found.tables["evidence"]
    assert row["tried"] and set(row["lines"].split("; ")) == set(moved)
    assert all(r["because"] == row["words"] for r in moved.values())


def test_prices_of_all_years_of_an_assay_are_one_difference(evidence):
    """Rows of several years are averaged: tried one by one none of them may move anything."""
    (group,) = row_differences(evidence, other(evidence, "assay_costs", {"cost": lambda c: c * 3}, assay_id="her2_ihc"))
    assert group.name == "her2_ihc" and len(group.before) == len(group.after) > 1


def test_laid_over_one_group_after_another_is_the_other_version(evidence):
    both = other(evidence, "prevalence", {"share": lambda s: s * 0.5}, indication_id="cml", biomarker_id="bcr_abl1")
    both = other(both, "assay_costs", {"cost": lambda c: c * 2}, assay_id="her2_ihc")
    groups = row_differences(evidence, both)
    assert {(g.table, g.name) for g in groups} == {("prevalence", "cml/bcr_abl1"), ("assay_costs", "her2_ihc")}
    now = evidence
    for g in groups:
        now = laid_over(now, g)
    for name in ("prevalence", "assay_costs"):
        key = list(evidence.dictionary.table(name).key)
        a, b = (e.tables[name].sort_values(key).reset_index(drop=True) for e in (now, both))
        pd.testing.assert_frame_equal(a, b)


def test_a_source_alone_is_no_difference(evidence):
    assert not row_differences(evidence, other(evidence, "prevalence", {"note": lambda n: "other words"}, biomarker_id="alk"))


def own(evidence, *rows: dict):
    """The evidence with own numbers of Kenya, as a template's workbook would bring them."""
    frame = evidence.tables["own_values"]
    rows = [{"stratum_type": "country", "stratum": "KEN", "why": "known better"} | r for r in rows]
    made = pd.DataFrame(rows, columns=list(frame.columns)).astype(frame.dtypes.to_dict())
    tables = {name: evidence.tables[name] for name in evidence.tables} | {"own_values": made}
    return replace(evidence, tables=Tables(tables), version="own", digest="e" * 64)


RARE = {"table_name": "prevalence", "key": "indication_id=cml;biomarker_id=bcr_abl1", "column_name": "share", "value": 1e-5,
        "shipped": 0.95}
CHEAP = {"table_name": "drug_prices", "key": "drug=imatinib", "column_name": "price", "value": 0.02, "currency": "USD",
         "year": 2024, "shipped": 0.025}


def test_of_own_numbers_the_one_that_did_it_is_named(evidence, small):
    found = compare([small(testing=15_000)], evidence, own(evidence, RARE, CHEAP | {"key": "drug=pembrolizumab"}))
    moved = changed(found)
    assert moved["cml/bcr_abl1"]["change"] == "left"
    why = "cml/bcr_abl1: share 0.95 becomes 1e-05 (own number, prevalence)"
    assert all(row["because"] == why for row in moved.values())
    words = {r["words"]: r["lines"] for r in found.tables["evidence"]}
    assert set(words) == {why, "pembrolizumab: price 0.025 becomes 0.02 USD of 2024 per mg (own number, drug prices)"}


def test_an_own_number_that_changed_and_one_taken_back(evidence):
    now = [RARE | {"value": 0.5}]
    found = row_differences(own(evidence, RARE, CHEAP), own(evidence, *now))
    assert [(len(g.before), len(g.after)) for g in found] == [(1, 0), (1, 1)]
    said = [_own_said(evidence, g) for g in found]
    assert "price 0.02 becomes 0.025" in said[0] and "share 1e-05 becomes 0.5" in said[1]


def test_why_alone_is_no_difference(evidence):
    assert not row_differences(own(evidence, RARE), own(evidence, RARE | {"why": "other words", "source": "study"}))


def test_a_group_of_own_numbers_bears_on_its_use_case(evidence):
    """A drug's price does not bear on a line of a cancer that the drug is not for."""
    cml, price = row_differences(evidence, own(evidence, RARE, CHEAP))[::-1]
    wanted = {"nsclc_nonsq_advanced/egfr": "left"}
    assert not _bears_on(evidence, evidence, cml, wanted) and not _bears_on(evidence, evidence, price, wanted)
    assert all(_bears_on(evidence, evidence, g, {"cml/bcr_abl1": "left"}) for g in (cml, price))


def test_tables_that_no_plan_reads_are_no_difference(evidence, monkeypatch):
    """What is left out of the differences is just what a plan does not read."""
    read: set[str] = set()

    def watch(name):
        method = getattr(Evidence, name)
        monkeypatch.setattr(Evidence, name, lambda self, table, *rest: read.add(table) or method(self, table, *rest))

    watch("_grouped")
    watch("index")
    for name in ("kenya", "texas"):
        planner.plan(planner.Scenario.load(name), evidence)
    by_parts = load("hospital_kenya", {"laboratory": {"costing": "micro"}}).model_copy(update={"cases": {"crc_stage2_3": 40}})
    planner.plan(by_parts, evidence)
    assert set(evidence.tables) - read == set(SILENT)
    assert not row_differences(evidence, other(evidence, "drug_status", {"detail": lambda v: "other"}, drug="imatinib"))


def test_only_the_priority_changed_and_is_printed(evidence, small):
    """Where the coverage stays, the printed table tells the priorities and not the same share twice."""
    found = compare([small()], evidence)
    row = {"plan": "p", "indication_id": "i", "biomarker_id": "b", "indication": "cancer", "short_name": "test",
           "coverage_before": 0.0, "coverage_after": 0.0, "rank_before": 1, "rank_after": 2, "tier_before": "core",
           "tier_after": "lower_price", "because": ("a price",), "reason": "dear"}
    rows = (row | {"change": "tier"}, row | {"change": "more", "coverage_after": 0.5})
    text = printed(replace(found, tables={**found.tables, "changes": rows}))
    line = next(t for t in text.splitlines() if " tier " in t)
    assert "core" in line and "lower price" in line and "0 %" not in line and "a price" in line
    assert "50 %" in next(t for t in text.splitlines() if " more " in t)


@pytest.mark.parametrize(("today", "after", "word"), [
    (0.0, 0.9, "entered"), (0.37, 0.0, "left"), (0.53, 0.0, "left"), (0.1, 0.9, "more"), (0.8, 0.4, "less"), (0.9, 0.9, "same"),
])
def test_practice_is_no_list_any_testing_counts(today, after, word):
    row = {"indication_id": "i", "biomarker_id": "b", "indication": "I", "short_name": "B", "coverage_today": today,
           "coverage": after, "rank": 1, "reason": {"text": "why"}}
    assert next(against_today("p", SimpleNamespace(document={"list": [row]})))["change"] == word


def test_today_is_the_reference_where_it_is_known():
    """Uganda's testing today is known for some lines: each stands beside the plan, unknown ones do not."""
    evidence = planner.load_evidence()
    scenario = planner.Scenario.load("uganda")
    found = compare([scenario], evidence)
    listed = {(r["indication_id"], r["biomarker_id"]): r for r in planner.plan(scenario, evidence).document["list"]}
    known = {key for key, r in listed.items() if r["coverage_today"] is not None}
    rows = {(r["indication_id"], r["biomarker_id"]): r for r in found.tables["today"]}
    assert known and rows.keys() == known
    for key, row in rows.items():
        assert row["coverage_today"] == listed[key]["coverage_today"] and row["coverage_after"] == listed[key]["coverage"]
        more = row["coverage_after"] > row["coverage_today"] + 0.005
        assert (row["change"] in ("more", "entered")) == more
    assert any(f"known for {len(known)} lines" in words for words in found.words)


def test_what_sets_a_plan_apart_from_today_is_named():
    """Uganda: with today's money planned some lines change as in the plan (the choice), others only with more money."""
    evidence, scenario = planner.load_evidence(), planner.Scenario.load("uganda")
    found = compare([scenario], evidence)
    spent = planner.plan(scenario, evidence).document["reference"]["totals"]["testing_cost"]
    same = planner.plan(scenario.model_copy(update={"budget": scenario.budget.model_copy(update={"testing": spent})}), evidence)
    alone = {(r["indication_id"], r["biomarker_id"]): r["change"] for r in against_today("", same)}
    for row in found.tables["today"]:
        key = row["indication_id"], row["biomarker_id"]
        if row["change"] == "same":
            assert row["because"] == ""
        elif alone[key] == row["change"]:
            assert row["because"] == "today's money, spent where it brings most"
        else:
            assert row["because"] == "US$ 150,000 a year for tests against US$ 24,100 today"
    assert {r["because"] for r in found.tables["today_because"]} == {
        r["because"] for r in found.tables["today"] if r["because"]} != set()


def test_a_mandate_and_an_exclusion_are_named_against_today():
    scenario = planner.Scenario.load("uganda")
    policy = scenario.policy.model_copy(update={"must_fund": ("breast_early/er_pr",), "exclude": ("breast_metastatic/her2",)})
    scenario = scenario.model_copy(update={"policy": policy, "budget": scenario.budget.model_copy(update={"testing": 400_000.0})})
    found = compare([scenario], planner.load_evidence())
    why = {f"{r['indication_id']}/{r['biomarker_id']}": r["because"] for r in found.tables["today"]}
    assert why["breast_early/er_pr"] == "it must be funded"
    assert why["breast_metastatic/her2"] == "the scenario leaves it out"
