"""One function per check, each ``check_x(frames, dictionary) -> list[Issue]``.

Cell checks take *text* frames (what the file says), row checks take *typed* frames; see
:mod:`planner.evidence.tables`. Every issue names table, row, column and value, says what is
expected, and carries a code that the tests and the page hold on to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import pandas as pd

from planner.errors import Issue
from planner.evidence.complete import Coverage, completeness, coverage, use_case_names
from planner.evidence.dictionary import Dictionary, Field, ForeignKey, Table
from planner.evidence.laboratory_checks import check_accuracy, check_pathways, check_platforms, check_reached, check_runs
from planner.evidence.tables import at, is_valid, near, row_words
from planner.units import LATE

__all__ = ["CELL_CHECKS", "ROW_CHECKS", "STRICT_CHECKS", "Coverage", "completeness", "coverage"]

Frames = Mapping[str, pd.DataFrame]
NEEDS_NOTE = "D"
EXPECTED = {
    "number": "a number such as 0.25, with a point and no thousands separator",
    "integer": "a whole number such as 2024",
    "boolean": "`true` or `false`",
}
# References that hold but are no foreign key of the standard: a column that may be empty, or `*`,
# or that points to a part of a key. Column -> (table, column).
REFERENCES = {
    "threshold_source_id": ("sources", "source_id"), "duration_source_id": ("sources", "source_id"),
    "builds_on": ("therapies", "therapy_id"), "service_id": ("services", "service_id"),
    "requires_biomarker_id": ("biomarkers", "biomarker_id"),
    "first_biomarker_id": ("biomarkers", "biomarker_id"), "biomarker_id": ("biomarkers", "biomarker_id"),
    "indication_id": ("indications", "indication_id"),
}
STRATUM_COLUMNS = {"region": ("regions", "region"), "country": ("countries", "iso3")}


# -- cell checks: text frames ----------------------------------------------------------------------

def check_tables(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every table of the dictionary is there."""
    return [Issue(name, "the table is missing", f"add {dictionary.table(name).path}", "missing_table")
            for name in dictionary.tables if name not in frames]


def check_columns(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """No unknown column, and none missing that the dictionary lists."""
    return _columns(frames, dictionary, optional_too=True)


def check_overlay_columns(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """As :func:`check_columns`, but an overlay may leave optional columns out."""
    return _columns(frames, dictionary, optional_too=False)


def _columns(frames: Frames, dictionary: Dictionary, optional_too: bool) -> list[Issue]:
    issues = []
    for table, frame in _known(frames, dictionary):
        for name in frame.columns:
            if name not in table.columns:
                issues.append(Issue(f"{table.name}, row 1, {name}", "unknown column", near(name, table.columns),
                                    "unknown_column"))
        for field in table.fields:
            if field.name not in frame.columns and (field.required or optional_too):
                issues.append(Issue(f"{table.name}, row 1", f"the column {field.name} is missing",
                                    f"add it: {field.description}", "missing_column"))
    return issues


def check_types(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every cell is a value of its column's type."""
    return [
        _cell(table, row, field, value, f"expected {EXPECTED[field.type]}{_unit(field)}", "type")
        for table, field, texts in _fields(frames, dictionary) if field.type != "string"
        for row, value in texts[~is_valid(texts, field.type)].items()
    ]


def check_required(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Required cells hold something."""
    return [
        _cell(table, row, field, value, f"a value is required: {field.description}", "required")
        for table, field, texts in _fields(frames, dictionary) if field.required
        for row, value in texts[texts.str.strip() == ""].items()
    ]


def check_enum(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Cells of a column with a list of allowed values hold one of them."""
    issues = []
    for table, field, texts in _fields(frames, dictionary):
        allowed = [str(value) for value in field.enum]
        if allowed:  # a cell of the wrong type has its own issue
            bad = texts[(texts != "") & ~texts.isin(allowed) & is_valid(texts, field.type)]
            issues += [_cell(table, row, field, value, f"allowed are {', '.join(allowed)}", "enum")
                       for row, value in bad.items()]
    return issues


def check_pattern(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Ids and codes have the form the dictionary asks for."""
    issues = []
    for table, field, texts in _fields(frames, dictionary):
        if field.pattern:
            pattern = re.compile(field.pattern)
            wrong = [value for value in texts.unique() if value and not pattern.fullmatch(value)]
            issues += [_cell(table, row, field, value, f"expected the form {field.pattern}", "pattern")
                       for row, value in texts[texts.isin(wrong)].items()]
    return issues


# -- row checks: typed frames ----------------------------------------------------------------------

def check_range(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Numbers keep the limits of their column: shares 0 to 1, costs not below 0."""
    issues = []
    for table, field, values in _fields(frames, dictionary):
        if field.minimum is None and field.maximum is None:
            continue
        low = -math.inf if field.minimum is None else field.minimum
        high = math.inf if field.maximum is None else field.maximum
        limits = f"expected {low:g} to {high:g}" if high < math.inf else f"expected at least {low:g}"
        bad = values[((values < low) | (values > high)).fillna(False)]
        issues += [_cell(table, row, field, value, limits + _unit(field), "range") for row, value in bad.items()]
    return issues


def check_duplicates(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """No two rows of a table have the same primary key."""
    issues = []
    for table, frame in _known(frames, dictionary):
        for row, cells in frame[frame.duplicated(list(table.key))].iterrows():
            first = frame.index[(_same(frame, table.key, cells)).argmax()]
            words = ", ".join(f"{k}={cells[k]}" for k in table.key)
            issues.append(Issue(at(table.name, row), f"the key {words} is already in {row_words(first)}",
                                "keep one of the two", "duplicate_key"))
    return issues


def check_references(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every id that a row names exists in the table it points to (an empty cell or ``*`` points nowhere)."""
    issues = []
    for table, frame in _known(frames, dictionary):
        keys = list(table.foreign_keys)
        covered = {k.fields[0] for k in keys if len(k.fields) == 1}
        keys += [ForeignKey((c,), t, (o,)) for c, (t, o) in REFERENCES.items()
                 if c in table.columns and c not in covered and (table.name, c) != (t, o)
                 and t in dictionary.tables]
        for key in keys:
            issues += _dangling(table, frame, key, frames)
    return issues


def _dangling(table: Table, frame: pd.DataFrame, key: ForeignKey, frames: Frames) -> list[Issue]:
    target = frames.get(key.table)
    if target is None:
        return []  # the missing table is its own issue
    asked = frame[list(key.fields)].dropna()
    asked = asked[(asked != "*").all(axis=1)]
    known = set(target[list(key.columns)].itertuples(index=False, name=None))
    names = ["/".join(map(str, k)) for k in known]
    return [
        Issue(f"{at(table.name, row)}, {'/'.join(key.fields)}",
              f"{'/'.join(map(str, values))!r} is not in {key.table}",
              f"{near('/'.join(map(str, values)), names)}, or add it to {key.table}", "unknown_id")
        for row, values in zip(asked.index, asked.itertuples(index=False, name=None), strict=True)
        if values not in known
    ]


def check_order(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """A lower bound is not above its value, an upper bound not below it."""
    issues = []
    for table, frame in _known(frames, dictionary):
        for field in table.fields:
            bounds = table.bounds(field.name)
            if bounds is None:
                continue
            for bound, sign, word in ((bounds[0], 1, "above"), (bounds[1], -1, "below")):
                bad = frame[(sign * frame[bound] > sign * frame[field.name]).fillna(False)]
                issues += [_cell(table, row, table.field(bound), cells[bound],
                                 f"it is {word} {field.name} = {cells[field.name]}", "bounds")
                           for row, cells in bad.iterrows()]
    return issues


def check_strata(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every stratum is a known place of its kind."""
    known = known_strata(frames, dictionary)
    issues = []
    for table, frame in _known(frames, dictionary):
        if not table.stratified:
            continue
        for kind, rows in frame.groupby("stratum_type"):
            places = known.get(kind, set())
            bad = rows.loc[~rows["stratum"].isin(places) & rows["stratum"].notna(), "stratum"]
            issues += [Issue(f"{at(table.name, row)}, stratum", f"{value!r} is no known {kind}",
                             near(value, places), "unknown_stratum") for row, value in bad.items()]
    return issues


def known_strata(frames: Frames, dictionary: Dictionary) -> dict[str, set[str]]:
    """Places by stratum type: from countries and regions, and the dictionary's own lists."""
    known: dict[str, set[str]] = {"world": {"world"}}
    for kind, (table, column) in STRATUM_COLUMNS.items():
        known[kind] = set(frames[table][column].dropna()) if table in frames else set()
    countries = dictionary.tables.get("countries")
    for kind in ("un_subregion", "un_region", "who_region", "income_group"):
        known[kind] = set(frames["countries"][kind].dropna()) if "countries" in frames else set()
        known[kind] |= set(countries.field(kind).enum) if countries else set()
    return known


def check_notes(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """An expert assumption (grade D) says why in its note."""
    issues = []
    for table, frame in _known(frames, dictionary):
        if not {"quality", "note"} <= set(table.columns):
            continue
        silent = frame[(frame["quality"] == NEEDS_NOTE) & (frame["note"].fillna("").str.strip() == "")]
        issues += [Issue(f"{at(table.name, row)}, note", "a value of grade D has no note",
                         "say what the assumption rests on", "no_note") for row in silent.index]
    return issues


def check_sources(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every source has a citation by which it can be found."""
    if "sources" not in frames or "sources" not in dictionary.tables:
        return []
    sources = frames["sources"]
    text = sources["citation"].fillna("").str.strip()
    short = sources[(text.str.len() < 10) & (text != "")]  # an empty one is a required cell
    return [Issue(f"{at('sources', row)}, citation", f"{cells['citation']!r} is no full citation",
                  "give authors, title, journal and year", "no_citation") for row, cells in short.iterrows()]


def check_steps(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every step an indication lists is a step of the table eligibility (and not ``fit``)."""
    if "indications" not in frames or "eligibility" not in dictionary.tables:
        return []
    allowed = [step for step in dictionary.table("eligibility").field("step").enum if step != "fit"]
    return [
        Issue(f"{at('indications', row)}, eligibility_steps", f"unknown step {step!r}", near(step, allowed),
              "unknown_step")
        for row, steps in frames["indications"]["eligibility_steps"].dropna().items()
        for step in steps.split(";") if step not in allowed
    ]


# -- strict checks of a complete package -----------------------------------------------------------

def check_complete(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every use case has a complete chain of numbers, or states its gap."""
    table = completeness(frames)
    gaps = use_case_names(frames, with_gap=True)
    return [
        Issue(f"use_cases, {row.indication_id}/{row.biomarker_id}", f"numbers are missing: {row.missing}",
              "add them, or say in `gap` why they are missing", "incomplete")
        for row in table.itertuples()
        if not row.plannable and (row.indication_id, row.biomarker_id) not in gaps
    ]


def check_money(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every amount can be converted: its currency and year have a rate and a price index."""
    if not {"exchange_rates", "deflators"} <= set(frames):
        return []
    rates = set(frames["exchange_rates"][["currency", "year"]].itertuples(index=False, name=None))
    years = set(frames["deflators"]["year"])
    issues = []
    for table, frame in _known(frames, dictionary):
        if table.name == "exchange_rates" or not {"currency", "year"} <= set(table.columns):
            continue
        for row, currency, year in frame[["currency", "year"]].dropna().itertuples(name=None):
            late = LATE if table.name == "own_values" else 0  # one's own prices may be newer than the latest rate
            if currency != "USD" and not any((currency, year - n) in rates for n in range(late + 1)):
                issues.append(Issue(at(table.name, row), f"no exchange rate for {currency} in {year}",
                                    "add it to exchange_rates", "missing_rate"))
            if year not in years:
                issues.append(Issue(at(table.name, row), f"no price index for {year}", "add it to deflators",
                                    "missing_deflator"))
    return issues


CELL_CHECKS = (check_types, check_required, check_enum, check_pattern)
ROW_CHECKS = (check_range, check_duplicates, check_references, check_order, check_strata, check_notes,
              check_sources, check_steps, check_pathways, check_platforms, check_runs)
STRICT_CHECKS = (check_complete, check_money, check_accuracy, check_reached)


# -- words -----------------------------------------------------------------------------------------

def _known(frames: Frames, dictionary: Dictionary):
    """(table, frame) of the dictionary's tables that are there, in the dictionary's order."""
    return [(table, frames[name]) for name, table in dictionary.tables.items() if name in frames]


def _fields(frames: Frames, dictionary: Dictionary):
    """(table, field, column) of every known column that is there."""
    for table, frame in _known(frames, dictionary):
        for field in table.fields:
            if field.name in frame.columns:
                yield table, field, frame[field.name]


def _same(frame: pd.DataFrame, key: tuple[str, ...], cells: pd.Series) -> pd.Series:
    same = pd.Series(True, index=frame.index)
    for k in key:
        same &= frame[k].isna() if pd.isna(cells[k]) else (frame[k] == cells[k]).fillna(False)
    return same.to_numpy(bool)


def _cell(table: Table, row, field: Field, value, what: str, code: str) -> Issue:
    shown = repr(value) if len(str(value)) <= 60 else repr(str(value)[:57] + "...")
    said = what if value == "" else f"{shown}: {what}"
    return Issue(f"{at(table.name, row)}, {field.name}", said, "correct the cell", code)


def _unit(field: Field) -> str:
    return f" ({field.unit})" if field.unit else ""
