"""A budget moved on a kept engine gives the plan that a fresh one gives, to the byte."""

from __future__ import annotations

import json

import pytest

import planner
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.report.tables import plan_json
from planner.result.make import plan_from_engine
from planner.scenario.scenario import load

BUDGETS = (400_000, 90_000, 2_500_000, 90_000)


def _text(plan) -> str:
    document = json.loads(plan_json(plan.document))
    document["solver"].pop("seconds")
    return json.dumps(document, sort_keys=True)


@pytest.mark.parametrize("changes", [{}, {"policy": {"must_fund": ["breast_early/her2"]}},
                                     {"equity": {"weights": {"all_b": 4.0}}}])
def test_moves_leave_no_trace(changes):
    evidence = planner.load_evidence()
    scenarios = [load("kenya", changes | {"budget": {"testing": amount}}) for amount in BUDGETS]
    engine = Engine(build_problem(evidence, scenarios[0]), scenarios[0])
    moved = []
    for scenario in scenarios:
        try:
            moved.append(_text(plan_from_engine(engine.with_scenario(scenario), evidence, planner.MODEL_VERSION)))
        except planner.Infeasible as error:
            moved.append(str(error))
    fresh = []
    for scenario in scenarios:
        try:
            fresh.append(_text(planner.plan(scenario, evidence)))
        except planner.Infeasible as error:
            fresh.append(str(error))
    for mine, theirs in zip(moved, fresh, strict=True):
        assert mine == theirs
    assert moved[1] == moved[3]


def test_equity_weights_move_the_list_and_not_the_measure():
    evidence = planner.load_evidence()
    plain = planner.plan(load("kenya"), evidence)
    last = next(r for r in plain.document["list"] if r["funded"] == "no" and r["entry_budget"] is not None)
    weighted = planner.plan(load("kenya", {"equity": {"weights": {last["indication_id"]: 100.0}}}), evidence)
    found = {(r["indication_id"], r["biomarker_id"]): r for r in weighted.document["list"]}
    row = found[last["indication_id"], last["biomarker_id"]]
    assert row["funded"] != "no"
    assert weighted.totals["qalys"] < plain.totals["qalys"]  # the weight is a preference, not health
    assert row["qalys"] <= row["patients_treated"] * 60
    prices = weighted.document["shadow_prices"]["budget_testing_1"]
    assert prices["qalys_per_usd"] is None and prices["value_per_unit"] > 0
