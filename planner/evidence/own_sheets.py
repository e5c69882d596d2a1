"""A setting's workbook read back: cells that differ from what was shipped become its own numbers.

Sheets are called ``own TABLE``; each row holds a key, the value (to be changed), the shipped value, and
the place. What is not changed stays inherited and leaves no trace. The sheet ``local_counts`` is a table of
the dictionary and is read as such. The sheet ``cases`` holds a hospital's yearly cases: they are no evidence but
belong to the scenario, and are handed on to it.
"""

from __future__ import annotations

import difflib
import math
import re
import zlib
from collections.abc import Iterable, Mapping

import pandas as pd

from planner.errors import Issue
from planner.evidence.dictionary import Dictionary

PREFIX = "own "
CASES = "cases"  # the sheet, and its column of numbers
FIXED = ("value", "why", "shipped", "column_name", "stratum_type", "stratum", "check")
BESIDE = ("unit", "low", "high", "level", "borrowed_from", "grade", "note", "source")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# columns of money: an own number in them is in US dollars of the base year, unless it says otherwise
MONEY = ("cost", "price", "capital_cost", "setup_cost", "reagent_per_sample", "reagent_per_run", "transport_cost",
         "cost_per_minute", "cost_per_year")
MOST_CASES = 1_000_000  # people a year at one treatment decision in one hospital


def row_check(row: Mapping, keys: Iterable[str]) -> str:
    """A short sum over what must not be changed in a row: key, column, place, shipped value."""
    shipped = "" if row["shipped"] in (None, "") else f"{float(row['shipped']):.12g}"
    parts = [*(f"{k}={row[k]}" for k in sorted(keys)), row["column_name"], row["stratum_type"], row["stratum"], shipped]
    return f"c{zlib.crc32('|'.join(map(str, parts)).encode()):08x}"


def own_values(sheets: dict[str, pd.DataFrame], dictionary: Dictionary) -> tuple[pd.DataFrame, list[Issue]]:
    """The text frame of *own_values* that the changed cells make, and all faults.

    ``sheets``: text frames by table, index = row of the sheet.
    """
    rows, labels, issues = [], [], []
    for table, frame in sheets.items():
        missing = [c for c in FIXED if c not in frame.columns]
        if missing or table not in dictionary.tables:
            issues.append(Issue(f"sheet {PREFIX}{table}", "it is no sheet of the template"
                                + (f": {', '.join(missing)} missing" if missing else ""),
                                "start again from `template`", "not_template"))
            continue
        twice = frame["check"][frame["check"].duplicated()]
        issues += [Issue(f"{PREFIX}{table}, row {number}", "the row stands twice", "keep one of them", "duplicate")
                   for number in twice.index]
        for number, cells in zip(frame.index, frame.to_dict("records"), strict=True):
            row, faults = _row(table, number, cells, dictionary)
            issues += faults
            if row:
                rows.append(row)
                labels.append(f"sheet {PREFIX}{table} row {number}")
    columns = list(dictionary.table("own_values").columns)
    return pd.DataFrame(rows, columns=columns, index=labels, dtype="str").fillna(""), issues


def _row(table: str, number: int, cells: dict[str, str], dictionary: Dictionary) -> tuple[dict | None, list[Issue]]:
    where = f"{PREFIX}{table}, row {number}"
    value, shipped = cells["value"].strip(), cells["shipped"].strip()
    wrong = [name for name, text in (("value", value), ("shipped", shipped))
             if text and (not NUMBER.fullmatch(text) or not math.isfinite(float(text)))]
    if wrong:
        return None, [Issue(f"{where}, {name}", f"`{cells[name]}` is no number",
                            "give a number such as 0.25, with a point and no thousands separator", "type") for name in wrong]
    key = {c: v for c, v in cells.items() if c not in (*FIXED, *BESIDE)}
    if cells["check"].strip() != row_check(cells, key):
        return None, [Issue(where, "its key, place or shipped value was changed", "restore the row from the template, and change "
                            "`value` only", "key")]
    if value == "" or (shipped and float(value) == float(shipped)):
        return None, []
    why = cells["why"].strip() or "own number of the setting, no reason given"
    return {"stratum_type": cells["stratum_type"], "stratum": cells["stratum"], "table_name": table,
            "key": ";".join(f"{c}={v}" for c, v in key.items()), "column_name": cells["column_name"], "value": value,
            "currency": "USD" if cells["column_name"] in MONEY else "",
            "year": str(dictionary.base_year) if cells["column_name"] in MONEY else "", "shipped": shipped, "why": why,
            "source": cells.get("source", "").strip()}, []


def hospital_cases(frame: pd.DataFrame, known: Iterable[str] | None = None) -> tuple[dict[str, float], list[Issue]]:
    """People a year by indication that the sheet ``cases`` states, and all faults. An empty cell states nothing.

    ``frame``: the text frame, index = row of the sheet. ``known``: ids of the indications, where they are to be checked.
    """
    missing = [c for c in ("indication_id", CASES) if c not in frame.columns]
    if missing:
        return {}, [Issue(f"sheet {CASES}", f"it is no sheet of the template: {', '.join(missing)} missing",
                          "start again from `template`", "not_template")]
    known = None if known is None else sorted(known)
    out: dict[str, float] = {}
    issues, seen = [], set()
    for number, name, text in zip(frame.index, frame["indication_id"].str.strip(), frame[CASES].str.strip(), strict=True):
        where = f"{CASES}, row {number}"
        if not name and not text:
            continue
        if not name:
            issues.append(Issue(where, "a number stands there without its indication", "give indication_id, or empty the row",
                                "missing"))
        elif name in seen:
            issues.append(Issue(where, f"`{name}` stands twice", "keep one of the rows", "duplicate"))
        elif known is not None and name not in known:
            issues.append(Issue(f"{where}, indication_id", f"unknown indication `{name}`", _near(name, known), "unknown_id"))
        seen.add(name)
        fault = _count_fault(text)
        if fault:
            issues.append(Issue(f"{where}, {CASES}", *fault))
        elif text and name:
            out[name] = float(text)
    return out, issues


def _count_fault(text: str) -> tuple[str, str, str] | None:
    """What is wrong with a number of people (what, remedy, code)."""
    if text and not NUMBER.fullmatch(text):
        return f"`{text}` is no number", "give people a year, such as 120, without a thousands separator", "type"
    if text and not 0 <= float(text) <= MOST_CASES:
        return f"{text} people a year are impossible", f"give a number from 0 to {MOST_CASES:,}", "out_of_range"
    return None


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 3, 0.5)
    return f"did you mean {' or '.join(close)}" if close else "the sheet of a new `template` lists them"
