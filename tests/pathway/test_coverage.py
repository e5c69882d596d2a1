"""Coverage reads what a plan reads, and weighs weak numbers by the people who rest on them."""

from __future__ import annotations

import math

import pytest

import planner
from planner.analysis.sensitivity import known
from planner.analysis.study import Study
from planner.evidence.strata import place
from planner.pathway import coverage
from planner.pathway.access import reach
from planner.pathway.build import build_problem
from planner.pathway.resolve_values import Values
from planner.pathway.rests_on import LINKS, Grounds, inputs
from planner.scenario.model import Scenario

SOME = ("KEN", "DEU", "IND", "BRA")


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def found(evidence):
    return coverage.survey(evidence, SOME)


@pytest.mark.parametrize("country", ["KEN", "DEU"])
def test_the_inputs_are_those_of_a_plan(evidence, found, country):
    """Grade, level and value of every input are those of the fact that the problem keeps."""
    problem = build_problem(evidence, Scenario.model_validate({"name": country, "setting": {"country": country}}))
    facts = {(f.parameter, f.key): f for f in problem.facts}
    read = set()
    for asked, ground in zip(found.asked, found.grounds[country], strict=True):
        names = [asked.name] if asked.name != "*" else [f"{r['indication_id']}" for r in evidence.records("indications")]
        if asked.parameter == "new cases a year":
            names = [asked.name, asked.name.split("/")[0]]
        mine = [facts[asked.parameter, name] for name in names if (asked.parameter, name) in facts]
        read |= {(f.parameter, f.key) for f in mine}
        if asked.parameter in ("effect", "access to the drug", "drug price") or ground is None:
            continue
        if asked.parameter == "dose a month" and not mine:
            continue  # of a comparator without a price, which no plan reads
        assert mine, asked
        assert any((f.quality, f.level) == (ground.quality, ground.level) for f in mine), (asked, ground)
    given = ("monitoring", "cost of an administration", "echocardiogram")
    assert {f for f in facts if f[0] in given} == {r for r in read if r[0] in given}
    lines = {line.use_case for line in found.lines}
    for use in problem.use_cases:
        for parameter, key in facts:
            if parameter in ("prevalence", "use without the test") and use.id in lines and key.startswith(use.id):
                assert (parameter, key) in read


def test_access_is_what_the_payers_of_the_plan_add_up_to(evidence):
    shared, where = Grounds(evidence), place(evidence, "KEN")
    values = Values(evidence, where, Scenario.model_validate({"name": "KEN", "setting": {"country": "KEN"}}))
    for line in (("breast_early", "her2"), ("cml", "bcr_abl1"), ("nsclc_nonsq_advanced", "egfr")):
        asked = [i for i in inputs(evidence, *line) if i.how == "access"]
        assert asked
        for i in asked:
            assert shared.ground(where, i).value == pytest.approx(reach(values, i.key[0][1], line[0], 1.0).share), i


def test_places_alike_share_answers_and_others_do_not(evidence):
    asked = [i for i in inputs(evidence, "nsclc_nonsq_advanced", "egfr") if i.how != "row"]
    shared = Grounds(evidence)
    for country in ("KEN", "UGA", "DEU", "FRA", "CHN"):
        where = place(evidence, country)
        assert [shared.ground(where, i) for i in asked] == [Grounds(evidence).ground(where, i) for i in asked]


def test_every_line_has_ten_links_and_a_cell_everywhere(found):
    table = coverage.country_cells(found)
    assert len(table) == len(SOME) * len(found.lines)
    assert all(tuple(line.links) and set(line.links) == set(LINKS) for line in found.lines)
    assert set(table["typical"]) <= set("ABCD") and (table["d_links"] <= len(LINKS)).all()
    assert ((table["typical"] <= table["weakest"]) & table["near"].between(0, 8)).all()
    cells = coverage.cells(table)
    assert list(cells.columns) == list(coverage.CELLS)
    assert cells.groupby("use_case")["countries"].sum().eq(len(SOME)).all()


def test_weak_numbers_are_weak_and_no_rules(found):
    weak = coverage.weakest(found)
    assert set(weak["grade"]) == {"C", "D"} and (weak["weight"] >= 0).all() and (weak["people"] > 0).all()
    assert weak["first_collect"].notna().all() and list(weak["rank"]) == list(range(1, len(weak) + 1))
    everyone = sum(sum(c.values()) for c in found.carriers.values())
    assert weak["people"].max() <= everyone + 1e-6
    mine = coverage.weakest(found, ["KEN"])
    assert set(mine["countries"]) == {1} and mine["people"].max() <= sum(found.carriers["KEN"].values()) + 1e-6
    assert coverage.first(weak, 2).groupby("number").size().max() <= 2


def test_a_swing_lifts_a_number(found):
    weak = coverage.weakest(found)
    last = weak.iloc[-1]
    moved = [{"table": last["table"], "parameter": last["parameter"], "key": last["key"], "swing": 5.0}]
    again = coverage.weakest(found, swings=[(10.0, moved)])
    assert again.iloc[0]["of"] == last["of"] and again.iloc[0]["swing"] == 0.5
    assert math.isnan(weak.iloc[0]["swing"])


def test_the_numbers_that_sensitivity_moves_are_the_inputs(evidence, found):
    study = Study(Scenario.model_validate({"name": "KEN", "setting": {"country": "KEN"}}), evidence)
    lines = {line.use_case for line in found.lines}
    moved = [{"table": p.table, "parameter": p.parameter, "key": p.key, "swing": 1.0} for p in known(study)]
    weak = coverage.weakest(found, ["KEN"], [(1.0, moved)])
    told = weak[weak["table"].isin(("prevalence", "eligibility", "therapies", "assay_performance", "workup_costs"))]
    assert lines and told["swing"].notna().mean() > 0.95, told[told["swing"].isna()][["table", "parameter", "key"]]


def test_the_interval_tells_how_far_a_number_may_move(found):
    for n, asked in enumerate(found.asked):
        for country in SOME:
            ground = found.grounds[country][n]
            if ground is not None and ground.quality in "CD":
                assert 0 <= coverage.spread(asked, ground) <= 1, asked
