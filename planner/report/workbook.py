"""A plan, or an analysis, as an Excel workbook: unrounded numbers, number formats, every text a text.

Sheets of a plan: Summary, List, By biomarker, By test, Laboratory, Home tests, People, Chain, Do not buy, Money by payer,
Inputs, Sources, Scenario;
of an analysis: Answer, one sheet per table, Scenario.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from planner.errors import BadInput, Issue
from planner.report import analyses, laboratory_tables, request, tables
from planner.report.numbers import PAYER_WORDS, sentence
from planner.report.tables import Column
from planner.scenario.describe import describe
from planner.scenario.scenario import dumps

FORMATS = {
    "people": "#,##0.0", "usd": "#,##0", "qalys": "#,##0.0", "share": "0.0%", "cost_per_qaly": "#,##0",
    "ratio": "0.00", "years": "0.0", "count": "0", "number": "#,##0.######",
}
HEAD = Font(bold=True)
FILL = PatternFill("solid", fgColor="DCE6F1")
WRAP = Alignment(wrap_text=True, vertical="top")
SAID = Alignment(wrap_text=True, vertical="top", horizontal="left")
LONGEST = 32_000  # characters of an Excel cell, with room to spare
WIDEST = 60
TOTALS = (
    ("Tested (people a year, once per indication)", "patients_tested", "people"),
    ("Eligible (people a year)", "patients_eligible", "people"), ("Tests done (a year)", "tests_done", "people"),
    ("Positives found (people a year)", "positives_found", "people"),
    ("Treated with a matched drug (people a year)", "patients_treated", "people"),
    ("Healthy years gained (QALYs)", "qalys", "qalys"), ("Life-years gained", "life_years", "qalys"),
    ("Deaths averted", "deaths_averted", "people"), ("DALYs averted (a proxy)", "dalys_averted", "qalys"),
    ("Testing cost (USD a year)", "testing_cost", "usd"),
    ("Treatment cost, difference to no testing (USD a year)", "treatment_cost", "usd"),
)


def write_workbook(plan, evidence, target: str | Path | BytesIO) -> None:
    """Write a plan to an .xlsx file or buffer. Raises BadInput where the file cannot be written.

    ``evidence`` gives the citations of the sources that the plan rests on.
    """
    document, book = plan.document, Workbook()
    book.remove(book.active)
    _summary(book, plan)
    for title, wanted, part in (
        ("List", tables.LIST, "list"), ("By biomarker", tables.BY_BIOMARKER, "by_biomarker"),
        ("By test", tables.BY_TEST, "by_test"), ("Laboratory", laboratory_tables.PLATFORMS, "laboratory"),
        ("Home tests", laboratory_tables.HOME_TESTS, "home_tests"), ("People", laboratory_tables.PEOPLE, "staff"),
        ("Chain", tables.CHAIN, "list"),
        ("Do not buy", tables.DO_NOT_BUY, "do_not_buy"),
    ):
        _table(book, title, wanted, tables.rows_of(document, part), frozen_column=title == "List")
    _payers(book, document)
    _table(book, "Inputs", tables.INPUTS, tables.rows_of(document, "provenance"))
    _table(book, "Sources", tables.SOURCES, used_sources(document, evidence))
    _scenario(book, plan, evidence, plan.document["provenance"])
    _write(book, target)


def write_analysis(found, evidence, target: str | Path | BytesIO) -> None:
    """Write an analysis to an .xlsx file or buffer: the answer, its tables, the scenario. Raises BadInput
    where the file cannot be written."""
    book = Workbook()
    book.remove(book.active)
    _answer(book, found)
    for table in analyses.tables_of(found):
        _table(book, table.title, analyses.columns_of(found, table), analyses.rows_of(found, table.name))
    _scenario(book, found, evidence)
    _write(book, target)


def write_request(plan, evidence, target: str | Path | BytesIO) -> None:
    """Write the laboratory's request list of a plan to an .xlsx file or buffer, with what it rests on. Raises BadInput
    where the file cannot be written."""
    book = Workbook()
    book.remove(book.active)
    _table(book, "Request", request.COLUMNS, request.rows(plan))
    sheet = book.create_sheet("About")
    document = plan.document
    _head(sheet, 1, ("What", "Which"))
    pairs = [("Plan", document["scenario"]["name"]), *_rests_on(document), ("Limits of use", tables.LIMITS_OF_USE)]
    for row, (words, value) in enumerate(pairs, 2):
        put(sheet, row, 1, words)
        put(sheet, row, 2, value, "usd")
        sheet.cell(row, 2).alignment = SAID
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 40, 90
    sheet.freeze_panes = "A2"
    _scenario(book, plan, evidence, plan.document["provenance"])
    _write(book, target)


TEMPLATE_WORDS = (
    "Change the cells of the column `value` where you know better; leave the others as they are. Say why, and where from.",
    "What is not changed stays with its source, level and grade. What is changed becomes a number of this place's own;",
    "the shipped value is kept beside it. Keys, `shipped`, `column_name` and the place are not to be changed.",
    "Counts of a laboratory go into the sheet local_counts: one row for each biomarker, laboratory and year. They update",
    "the prevalence. Name the assay where the counts are raw positives: they are then turned into true prevalence.",
    "The sheet cases is for a hospital: people a year who stand at each treatment decision in its care. Beside them, as help,",
    "those of the whole country or region. An empty cell leaves the scenario's own number; without one there is nobody.",
    "Check the file with `validate`, and lay it over the evidence with `--evidence`.",
)


def write_template(rows: dict[str, list[dict]], place: str, evidence, target: str | Path | BytesIO,
                   cases: list[dict]) -> None:
    """Write a setting's numbers to be changed, one sheet a table, to an .xlsx file or buffer.

    ``rows``, ``cases``: as :func:`planner.pathway.template.template_rows` and ``case_rows`` give them. Raises BadInput
    where the file cannot be written.
    """
    book = Workbook()
    book.remove(book.active)
    sheet = book.create_sheet("readme")
    rests = f"Evidence {evidence.version}, sha256 {evidence.digest}"
    for n, text in enumerate((f"Numbers of {place}", rests, *TEMPLATE_WORDS), 1):
        put(sheet, n, 1, text)
    sheet.column_dimensions["A"].width = 110
    for title, mine, free in (*((f"own {table}", mine, "value") for table, mine in rows.items()), ("cases", cases, "cases")):
        sheet = book.create_sheet(title)
        columns = list(mine[0])
        _head(sheet, 1, columns)
        for r, row in enumerate(mine, 2):
            for n, column in enumerate(columns, 1):
                put(sheet, r, n, row[column], "as it is")
        sheet.freeze_panes = sheet.cell(2, columns.index(free) + 1)
        sheet.auto_filter.ref = sheet.dimensions
        _widths(sheet)
    _head(book.create_sheet("local_counts"), 1, evidence.dictionary.table("local_counts").columns)
    _write(book, target)


def _write(book: Workbook, target: str | Path | BytesIO) -> None:
    try:
        _save(book, target)
    except OSError as error:
        raise BadInput([Issue(str(target), f"it cannot be written ({error.strerror})", "choose another place, "
                              "and close the file if it is open", "no_file")]) from error


EPOCH = datetime(2000, 1, 1)


def _save(book: Workbook, target: str | Path | BytesIO) -> None:
    """Save without the clock: the same plan gives the same bytes."""
    book.properties.created = book.properties.modified = EPOCH
    raw = BytesIO()
    with ZipFile(raw, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()
    fixed = BytesIO()
    with ZipFile(raw) as old, ZipFile(fixed, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "docProps/core.xml":  # the library stamps the time of saving
                text = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", text)
            new.writestr(ZipInfo(name, EPOCH.timetuple()[:6]), text, ZIP_DEFLATED)
    if isinstance(target, BytesIO):
        target.write(fixed.getvalue())
    else:
        Path(target).write_bytes(fixed.getvalue())


def used_sources(document, evidence) -> list[dict]:
    """Rows of the table of sources that an input of the plan or the threshold names, by id."""
    named = {s for p in document["provenance"] for s in p["source_id"].split(";")}
    named |= set(document["threshold"]["source"].split(";"))
    return [row for row in evidence.records("sources") if row["source_id"] in named]


# -- cells -------------------------------------------------------------------------------------------

def put(sheet, row: int, column: int, value: Any, kind: str = "text") -> None:
    """One cell. A text is stored as a text whatever it begins with; None leaves the cell empty."""
    if value is None:
        return
    cell = sheet.cell(row, column)
    if isinstance(value, int | float) and not isinstance(value, bool):
        cell.value = value
        cell.number_format = FORMATS.get(kind, "General")
        return
    text = ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST]
    cell.value = text
    cell.data_type = "s"  # openpyxl would make a formula of a text that begins with =
    if text.startswith(tables.FORMULA):
        cell.quotePrefix = True  # and Excel, when the cell is edited


def _head(sheet, row: int, headers: Iterable[str]) -> None:
    for n, header in enumerate(headers, 1):
        put(sheet, row, n, header)
        cell = sheet.cell(row, n)
        cell.font, cell.fill, cell.alignment = HEAD, FILL, WRAP


def _table(book: Workbook, title: str, wanted: Sequence[Column], rows: Iterable[dict],
           frozen_column: bool = False) -> None:
    sheet = book.create_sheet(title)
    _head(sheet, 1, (c.header for c in wanted))
    for r, row in enumerate(rows, 2):
        for n, column in enumerate(wanted, 1):
            put(sheet, r, n, column.value(row), column.kind)
    sheet.freeze_panes = "F2" if frozen_column else "A2"
    sheet.auto_filter.ref = sheet.dimensions
    _widths(sheet)


def _widths(sheet) -> None:
    """Wide enough for the texts, numbers as their headers; never wider than a page."""
    for n, cells in enumerate(sheet.iter_cols(), 1):
        texts = [len(str(c.value)) for c in cells[1:] if isinstance(c.value, str)]
        longest = max(texts, default=0)
        head = len(str(cells[0].value or ""))
        sheet.column_dimensions[get_column_letter(n)].width = min(WIDEST, max(10, head * 0.6, longest * 1.05))


# -- sheets with words --------------------------------------------------------------------------------

def _summary(book: Workbook, plan) -> None:
    document = plan.document
    sheet = book.create_sheet("Summary")
    put(sheet, 1, 1, document["scenario"]["name"])
    sheet["A1"].font = Font(bold=True, size=14)
    put(sheet, 2, 1, sentence(document))
    sheet["A2"].alignment = WRAP
    sheet.row_dimensions[2].height = 75
    reference = document["reference"]
    _head(sheet, 4, ("Totals", "This plan", f"Reference: {reference['name']}"))
    row = 5
    for words, key, kind in TOTALS:
        put(sheet, row, 1, words)
        put(sheet, row, 2, document["totals"][key], kind)
        put(sheet, row, 3, (reference["totals"] or {}).get(key), kind)
        row += 1
    for words, value in _rests_on(document):
        put(sheet, row + 1, 1, words)
        put(sheet, row + 1, 2, value, "usd")
        row += 1
    for n, text in enumerate((reference["note"], tables.LIMITS_OF_USE, *tables.OWNERS), row + 2):
        put(sheet, n, 1, text)
        sheet.cell(n, 1).alignment = WRAP
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 90, 30
    sheet.column_dimensions["C"].width = 30
    sheet.freeze_panes = "A2"


def _answer(book: Workbook, found) -> None:
    """The first sheet of an analysis: its words, what was asked, what it rests on, what it is not."""
    sheet = book.create_sheet("Answer")
    put(sheet, 1, 1, f"{found.scenario.name}: {analyses.HEADINGS[found.kind].lower()}")
    sheet["A1"].font = Font(bold=True, size=14)
    row = 2
    for text in found.words:
        put(sheet, row, 1, text)
        sheet.cell(row, 1).alignment = WRAP
        row += 1
    for head, pairs in (("What was asked", analyses.asked(found)), ("What it rests on", analyses.rests_on(found))):
        row += 1
        _head(sheet, row, (head, ""))
        for words, value in pairs:
            row += 1
            put(sheet, row, 1, words)
            put(sheet, row, 2, value, "number")
            sheet.cell(row, 2).alignment = SAID
        row += 1
    for n, text in enumerate((tables.LIMITS_OF_USE, *tables.OWNERS), row + 1):
        put(sheet, n, 1, text)
        sheet.cell(n, 1).alignment = WRAP
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 90, WIDEST
    sheet.freeze_panes = "A2"


def _rests_on(document) -> list[tuple[str, Any]]:
    """What a reader must know to repeat the plan."""
    evidence, threshold = document["evidence"], document["threshold"]
    return [
        ("What limits the plan", "; ".join(b["text"] for b in document["binding"]) or "nothing"),
        ("Value of a QALY used (USD)", threshold["value"]), ("Source of that value", threshold["source"]),
        ("Money: US dollars of the year", str(document["base_year"])),
        ("Evidence version", evidence["version"]), ("Evidence sha256", evidence["sha256"]),
        ("Model version", document["model_version"]), ("Solver", f"{document['solver']['name']}, "
                                                        f"{document['solver']['status']}"),
        *([("Gap of the search for whole instruments (share)", document["solver"]["gap"] or 0.0)]
          if laboratory_tables.decided(document) else []),
    ]


def _payers(book: Workbook, document) -> None:
    sheet = book.create_sheet("Money by payer")
    code, rate = document["currency"]["code"], document["currency"]["per_usd"]
    local = bool(rate) and code != "USD"
    headers = ["Payer", "Treatment cost (USD a year)"] + [f"Treatment cost ({code} a year)"] * local
    _head(sheet, 1, headers)
    for r, (payer, amount) in enumerate(document["totals"]["cost_by_payer"].items(), 2):
        put(sheet, r, 1, PAYER_WORDS.get(payer, payer))
        put(sheet, r, 2, amount, "usd")
        if local:
            put(sheet, r, 3, amount * rate, "usd")
    start = len(document["totals"]["cost_by_payer"]) + 4
    payers = list(document["totals"]["cost_by_payer"])
    _head(sheet, start, ["Use case", *(f"{PAYER_WORDS.get(z, z)} (USD a year)" for z in payers)])
    for r, row in enumerate(tables.rows_of(document, "list"), start + 1):
        put(sheet, r, 1, row["use_case_id"])
        for n, payer in enumerate(payers, 2):
            put(sheet, r, n, row["cost_by_payer"][payer], "usd")
    sheet.freeze_panes = "B2"
    _widths(sheet)
    sheet.column_dimensions["A"].width = 40


def _scenario(book: Workbook, asked, evidence, provenance=()) -> None:
    """The question in sentences, then the file that asks it again. ``asked``: a plan, whose ``provenance`` tells what own
    numbers stand in place of, or an analysis."""
    sheet = book.create_sheet("Scenario")
    _head(sheet, 1, ("The scenario in words",))
    lines = [asked.scenario.description, *describe(asked.scenario, evidence, provenance), "",
             "The scenario file that gives this plan:", *dumps(asked.scenario).splitlines()]
    for n, text in enumerate((t for t in lines if t is not None), 2):
        put(sheet, n, 1, text)
    sheet.column_dimensions["A"].width = 110
    sheet.freeze_panes = "A2"
