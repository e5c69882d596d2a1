"""Documents on what is shipped: the brief, the request, the proposal; faults in words."""

from __future__ import annotations

import json

import pytest
from docx import Document

import planner
from planner import cli
from planner.report.brief import brief
from planner.report.course_parts import parts_of
from planner.report.html import page
from planner.report.numbers import show
from planner.report.paper import Grid, plain_text
from planner.scenario import load


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def kenya(evidence):
    scenario = load("kenya")
    return (planner.plan(scenario, evidence), planner.access(scenario, evidence),
            planner.uncertainty(scenario, evidence, draws=20))


def test_the_whole_brief(kenya, evidence):
    plan, access, sure = kenya
    paper = brief(plan, evidence, access, sure)
    text, wide = page(paper), plain_text(paper)
    assert len(text) < 120_000 and "_" not in "".join(r[0] for b in paper.blocks if isinstance(b, Grid) for r in b.rows)
    spread = next(r for r in sure.tables["outcomes"] if r["measure"] == "qalys")
    assert f"{show(spread['mean'], 'qalys')} on average" in wide.replace("\n", " ")
    for r in sure.tables["lines"][:5]:
        assert show(r["share_in"], "share") in text
    assert "assumed (D)" in text and "November 2026" in text


def test_parts_of_every_course_sum_to_the_plan_s(kenya, evidence):
    split, n = parts_of(evidence, kenya[0].scenario), 0
    for u in kenya[0].problem.use_cases:
        for t in u.therapies:
            parts = split(t.therapy, u.indication)
            assert parts.total == pytest.approx(t.course_cost, rel=1e-9)
            n += 1
    assert n > 50


def test_the_proposal_command(tmp_path, capsys, monkeypatch, kenya):
    monkeypatch.setattr(planner, "access", lambda *_, **__: kenya[1])
    monkeypatch.setattr(planner, "uncertainty", lambda *_, **__: kenya[2])
    files = [tmp_path / f"p.{kind}" for kind in ("json", "docx", "html")]
    status = cli.main(["proposal", "kenya", "--drug", "trastuzumab", "--draws", "20",
                       *(x for f in files for x in ("--out", str(f)))])
    assert status == 0, capsys.readouterr().err
    found = json.loads(files[0].read_text("utf-8"))
    assert found["totals"]["need"] > found["totals"]["courses_target"] > found["totals"]["courses_plan"] > 0
    parts = [found["totals"][k] for k in ("procurement", "other_drugs", "giving", "monitoring")]
    assert sum(parts) == pytest.approx(found["totals"]["treatment_cost"])
    assert found["places"][0]["prices"] and found["places"][0]["routes"] and found["sources"]
    wanted = show(found["totals"]["procurement"], "usd")
    assert wanted in files[2].read_text("utf-8")
    assert any(wanted in p.text for p in Document(files[1]).paragraphs)


def test_the_request_command(tmp_path, capsys):
    assert cli.main(["request", "kenya", "--out", str(tmp_path / "r.csv"), "--out", str(tmp_path / "r.xlsx"),
                     "--out", str(tmp_path / "r.docx"), "--out", str(tmp_path / "r.html")]) == 0
    assert all((tmp_path / f"r.{k}").stat().st_size > 500 for k in ("csv", "xlsx", "docx", "html"))


@pytest.mark.parametrize("argv, words", [
    (["proposal", "kenya"], ["one drug or for one biomarker"]),
    (["proposal", "kenya", "--drug", "trastuzumab", "--biomarker", "her2"], ["give one of the two"]),
    (["proposal", "kenya", "--drug", "trastuzumb"], ["trastuzumab"]),
    (["proposal", "kenya", "--biomarker", "hr2", "--countries", "Kenia"], ["her2", "Kenya"]),
    (["proposal", "kenya", "--drug", "trastuzumab", "--out", "a.csv", "--draws", "-1"], ["no such document", "--draws -1"]),
    (["proposal", "kenya", "--drug", "trastuzumab", "--set", "mode=evaluate", "--set", 'evaluate={"cml/bcr_abl1"=1.0}'],
     ["gives a list"]),
    (["request", "kenya", "--out", "a.json"], ["no such document"]),
])
def test_faults_are_told_in_words(argv, words, capsys):
    assert cli.main(argv) == 2
    err = capsys.readouterr().err
    assert all(w in err for w in words) and "Traceback" not in err, err


def test_an_infeasible_proposal_is_1(capsys):
    assert cli.main(["proposal", "kenya_breast_first", "--drug", "trastuzumab", "--budget", "testing=1000"]) == 1
    assert "testing budget" in capsys.readouterr().err
