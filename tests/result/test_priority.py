"""Entry, tiers and reasons by their stated rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.resolve import Engine
from planner.optimise.sweep import Point, Sweep
from planner.result import priority
from planner.result.readout import Line, read
from planner.result.standalone import best, paying, price_that_pays, shares
from tests.tiny import therapy, tiny_problem, tiny_scenario, use_case

KEY = ("XXX", "lung/egfr")


def sweep(*pairs):
    return Sweep("testing", tuple(Point(b, b, np.array([c])) for b, c in pairs), (KEY,), 0)


def test_entry_is_where_coverage_stays_at_half_of_its_final_value():
    s = sweep((0, 0.0), (100, 0.0), (200, 0.8), (300, 0.8))
    place = priority.standing(s, KEY, 0.8, 300)
    assert place.entry_budget == pytest.approx(150)
    assert place.full_budget == pytest.approx(200, abs=0.01)
    assert place.coverage_at_half == pytest.approx(0.4)
    assert place.earlier_spells == ()


def test_a_line_that_leaves_and_returns_enters_at_its_return():
    s = sweep((0, 0.0), (100, 0.8), (200, 0.0), (300, 0.0), (400, 0.8), (500, 0.8))
    place = priority.standing(s, KEY, 0.8, 500)
    assert place.entry_budget == pytest.approx(350)
    assert place.earlier_spells == ((pytest.approx(50), pytest.approx(150)),)


def judged(name, entry, criticality):
    """What the order of the list looks at."""
    u = use_case("lung", name.partition("/")[2], (therapy("pill"),))
    line = Line("XXX", name, coverage=0.9, testing_cost=1_000.0, health={"qalys": 1.0})
    place = priority.Standing(entry, entry, (), 0.9, 0.9)
    return priority.Judged(u, LUNG, line, place, None, None, None, True, "full", 0.9, "core", "standard_of_care",
                           None, None, None, None, criticality)


def test_lines_that_enter_together_are_ranked_by_what_they_bring():
    by_one_work_up = [judged("lung/alk", 3_000_000.0000004, 10.0), judged("lung/egfr", 3_000_000.0, 20.0)]
    assert [j.use_case.id for j in priority.order(by_one_work_up)] == ["lung/egfr", "lung/alk"]


def test_lines_that_enter_together_and_bring_the_same_are_ranked_by_name():
    dust = [judged("lung/egfr", 2.0, 20.0), judged("lung/alk", 2.0 + 1e-12, 20.0 - 1e-9)]
    assert [j.use_case.id for j in priority.order(dust)] == ["lung/alk", "lung/egfr"]


def test_a_later_entry_is_a_later_rank_whatever_it_brings():
    two = [judged("lung/alk", 3_000_010.0, 99.0), judged("lung/egfr", 3_000_000.0, 1.0)]
    assert [j.use_case.id for j in priority.order(two)] == ["lung/egfr", "lung/alk"]


def test_what_never_enters_has_no_entry():
    assert priority.standing(sweep((0, 0.0), (500, 0.0)), KEY, 0.8, 500).entry_budget is None
    assert priority.standing(sweep((0, 0.5)), ("XXX", "other/x"), 0.8, 500).entry_budget is None


LUNG = tiny_problem().indications[1]


def tier_of(u, coverage=0.0, at_half=0.0, threshold=20_000, qalys=1.0):
    line = Line("XXX", u.id, coverage=coverage, health={"qalys": qalys})
    return priority.tier(u, priority.Standing(0.0, 0.0, (), at_half, 0.9), line, 0.9,
                         paying(u, LUNG, threshold) is not None, paying(u, LUNG, threshold, at_ceiling=True),
                         price_that_pays(u, LUNG, threshold))


@pytest.mark.parametrize("coverage, at_half, threshold, expected", [
    (0.9, 0.9, 20_000, "core"),
    (0.45, 0.45, 20_000, "core"),
    (0.44, 0.9, 20_000, "expand"),
    (0.9, 0.0, 20_000, "expand"),
    (0.0, 0.0, 20_000, "expand"),
    (0.9, 0.9, 5_000, "lower_price"),
])
def test_tiers_by_coverage_and_value(coverage, at_half, threshold, expected):
    u = use_case("lung", "egfr", [therapy(amax=0.5)])
    assert tier_of(u, coverage, at_half, threshold) == expected


def test_tiers_of_lines_that_cannot_be_funded():
    cases = {
        "when_drug": use_case("lung", "egfr", [therapy(alpha=0.0, payers=(), amax=0.8, m=5_000.0)]),
        "research_only": use_case("lung", "egfr", [therapy()], gated=False),
        "lower_price": use_case("lung", "egfr", [therapy(m=60_000.0, course_cost=60_000.0)], gated=False,
                                value_gated=("drug_a",)),
        "not_now": use_case("lung", "egfr", [], gap="price of drug_a"),
    }
    for expected, u in cases.items():
        assert tier_of(u) == expected
    assert tier_of(use_case("lung", "egfr", [therapy(report_class="trial_only")]), 0.9) == "research_only"


def test_what_would_not_pay_even_for_free_is_not_now_unless_funded():
    """Tests alone cost more than the health is worth."""
    u = use_case("lung", "egfr", [therapy(amax=0.5)])
    assert price_that_pays(u, LUNG, 500) is None
    assert tier_of(u, threshold=500) == "not_now"
    assert tier_of(u, coverage=0.9, threshold=500) == "lower_price"


def test_a_line_that_loses_health_is_not_now():
    u = use_case("lung", "egfr", [therapy(amax=0.5)])
    assert tier_of(u, coverage=0.9, at_half=0.9, qalys=-1.0) == "not_now"


def test_a_dear_drug_that_few_can_reach_does_not_make_the_test_dear():
    cheap = therapy("cheap", m=2_000.0, course_cost=2_000.0)
    dear = therapy("dear", h=1.01, alpha=0.05, m=200_000.0, course_cost=200_000.0)
    u = use_case("lung", "egfr", [cheap, dear])
    assert best(u, LUNG).cost_per_qaly > 20_000
    alone = paying(u, LUNG, 20_000)
    assert alone.therapies == ("cheap",) and alone.cost_per_qaly < 20_000
    assert tier_of(u, 0.9, 0.9) == "core"


def test_shares_use_nested_access_for_the_larger_gain():
    common, scarce = therapy("common", alpha=0.6, h=1.0), therapy("scarce", alpha=0.2, h=2.0)
    def gain(t):
        return t.effects.carrier["qalys"]

    taken = shares([common, scarce], lambda t: t.alpha, gain)
    assert taken == pytest.approx({"scarce": 0.2, "common": 0.4})
    worse = therapy("worse", alpha=0.2, h=0.5)
    assert shares([common, worse], lambda t: t.alpha, gain) == pytest.approx({"worse": 0.0, "common": 0.6})


def test_standalone_agrees_with_the_programme():
    """A use case that nothing else touches: alone and in the plan it costs the same per QALY."""
    problem = tiny_problem()
    e = Engine(problem, tiny_scenario())
    line = read(e, e.optimum().plan.values).lines["XXX", "breast/er"]
    breast = problem.indications[0]
    u = next(u for u in breast.use_cases if u.biomarker == "er")
    alone = best(u, breast)
    exact, ceiling = priority.all_in(line, alone)
    assert exact == pytest.approx(alone.cost_per_qaly) == ceiling
    assert line.health["qalys"] == pytest.approx(alone.qalys * breast.eligible * line.coverage)


def test_price_that_pays_makes_the_line_cost_the_threshold():
    lung = replace(LUNG, services=LUNG.services[:1])
    u = use_case("lung", "egfr", [therapy(m=60_000.0, pay=(60_000.0,), course_cost=60_000.0)])
    price = price_that_pays(u, lung, 20_000).price
    cheaper = replace(u, therapies=(replace(u.therapies[0], m=price),))
    assert best(cheaper, lung).cost_per_qaly == pytest.approx(20_000)


def test_price_that_pays_is_one_drug_at_a_time():
    """A dear second drug does not lend its price to the first."""
    lung = replace(LUNG, services=LUNG.services[:1])
    first = therapy("first", m=60_000.0, course_cost=60_000.0)
    alone = price_that_pays(use_case("lung", "egfr", [first]), lung, 20_000)
    dear = therapy("dear", h=1.1, alpha=0.01, m=500_000.0, course_cost=500_000.0)
    both = price_that_pays(use_case("lung", "egfr", [first, dear]), lung, 20_000)
    assert both.therapy == "first" and both.price == pytest.approx(alone.price)


def test_unpriced_comparator_gives_a_bound_and_no_ratio():
    problem = tiny_problem()
    lung = problem.indications[1]
    u = use_case("lung", "egfr", [therapy(m_kind="gross_drug")])
    alone = best(u, lung)
    empty = Engine(problem, tiny_scenario(budget={"testing": 0}))
    line = read(empty, empty.optimum().plan.values).lines["XXX", "lung/egfr"]
    exact, ceiling = priority.all_in(line, alone)
    assert exact is None and ceiling == pytest.approx(alone.cost_per_qaly)
