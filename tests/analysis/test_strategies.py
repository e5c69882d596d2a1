"""Strategies: each against a plan of its own, counts against the services' own numbers, ways to run the laboratory."""

from __future__ import annotations

import math

import pytest

import planner
from planner.analysis.break_even import at_home, volume
from planner.analysis.dominance import ladder
from planner.errors import BadInput
from planner.pathway.build import build_problem

LUNG = "nsclc_nonsq_advanced"
RUNS = (12, 50, 250)
CASES = {"breast_early": 220, "crc_metastatic": 60}


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def lung(evidence):
    return planner.strategies(planner.Scenario.load("kenya"), evidence, LUNG)


@pytest.fixture(scope="module")
def hospital():
    """A small hospital whose laboratory is costed by its parts."""
    from planner.scenario.scenario import load

    return load("hospital_kenya", {"laboratory": {"costing": "micro", "seconds": 40}, "budget": {"testing": 40_000}}
                ).model_copy(update={"cases": CASES})


@pytest.fixture(scope="module")
def whole(hospital, evidence):
    return planner.strategies(hospital, evidence)


def test_no_testing_costs_and_finds_nothing(lung):
    row = lung.frame("strategies").set_index("strategy").loc["no testing"]
    assert row[["testing_cost", "results", "positives_true", "qalys", "total_cost", "slides"]].eq(0).all()


def test_single_tests_are_a_plan_with_nothing_else_on_offer(lung, evidence):
    """The row of the cheapest single tests is what a plan without limits makes of these services alone."""
    scenario = planner.Scenario.load("kenya")
    rows = lung.frame("biomarkers")
    chosen = set(rows.loc[rows["strategy"] == "single tests, the cheapest", "service"])
    problem = build_problem(evidence, scenario)
    ind = next(i for i in problem.indications if i.indication == LUNG)
    others = {s.service.split("__")[0] for s in ind.services if s.name not in chosen}
    used = {s.service.split("__")[0] for s in ind.services if s.name in chosen}
    every = {f"{u.indication}/{u.biomarker}" for i in problem.indications for u in i.use_cases if i.indication != LUNG}
    alone = scenario.model_copy(update={
        "budget": scenario.budget.model_copy(update={"testing": None}),
        "services": scenario.services.model_copy(update={"exclude": tuple(sorted(others - used))}),
        "policy": scenario.policy.model_copy(update={"must_fund": (), "exclude": tuple(sorted(every))})})
    plan = planner.plan(alone, evidence)
    row = lung.frame("strategies").set_index("strategy").loc["single tests, the cheapest"]
    assert plan.totals["qalys"] == pytest.approx(row["qalys"], rel=1e-6)


def test_counts_are_the_services_own(lung, evidence):
    ind = next(i for i in build_problem(evidence, planner.Scenario.load("kenya")).indications if i.indication == LUNG)
    services = {s.name: s for s in ind.services}
    cases = {u.biomarker: u for u in ind.use_cases}
    for row in lung.tables["biomarkers"]:
        u, r = cases[row["biomarker_id"]], services[row["service"]].result(row["biomarker_id"])
        carriers = row["asked"] * u.asked_prevalence
        assert row["positives_true"] == pytest.approx(row["asked"] * r.eta * u.asked_prevalence * r.se)
        assert row["positives_true"] + row["positives_missed"] == pytest.approx(carriers)
        assert row["asked"] <= u.asked(ind.eligible) * u.kap * (1 + 1e-9)
        assert 0 <= row["sensitivity"] <= 1 and 0 <= row["specificity"] <= 1


def test_a_strategy_costs_its_services(lung, evidence):
    ind = next(i for i in build_problem(evidence, planner.Scenario.load("kenya")).indications if i.indication == LUNG)
    bases = {s.name: s for s in ind.services if s.kind == "base"}
    frame = lung.frame("strategies")
    alone = frame[frame["strategy"].isin(bases)]
    assert len(alone) > 5
    for row in alone.itertuples():
        assert row.cost_per_patient == pytest.approx(bases[row.strategy].cost + ind.workup_cost)
        assert row.slides == pytest.approx(bases[row.strategy].slides)
        assert row.technician_minutes == pytest.approx(row.patients * bases[row.strategy].technician_minutes)


def test_ratios_and_dominance_are_the_ladder(lung):
    frame = lung.frame("strategies")
    steps = ladder(list(frame["strategy"]), list(frame["total_cost"]), list(frame["qalys"]))
    for row in frame.itertuples():
        found = steps.row(row.strategy)
        assert row.status == found.status
        assert (row.icer if row.icer == row.icer else None) == (None if found.icer is None else pytest.approx(found.icer))
    best = frame.loc[frame["best_at_threshold"], "net_health"]
    assert len(best) == 1 and best.iloc[0] == pytest.approx(frame["net_health"].max())
    assert (frame["reference"] == "no testing").all()  # today is not known in Kenya
    assert any("Nothing is known of today" in w for w in lung.words)


def test_one_after_the_other_saves_tests_and_stops_at_the_first_driver(lung):
    frame = lung.frame("strategies").set_index("strategy")
    order = next(n for n in frame.index if n.startswith("EGFR, then ALK, then ROS1") and "rest" not in n)
    at_once = next(n for n in frame.index if n.startswith("EGFR, ALK, ROS1 and PD-L1") and "rest" not in n)
    assert frame.loc[order, "cost_per_patient"] < frame.loc[at_once, "cost_per_patient"]


def test_break_even_by_number_is_the_first_panel_that_costs_no_more(lung):
    frame = lung.frame("by_number")
    for _, rows in frame.groupby("service"):
        rows = rows.sort_values("biomarkers")
        reached = rows.loc[rows["singles_cost"] >= rows["panel_cost"], "biomarkers"]
        told = rows["break_even"].iloc[0]
        assert (None if math.isnan(told) else told) == (reached.iloc[0] if len(reached) else None)
        assert rows["singles_cost"].is_monotonic_increasing


def test_the_same_question_gives_the_same_answer(lung, evidence):
    again = planner.strategies(planner.Scenario.load("kenya"), evidence, LUNG)
    assert again.to_dict() == lung.to_dict()


@pytest.mark.parametrize(("indication", "code"), [("lung", "unknown_id"), ("neuroblastoma", "no_patients"),
                                                    ("mpn_myelofibrosis", "nothing_to_test")])
def test_bad_questions_are_told(indication, code, evidence):
    with pytest.raises(BadInput) as error:
        planner.strategies(planner.Scenario.load("kenya"), evidence, indication)
    assert [i.code for i in error.value.issues] == [code]


# -- the whole laboratory ------------------------------------------------------------------------------


def test_the_plan_among_the_ways_is_the_plan(whole, hospital, evidence):
    plan = planner.plan(hospital, evidence)
    row = whole.frame("strategies").set_index("strategy").loc["the plan"]
    assert row["qalys"] == pytest.approx(plan.totals["qalys"], rel=1e-6)
    assert row["testing_cost"] == pytest.approx(plan.totals["testing_cost"], rel=1e-6)
    assert row["testing_cost"] <= 40_000 * (1 + 1e-9)
    told = {p["platform"]: p["bought"] for p in plan.document["laboratory"]}
    assert {r["platform"]: r["bought"] for r in whole.tables["platforms"] if r["strategy"] == "the plan"} == told
    assert all(n == round(n) for n in told.values())


def test_no_way_beats_the_plan_in_health(whole):
    frame = whole.frame("strategies").set_index("strategy").drop("plan of the highest net health")  # it has no budget
    assert (frame["qalys"] <= frame.loc["the plan", "qalys"] * (1 + 2e-3)).all()
    assert frame.loc["everything elsewhere", "home_samples"] == 0
    assert frame.loc["everything elsewhere", "technician_minutes"] == 0


def test_cost_at_home_is_fixed_and_by_the_sample(whole):
    frame, tests = whole.frame("strategies").set_index("strategy"), whole.frame("tests")
    for name, mine in tests[tests["at_home"]].groupby("strategy"):
        assert frame.loc[name, "home_cost"] == pytest.approx((mine["samples"] * mine["average_cost"]).sum())
        assert (mine["average_cost"] >= mine["marginal_cost"] - 1e-9).all()
        platforms = [r for r in whole.tables["platforms"] if r["strategy"] == name]
        runs = mine[mine["runs_a_year"] > 0]
        assert frame.loc[name, "fixed_cost"] >= sum(p["yearly_cost"] for p in platforms) - 1e-6
        assert (runs["runs"] >= runs["runs_a_year"] - 1e-6).all()


def test_tests_cost_less_each_in_a_larger_hospital(whole):
    volumes = whole.frame("volumes").set_index("scale")
    assert list(volumes.index) == [0.5, 1.0, 2.0]
    assert volumes.loc[2.0, "cost_per_sample"] <= volumes.loc[0.5, "cost_per_sample"] * (1 + 1e-6)
    assert volumes.loc[2.0, "samples"] > volumes.loc[0.5, "samples"]


def test_no_test_is_planned_more_often_than_it_could_be_here(evidence):
    """HER2 is read twice in metastatic breast cancer, for amplification and for low expression: each is a run of the stain."""
    from planner.scenario.scenario import load

    scenario = load("hospital_kenya", {"laboratory": {"costing": "micro", "seconds": 0.05}})
    found = planner.strategies(scenario.model_copy(update={"cases": {"breast_early": 220, "breast_metastatic": 120}}), evidence)
    rows = found.frame("break_even")
    assert (rows["planned"] <= rows["most_here"] + 1e-6).all()
    her2 = rows.set_index("assay").loc["her2_ihc"]
    assert (her2["planned"] > 0.9 * (220 + 120)).all() and (her2["most_here"] >= her2["planned"]).all()
    assert (found.frame("tests")["samples"] >= 0.5).all()


def test_break_even_volumes_are_where_the_curves_meet(hospital, evidence):
    home = build_problem(evidence, hospital).laboratory
    for a in home.assays[:6]:
        first = volume(home, a, 60.0, home.transport, RUNS, most=2000)
        cheaper = [at_home(home, a, n, home.transport, RUNS).cost <= 60.0 for n in range(1, 2001)]
        assert first == (None if not cheaper[-1] else len(cheaper) - cheaper[::-1].index(False) + 1 if False in cheaper else 1)
