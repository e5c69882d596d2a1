"""Ways to test beside each other: full cost at home, what is compared with what, and what is said of it."""

from __future__ import annotations

import math

import pytest

import planner
from planner.analysis import side_by_side
from planner.analysis.break_even import MARGIN, volume
from planner.analysis.side_by_side import APART, NOTHING, TODAY, Known
from planner.analysis.strategies import prices
from planner.analysis.whole_laboratory import BEST, HOME_ALL, PLAN
from planner.pathway.build import build_problem
from planner.scenario.scenario import load, loads

LUNG = "nsclc_nonsq_advanced"
BREAST = "breast_early"


def colombia(**laboratory):
    return loads("parent = 'defaults'", changes={
        "setting": {"country": "COL", "hospital": "Ours"}, "cases": {LUNG: 60, BREAST: 260}, "budget": {"testing": 60_000},
        "laboratory": {"costing": "micro", "tier": "reference", "instruments": {"ihc_autostainer": 1, "realtime_pcr": 1},
                       "seconds": 20} | laboratory})


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def lung(evidence):
    return planner.strategies(colombia(), evidence, LUNG)


@pytest.fixture(scope="module")
def whole(evidence):
    return planner.strategies(colombia(), evidence)


# -- one indication: full cost at home -----------------------------------------------------------------------


def test_a_panel_at_home_carries_its_instrument_and_its_runs(lung, evidence):
    """Counted by hand: nothing of it is in the plan, so that these patients bear the sequencer, the runs and the fees."""
    home = build_problem(evidence, colombia()).laboratory
    row = next(r for r in lung.tables["home_tests"] if r["assay"] == "cgp_tissue" and "second" not in r["strategy"]
               and r["samples"] == pytest.approx(54))
    a = home.assay("cgp_tissue")
    platforms = {p.platform: p for p in home.platforms}
    costs = []
    for name, positions in a.platforms:
        p, runs = platforms[name], max(row["runs_a_year"], 54 / positions)
        used = p.used(54, runs, positions)
        costs.append(math.ceil(used / p.runs_per_year - 1e-9) * p.yearly_cost + runs * a.per_run)
    average = a.per_sample + a.labour + home.transport + (min(costs) + a.quality_fee) / 54
    assert row["average_cost"] == pytest.approx(average, rel=1e-9) and average > 2_000
    strategy = lung.frame("strategies").set_index("strategy").loc[row["strategy"]]
    assert strategy["cost_per_patient"] - strategy["cost_one_more"] == pytest.approx(average - row["marginal_cost"])
    assert any("What a test costs at home holds" in w for w in lung.words)


def test_what_the_plan_runs_carries_the_plan_s_average(evidence):
    """Tests that the plan runs are pooled over all indications: their average is the plan's own."""
    mine = colombia()
    plan = planner.plan(mine, evidence)
    run = {(t["assay"], t["runs_a_year"]): t["average_cost"] for t in plan.document["home_tests"] if t["samples"] >= 1}
    found = planner.strategies(mine, evidence, BREAST).tables["home_tests"]
    shared = [r for r in found if (r["assay"], r["runs_a_year"]) in run]
    assert shared and all(r["average_cost"] == pytest.approx(run[r["assay"], r["runs_a_year"]], rel=1e-6) for r in shared)
    assert {r["basis"] for r in shared} == {"the plan's average at its volume"}


def test_no_home_way_costs_less_than_its_next_sample(lung):
    for r in lung.tables["strategies"]:
        if r["strategy"] not in (NOTHING, TODAY):
            assert r["cost_per_patient"] >= r["cost_one_more"] - 1e-9
            assert r["home_samples"] > 0 or r["cost_per_patient"] == pytest.approx(r["cost_one_more"])


def test_a_panel_is_set_against_the_single_test_that_a_buyer_would_take(lung, evidence):
    """EGFR alone is the one sent out, not the dear one of the own laboratory; no single test much worse than the panel's."""
    ind = next(i for i in build_problem(evidence, colombia()).indications if i.indication == LUNG)
    services = {s.name: s for s in ind.services}
    egfr = [r for r in lung.tables["by_number"] if r["added"] == "egfr"]
    assert egfr and {r["single"] for r in egfr} == {"EGFR hotspot real-time PCR (national laboratory)"}
    assert all(r["break_even"] is None or r["break_even"] > 1 for r in egfr)
    for r in lung.tables["by_number"]:
        panel, single = (services[r[k]].result(r["added"]) for k in ("name", "single"))
        best = max(s.result(r["added"]).sensitivity + s.result(r["added"]).specificity for s in ind.services
                   if s.kind == "single" and s.result(r["added"]))
        least = min(panel.sensitivity + panel.specificity, best) - MARGIN
        assert single.sensitivity + single.specificity >= least - 1e-9


# -- break-even by all schedules -------------------------------------------------------------------------------


@pytest.mark.parametrize(("assay", "first"), [("alk_ihc", 1380), ("idh1_ihc", 273), ("cd30_ihc", 273), ("ros1_ihc", 1399)])
def test_break_even_tries_every_schedule_of_the_scenario(assay, first, evidence):
    """In the hospital in Kenya the schedules worth a thought at today's volume said never, or 2,360 for ROS1."""
    mine = load("hospital_kenya", {"laboratory": {"costing": "micro"}})
    problem = build_problem(evidence, mine)
    a, price = problem.laboratory.assay(assay), prices(problem.indications)[assay]["hub"]
    assert volume(problem.laboratory, a, price, problem.laboratory.transport, mine.laboratory.runs_a_year) == first


# -- what is compared with what --------------------------------------------------------------------------------


def row(name, cost, qalys, known=(None, None)):
    return {"strategy": name, "total_cost": cost, "qalys": qalys, "testing_cost": cost, "net_health": qalys - cost / 642,
            "qalys_known": known[0], "cost_known": known[1]}


def test_highest_net_health_and_lowest_cost_per_year_are_two_answers():
    rows = [row(NOTHING, 0.0, 0.0), row("panels", 16_364 * 41.8, 41.8), row("singles", 16_152 * 43.4, 43.4)]
    side_by_side.compared(rows, Known(frozenset(), 9, 0.0, 9.0), 642)
    first, second = side_by_side.value_words(rows, 642)
    assert "no way is worth its money" in first and side_by_side.best_of(rows)["strategy"] == NOTHING
    assert "Lowest cost per healthy year" in second and "singles" in second and "US$ 16,200" in second
    side_by_side.compared(rows, Known(frozenset(), 9, 0.0, 9.0), 17_000)
    first, _ = side_by_side.value_words(rows, 17_000)
    assert first.startswith("Best value at US$ 17,000") and "singles" in first


def test_a_way_that_saves_money_goes_before_any_cost_per_year():
    rows = [row(NOTHING, 0.0, 0.0), row("few", -7_000.0, 12.0), row("many", 700_000.0, 43.0)]
    side_by_side.compared(rows, Known(frozenset(), 9, 0.0, 9.0), 642)
    words = side_by_side.value_words(rows, 642)
    assert "few" in words[0] and "saves money" in words[1] and "few, 12 healthy years a year and US$ 7,000 saved" in words[1]
    assert not any("Lowest cost" in w for w in words)


def test_one_known_line_is_not_the_whole_of_today():
    rows = [row(NOTHING, 0.0, 0.0, (0.0, 0.0)), row("plan", 900.0, 9.0, (4.0, 300.0)), row(TODAY, 200.0, 3.0, (3.0, 200.0))]
    known = Known(frozenset({("COL", "a/b")}), 36, 60.0, 900.0)
    side_by_side.compared(rows, known, 1000)
    assert {r["reference"] for r in rows} == {NOTHING, None}
    today = rows[2]
    assert today["status"] == APART and "1 of 36" in today["status_words"]
    assert (rows[1]["qalys_to_today"], rows[1]["cost_to_today"]) == (1.0, 100.0)
    words = side_by_side.today_words(rows, known, "plan")
    assert "1 of 36 lines, 60 of 900 people" in words and "1 more healthy years a year, at US$ 100 more" in words
    side_by_side.compared(rows, Known(known.lines, 1, 60.0, 60.0), 1000)
    assert {r["reference"] for r in rows} == {TODAY}


def test_today_in_colombia_is_known_for_one_line_of_lung_cancer(lung, whole):
    for found, name in ((lung, LUNG), (whole, "all")):
        rows = {r["strategy"]: r for r in found.tables["strategies"]}
        assert rows[TODAY]["status"] == APART and found.settings["reference"] == NOTHING, name
        assert {r["reference"] for r in rows.values()} == {NOTHING, None}
        assert any("Today's testing is known for 1 of" in w for w in found.words)


# -- the whole laboratory ----------------------------------------------------------------------------------------


def test_the_headline_is_the_plan_of_the_highest_net_health(whole, evidence):
    rows = {r["strategy"]: r for r in whole.tables["strategies"]}
    mine = colombia()
    free = mine.model_copy(update={"objective": "net_health", "budget": mine.budget.model_copy(update={"testing": None})})
    alone = planner.plan(free, evidence)
    assert rows[BEST]["qalys"] == pytest.approx(alone.totals["qalys"], rel=1e-6)
    assert all(r["net_health"] <= rows[BEST]["net_health"] + 1e-6 for r in rows.values() if r["strategy"] != TODAY)
    assert whole.words[0].startswith("At your value of a healthy year") and "To use all of US$ 60,000: run" in whole.words[0]
    assert not any("least dear" in w for w in whole.words)


def test_every_test_is_counted_once_and_what_a_way_cannot_do_is_told(whole):
    mine = [t for t in whole.tables["tests"] if t["strategy"] == PLAN]
    here, away = ({t["assay"] for t in mine if t["at_home"] is at_home} for at_home in (True, False))
    assert f"run {len(here)} test{'s' if len(here) > 1 else ''} at home and send out {len(away - here)}" in whole.words[0]
    assert all(t["samples"] >= 0.005 and t["why"] for t in mine)
    left = next(r for r in whole.tables["strategies"] if r["strategy"] == HOME_ALL)["leaves_out"]
    assert not left or any(f"leaves out {len(left.split('; '))} line" in w and left.split("; ")[0] in w for w in whole.words)


def test_other_volumes_are_searched_closely_and_told_test_by_test(whole):
    volumes = whole.frame("volumes")
    assert (volumes["gap"] <= 2e-6).all() and (volumes["technician_minutes"] > 0).all()
    tests = whole.frame("volume_tests")
    assert set(tests["scale"]) == {0.5, 1.0, 2.0} and (tests["average_cost"] > 0).all()
    for _, v in volumes.iterrows():
        home = tests[(tests["scale"] == v["scale"]) & tests["at_home"]]
        assert home["samples"].sum() == pytest.approx(v["home_samples"])
    told = {r["what"] for r in whole.tables["searches"]}
    assert {PLAN, BEST, "0.5 times the cases", "2 times the cases"} <= told


def test_what_is_not_possible_here_is_told_in_words(evidence):
    from planner.analysis.not_possible import not_possible
    from planner.analysis.study import Study

    found = {r["id"]: r["reason"] for r in not_possible(Study(colombia(tier="regional", pathologist_minutes=0.0), evidence))}
    assert "needs: " in found["cgp_tissue"] and "this one is regional" in found["cgp_tissue"]
    assert "pathologists, of whose time there is not enough" in found["her2_ihc"]
    assert all(text and "_" not in text for text in found.values())
