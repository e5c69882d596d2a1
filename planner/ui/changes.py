"""What a planner changed, one removable item for each setting; and edits as new scenarios.

An edit works on the difference that the scenario file would hold, so that every edit is checked as
a file is. No streamlit here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from planner.evidence.base import Evidence
from planner.pathway.named import PARTS, check_names
from planner.scenario.model import Scenario
from planner.scenario.reading import override_id
from planner.scenario.scenario import difference, dumps, load, loads, shipped

Data = dict[str, Any]
SHOWN_ELSEWHERE = {("budget", "testing"), ("budget", "treatment"), ("budget", "total"), ("frontier", "axis")}


@dataclass(frozen=True)
class Change:
    """One difference: its place in the file, and the item of a list or table that it is."""

    path: tuple[str, ...]
    item: Any = None

    @property
    def key(self) -> str:
        return "/".join((*self.path, str(self.item)))


def edited(scenario: Scenario, edit: Callable[[Data], None]) -> Scenario:
    """The scenario after an edit of its file. Raises BadInput with every fault."""
    data = _plain(difference(scenario))
    data.setdefault("setting", {k: v for k, v in scenario.setting.model_dump().items() if v})
    edit(data)
    data = {k: v for k, v in data.items() if v not in ({}, []) or k in ("evaluate",)}
    return loads(dumps(data), scenario.name)


def _plain(value):
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def put(scenario: Scenario, path: tuple[str, ...], value) -> Scenario:
    """One setting set; None takes it back to the parent's."""
    return edited(scenario, lambda data: _put(data, path, value))


def _put(data: Data, path: tuple[str, ...], value) -> None:
    *parents, last = path
    for name in parents:
        data = data.setdefault(name, {})
    if value is None:
        data.pop(last, None)
    else:
        data[last] = value


def listed(scenario: Scenario, path: tuple[str, str], item: str, wanted: bool) -> Scenario:
    """An item put on, or taken off, a list such as policy.must_fund."""
    present = list(getattr(getattr(scenario, path[0]), path[1]))
    items = [x for x in present if x != item] + [item] * wanted
    return put(scenario, path, items)


def numbered(scenario: Scenario, own: Mapping[str, Any], evidence: Evidence) -> Scenario:
    """A number of the evidence replaced by an own one, which takes the place of an own one before it. Raises BadInput."""
    def edit(data: Data) -> None:
        present = list(data.get("override", ()))
        at = next((n for n, o in enumerate(present) if override_id(o) == override_id(own)), len(present))
        data["override"] = [*present[:at], dict(own), *present[at + 1:]]

    new = edited(scenario, edit)
    check_names(evidence, new)
    return new


def own_number(scenario: Scenario, table: str, column: str, key: Mapping[str, str]) -> Change | None:
    """The change that sets a number here, to be taken back; None where the scenario does not, or its parent does."""
    wanted = override_id({"table": table, "column": column, "key": dict(key)})
    found = (n for n, o in enumerate(difference(scenario).get("override", ())) if override_id(o) == wanted)
    return next((Change(("override",), n) for n in found), None)


def differences(scenario: Scenario) -> list[Change]:
    """What sets the scenario apart from its parent, besides place and budget amounts."""
    out: list[Change] = []
    for section, value in difference(scenario).items():
        if section in ("name", "description", "parent", "setting"):
            continue
        if section == "cases":
            out.append(Change(("cases",)))  # one item: they are stated together
        elif section == "override":
            out += [Change(("override",), n) for n, _ in enumerate(value)]
        elif isinstance(value, Mapping):
            out += [c for key, inner in value.items() for c in _leaves((section, key), inner)]
        else:
            out.append(Change((section,)))
    return [c for c in out if c.path not in SHOWN_ELSEWHERE]


def _leaves(path: tuple[str, str], value) -> list[Change]:
    if isinstance(value, Mapping):
        return [Change(path, item) for item in value]
    if isinstance(value, list | tuple) and value:
        return [Change(path, item) for item in value]
    return [Change(path)]


def without(scenario: Scenario, change: Change) -> Scenario:
    """The scenario with one change taken back."""
    if change.path == ("cases",):
        return edited(scenario, lambda data: _without_cases(data, scenario))
    return edited(scenario, lambda data: _without(data, change))


def _without_cases(data: Data, scenario: Scenario) -> None:
    """The parent's cases; where it is no hospital, the place as a whole again."""
    data.pop("cases")
    if not (scenario.parent in shipped() and load(scenario.parent).setting.hospital):
        data["setting"] = {k: v for k, v in data["setting"].items() if k != "hospital"}
        _without_parts(data)


def costed(scenario: Scenario, by_parts: bool) -> Scenario:
    """The laboratory costed by its parts, or at tariffs; what bears on its parts only goes with them."""
    def edit(data: Data) -> None:
        if by_parts:
            data.setdefault("laboratory", {})["costing"] = "micro"
        else:
            _without_parts(data)
            data.setdefault("laboratory", {})["costing"] = "tariff"

    return edited(scenario, edit)


def _without_parts(data: Data) -> None:
    for name in ("costing", "tier", "instruments", "minimum_volume"):
        data.get("laboratory", {}).pop(name, None)
    data["override"] = [o for o in data.get("override", ()) if o["table"] not in PARTS]


def hospital(scenario: Scenario, name: str, cases: Mapping[str, float]) -> Scenario:
    """A hospital in the scenario's place, with its own cases, its laboratory costed by its parts. The place's money
    is not the hospital's: its limits are lifted."""
    def edit(data: Data) -> None:
        data["setting"] = {k: v for k, v in data["setting"].items() if k != "regions"} | {"hospital": name}
        data["cases"] = {k: float(v) for k, v in cases.items()}
        data.setdefault("laboratory", {})["costing"] = "micro"
        if not scenario.setting.hospital:
            limits = [a for a in ("testing", "treatment", "total") if getattr(scenario.budget, a) is not None]
            data.setdefault("budget", {}).update(dict.fromkeys(limits, "unlimited"))

    return edited(scenario, edit)


def laboratory(scenario: Scenario, cases: Mapping[str, float], settings: Mapping[str, Any], testing: float | None) -> Scenario:
    """A hospital's form taken over: cases, settings of the laboratory (None: the parent's), money for tests."""
    def edit(data: Data) -> None:
        stated = {k: float(v) for k, v in cases.items() if v}
        data["cases"] = stated | dict.fromkeys(scenario.cases.keys() - stated.keys(), 0.0)
        lab = data.setdefault("laboratory", {})
        lab["costing"] = "micro"
        for key, value in settings.items():
            if value in (None, {}):
                lab.pop(key, None)
            else:
                lab[key] = value
        data.setdefault("budget", {})["testing"] = "unlimited" if testing is None else float(testing)

    return edited(scenario, edit)


def _without(data: Data, change: Change) -> None:
    *parents, last = change.path
    for name in parents:
        data = data[name]
    value = data[last]
    if change.item is None:
        del data[last]
    elif isinstance(value, dict) or change.path == ("override",):
        del value[change.item]
    else:
        value.remove(change.item)
    if data.get(last) in ({}, []):
        del data[last]
