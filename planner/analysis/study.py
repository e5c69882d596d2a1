"""What every analysis starts from and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.optimise.resolve import Engine, Optimum
from planner.pathway.build import build_problem
from planner.pathway.problem import Indication, Problem, UseCase
from planner.result.priority import inside
from planner.result.readout import Readout, read
from planner.scenario.model import Scenario

SCHEMA = "analysis/1"
Progress = Callable[[float, str], None]  # (share done, what is going on); may raise Stopped


class Stopped(Exception):
    """Raised by a progress function to end long work; nothing is returned."""


def silent(share: float, words: str) -> None:
    """The progress of work that nobody watches."""


@dataclass(frozen=True)
class Analysis:
    """One question answered. ``tables``: tidy rows by name, unrounded, money in USD of the base year,
    people and money a year; ``words``: the answer in sentences; ``settings``: what was asked."""

    kind: str
    scenario: Scenario
    head: Mapping[str, Any]
    settings: Mapping[str, Any]
    words: tuple[str, ...]
    tables: Mapping[str, tuple[Mapping[str, Any], ...]] = field(repr=False)

    def frame(self, name: str) -> pd.DataFrame:
        """A table as a frame; a fresh copy at every call."""
        return pd.DataFrame(list(self.tables[name]))

    def to_dict(self) -> dict[str, Any]:
        """The analysis as a plain dictionary for JSON."""
        return {"schema": SCHEMA, "kind": self.kind, **self.head, "settings": dict(self.settings),
                "scenario": self.scenario.model_dump(mode="json"), "words": list(self.words),
                "tables": {name: [dict(r) for r in rows] for name, rows in self.tables.items()}}


class Study:
    """A scenario on an evidence base: the problem, its engine and its optimum, each made once.

    ``levers``: whether access is to be moved in place.
    """

    def __init__(self, scenario: Scenario, evidence: Evidence, levers: bool = False):
        if scenario.mode == "evaluate":
            raise BadInput([Issue("mode", "analyses ask what the best list would be, and this scenario gives a list",
                                  'set mode = "optimise", or compare the scenario with another')])
        self.scenario, self.evidence, self.levers = scenario, evidence, levers

    @cached_property
    def problem(self) -> Problem:
        return build_problem(self.evidence, self.scenario)

    @cached_property
    def engine(self) -> Engine:
        return Engine(self.problem, self.scenario, self.levers)

    @cached_property
    def optimum(self) -> Optimum:
        """Raises :class:`planner.errors.Infeasible` where the limits contradict each other."""
        self.engine.reset()
        return self.engine.optimum()

    @cached_property
    def readout(self) -> Readout:
        return read(self.engine, self.optimum.plan.values)

    @cached_property
    def use_cases(self) -> dict[tuple[str, str], tuple[UseCase, Indication]]:
        return {(u.region, u.id): (u, i) for i in self.problem.indications for u in i.use_cases}

    def inside(self, key: tuple[str, str], coverage: float) -> bool:
        """Whether a coverage puts a line in a list; see :func:`planner.result.priority.inside`."""
        return inside(coverage, self.engine.attainable(self.use_cases[key][0]))

    def members(self, values: np.ndarray) -> frozenset:
        """Lines that a solution puts in its list."""
        return frozenset(key for key, c in zip(self.engine.keys, self.engine.coverage(values), strict=True)
                         if self.inside(key, c))

    @property
    def measure(self) -> str:
        """The measure of health behind the objective."""
        return "qalys" if self.scenario.objective == "net_health" else self.scenario.objective

    def head(self) -> dict[str, Any]:
        """What an answer rests on: evidence, model, place, threshold."""
        from planner import MODEL_VERSION  # the package imports the analyses

        return {
            "model_version": MODEL_VERSION, "base_year": self.problem.base_year,
            "evidence": {"version": self.evidence.version, "sha256": self.evidence.digest},
            "place": [{"code": c, "name": n} for c, n in self.problem.places],
            "currency": {"code": self.problem.currency, "per_usd": self.problem.per_usd},
            "threshold": {"value": self.problem.threshold, "source": self.problem.threshold_source,
                          "quality": self.problem.threshold_quality},
            **self._search(),
        }

    def _search(self) -> dict[str, Any]:
        """How the search for whole instruments ended, where there are any; they are held in all that follows."""
        if self.problem.laboratory is None or self.engine.settled is None:
            return {}
        return {"solver": {"status": self.engine.settled.status, "gap": self.engine.gap}}

    def label(self, key: tuple[str, str]) -> dict[str, str]:
        """Identity of a line in every table."""
        u, i = self.use_cases[key]
        biomarker = self.evidence.record("biomarkers", biomarker_id=u.biomarker)
        return {"region": u.region, "indication_id": u.indication, "biomarker_id": u.biomarker,
                "indication": i.name, "short_name": biomarker["short_name"]}

    def said(self, key: tuple[str, str]) -> str:
        """A line for a reader: biomarker, then cancer."""
        row = self.label(key)
        return f"{row['short_name']} in {lowered(row['indication'])}"

    @property
    def unit(self) -> str:
        """What the objective counts, in words."""
        if self.scenario.objective == "net_health":
            return "healthy years net of what the money would bring elsewhere"
        words = "healthy years" if self.measure == "qalys" else self.measure.replace("_", " ")
        return f"weighted {words}" if self.scenario.equity.weights else words

    def answer(self, kind: str, settings: Mapping, words, tables: Mapping) -> Analysis:
        return Analysis(kind, self.scenario, Frozen(self.head()), Frozen(plain(dict(settings))), tuple(words),
                        frozen_rows(tables))


class Frozen(dict):
    """A dictionary that cannot be changed (unlike a mapping proxy it can be pickled and written as JSON)."""

    def _refuse(self, *args, **kwargs):
        raise TypeError("a result is frozen; take a copy with dict(...)")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self):
        return Frozen, (dict(self),)


def frozen_rows(tables: Mapping) -> Frozen:
    """Tables as tuples of frozen rows of plain Python values, one value to a cell."""
    return Frozen({name: tuple(Frozen({k: _cell(v) for k, v in row.items()}) for row in rows) for name, rows in tables.items()})


def _cell(value):
    """Several members of one cell as a text to read; a long table beside has one row per member."""
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else plain(value)


def plain(value):
    """A numpy value as Python's own; containers likewise."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, list | tuple) else value


def lowered(name: str) -> str:
    """A name within a sentence: its first letter small, unless it begins an abbreviation."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def money(amount: float) -> str:
    """Dollars in a sentence, to three figures."""
    if abs(amount) >= 1000:
        digits = max(0, len(f"{abs(amount):.0f}") - 3)
        amount = round(amount, -digits)
    return f"US$ {amount:,.0f}"


def figure(amount: float) -> str:
    """A number in a sentence, to three figures."""
    if amount and abs(amount) < 100:
        return f"{amount:.3g}"
    digits = max(0, len(f"{abs(amount):.0f}") - 3)
    return f"{round(amount, -digits):,.0f}"


def dust(amount: float, scale: float) -> float:
    """A difference of two optima without the solver's rounding."""
    return 0.0 if abs(amount) <= 1e-9 * max(1.0, abs(scale)) else amount
