"""The budget frontier: published knapsacks, brute force, a grid of CBC solves, breakpoints found another way."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pulp
import pytest

from planner.analysis.frontier import frontier
from planner.optimise.resolve import Engine
from planner.optimise.solver import cross_check
from tests.analysis.knapsack import knapsack
from tests.analysis.published import ROSETTA, TEXTBOOK, UGANDA, UGANDA_BUDGET, spent
from tests.tiny import indication, service, therapy, tiny_problem, tiny_scenario, use_case

FULL = {"coverage": {"maximum": 1.0}}


def greedy(items, budget: float) -> float:
    """A knapsack whose items can be split: the best ratio first."""
    value = 0.0
    for weight, worth in sorted(items.values(), key=lambda i: -i[1] / i[0]):
        part = min(1.0, budget / weight)
        value, budget = value + part * worth, budget - part * weight
    return value


def corners(points) -> list[tuple[float, float]]:
    """(budget, value) without points on a straight piece."""
    kept = [(p.budget, p.value) for p in points]
    n = 1
    while n < len(kept) - 1:
        (a, u), (b, v), (c, w) = kept[n - 1:n + 2]
        before, after = (v - u) / (b - a), (w - v) / (c - b)
        if abs(before - after) <= 1e-7 * max(abs(before), abs(after)):
            del kept[n]
        else:
            n += 1
    return kept


WORTHY = {n: i for n, i in UGANDA.items() if n != "186"}  # 0.03 of 32 million: below the sweep's 1e-9


@pytest.mark.parametrize("items", [ROSETTA, TEXTBOOK, WORTHY], ids=["rosetta", "textbook", "uganda"])
def test_published_knapsacks_corner_by_corner(items):
    """Breakpoints are the running sums of weights in order of ratio. The last may lie where all but 1e-9 of
    the value is bought."""
    sweep = Engine(knapsack(items), tiny_scenario(**FULL)).sweep("testing")
    order = sorted(items.values(), key=lambda i: -i[1] / i[0])
    expected = list(zip(np.cumsum([0, *(w for w, _ in order)]), np.cumsum([0, *(v for _, v in order)]), strict=True))
    found = corners(sweep.points)
    assert len(found) == len(expected)
    for (a, u), (b, v) in zip(found, expected, strict=True):
        assert a == pytest.approx(b, rel=1e-7 if b < expected[-1][0] else 3e-5, abs=1e-7)
        assert u == pytest.approx(v, rel=2e-9, abs=1e-7)
    assert sweep.solves <= 2 * len(found) + 3


def test_shadow_price_at_fifteen_kilograms():
    engine = Engine(knapsack(ROSETTA), tiny_scenario(**FULL, budget={"testing": 15.0}))
    assert engine.optimum().shadow_prices["budget_testing_1"] == pytest.approx(67 / 3.7)


def test_uganda_drops_what_the_article_drops():
    value, taken = spent(UGANDA, UGANDA_BUDGET)
    assert [taken[n] for n in ("75 others", "059", "350", "186")] == pytest.approx([1, 0, 0, 0], abs=1e-9)
    assert value == pytest.approx(greedy(UGANDA, UGANDA_BUDGET), rel=1e-11)
    assert spent(UGANDA, 1e12)[0] == pytest.approx(32087113.738, abs=1e-3)  # scenario 3: no budget


@pytest.mark.parametrize("seed", range(8))
def test_random_knapsacks_by_brute_force(seed):
    rng = random.Random(seed)
    items = {f"i{n}": (rng.uniform(0.5, 9), rng.uniform(0.5, 9)) for n in range(rng.randrange(2, 12))}
    engine = Engine(knapsack(items), tiny_scenario(**FULL))
    sweep = engine.sweep("testing")
    assert len(corners(sweep.points)) == len(items) + 1
    assert sweep.solves <= 2 * (len(items) + 1) + 3
    for budget in np.linspace(0, 1.1 * sum(w for w, _ in items.values()), 29):
        assert sweep.value_at(float(budget)) == pytest.approx(greedy(items, budget), abs=1e-7)


# -- problems with panels, prerequisites, blind use ------------------------------------------------------------

def mixed(seed: int):
    """Two indications with panels, single tests, nested drugs, blind use and a prerequisite, drawn at random."""
    rng = random.Random(seed)

    def drug(name, most=0.9):
        alpha = rng.uniform(0.1, most)
        return therapy(name, h=rng.uniform(0.2, 3), hneg=-rng.uniform(0, 0.2), alpha=alpha, payers=(("public", alpha),),
                       u0=rng.choice([0.0, alpha * 0.3]), pay=(rng.uniform(500, 30_000),))

    sites = []
    for n in range(2):
        name, pi = f"site{n}", [rng.uniform(0.03, 0.3) for _ in range(3)]
        after = rng.choice([(), ("a",)])
        cases = [use_case(name, b, [drug(f"{name}_{b}1"), drug(f"{name}_{b}2")][: 1 + (b == "a")], prevalence=p,
                          prevalence_net=p, requires=after if b == "c" else ()) for b, p in zip("abc", pi, strict=True)]
        tests = [service(f"{name}_{b}", [b], rng.uniform(10, 200)) for b in "abc"]
        tests.append(service(f"{name}_panel", list("abc"), rng.uniform(100, 500), "base", 0.93, 0.97, 0.99))
        sites.append(indication(name, cases, tests, rng.uniform(100, 4000), rng.uniform(0, 30)))
    problem = tiny_problem()
    return type(problem)(**{**vars(problem), "indications": tuple(sites)})


@pytest.mark.parametrize("axis", ["testing", "treatment", "total"])
@pytest.mark.parametrize("seed", range(3))
def test_sweep_equals_a_grid_of_cbc_solves(seed, axis):
    problem = mixed(seed)
    sweep = Engine(problem, tiny_scenario()).sweep(axis)
    first, last = sweep.points[0].budget, sweep.points[-1].budget
    for budget in np.linspace(first, 1.05 * last, 9):
        engine = Engine(problem, tiny_scenario(budget={axis: float(budget)}))
        value = -cross_check(engine.formulation.lp)
        assert sweep.value_at(float(budget)) == pytest.approx(value, rel=1e-6, abs=1e-5), budget
    assert sweep.solves <= 2 * len(corners(sweep.points)) + 3


def supported(engine: Engine) -> list[tuple[float, float]]:
    """Corners of the frontier by another way: the best of value - price x money at prices that the corners
    found so far lead to (Cohon, Church & Sheer 1979), each by CBC on the problem without a budget."""
    spend, lp = engine.formulation.testing[0], engine.formulation.lp
    value = {v: -c for v, c in lp.objective.items()}

    def best(price: float) -> tuple[float, float]:
        lp.setObjective(pulp.LpAffineExpression(
            {v: price * spend.get(v, 0.0) - value.get(v, 0.0) for v in {**spend, **value}}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            lp.solve(pulp.PULP_CBC_CMD(msg=False))
        return (sum(c * v.varValue for v, c in spend.items()), sum(c * v.varValue for v, c in value.items()))

    low, high = (0.0, 0.0), best(1e-9)
    found, stack = {low, high}, [(low, high)]
    while stack:
        a, b = stack.pop()
        price = (b[1] - a[1]) / (b[0] - a[0])
        c = best(price)
        if c[1] - price * c[0] > a[1] - price * a[0] + 1e-6 * max(1.0, high[1]) and a[0] < c[0] < b[0]:
            found.add(c)
            stack += [(a, c), (c, b)]
    return sorted(found)


@pytest.mark.parametrize("seed", [0, 1])
def test_corners_are_those_of_parametric_enumeration(seed):
    problem = mixed(seed)
    sweep = Engine(problem, tiny_scenario()).sweep("testing")
    mine = corners(sweep.points)
    theirs = supported(Engine(problem, tiny_scenario()))
    for budget, value in theirs:  # each of theirs lies on the frontier, at a corner of ours
        assert sweep.value_at(budget) == pytest.approx(value, rel=1e-5)
        assert min(abs(b - budget) for b, _ in mine) <= 1e-4 * mine[-1][0]
    assert len(theirs) <= len(mine)
    line = np.interp([b for b, _ in mine], [b for b, _ in theirs], [v for _, v in theirs])
    assert line == pytest.approx([v for _, v in mine], rel=1e-4, abs=1e-4)  # and ours on theirs
    assert sweep.solves <= 2 * len(mine) + 3


def test_the_analysis_tells_the_corners(by_hand):
    """Rosetta's knapsack through the analysis: points, slopes, entries in order of ratio."""
    found = frontier(tiny_scenario(**FULL), by_hand(knapsack(ROSETTA)))
    points = found.tables["points"]
    assert len(points) == len(ROSETTA) + 1
    ratios = sorted((v / w for w, v in ROSETTA.values()), reverse=True)
    assert [p["value_per_usd_before"] for p in points[1:]] == pytest.approx(ratios, rel=1e-6)
    entered = [e["indication_id"] for e in found.tables["events"] if e["event"] == "enter"]
    assert entered == sorted(ROSETTA, key=lambda n: -ROSETTA[n][1] / ROSETTA[n][0])
    assert found.settings["solves"] <= 2 * len(points) + 3


def test_kenya_frontier_equals_plans_at_its_budgets(evidence, kenya):
    scenario = kenya()
    found = frontier(scenario, evidence)
    points = [p for p in found.tables["points"] if p["budget"] > 0]
    from planner.pathway.build import build_problem

    problem = build_problem(evidence, scenario)
    x, y = [p["budget"] for p in found.tables["points"]], [p["value"] for p in found.tables["points"]]
    for budget in (points[0]["budget"], 400_000, points[len(points) // 2]["budget"], 3 * points[-1]["budget"]):
        value = Engine(problem, kenya(budget={"testing": budget})).optimum().value
        assert np.interp(budget, x, y) == pytest.approx(value, rel=1e-7)
    slopes = [p["value_per_usd_before"] for p in points]
    assert all(b <= a * (1 + 1e-6) for a, b in zip(slopes, slopes[1:]))


def test_floors_cost_no_more_solves_than_two_a_breakpoint(evidence):
    """Mandates held: no solve is spent on a budget of nothing, and the values are those of plans at the budgets."""
    import planner
    from planner.pathway.build import build_problem

    scenario = planner.Scenario.load("kenya_breast_first")
    found = frontier(scenario, evidence)
    points = found.tables["points"]
    assert found.settings["solves"] <= 2 * len(points)
    problem = build_problem(evidence, scenario)
    for point in (points[0], points[len(points) // 2], points[-1]):
        budget = scenario.budget.model_copy(update={"testing": point["budget"] + 1e-3})
        value = Engine(problem, scenario.model_copy(update={"budget": budget})).optimum().value
        assert point["value"] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("axis", ["testing", "treatment", "total"])
def test_floors_that_need_no_money_of_the_axis_start_at_nothing(axis):
    """A sweep with a mandate equals plans at its budgets, from the smallest that is possible on."""
    from dataclasses import replace

    problem = tiny_problem()
    problem = replace(problem, indications=tuple(replace(i, use_cases=tuple(
        replace(u, must_fund=u.id == "breast/er") for u in i.use_cases)) for i in problem.indications))
    sweep = Engine(problem, tiny_scenario()).sweep(axis, floors=True)
    first, last = sweep.points[0].budget, sweep.points[-1].budget
    for budget in np.linspace(first * (1 + 1e-6) + 1e-3, last, 6):
        value = Engine(problem, tiny_scenario(budget={axis: float(budget)})).run()
        assert sweep.value_at(float(budget)) == pytest.approx(value, rel=1e-6)
