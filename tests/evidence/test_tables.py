"""Reading: bad files are faults, never tracebacks; nothing is guessed."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from planner.errors import BadInput
from planner.evidence import load_evidence
from planner.evidence import tables as reading
from planner.evidence.base import data_folder
from planner.evidence.dictionary import load_dictionary
from planner.evidence.tables import read_tables, typed

BAD = Path(__file__).parents[1] / "bad_inputs" / "evidence"
EXPECTED = json.loads((BAD / "expected.json").read_text(encoding="utf-8"))
DICTIONARY = load_dictionary(data_folder())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_bad_file(save, tables, tmp_path, name):
    folder = save(tables)
    overlays = []
    if name.endswith(".csv"):
        shutil.copy(BAD / name, folder / f"{EXPECTED[name].get('table', 'prevalence')}.csv")
    else:
        overlays = [BAD / name]
    with pytest.raises(BadInput) as error:
        load_evidence(folder, overlays)
    expected = EXPECTED[name]
    assert [i.where for i in error.value.issues if i.code == expected["code"]] == [expected["where"]]


def test_every_bad_file_is_expected():
    assert {p.name for p in BAD.iterdir() if p.suffix in (".csv", ".xlsx")} == set(EXPECTED)


def test_no_such_path_and_wrong_kind(tmp_path):
    (tmp_path / "old.xls").write_bytes(b"x")
    for name, code in (("nowhere", "no_file"), ("old.xls", "file_kind")):
        assert [i.code for i in read_tables(tmp_path / name, DICTIONARY)[1]] == [code]


@pytest.mark.parametrize(("limit", "value"), [
    ("MAX_WORKBOOK", 100), ("MAX_MEMBERS", 2), ("MAX_UNPACKED", 100), ("MAX_ROWS", 1), ("MAX_COLUMNS", 3),
])
def test_workbook_limits(monkeypatch, tmp_path, limit, value):
    path = workbook(tmp_path, {"deflators": [["year", "index", "source_id", "quality"], [2020, 258.8, "study_a", "A"]]})
    assert read_tables(path, DICTIONARY)[1] == []
    monkeypatch.setattr(reading, limit, value)
    assert [i.code for i in read_tables(path, DICTIONARY)[1]] == ["too_large"]


def test_csv_limit(monkeypatch, save, tables):
    monkeypatch.setattr(reading, "MAX_CSV", 10)
    assert {i.code for i in read_tables(save(tables), DICTIONARY)[1]} == {"too_large"}


def workbook(folder: Path, sheets: dict[str, list[list]], name: str = "inputs.xlsx") -> Path:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(folder / name)
    return folder / name


def test_workbook_gives_the_same_evidence_as_csv(save, tables, tmp_path):
    folder = save(tables)
    evidence, sheets = load_evidence(folder), {}
    for name, table in DICTIONARY.tables.items():
        frame = evidence.table(name).astype(object)
        sheets[name] = [list(table.columns)] + frame.where(frame.notna(), None).values.tolist()
    path = workbook(tmp_path, sheets)
    assert load_evidence(path).digest == evidence.digest


def test_workbook_row_numbers_notes_sheet_and_unknown_sheet(tmp_path):
    path = workbook(tmp_path, {
        "about": [["how to fill this in"]],
        "deflator": [["year"]],
        "deflators": [["year", "index", "source_id", "quality"], [], [2020, True, "study_a", "A"]],
    })
    frames, issues = read_tables(path, DICTIONARY)
    assert [(i.code, i.remedy) for i in issues] == [("unknown_table", "did you mean deflators")]
    assert list(frames["deflators"].index) == [3]
    assert frames["deflators"].loc[3, "index"] == "true"  # no number, so the type check will refuse it


def test_only_the_empty_cell_is_missing(tmp_path):
    (tmp_path / "countries.csv").write_text("iso3,name,in_globocan\nNAM,NA,true\nNUL,None,false\nXXX,,\n", encoding="utf-8-sig")
    frames, issues = read_tables(tmp_path, DICTIONARY)
    assert issues == []
    assert frames["countries"]["name"].tolist() == ["NA", "None", ""]
    frame = typed(frames["countries"], DICTIONARY.table("countries"))
    assert frame["iso3"].tolist() == ["NAM", "NUL", "XXX"]
    assert frame["name"].isna().tolist() == [False, False, True]


def test_types_of_columns(evidence):
    countries = evidence.table("countries")
    assert isinstance(countries["iso3"].dtype, pd.StringDtype)
    assert str(countries["in_globocan"].dtype) == "boolean"
    assert str(countries["population_year"].dtype) == "Int64"
    assert str(countries["population"].dtype) == "float64"
    assert list(countries.columns) == list(DICTIONARY.table("countries").columns)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
def test_broken_workbook_part(tmp_path, part):
    path = workbook(tmp_path, {"deflators": [["year"], [2020]]})
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content[: len(content) // 2] if name == part else content)
    assert [i.code for i in read_tables(path, DICTIONARY)[1]] == ["workbook"]
