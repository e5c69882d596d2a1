"""What changed between two plans, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.result.plan import Plan
from planner.result.priority import inside

SHOWN = (("coverage", "coverage"), ("rank", "rank"), ("tier", "priority_tier"))
SMALL = 0.005  # coverage that counts as unchanged


def line_key(row: Mapping[str, Any]) -> tuple[str, str]:
    """A line by its indication and biomarker: places may differ between plans."""
    return row["indication_id"], row["biomarker_id"]


def line_label(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("indication_id", "biomarker_id", "indication", "short_name")}


def in_list(row: Mapping[str, Any]) -> bool:
    return inside(row["coverage"], row["attainable_coverage"])


def changes(name: str, first: Plan, second: Plan, why: Mapping[tuple, list[str]]) -> Iterator[dict]:
    before = {line_key(r): r for r in first.document["list"]}
    after = {line_key(r): r for r in second.document["list"]}
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        what = _what(was, now)
        if what:
            row = now or was
            yield {"plan": name} | line_label(row) | {
                "change": what,
                **{f"{name}_before": was[field] if was else None for name, field in SHOWN},
                **{f"{name}_after": now[field] if now else None for name, field in SHOWN},
                "because": tuple(why.get(key, ())), "reason": now["reason"]["text"] if now else "not in this evidence"}


def against_today(name: str, plan: Plan, why: Mapping[tuple, list[str]] | None = None) -> Iterator[dict]:
    """Lines whose testing today is known: tested more, less, newly, no longer or the same in the plan, and what did
    it, by line."""
    for row in sorted(plan.document["list"], key=line_key):
        if row["coverage_today"] is None:
            continue
        yield {"plan": name} | line_label(row) | {
            "change": _beside(row["coverage_today"], row["coverage"]), "coverage_today": row["coverage_today"],
            "coverage_after": row["coverage"], "rank_after": row["rank"],
            "because": tuple((why or {}).get(line_key(row), ())), "reason": row["reason"]["text"]}


def _beside(today: float, after: float) -> str:
    """entered, left, more, less or same. Practice is no list: being in it is any testing at all."""
    if abs(after - today) <= SMALL:
        return "same"
    if after > today:
        return "more" if today > SMALL else "entered"
    return "less" if after > SMALL else "left"


def _what(was, now) -> str:
    """entered, left, more, less, tier, or nothing."""
    inside_before, inside_after = bool(was) and in_list(was), bool(now) and in_list(now)
    if inside_before != inside_after:
        return "entered" if inside_after else "left"
    if not was or not now:
        return ""
    if abs(now["coverage"] - was["coverage"]) > SMALL:
        return "more" if now["coverage"] > was["coverage"] else "less"
    return "tier" if was["priority_tier"] != now["priority_tier"] else ""
