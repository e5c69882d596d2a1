"""Files that are no plans, and the command line of the audit."""

from __future__ import annotations

import copy
import json

import pytest

import planner
from planner import cli
from planner.analysis.audit import audit
from planner.analysis.audit_file import read_plan
from planner.errors import BadInput
from planner.report.tables import plan_json
from planner.scenario.scenario import load
from tests.analysis.test_audit import evidence, made, put


@pytest.fixture
def file(tmp_path):
    def write(text) -> str:
        path = tmp_path / "plan.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)
    return write


def as_text(document: dict) -> str:
    return json.dumps(document)


def without(*path):
    def change(d: dict) -> None:
        *way, last = path
        for step in way:
            d = d[step]
        del d[last]
    return change


BAD = {
    "empty": b"", "not JSON": b"scenario = 1", "binary": b"\xff\xfe\x00plan", "a list": b"[]", "a number": b"7",
    "no schema": b"{}", "another schema": b'{"schema": "plan/9"}', "no decisions": b'{"schema": "plan/1"}',
    "deep": b"[" * 200_000, "deep tables": b'{"a":' * 50_000, "long number": b'{"a": 1' + b"0" * 10_000 + b"}",
    "cut off": b'{"schema": "plan/1", "solution":', "doubled": b'{"schema": "plan/1", "schema": "plan/1"}',
}
MISSHAPEN = {
    "no totals": without("totals"), "no evidence": without("evidence"), "no work-up": without("solution", "work_up"),
    "no scenario": without("scenario"), "a text for a number": put("many", "totals", "qalys"),
    "true for a number": put(True, "totals", "tests_done"), "a null share": put(None, "solution", "results", 0, "share"),
    "no such scenario key": lambda d: d["scenario"].update(colour="red"), "a list for a table": put([], "solution"),
    "budget below zero": lambda d: d["scenario"]["budget"].update(testing=-1),
    "a huge number": lambda d: d["solution"]["results"][0].update(share=1e300),
    "a fraction of a year": lambda d: d["solution"]["results"][0].update(year=1.5),
    "spells of text": lambda d: d["list"][0].update(earlier_spells="ab"),
}


def refused(path: str, capsys) -> str:
    assert cli.main(["audit", path]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("The input is not accepted:") and "Traceback" not in told.err and not told.out
    return told.err


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_plan_is_refused(name, file, capsys):
    assert "plan.json" in refused(file(BAD[name]), capsys) or name == "doubled"


@pytest.mark.parametrize("name", MISSHAPEN)
def test_every_misshapen_plan_is_refused(name, file, capsys):
    document = copy.deepcopy(made("kenya").document)
    MISSHAPEN[name](document)
    refused(file(as_text(document)), capsys)


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_named(odd, file, capsys):
    document = copy.deepcopy(made("kenya").document)
    document["totals"]["qalys"] = "ODD"
    assert "totals.qalys" in refused(file(as_text(document).replace('"ODD"', odd)), capsys)


def test_every_fault_is_told_at_once(file, capsys):
    document = copy.deepcopy(made("kenya").document)
    for change in (without("totals", "qalys"), put("x", "totals", "tests_done"), put(None, "by_region")):
        change(document)
    told = refused(file(as_text(document)), capsys)
    assert all(place in told for place in ("totals.qalys", "totals.tests_done", "by_region"))


def test_no_file_and_a_folder_and_a_huge_file(tmp_path, capsys, monkeypatch, file):
    refused(str(tmp_path / "none.json"), capsys)
    refused(str(tmp_path), capsys)
    monkeypatch.setattr("planner.analysis.audit_file.MAX_BYTES", 1000)
    assert "larger than" in refused(file(as_text(made("kenya").document)), capsys)


def test_other_evidence_and_another_model_are_refused(file):
    document = copy.deepcopy(made("kenya").document)
    document["evidence"]["sha256"] = "0" * 64
    with pytest.raises(BadInput) as told:
        audit(file(as_text(document)), evidence=evidence(), model_version="1999.1")
    assert "the plan was made with version" in str(told.value) and "1999.1" in str(told.value)


def test_overlays_are_laid_over_the_evidence(tmp_path, file):
    """A plan made on overlaid evidence is audited on it, and refused without it."""
    rows = evidence().table("workup_costs").iloc[:1].copy()
    rows["cost"] = rows["cost"] + 1
    (tmp_path / "over").mkdir()
    rows.to_csv(tmp_path / "over" / "workup_costs.csv", index=False)
    over = planner.load_evidence(overlays=[tmp_path / "over"])
    path = file(plan_json(planner.plan(load("kenya"), over).document))
    assert audit(path, overlays=[tmp_path / "over"]).passed
    with pytest.raises(BadInput):
        audit(path, evidence=evidence())


def test_exit_status_and_table(tmp_path, capsys):
    path = tmp_path / "plan.json"
    assert cli.main(["plan", "kenya", "--out", str(path)]) == 0
    assert cli.main(["audit", str(path)]) == 0
    assert "checks passed" in capsys.readouterr().out
    document = json.loads(path.read_text("utf-8"))
    document["totals"]["qalys"] += 10
    path.write_text(as_text(document), "utf-8")
    assert cli.main(["audit", str(path)]) == 1
    told = capsys.readouterr().out
    assert "FAIL  total: qalys" in told and "checks failed: total: qalys" in told


def test_a_file_keeps_its_scenario(file):
    read = read_plan(file(plan_json(made("kenya").document)))
    assert read.scenario.digest == made("kenya").scenario.digest
