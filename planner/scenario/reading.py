"""Reading scenario files: find, parse, inherit, check.

All faults of a file are told at once as :class:`BadInput`, each with its key; a traceback is never
the answer to a file.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner.errors import BadInput, Issue
from planner.scenario import faults
from planner.scenario.model import Scenario

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
ROOT = "defaults"
OWN = ("name", "description", "parent")  # belong to one file and are never inherited
UNLIMITED = "unlimited"
SHEET = "sheet cases"  # how a fault names the workbook's sheet
LIMITS = {("budget", "testing"), ("budget", "treatment"), ("budget", "total"), ("coverage", "ramp_per_year"),
          ("laboratory", "technician_minutes"), ("laboratory", "pathologist_minutes"),
          ("laboratory", "scientist_minutes"), ("laboratory", "board_minutes")}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@dataclass(frozen=True)
class Layer:
    """One file's difference: its label for messages, its data, the file where there is one."""

    label: str
    data: Mapping[str, Any]
    file: Path | None = None


# -- find and read -----------------------------------------------------------------------------------

@cache
def shipped_folder() -> Path:
    """``planner/_scenarios`` of a wheel, ``scenarios`` of a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_scenarios", package.parent / "scenarios"):
        if (folder / f"{ROOT}.toml").is_file():
            return folder
    raise BadInput([Issue("scenarios", "the shipped scenarios are not found", "install the planner anew",
                          "no_file")])


def shipped() -> dict[str, Path]:
    """Name -> file of the scenarios that come with the planner, without the root, sorted."""
    return {p.stem: p for p in sorted(shipped_folder().glob("*.toml")) if p.stem != ROOT}


def find(path_or_name: str | Path) -> Path:
    text = str(path_or_name)
    is_path = isinstance(path_or_name, Path) or text.endswith(".toml") or "/" in text or "\\" in text
    if not is_path and NAME.fullmatch(text):
        file = shipped_folder() / f"{text}.toml"
        if file.is_file():
            return file
        raise BadInput([Issue(text, "there is no shipped scenario of this name",
                              faults.nearest(text, shipped()), "no_file")])
    return Path(text)


def read(file: Path) -> Layer:
    def fault(what: str, remedy: str, code: str) -> BadInput:
        return BadInput([Issue(file.name or str(file), what, remedy, code)])

    try:
        if not file.is_file():
            raise fault("there is no such file", "check the path, or give the name of a shipped scenario: "
                        + ", ".join(shipped()), "no_file")
        if file.stat().st_size > MAX_BYTES:
            raise fault(f"the file is larger than {MAX_BYTES:,} bytes", "a scenario is a small text file",
                        "too_large")
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        raise fault(f"it cannot be read ({error})", "check the path", "no_file") from error
    if b"\0" in content:
        raise fault("the file is binary, not text", "save the scenario as text in UTF-8", "binary")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise fault(f"line {line} is not UTF-8 text", "save the file as UTF-8", "encoding") from error
    return Layer(file.name, parse(text, file.name).data, file)


def parse(text: str, label: str) -> Layer:
    try:
        data = tomllib.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        raise BadInput([_syntax(str(error), label)]) from error
    if _too_deep(data):
        raise BadInput([Issue(label, "tables are nested too deeply", "a scenario needs four levels at most", "syntax")])
    if not data:
        raise BadInput([Issue(label, "the file sets nothing", 'start with name = "..." and '
                              'setting = {country = "KEN"}', "empty")])
    return Layer(label, data)


def _too_deep(data) -> bool:
    """Checked without recursion, so that no file exhausts the stack further on."""
    level: list = [data]
    for _ in range(MAX_DEPTH):
        level = [v for x in level if isinstance(x, Mapping | list)
                 for v in (x.values() if isinstance(x, Mapping) else x)]
    return bool(level)


def _syntax(message: str, label: str) -> Issue:
    """A fault of the file as such; TOML's own words with the line."""
    message = message if len(message) <= 200 else f"{message[:197]}..."
    if re.match(r"Cannot (overwrite|declare|mutate)", message) or "already" in message:
        return Issue(label, f"the same thing is set twice: {message}", "keep one of the two", "set_twice")
    return Issue(label, f"this is not valid TOML: {message}", "check quotes, brackets and commas there", "syntax")


# -- inherit -------------------------------------------------------------------------------------------

def resolve(layer: Layer, changes: Mapping[str, Any] | None, cases: Mapping[str, float] | None = None) -> Scenario:
    """``cases``: a hospital's, from its workbook; they go before the files' and after ``changes``, and do not
    concern a scenario without a hospital."""
    layers = [*_ancestors(layer), layer]
    if changes:
        layers.append(Layer("command line", changes))
    merged = _Merged(asked={layer.label, "command line"})
    for each in layers:
        merged.add(each)
    if cases and _names_hospital(merged.data):
        stated = (changes or {}).get("cases")
        stated = stated if isinstance(stated, Mapping) else {}
        merged.add(Layer(SHEET, {"cases": {k: v for k, v in cases.items() if k not in stated}}))
    data = merged.data | {k: layer.data[k] for k in OWN if k in layer.data}
    data.setdefault("name", layer.label.removesuffix(".toml"))
    if layer.file is None or layer.file.stem != ROOT:
        data.setdefault("parent", ROOT)
    return _validated(data, merged)


def _names_hospital(data: Mapping) -> bool:
    setting = data.get("setting")
    return isinstance(setting, Mapping) and bool(setting.get("hospital"))


def _ancestors(layer: Layer) -> list[Layer]:
    """Parents, the root first. A file without ``parent`` descends from the root."""
    chain, seen = [], {_identity(layer)}
    here = layer
    while (name := _parent_name(here)) is not None:
        here = _parent(name, here, seen)
        seen.add(_identity(here))
        chain.append(here)
    return chain[::-1]


def _identity(layer: Layer) -> object:
    return layer.file.resolve() if layer.file else layer.label


def _parent_name(layer: Layer) -> str | None:
    name = layer.data.get("parent")
    if name is None:
        return None if layer.label == f"{ROOT}.toml" else ROOT
    if isinstance(name, str) and NAME.fullmatch(name):
        return name
    raise BadInput([Issue(f"{layer.label}, parent", f"{faults.shown(name)} is not a scenario's name",
                          'give the name alone, without folder and ending: parent = "kenya"', "parent")])


def _parent(name: str, child: Layer, seen: set) -> Layer:
    """The parent beside the file, else the shipped one; a file is never its own parent."""
    folders = ([child.file.parent] if child.file else []) + [shipped_folder()]
    found = [f for f in (folder / f"{name}.toml" for folder in folders) if f.is_file()]
    others = [f for f in found if child.file is None or f.resolve() != child.file.resolve()]
    if not found:
        raise BadInput([Issue(f"{child.label}, parent", f"there is no scenario `{name}`",
                              faults.nearest(name, [*shipped(), ROOT]), "parent")])
    if not others or others[0].resolve() in seen:
        raise BadInput([Issue(f"{child.label}, parent", f"`{name}` descends from this scenario itself",
                              f'give another parent, such as parent = "{ROOT}"', "circular")])
    return read(others[0])


class _Merged:
    """Layers laid over one another; knows which file each value is from, and gathers faults."""

    def __init__(self, asked: set[str]):
        self.data: dict[str, Any] = {}
        self.issues: list[Issue] = []
        self._origin: dict[tuple, str] = {}
        self._asked = asked

    def add(self, layer: Layer) -> None:
        data, issues = faults.unknown_keys(layer.data)
        issues += [Issue(faults.dotted(at), f"{faults.shown(str(v))} is a date or time", "a scenario has none",
                         "type") for at, v in faults.odd_values(data)]
        issues += _same_override(data)
        self.issues += [self._placed(i, layer.label) for i in issues]
        own = {k: v for k, v in data.items() if k not in OWN}
        _replace_setting(self.data, own)
        self._merge(self.data, own, (), layer.label)

    def _placed(self, issue: Issue, label: str) -> Issue:
        where = issue.where if label in self._asked else f"{label}, {issue.where}"
        return Issue(where, issue.what, issue.remedy, issue.code)

    def _merge(self, base: dict, over: Mapping, at: tuple, label: str) -> None:
        for key, value in over.items():
            path = (*at, key)
            self._origin[path] = label
            if isinstance(value, Mapping) and isinstance(base.get(key), dict):
                self._merge(base[key], value, path, label)
            elif path == ("override",) and isinstance(value, list):
                base[key] = _overrides(base.get(key), value)
            elif value == UNLIMITED and path in LIMITS:
                base[key] = None
            elif isinstance(value, Mapping):
                base[key] = {}
                self._merge(base[key], value, path, label)
            else:
                base[key] = value

    def place(self, path: tuple) -> str:
        """Where the reader finds a value: its key in dots, with the file where it is a parent's."""
        words = faults.dotted(path)
        if path[:1] == ("override",) and len(path) > 1:
            words = faults.dotted((f"override {path[1] + 1}", *path[2:]))
        while path and path not in self._origin:
            path = path[:-1]
        label = self._origin.get(path)
        return words if label is None or label in self._asked else f"{label}, {words}"


def _replace_setting(base: dict, over: Mapping) -> None:
    """Another country is another setting; `region` and `regions` exclude each other."""
    setting, old = over.get("setting"), base.get("setting")
    if not isinstance(setting, Mapping) or not isinstance(old, dict):
        return
    if "country" in setting:
        del base["setting"]
    for one, other in (("region", "regions"), ("regions", "region")):
        if one in setting and other not in setting:
            old.pop(other, None)


def override_id(entry) -> object:
    """What an override sets, as far as it is well formed; a malformed one equals none."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), Mapping):
        return object()
    return json.dumps([entry.get("table"), entry["key"], entry.get("column")], sort_keys=True, default=str)


def _same_override(data: Mapping) -> list[Issue]:
    entries = data.get("override")
    if not isinstance(entries, list):
        return []
    ids = [override_id(e) for e in entries]
    return [Issue(f"override {n + 1}", f"it sets the same number as override {ids.index(one) + 1}: "
                  f"{entries[n].get('table')}.{entries[n].get('column')}", "keep one of the two", "set_twice")
            for n, one in enumerate(ids) if ids.index(one) < n]


def _overrides(base, over: list) -> list:
    if not isinstance(base, list):
        return list(over)
    replaced = {i for e in over if isinstance(i := override_id(e), str)}
    return [e for e in base if override_id(e) not in replaced] + over


def _validated(data: dict, merged: _Merged) -> Scenario:
    issues = list(merged.issues)
    try:
        # As strict JSON: a number in quotes or `true` for 1 is a slip, not a number.
        scenario = Scenario.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        found = faults.translate(error.errors(include_url=False), data, merged.place)
        issues += [i for i in found if not _follows(i, merged.issues)]
        scenario = None
    if issues:
        raise BadInput(issues)
    return scenario


def _follows(issue: Issue, told: list[Issue]) -> bool:
    """Whether a fault only follows from one that is told: the same place, what a table lacks after an
    unknown key in it, a doubled override."""
    table = issue.where.rpartition(".")[0] if issue.code == "missing" else issue.where
    return any(
        t.where == issue.where or (table and t.where.startswith(f"{table}."))
        or (t.code == "set_twice" and issue.where == "override") for t in told
    )
