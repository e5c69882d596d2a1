"""Scenario files: read, inherit, check, save.

A scenario is a difference from its parent. Lists replace the parent's, tables merge, overrides merge
by what they set, ``"unlimited"`` lifts a limit. All faults of a file are told at once as
:class:`BadInput`, each with its key; a traceback is never the answer to a file.
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
ROOT = "defaults"
OWN = ("name", "description", "parent")  # belong to one file and are never inherited
UNLIMITED = "unlimited"
LIMITS = {("budget", "testing"), ("budget", "treatment"), ("budget", "total"), ("coverage", "ramp_per_year"),
          ("laboratory", "technician_minutes"), ("laboratory", "pathologist_minutes")}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@dataclass(frozen=True)
class Layer:
    """One file's difference: its label for messages, its data, the file where there is one."""

    label: str
    data: Mapping[str, Any]
    file: Path | None = None


# -- public ----------------------------------------------------------------------------------------

def load(path_or_name: str | Path, changes: Mapping[str, Any] | None = None) -> Scenario:
    """A scenario with all that it inherits, from a file or by the name of a shipped one.

    ``changes``: a further difference laid over it, nested as in the file. Raises :class:`BadInput`
    with every fault.
    """
    return _resolve(_read(_find(path_or_name)), changes)


def loads(text: str, name: str = "scenario", changes: Mapping[str, Any] | None = None,
          folder: Path | None = None) -> Scenario:
    """A scenario from the text of a file; parents are sought in ``folder``, then among the shipped."""
    layer = _parse(text, f"{name}.toml")
    return _resolve(Layer(layer.label, layer.data, folder / f"{name}.toml" if folder else None), changes)


def shipped() -> dict[str, Path]:
    """Name -> file of the scenarios that come with the planner, without the root, sorted."""
    return {p.stem: p for p in sorted(_shipped_folder().glob("*.toml")) if p.stem != ROOT}


def dumps(scenario: Scenario | Mapping[str, Any]) -> str:
    """TOML text of a difference; of a whole scenario the difference from its parent.

    ``loads(dumps(s)) == s``; where the parent cannot express it (a key taken away) the difference
    is written against the root.
    """
    import tomlkit

    data = difference(scenario) if isinstance(scenario, Scenario) else scenario
    document = tomlkit.document()
    for key in [k for k in faults.KNOWN if k in data] + [k for k in data if k not in faults.KNOWN]:
        document[key] = _toml(data[key], inline=key == "setting")
    return tomlkit.dumps(document)


def save(scenario: Scenario | Mapping[str, Any], path: str | Path) -> None:
    """Write a difference to a scenario file (UTF-8). Raises BadInput where it cannot be written."""
    try:
        Path(path).write_text(dumps(scenario), encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput([Issue(str(path), f"it cannot be written ({error.strerror})",
                              "choose another place", "no_file")]) from error


def difference(scenario: Scenario, parent: Scenario | None = None) -> dict[str, Any]:
    """What sets a scenario apart from its parent, nested as in the file.

    Without ``parent`` the named one is loaded; a parent that is not a whole scenario (the root) is
    completed with this scenario's setting.
    """
    name = scenario.parent or ROOT
    base = parent or _completed(name, scenario)
    out = _differ(_plain(scenario), _plain(base)) if base is not None else None
    if out is not None and (parent is not None or _same(out | {"parent": name}, scenario)):
        return _headed(out, scenario, name)
    root = _completed(ROOT, scenario)
    return _headed(_differ(_plain(scenario), _plain(root)) or {}, scenario, ROOT)


# -- find and read -----------------------------------------------------------------------------------

@cache
def _shipped_folder() -> Path:
    """``planner/_scenarios`` of a wheel, ``scenarios`` of a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_scenarios", package.parent / "scenarios"):
        if (folder / f"{ROOT}.toml").is_file():
            return folder
    raise BadInput([Issue("scenarios", "the shipped scenarios are not found", "install the planner anew",
                          "no_file")])


def _find(path_or_name: str | Path) -> Path:
    text = str(path_or_name)
    is_path = isinstance(path_or_name, Path) or text.endswith(".toml") or "/" in text or "\\" in text
    if not is_path and NAME.fullmatch(text):
        file = _shipped_folder() / f"{text}.toml"
        if file.is_file():
            return file
        raise BadInput([Issue(text, "there is no shipped scenario of this name",
                              faults.nearest(text, shipped()), "no_file")])
    return Path(text)


def _read(file: Path) -> Layer:
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
    return Layer(file.name, _parse(text, file.name).data, file)


def _parse(text: str, label: str) -> Layer:
    try:
        data = tomllib.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        raise BadInput([_syntax(str(error), label)]) from error
    if not data:
        raise BadInput([Issue(label, "the file sets nothing", 'start with name = "..." and '
                              'setting = {country = "KEN"}', "empty")])
    return Layer(label, data)


def _syntax(message: str, label: str) -> Issue:
    """A fault of the file as such; TOML's own words with the line."""
    message = message if len(message) <= 200 else f"{message[:197]}..."
    if re.match(r"Cannot (overwrite|declare|mutate)", message) or "already" in message:
        return Issue(label, f"the same thing is set twice: {message}", "keep one of the two", "set_twice")
    return Issue(label, f"this is not valid TOML: {message}", "check quotes, brackets and commas there", "syntax")


# -- inherit -------------------------------------------------------------------------------------------

def _resolve(layer: Layer, changes: Mapping[str, Any] | None) -> Scenario:
    layers = [*_ancestors(layer), layer]
    if changes:
        layers.append(Layer("command line", changes))
    merged = _Merged(asked={layer.label, "command line"})
    for each in layers:
        merged.add(each)
    data = merged.data | {k: layer.data[k] for k in OWN if k in layer.data}
    data.setdefault("name", layer.label.removesuffix(".toml"))
    if layer.file is None or layer.file.stem != ROOT:
        data.setdefault("parent", ROOT)
    return _validated(data, merged)


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
    folders = ([child.file.parent] if child.file else []) + [_shipped_folder()]
    found = [f for f in (folder / f"{name}.toml" for folder in folders) if f.is_file()]
    others = [f for f in found if child.file is None or f.resolve() != child.file.resolve()]
    if not found:
        raise BadInput([Issue(f"{child.label}, parent", f"there is no scenario `{name}`",
                              faults.nearest(name, [*shipped(), ROOT]), "parent")])
    if not others or others[0].resolve() in seen:
        raise BadInput([Issue(f"{child.label}, parent", f"`{name}` descends from this scenario itself",
                              f'give another parent, such as parent = "{ROOT}"', "circular")])
    return _read(others[0])


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


def _override_id(entry) -> object:
    """What an override sets, as far as it is well formed; a malformed one equals none."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), Mapping):
        return object()
    return json.dumps([entry.get("table"), entry["key"], entry.get("column")], sort_keys=True, default=str)


def _same_override(data: Mapping) -> list[Issue]:
    entries = data.get("override")
    if not isinstance(entries, list):
        return []
    ids = [_override_id(e) for e in entries]
    return [Issue(f"override {n + 1}", f"it sets the same number as override {ids.index(one) + 1}: "
                  f"{entries[n].get('table')}.{entries[n].get('column')}", "keep one of the two", "set_twice")
            for n, one in enumerate(ids) if ids.index(one) < n]


def _overrides(base, over: list) -> list:
    if not isinstance(base, list):
        return list(over)
    replaced = {i for e in over if isinstance(i := _override_id(e), str)}
    return [e for e in base if _override_id(e) not in replaced] + over


def _validated(data: dict, merged: _Merged) -> Scenario:
    issues = list(merged.issues)
    try:
        # As strict JSON: a number in quotes or `true` for 1 is a slip, not a number.
        scenario = Scenario.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        told = {i.where for i in issues}
        found = faults.translate(error.errors(include_url=False), data, merged.place)
        issues += [i for i in found if i.where not in told and not _below_told(i.where, told)]
        scenario = None
    if issues:
        raise BadInput(issues)
    return scenario


def _below_told(where: str, told: set[str]) -> bool:
    """Whether an unknown key inside this table was told: what the table then lacks follows from it."""
    return any(t.startswith(f"{where}.") for t in told)


# -- difference ------------------------------------------------------------------------------------------

def _plain(scenario: Scenario) -> dict[str, Any]:
    return {k: v for k, v in scenario.model_dump(mode="json").items() if k not in OWN}


def _completed(name: str, scenario: Scenario) -> Scenario | None:
    """The parent as a whole scenario; None where it is not found among the shipped."""
    try:
        if name == ROOT:
            return loads(f'parent = "{ROOT}"', changes={"setting": _kept(_plain(scenario)["setting"])})
        return load(name)
    except BadInput:
        return None


def _kept(value):
    """Without the keys that hold nothing: TOML has no null."""
    if isinstance(value, dict):
        return {k: _kept(v) for k, v in value.items() if v is not None}
    return [_kept(v) for v in value] if isinstance(value, list) else value


def _differ(mine: dict, theirs: dict, at: tuple = ()) -> dict | None:
    """Nested difference; None where it takes away what only ``theirs`` has."""
    out = {}
    for key, value in mine.items():
        path, other = (*at, key), theirs.get(key)
        if value == other:
            continue
        if path == ("override",):
            gone = {_override_id(o) for o in other} - {_override_id(v) for v in value}
            if gone:
                return None
            out[key] = [_kept(v) for v in value if v not in other]
        elif isinstance(value, dict) and isinstance(other, dict) and path != ("setting",):
            inner = _differ(value, other, path)
            if inner is None:
                return None
            out[key] = inner
        elif value is None:
            if path not in LIMITS:
                return None
            out[key] = UNLIMITED
        else:
            out[key] = _kept(value)
    return None if set(theirs) - set(mine) else out


def _headed(data: dict, scenario: Scenario, parent: str) -> dict:
    words = {"description": scenario.description} if scenario.description else {}
    setting = {"setting": _kept(_plain(scenario)["setting"])} if parent == ROOT else {}
    return {"name": scenario.name, **words, "parent": parent, **setting, **data}


def _same(data: Mapping, scenario: Scenario) -> bool:
    try:
        return _plain(loads('name = "x"', changes=None, name="x") if not data else
                      _resolve(Layer("x.toml", _headed(dict(data), scenario, data["parent"])), None)) \
            == _plain(scenario)
    except BadInput:
        return False


def _toml(value, inline: bool = False):
    """A value for tomlkit: short tables inline, overrides as an array of tables."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table() if inline else tomlkit.table()
        for k, v in value.items():
            table[k] = _toml(v, inline=inline or not isinstance(v, Mapping))
        return table
    if isinstance(value, list | tuple) and value and all(isinstance(v, Mapping) for v in value):
        rows = tomlkit.aot()
        for v in value:
            rows.append(_toml(v) if "key" not in v else _override_table(v))
        return rows
    return list(value) if isinstance(value, tuple) else value


def _override_table(entry: Mapping):
    import tomlkit

    table = tomlkit.table()
    for k, v in entry.items():
        table[k] = _toml(v, inline=True)
    return table
