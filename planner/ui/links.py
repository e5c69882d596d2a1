"""Scenario to address and back: short parameters, wrong ones told and left out. No streamlit here.

Overrides, a hospital and its cases, uploads and anything a planner typed as text never go into an address.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from planner import MODEL_VERSION
from planner.errors import BadInput
from planner.evidence.base import Evidence
from planner.scenario.model import Objective, Scenario, placed
from planner.scenario.scenario import difference, dumps, load, loads, shipped
from planner.ui.words import ended

MADE_WITH = re.compile(r"^# evidence (\S+), sha256 ([0-9a-f]{64})\s*$", re.MULTILINE)
SHORT = 8  # of the digest's 64 digits, in an address
AXES = ("testing", "treatment", "total")
VIEWS = ("use_case", "biomarker", "test")
LONGEST = 2000
# What an address can say beside place and budgets: (section, key) -> parameter
PLAIN = {("evidence_gate", "level"): "gate", ("evidence_gate", "value_gate"): "value_gate",
         ("frontier", "axis"): "axis", ("objective", None): "objective", ("laboratory", "costing"): "costing"}
LISTS = {("policy", "must_fund"): "must", ("policy", "exclude"): "exclude"}


def write(scenario: Scenario) -> dict[str, str] | None:
    """Parameters of a scenario; None where an address cannot hold all of it."""
    data = _without_names(difference(scenario))
    if "cases" in data or "hospital" in data.get("setting", {}):
        return None
    # a shipped example's hospital comes with its name, as its cases do
    setting = data.pop("setting", None) or {k: v for k, v in scenario.setting.model_dump().items() if v and k != "hospital"}
    out = {k: str(v) for k, v in setting.items()}
    if scenario.parent not in (None, "defaults"):
        out["scenario"] = scenario.parent
    for axis in AXES:
        if axis in data.get("budget", {}):
            value = data["budget"].pop(axis)
            amounts = value if isinstance(value, list) else [value]
            out[axis] = value if value == "unlimited" else ",".join(map(_digits, amounts))
    for (section, key), name in PLAIN.items():
        found = data.pop(section, None) if key is None else data.get(section, {}).pop(key, None)
        if found is not None:
            out[name] = str(found).lower() if isinstance(found, bool) else str(found)
    for (section, key), name in LISTS.items():
        found = data.get(section, {}).pop(key, None)
        if found is not None:
            out[name] = ",".join(found)
    drugs = data.get("access", {}).pop("drugs", {})
    if drugs and all(isinstance(v, int | float) for v in drugs.values()):
        out["access"] = ",".join(f"{d}:{_digits(v)}" for d, v in sorted(drugs.items()))
        drugs = {}
    left = drugs or any(v for v in data.values())
    return None if left or sum(map(len, out.values())) > LONGEST else out


def saved(scenario: Scenario, evidence: Evidence) -> str:
    """The scenario's file, with the evidence that it was planned on."""
    return (f"# Saved from the Essential Biomarker Planner, model {MODEL_VERSION}\n"
            f"# evidence {evidence.version}, sha256 {evidence.digest}\n\n{dumps(scenario)}")


def other_evidence(digest: str | None, evidence: Evidence) -> list[str]:
    """A word where a link or a file was made on other evidence than this app's. ``digest``: whole or its beginning."""
    if not digest or evidence.digest.startswith(digest):
        return []
    return [f"This was made on other evidence ({_quoted(digest[:SHORT])}) than this app has ({evidence.version}, "
            f"{evidence.digest[:SHORT]}): numbers may differ."]


def _digits(amount: float) -> str:
    """An amount in full, whole dollars without a point."""
    return str(int(amount)) if float(amount).is_integer() else repr(float(amount))


def _without_names(data: dict[str, Any]) -> dict[str, Any]:
    return {k: dict(v) if isinstance(v, Mapping) else v
            for k, v in data.items() if k not in ("name", "description", "parent")}


def read(params: Mapping[str, str], evidence: Evidence) -> tuple[Scenario | None, list[str]]:
    """The scenario of an address, and a word for each parameter that was left out."""
    words: list[str] = []
    setting = _setting(params, evidence, words)
    if setting is None:
        return None, words
    changes = _changes(params, evidence, words)
    parent = params.get("scenario", "defaults")
    told = False
    for each, its_parent in _ever_less(changes, parent):
        try:
            mine = setting | _hospital_of(its_parent, setting)
            return build(mine, each, place_name(evidence, mine), its_parent), words
        except BadInput as error:
            if not told:
                words += [f"A part of the link was left out: {_quoted(i.where)}: {ended(i.what)}" for i in error.issues]
            told = True
    return None, words


def _ever_less(changes: dict, parent: str) -> Iterator[tuple[dict, str]]:
    """The link's changes, then without one part of them, then without its parent, then without any."""
    yield changes, parent
    for name in changes:
        yield {k: v for k, v in changes.items() if k != name}, parent
    if parent != "defaults":
        yield changes, "defaults"
    yield {}, parent
    yield {}, "defaults"


def _hospital_of(parent: str, setting: Mapping) -> dict[str, str]:
    """The hospital of a shipped example of this very place: an address holds none of one's own."""
    if parent not in shipped():
        return {}
    its = load(parent).setting
    same = (its.country, its.region, its.regions) == tuple(setting.get(k) for k in ("country", "region", "regions"))
    return {"hospital": its.hospital} if same and its.hospital else {}


def build(setting: Mapping, changes: Mapping, name: str, parent: str = "defaults") -> Scenario:
    """A scenario of a place with a difference from its parent."""
    return loads(f'parent = "{parent}"' if parent.replace("_", "").replace("-", "").isalnum() else 'parent = ""',
                 "this view", {**changes, "setting": dict(setting)}).model_copy(update={"name": name})


def place_name(evidence: Evidence, setting: Mapping) -> str:
    country = evidence.record("countries", iso3=setting["country"]).get("name", setting["country"])
    region = setting.get("region")
    found = evidence.record("regions", iso3=setting["country"], region=region) if region else {}
    return placed(f"{found.get('name', region)}, {country}" if region else country, setting.get("hospital"))


def _setting(params, evidence: Evidence, words: list[str]) -> dict | None:
    country = params.get("country")
    if country is None:
        return None
    row = evidence.record("countries", iso3=country.upper())
    if not row.get("in_globocan"):
        words.append(f"The link names no known country ({_quoted(country)}); choose one on the left.")
        return None
    setting = {"country": row["iso3"]}
    region = params.get("region")
    if region and evidence.matches("regions", iso3=row["iso3"], region=region.upper()):
        setting["region"] = region.upper()
    elif region:
        words.append(f"The region {_quoted(region)} is not known in {row['name']}; the whole country is shown.")
    if params.get("regions") == "all" and "region" not in setting:
        setting["regions"] = "all"
    return setting


def _changes(params, evidence: Evidence, words: list[str]) -> dict:
    out: dict[str, Any] = {"budget": {}, "policy": {}, "evidence_gate": {}, "access": {}, "frontier": {},
                           "laboratory": {}}
    for axis in AXES:
        if axis in params and params[axis] != "unlimited":
            amount = _amount(params[axis])
            if amount is None:
                words.append(f"The {axis} budget of the link, {_quoted(params[axis])}, is not an amount of money.")
            else:
                out["budget"][axis] = amount
        elif axis in params:
            out["budget"][axis] = "unlimited"
    _choice(params, "objective", get_args(Objective), out, words)
    _choice(params, "axis", AXES, out["frontier"], words)
    _choice(params, "costing", ("tariff", "micro"), out["laboratory"], words)
    _choice(params, "gate", ("1", "2", "3", "4"), out["evidence_gate"], words, "level", int)
    _choice(params, "value_gate", ("true", "false"), out["evidence_gate"], words, convert=lambda v: v == "true")
    for name, key in (("must", "must_fund"), ("exclude", "exclude")):
        wanted = [x for x in params.get(name, "").split(",") if x]
        known = [x for x in wanted if x.count("/") == 1 and evidence.matches(
            "use_cases", indication_id=x.split("/")[0], biomarker_id=x.split("/")[1])]
        words += [f"The link names an unknown line, {_quoted(x)}." for x in wanted if x not in known]
        if known or (name in params and not wanted):
            out["policy"][key] = known
    both = sorted(set(out["policy"].get("must_fund", ())) & set(out["policy"].get("exclude", ())))
    for line in both:
        words.append(f"The link names {_quoted(line)} both as a must and as left out; it is taken as neither.")
        for key in out["policy"]:
            out["policy"][key] = [x for x in out["policy"][key] if x != line]
    if both:
        out["policy"] = {k: v for k, v in out["policy"].items() if v}
    drugs = _drugs(params.get("access", ""), evidence, words)
    if drugs:
        out["access"]["drugs"] = drugs
    return {k: v for k, v in out.items() if v}


def _choice(params, name, allowed, into, words, key=None, convert=str) -> None:
    if name not in params:
        return
    if params[name] in allowed:
        into[key or name] = convert(params[name])
    else:
        words.append(f"The link's {name.replace('_', ' ')} {_quoted(params[name])} is not known.")


def _drugs(text: str, evidence: Evidence, words: list[str]) -> dict[str, float]:
    out = {}
    for part in filter(None, text.split(",")):
        drug, _, share = part.partition(":")
        value = _amount(share)
        if not isinstance(value, float) or value > 1 or not evidence.matches("drugs", drug=drug):
            words.append(f"The link's drug access {_quoted(part)} is not understood.")
        else:
            out[drug] = value
    return out


def _amount(text: str):
    """An amount, a list of yearly amounts, or None."""
    try:
        values = [float(x) for x in text.split(",")]
    except ValueError:
        return None
    if not all(math.isfinite(v) and 0 <= v < 1e15 for v in values):
        return None
    return values[0] if len(values) == 1 else values


def _quoted(text: str) -> str:
    """Someone else's text, short and without Markdown."""
    plain = "".join(c for c in text[:40] if c.isalnum() or c in " .,-_:/+")
    return f"“{plain}”"
