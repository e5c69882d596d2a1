"""Switching values against plain planning again just before and just after; prices of preferences; criticality."""

from __future__ import annotations

from dataclasses import replace

import pytest

import planner
from planner.analysis import switching as module
from planner.analysis.levers import pull, today
from planner.analysis.study import Study
from planner.analysis.switching import MOST, STEPS, switching
from planner.errors import BadInput, Issue
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.result.priority import HALF, NEARLY
from planner.result.readout import read
from tests.tiny import tiny_problem, tiny_scenario, under

WAYS = {
    "testing": {"budget": {"testing": 60_000}},
    "treatment": {"budget": {"treatment": 700_000}},
    "total": {"budget": {"total": 900_000}},
    "net health": {"objective": "net_health"},
    "selective": {"budget": {"testing": 60_000}, "access": {"mode": "selective"}},
}


def tiny():
    """The tiny problem with blind use and the course's own cost kept as the builder keeps them."""
    problem = tiny_problem()
    return replace(problem, indications=tuple(replace(i, use_cases=tuple(replace(u, therapies=tuple(
        replace(t, blind=t.u0, gross=sum(t.pay)) for t in u.therapies)) for u in i.use_cases)) for i in problem.indications))


def inside(problem, scenario, key) -> bool:
    """Whether a line is in the plan of a model of its own."""
    engine = Engine(problem, scenario)
    if key not in engine.keys:
        return False  # without a reachable drug, or a test better than chance
    covered = engine.coverage(engine.optimum().plan.values)[engine.keys.index(key)]
    top = next(u.kap for u in problem.use_cases if (u.region, u.id) == key)
    if scenario.access.mode == "selective":  # no more are tested than can get a drug today
        today = next(u for u in tiny_problem().use_cases if (u.region, u.id) == key)
        top = min(top, max(t.alpha for t in today.therapies))
    return covered > 1e-6 and covered >= HALF * top * NEARLY


def step(row) -> float:
    """What the bisection leaves open: a share 2^-12 of its range, or of its ratio."""
    now, end, at = row["today"], row["sought_to"], row["flips_at"]
    if row["unit"] == "times today's" and max(now, end) > 1:
        return at * ((max(now, end) / max(min(now, end), 1e-9)) ** (2.0**-STEPS) - 1) * 1.5
    return 1.5 * abs(end - now) / 2**STEPS


@pytest.mark.parametrize("name", WAYS)
def test_just_before_and_just_after_differ(by_hand, name):
    scenario = tiny_scenario(**WAYS[name])
    problem = tiny()
    found = switching(scenario, by_hand(problem))
    flips = [r for r in found.tables["values"] if r["flips_at"] is not None]
    assert flips
    for row in flips:
        key = (row["region"], f"{row['indication_id']}/{row['biomarker_id']}")
        toward = 1.0 if row["today"] > row["flips_at"] else -1.0
        before = row["flips_at"] + toward * min(step(row), abs(row["today"] - row["flips_at"]))
        at = {v: inside(pull(problem, {key: {row["lever"]: v}}), scenario, key) for v in (before, row["flips_at"])}
        assert at[before] == row["in_plan"], (key, row["lever"], before)
        assert at[row["flips_at"]] != row["in_plan"], (key, row["lever"], row["flips_at"])


@pytest.mark.parametrize("name", WAYS)
def test_what_does_not_flip_stands_at_the_end_of_its_range(by_hand, name):
    scenario = tiny_scenario(**WAYS[name])
    problem = tiny()
    for row in switching(scenario, by_hand(problem)).tables["values"]:
        key = (row["region"], f"{row['indication_id']}/{row['biomarker_id']}")
        if row["flips_at"] is None:
            assert inside(pull(problem, {key: {row["lever"]: row["sought_to"]}}), scenario, key) == row["in_plan"], row
        assert row["today"] == today(next(u for u in problem.use_cases if u.id == key[1]), row["lever"])
        assert 0 <= row["sought_to"] <= MOST


def test_test_cost_that_pays_by_hand(by_hand):
    """One line, net health, a drug that costs nothing: the test pays as long as its cost is below
    threshold x health = 20,000 x 0.9 x 0.9 x 0.5 x 0.2 x 0.95 = 1,539 USD a patient."""
    problem = tiny()
    lung = next(i for i in problem.indications if i.indication == "lung")
    egfr = lung.use_cases[0]
    free = replace(egfr.therapies[0], m=0.0, pay=(0.0,), gross=0.0)
    lung = replace(lung, use_cases=(replace(egfr, therapies=(free,)),), services=lung.services[:1], workup_cost=0.0)
    found = switching(tiny_scenario(objective="net_health"), by_hand(replace(problem, indications=(lung,))))
    (row,) = [r for r in found.tables["values"] if r["lever"] == "test_cost"]
    assert row["flips_at"] == pytest.approx(20_000 * 0.9 * 0.9 * 0.5 * 0.2 * 0.95 / 100, rel=2 * 20 ** (2.0**-STEPS) - 2)


@pytest.mark.parametrize("name", ["testing", "treatment", "total"])
def test_criticality_is_a_plan_without_the_line(by_hand, name):
    """What is asked after er goes with it, struck out or excluded; er itself where no drug money is limited."""
    scenario = tiny_scenario(**WAYS[name])
    problem = tiny()
    whole = Engine(problem, scenario).optimum().value
    rows = {f"{r['indication_id']}/{r['biomarker_id']}": r for r in switching(scenario, by_hand(problem)).tables["lines"]}
    for line in ("lung/egfr", "lung/alk", "breast/her2", *(["breast/er"] if name == "testing" else [])):
        without = tiny_scenario(**WAYS[name], policy={"exclude": [line]})
        left = Engine(under(problem, without), without).optimum().value
        assert rows[line]["criticality"] == pytest.approx(whole - left, rel=1e-7, abs=1e-6), line


R0 = "optimise/formulation.py counts blind spending of active lines alone: a line excluded by policy takes its blind spending " \
     "(R0) out of a treatment or total budget, though its drug is given all the same"


@pytest.mark.xfail(strict=True, reason=R0)
@pytest.mark.parametrize("name", ["treatment", "total"])
def test_an_excluded_line_s_drug_is_still_paid_for(name):
    scenario, problem = tiny_scenario(**WAYS[name]), tiny()
    engine = Engine(problem, scenario)
    whole = engine.optimum()
    without = tiny_scenario(**WAYS[name], policy={"exclude": ["breast/er"]})
    left = Engine(under(problem, without), without).optimum().value
    assert whole.value - left == pytest.approx(engine.criticality(whole, engine.keys)["XXX", "breast/er"], rel=1e-7)


def test_preferences_cost_what_a_plan_without_them_gains(by_hand):
    problem = tiny()
    whole = {"must_fund": ["breast/her2"], "exclude": ["lung/egfr"]}
    scenario = tiny_scenario(budget={"testing": 200_000}, policy=whole)
    rows = switching(scenario, by_hand(problem)).tables["preferences"]
    wanted = {("must_fund", "breast/her2"): {"exclude": ["lung/egfr"]}, ("exclude", "lung/egfr"): {"must_fund": ["breast/her2"]}}

    def outcome(policy):
        chosen = tiny_scenario(budget={"testing": 200_000}, policy=policy)
        engine = Engine(under(problem, chosen), chosen)
        lines = read(engine, engine.optimum().plan.values).lines.values()
        return engine.optimum().value, sum(line.testing_cost for line in lines), sum(line.treatment_cost for line in lines)

    base = outcome(whole)
    for (kind, name), policy in wanted.items():
        (row,) = [r for r in rows if (r["preference"], r["name"]) == (kind, name)]
        other = outcome(policy)
        assert row["health_cost"] == pytest.approx(other[0] - base[0], rel=1e-7, abs=1e-6)
        assert row["testing_cost"] == pytest.approx(base[1] - other[1], abs=0.02)
        assert row["treatment_cost"] == pytest.approx(base[2] - other[2], rel=1e-6, abs=1.0)


def test_kenya_flips_where_a_plain_plan_flips(evidence, kenya, monkeypatch):
    """A few lines of Kenya, everything else excluded."""
    kept = ("breast_early/her2", "breast_early/er_pr", "cml/bcr_abl1", "crc_metastatic/ras")
    known = [f"{r['indication_id']}/{r['biomarker_id']}" for r in evidence.records("use_cases")]
    scenario = kenya(budget={"testing": 150_000}, policy={"exclude": [u for u in known if u not in kept]})
    monkeypatch.setattr(module, "_preferences", lambda study, progress: ())  # one for every line excluded
    found = switching(scenario, evidence)
    flips = [r for r in found.tables["values"] if r["flips_at"] is not None]
    assert len(flips) >= 4
    problem = build_problem(evidence, scenario)
    for row in flips:
        key = (row["region"], f"{row['indication_id']}/{row['biomarker_id']}")
        toward = 1.0 if row["today"] > row["flips_at"] else -1.0
        before = row["flips_at"] + toward * min(step(row), abs(row["today"] - row["flips_at"]))
        assert inside(pull(problem, {key: {row["lever"]: before}}), scenario, key) == row["in_plan"], row
        assert inside(pull(problem, {key: {row["lever"]: row["flips_at"]}}), scenario, key) != row["in_plan"], row


def test_kenya_criticality_is_a_plan_without_the_line(evidence, kenya):
    """Lines that none is asked after and that take no carriers from another."""
    study = Study(kenya(), evidence)
    whole = study.optimum
    firsts = {(r["indication_id"], r["requires_biomarker_id"]) for r in evidence.records("prerequisites")} | {
        (r["indication_id"], r["first_biomarker_id"]) for r in evidence.records("overlap")}
    critical = study.engine.criticality(whole, study.engine.keys)
    first = sorted((k for k in study.engine.keys if tuple(k[1].split("/")) not in firsts), key=lambda k: -(critical[k] or 0))
    for key in first[:4]:
        scenario = kenya(policy={"exclude": [key[1]]})
        left = Engine(build_problem(evidence, scenario), scenario).optimum().value
        assert critical[key] == pytest.approx(whole.value - left, rel=1e-6, abs=1e-6), key


# -- preferences in place -----------------------------------------------------------------------------------

def known_today():
    """The tiny problem where egfr and her2 are tested a little today."""
    kap0 = {"lung/egfr": 0.3, "breast/her2": 0.2, "breast/er": 0.2}
    return replace(tiny(), indications=tuple(replace(i, use_cases=tuple(
        replace(u, kap0=kap0.get(u.id)) for u in i.use_cases)) for i in tiny().indications))


PREFERENCES = {
    "mandates": {"budget": {"testing": 250_000}, "policy": {"must_fund": ["breast/her2", "lung/alk"]}},
    "mandates on top of today": {"budget": {"testing": 100_000, "basis": "additional"}, "policy": {"must_fund": ["lung/egfr"]}},
    "weights": {"budget": {"testing": 60_000}, "equity": {"weights": {"lung": 0.2, "breast": 1.5}}},
    "weights of net health": {"objective": "net_health", "equity": {"weights": {"lung": 0.2, "breast": 3.0}}},
}


@pytest.mark.parametrize("name", PREFERENCES)
def test_preferences_in_place_equal_models_built_anew(by_hand, monkeypatch, name):
    """Mandates, weights and floors change bounds or the objective only: no model is built, same numbers."""
    problem, scenario = known_today(), tiny_scenario(**PREFERENCES[name], evidence_gate={"level": 4})
    evidence = by_hand(problem)
    study = Study(scenario, evidence, levers=True)
    _ = study.optimum
    built = []
    monkeypatch.setattr(module, "Engine", lambda *a: built.append(a) or Engine(*a))
    rows = list(module._preferences(study, lambda *_: None))
    assert rows and not built
    base = module._outcome(Engine(under(problem, scenario), scenario))
    lifted = {(kind, n): s for kind, n, s in module._without(scenario)}
    for row in rows:
        other = Engine(under(problem, lifted[row["preference"], row["name"]]), lifted[row["preference"], row["name"]])
        if row["preference"] == "floor":
            mandated = {f for u in under(problem, scenario).use_cases if u.must_fund for f in other.floors((u.region, u.id))}
            for floor in {n for n in other.model.row if n.startswith("floor_")} - mandated:
                other.set_row(floor, None, None)
        expected = module._costs(base, module._outcome(other))
        for field, value in expected.items():
            assert row[field] == pytest.approx(value, rel=1e-6, abs=0.02 if "_cost" in field else 1e-6), (row, field)
    again = study.engine.optimum()  # put back
    assert again.value == pytest.approx(study.optimum.value, rel=1e-12)
    assert again.plan.values == pytest.approx(study.optimum.plan.values, abs=1e-7)


def test_breast_first_in_place_equals_a_plan_without_the_mandate(evidence):
    scenario = planner.Scenario.load("kenya_breast_first")
    study = Study(scenario, evidence, levers=True)
    rows = [r for r in module._preferences(study, lambda *_: None) if r["preference"] == "must_fund"]
    base = module._outcome(Engine(study.problem, scenario))
    without = {n: s for kind, n, s in module._without(scenario) if kind == "must_fund"}
    assert {r["name"] for r in rows} == without.keys()
    for row in rows:
        other = module._outcome(Engine(build_problem(evidence, without[row["name"]]), without[row["name"]]))
        assert row["health_cost"] == pytest.approx(other["health"] - base["health"], abs=1e-5)
        assert row["testing_cost"] == pytest.approx(base["testing"] - other["testing"], abs=1.0)
        assert row["treatment_cost"] == pytest.approx(base["treatment"] - other["treatment"], rel=1e-6, abs=1.0)


def test_a_preference_that_cannot_be_lifted_says_why(by_hand, monkeypatch):
    """An error while planning without it is a row with the reason, not a row that is missing."""
    scenario = tiny_scenario(budget={"testing": 150_000}, policy={"exclude": ["lung/egfr"]}, evidence_gate={"level": 4})
    evidence = by_hand(tiny())

    def fails(*_):
        raise BadInput([Issue("policy.must_fund lung/egfr", "no service supplies it here", "offer a service")])

    study = Study(scenario, evidence, levers=True)
    _ = study.engine
    monkeypatch.setattr(module, "Engine", fails)
    (row,) = list(module._preferences(study, lambda *_: None))
    assert row["name"] == "lung/egfr" and all(row[c] is None for c in module.COSTS)
    assert "no service supplies it here" in row["note"]
    words = module._words(study, [], [row])[-1]
    assert "no service supplies it here" in words


# -- what bears on the list ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name", WAYS)
def test_drug_costs_that_do_not_bear_on_the_list_are_said_so(by_hand, name):
    """Without a treatment or total budget and with health as the objective no course is too dear."""
    found = switching(tiny_scenario(**WAYS[name]), by_hand(tiny()))
    flips = [r["flips_at"] for r in found.tables["values"] if r["lever"] == "drug_cost"]
    silent = name in ("testing", "selective")
    assert not silent or flips == [None] * len(flips)
    assert (module.NO_DRUG_COST in found.words) == silent
    assert module.NO_DRUG_COST.startswith("Drug costs do not bear on this list: no treatment budget")
    assert len(found.words) > 1  # and what does flip it, or that nothing does
