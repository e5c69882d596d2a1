"""The screens of one effect and of one drug's access show what the plan uses."""

from __future__ import annotations

import math

import pytest

import planner
from planner.evidence.strata import place
from planner.pathway.build import build_problem
from planner.pathway.derivation import CROSSOVER_WORDS, INTERVAL_WORDS, KIND_WORDS, RESTS_ON, STATE_WORDS, derivation
from planner.pathway.drawn import SPREAD, read_ratio
from planner.pathway.routes import COUNTS_WORDS, ROUTE_WORDS, access
from planner.pathway.therapy import clean
from planner.scenario.model import Scenario


def scenario(country="KEN", **more):
    return Scenario.model_validate({"name": country, "setting": {"country": country}} | more)


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def problem(evidence):
    return build_problem(evidence, scenario())


def test_the_derived_gain_is_the_plans(evidence, problem):
    seen = 0
    for use in problem.use_cases:
        for option in use.therapies:
            made = derivation(evidence, place(evidence, "KEN"), scenario(), option.therapy)
            assert made.effects.carrier == pytest.approx(option.effects.carrier), option.therapy
            assert made.effects.qaly_low == option.effects.qaly_low
            assert sum(s.qalys for s in made.steps) == pytest.approx(made.effects.carrier["qalys"])
            seen += 1
    assert seen > 80


def test_every_gain_has_an_interval_and_says_what_it_rests_on(evidence):
    """Read where a ratio with bounds was read; else as wide as the grade says, which draws use as well."""
    rows = {r["therapy_id"]: clean(r) for r in evidence.records("therapies")}
    bases = set()
    for therapy, row in rows.items():
        made = derivation(evidence, place(evidence, "KEN"), scenario(), therapy)
        if made is None:
            continue
        for measure, found in made.intervals.items():
            value = made.effects.carrier[measure]
            assert (found is None) == (value is None), (therapy, measure)
            assert found is None or found.low <= value <= found.high, (therapy, measure)
            assert found is None or found.basis in INTERVAL_WORDS
        qalys = made.intervals["qalys"]
        bases.add(qalys.basis)
        assert (qalys.basis == "read") == bool(read_ratio(row))
        if made.effects.qaly_low is not None:
            assert (qalys.low, qalys.high) == pytest.approx((made.effects.qaly_low, made.effects.qaly_high))
    assert bases == {"read", "assumed"}


@pytest.mark.parametrize("grade", ["B", "C", "D"])
def test_what_was_not_read_is_as_wide_as_the_draws(evidence, grade):
    row = next(clean(r) for r in evidence.records("therapies")
               if r["quality"] == grade and not read_ratio(r) and not r["builds_on"] and r["ly_gain"] is None
               and r["effect_kind"] in ("survival_curves", "single_arm_external", "landmark_cure"))
    made = derivation(evidence, place(evidence, "KEN"), scenario(), row["therapy_id"])
    width = math.sqrt(math.log1p(SPREAD[grade] ** 2))
    for measure in ("qalys", "life_years"):
        value, found = made.effects.carrier[measure], made.intervals[measure]
        assert math.log(found.high / found.low) == pytest.approx(2 * 1.959964 * width, rel=1e-6)
        assert math.sqrt(found.high * found.low) == pytest.approx(value * math.exp(-width**2 / 2))
        assert found.basis == "assumed"


def test_every_kind_of_effect_has_words_and_figures_it_rests_on(evidence):
    for row in evidence.records("therapies"):
        made = derivation(evidence, place(evidence, "UGA"), scenario("UGA"), row["therapy_id"])
        if made is None:
            continue
        for step in made.steps:
            assert step.kind in KIND_WORDS and step.kind in RESTS_ON and step.crossover in CROSSOVER_WORDS
            assert any(f.used for f in step.figures), step.therapy
            assert all(f.low is None or f.low <= f.value <= f.high for f in step.figures)
        assert made.utility_state in STATE_WORDS and 0 < made.remaining < 90


def test_an_own_number_of_the_scenario_shows(evidence):
    mine = scenario(override=[{"table": "therapies", "column": "os_hr", "key": {"therapy_id": "aml_flt3_gilteritinib_relapsed"},
                               "value": 0.9, "why": "test"}])
    where = place(evidence, "KEN")
    less = derivation(evidence, where, mine, "aml_flt3_gilteritinib_relapsed").effects.carrier["qalys"]
    assert less < derivation(evidence, where, scenario(), "aml_flt3_gilteritinib_relapsed").effects.carrier["qalys"]


@pytest.mark.parametrize("country", ["KEN", "DEU", "BRA", "UGA", "RWA"])
def test_shares_by_payer_add_up_to_what_the_plan_uses(evidence, country):
    problem, where = build_problem(evidence, scenario(country)), place(evidence, country)
    checked = 0
    for use in problem.use_cases:
        for drug, share, _ in {r for t in use.therapies for r in t.reach}:
            found = access(evidence, where, scenario(country), drug, use.indication)
            if all("care" in p.includes for p in found.payers):
                assert found.share == pytest.approx(share), (drug, use.id)
                checked += 1
            assert sum(p.share for p in found.payers) == pytest.approx(found.share, abs=1e-6)
            assert all(p.payer != "trial" for p in found.payers) and all(r.route != "trial" for r in found.routes)
            assert all(set(p.includes) <= set(COUNTS_WORDS) for p in found.payers)
            assert all(not p.rule or p.rule_name for p in found.payers)
    assert checked > 60


def test_routes_are_told_for_a_country_that_has_them(evidence):
    found = access(evidence, place(evidence, "KEN"), scenario(), "imatinib", "cml")
    told = {r.route for r in found.routes}
    assert told and told <= set(ROUTE_WORDS) - {"trial"}
    assert found.own is None
    mine = access(evidence, place(evidence, "KEN"), scenario(access={"drugs": {"imatinib": 1.0}}), "imatinib", "cml")
    assert mine.own == 1.0 and mine.share == found.share
