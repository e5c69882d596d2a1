"""The shipped evidence: complete, convertible, and enough to plan for every country."""

from __future__ import annotations

import pytest

import planner
from planner.evidence.base import data_folder, validate
from planner.evidence.checks import completeness
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.scenario.model import Scenario


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def scenario(country, **more):
    return Scenario.model_validate({"name": country, "setting": {"country": country}} | more)


def test_package_has_no_fault():
    assert [str(issue) for issue in validate(data_folder())] == []


def test_every_use_case_is_complete_or_says_what_is_missing(evidence):
    table = completeness(evidence.tables)
    gaps = {(r["indication_id"], r["biomarker_id"]): r["gap"] for r in evidence.records("use_cases")}
    for row in table.itertuples():
        assert row.plannable or gaps[row.indication_id, row.biomarker_id], row
    assert len(table) >= 47


def test_all_185_countries_have_incidence_of_their_own(evidence):
    known = {r["iso3"] for r in evidence.records("countries") if r["in_globocan"]}
    assert len(known) == 185
    counts = [s["cancer_site"] for s in evidence.records("cancer_sites") if s["basis"] == "counts"]
    used = {i["cancer_site"] for i in evidence.records("indications")} & set(counts)
    have = {(r["stratum"], r["cancer_site"]) for r in evidence.records("incidence")
            if r["stratum_type"] == "country"}
    assert have >= {(c, s) for c in known for s in used}


def test_incidence_is_within_the_published_world_totals(evidence):
    """World fact sheet of GLOBOCAN 2022 (version 1.1): sums of countries lie just below."""
    published = {"lung": 2_480_675, "breast": 2_296_840, "colorectum": 1_926_425, "stomach": 968_784,
                 "cervix": 662_301}
    for site, total in published.items():
        mine = sum(r["cases"] for r in evidence.records("incidence", cancer_site=site)
                   if r["stratum_type"] == "country")
        assert 0.999 * total < mine <= total


def test_every_country_can_be_planned(evidence):
    for row in evidence.records("countries"):
        if row["in_globocan"]:
            problem = build_problem(evidence, scenario(row["iso3"]))
            assert sum(i.eligible for i in problem.indications) > 0, row["iso3"]
            assert sum(u.active for u in problem.use_cases) >= 25, row["iso3"]


@pytest.mark.parametrize("country", ["UGA", "KEN", "NAM", "BRA", "DEU", "BRB", "VEN", "PRK"])
def test_countries_solve_at_any_budget(evidence, country):
    problem = build_problem(evidence, scenario(country))
    engine = Engine(problem, scenario(country))
    top = engine.optimum()
    sweep = engine.sweep("testing")
    assert sweep.points[-1].value == pytest.approx(top.value, rel=1e-6)
    values = [p.value for p in sweep.points]
    assert all(b >= a - 1e-7 for a, b in zip(values, values[1:]))


def test_no_number_without_source_and_grade(evidence):
    plan = planner.plan(scenario("KEN", budget={"testing": 400_000}), evidence)
    known = {r["source_id"] for r in evidence.records("sources")}
    for fact in plan.document["provenance"]:
        assert fact["quality"] in tuple("ABCD"), fact
        assert set(fact["source_id"].split(";")) <= known | {"scenario"}, fact


def test_assumptions_carry_their_reason(evidence):
    for name in evidence.dictionary.tables:
        if {"quality", "note"} <= set(evidence.table(name).columns):
            for row in evidence.records(name, quality="D"):
                assert row["note"], (name, row)
