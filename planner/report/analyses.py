"""An analysis for a reader and for a file: printed answer, JSON ``analysis/1``, CSV, pieces of the workbook.

What the tables are called and which columns they have stands in :mod:`planner.report.analysis_tables`;
JSON, CSV and workbook carry unrounded numbers, the printed answer goes through the one rounding function.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from planner.analysis.study import Analysis
from planner.report.analysis_tables import TABLES, Table
from planner.report.numbers import KINDS, MEASURE_WORDS, MINUS, precise, show
from planner.report.strategy_tables import LABORATORY, STRATEGIES
from planner.report.tables import RESTS_ON, Column, csv_text, footer, plain

WIDTH = 118  # of a printed table where the terminal does not say
WIDEST, NARROWEST = 44, 20  # of a printed column of texts
NONE = "-"  # a number that does not exist: nothing more to buy, never flips, not known
HEADINGS = {
    "frontier": "What more money buys", "switching": "What would change a decision", "access": "What a drug would unlock",
    "alternatives": "Other lists that are nearly as good", "sensitivity": "Which number moves the plan most",
    "strategies": "Ways to test side by side", "laboratory": "Ways to run the laboratory",
    "uncertainty": "How sure the list is", "compare": "Plans side by side", "batch": "One scenario in many countries",
}
ALL = {**TABLES, "strategies": STRATEGIES, "laboratory": LABORATORY}
Row = Mapping[str, Any]


def tables_of(found: Analysis) -> tuple[Table, ...]:
    """The tables of an analysis in order, the main one first: the grid where one was asked for."""
    wanted = ALL[found.kind]
    if found.kind == "sensitivity" and found.tables["grid"]:
        return tuple(sorted(wanted, key=lambda t: t.name != "grid"))
    return wanted


def rows_of(found: Analysis, name: str) -> list[dict[str, Any]]:
    """Rows of a table as plain values: no numpy, nothing that is not finite."""
    return [plain(row) for row in found.tables[name]]


def columns_of(found: Analysis, table: Table) -> tuple[Column, ...]:
    """The columns of a table with the measure of this analysis in their headers."""
    objective = found.scenario.objective
    measure = "qalys" if objective == "net_health" else objective
    return table.headed(MEASURE_WORDS[measure], MEASURE_WORDS[objective])


# -- files ---------------------------------------------------------------------------------------------

def analysis_json(found: Analysis) -> str:
    """The analysis as JSON: keys sorted, unrounded; equal analyses give equal text."""
    return json.dumps(plain(found.to_dict()), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def analysis_csv(found: Analysis) -> str:
    """The main table as CSV, unrounded; each row says what it rests on."""
    table = tables_of(found)[0]
    rests_on = {"evidence": found.head["evidence"], "model_version": found.head["model_version"]}
    return csv_text(columns_of(found, table) + RESTS_ON, [{**row, **rests_on} for row in rows_of(found, table.name)])


def asked(found: Analysis) -> list[tuple[str, Any]]:
    """(what, value) of every setting of the question, for a sheet or a page."""
    return [(key.replace("_", " ").capitalize(), _joined(value)) for key, value in plain(found.settings).items()
            if value is not None]


def _joined(value):
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {v}" for k, v in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def rests_on(found: Analysis) -> list[tuple[str, Any]]:
    """(what, value) that a reader must know to ask the question again."""
    head = found.head
    place = ", ".join(p["name"] for p in head.get("place", ()))
    threshold, against = head.get("threshold", {}), head.get("against_evidence")
    rows = [
        ("Place", place), ("Value of a QALY used (USD)", threshold.get("value")),
        ("Source of that value", threshold.get("source")), ("Money: US dollars of the year", str(head["base_year"])),
        ("Evidence version", head["evidence"]["version"]), ("Evidence sha256", head["evidence"]["sha256"]),
        *([("Compared with evidence version", against["version"]), ("Compared with evidence sha256", against["sha256"])]
          if against else ()),
        ("Model version", head["model_version"]),
        ("Search for whole instruments", head["solver"]["status"] if "solver" in head else None),
        ("Health still possible (share)", head["solver"]["gap"] if "solver" in head else None),
    ]
    return [(words, value) for words, value in rows if value not in (None, "")]


# -- the printed answer ----------------------------------------------------------------------------------

def printed(found: Analysis, width: int = WIDTH) -> str:
    """The answer in words and the main tables for a terminal, numbers through :func:`numbers.show`."""
    parts = [textwrap.fill(f"{found.scenario.name}: {HEADINGS[found.kind].lower()}", width), ""]
    parts += [textwrap.fill(text, min(width, 110)) for text in found.words]
    for table in tables_of(found):
        parts += _printed(table, rows_of(found, table.name), width)
    text = "\n".join([*parts, "", textwrap.fill(footer(found.head), width)]) + "\n"
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace(MINUS, "-"))


def in_words(found: Analysis, width: int = 110) -> str:
    """The answer in sentences alone, for a terminal beside files."""
    text = "\n".join(textwrap.fill(words, width) for words in found.words) + "\n"
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace(MINUS, "-"))


def _printed(table: Table, rows: Sequence[Row], width: int) -> list[str]:
    """A table's title, head and rows, and what is not shown; nothing where there is nothing to show."""
    shown = table.shown(rows) if table.printed else []
    if not shown:
        return []
    cells = [_cells(table, header, path, shown) for header, path in table.printed]
    widths = _widths(cells, width)
    kept = len(widths)
    lines = ["", textwrap.fill(f"{table.title} (each row: {table.row})", width), *_lines(cells, widths, table.wrapped)]
    if len(shown) < len(rows):
        lines.append(f"{len(shown)} of {len(rows):,} rows; --out FILE.xlsx or .json has them all.")
    if kept < len(cells):
        left = ", ".join(header for header, _ in table.printed[kept:])
        lines.append(textwrap.fill(f"Not shown for want of room: {left}.", width))
    return lines


def _cells(table: Table, header: str, path: str, rows: Sequence[Row]) -> tuple[bool, list[str]]:
    """(whether the column holds numbers, its header and cells as texts)."""
    column = table.column(path)
    return column.kind != "text", [header, *(said(column, row) for row in rows)]


def said(column: Column, row: Row) -> str:
    """A cell for the reader: a text as it is, a number through the rounding function."""
    value = column.value(row)
    if value is None or value == "":
        return NONE if column.kind != "text" else ""
    if column.kind in KINDS and not isinstance(value, str):
        return show(value, column.kind, unit=False)
    if column.kind == "count":
        return f"{value:,}"
    return precise(value) if column.kind == "number" else str(value)


def _widths(cells: Sequence[tuple[bool, list[str]]], width: int) -> list[int]:
    """Widths of the columns that fit, two at least: texts give way first, then columns from the right."""
    widths = [max(map(len, texts)) for _, texts in cells]
    widths = [w if number else min(w, WIDEST) for w, (number, _) in zip(widths, cells, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        widest, n = max(((w, n) for n, w in enumerate(widths) if not cells[n][0]), default=(0, 0))
        if widest > NARROWEST:
            widths[n] -= 1
        elif len(widths) > 2:
            widths.pop()
        else:
            break
    return widths


def _lines(cells: Sequence[tuple[bool, list[str]]], widths: Sequence[int], wrapped: bool = False) -> list[str]:
    if wrapped:
        cells = _folded(cells, widths)
    padded = []
    for (number, texts), w in zip(cells, widths, strict=False):
        short = [t if len(t) <= w else f"{t[: w - 2]}.." for t in texts]
        padded.append([t.rjust(w) if number else t.ljust(w) for t in (short[0], "-" * w, *short[1:])])
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]


def _folded(cells: Sequence[tuple[bool, list[str]]], widths: Sequence[int]) -> list[tuple[bool, list[str]]]:
    """Texts that are wider than their column go on in the next line."""
    parts = [[textwrap.wrap(t, w) if not number and len(t) > w else [t] for t in texts]
             for (number, texts), w in zip(cells, widths, strict=False)]
    heights = [max(map(len, row)) for row in zip(*parts, strict=True)]
    return [(number, [line for part, h in zip(column, heights, strict=True) for line in [*part, *[""] * (h - len(part))]])
            for (number, _), column in zip(cells, parts, strict=False)]
