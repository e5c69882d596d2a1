"""Which number moves the plan most: each uncertain parameter at both ends of its interval, all re-planned.

One-way for every parameter; two-way, on request, for two of them on a grid. Ends are the interval that the
evidence states; where it states none, the 2.5th and 97.5th percentile of what :mod:`planner.pathway.drawn` draws.
Numbers that rest on one trial are drawn together and move together here: they are one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from planner.analysis.study import Analysis, Progress, Study, dust, figure, silent
from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.optimise.many import ManyModels
from planner.pathway.build import build_problem
from planner.pathway.drawn import GROUPS, NOT_DRAWN, EndValues, Parameter, movers, value_gated
from planner.pathway.words import number_words
from planner.result.reasons import FUNDED
from planner.scenario.faults import nearest
from planner.scenario.model import Scenario

CHUNK = 600  # versions in memory at once
GRID = 5  # points of each parameter of a two-way table


def sensitivity(scenario: Scenario, evidence: Evidence, two_way: tuple[str, str] | None = None,
                progress: Progress = silent) -> Analysis:
    """Health of the re-planned list with each parameter low and high.

    two_way: names of two parameters as the table ``parameters`` gives them. Tables: ``parameters``
    (parameter, group, value, low, high, health at both ends, swing, lines that change sides, names of the numbers
    that move with it), widest swing first; ``grid`` (two-way only); ``lines_changed`` (parameter x line that
    changes sides). Raises BadInput for unknown names.
    """
    study = Study(scenario, evidence)
    base_value = study.optimum.value / study.engine.weight
    parameters = known(study)
    if two_way:
        _checked(parameters, two_way)
    rows = _one_way(study, parameters, base_value, progress)
    rows.sort(key=lambda r: (-r["swing"], r["name"]))
    grid = _grid(study, parameters, two_way) if two_way else []
    settings = {"objective": scenario.objective, "base": base_value, "parameters": len(rows), "not_moved": list(NOT_DRAWN),
                "two_way": list(two_way) if two_way else None}
    return study.answer("sensitivity", settings, _words(rows, base_value),
                        {"parameters": rows, "grid": grid, "lines_changed": _changed(study, rows)})


def _changed(study: Study, rows: list[dict]) -> list[dict]:
    """Number x line that changes sides, one a row."""
    keys = {study.said(key): key for key in study.engine.keys}
    return [{"name": r["name"]} | study.label(keys[said]) for r in rows for said in r["lines_changed"]]


def known(study: Study) -> list[Parameter]:
    """Uncertain parameters that bear on a plannable line, each with its two ends as draws."""
    values = []
    build_problem(study.evidence, study.scenario, _ends(study, None, values))
    return [p for v in values for p in v.parameters.values()]


def _ends(study: Study, wanted: list | None, kept: list) -> Callable:
    def make(evidence, place, scenario):
        values = EndValues(evidence, place, scenario, wanted=wanted, decided=value_gated(study.problem))
        kept.append(values)
        return values

    return make


def _solved(study: Study, wanted: list) -> Iterator[tuple[float, np.ndarray]]:
    """(value, coverage) with, in each version, the streams named set to ends: [{stream: quantile}]."""
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start:start + CHUNK]
        problem = build_problem(study.evidence, study.scenario, _ends(study, some, []))
        for answer in ManyModels(study.engine, problem, len(some)).answers():
            yield answer.value / study.engine.weight, study.engine.coverage(answer.values)


def _one_way(study: Study, parameters: list[Parameter], base_value: float, progress: Progress) -> list[dict]:
    together = movers(parameters)
    wanted = [{}, *({mover: q} for mover in together for q in (0.025, 0.975))]  # the first as it is
    solved = []
    for n, found in enumerate(_solved(study, wanted)):
        if n % 50 == 0:
            progress(n / len(wanted), "each parameter at both ends")
        solved.append(found)
    rows, base = [], solved[0][1]
    for n, (p, *others) in enumerate(together.values()):
        (low, at_low), (high, at_high) = solved[2 * n + 1], solved[2 * n + 2]
        changed = [study.said(key) for j, key in enumerate(study.engine.keys)
                   if len({c[j] > FUNDED for c in (base, at_low, at_high)}) > 1]
        swing = dust(np.nanmax([low, high, base_value]) - np.nanmin([low, high, base_value]), base_value)
        rows.append({"name": p.name, "words": _said(study, p, others), "moves_with": tuple(o.name for o in others),
                     "group": p.group, "group_words": GROUPS[p.group],
                     "parameter": p.parameter, "key": p.key, "table": p.table, "value": p.value,
                     "low": p.end(0.025), "high": p.end(0.975),
                     "quality": p.quality, "health_at_low": low, "health_at_high": high, "swing": float(swing),
                     "lines_changed": tuple(changed)})
    return rows


def _said(study: Study, p: Parameter, others: list[Parameter]) -> str:
    """A number in words, with how many others move with it."""
    words = number_words(p.name, study.evidence)
    return words if not others else f"{words} (and {len(others)} of the same trial)"


def _checked(parameters: list[Parameter], two_way: tuple[str, str]) -> None:
    names = {p.name for p in parameters}
    unknown = [name for name in two_way if name not in names]
    if unknown:
        raise BadInput([Issue(f"two-way {name!r}", "no uncertain number of this plan has that name", nearest(name, names))
                        for name in unknown])


def _grid(study: Study, parameters: list[Parameter], two_way: tuple[str, str]) -> list[dict]:
    by_name = {p.name: p for p in parameters}
    a, b = (by_name[name] for name in two_way)
    quantiles = np.linspace(0.025, 0.975, GRID)
    cells = list(product(quantiles, quantiles))
    solved = _solved(study, [{a.stream: x, b.stream: y} for x, y in cells])
    return [{"a": a.name, "b": b.name, "a_value": a.end(x), "b_value": b.end(y), "health": value,
             "lines": int((coverage > FUNDED).sum())}
            for (x, y), (value, coverage) in zip(cells, solved, strict=True)]


def _words(rows: list[dict], base: float) -> list[str]:
    if not rows or rows[0]["swing"] <= 0:
        return ["No single uncertain number moves the plan."]
    top = rows[0]
    ends = f"between {figure(top['health_at_low'])} and {figure(top['health_at_high'])} against {figure(base)}"
    out = [f"The number that moves the plan most is {top['words']}: {ends}."]
    changing = [r for r in rows if r["lines_changed"]]
    out.append(f"{len(changing)} of {len(rows)} uncertain numbers change what is on the list." if changing
               else "None of them alone changes what is on the list.")
    return out
