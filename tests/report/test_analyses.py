"""An analysis in files: no text becomes a formula, nothing that is not finite, no clock, one rounding function."""

from __future__ import annotations

import csv
import json
import time
from io import BytesIO, StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from openpyxl import load_workbook

from planner.analysis import access, alternatives, frontier, study
from planner.errors import BadInput
from planner.report import analyses, analysis_tables, tables
from planner.report.numbers import KINDS, show
from planner.report.workbook import write_analysis
from tests.tiny import tiny_problem, tiny_scenario

HOSTILE = "=HYPERLINK(1)"


@pytest.fixture
def ask(monkeypatch, evidence):
    """An analysis of the tiny problem, whose names look like formulas."""
    monkeypatch.setattr(study, "build_problem", lambda *_: tiny_problem())
    scenario = tiny_scenario(name=HOSTILE, description="@work", parent="defaults", budget={"testing": 60_000})
    return lambda analysis, **more: analysis(scenario, evidence, **more)


def book_of(found, evidence):
    buffer = BytesIO()
    write_analysis(found, evidence, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("analysis", [frontier.frontier, alternatives.alternatives, access.access])
def test_no_text_becomes_a_formula(analysis, ask, evidence):
    found, dangerous = ask(analysis), 0
    for sheet in load_workbook(BytesIO(book_of(found, evidence))):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title} {cell.coordinate}"
                if isinstance(cell.value, str) and cell.value.startswith(tables.FORMULA):
                    dangerous += 1
                    assert cell.quotePrefix
    assert dangerous > 5
    for line in csv.reader(StringIO(analyses.analysis_csv(found))):
        for cell in line:
            try:
                float(cell)
            except ValueError:
                assert not cell.startswith(tables.FORMULA)


def test_the_clock_is_not_in_the_workbook(ask, evidence):
    found = ask(frontier.frontier)
    once = book_of(found, evidence)
    time.sleep(1.1)  # time stamps have whole seconds
    assert once == book_of(found, evidence)


def test_json_is_plain(ask):
    found = ask(frontier.frontier)
    odd = {"coverage": np.float64("nan"), "budget": np.inf, "lines": np.int64(3), "mandated": np.True_, "said": ("a", "b")}
    one = study.Analysis("frontier", found.scenario, found.head, {"x": np.float64(1)}, found.words, {"points": (odd,)})
    document = json.loads(analyses.analysis_json(one))
    assert document["tables"]["points"] == [{"coverage": None, "budget": None, "lines": 3, "mandated": True, "said": ["a", "b"]}]
    assert document["schema"] == "analysis/1" and document["settings"] == {"x": 1.0}


@pytest.mark.parametrize("kind", analysis_tables.TABLES)
def test_a_long_table_stands_beside_every_text_of_several_members(kind):
    """Texts such as `without` have a table with one row per member, in every export."""
    beside = {"alternatives": "differing", "sensitivity": "lines_changed", "uncertainty": "holds", "compare": "because"}
    names = {t.name for t in analysis_tables.TABLES[kind]}
    assert kind not in beside or beside[kind] in names


def test_cells_hold_one_value_and_members_have_rows(ask, evidence):
    """No list in a frame; the members of `without` and `instead` stand one a row, in JSON and workbook too."""
    found = ask(alternatives.alternatives, tolerance=0.3)
    for name, rows in found.tables.items():
        assert not any(isinstance(v, list | tuple | dict | set) for row in rows for v in row.values()), name
    told = [(r["list"], how, said) for r in found.tables["lists"] for how in ("without", "instead")
            for said in r[how].split("; ") if said]
    rows = found.tables["differing"]
    assert told and len(rows) == len(told) and {(r["list"], r["how"]) for r in rows} == {t[:2] for t in told}
    assert all(any(r["short_name"] in t[2] for r in rows if (r["list"], r["how"]) == t[:2]) for t in told)
    assert json.loads(analyses.analysis_json(found))["tables"]["differing"] == [dict(r) for r in rows]
    assert "How lists differ" in load_workbook(BytesIO(book_of(found, evidence))).sheetnames


def test_numbers_have_the_formats_of_the_plan_s_workbook(ask, evidence):
    book = load_workbook(BytesIO(book_of(ask(frontier.frontier), evidence)))
    assert {c.number_format for c in book["Value by budget"]["A"][1:]} == {"#,##0"}
    assert book["Value by budget"]["B1"].value == "Healthy years (QALYs) (a year)"


def test_headers_name_the_measure(ask):
    found = ask(access.access)
    scenario = found.scenario.model_copy(update={"objective": "net_health"})
    other = study.Analysis("switching", scenario, found.head, {}, (), {})
    headers = [c.header for c in analyses.columns_of(other, analysis_tables.TABLES["switching"][2])]
    assert "It costs (Healthy years (QALYs), a year)" in headers and "It costs (Net health (QALYs), a year)" in headers


def test_printed_numbers_are_rounded_by_the_one_function(ask):
    found = ask(frontier.frontier)
    text = analyses.printed(found)
    for row in analysis_tables.TABLES["frontier"][0].shown(found.tables["points"]):
        assert show(row["budget"], "usd", unit=False) in text and show(row["value"], "qalys") in text
    assert "Tinyland" not in text or "model" in text


def test_printed_text_carries_no_control_characters(ask):
    found = ask(frontier.frontier)
    nasty = study.Analysis("frontier", found.scenario, found.head, {}, ("red \x1b[31m\x07 words",), found.tables)
    assert all(c.isprintable() or c == "\n" for c in analyses.printed(nasty))


def test_a_grid_asked_for_is_the_main_table():
    asked = SimpleNamespace(kind="sensitivity", tables={"grid": ({"a": 1},), "parameters": ()})
    assert analyses.tables_of(asked)[0].name == "grid"
    asked.tables["grid"] = ()
    assert analyses.tables_of(asked)[0].name == "parameters"


def test_a_workbook_in_no_folder(ask, evidence, tmp_path):
    with pytest.raises(BadInput):
        write_analysis(ask(frontier.frontier), evidence, tmp_path / "none" / "a.xlsx")


@pytest.mark.parametrize("kind", analyses.ALL)
def test_descriptions_hold_together(kind):
    wanted = analyses.ALL[kind]
    assert kind in analyses.HEADINGS and len({t.title for t in wanted}) == len({t.name for t in wanted}) == len(wanted)
    for table in wanted:
        assert len(table.title) <= 31  # of a sheet
        assert all(c.kind in (*KINDS, "text", "count", "number") for c in table.columns)
        assert all(table.column(path) for _, path in table.printed)
