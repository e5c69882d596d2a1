"""The audit of a laboratory by its parts: sound plans pass, and every altered number of it is found."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache

import pytest

import planner
from planner.analysis.audit import Audit, judge
from planner.analysis.audit_file import PlanFile
from planner.analysis.audit_laboratory import AtHome
from planner.pathway.build import build_problem
from planner.report.tables import plan_json
from planner.scenario.scenario import load

FEW = {"breast_early": 220, "breast_metastatic": 120, "gastric_advanced": 20, "crc_stage2_3": 50, "dlbcl": 20,
       "nsclc_nonsq_advanced": 10, "solid_other_advanced": 40}
PATIENT = [{"table": "indications", "key": {"indication_id": i}, "column": "attrition_per_day", "value": 0.0005,
            "why": "few are lost while waiting, so that runs fill"} for i in ("crc_stage2_3", "solid_other_advanced")]
PLANS = {
    "bought": {"override": PATIENT, "budget": {"testing": 80_000}},
    "standing": {"laboratory": {"instruments": {"ihc_autostainer": 1, "cartridge_pcr": 1}}},
    "volume": {"laboratory": {"minimum_volume": 100}},
    "people": {"laboratory": {"pathologist_minutes": 3000, "technician_minutes": 9000, "board_minutes": 10}},
    "nothing abroad": {"services": {"send_out": False}},
    "nothing bought": {"services": {"buy_instruments": False}, "laboratory": {"instruments": {"ihc_bench": 1}}},
    "instruments are worn": {"laboratory": {"instruments": {"ihc_autostainer": 1}, "runs_a_year": [50, 250]},
                             "services": {"buy_instruments": False}},
    "sequencing": {"laboratory": {"tier": "reference"}, "budget": {"testing": 700_000}},
    "a list": {"mode": "evaluate", "budget": {"testing": "unlimited"},
               "evaluate": {"breast_early/er_pr": 0.5, "breast_early/her2": 0.3}},
}


@cache
def evidence():
    return planner.load_evidence()


@cache
def made(name: str):
    """(a plan as a reader of its file has it, its problem)."""
    changes = copy.deepcopy(PLANS[name])
    changes.setdefault("laboratory", {})["costing"] = "micro"
    scenario = load("hospital_kenya", changes)
    scenario = scenario.model_copy(update={"cases": FEW})
    plan = planner.plan(scenario, evidence())
    return PlanFile(json.loads(plan_json(plan.document)), scenario), build_problem(evidence(), scenario)


def found(name: str, document: dict | None = None) -> Audit:
    file, problem = made(name)
    return judge(PlanFile(document or file.document, file.scenario), evidence(), problem=problem)


def changed(name: str, change) -> dict:
    document = copy.deepcopy(made(name)[0].document)
    change(document)
    return document


@pytest.mark.parametrize("name", PLANS)
def test_sound_plans_pass(name):
    result = found(name)
    assert result.passed, result.text()


def test_the_whole_example_passes():
    scenario = load("hospital_kenya", {"laboratory": {"costing": "micro"}})
    document = json.loads(plan_json(planner.plan(scenario, evidence()).document))
    result = judge(PlanFile(document, scenario), evidence())
    assert result.passed, result.text()
    assert {c.name for c in result.checks} >= {"home: samples", "instruments: capacity", "staff", "tests sum to the whole"}


@pytest.mark.parametrize("name", ["bought", "standing", "sequencing"])
def test_plans_hold_what_they_are_to_show(name):
    """So that the checks have something to look at: a schedule, an instrument, several laboratories."""
    document = made(name)[0].document
    assert document["home_tests"] and document["laboratory"] and document["staff"]
    assert name != "bought" or any(r["runs_a_year"] for r in document["home_tests"])
    assert {r["laboratory"] for r in document["by_test"]} >= {"own laboratory", "national laboratory"}


def leaves(value, at=()):
    """Every place in a section where a number or a text stands."""
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            if key not in ("name", "laboratory", "one_fewer", "text", "decided"):  # words, and what only a search can tell
                yield from leaves(below, (*at, key))
    else:
        yield at, value


@pytest.mark.parametrize(("name", "section"), [("bought", "laboratory"), ("bought", "home_tests"), ("people", "staff")])
def test_every_altered_number_is_found(name, section):
    missed = []
    for at, value in leaves(made(name)[0].document[section]):
        wrong = "other" if isinstance(value, str) else 7.0 if value is None else value + max(1.0, abs(value) / 100)

        def change(d, at=at, wrong=wrong):
            place = d[section]
            for key in at[:-1]:
                place = place[key]
            place[at[-1]] = wrong
        if found(name, changed(name, change)).passed:
            missed.append((at, value))
    assert not missed


@pytest.mark.parametrize("figure", ["cost", "samples", "minutes", "technician_minutes", "pathologist_minutes"])
def test_every_altered_number_of_the_tests_to_buy_is_found(figure):
    for n in range(len(made("bought")[0].document["by_test"])):
        result = found("bought", changed("bought", lambda d, n=n: d["by_test"][n].update({figure: 1 + d["by_test"][n][figure]})))
        assert "by test" in {c.name for c in result.failed} or made("bought")[0].document["by_test"][n]["assay"] == "work_up"


def scheduled(d: dict) -> dict:
    return next(r for r in d["home_tests"] if r["runs_a_year"])


def half_an_instrument(d: dict) -> None:
    row = next(r for r in d["laboratory"] if r["bought"])
    row["bought"] -= 0.5
    row["instruments"] -= 0.5


def a_second_schedule(d: dict) -> None:
    row = scheduled(d)
    d["home_tests"].append(copy.deepcopy(row) | {"runs_a_year": 250.0 if row["runs_a_year"] != 250 else 12.0})


def runs_left_out(d: dict) -> None:
    row = scheduled(d)
    row["runs"] /= 2
    for part in row["platforms"]:
        part["runs"] /= 2


def runs_too_few_for_the_samples(d: dict) -> None:
    row = scheduled(d)
    for part in row["platforms"]:
        part["runs"] /= 1000


def elsewhere(d: dict) -> None:
    """On a platform that does not stand there."""
    row = next(r for r in d["home_tests"] if len(r["platforms"]) > 1)
    used, other = sorted(row["platforms"], key=lambda p: -p["runs"])[:2]
    for figure in ("samples", "runs"):
        other[figure], used[figure] = used[figure], 0.0


def less_tested(d: dict) -> None:
    for row in d["solution"]["results"]:
        row["share"] *= 0.9
        row["with_access"] *= 0.9


CORRUPTIONS = {
    "half an instrument": ("bought", half_an_instrument, "instruments: whole"),
    "an instrument bought where none may be": (
        "nothing bought", lambda d: d["laboratory"][0].update(bought=1.0), "instruments: whole"),
    "an instrument too few": ("bought", lambda d: [r.update(bought=0.0) for r in d["laboratory"]], "instruments: capacity"),
    "an instrument left out": ("standing", lambda d: d["laboratory"].clear(), "instruments"),
    "two schedules": ("bought", a_second_schedule, "home: one schedule"),
    "a schedule not kept": ("bought", runs_left_out, "home: schedule kept"),
    "too few runs": ("bought", runs_too_few_for_the_samples, "home: samples fit the runs"),
    "an instrument that is not there": ("bought", elsewhere, "home: platforms"),
    "other samples": ("bought", less_tested, "home: samples"),
    "a test left out": ("bought", lambda d: d["home_tests"].pop(), "home: samples"),
    "a cadre left out": ("bought", lambda d: d["staff"].pop(), "staff"),
    "what cannot be run": ("bought", lambda d: d["not_at_home"].pop(), "home: what cannot be run"),
    "a test to buy left out": ("bought", lambda d: d["by_test"].pop(0), "by test"),
    "money for tests": ("bought", lambda d: d["totals"].update(testing_cost=d["totals"]["testing_cost"] - 100),
                        "total: testing cost"),
    "money of a line": ("bought", lambda d: next(r for r in d["list"] if r["funded"] != "no").update(testing_cost=1.0),
                        "line: testing cost"),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_is_found(name):
    plan, change, check = CORRUPTIONS[name]
    result = found(plan, changed(plan, change))
    mine = [c for c in result.failed if c.name == check]
    assert mine, sorted({c.name for c in result.failed})
    assert all(c.where and c.words for c in mine)


def test_a_test_above_the_level_of_its_laboratory_is_found():
    """On a bought instrument it may not be run there; on one that is stated to stand there it may."""
    for name, passed in (("bought", False), ("standing", True)):
        file, problem = made(name)
        home = {r["assay"] for r in file.document["home_tests"]}
        lab = problem.laboratory
        above = tuple(replace(a, tier="reference") if a.assay in home else a for a in lab.assays)
        result = judge(file, evidence(), problem=replace(problem, laboratory=replace(lab, assays=above)))
        assert home and ("home: level of the laboratory" not in {c.name for c in result.failed}) == passed


@pytest.mark.parametrize(("plan", "changes", "check"), [
    ("bought", {"minimum_volume": 200.0}, "home: minimum volume"),
    ("bought", {"pathologist_minutes": 10.0}, "staff: limits"),
    ("bought", {"board_minutes": 0.0, "technician_minutes": 10.0}, "staff: limits"),
])
def test_the_limits_are_those_of_the_scenario(plan, changes, check):
    file, _ = made(plan)
    claimed = file.scenario.model_copy(update={"laboratory": file.scenario.laboratory.model_copy(update=changes)})
    assert check in {c.name for c in judge(PlanFile(file.document, claimed), evidence()).failed}


def test_what_a_laboratory_costs_is_carried_by_its_samples():
    """Instruments, runs and fees, split over the samples, sum to themselves."""
    for name in ("bought", "standing", "sequencing"):
        file, problem = made(name)
        home = AtHome.of(problem.laboratory, file.document)
        carried = sum(home.overhead[key] * n for key, n in home.by_key(home.samples).items() if n > 0)
        assert carried == pytest.approx(home.money)
        assert home.money > 0
