"""A plan file, read with suspicion: every fault listed, whatever the bytes are.

What a plan must hold (schema plan/1) is written down here once, as a shape; a file that does not have it
is no plan and raises :class:`BadInput` with all its faults. What it *says* is judged in ``audit.py``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from planner.errors import BadInput, Issue
from planner.scenario import faults
from planner.scenario.model import PAYERS, Scenario

SCHEMA = "plan/1"
MAX_BYTES = 64_000_000
MAX_DEPTH = 16
MAX_FOUND, MAX_TOLD = 5000, 40
MAX_NUMBER = 1e18  # no money, people or health of any country is more
REMEDY = "take the file as `python -m planner plan SCENARIO --out plan.json` wrote it"


def number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def maybe(kind: Callable) -> Callable:
    return lambda value: value is None or kind(value)


def text(value) -> bool:
    return isinstance(value, str)


def year(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def texts(value) -> bool:
    return isinstance(value, list) and all(map(text, value))


def figures(value) -> bool:
    return isinstance(value, dict) and all(map(number, value.values()))


def truth(value) -> bool:
    return isinstance(value, bool)


def spells(value) -> bool:
    return isinstance(value, list) and all(isinstance(v, list) and len(v) == 2 and all(map(number, v)) for v in value)


def priced(value) -> bool:
    return isinstance(value, dict) and all(isinstance(p, dict) and number(p.get("value_per_unit")) for p in value.values())


def a_price(value) -> bool:
    return isinstance(value, dict) and all(kind(value.get(key)) for key, kind in PRICE.items())


def named(value) -> bool:
    return isinstance(value, dict) and all(map(texts, value.values()))


WORDS = {number: "a number", text: "a text", year: "a year of the plan", texts: "a list of texts",
         figures: "a table of numbers", truth: "true or false",
         spells: "a list of pairs of budgets", named: "lists of texts by name",
         priced: "prices by limit", a_price: "a therapy with its price"}
MONEY = ("testing_cost", "treatment_cost")
HEALTH = ("qalys", "life_years", "deaths_averted", "dalys_averted", "patients_treated")
WHERE = {"region": text, "indication_id": text, "year": year}
READING = WHERE | {"biomarker_id": text, "base": text, "service": text}
PAID = dict.fromkeys(PAYERS, number)
LINE_NUMBERS = ("coverage", "attainable_coverage", "subgroup", "patients_tested", "positives_found", "prevalence",
                "prevalence_net", "qalys_potential", "patients_treated", "treated_blind", "incremental_cost", *MONEY)
PRICE = {"therapy": text, "price": number, "course_cost": number}
CHAIN = ("incident", "eligible", "worked_up", "adequate", "in_time", "positive", "accessible", "treated")
# A dict is an object with at least these keys, a list of one shape is a list of such entries.
SHAPE: dict[str, Any] = {
    "scenario": {}, "model_version": text, "base_year": year, "frontier_axis": text, "blind_spending": number,
    "evidence": {"version": text, "sha256": text}, "threshold": {"value": number},
    "solution": {
        "work_up": [WHERE | {"share": number, "bases": figures}],
        "results": [READING | {"share": number, "with_access": number}],
        "treated": [READING | {"therapy": text, "today": number, "bought": number}],
    },
    "totals": dict.fromkeys((*MONEY, "incremental_cost", "net_health", "patients_eligible", "patients_tested",
                             "tests_done", "positives_found", "treated_blind"), number)
    | {"patients_treated": number, "qalys": number, "cost_per_qaly": maybe(number), "cost_is_upper_bound": truth}
    | dict.fromkeys(("life_years", "deaths_averted", "dalys_averted"), maybe(number))
    | dict.fromkeys(("lines_funded", "biomarkers_funded", "indications_funded"), number)
    | {"cost_by_payer": PAID, "without_number": named},
    "reference": {"totals": maybe(lambda v: isinstance(v, dict) and number(v.get("testing_cost")))},
    "list": [
        {"region": text, "indication_id": text, "biomarker_id": text, "rank": year, "priority_tier": text,
         "funded": text, "gap": text, "gate": {"passed": truth, "level": maybe(number)}, "reason": {"code": text},
         "mandated": truth}
        | dict.fromkeys(LINE_NUMBERS, number) | {"qalys": maybe(number)}
        | dict.fromkeys(("cost_per_qaly", "cost_per_qaly_ceiling", "cost_per_qaly_where_it_pays", "entry_budget",
                         "coverage_today", "access_share"), maybe(number))
        | {"health": dict.fromkeys(HEALTH, maybe(number)), "treated_by_payer": PAID, "cost_by_payer": PAID,
           "services": [{"service": text, "share": number}], "therapies": [{"therapy": text, "treated": number}],
           "chain": dict.fromkeys(CHAIN, maybe(number)),
           "price_that_pays": maybe(a_price), "drugs": [{"drug": text, "share": number, "payers": figures}],
           "reaches": {"people": number, "of": number}, "earlier_spells": spells}],
    "by_biomarker": [{"biomarker_id": text, "qalys": maybe(number)} | dict.fromkeys(
        ("patients_tested", "positives_found", "patients_treated", "incremental_cost", "use_cases", "funded", "best_rank",
         *MONEY), number)],
    "by_test": [{"assay": text, "laboratory": text} | dict.fromkeys(
        ("samples", "cost", "minutes", "technician_minutes", "pathologist_minutes", "scientist_minutes", "board_minutes"),
        number)],
    "laboratory": [
        {"platform": text, "year": year, "decided": truth, "one_fewer": maybe(lambda v: isinstance(v, dict) and (
            "lost" in v) and maybe(number)(v["lost"]))}
        | dict.fromkeys(("instruments", "existing", "bought", "samples", "runs", "capacity", "utilisation"), number)
        | dict.fromkeys(("yearly_cost", "service_already_paid"), maybe(number))],
    "home_tests": [
        {"assay": text, "platforms": [{"platform": text, "samples": number, "runs": number}], "samples_per_run": maybe(number)}
        | dict.fromkeys(("runs_a_year", "samples", "runs", "marginal_cost", "average_cost", "wait_days"), number)],
    "staff": [{"cadre": text, "minutes": number, "full_time": number} | dict.fromkeys(("limit", "utilisation"), maybe(number))],
    "not_at_home": [{"assay": text}],
    "by_region": [{"region": text, "qalys": number, "patients_treated": number} | dict.fromkeys(MONEY, number)],
    "by_year": [{"year": year} | dict.fromkeys(MONEY, number)],
    "do_not_buy": [{"indication_id": text, "biomarker_id": text, "priority_tier": text}],
    "frontier": [{"budget": number, "value": number}], "shadow_prices": priced,
    "provenance": [{"parameter": text, "key": text, "value": number, "quality": text}],
}


@dataclass(frozen=True)
class PlanFile:
    """A plan file of the right shape: its document and its scenario."""

    document: dict
    scenario: Scenario


def read_plan(path: str | Path) -> PlanFile:
    """The plan in a file. Raises :class:`BadInput` with every fault: no file, too large, not JSON, numbers
    that are none, doubled or missing keys, another schema, a scenario that is none."""
    file = Path(path)
    label = file.name or str(file)
    document = _parsed(_content(file, label), label)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        said = faults.shown(document.get("schema")) if isinstance(document, dict) and "schema" in document else "missing"
        raise BadInput([Issue(label, f"it is no plan: its schema is {said}, not \"{SCHEMA}\"", REMEDY, "schema")])
    if "solution" not in document:
        raise BadInput([Issue(label, "the plan holds no decisions (`solution`), so nothing can be checked",
                              "plan the scenario again with this version", "missing")])
    issues = list(islice(misshapen(document, SHAPE, ""), MAX_FOUND))
    scenario = None
    if isinstance(document.get("scenario"), dict):
        scenario, wrong = _scenario(document["scenario"])
        issues += wrong
    if issues:
        more = [Issue(label, f"there are {len(issues) - MAX_TOLD} further faults", "", "more")] * (len(issues) > MAX_TOLD)
        raise BadInput([*issues[:MAX_TOLD], *more])
    return PlanFile(document, scenario)


def _content(file: Path, label: str) -> bytes:
    try:
        if not file.is_file():
            raise BadInput([Issue(label, "there is no such file", "check the path", "no_file")])
        if file.stat().st_size > MAX_BYTES:
            raise BadInput([Issue(label, f"the file is larger than {MAX_BYTES:,} bytes", REMEDY, "too_large")])
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise BadInput([Issue(label, f"it cannot be read ({error})", "check the path", "no_file")]) from error


def _parsed(content: bytes, label: str):
    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict:
        out: dict[str, Any] = {}
        for key, value in pairs:
            if key in out:
                doubled.append(key)
            out[key] = value
        return out

    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise BadInput([Issue(label, "the file is not UTF-8 text", REMEDY, "encoding")]) from error
    except RecursionError as error:
        raise BadInput([Issue(label, "it is nested too deeply", REMEDY, "syntax")]) from error
    except ValueError as error:  # json.JSONDecodeError, or an integer of thousands of digits
        raise BadInput([Issue(label, f"it is not JSON ({error})", REMEDY, "syntax")]) from error
    issues = [Issue(faults.shown(k), "the key stands twice in one table", "keep one", "set_twice") for k in doubled]
    issues += [Issue(where, "it is not a finite number", REMEDY, "not_finite") for where in _odd(document)]
    if issues:
        raise BadInput(issues[:MAX_TOLD])
    return document


def _odd(document) -> Iterator[str]:
    """Where NaN or an infinity stands, or nesting without end; no recursion, so that no file can exhaust it."""
    level: list[tuple[str, Any, int]] = [("", document, 0)]
    while level:
        at, value, depth = level.pop()
        if isinstance(value, float) and not math.isfinite(value):
            yield at
        elif isinstance(value, dict | list) and depth < MAX_DEPTH:
            inside = value.items() if isinstance(value, dict) else enumerate(value, 1)
            level += [(f"{at}.{k}" if at else str(k), v, depth + 1) for k, v in inside]
        elif isinstance(value, dict | list):
            yield f"{at} (nested too deeply)"


def misshapen(value, shape, at: str) -> Iterator[Issue]:
    """Every place where a document is not of a shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield Issue(at or "the plan", "it is not a table", REMEDY, "type")
            return
        for key, below in shape.items():
            where = f"{at}.{key}" if at else key
            if key in value:
                yield from misshapen(value[key], below, where)
            else:
                yield Issue(where, "it is missing", REMEDY, "missing")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield Issue(at, "it is not a list", REMEDY, "type")
            return
        for n, entry in enumerate(value, 1):
            yield from misshapen(entry, shape[0], f"{at} {n}")
    elif not shape(value):
        yield Issue(at, f"{faults.shown(value)} is not {WORDS.get(shape, 'what belongs there')}", REMEDY, "type")


def _scenario(data: dict) -> tuple[Scenario | None, list[Issue]]:
    known, issues = faults.unknown_keys(data)
    issues = [Issue(f"scenario.{i.where}", i.what, i.remedy, i.code) for i in issues]
    try:
        return Scenario.model_validate_json(json.dumps(known), strict=True), issues
    except ValueError as error:  # pydantic's own error is one, and says what is wrong
        told = faults.translate(error.errors(include_url=False), known, faults.dotted) if hasattr(error, "errors") else \
            [Issue("", str(error), REMEDY, "type")]
        return None, issues + [Issue(f"scenario.{i.where}", i.what, i.remedy, i.code) for i in told]
