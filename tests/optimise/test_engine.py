"""The engine against independent answers: CBC, finite differences, brute force, hand counts."""

from __future__ import annotations

import numpy as np
import pytest

from planner.errors import Infeasible
from planner.optimise.resolve import Engine
from planner.optimise.solver import cross_check
from planner.result.readout import read
from tests.tiny import therapy, tiny_problem, tiny_scenario, under, use_case

BUDGETS = (0, 20_000, 60_000, 100_000, 150_000, 250_000, 300_000, 400_000)


def engine(problem=None, **scenario) -> Engine:
    chosen = tiny_scenario(**scenario)
    return Engine(under(problem or tiny_problem(), chosen), chosen)


@pytest.mark.parametrize("testing", BUDGETS)
@pytest.mark.parametrize("objective", ["qalys", "life_years", "deaths_averted", "dalys_averted",
                                       "patients_treated", "net_health"])
def test_highs_and_cbc_agree(testing, objective):
    e = engine(budget={"testing": testing}, objective=objective)
    assert -cross_check(e.formulation.lp) == pytest.approx(e.optimum().value, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("limits", [
    {"budget": {"testing": 150_000}},
    {"budget": {"treatment": 400_000}},
    {"budget": {"total": 500_000}},
    {"budget": {"total": 500_000}, "access": {"buy": ["drug_e"]}},
    {"laboratory": {"technician_minutes": 60_000}},
    {"budget": {"testing": 100_000}, "access": {"mode": "selective"}},
])
def test_shadow_prices_are_finite_differences(limits):
    """Of every limit: value gained by a slightly larger limit, from a fresh solve."""
    base = engine(**limits)
    best = base.optimum()
    assert any(price > 0 for price in best.shadow_prices.values())
    for name, price in best.shadow_prices.items():
        e = engine(**limits)
        _, high = e.model.bounds(name)
        step = max(1.0, high * 1e-6)
        e.model.set_row(name, None, high + step)
        assert (e.run() - best.value) / step == pytest.approx(price, rel=1e-4, abs=1e-12), name


def test_shadow_price_of_a_lower_limit_has_the_right_sign():
    """A floor costs health: raising it lowers the value."""
    problem = tiny_problem()
    floored = engine(problem, budget={"testing": 100_000}, policy={"must_fund": ["lung/alk"]})
    solution = floored.model.solve()
    name = next(n for n in floored.model.row if n.startswith("floor_"))
    price = floored.model.shadow_price(solution, name)
    assert price < 0
    low, _ = floored.model.bounds(name)
    floored.model.set_row(name, low - 1e-4, None)
    assert (floored.run() + solution.objective) / -1e-4 == pytest.approx(price, rel=1e-4)


@pytest.mark.parametrize("axis", ["testing", "treatment", "total"])
def test_sweep_equals_a_solve_at_any_budget(axis):
    sweep = engine(frontier={"axis": axis}).sweep(axis)
    assert sweep.solves <= 2 * len(sweep.points) + 3
    top = sweep.points[-1].budget
    blind = engine().formulation.blind_spending[0]
    for budget in np.linspace(0, top, 23):
        fresh = engine(budget={axis: float(budget)}).optimum().value
        start = sweep.points[0].budget
        expected = sweep.value_at(max(float(budget), start))
        assert fresh == pytest.approx(expected, abs=1e-5), (axis, budget, blind)


def test_sweep_leaves_the_engine_as_it_was():
    e = engine(budget={"testing": 150_000})
    before = e.optimum()
    e.sweep("testing")
    after = e.optimum()
    assert after.value == pytest.approx(before.value, abs=1e-9)
    assert np.allclose(before.plan.values, after.plan.values)


def test_a_larger_budget_never_lowers_the_objective():
    values = [engine(budget={"testing": b}).optimum().value for b in BUDGETS]
    assert all(b >= a - 1e-9 for a, b in zip(values, values[1:], strict=False))


def test_a_zero_testing_budget_spends_nothing_on_tests():
    e = engine(budget={"testing": 0})
    plan = read(e, e.optimum().plan.values)
    assert sum(line.testing_cost for line in plan.lines.values()) == 0
    assert plan.patients_tested == 0


def test_without_access_there_is_no_value():
    """Exception, stated: a drug given blind can be spared; here none is."""
    access = {f"drug_{x}": 0.0 for x in "abcde"}
    problem = strip_access(tiny_problem(), access)
    assert engine(problem).optimum().value == pytest.approx(0, abs=1e-12)


def strip_access(problem, access):
    from dataclasses import replace

    def without(t):
        return replace(t, alpha=0.0, payers=(), u0=0.0) if t.therapy in access else t

    return replace(problem, indications=tuple(
        replace(i, use_cases=tuple(
            replace(u, therapies=tuple(without(t) for t in u.therapies)) for u in i.use_cases))
        for i in problem.indications))


def test_sparing_a_harmful_blind_drug_has_value():
    """A drug given to everybody that helps carriers and harms others: the test spares the others."""
    from dataclasses import replace

    problem = tiny_problem()
    breast, lung = problem.indications
    harmful = therapy("drug_x", h=0.2, hneg=-0.5, alpha=0.5, u0=0.5)
    breast = replace(breast, use_cases=(use_case("breast", "er", [harmful]),))
    problem = replace(problem, indications=(breast, lung))
    e = engine(problem, policy={"exclude": []})
    line = read(e, e.optimum().plan.values).lines["XXX", "breast/er"]
    # by hand: 3000 x 0.9 coverage x 0.9 eta x 0.9 fit x {0.5 [0.2 x 0.95 x 0.2 - 0.8 x 0.02 x 0.5]
    #          - 0.5 [0.2 x 0.2 - 0.8 x 0.5]}
    expected = 3000 * 0.9 * 0.9 * 0.9 * (0.5 * (0.2 * 0.95 * 0.2 - 0.8 * 0.02 * 0.5)
                                         - 0.5 * (0.2 * 0.2 - 0.8 * 0.5))
    assert line.health["qalys"] == pytest.approx(expected)


def test_a_service_no_better_in_anything_is_never_chosen():
    from dataclasses import replace

    from tests.tiny import service

    problem = tiny_problem()
    breast, lung = problem.indications
    worse = service("er_worse", ["er"], cost=31.0, eta=0.89, se=0.94, sp=0.97)
    problem = replace(problem, indications=(replace(breast, services=(*breast.services, worse)), lung))
    for testing in BUDGETS[1:]:
        e = engine(problem, budget={"testing": testing})
        plan = read(e, e.optimum().plan.values)
        assert "er_worse" not in plan.lines["XXX", "breast/er"].services


def test_a_service_no_better_than_chance_never_supplies():
    from dataclasses import replace

    from tests.tiny import service

    problem = tiny_problem()
    breast, lung = problem.indications
    coin = service("er_coin", ["er"], cost=0.01, se=0.5, sp=0.5)
    problem = replace(problem, indications=(replace(breast, services=(*breast.services, coin)), lung))
    e = engine(problem)
    assert not any(k.option.service == "er_coin" for k in e.formulation.taken)


def test_scaling_all_money_and_thresholds_changes_nothing():
    from dataclasses import replace

    def scaled(p, f):
        def t(d):
            return replace(d, m=d.m * f, pay=tuple(x * f for x in d.pay), course_cost=d.course_cost * f)

        return replace(p, threshold=p.threshold * f, indications=tuple(
            replace(i, workup_cost=i.workup_cost * f,
                    services=tuple(replace(s, cost=s.cost * f, assays=tuple(
                        replace(a, cost=a.cost * f) for a in s.assays)) for s in i.services),
                    use_cases=tuple(replace(u, therapies=tuple(t(d) for d in u.therapies))
                                    for u in i.use_cases)) for i in p.indications))

    for objective in ("qalys", "net_health"):
        one = engine(budget={"testing": 150_000, "treatment": 900_000}, objective=objective).optimum()
        two = engine(scaled(tiny_problem(), 40.0), objective=objective,
                     budget={"testing": 6_000_000, "treatment": 36_000_000}).optimum()
        assert two.value == pytest.approx(one.value, rel=1e-7)
        assert np.allclose(one.plan.values[:1], two.plan.values[:1], atol=1e-6)


def test_row_order_does_not_matter():
    from dataclasses import replace

    p = tiny_problem()
    turned = replace(p, indications=tuple(
        replace(i, services=i.services[::-1], use_cases=tuple(
            replace(u, therapies=u.therapies[::-1]) for u in i.use_cases[::-1]))
        for i in p.indications[::-1]))
    for testing in BUDGETS:
        a, b = (read(e, e.optimum().plan.values) for e in (
            engine(p, budget={"testing": testing}), engine(turned, budget={"testing": testing})))
        for key, line in a.lines.items():
            assert b.lines[key].coverage == pytest.approx(line.coverage, abs=1e-7)


@pytest.mark.parametrize("mode", ["random", "selective"])
def test_treated_never_exceed_eligible_by_person(mode):
    e = engine(access={"mode": mode})
    plan = read(e, e.optimum().plan.values)
    for i in e.problem.indications:
        for u in i.use_cases:
            line = plan.lines[i.region, u.id]
            assert line.patients_treated <= i.eligible * u.kap + 1e-9
            assert line.patients_treated <= line.called + 1e-9
        assert sum(plan.lines[i.region, u.id].patients_treated for u in i.use_cases) <= i.eligible


def test_prerequisite_is_never_exceeded():
    for testing in BUDGETS:
        e = engine(budget={"testing": testing})
        plan = read(e, e.optimum().plan.values)
        assert plan.lines["XXX", "breast/her2"].coverage <= plan.lines["XXX", "breast/er"].coverage + 1e-9


def test_cheapest_among_equals():
    """Without a budget the plan reaches the best health at no more than its cheapest cost."""
    e = engine()
    best = e.optimum()
    assert best.value == pytest.approx(-best.best.objective)
    money_best = float(e.money_cost @ best.best.values)
    money_plan = float(e.money_cost @ best.plan.values)
    assert money_plan <= money_best + 1e-6
    assert -(e.value_cost @ best.plan.values) == pytest.approx(best.value, rel=1e-8)


def test_parts_sum_to_the_whole():
    e = engine(budget={"testing": 350_000})
    best = e.optimum()
    plan = read(e, best.plan.values)
    spent = sum(c * best.plan.values[e.column(v)] for v, c in e.formulation.testing[0].items())
    lines = sum(line.testing_cost for line in plan.lines.values())
    tests = sum(t["cost"] for t in plan.tests.values()) + plan.workup_cost
    assert lines == pytest.approx(spent, abs=0.005)
    assert tests == pytest.approx(spent, abs=0.005)
    assert spent <= 350_000 + 1e-3
    for line in plan.lines.values():
        assert sum(line.cost_by_payer.values()) == pytest.approx(line.treatment_cost, abs=0.005)


def test_bought_access_spends_treatment_money_and_adds_health():
    limits = {"budget": {"total": 2_000_000}}
    without = engine(**limits).optimum()
    e = engine(**limits, access={"buy": ["drug_e"], "ceiling": 0.8})
    assert e.optimum().value > without.value + 1


def test_must_fund_costs_health_and_names_the_conflict():
    free = engine(budget={"testing": 100_000}).optimum().value
    forced = engine(budget={"testing": 100_000}, policy={"must_fund": ["lung/alk"]}).optimum().value
    assert forced < free
    with pytest.raises(Infeasible) as error:
        engine(budget={"testing": 10_000}, policy={"must_fund": ["lung/alk"]}).optimum()
    # 1000 people x 0.9 x (40 test + 20 work-up) = 54,000
    assert "have US$ 10,000, need US$ 54,000" in str(error.value)


def test_today_is_evaluated_not_optimised():
    from dataclasses import replace

    p = tiny_problem()
    breast, lung = p.indications
    breast = replace(breast, use_cases=tuple(
        replace(u, kap0=0.4) if u.biomarker == "her2" else u for u in breast.use_cases))
    e = engine(replace(p, indications=(breast, lung)))
    solution, known = e.today()
    assert known == {("XXX", "breast/her2"): 0.4}
    plan = read(e, solution.values)
    assert plan.lines["XXX", "breast/her2"].coverage == pytest.approx(0.4)
    assert plan.lines["XXX", "breast/er"].coverage == pytest.approx(0.4)  # its prerequisite
    assert plan.lines["XXX", "lung/egfr"].coverage == 0


def test_additional_money_is_on_top_of_today():
    from dataclasses import replace

    p = tiny_problem()
    breast, lung = p.indications
    lung = replace(lung, use_cases=tuple(
        replace(u, kap0=0.5) if u.biomarker == "alk" else u for u in lung.use_cases))
    p = replace(p, indications=(breast, lung))
    e = engine(p, budget={"testing": 0, "basis": "additional"})
    plan = read(e, e.optimum().plan.values)
    assert plan.lines["XXX", "lung/alk"].coverage == pytest.approx(0.5)
    assert sum(line.testing_cost for line in plan.lines.values()) == pytest.approx(30_000, abs=1)


def test_years_are_an_index_of_the_formulation():
    e = engine(tiny_problem(years=3), years=3, coverage={"maximum": 0.9, "ramp_per_year": 0.3},
               budget={"testing": [50_000, 100_000, 300_000]})
    best = e.optimum()
    for key in e.keys:
        by_year = [0.0, 0.0, 0.0]
        for k in e.formulation.taken:
            if (k.source.region, k.use_case.id) == key:
                by_year[k.source.year] += best.plan.values[e.column(k.q)]
        assert by_year[0] <= 0.3 + 1e-9
        assert all(b - a <= 0.3 + 1e-9 for a, b in zip(by_year, by_year[1:], strict=False))
    assert best.shadow_prices.keys() >= {"budget_testing_1", "budget_testing_3"}


def test_fixed_courses_limit_people():
    from dataclasses import replace

    p = tiny_problem()
    breast, lung = p.indications
    lung = replace(lung, use_cases=tuple(replace(u, therapies=tuple(
        replace(t, courses=(("drug_c", 5.0),)) if t.therapy == "drug_c" else t for t in u.therapies))
        for u in lung.use_cases))
    e = engine(replace(p, indications=(breast, lung)))
    plan = read(e, e.optimum().plan.values)
    assert plan.lines["XXX", "lung/alk"].patients_treated <= 5 + 1e-7
