"""The data dictionary: ``datapackage.json`` (Frictionless) as frozen types.

It alone says what a table holds; reading, checking, the editor, the template and the manual all
ask here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from planner.errors import BadInput, Issue

TYPES = ("string", "number", "integer", "boolean")
STRATUM = ("stratum_type", "stratum")
# The profile may be an address that frictionless would fetch; only these two names are known.
PROFILES = ("data-package", "tabular-data-package", None)


@dataclass(frozen=True)
class Field:
    """One column. ``unit`` and limits are those of the values as stored (shares 0 to 1)."""

    name: str
    type: str
    unit: str = ""
    description: str = ""
    required: bool = False
    enum: tuple = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""


@dataclass(frozen=True)
class ForeignKey:
    """Columns whose values must be found in ``columns`` of another ``table``."""

    fields: tuple[str, ...]
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table: columns in order, primary key, foreign keys, licence."""

    name: str
    title: str
    path: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    licence: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields)

    @property
    def stratified(self) -> bool:
        """Whether its values resolve by stratum."""
        return set(STRATUM) <= set(self.columns)

    @property
    def index_key(self) -> tuple[str, ...]:
        """What a value is asked by, besides the place: key columns but stratum and source."""
        return tuple(c for c in self.key if c not in (*STRATUM, "source_id"))

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Columns of the lower and upper bound of ``column``, or None.

        ``x_low`` and ``x_high`` belong to ``x``; plain ``low`` and ``high`` belong to the column
        that stands before ``low``.
        """
        names = self.columns
        if {f"{column}_low", f"{column}_high"} <= set(names):
            return f"{column}_low", f"{column}_high"
        if "high" in names and "low" in names[1:] and names[names.index("low") - 1] == column:
            return "low", "high"
        return None


@dataclass(frozen=True)
class Dictionary:
    """The whole data package without its rows."""

    tables: Mapping[str, Table]
    base_year: int
    version: str
    title: str = ""

    def table(self, name: str) -> Table:
        return self.tables[name]


def load_dictionary(path: str | Path) -> Dictionary:
    """Read a ``datapackage.json`` (or the one in a folder); :class:`BadInput` with all faults."""
    path = Path(path)
    path = path / "datapackage.json" if path.is_dir() else path
    raw = read_descriptor(path)
    issues: list[Issue] = []
    tables = {}
    for n, resource in enumerate(_list(raw, "resources", path.name, issues)):
        table = _table(resource, f"{path.name}, resource {n + 1}", issues)
        if table and table.name in tables:
            issues.append(_fault(path.name, f"the table {table.name} stands twice", "keep one of them"))
        elif table:
            tables[table.name] = table
    for name, kind in (("base_year", int), ("version", str)):
        if not isinstance(raw.get(name), kind):
            issues.append(_fault(path.name, f"`{name}` is missing or not {kind.__name__}", f"state `{name}`"))
    if issues:
        raise BadInput(issues)
    return Dictionary(tables, raw["base_year"], raw["version"], str(raw.get("title", "")))


def lacking(theirs: Dictionary, ours: Dictionary) -> list[Issue]:
    """Tables and columns that this version of the planner reads and a package does not describe.

    A package of another version may be sound by its own descriptor and still not be usable here.
    """
    issues = []
    for name, table in ours.tables.items():
        if name not in theirs.tables:
            issues.append(Issue(f"datapackage.json, {name}", f"the package (version {theirs.version or 'unknown'}) has no table "
                                f"{name}, which this version of the planner reads",
                                f"add {table.path} and describe it, as the shipped package does; to lay some rows over the "
                                "shipped evidence, leave datapackage.json out", "missing_table"))
            continue
        issues += [Issue(f"datapackage.json, {name}", f"the package (version {theirs.version or 'unknown'}) has no column "
                         f"{field.name}, which this version of the planner reads", f"add it: {field.description}",
                         "missing_column")
                   for field in table.fields if field.name not in theirs.tables[name].columns]
    return issues


def read_descriptor(path: Path) -> dict:
    """The JSON object of a descriptor file; :class:`BadInput` where it is none."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput([_fault(path.name, f"the descriptor cannot be read ({type(error).__name__})",
                               "give a Frictionless datapackage.json in UTF-8")]) from error
    if not isinstance(raw, dict):
        raise BadInput([_fault(path.name, "the descriptor is not a JSON object", "see data/datapackage.json")])
    return raw


def descriptor_issues(path: Path) -> list[Issue]:
    """What the Frictionless standard itself finds wrong with a descriptor (not with its rows)."""
    raw = read_descriptor(path)
    if raw.get("profile") not in PROFILES:
        return [_fault(path.name, f"unknown profile {raw['profile']!r}", "use `tabular-data-package`")]
    from frictionless import FrictionlessException, Package  # slow to import, needed only here

    try:
        errors = list(Package.metadata_validate(raw) or ())
    except FrictionlessException as error:
        errors = [error.error]
    return [_fault(path.name, e.message, "correct the descriptor") for e in errors]


def _table(resource, where: str, issues: list[Issue]) -> Table | None:
    if not isinstance(resource, dict) or not isinstance(resource.get("name"), str):
        issues.append(_fault(where, "a resource has no name", "give every resource a `name`"))
        return None
    name, before = resource["name"], len(issues)
    where = f"{where} ({name})"
    path = resource.get("path", f"{name}.csv")
    # A descriptor may come from a stranger: only files beside it are read.
    if not isinstance(path, str) or not re.fullmatch(r"[A-Za-z0-9_-]+\.csv", path):
        issues.append(_fault(where, f"path {path!r} is not a CSV file beside the descriptor", f"use {name}.csv"))
    schema = resource.get("schema")
    schema = schema if isinstance(schema, dict) else {}
    fields = [_field(f, where, issues) for f in _list(schema, "fields", where, issues)]
    foreign = [_foreign(k, name, where, issues) for k in _list(schema, "foreignKeys", where, issues, needed=False)]
    licences = _list(resource, "licenses", where, issues, needed=False)
    if not all(isinstance(entry, dict) for entry in licences):
        issues.append(_fault(where, "`licenses` holds something that is no licence", "give name, title and path"))
    if len(issues) > before:
        return None
    key = schema.get("primaryKey", [])
    key = (key,) if isinstance(key, str) else tuple(map(str, key)) if isinstance(key, list) else ()
    unknown = set(key) - {f.name for f in fields}
    if not key or unknown:
        issues.append(_fault(where, f"primaryKey {key} is missing or names no column", "name columns"))
        return None
    return Table(
        name, str(resource.get("title", name)), path, tuple(fields), key, tuple(foreign),
        ", ".join(str(entry.get("title") or entry.get("name")) for entry in licences),
    )


def _field(raw, where: str, issues: list[Issue]) -> Field | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        issues.append(_fault(where, "a field has no name", "give every field a `name`"))
        return None
    if raw.get("type", "string") not in TYPES:
        issues.append(_fault(f"{where}.{raw['name']}", f"unknown type {raw['type']!r}", f"use one of {TYPES}"))
        return None
    limits = raw.get("constraints", {})
    try:
        re.compile(limits.get("pattern", ""))
        low, high = (None if limits.get(m) is None else float(limits[m]) for m in ("minimum", "maximum"))
        return Field(
            raw["name"], raw.get("type", "string"), str(raw.get("unit", "")), str(raw.get("description", "")),
            bool(limits.get("required", False)), tuple(limits.get("enum", ())), low, high,
            limits.get("pattern", ""),
        )
    except (AttributeError, TypeError, ValueError, re.error) as error:
        issues.append(_fault(f"{where}.{raw['name']}", f"a pattern, limit or list of the constraints is wrong ({error})",
                             "see the Frictionless table schema"))
        return None


def _foreign(raw, own: str, where: str, issues: list[Issue]) -> ForeignKey | None:
    def names(value) -> tuple[str, ...]:
        return (value,) if isinstance(value, str) else tuple(map(str, value))

    try:
        reference = raw["reference"]
        # In the standard an empty resource name points to the table itself.
        return ForeignKey(names(raw["fields"]), reference.get("resource") or own, names(reference["fields"]))
    except (AttributeError, KeyError, TypeError):
        issues.append(_fault(where, "one of the foreignKeys lacks fields or reference", "see the table schema"))
        return None


def _list(raw: dict, name: str, where: str, issues: list[Issue], needed: bool = True) -> list:
    value = raw.get(name)
    if value is None and not needed:
        return []
    if not isinstance(value, list) or (needed and not value):
        issues.append(_fault(where, f"`{name}` is missing or empty", f"list the {name}"))
        return []
    return value


def _fault(where: str, what: str, remedy: str) -> Issue:
    return Issue(where, what, remedy, "descriptor")
