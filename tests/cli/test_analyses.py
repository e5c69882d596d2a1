"""The commands of the analyses: the numbers of the Python call in every kind of file, the same bytes twice."""

from __future__ import annotations

import csv
import json
from io import BytesIO

import pytest
from openpyxl import load_workbook

import planner
from planner import cli, commands
from planner.errors import Infeasible, Issue
from planner.report import analyses
from planner.report.analyses import ALL as TABLES
from planner.report.workbook import write_analysis
from planner.scenario import load

SMALL = ["--budget", "testing=30000"]
BUDGET = {"budget": {"testing": 30000}}
GRID = ("prevalence: breast_early/her2", "incidence rate: cml")
# command -> (arguments, the same question in Python)
ASKED = {
    "frontier": (["kenya_breast_first", "--axis", "total", "--without-mandates"],
                 lambda e: planner.frontier(load("kenya_breast_first"), e, axis="total", mandates=False)),
    "alternatives": (["kenya", *SMALL, "--tolerance", "0.1", "--count", "2"],
                     lambda e: planner.alternatives(load("kenya", BUDGET), e, tolerance=0.1, count=2)),
    "access": (["kenya", *SMALL], lambda e: planner.access(load("kenya", BUDGET), e)),
    "switching": (["kenya", *SMALL], lambda e: planner.switching(load("kenya", BUDGET), e)),
    "strategies": (["kenya", *SMALL, "--indication", "breast_early"],
                   lambda e: planner.strategies(load("kenya", BUDGET), e, indication="breast_early")),
    "sensitivity": (["kenya", *SMALL, "--two-way", *GRID],
                    lambda e: planner.sensitivity(load("kenya", BUDGET), e, two_way=GRID)),
    "uncertainty": (["kenya", *SMALL, "--draws", "20", "--seed", "3", "--workers", "2"],
                    lambda e: planner.uncertainty(load("kenya", BUDGET), e, draws=20, seed=3, workers=1)),
    "compare": (["kenya", "kenya_breast_first", "uganda", "--set", "objective=life_years"],
                lambda e: planner.compare([load(n, {"objective": "life_years"}) for n in
                                           ("kenya", "kenya_breast_first", "uganda")], e)),
    "batch": (["kenya", *SMALL, "--countries", "KEN,uga,Tanzania", "--draws", "4", "--seed", "2", "--per-person"],
              lambda e: planner.batch(load("kenya", BUDGET), e, ["KEN", "UGA", "TZA"], draws=4, seed=2, per_person=True)),
}


@pytest.fixture
def run(capfd, monkeypatch, few):
    """(status, stdout, stderr) of a command on the few use cases."""
    monkeypatch.setattr(planner, "load_evidence", lambda *a, **k: few)

    def call(*argv):
        status = cli.main(argv)
        out = capfd.readouterr()
        assert "Traceback" not in out.err
        return status, out.out, out.err

    return call


@pytest.mark.parametrize("kind", ASKED)
def test_files_are_those_of_the_python_call(kind, run, few, tmp_path):
    """Both ask the question afresh: equal bytes are also the same bytes twice."""
    arguments, ask = ASKED[kind]
    files = {k: tmp_path / f"a.{k}" for k in ("json", "csv", "xlsx")}
    status, out, err = run(kind, *arguments, *(x for f in files.values() for x in ("--out", str(f))))
    found, book = ask(few), BytesIO()
    assert (status, out, err) == (0, analyses.in_words(found) if kind == "strategies" else "", "")
    write_analysis(found, few, book)
    assert files["json"].read_text("utf-8") == analyses.analysis_json(found)
    assert files["csv"].read_bytes().decode() == analyses.analysis_csv(found)
    assert files["xlsx"].read_bytes() == book.getvalue()
    _json_has_what_was_asked(json.loads(files["json"].read_text("utf-8")), found)
    _columns_name_every_field(found)
    _workbook_has_the_numbers(load_workbook(files["xlsx"]), found)
    _csv_has_the_numbers(files["csv"].read_text("utf-8"), found)
    _printed_fits(found)


def _json_has_what_was_asked(document, found):
    assert (document["schema"], document["kind"]) == ("analysis/1", found.kind)
    assert document["words"] == list(found.words) and all(document["words"])
    assert document["evidence"]["sha256"] == "f" * 64
    assert set(document["tables"]) == {t.name for t in TABLES[found.kind]}


def _columns_name_every_field(found):
    for table in TABLES[found.kind]:
        paths = [c.path for c in table.columns]
        assert len(set(paths)) == len(paths)
        for row in found.tables[table.name]:
            assert set(row) == set(paths), table.name
        assert {path for _, path in table.printed} <= set(paths)


def _workbook_has_the_numbers(book, found):
    assert book.sheetnames == ["Answer", *(t.title for t in analyses.tables_of(found)), "Scenario"]
    first = "\n".join(str(c.value) for row in book["Answer"].iter_rows() for c in row if c.value is not None)
    for words in (*found.words, "f" * 64, "not clinical advice", "GLOBOCAN", found.head["evidence"]["version"]):
        assert words in first
    for table in analyses.tables_of(found):
        sheet, rows = book[table.title], analyses.rows_of(found, table.name)
        assert sheet.freeze_panes and sheet.max_row == len(rows) + 1
        for cells, row in zip(sheet.iter_rows(min_row=2), rows, strict=True):
            for cell, column in zip(cells, table.columns, strict=True):
                value = column.value(row)
                assert cell.data_type != "f"
                if isinstance(value, int | float):
                    assert cell.value == pytest.approx(value, rel=1e-14, abs=0)
                else:
                    assert (cell.value or "") == (value or "")


def _csv_has_the_numbers(text, found):
    table = analyses.tables_of(found)[0]
    rows, lines = analyses.rows_of(found, table.name), list(csv.reader(text.splitlines()))
    assert len(lines) == len(rows) + 1 > 1
    for line, row in zip(lines[1:], rows, strict=True):
        for cell, column in zip(line, table.columns, strict=False):
            value = column.value(row)
            if isinstance(value, int | float):
                assert float(cell) == value
    assert all("{" not in head for head in lines[0])


def _printed_fits(found):
    for width in (60, 118):
        text = analyses.printed(found, width)
        assert all(len(line) <= width for line in text.splitlines()), width
        assert "not clinical advice" in " ".join(text.split()) and found.scenario.name in text


def test_without_a_file_the_answer_is_printed(run):
    status, out, err = run("frontier", "kenya", *SMALL)
    assert status == 0 and not err
    assert out.startswith(load("kenya").name) and "Money for tests brings health up to" in out
    assert "Who enters when" in out and "enter " in out


def test_an_overlay_is_compared(run, monkeypatch, few, tmp_path):
    asked = []
    monkeypatch.setattr(planner, "load_evidence", lambda *a, **k: asked.append((a, k)) or few)
    status, out, _ = run("compare", "kenya", *SMALL, "--evidence", "mine", "--against-evidence", str(tmp_path))
    assert status == 0 and "No line changes." in out
    assert sorted(len(k["overlays"]) for _, k in asked) == [1, 2]


@pytest.mark.parametrize("argv, words", [
    (["frontier", "kenya", "--axis", "tests", "--out", "a.pdf"], ["--axis tests", "testing, treatment or total", "`.pdf`"]),
    (["alternatives", "kenia", "--tolerance", "2", "--count", "0"], ["`kenya`", "from 0 to 1", "from 1 to 100"]),
    (["alternatives", "kenya", "--tolerance", "nan"], ["--tolerance nan"]),
    (["uncertainty", "kenya", "--draws", "0", "--seed", "x", "--workers", "-1", "--budget", "tests=1"],
     ["--draws 0", "--seed x", "--workers -1", "--budget tests=1"]),
    (["uncertainty", "kenya", "--draws", "2.5"], ["whole number from 1 to 100,000"]),
    (["batch", "kenya", "--countries", "KEN,Kenia,XYZ", "--draws", "-1"], ["--draws -1", "'Kenia'", "Kenya (KEN)", "'XYZ'"]),
    (["batch", "kenya", "--countries", ","], ["names no country"]),
    (["batch", "kenya"], ["--countries"]),
    (["sensitivity", "kenya", "--two-way", "a", "b"], ["'a'", "'b'"]),
    (["compare", "kenya", "uganda", "--against-evidence", "x"], ["one scenario on two"]),
    (["compare", "kenia", "ugandaa"], ["`kenya`", "`uganda`"]), (["compare"], ["SCENARIO"]),
    (["access", "kenya", "--set", "mode=evaluate", "--set", 'evaluate={"cml/bcr_abl1"=1.0}'], ["analyses ask"]),
])
def test_bad_arguments_are_told_at_once(run, argv, words):
    status, out, err = run(*argv)
    assert status == 2 and not out
    assert all(w in err for w in words), err


def test_an_infeasible_request_is_1(run):
    status, out, err = run("frontier", "kenya_breast_first", "--budget", "testing=1000")
    assert status == 1 and not out and "testing budget" in err


@pytest.mark.parametrize("error, status", [(KeyboardInterrupt(), 130), (Infeasible([Issue("a", "b", "c")]), 1)])
def test_stopped_work_leaves_a_clean_line(run, monkeypatch, error, status):
    def stopped(scenario, evidence, progress):
        progress(0.5, "half way")
        raise error

    monkeypatch.setattr(planner, "access", stopped)
    monkeypatch.setattr(commands.sys.stderr, "isatty", lambda: True, raising=False)
    got, out, err = run("access", "kenya")
    assert (got, out) == (status, "")
    assert "\r 50%  half way" in err and err.split("half way")[1].startswith("\r   ")


def test_no_progress_where_nobody_looks(run):
    status, _, err = run("access", "kenya", *SMALL)
    assert (status, err) == (0, "")


def test_the_package_loads_no_analysis_by_itself():
    import subprocess
    import sys

    code = "import sys, planner; print([m for m in sys.modules if m.startswith('planner.analysis.')], planner.frontier.__name__)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["[]", "frontier"]
