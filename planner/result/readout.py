"""What a solution means: people, money and health by use case and by test.

Every number is recomputed from the values of the variables; shares of a base are split over the
biomarkers read from it, so that the parts sum to the total to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from planner.optimise import terms
from planner.optimise.formulation import NONE
from planner.optimise.resolve import Engine
from planner.pathway.problem import MEASURES
from planner.scenario.model import PAYERS


@dataclass
class Line:
    """One use case of a solution. Money in USD a year, people a year, health discounted."""

    region: str
    use_case: str
    coverage: float = 0.0
    patients_tested: float = 0.0
    adequate: float = 0.0
    in_time: float = 0.0
    positives_found: float = 0.0
    called: float = 0.0
    patients_treated: float = 0.0
    treated_blind: float = 0.0
    testing_cost: float = 0.0
    treatment_cost: float = 0.0
    incremental_cost: float = 0.0
    exact_cost: bool = True
    cost_by_payer: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PAYERS, 0.0))
    treated_by_payer: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PAYERS, 0.0))
    health: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0.0))
    services: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    therapies: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(frozen=True)
class Readout:
    """Lines by (region, use case), tests by assay, and persons counted once per indication."""

    lines: dict[tuple[str, str], Line]
    tests: dict[tuple[str, str], dict[str, float]]
    patients_tested: float
    workup_cost: float


def read(engine: Engine, values: np.ndarray) -> Readout:
    """Read a solution (stage-two values, one per column) of a year, averaged over plan years."""
    return _Reader(engine, values).readout()


class _Reader:
    def __init__(self, engine: Engine, values: np.ndarray):
        self.engine, self.values = engine, values
        self.f = engine.formulation
        self.years = engine.problem.years
        self.lines = {(u.region, u.id): Line(u.region, u.id) for u in engine.problem.use_cases}
        self.tests: dict[tuple[str, str], dict[str, float]] = {}
        self.paid_by = engine.scenario.budget.payers[0] if engine.scenario.budget.payers else "public"

    def value(self, variable) -> float:
        return max(0.0, float(self.values[self.engine.column(variable)])) / self.years

    def readout(self) -> Readout:
        for k in self.f.taken:
            if self.value(k.q) > 0:
                self._take(k)
        self._bases()
        workup = self._workups()
        self._unknown_health()
        tested = sum(
            self.value(T) * i.eligible
            for i in self.engine.problem.indications for t in range(self.years)
            if (T := self.f.T.get((i.region, i.indication, t))) is not None
        )
        return Readout(self.lines, self.tests, tested, workup)

    def _take(self, k) -> None:
        line = self.lines[k.source.region, k.use_case.id]
        q, n = self.value(k.q), k.indication.eligible
        result = k.option.result(k.source.biomarker)
        line.coverage += q
        line.patients_tested += n * q
        line.adequate += n * q * result.usable
        line.in_time += n * q * result.eta
        line.called += n * q * result.eta * sum(k.use_case.called(result))
        pi = k.use_case.prevalence_net
        line.positives_found += n * q * result.eta * (pi * result.se + (1 - pi) * (1 - result.sp))
        line.services[k.option.service] += q
        if k.source.base != k.source.service:
            line.testing_cost += n * q * k.option.cost
            self._count(k.option, n * q)
        self._treat(k, line)

    def _treat(self, k, line: Line) -> None:
        people, true, false = terms.scale(k)
        for d, variable in k.x:
            treated = people * d.fit * (true + false) * self.value(variable)
            line.patients_treated += treated
            line.therapies[d.therapy] += treated
            for payer, share in d.payer_shares:
                line.treated_by_payer[payer] += treated * share
        for d, variable in k.v:
            treated = people * d.fit * (true + false) * self.value(variable)
            line.patients_treated += treated
            line.therapies[d.therapy] += treated
            line.treated_by_payer[self.paid_by] += treated
        line.treated_blind += people * self.value(k.qa) * sum(
            d.fit * terms.u0(k, d) for d in k.use_case.therapies)
        for payer in PAYERS:
            for t in range(self.years):
                amount = sum(c * self.value(v) for v, c in
                             terms.spending(k, (payer,), t, bought_by=self.paid_by))
                line.cost_by_payer[payer] += amount
                line.treatment_cost += amount
        line.incremental_cost += sum(c * self.value(v) for v, c in terms.incremental_cost(k))
        used = [d for d, v in k.x + k.v if self.value(v) > 0]
        line.exact_cost &= all(d.m_kind == "incremental" for d in used)
        for measure in MEASURES:
            line.health[measure] += sum(c * self.value(v) for v, c in terms.health(k, measure))

    def _unknown_health(self) -> None:
        """A measure that no therapy of a use case reports is unknown, not zero."""
        for u in self.engine.problem.use_cases:
            line = self.lines[u.region, u.id]
            for measure in MEASURES:
                if u.therapies and all(t.effects.pair(measure) is None for t in u.therapies):
                    line.health[measure] = None

    def _count(self, option, patients: float) -> None:
        for use in option.assays:
            row = self.tests.setdefault((use.assay, option.service), {
                "samples": 0.0, "cost": 0.0, "technician_minutes": 0.0, "pathologist_minutes": 0.0})
            row["samples"] += patients * use.runs
            row["cost"] += patients * use.cost
            row["technician_minutes"] += patients * use.technician_minutes
            row["pathologist_minutes"] += patients * use.pathologist_minutes

    def _bases(self) -> None:
        """Cost of each base over the biomarkers read from it, by the health that each reading brings.

        A biomarker that comes along with the panel and brings nothing carries nothing of its cost;
        where none brings health the readers share alike.
        """
        readers: dict[tuple, list] = defaultdict(list)
        for k in self.f.taken:
            if k.source.base == k.source.service and self.value(k.q) > 0:
                readers[k.source.region, k.source.indication, k.source.base, k.source.year].append(k)
        for key, y in self.f.y.items():
            share = self.value(y)
            if key[2] == NONE or share <= 0:
                continue
            ind = next(i for i in self.engine.problem.indications if (i.region, i.indication) == key[:2])
            option = next(s for s in ind.services if s.service == key[2])
            self._count(option, ind.eligible * share)
            read_from = readers.get(key, [])
            weights = [self._worth(k) for k in read_from]
            if sum(weights) <= 0:
                weights = [1.0] * len(read_from)
            for k, weight in zip(read_from, weights, strict=True):
                self.lines[key[0], k.use_case.id].testing_cost += (
                    ind.eligible * share * option.cost * weight / sum(weights))

    def _worth(self, k) -> float:
        """QALYs that one taken result brings, not below zero."""
        return max(0.0, sum(c * self.value(v) for v, c in terms.health(k, "qalys")))

    def _workups(self) -> float:
        """What a tested patient needs once, over the biomarkers read."""
        spent = 0.0
        for i in self.engine.problem.indications:
            for t in range(self.years):
                T = self.f.T.get((i.region, i.indication, t))
                if T is None:
                    continue
                cost = i.eligible * i.workup_cost * self.value(T)
                lines = [self.lines[i.region, u.id] for u in i.use_cases]
                total = sum(line.coverage for line in lines)
                for line in lines:
                    if total > 0:
                        line.testing_cost += cost * line.coverage / total
                spent += cost if total > 0 else 0.0
        return spent
