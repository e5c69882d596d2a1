"""Scenario files: load and save.

A scenario is a difference from its parent. Lists replace the parent's, tables merge, overrides merge
by what they set, ``"unlimited"`` lifts a limit (see :mod:`planner.scenario.reading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.errors import BadInput, Issue
from planner.scenario import faults
from planner.scenario.model import Scenario
from planner.scenario.reading import (
    LIMITS,
    OWN,
    ROOT,
    UNLIMITED,
    Layer,
    find,
    override_id,
    parse,
    read,
    resolve,
    shipped,
)

__all__ = ["difference", "dumps", "load", "loads", "save", "shipped"]


def load(path_or_name: str | Path, changes: Mapping[str, Any] | None = None,
         cases: Mapping[str, float] | None = None) -> Scenario:
    """A scenario with all that it inherits, from a file or by the name of a shipped one.

    ``changes``: a further difference laid over it, nested as in the file. ``cases``: yearly cases of a
    workbook, laid over a hospital's before ``changes``. Raises :class:`BadInput` with every fault.
    """
    return resolve(read(find(path_or_name)), changes, cases)


def loads(text: str, name: str = "scenario", changes: Mapping[str, Any] | None = None,
          folder: Path | None = None) -> Scenario:
    """A scenario from the text of a file; parents are sought in ``folder``, then among the shipped."""
    layer = parse(text, f"{name}.toml")
    return resolve(Layer(layer.label, layer.data, folder / f"{name}.toml" if folder else None), changes)


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


def _plain(scenario: Scenario) -> dict[str, Any]:
    return {k: v for k, v in scenario.model_dump(mode="json").items() if k not in OWN}


def _completed(name: str, scenario: Scenario) -> Scenario | None:
    """The parent as a whole scenario; None where it is not found among the shipped."""
    try:
        if name == ROOT:
            # a hospital is none without its cases, which are the scenario's and not the root's
            setting = {k: v for k, v in _kept(_plain(scenario)["setting"]).items() if k != "hospital"}
            return loads(f'parent = "{ROOT}"', changes={"setting": setting})
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
            gone = {override_id(o) for o in other} - {override_id(v) for v in value}
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
    """Whether a difference from the named parent leads back to the scenario."""
    try:
        again = resolve(Layer("again.toml", _headed(dict(data), scenario, data["parent"])), None)
    except BadInput:
        return False
    return _plain(again) == _plain(scenario)


def _toml(value, depth: int = 0, inline: bool = False):
    """A value for tomlkit: two levels of tables, deeper ones inline, overrides as an array of tables."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table() if inline or depth > 1 else tomlkit.table()
        # a number after a sub-table would be read as the sub-table's
        for k in sorted(value, key=lambda k: isinstance(value[k], Mapping)):
            table[k] = _toml(value[k], depth + 1, inline)
        return table
    if isinstance(value, list | tuple) and value and all(isinstance(v, Mapping) for v in value):
        rows = tomlkit.aot()
        for v in value:
            rows.append(_toml(v, 1))
        return rows
    return list(value) if isinstance(value, tuple) else value
