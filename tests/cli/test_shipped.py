"""The commands on what is shipped: every scenario gives a plan, the evidence is without faults."""

from __future__ import annotations

import json

import pytest
from openpyxl import load_workbook

import planner
from planner import cli
from planner.report import tables
from planner.report.numbers import sentence, show
from planner.report.workbook import write_workbook
from planner.scenario import load, shipped


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_gives_a_plan(name, evidence, tmp_path):
    plan = planner.plan(load(name), evidence)
    totals = plan.totals
    assert totals["biomarkers_funded"] > 0 and totals["qalys"] > 0
    limit = plan.scenario.limit("testing", 0)
    assert limit is None or totals["testing_cost"] <= limit * (1 + 1e-6)
    assert show(totals["qalys"], "qalys") in sentence(plan.document)
    document = json.loads(tables.plan_json(plan.document))
    write_workbook(plan, evidence, tmp_path / "plan.xlsx")
    book = load_workbook(tmp_path / "plan.xlsx", read_only=True)
    ranks = [row[0] for row in book["List"].iter_rows(min_row=2, values_only=True)]
    assert ranks == [row["rank"] for row in document["list"]]
    cited = {row[0] for row in book["Sources"].iter_rows(min_row=2, values_only=True)}
    used = {s for p in document["provenance"] for s in p["source_id"].split(";")}
    assert used - cited <= {"scenario"}, used - cited


def test_json_is_the_same_on_every_run(tmp_path):
    for n in (1, 2):
        assert cli.main(["plan", "kenya", "--out", str(tmp_path / f"{n}.json")]) == 0
    one, two = (json.loads((tmp_path / f"{n}.json").read_text("utf-8")) for n in (1, 2))
    one["solver"]["seconds"] = two["solver"]["seconds"] = 0
    assert json.dumps(one) == json.dumps(two)


def test_validate_tells_what_is_covered(capsys):
    assert cli.main(["validate"]) == 0
    out = capsys.readouterr().out
    assert "no faults" in out and "Use cases: " in out and "prevalence" in out
    assert cli.main(["validate", "kenya"]) == 0


def test_validate_a_faulty_overlay(tmp_path, capsys):
    (tmp_path / "drug_prices.csv").write_text("drug,price\nx,-1\n")
    assert cli.main(["validate", str(tmp_path)]) == 2
    assert "drug_prices" in capsys.readouterr().err


def test_a_scenario_with_unknown_names_is_told(tmp_path, capsys):
    file = tmp_path / "x.toml"
    file.write_text('setting = {country = "KEN"}\npolicy = {exclude = ["breast_early/hr2"]}\n'
                    "access = {drugs = {trastuzumb = 1.0}}")
    assert cli.main(["validate", str(file)]) == 2
    err = capsys.readouterr().err
    assert "breast_early/her2" in err and "trastuzumab" in err
    file.write_text('setting = {country = "Kenia"}')
    assert cli.main(["plan", str(file)]) == 2
    assert "Kenya" in capsys.readouterr().err


def test_places(capsys):
    assert cli.main(["places"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 170
    assert cli.main(["places", "--country", "USA"]) == 0
    assert "US-TX" in capsys.readouterr().out
    assert cli.main(["places", "--country", "Kenia"]) == 2


def test_sources(capsys):
    assert cli.main(["sources", "--for", "breast_early/her2"]) == 0
    out = capsys.readouterr().out
    assert "prevalence" in out and "drug_prices" in out and "trastuzumab" in out
    assert cli.main(["sources", "--for", "breast_early/hr2"]) == 2
    assert cli.main(["sources"]) == 0


def test_mandates_beyond_the_money_are_infeasible(capsys):
    status = cli.main(["plan", "kenya_breast_first", "--budget", "testing=1000"])
    assert status == 1 and "testing budget" in capsys.readouterr().err
