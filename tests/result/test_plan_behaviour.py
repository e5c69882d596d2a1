"""Plans on the shipped evidence: limits, mandates and given lists say what they do."""

from __future__ import annotations

import pytest

import planner
from planner.errors import BadInput, Infeasible
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.scenario.model import Scenario


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def scenario(country="KEN", **more):
    return Scenario.model_validate({"name": "x", "setting": {"country": country}} | more)


def codes(plan):
    return {w["code"] for w in plan.document["warnings"]}


def test_a_plan_at_the_told_full_budget_is_full(evidence):
    plan = planner.plan(scenario(budget={"testing": 400_000}), evidence)
    part = [r for r in plan.document["list"] if r["funded"] == "part" and r["full_budget"] is not None]
    assert part
    for row in part:
        assert f"of {row['reaches']['of']:,.0f} people" in row["reason"]["text"]
        again = planner.plan(scenario(budget={"testing": row["full_budget"]}), evidence)
        same = next(r for r in again.document["list"] if (r["indication_id"], r["biomarker_id"])
                    == (row["indication_id"], row["biomarker_id"]))
        assert same["funded"] == "full"


def test_a_line_out_of_money_names_the_budget_that_binds(evidence):
    plan = planner.plan(scenario(budget={"treatment": 0}), evidence)
    for row in plan.document["list"]:
        if row["funded"] == "no" and row["reason"]["code"] == "below_cut_off":
            assert "the treatment budget" in row["reason"]["text"]


def test_a_mandate_that_cannot_be_met_is_told(evidence):
    plan = planner.plan(scenario(policy={"must_fund": ["breast_metastatic/esr1"]}), evidence)
    assert "mandate_not_met" in codes(plan)


def test_the_price_of_a_mandate_is_what_lifting_it_brings(evidence):
    mandated = scenario(budget={"testing": 200_000}, policy={"must_fund": ["nsclc_nonsq_advanced/egfr"]})
    plan = planner.plan(mandated, evidence)
    free = planner.plan(scenario(budget={"testing": 200_000}), evidence)
    row = next(r for r in plan.document["list"] if r["mandated"])
    assert row["price_of_mandate"]["value"] == pytest.approx(free.totals["qalys"] - plan.totals["qalys"], rel=1e-6)


def test_what_the_conflict_says_helps(evidence):
    request = {"policy": {"must_fund": ["breast_early/her2", "nsclc_squamous_advanced/pdl1"]}}
    for axis in ("testing", "total"):
        with pytest.raises(Infeasible) as error:
            planner.plan(scenario(budget={axis: 1_000}, **request), evidence)
        issue = next(i for i in error.value.issues if i.axis == axis)
        assert issue.have == 1_000
        planner.plan(scenario(budget={axis: issue.need}, **request), evidence)


def test_a_given_list_is_not_optimised_and_says_where_it_does_not_fit(evidence):
    given = {"breast_early/her2": 1.0, "breast_early/er_pr": 0.5, "breast_metastatic/esr1": 0.5}
    plan = planner.plan(scenario(mode="evaluate", evaluate=given, budget={"testing": 1_000}), evidence)
    assert codes(plan) >= {"over_budget", "cut_to_attainable", "cannot_be_tested"}
    rows = {f"{r['indication_id']}/{r['biomarker_id']}": r for r in plan.document["list"]}
    assert rows["breast_early/her2"]["coverage"] == pytest.approx(0.9)
    assert rows["breast_early/er_pr"]["coverage"] == pytest.approx(0.5)
    assert all(r["criticality"] is None for r in rows.values())


def test_a_scarce_supply_cuts_blind_use_and_the_sweep_ends(evidence):
    plan = planner.plan(scenario(access={"drugs": {"tamoxifen": {"courses": 100}}}), evidence)
    treated = sum(t["treated"] for r in plan.document["list"] for t in r["therapies"] if "tamoxifen" in t["therapy"])
    blind = sum(u.asked(i.eligible) * t.fit * t.u0 for i in plan.problem.indications for u in i.use_cases
                for t in u.therapies if "tamoxifen" in t.drugs)
    assert treated <= 100 + 1e-4 and blind <= 100 + 1e-6


def test_money_additional_to_today_with_growth(evidence):
    growing = scenario("USA", years=2, coverage={"maximum": 0.9, "ramp_per_year": 0.3},
                       budget={"testing": 5_000_000, "basis": "additional"})
    engine = Engine(build_problem(evidence, growing), growing)
    still = scenario("USA", budget={"testing": 5_000_000, "basis": "additional"})
    assert engine.today_testing == pytest.approx(Engine(build_problem(evidence, still), still).today_testing, rel=1e-6)
    plan = planner.plan(still, evidence)
    for row in plan.document["list"]:
        if row["coverage_today"] is not None and row["gate"]["passed"] and row["funded"] != "no":
            assert row["coverage"] >= min(row["coverage_today"], row["attainable_coverage"]) - 1e-6
    assert any(r["priority_tier"] == "core" for r in plan.document["list"])


def test_a_trial_is_not_access():
    with pytest.raises((BadInput, ValueError)):
        scenario(access={"drugs": {"osimertinib": {"share": 1.0, "payer": "trial"}}})


@pytest.mark.parametrize("name", ["germany", "uganda", "kenya"])
def test_one_meaning_of_known(name):
    """A line whose testing today is told in the list is known in the reference as well, costed or not."""
    document = planner.plan(planner.Scenario.load(name)).document
    told = {f"{r['indication_id']}/{r['biomarker_id']}": r["coverage_today"] for r in document["list"]}
    reference = document["reference"]
    known = {k["use_case"]: k["coverage"] for k in reference["known"]}
    assert known == {u: c for u, c in told.items() if c is not None}
    assert {u.partition(":")[2] for u in reference["unknown"]} == set(told) - set(known)
    left = sum(not k["costed"] for k in reference["known"])
    assert (f"{left} of them cannot be costed" in reference["note"]) == (left > 0)
    if known:
        assert reference["note"].startswith(f"{len(known)} use cases")


def test_borrowed_testing_today_is_told_as_not_used():
    """Kenya has no number of its own: those of its WHO region are among the inputs, marked; Germany uses its own."""
    for name in ("kenya", "germany"):
        document = planner.plan(planner.Scenario.load(name)).document
        used = {k["use_case"] for k in document["reference"]["known"]}
        facts = [f for f in document["provenance"] if f["parameter"] == "tested today"]
        assert facts
        for f in facts:
            assert f["note"].startswith("not used: borrowed from the ") == (f["key"] not in used), f
