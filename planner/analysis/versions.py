"""Two versions of the evidence: which rows differ, and which of them moves which line.

Rows are grouped by table and by what they are about (a use case, an indication, a drug, an assay). Each
group that could bear on a changed line is laid over the first version alone, and the plan made again; where
a change is not explained so, the other groups as well, for they may have made room. Own numbers of a setting
(table *own_values*) are each a group of their own, about what the number is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from planner.analysis.changed import changes
from planner.analysis.study import Progress
from planner.errors import PlannerError
from planner.evidence.base import Evidence, Tables
from planner.evidence.strata import rows_of
from planner.pathway.resolve_values import own_key
from planner.result.make import make_plan
from planner.result.plan import Plan

MOST = 150  # groups tried; beyond it what is left is told and not tried
ABOUT = ("indication_id", "biomarker_id", "therapy_id", "drug", "assay_id", "cancer_site", "comparator_id", "service_id",
         "item", "iso3", "currency", "year")
DATED = "year"  # tells rows apart only where they are about nothing but a country or a currency
# No plan reads them: citations, and what access shares were made of (the shares themselves are in drug_access).
SILENT = ("sources", "drug_status", "access_rules")
SOURCING = ("source_id", "quality", "note", "why", "source", "shipped")
OWN = "own_values"


@dataclass(frozen=True)
class Group:
    """Rows of one table about one thing that differ between two versions."""

    table: str
    about: tuple[tuple[str, object], ...]
    before: tuple[dict, ...]
    after: tuple[dict, ...]

    @property
    def name(self) -> str:
        return "/".join(str(v) for _, v in self.about) or "all"


def row_differences(a: Evidence, b: Evidence) -> list[Group]:
    """Groups of rows whose numbers differ; rows that differ in their source alone do not count."""
    out = []
    for name in a.tables:
        if name in SILENT or name not in b.tables:
            continue
        key = list(a.dictionary.table(name).key)
        about = _about(key)
        before, after = _rows(a, name, key), _rows(b, name, key)
        groups: dict[tuple, tuple[list, list]] = {}
        for k in before.keys() | after.keys():
            was, now = before.get(k), after.get(k)
            if was is None or now is None or _numbers(was) != _numbers(now):
                row = now or was
                what = _own_about(row) if name == OWN else tuple((c, row[c]) for c in about)
                pair = groups.setdefault(what, ([], []))
                pair[0].extend([was] if was else [])
                pair[1].extend([now] if now else [])
        out += [Group(name, g, tuple(_sorted(x)), tuple(_sorted(y))) for g, (x, y) in groups.items()]
    return sorted(out, key=lambda g: (g.table, str(g.about)))


def _about(key: Sequence[str]) -> list[str]:
    """The columns of a key that say what its rows are about."""
    about = [c for c in ABOUT if c in key] or list(key[:1])
    return [c for c in about if c != DATED or not set(about) - {DATED, "iso3", "currency"}]


def _own_about(row: Mapping) -> tuple[tuple[str, object], ...]:
    """What an own number is about: its table, the parts of its key, its column and its place."""
    return (("table_name", row["table_name"]), *own_key(row["key"]).items(), ("column_name", row["column_name"]),
            ("stratum", row["stratum"]))


def _sorted(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda r: str(tuple(r.values())))


def _rows(evidence: Evidence, name: str, key: list[str]) -> dict[tuple, dict]:
    return {tuple(r[c] for c in key): r for r in rows_of(evidence.tables[name])}


def _numbers(row: dict) -> dict:
    return {k: v for k, v in row.items() if k not in SOURCING}


def laid_over(evidence: Evidence, group: Group) -> Evidence:
    """The evidence with the rows of one group as in the other version."""
    frame = evidence.tables[group.table]
    key = list(evidence.dictionary.table(group.table).key)
    gone = {tuple(r[c] for c in key) for r in (*group.before, *group.after)}
    kept = frame[[tuple(r[c] for c in key) not in gone for r in rows_of(frame)]]
    added = pd.DataFrame(list(group.after), columns=list(frame.columns))
    merged = pd.concat([kept.astype(object), added.astype(object)]).astype(frame.dtypes.to_dict())
    tables = {name: evidence.tables[name] for name in evidence.tables} | {
        group.table: merged.sort_values(key, kind="stable").reset_index(drop=True)}
    return replace(evidence, tables=Tables(tables), digest=f"{evidence.digest}+{group.table}/{group.name}")


def evidence_changes(first: Plan, second: Plan, a: Evidence, b: Evidence, progress: Progress) -> list[dict]:
    """Every group of rows that differs, with the lines (indication/biomarker) it moves alone.

    ``tried`` is false where the group could not be laid over alone (it needs other rows of its version) or
    bears on no line that changed.
    """
    groups = row_differences(a, b)
    wanted = {f"{c['indication_id']}/{c['biomarker_id']}": c["change"] for c in changes("", first, second, {})}
    near = {id(g): g for g in groups if _bears_on(a, b, g, wanted)}
    order = [*near.values(), *(g for g in groups if id(g) not in near)][:MOST]
    moved: dict[int, list[str] | None] = {}
    unexplained = set(wanted)
    for n, group in enumerate(order):
        if id(group) not in near and not unexplained:
            break  # what speaks of other cancers is tried only where it must have made room
        progress(0.5 + 0.5 * n / len(order), "trying each difference of the evidence alone")
        try:
            plan = make_plan(first.scenario, laid_over(a, group), "")
        except (PlannerError, KeyError, ValueError):  # rows that need others of their version
            moved[id(group)] = None
            continue
        moved[id(group)] = [f"{c['indication_id']}/{c['biomarker_id']}" for c in changes("", first, plan, {})]
        unexplained -= set(moved[id(group)])
    return [_row(a, g, moved.get(id(g))) for g in groups]


def _row(evidence: Evidence, g: Group, lines: Sequence[str] | None) -> dict:
    return {"table": g.table, "about": g.name, "rows_before": len(g.before), "rows_after": len(g.after),
            "words": _own_said(evidence, g) if g.table == OWN else _said(g), "tried": lines is not None,
            "lines": tuple(lines or ())}


def _own_said(evidence: Evidence, g: Group) -> str:
    """An own number in words: before (what was shipped, where it had none before) and after, with its unit."""
    was, now = (rows[0] if rows else None for rows in (g.before, g.after))
    row = now or was
    about = "/".join(own_key(row["key"]).values())
    before = was["value"] if was else now["shipped"]
    after = now["value"] if now else was["shipped"]
    unit = _own_unit(evidence, row)
    # what a narrow column shows is the beginning: which number it is comes first
    return (f"{about}: {row['column_name'].replace('_', ' ')} {_given(before)} becomes {_given(after)}"
            + (f" {unit}" if unit else "") + f" (own number, {row['table_name'].replace('_', ' ')})")


def _given(value: float | None) -> str:
    return "the shipped value" if value is None else _shown(value)


def _own_unit(evidence: Evidence, row: Mapping) -> str:
    """The unit of an own number: its currency and price year where it is money, else as its column says."""
    table = evidence.dictionary.table(row["table_name"])
    if not row["currency"]:
        return table.field(row["column_name"]).unit.removeprefix("share 0 to 1").removeprefix("ratio")
    per = evidence.record(table.name, **own_key(row["key"])).get("unit") if table.name == "drug_prices" else None
    return f"{row['currency']} of {row['year'] or evidence.base_year}" + (f" per {per}" if per else "")


def _said(g: Group) -> str:
    """The difference in words: the column and both values where one row changed in one or two columns."""
    what = f"{g.table.replace('_', ' ')}, {g.name}"
    if len(g.before) == len(g.after) == 1:
        was, now = _numbers(g.before[0]), _numbers(g.after[0])
        columns = [c for c in now if now[c] != was.get(c)]
        changes_said = [f"{c.replace('_', ' ')} {_shown(was.get(c))} becomes {_shown(now[c])}" for c in columns[:3]]
        return f"{what}: {', '.join(changes_said)}"
    if not g.before:
        return f"{what}: {_counted(g.after)} new"
    if not g.after:
        return f"{what}: {_counted(g.before)} gone"
    return f"{what}: {_counted(g.before)} become{'s' * (len(g.before) == 1)} {len(g.after)}"


def _counted(rows: Sequence[dict]) -> str:
    return "1 row" if len(rows) == 1 else f"{len(rows)} rows"


def _shown(value) -> str:
    if value is None:
        return "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _bears_on(a: Evidence, b: Evidence, g: Group, wanted: Mapping[str, str]) -> bool:
    """Whether a group speaks of anything that a changed line uses."""
    about = {k: v for k, v in g.about if v != "*"}
    indications = {w.split("/")[0] for w in wanted}
    if "indication_id" in about and about["indication_id"] not in indications:
        return False
    if "biomarker_id" in about and "indication_id" in about:
        return True  # of the same indication: another biomarker may have made room
    drugs = {d for e in (a, b) for w in wanted for t in e.records("therapies", indication_id=w.split("/")[0])
             for d in (r["drug"] for r in e.records("therapy_drugs", therapy_id=t["therapy_id"]))}
    therapies = {t["therapy_id"] for e in (a, b) for i in indications for t in e.records("therapies", indication_id=i)}
    sites = {r["cancer_site"] for e in (a, b) for i in indications for r in e.records("indications", indication_id=i)}
    return not (("drug" in about and about["drug"] not in drugs)
                or ("therapy_id" in about and about["therapy_id"] not in therapies)
                or ("cancer_site" in about and about["cancer_site"] not in sites))
