"""How a number in use can be set in a scenario, and what was typed for it. No streamlit here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.evidence.own_sheets import MONEY
from planner.pathway.named import override_issues
from planner.scenario.model import DrugAccess, Override, Scenario
from planner.ui import changes

Fact = Mapping[str, Any]  # a row of :func:`planner.ui.tables.facts`
OVERRIDE, SETTING, CASES, NONE = "override", "value_of_qaly", "cases", "none"
BY_RATE = "It is computed: the incidence rate of this cancer times the people here. Change the rate, and it follows."
BY_RATE_FITS = "It is computed: the incidence rate of this cancer times the people here, cut to what the counted cases of the " \
    "common site leave room for. Change the rate: a rate of your own is not cut."
OF_COUNTRY = "It is the count of the whole country, of which the region is given the share of its population. Change the " \
    "region's own count instead."
ABROAD = "It is the mean price in laboratories of the world, not brought to prices here. No scenario sets it: change the " \
    "world's rows of the table assay_costs in a workbook or folder of your own and plan with --evidence (docs/local_data.md)."
REACH = "This scenario states itself for how many {drug} is reachable, whoever pays. Take that back on the left first: then " \
    "the share of each payer counts again."
BY_FILE = "No scenario sets it. Write the workbook of this place with the command template, change it there, and plan with " \
    "--evidence (docs/local_data.md)."
NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d*)(?:\.\d*)?(?:[eE][+-]?\d{1,2})?")
SHORTEST_WHY = 3


@dataclass(frozen=True)
class Way:
    """How a number is set: by an override of its table, column and key; as the setting value_of_qaly; as one of a
    hospital's cases; or not here, and why. ``instead``: the word and key of the number to set in its place."""

    kind: str
    table: str = ""
    column: str = ""
    key: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False
    why: str = ""
    instead: tuple[str, str] | None = None

    @property
    def money(self) -> bool:
        return self.kind == OVERRIDE and self.column in MONEY


def way(fact: Fact, mine: Scenario, evidence: Evidence) -> Way:
    """How this number is set."""
    if fact["own_key"] is not None:
        stated = mine.access.drugs.get(fact["own_key"].get("drug", "")) if fact["table"] == "drug_access" else None
        if stated is not None and (not isinstance(stated, DrugAccess) or stated.share is not None):
            drug = evidence.record("drugs", drug=fact["own_key"]["drug"]).get("name", "the drug")
            return Way(NONE, why=REACH.format(drug=drug))
        return Way(OVERRIDE, fact["table"], fact["column"], fact["own_key"], fact["Unit"] == "share")
    if fact["table"] == "countries":
        return Way(SETTING)
    if fact["table"] == "cases":
        return Way(CASES, key={"indication_id": fact["key"]})
    if fact["table"] == "incidence":
        return _counted(fact, mine)
    return Way(NONE, why=ABROAD if fact["table"] == "assay_costs" else BY_FILE)


def _counted(fact: Fact, mine: Scenario) -> Way:
    """Cases that are computed from a rate, or a country's count of which a region takes its part."""
    if fact["Note"].startswith("rate times population"):
        return Way(NONE, why=BY_RATE_FITS if "scaled down" in fact["Note"] else BY_RATE, instead=("incidence rate", fact["key"]))
    return Way(NONE, why=OF_COUNTRY, instead=("new cases a year", f"{fact['key'].split('/')[0]}/{mine.setting.region}"))


def also(facts: pd.DataFrame, fact: Fact) -> list[str]:
    """What else the override of a number stands for, in words: other numbers of its table and column that its key fits."""
    if fact["own_key"] is None:
        return []
    same = facts[facts["table"].eq(fact["table"]) & facts["column"].eq(fact["column"])].to_dict("records")
    return [f["Of"] for f in same if (f["Number"], f["key"]) != (fact["Number"], fact["key"]) and f["own_key"] is not None
            and all(value in ("*", f["own_key"].get(name)) for name, value in fact["own_key"].items())]


def change(found: Way, mine: Scenario) -> changes.Change | None:
    """The change by which the number was set here; None where it was not."""
    if found.kind == OVERRIDE:
        return changes.own_number(mine, found.table, found.column, found.key)
    if found.kind == SETTING:
        return next((c for c in changes.differences(mine) if c.path == (SETTING,)), None)
    return None


def taken(mine: Scenario, found: Way, typed: Mapping[str, Any], evidence: Evidence) -> Scenario:
    """The scenario with the number that was typed. Raises BadInput with every fault."""
    own, faults = read(typed, found, evidence.base_year)
    if faults:
        raise BadInput([*faults, *_impossible(found, own, evidence)])
    if found.kind == SETTING:
        return changes.put(mine, (SETTING,), own["value"])
    if found.kind == CASES:
        return changes.put(mine, (CASES, found.key["indication_id"]), own["value"])
    return changes.numbered(mine, {"table": found.table, "key": dict(found.key), "column": found.column, **own}, evidence)


def _impossible(found: Way, own: Mapping[str, Any], evidence: Evidence) -> list[Issue]:
    """What is wrong with the numbers themselves, to be told together with what is missing beside them."""
    if found.kind != OVERRIDE or "value" not in own:
        return []
    parts = {name: own[name] for name in ("value", "currency", "year") if name in own} | {"why": "told beside it"}
    return override_issues(evidence, Override(table=found.table, key=dict(found.key), column=found.column, **parts))


# -- what was typed -----------------------------------------------------------------------------------------------


def read(typed: Mapping[str, Any], found: Way, base_year: int) -> tuple[dict[str, Any], list[Issue]]:
    """The fields of the form as parts of an own number, and every fault under its field."""
    faults: list[Issue] = []
    out = {name: _number(name, str(typed.get(name) or ""), found.percent, faults) for name in ("value", "low", "high")}
    if out["value"] is None and not faults:
        faults.append(Issue("value", "it is empty", "give a number"))
    if found.kind == OVERRIDE:
        faults += _order(**out) if not faults else []
        faults += [Issue("why", "it is missing", f"give the reason, in {SHORTEST_WHY} characters or more")
                   for _ in range(len(str(typed.get("why") or "").strip()) < SHORTEST_WHY)]
        out |= {name: " ".join(str(typed.get(name) or "").split()) for name in ("why", "source")}
    if found.money and (typed.get("currency", "USD"), typed.get("year", base_year)) != ("USD", base_year):
        out |= {"currency": typed.get("currency", "USD"), "year": int(typed.get("year", base_year))}
    return {name: value for name, value in out.items() if value not in (None, "")}, faults


def _number(name: str, text: str, percent: bool, faults: list[Issue]) -> float | None:
    """A number as it was typed, a percentage as a share; None where nothing was, or where it is none (told)."""
    bare = text.strip().removesuffix("%").strip() if percent else text.strip()
    if not bare:
        return None
    if not NUMBER.fullmatch(bare) or not any(c.isdigit() for c in bare.lower().partition("e")[0]):
        faults.append(Issue(name, f"“{text.strip()[:40]}” is no number", "give a number such as 1,250 or 0.25, with a point"))
        return None
    exact = Decimal(bare.replace(",", ""))
    return float(exact / 100 if percent else exact)


def _order(value: float | None, low: float | None, high: float | None) -> list[Issue]:
    """Low, value and high in this order; a range has two ends."""
    if (low is None) != (high is None):
        return [Issue("high" if high is None else "low", "a range has two ends", "give both, or neither")]
    if low is None or high is None or value is None:
        return []
    if low > high:
        return [Issue("low", "it is above the high end", "exchange the two")]
    if low <= value <= high:
        return []
    return [Issue("value", "it does not lie between low and high", "widen the range, or leave it out")]


# -- how it is said -----------------------------------------------------------------------------------------------


def known(value) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def exact(value: float, unit: str) -> str:
    """A number to four figures, with its unit."""
    amount = float(f"{(value * 100 if unit == 'share' else value):.4g}")
    if unit == "share":
        return f"{amount:,.10g} %"
    if unit.startswith("USD"):
        return f"US$ {amount:,.10g} {unit.removeprefix('USD').strip()}".strip()
    return f"{amount:,.10g} {unit}".strip()


def typed_unit(unit: str, found: Way, base_year: int) -> str:
    """In what a number is typed; the currency of money has a field of its own."""
    if found.percent:
        return "%"
    if found.money:
        return unit.removeprefix("USD").strip()
    return f"US$ {unit.removeprefix('USD').strip()}, prices of {base_year}" if unit.startswith("USD") else unit


def untyped(value: float | None, percent: bool) -> str:
    """A number as it would be typed."""
    if value is None:
        return ""
    text = format(Decimal(repr(float(value))) * (100 if percent else 1), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
