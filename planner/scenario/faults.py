"""Faults of a scenario file in a planner's words: unknown keys, wrong values, contradictions.

Works on nested dictionaries as TOML gives them. Every fault is an :class:`Issue` with the key's
place in dots (``budget.testing``); nothing here raises.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from typing import Any

from pydantic import BaseModel

from planner.errors import Issue
from planner.scenario.model import Scenario

Path = tuple[str, ...]
FREE = "*"  # stands for a key that the planner names: a drug, a use case
NOT_OFFERED = {
    ("setting", "countries"), ("equity", "region_floor"), ("equity", "largest_gap"), ("laboratory", "prices"),
    ("laboratory", "platforms"), ("laboratory", "staff_minutes"), ("laboratory", "price"),
    ("access", "drugs", FREE, "from_year"), ("budget", "setup"), ("services", "laboratories"),
}
EXPECTED = {
    ("budget", "testing"): 'an amount in US dollars a year, a list of one for each year, or "unlimited"',
    ("value_of_qaly",): 'an amount above 0 in US dollars, or "national"',
    ("access", "drugs", FREE): "a share from 0 to 1, or a table with share, payer or courses",
    ("override", "value"): "a number in the table's own unit",
    ("setting", "country"): 'a country by ISO code or English name, such as "KEN"',
    ("setting", "hospital"): 'a name, such as "Model hospital"',
    ("cases", FREE): "a number of people a year, from 0 to 1,000,000",
    ("display", "currency"): 'a currency code of three capitals, such as "KES"',
}
EXPECTED |= {("budget", axis): EXPECTED["budget", "testing"] for axis in ("treatment", "total")}
TYPES = {
    "float_type": "a number", "float_parsing": "a number", "int_type": "a whole number",
    "int_from_float": "a whole number", "int_parsing": "a whole number", "string_type": "a text in quotes",
    "bool_type": "true or false", "model_type": "a table of settings", "dict_type": "a table of settings",
    "tuple_type": "a list", "list_type": "a list",
}
REQUIRED = {
    ("setting",): 'say where: setting = {country = "KEN"}',
    ("setting", "country"): 'say where: setting = {country = "KEN"}',
    ("override", "why"): "give the reason in words",
}


# -- the tree of known keys ------------------------------------------------------------------------

def _tree(model: type[BaseModel]) -> dict:
    """Known keys, nested: {} is a value, ``FREE`` any key."""
    return {name: _subtree(field.annotation) for name, field in model.model_fields.items()}


def _subtree(annotation) -> dict:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _tree(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return {FREE: _subtree(arguments[1])}
    out: dict = {}
    if origin in (typing.Union, types.UnionType, tuple, typing.Annotated):
        for argument in arguments:
            out |= _subtree(argument)
    return out


KNOWN = _tree(Scenario)
LEAVES = sorted({".".join(p) for p in ((a, *b) for a, sub in KNOWN.items() for b in [()] + [(k,) for k in sub])
                 if FREE not in p})


def unknown_keys(data: Mapping[str, Any]) -> tuple[dict, list[Issue]]:
    """The data without its unknown keys, and an issue for each of them with the nearest known key."""
    issues: list[Issue] = []
    return _strip(data, KNOWN, (), issues), issues


def _strip(data: Mapping, known: dict, at: Path, issues: list[Issue]) -> dict:
    out = {}
    for key, value in data.items():
        path = (*at, key)
        if key not in known and FREE not in known:
            issues.append(_unknown(path, known))
            continue
        below = known.get(key, known.get(FREE, {}))
        if isinstance(value, Mapping) and below:
            value = _strip(value, below, path, issues)
        elif isinstance(value, list) and below:
            value = [_strip(v, below, (*at, f"{key} {n}"), issues) if isinstance(v, Mapping) else v
                     for n, v in enumerate(value, 1)]
        out[key] = value
    return out


def _unknown(path: Path, known: dict) -> Issue:
    where = dotted(path)
    if path in NOT_OFFERED or any(_like(path, shape) for shape in NOT_OFFERED):
        return Issue(where, "this setting is not offered in this version", "remove it", "not_offered")
    return Issue(where, f"unknown key `{path[-1]}`", nearest_key(path, known), "unknown_key")


def _like(path: Path, shape: Path) -> bool:
    return len(path) == len(shape) and all(s in (p, FREE) for p, s in zip(path, shape))


def nearest_key(path: Path, known: dict) -> str:
    """A remedy naming the nearest known key: among its siblings, then anywhere."""
    last = {leaf.rpartition(".")[2]: leaf for leaf in LEAVES}
    here = difflib.get_close_matches(path[-1], sorted(known), 1, 0.6)
    if here and path[-1] not in last:
        return f"did you mean `{dotted((*path[:-1], here[0]))}`"
    there = difflib.get_close_matches(path[-1], sorted(last), 1, 0.75)
    if there:
        return f"did you mean `{last[there[0]]}`"
    return f"known here are {', '.join(sorted(known))}"


def nearest(word: str, known) -> str:
    """A remedy naming the nearest known words."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 3, 0.5)
    if close:
        return f"did you mean {' or '.join(f'`{c}`' for c in close)}"
    return f"known are {', '.join(names)}" if names else "none is known"


def dotted(path) -> str:
    return ".".join(str(p + 1 if isinstance(p, int) else p) for p in path)


def shown(value) -> str:
    """A value as the file's reader knows it, at most 60 characters."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# -- values that JSON does not know ----------------------------------------------------------------

def odd_values(data, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(place, value) of every date or time: a scenario has none."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from odd_values(value, (*at, key))
    elif isinstance(data, list):
        for n, value in enumerate(data, 1):
            yield from odd_values(value, (*at[:-1], f"{at[-1]} {n}"))
    elif isinstance(data, date | time):
        yield at, data


# -- pydantic's faults ------------------------------------------------------------------------------

def translate(errors: list[dict], data: Mapping, place: Callable[[Path], str]) -> list[Issue]:
    """Issues of a validation, one for each place, in order.

    data: what was validated; place: key's path -> where the reader finds it (the file it comes from).
    A union reports every branch: the one that is told is the deepest, and a fault of the value before
    a fault of its type.
    """
    by_path: dict[tuple, dict] = {}
    for error in errors:
        if error["type"] == "conflicts":
            return [Issue(where, what, remedy, "conflict") for where, what, remedy in error["ctx"]["found"]]
        path = _real(error, data)
        best = by_path.get(path)
        if best is None or _rank(error) < _rank(best):
            by_path[path] = error
    deeper = [p for p in by_path if not (_is_type(by_path[p]) and _has_below(p, by_path))]
    return [_issue(by_path[p], p, data, place) for p in deeper]


def _real(error: dict, data) -> tuple:
    """The place of a fault in the data: pydantic's names of union branches are dropped."""
    path, here = [], data
    for step in error["loc"]:
        if (isinstance(here, Mapping) and step in here) or (isinstance(here, list) and isinstance(step, int)):
            path.append(step)
            here = here[step]
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _is_type(error: dict) -> bool:
    return error["type"] in TYPES


def _rank(error: dict) -> int:
    # of a union's literal and number the number's fault says more
    return 2 if _is_type(error) else 1 if error["type"] == "literal_error" else 0


def _has_below(path: tuple, others) -> bool:
    return any(len(o) > len(path) and o[: len(path)] == path for o in others)


def _issue(error: dict, path: tuple, data, place) -> Issue:
    value: Any = data
    for step in path:
        inside = (isinstance(value, Mapping) and step in value) or isinstance(value, list)
        value = value[step] if inside else None
    shape = tuple(p for p in path if isinstance(p, str))
    if error["loc"] and error["loc"][-1] == "[key]":
        return Issue(place(path), "this is not a valid id", _id_remedy(error), "value")
    if error["type"] == "missing":
        return Issue(place(path), "it is missing", REQUIRED.get(shape, "add it"), "missing")
    if error["type"] == "value_error":
        what, _, remedy = str(error["ctx"]["error"]).partition("; ")
        return Issue(place(path), what, remedy or "correct it", "value")
    return Issue(place(path), f"{shown(value)} is not accepted", _remedy(error, shape, value),
                 "type" if _is_type(error) else "value")


def _id_remedy(error: dict) -> str:
    return "write it as indication/biomarker" if "/" in error["ctx"].get("pattern", "") \
        else "use small letters, digits and _"


def _expected(shape: Path) -> str | None:
    return next((words for known, words in EXPECTED.items() if _like(shape, known)), None)


def _remedy(error: dict, shape: Path, value) -> str:
    kind, limits = error["type"], error.get("ctx", {})
    if kind == "finite_number":
        return "expected a finite number" + (', or "unlimited"' if shape[:1] == ("budget",) else "")
    if kind == "literal_error" and _expected(shape) is None:
        allowed = [w.strip("' ") for w in limits["expected"].replace(" or ", ", ").split(",")]
        near = difflib.get_close_matches(str(value), allowed, 1, 0.6)
        return f"allowed are {', '.join(allowed)}" + (f"; did you mean `{near[0]}`" if near else "")
    for name, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if name in limits:
            return f"expected {words} {limits[name]:,.10g}"
    if "max_length" in limits or "min_length" in limits:
        return f"expected {limits.get('min_length', 0)} to {limits.get('max_length', 'more')} characters" \
            if "min_length" in limits else f"expected at most {limits['max_length']} characters"
    if kind == "string_pattern_mismatch" and _expected(shape) is None:
        return _id_remedy(error)
    return f"expected {_expected(shape) or TYPES.get(kind, 'another value')}"
