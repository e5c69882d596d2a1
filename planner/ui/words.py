"""Words for a line of the list: its reason, its place in what is not bought. No streamlit here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from planner.report import charts
from planner.report.numbers import measure, show

Document = Mapping[str, Any]
NEEDS = re.compile(r"needs (.+?) first")
NOT_BOUGHT = (
    ("not_worth", "Costs more than it brings, at today's prices"), ("no_gain", "Testing brings no health here"),
    ("drug", "The drug is missing"), ("money", "No money for it now"), ("first", "Another test must come first"),
    ("people", "No time left in the laboratory"), ("evidence", "The evidence is not strong enough yet"),
    ("figure", "A figure is missing"), ("decision", "No decision waits for the result"),
    ("choice", "Left out by your choice"), ("other", "Other reasons"),
)
GROUPS = {
    "above_value_threshold": "not_worth", "dominated": "no_gain", "no_eligible": "no_gain", "not_accessible": "drug",
    "no_therapy": "drug", "prerequisite": "first", "capacity": "people", "below_gate": "evidence",
    "not_plannable": "figure", "no_decision": "decision", "no_number": "figure", "no_assay": "figure", "excluded": "choice",
}


def ended(text: str) -> str:
    """A sentence with one mark at its end, the backticks of messages for files as quotation marks."""
    text = re.sub(r"`([^`]*)`", r"“\1”", text).strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def reason(row: Mapping[str, Any], document: Document) -> str:
    """Why a line is in or out, in words without ids."""
    why = row["reason"] or {}
    code, text, figure = why.get("code", ""), why.get("text", ""), why.get("figure")
    per_dollar = why.get("unit") == "QALYs per USD of tests" and figure and figure > 0
    if code == "funded" and per_dollar:
        return f"a healthy year takes {show(1 / figure, 'usd')} of tests"
    if code == "funded" and why.get("unit") == "QALYs per USD of tests":
        return "it brings no healthy years here"
    if code == "below_cut_off" and per_dollar and row["funded"] == "no":
        cut = _cut(document)
        least = f", the lines in the plan {show(cut, 'usd')} or less" if cut and cut < 1 / figure else ""
        return f"a healthy year would take {show(1 / figure, 'usd')} of tests{least}"
    if code == "prerequisite":
        return NEEDS.sub(lambda m: f"needs {_named(m.group(1), document)} first", text)
    return re.sub(r"`([^`]*)`", r"“\1”", text)


def _cut(document: Document) -> float | None:
    """US dollars of tests for a healthy year where the testing budget ends."""
    prices = [b["shadow_price"] for b in document["binding"] if str(b["limit"]).startswith("budget_testing")]
    return 1 / prices[0] if prices and prices[0] and measure(document) == "qalys" else None


def _named(ids: str, document: Document) -> str:
    names = {r["biomarker_id"]: r["short_name"] for r in document["list"]}
    return " and ".join(names.get(i, i.replace("_", " ")) for i in ids.split(", "))


def group(row: Mapping[str, Any], document: Document) -> str:
    """Which of NOT_BOUGHT speaks first against a line that is not bought."""
    code = (row["reason"] or {}).get("code", "")
    figure = (row["reason"] or {}).get("figure")
    if code == "dominated" and (figure > 0 if figure is not None else measure(document) != "qalys"):
        return "not_worth"
    if code in GROUPS:
        return GROUPS[code]
    if row["priority_tier"] == "when_drug":
        return "drug"
    ratio = row["cost_per_qaly"] if row["cost_per_qaly"] is not None else row["cost_per_qaly_ceiling"]
    if row["priority_tier"] == "lower_price" or (ratio is not None and ratio > document["threshold"]["value"]):
        return "not_worth"
    return "money" if code in ("below_cut_off", "limited") else "other"


def must_cost(row: Mapping[str, Any]) -> str | None:
    """What a must costs: the health that its money would bring elsewhere."""
    price = row.get("price_of_mandate")
    if not price:
        return None
    lost, money = price.get("value", price.get("qalys")), price.get("usd")
    if lost is None:
        return None
    words = charts.PLAINLY.get(price.get("objective", "qalys"), "healthy years")
    spent = f", and uses {show(money, 'usd')} a year of test money" if money is not None else ""
    if lost < 0.005:
        return "it costs nothing elsewhere: the plan would hold it anyway, or nothing better is kept out"
    return f"it costs about {show(lost, 'qalys')} {words} a year that the plan would bring without it{spent}"


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names in a row, the last ones counted."""
    names = list(dict.fromkeys(names))
    more = len(names) - most
    return "; ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def lines_named(ids: Iterable[str], document: Document, most: int = 6) -> str:
    names = {f"{r['indication_id']}/{r['biomarker_id']}": charts.brief_name(r) for r in document["list"]}
    return listed((names.get(i, i) for i in ids), most)
