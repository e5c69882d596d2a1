"""What the commands share: the scenario and evidence that their arguments name, numbers in range, files to write."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import planner
from planner.errors import BadInput, Issue

AXES = ("testing", "treatment", "total")
KINDS = (".json", ".xlsx", ".csv")
PAPERS = (".docx", ".html")  # documents for a reader


def collected(*checks: Callable[[], Any]) -> list:
    """What each check returns; raises one BadInput with the faults of all of them."""
    found, issues = [], []
    for check in checks:
        try:
            found.append(check())
        except BadInput as error:
            issues += error.issues
    if issues:
        raise BadInput(dict.fromkeys(issues))  # one fault of a shared file is found by several checks
    return found


def changes(arguments) -> dict[str, Any]:
    """The difference that --budget and --set make, nested as in a scenario file."""
    out: dict[str, Any] = {}
    issues: list[Issue] = []
    for text in arguments.budget:
        axis, equals, amount = text.partition("=")
        if not equals or axis not in AXES:
            issues.append(Issue(f"--budget {text}", "it is not AXIS=USD", f"AXIS is one of {', '.join(AXES)}"))
        else:
            _put(out, f"budget.{axis}", amount, issues)
    for text in arguments.set:
        key, equals, value = text.partition("=")
        if not equals or not all(key.split(".")):
            issues.append(Issue(f"--set {text}", "it is not key=value", "such as --set objective=life_years"))
        else:
            _put(out, key, value, issues)
    if issues:
        raise BadInput(issues)
    return out


def _put(out: dict, key: str, text: str, issues: list[Issue]) -> None:
    *tables_above, last = key.split(".")
    for name in tables_above:
        out = out.setdefault(name, {})
        if not isinstance(out, dict):
            break
    if not isinstance(out, dict) or last in out:
        issues.append(Issue(key, "the command line sets it twice", "give it once", "set_twice"))
        return
    out[last] = _value(text)


def _value(text: str):
    """The value as TOML reads it; a bare word is a text."""
    try:
        parsed = tomllib.loads(f"x = {text}")
    except (ValueError, RecursionError):
        return text
    return parsed["x"] if set(parsed) == {"x"} else text


def scenario_of(arguments, name: str | None = None):
    """The scenario that the command line names (or ``name``, one of several), with a hospital's cases from the workbooks
    of --evidence, then --budget and --set laid over it."""
    from planner.evidence.base import stated_cases
    from planner.scenario.scenario import load

    cases = stated_cases(arguments.evidence)
    scenario = load(arguments.scenario if name is None else name, changes(arguments), cases)
    if name is None:
        a_hospital(cases, scenario)
    return scenario


def a_hospital(cases, *scenarios) -> None:
    """A workbook's yearly cases must be asked for: raises BadInput where no scenario is a hospital's."""
    if cases and not any(s.setting.hospital for s in scenarios):
        raise BadInput([Issue("--evidence, sheet cases", "it states a hospital's yearly cases, and the setting names none",
                              'name it: --set setting.hospital="Model hospital"; or empty the column `cases`', "conflict")])


def at_home(scenario, evidence, countries) -> None:
    """A hospital's plan cannot be carried to other countries (``countries``: names; None for all)."""
    from planner.evidence.strata import place

    own = place(evidence, scenario.setting.country).iso3
    if scenario.setting.hospital and (countries is None or any(place(evidence, c).iso3 != own for c in countries)):
        raise BadInput([Issue("--countries", "a hospital's own cases cannot be carried to other countries",
                              "give a scenario of a whole country", "conflict")])


def evidence_of(arguments, more: Sequence[str] = ()):
    """The shipped evidence with what --evidence names, and ``more``, laid over it."""
    return planner.load_evidence(overlays=[*arguments.evidence, *more])


def number(text, name: str, least: float, most: float, whole: bool = True) -> float:
    """A number of the command line. Raises BadInput where it is none, or out of range."""
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if least <= value <= most:
        return value
    kind = "a whole number" if whole else "a number"
    raise BadInput([Issue(f"{name} {text}", f"it is not {kind} from {least:,} to {most:,}", "choose one in that range",
                          "out_of_range")])


def outputs(names: Sequence[str], kinds: Sequence[str] = KINDS) -> list[Path]:
    """The files to write, checked before any work is done. kinds: the endings that this command can write."""
    issues = []
    for name in names:
        file, ending = Path(name), Path(name).suffix.lower()
        if ending not in kinds:
            what = "this command writes no such document" if ending in (*KINDS, *PAPERS) else f"unknown kind of file `{ending}`"
            issues.append(Issue(f"--out {name}", what, f"choose {', '.join(kinds[:-1])} or {kinds[-1]}", "file_kind"))
        if not file.parent.is_dir():
            issues.append(Issue(f"--out {name}", "the folder does not exist", "create it first", "no_file"))
    if len(set(names)) < len(names):
        issues.append(Issue("--out", "the same file is named twice", "name it once", "set_twice"))
    if issues:
        raise BadInput(issues)
    return [Path(name) for name in names]


def write_text(file: Path, text: str) -> None:
    """Write a text file. Raises BadInput where it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput([Issue(str(file), f"it cannot be written ({error.strerror})", "choose another place",
                              "no_file")]) from error
