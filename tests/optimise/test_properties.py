"""Properties on problems drawn at random; each exception is stated where it holds.

Drawn: prevalence, accuracy, costs, effects, access, blind use. Solver answers are compared with CBC.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise.resolve import Engine
from planner.optimise.solver import cross_check
from planner.result.readout import read
from tests.tiny import indication, service, therapy, tiny_problem, tiny_scenario, use_case

share = st.floats(0.05, 0.95)
STILL = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def problems(draw):
    """One indication with two biomarkers, three drugs, singles and a panel."""
    def drug(name, group="first_line"):
        alpha = draw(share)
        return therapy(name, h=draw(st.floats(0.1, 3)), hneg=draw(st.floats(-0.5, 0)), alpha=alpha,
                       payers=(("public", alpha),), u0=alpha * draw(st.sampled_from([0.0, 0.3])) / 3,
                       line_group=group, pay=(draw(st.floats(100, 30_000)),))

    pi = [draw(st.floats(0.02, 0.45)) for _ in range(2)]
    a = use_case("site", "a", [drug("one"), drug("two")], prevalence=pi[0], prevalence_net=pi[0])
    b = use_case("site", "b", [drug("three")], prevalence=pi[1], prevalence_net=pi[1],
                 requires=draw(st.sampled_from([(), ("a",)])))
    accuracy = {"se": draw(st.floats(0.7, 1.0)), "sp": draw(st.floats(0.7, 1.0)), "eta": draw(st.floats(0.5, 1.0))}
    services = [service("test_a", ["a"], draw(st.floats(5, 300)), **accuracy),
                service("test_b", ["b"], draw(st.floats(5, 300)), **accuracy),
                service("panel", ["a", "b"], draw(st.floats(50, 900)), "base", **accuracy)]
    site = indication("site", [a, b], services, draw(st.floats(50, 20_000)), draw(st.floats(0, 50)))
    return replace(tiny_problem(), indications=(site,))


@STILL
@given(problems(), st.floats(0, 1), st.sampled_from(["testing", "treatment", "total"]))
def test_solvers_agree_and_the_plan_keeps_its_limits(problem, level, axis):
    top = Engine(problem, tiny_scenario()).sweep(axis).points[-1].budget
    engine = Engine(problem, tiny_scenario(budget={axis: level * top}))
    best = engine.optimum()
    assert -cross_check(engine.formulation.lp) == pytest.approx(best.value, rel=1e-6, abs=1e-5)
    plan = read(engine, best.plan.values)
    site = problem.indications[0]
    for u in site.use_cases:
        line = plan.lines["XXX", u.id]
        assert line.coverage <= u.kap + 1e-6
        assert line.patients_treated <= line.called + 1e-6 * site.eligible
        required = [plan.lines["XXX", f"site/{r}"].coverage for r in u.requires]
        assert all(line.coverage <= r + 1e-6 for r in required)
    assert sum(line.patients_treated for line in plan.lines.values()) <= site.eligible * (1 + 1e-6)
    if axis == "testing":
        assert sum(line.testing_cost for line in plan.lines.values()) <= level * top * (1 + 1e-6) + 0.01


@STILL
@given(problems())
def test_the_sweep_is_concave_rising_and_ends_at_the_best(problem):
    engine = Engine(problem, tiny_scenario())
    points = engine.sweep("testing").points
    values = [p.value for p in points]
    slopes = [(b.value - a.value) / (b.budget - a.budget) for a, b in zip(points, points[1:])
              if b.budget - a.budget > 1e-6]
    assert all(b >= a - 1e-6 for a, b in zip(values, values[1:]))
    assert all(b <= a * (1 + 1e-5) + 1e-9 for a, b in zip(slopes, slopes[1:]))
    assert values[-1] == pytest.approx(engine.optimum().value, rel=1e-6, abs=1e-6)


@STILL
@given(problems())
def test_health_is_never_lost_to_a_test(problem):
    """Doing nothing is allowed, so no plan is worse than none. Exception: mandates, which are not drawn."""
    engine = Engine(problem, tiny_scenario())
    assert engine.optimum().value >= -1e-9


@STILL
@given(problems(), st.floats(1.01, 3))
def test_a_dearer_test_never_raises_health_under_a_budget(problem, factor):
    def dearer(site):
        return replace(site, services=tuple(replace(s, cost=s.cost * factor) for s in site.services))

    scenario = tiny_scenario(budget={"testing": 0.4 * Engine(problem, tiny_scenario()).sweep("testing").points[-1].budget})
    cheap = Engine(problem, scenario).optimum().value
    dear = Engine(replace(problem, indications=tuple(map(dearer, problem.indications))), scenario).optimum().value
    assert dear <= cheap + 1e-6
