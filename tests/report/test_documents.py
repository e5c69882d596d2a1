"""JSON, CSV and workbook carry the same unrounded numbers; no text becomes a formula."""

from __future__ import annotations

import csv
import io
import json

import pytest
from openpyxl import load_workbook

from planner.errors import BadInput
from planner.report import tables
from planner.report.numbers import show
from planner.report.workbook import write_workbook

SHEETS = ["Summary", "List", "By biomarker", "By test", "Laboratory", "Home tests", "People", "Chain", "Do not buy",
          "Money by payer", "Inputs", "Sources", "Scenario"]


@pytest.fixture(scope="module")
def book(plan, evidence):
    buffer = io.BytesIO()
    write_workbook(plan, evidence, buffer)
    return load_workbook(io.BytesIO(buffer.getvalue()))


@pytest.fixture(scope="module")
def document(plan):
    return json.loads(tables.plan_json(plan.document))


def test_sheets_in_order_with_frozen_heads(book):
    assert book.sheetnames == SHEETS
    assert all(sheet.freeze_panes for sheet in book)


@pytest.mark.parametrize("sheet, part, wanted", [
    ("List", "list", tables.LIST), ("By biomarker", "by_biomarker", tables.BY_BIOMARKER),
    ("By test", "by_test", tables.BY_TEST), ("Chain", "list", tables.CHAIN),
])
def test_workbook_and_json_carry_the_same_numbers(book, document, sheet, part, wanted):
    rows = list(book[sheet].iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(document[part]) > 0
    for cells, row in zip(rows, tables.rows_of(document, part), strict=True):
        for cell, column in zip(cells, wanted, strict=True):
            value = column.value(row)
            if isinstance(value, int | float):
                # a workbook holds 15 significant figures of a number
                assert cell == pytest.approx(value, rel=1e-14, abs=0), column.header
                if column.kind not in ("text", "count", "number"):
                    assert show(cell, column.kind) == show(value, column.kind)
            elif value is not None:
                assert (cell or "") == value


def test_printed_table_shows_the_json_s_numbers(plan, document):
    text = tables.printed(plan.document)
    for row in document["list"]:
        line = next(x for x in text.splitlines() if f"{row['indication_id']}/{row['biomarker_id']}" in x)
        for path, kind in (("coverage", "share"), ("patients_treated", "people"), ("qalys", "qalys")):
            assert show(row[path], kind) in line
    assert "not clinical advice" in text and "model test.1" in text


def test_no_text_becomes_a_formula(book):
    dangerous = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title} {cell.coordinate}"
                if isinstance(cell.value, str) and cell.value.startswith(tables.FORMULA):
                    dangerous += 1
                    assert cell.quotePrefix
    assert dangerous > 5


def test_numbers_are_numbers_with_a_format(book):
    cells = [c for c in book["List"]["O"][1:] if c.value is not None]
    assert cells and all(isinstance(c.value, int | float) and c.number_format == "#,##0.0" for c in cells)


def test_summary_says_what_it_rests_on(book, plan):
    text = "\n".join(str(c.value) for row in book["Summary"].iter_rows() for c in row if c.value is not None)
    for words in ("f" * 64, "0.0.0", "test.1", "not clinical advice", "GLOBOCAN", "World Population Prospects",
                  "World Bank", "2024"):
        assert words in text


def test_scenario_sheet_gives_the_plan_again(book, plan):
    from planner.scenario import loads

    lines = [c.value or "" for c in book["Scenario"]["A"]]
    start = lines.index("The scenario file that gives this plan:") + 1
    assert loads("\n".join(lines[start:]), "tiny") == plan.scenario


def test_csv_guards_formulas_and_keeps_numbers(document):
    rows = list(csv.DictReader(io.StringIO(tables.list_csv(document))))
    assert rows[0]["Biomarker"].startswith("'=")
    for row, line in zip(document["list"], rows, strict=True):
        assert float(line["Healthy years gained (QALYs)"]) == row["qalys"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n+1"])
def test_guard(text):
    assert tables.guarded(text) == f"'{text}"
    assert tables.guarded(-1.5) == "-1.5" and tables.guarded(float("nan")) == ""


def test_json_is_stable_and_plain(plan, make):
    again = make(name="=tiny", description="@work", parent="defaults", budget={"testing": 60_000})
    one, two = json.loads(tables.plan_json(plan.document)), json.loads(tables.plan_json(again.document))
    for document in (one, two):
        document["solver"].pop("seconds")
    assert json.dumps(one) == json.dumps(two) and one["schema"] == "plan/1"


def test_json_has_no_infinite_numbers():
    text = tables.plan_json({"a": float("nan"), "b": (float("inf"), 1)})
    assert json.loads(text) == {"a": None, "b": [None, 1]} and text.endswith("}\n")


def test_workbook_in_no_folder(plan, evidence, tmp_path):
    with pytest.raises(BadInput):
        write_workbook(plan, evidence, tmp_path / "none" / "a.xlsx")
