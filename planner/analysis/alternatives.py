"""Other lists that are nearly as good: what is certain in the plan, and what is what could be otherwise.

Among all plans within a tolerance of the best health (and within every limit) each line's least and
greatest coverage is found, and lists as different as possible from those already found: the
hop-skip-jump method (Brill, Chang & Hopkins 1982, Management Science 28:221), which minimises what the
lists before it fund; here it also favours what none of them does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from planner.analysis.levers import Key
from planner.analysis.study import Analysis, Progress, Study, silent
from planner.evidence.base import Evidence
from planner.optimise.resolve import Engine
from planner.result.readout import read
from planner.result.reasons import FUNDED
from planner.result.ties import find_ties
from planner.scenario.model import Scenario

TURN = 1000.0  # weight of a line to be turned, against all others together

def alternatives(scenario: Scenario, evidence: Evidence, tolerance: float = 0.02, count: int = 5,
                 progress: Progress = silent) -> Analysis:
    """Lists within ``tolerance`` (share of the best value), at most ``count`` of them beside the plan.

    Tables: ``lists`` (one row per list: value, money, how it differs), ``lines`` (list x line: coverage),
    ``ranges`` (each line: least and greatest coverage over all near-optimal plans, and in words whether it
    is in every one of them), ``ties`` (services that could stand in at the same health and cost), ``differing``
    (list x line that it has and the plan has not, or the other way round).
    """
    study = Study(scenario, evidence)
    optimum, engine = study.optimum, study.engine
    ranges = []
    with _near(engine, optimum.value, tolerance):
        for n, key in enumerate(engine.keys):
            progress(0.7 * n / len(engine.keys), "least and greatest coverage of every line")
            ranges.append(_range(study, key))
        progress(0.7, "lists as different as possible")
        open_lines = [key for key, r in zip(engine.keys, ranges, strict=True) if r["where"] == "sometimes"]
        found = [optimum.plan.values, *_hops(study, count, open_lines)]
    named = [f"list {n}" if n else "the plan" for n in range(len(found))]
    lists = [_list_row(study, name, values, found[0]) for name, values in zip(named, found, strict=True)]
    differing = [row for name, values in zip(named, found, strict=True) for row in _differing(study, name, values, found[0])]
    lines = [study.label(key) | {"list": name, "coverage": float(c), "in_list": bool(study.inside(key, c))}
             for name, values in zip(named, found, strict=True)
             for key, c in zip(engine.keys, engine.coverage(values), strict=True)]
    ties = find_ties(engine, optimum)
    settings = {"tolerance": tolerance, "count": count, "measure": study.measure, "lists": len(found) - 1,
                "stopped": _stopped(study, found, open_lines, count)}
    return study.answer("alternatives", settings, _words(ranges, lists, settings),
                        {"lists": lists, "lines": lines, "ranges": ranges, "ties": ties, "differing": differing})


def alternatives_values(study: Study, tolerance: float, count: int) -> list[np.ndarray]:
    """The variables of the other lists alone."""
    with _near(study.engine, study.optimum.value, tolerance):
        return list(_hops(study, count))


class _near:
    """The engine kept within a tolerance of the best value, its objective free; then put back."""

    def __init__(self, engine: Engine, best: float, tolerance: float):
        self.engine, self.floor = engine, best - tolerance * abs(best)

    def __enter__(self) -> None:
        self.engine.model.set_row("health", self.floor, None)

    def __exit__(self, *error) -> None:
        self.engine.model.set_row("health", None, None)
        self.engine.model.set_cost(self.engine.value_cost)


def _least(study: Study, weights: np.ndarray) -> np.ndarray | None:
    """The near-optimal plan that minimises weighted coverage; money decides ties."""
    engine = study.engine
    scale = np.abs(engine.money_cost).sum() or 1.0
    engine.model.set_cost(weights + 1e-6 * engine.money_cost / scale)
    engine.solves += 1
    solution = engine.model.solve()
    return solution.values if solution.status.has_solution else None


def _weights(study: Study, keys, sign: float = 1.0) -> np.ndarray:
    out = np.zeros(len(study.engine.model.variables))
    for key in keys:
        out[study.engine.q_columns[key]] += sign
    return out


def _range(study: Study, key) -> dict:
    j = study.engine.keys.index(key)
    ends = []
    for sign in (1.0, -1.0):
        values = _least(study, _weights(study, [key], sign))
        ends.append(0.0 if values is None else float(study.engine.coverage(values)[j]))
    least, greatest = max(0.0, ends[0]), max(ends)
    always = study.inside(key, least)
    where = "always" if always else "sometimes" if study.inside(key, greatest) else "never"
    return study.label(key) | {"least": least, "greatest": greatest, "in_every_list": always, "where": where,
                               "attainable": study.engine.attainable(study.use_cases[key][0])}


def _hops(study: Study, count: int, open_lines: Sequence[Key] = ()) -> Iterator[np.ndarray]:
    """Lists one by one, each avoiding what those before it fund and funding what none of them does. Where a list
    comes again one of ``open_lines`` (in some near-optimal lists and not in others) that stood in all of them so
    far is left out, or one that stood in none is taken in; ends where that finds nothing new."""
    seen = [study.members(study.optimum.plan.values)]
    for _ in range(count):
        found = _new(study, seen, ({}, *_turns(seen, open_lines)))
        if found is None:
            return
        seen.append(study.members(found))
        yield found


def _turns(seen: list[frozenset], open_lines: Sequence[Key]) -> Iterator[dict[Key, float]]:
    """For each line that was in all lists so far, or in none: the weight that turns it."""
    for key in open_lines:
        times = sum(key in lines for lines in seen)
        if times in (0, len(seen)):
            yield {key: TURN if times else -TURN}


def _new(study: Study, seen: list[frozenset], attempts: Iterable[dict[Key, float]]) -> np.ndarray | None:
    """The first near-optimal plan, of those that the attempts lead to, with lines that no list before it has."""
    for more in attempts:
        values = _least(study, _hop_weights(study, seen, more))
        if values is not None and study.members(values) not in seen:  # not the same lines to other shares
            return values
    return None


def _hop_weights(study: Study, seen: list[frozenset], more: dict[Key, float]) -> np.ndarray:
    """Weights of coverage: what lists before fund is avoided as often as they do, what none does is wanted."""
    weights = np.zeros(len(study.engine.model.variables))
    for key in study.engine.keys:
        top = max(study.engine.attainable(study.use_cases[key][0]), 1e-9)
        weights[study.engine.q_columns[key]] = ((sum(key in lines for lines in seen) or -1.0) + more.get(key, 0.0)) / top
    return weights


def _stopped(study: Study, found: list[np.ndarray], open_lines: list[Key], count: int) -> str:
    """Why the search ended, in words."""
    if len(found) > count:
        return f"the {count} lists asked for were found"
    if not open_lines:
        return "no line can differ within the tolerance"
    left = len(list(_turns([study.members(v) for v in found], open_lines)))
    return "no further list was found, although lines could still differ" if left else \
        "every line that can differ already does in one of them"


def _list_row(study: Study, name: str, values: np.ndarray, plan: np.ndarray) -> dict:
    lines = list(read(study.engine, values).lines.values())
    mine, theirs = study.members(values), study.members(plan)
    return {
        "list": name, "health": sum(line.health[study.measure] or 0.0 for line in lines), "measure": study.measure,
        "testing_cost": sum(line.testing_cost for line in lines), "treatment_cost": sum(line.treatment_cost for line in lines),
        "lines": sum(line.coverage > FUNDED for line in lines), "without": tuple(study.said(k) for k in sorted(theirs - mine)),
        "instead": tuple(study.said(k) for k in sorted(mine - theirs)),
    }


def _differing(study: Study, name: str, values: np.ndarray, plan: np.ndarray) -> Iterator[dict]:
    """The lines of ``without`` and ``instead``, one row each."""
    mine, theirs = study.members(values), study.members(plan)
    for how, keys in (("without", theirs - mine), ("instead", mine - theirs)):
        for key in sorted(keys):
            yield {"list": name, "how": how} | study.label(key)


def _words(ranges: list[dict], lists: list[dict], settings: dict) -> list[str]:
    always = [r for r in ranges if r["where"] == "always"]
    sometimes = [r for r in ranges if r["where"] == "sometimes"]
    out = [f"{len(always)} lines are in every list that loses at most {100 * settings['tolerance']:.3g}% of the health; "
           f"{len(sometimes)} are in some and not in others."]
    if always:
        out.append("In all: " + ", ".join(f"{r['short_name']} ({r['indication']})" for r in always[:8])
                   + (" and more." if len(always) > 8 else "."))
    if len(lists) == 1:
        return [*out, "No other list does as well: the plan is the only one within the tolerance."]
    return [*out, f"{len(lists) - 1} other {'list was' if len(lists) == 2 else 'lists were'} found: {settings['stopped']}."]
