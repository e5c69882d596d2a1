"""Reading tables strictly: CSV or workbook to text frames, text frames to typed frames.

A text frame has ``str`` columns, ``""`` for a missing cell (nothing else is missing: ISO code NAM
stays Namibia) and the row number of the file as index, the header being row 1. A typed frame has
the columns of the dictionary in order: string ``str``, number ``float64``, integer ``Int64``,
boolean ``boolean``. No input, however broken, ends in a traceback: faults are issues.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import warnings
import zipfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from planner.errors import Issue
from planner.evidence.dictionary import Dictionary, Table
from planner.evidence.own_sheets import CASES, PREFIX, own_values

MAX_CSV = 50_000_000
MAX_WORKBOOK = 10_000_000
MAX_MEMBERS = 2_000
MAX_UNPACKED = 200_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 100_000  # characters; csv has a limit of its own, but other libraries change it
NOTES = ("about", "readme", "read_me")  # sheets for the human reader, not tables
# Not \d, which takes the digits of every script.
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
INTEGER = r"[+-]?[0-9]{1,18}"
TextFrames = dict[str, pd.DataFrame]


def read_tables(path: Path, dictionary: Dictionary) -> tuple[TextFrames, list[Issue]]:
    """Text frames of a folder of CSV files or of a workbook, by table, and what is wrong."""
    try:
        if path.is_dir():
            return _read_folder(path, dictionary)
        if path.suffix.lower() == ".xlsx":
            return read_workbook(path, dictionary)
        if not path.exists():
            return {}, [_fault(path.name, "there is no such file or folder", "check the path", "no_file")]
        return {}, [_fault(path.name, "this is neither a folder of CSV files nor an .xlsx workbook",
                           "save the workbook as .xlsx", "file_kind")]
    except OSError as error:
        return {}, [_fault(path.name, f"it cannot be read ({error.strerror})", "check the file", "no_file")]


def _read_folder(path: Path, dictionary: Dictionary) -> tuple[TextFrames, list[Issue]]:
    by_file = {table.path: name for name, table in dictionary.tables.items()}
    frames, issues = {}, []
    for file in sorted(path.glob("*.csv")):
        if file.name not in by_file:
            issues.append(_fault(file.name, "no table of the dictionary is read from this file",
                                 near(file.stem, dictionary.tables), "unknown_table"))
            continue
        frame, faults = read_csv(file, by_file[file.name])
        issues += faults
        if frame is not None:
            frames[by_file[file.name]] = frame
    return frames, issues


def read_csv(path: Path, name: str) -> tuple[pd.DataFrame | None, list[Issue]]:
    """One CSV file (UTF-8, comma, header in row 1) as a text frame; None where it is unreadable."""
    if path.stat().st_size > MAX_CSV:
        return None, [_fault(path.name, f"the file is larger than {MAX_CSV:,} bytes", "split or trim it", "too_large")]
    content = path.read_bytes()
    if b"\0" in content:
        return None, [_fault(path.name, "the file is binary, not text", "save it as CSV in UTF-8", "binary")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, [_fault(f"{path.name}, line {line}", "the text is not UTF-8", "save it as CSV in UTF-8", "encoding")]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        if any(len(cell) > MAX_CELL for row in rows for cell in row):
            raise csv.Error(f"a cell has more than {MAX_CELL:,} characters")
    except csv.Error as error:
        return None, [_fault(path.name, f"this is not valid CSV ({error})", "check the quotation marks", "csv")]
    return _frame(list(enumerate(rows, start=1)), path.name, name)


def read_workbook(path: Path, dictionary: Dictionary, only: str = "") -> tuple[TextFrames, list[Issue]]:
    """Sheets of an .xlsx workbook as text frames (sheet name = table name; the sheet ``cases`` under its own);
    ``only``: of one sheet.

    The file is untrusted: sizes are checked before unpacking, formulas are never evaluated.
    """
    issues = _unsafe(path)
    if issues:
        return {}, issues
    from openpyxl import load_workbook
    from openpyxl.xml import DEFUSEDXML

    if not DEFUSEDXML:
        return {}, [_fault(path.name, "workbooks need the library defusedxml", "install it", "no_defusedxml")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops
            book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
            try:
                return _read_sheets(book, path.name, dictionary, only)
            finally:
                book.close()
    # A crafted file can raise nearly anything from the parser; each of it means "not a workbook".
    except Exception as error:
        return {}, [_fault(path.name, f"the workbook is broken ({type(error).__name__})",
                           "save it anew as .xlsx", "workbook")]


def _unsafe(path: Path) -> list[Issue]:
    """Size limits of a zip archive, from its directory and without unpacking it."""
    def too_large(what: str) -> list[Issue]:
        return [_fault(path.name, f"the workbook {what}", "trim it to the tables you change", "too_large")]

    if path.stat().st_size > MAX_WORKBOOK:
        return too_large(f"is larger than {MAX_WORKBOOK:,} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return [_fault(path.name, "this is not an .xlsx workbook", "save it as .xlsx", "workbook")]
    if len(members) > MAX_MEMBERS:
        return too_large(f"has more than {MAX_MEMBERS:,} parts")
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        return too_large(f"unpacks to more than {MAX_UNPACKED:,} bytes")
    return []


def _read_sheets(book, file: str, dictionary: Dictionary, only: str) -> tuple[TextFrames, list[Issue]]:
    frames, issues, own = {}, [], {}
    for sheet in book.worksheets:
        name = sheet.title.strip()
        if name.lower() in NOTES or (only and name != only):
            continue
        if name.startswith(PREFIX):
            rows, faults = _sheet_rows(sheet, name)
            frame, more = _frame(rows, f"{file}, sheet {name}", name)
            issues += faults + more
            if frame is not None:
                own[name.removeprefix(PREFIX)] = frame
            continue
        if name not in dictionary.tables and name != CASES:
            issues.append(_fault(f"{file}, sheet {name!r}", "no table of the dictionary has this name",
                                 near(name, dictionary.tables), "unknown_table"))
            continue
        rows, faults = _sheet_rows(sheet, name)
        issues += faults
        if any(fault.code == "too_large" for fault in faults):
            continue
        frame, faults = _frame(rows, f"{file}, sheet {name}", name)
        issues += faults
        if frame is not None:
            frames[name] = frame
    if own and "own_values" in dictionary.tables:
        frames["own_values"], faults = own_values(own, dictionary)
        issues += faults
    return frames, issues


def _sheet_rows(sheet, table: str) -> tuple[list[tuple[int, list[str]]], list[Issue]]:
    """Row number and texts of every row that holds something."""
    rows, issues, header = [], [], []
    sheet.reset_dimensions()  # the stated size may be wrong
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > MAX_ROWS or len(cells) > MAX_COLUMNS:
            issues.append(_fault(f"{table}, row {number}", f"more than {MAX_ROWS:,} rows or {MAX_COLUMNS} columns",
                                 "delete what is beside and below the table", "too_large"))
            break
        texts = []
        for n, cell in enumerate(cells):
            text, fault = _cell_text(cell)
            texts.append(text)
            if fault:
                column = header[n] if n < len(header) else f"column {n + 1}"
                issues.append(_fault(f"{table}, row {number}, {column}", *fault))
        while texts and texts[-1] == "":
            texts.pop()
        header = header or texts
        if texts:
            rows.append((number, texts))
    return rows, issues


def _cell_text(cell) -> tuple[str, tuple[str, str, str] | None]:
    """The cell as a CSV would hold it, or a fault (what, remedy, code)."""
    value = cell.value
    if value is None:
        return "", None
    if cell.data_type == "f":
        return "", ("the cell holds a formula, which is not evaluated", "paste the value instead", "formula")
    if cell.data_type == "e":
        return "", (f"the cell holds the error {value}", "correct or empty it", "cell_error")
    if isinstance(value, bool):
        return str(value).lower(), None
    if isinstance(value, int):
        return str(value), None
    if isinstance(value, float):
        # Excel knows no integers: 2024 may come back as 2024.0.
        whole = math.isfinite(value) and value.is_integer() and abs(value) < 1e15
        return (str(int(value)) if whole else repr(value)), None
    if isinstance(value, str):
        return value, None
    return "", (f"Excel has turned the entry into a date or time ({value})",
                "format the column as text and enter it again", "excel_date")


def _frame(rows: list[tuple[int, list[str]]], file: str, name: str) -> tuple[pd.DataFrame | None, list[Issue]]:
    """A text frame of numbered rows, the first being the header; ragged rows are faults."""
    if not rows or not any(rows[0][1]):
        return None, [_fault(file, "there is no header row", f"give the columns of {name} in row 1", "empty")]
    header = rows[0][1]
    if len(header) == 1 and ";" in header[0]:
        return None, [_fault(file, "columns are separated by semicolons", "save it with commas", "separator")]
    twice = sorted({c for c in header if header.count(c) > 1})
    if twice:
        return None, [_fault(f"{name}, row 1", f"the column {c!r} stands twice", "keep one of them", "column_twice")
                      for c in twice]
    is_sheet = "sheet" in file
    issues, numbers, kept = [], [], []
    for number, cells in rows[1:]:
        if not cells:
            continue  # an empty line
        if len(cells) > len(header) or (len(cells) < len(header) and not is_sheet):
            issues.append(_fault(f"{name}, row {number}", f"{len(cells)} cells, but {len(header)} columns",
                                 "check commas and quotation marks", "ragged"))
            continue
        numbers.append(number)
        kept.append(cells + [""] * (len(header) - len(cells)))
    return pd.DataFrame(kept, columns=header, index=numbers, dtype="str"), issues


def is_valid(texts: pd.Series, kind: str) -> pd.Series:
    """Which texts are a value of the type ``kind``; the empty text always is (it is missing)."""
    if kind == "string":
        return pd.Series(True, index=texts.index)
    empty = texts == ""
    if kind == "boolean":
        return empty | texts.isin(["true", "false"])
    if kind == "integer":
        return empty | texts.str.fullmatch(INTEGER)
    good = texts.str.fullmatch(NUMBER).fillna(False).astype(bool)
    # 1e999 looks like a number, but no float holds it.
    finite = texts.where(good, "0").astype("float64").abs() < math.inf
    return empty | (good & finite)


def typed(texts: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A typed frame with the dictionary's columns; what is no value of its type becomes missing
    (the checks have told of it before)."""
    return pd.DataFrame({f.name: _column(texts, f.name, f.type) for f in table.fields}, index=texts.index)


def _column(texts: pd.DataFrame, name: str, kind: str) -> pd.Series:
    column = texts[name] if name in texts else pd.Series("", index=texts.index, dtype="str")
    column = column.where(column != "")
    if kind == "string":
        return column
    column = column.where(column.isna() | is_valid(column, kind))
    if kind == "boolean":
        return (column == "true").astype("boolean").mask(column.isna())
    if kind == "integer":
        return pd.array([None if pd.isna(x) else int(x) for x in column], dtype="Int64")
    return column.astype("float64")


def row_words(label) -> str:
    """A row as the reader finds it; rows of an overlay carry the overlay's name in the label."""
    return label if isinstance(label, str) else f"row {label}"


def at(table: str, label) -> str:
    """Table and row, as a message tells them."""
    return f"{table}, {row_words(label)}"


def near(name: str, known: Iterable) -> str:
    """A remedy that names the nearest known name."""
    return _near(str(name), tuple(sorted({str(k) for k in known})))


@lru_cache(maxsize=1024)  # the same wrong id often stands in many rows
def _near(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, 3, 0.6)
    if close:
        return f"did you mean {' or '.join(close)}"
    return f"known are {', '.join(known)}" if 0 < len(known) <= 12 else "see the data dictionary"


def _fault(where: str, what: str, remedy: str, code: str) -> Issue:
    return Issue(where, what, remedy, code)
