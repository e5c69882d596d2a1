"""One engine for many budgets: the same plan as a fresh one, whatever was asked before, by whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import planner
from planner.optimise.resolve import Engine
from planner.result.make import plan_from_engine
from planner.scenario.scenario import loads
from planner.ui import cache
from tests.tiny import tiny_problem, tiny_scenario
from tests.ui.test_charts import Names

BUDGETS = [
    {}, {"testing": 60_000}, {"treatment": 500_000}, {"total": 300_000}, {"testing": 0},
    {"testing": 90_000, "treatment": 2_000_000},
]


def known(document):
    return {k: v for k, v in document.items() if k not in ("solver", "provenance")}


def test_moved_limits_give_the_plan_of_a_fresh_engine():
    engine = Engine(tiny_problem(), tiny_scenario())
    for budget in BUDGETS * 2:
        scenario = tiny_scenario(budget=budget)
        moved = plan_from_engine(engine.with_scenario(scenario), Names(), "x").document
        fresh = plan_from_engine(Engine(tiny_problem(), scenario), Names(), "x").document
        assert moved["scenario"] == fresh["scenario"]
        for name in ("qalys", "testing_cost", "treatment_cost", "patients_treated"):
            assert moved["totals"][name] == pytest.approx(fresh["totals"][name], rel=1e-6, abs=1e-6)
        assert [b["limit"] for b in moved["binding"]] == [b["limit"] for b in fresh["binding"]]


def test_limits_on_top_of_today_move_too():
    engine = Engine(tiny_problem(), tiny_scenario(budget={"basis": "additional"}))
    for amount in (60_000, 90_000):
        scenario = tiny_scenario(budget={"basis": "additional", "testing": amount})
        moved = plan_from_engine(engine.with_scenario(scenario), Names(), "x").totals
        assert moved["qalys"] == pytest.approx(
            plan_from_engine(Engine(tiny_problem(), scenario), Names(), "x").totals["qalys"], rel=1e-6)


def test_an_engine_is_shared_by_budgets_but_not_by_policies():
    plain, budget, axis, policy = (tiny_scenario(), tiny_scenario(budget={"testing": 5}),
                                   tiny_scenario(frontier={"axis": "total"}),
                                   tiny_scenario(policy={"exclude": ["lung/alk"]}))
    assert cache.engine_key(plain) == cache.engine_key(budget) == cache.engine_key(axis)
    assert cache.engine_key(plain) != cache.engine_key(policy)
    assert len({cache.digest(s) for s in (plain, budget, axis, policy)}) == 4


def test_people_at_the_same_time_get_their_own_plans():
    amounts = [50_000.0 * n for n in range(1, 9)]
    scenarios = [loads("parent = 'defaults'", changes={"setting": {"country": "UGA"}, "budget": {"testing": a}})
                 for a in amounts]
    with ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(lambda s: cache.plan(s, private=False), scenarios))
    for scenario, plan in zip(scenarios, plans, strict=True):
        alone = planner.plan(scenario, cache.evidence())
        assert plan.scenario == scenario
        assert plan.totals["qalys"] == pytest.approx(alone.totals["qalys"], rel=1e-6)


def test_the_marks_of_the_sliders_are_the_breakpoints():
    scenario = loads("parent = 'defaults'", changes={"setting": {"country": "UGA"}})
    marks = cache.ranges(scenario, private=False)
    plan = cache.plan(scenario, private=False)
    assert list(marks["testing"]) == pytest.approx([p["budget"] for p in plan.document["frontier"]], abs=1)
    assert set(marks) == {"testing", "treatment", "total"}
