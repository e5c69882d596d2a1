"""Versions as plain problems, random draws of tiny problems, and a scenario planned again from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import numpy as np

from planner.optimise.resolve import Engine
from planner.pathway.build import within_supply
from planner.pathway.drawn import DrawnValues
from planner.pathway.problem import Problem
from planner.pathway.therapy import cut_empirical
from planner.scenario.model import Scenario


def version(thing, n: int):
    """Version n of anything made of arrays: the same with plain numbers."""
    if isinstance(thing, np.ndarray):
        return float(thing[n])
    if isinstance(thing, tuple):
        return tuple(version(x, n) for x in thing)
    if isinstance(thing, Mapping):
        return {k: version(v, n) for k, v in thing.items()}
    if is_dataclass(thing):
        return replace(thing, **{f.name: version(getattr(thing, f.name), n) for f in fields(thing)})
    return thing


class OneDraw(DrawnValues):
    """The plain numbers of one draw of a block."""

    def __init__(self, *args, n: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.n = n

    def _versions(self, parameter):
        return float(super()._versions(parameter)[self.n])


def fresh(problem: Problem, scenario: Scenario, levers: bool = False) -> float:
    """Best value of a problem, from a model of its own; NaN where its limits contradict each other."""
    return Engine(problem, scenario, levers).run()


def varied(problem: Problem, size: int, seed: int) -> Problem:
    """A tiny problem whose costs, accuracy, prevalence, patients, effects, courses and blind use vary."""
    rng = np.random.default_rng(seed)

    def near(value: float, most: float | None = None):
        out = value * np.exp(0.25 * rng.standard_normal(size))
        return out if most is None else np.minimum(out, most)

    def drug(t):
        effects = replace(t.effects, carrier={m: near(v) for m, v in t.effects.carrier.items()})
        factor = near(1.0)
        return replace(t, effects=effects, pay=tuple(p * factor for p in t.pay), m=t.m * factor,
                       u0=near(t.u0) if t.u0 else t.u0)

    def case(u):
        pi = near(u.prevalence, 0.9)
        return replace(u, prevalence=pi, prevalence_net=pi, therapies=tuple(cut_versions([drug(t) for t in u.therapies])))

    def test(s):
        return replace(s, cost=near(s.cost), results=tuple(replace(
            r, eta=near(r.eta, 1.0), se=near(r.se, 1.0), sp=near(r.sp, 1.0)) for r in s.results))

    cases = [replace(i, eligible=near(i.eligible), workup_cost=near(i.workup_cost) if i.workup_cost else 0.0,
                     services=tuple(map(test, i.services)), use_cases=tuple(map(case, i.use_cases)))
             for i in problem.indications]
    return replace(problem, indications=tuple(within_supply(cases)))


def cut_versions(therapies):
    return cut_empirical(therapies) if all(t.line_group == "first_line" for t in therapies) else therapies
