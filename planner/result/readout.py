"""What a solution means: people, money and health by use case and by test.

Every number is recomputed from the values of the variables. All that is linear in them is compiled
once per engine into coefficient lists and read by one pass; what is shared (a panel over the
biomarkers read from it, a work-up over the tests) is split so that the parts sum to the total.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from planner.optimise import terms
from planner.optimise.resolve import Engine
from planner.optimise.row import NONE
from planner.pathway.problem import MEASURES, ServiceOption
from planner.result.laboratory import Home, home
from planner.scenario.model import PAYERS

PEOPLE = ("coverage", "patients_tested", "adequate", "in_time", "positives_found", "called",
          "patients_treated", "treated_blind", "testing_cost", "incremental_cost")
MINUTES = ("technician_minutes", "pathologist_minutes", "scientist_minutes", "board_minutes")
SECOND_BIOPSY = "second_biopsy"  # stands among the tests to buy
DUST = 1e-7  # shares below are the solver's rounding (its feasibility tolerance)
QUANTITIES = (*PEOPLE, *(f"cost:{z}" for z in PAYERS), *(f"treated:{z}" for z in PAYERS),
              *(f"health:{m}" for m in MEASURES))


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
    incremental_cost: float = 0.0
    exact_cost: bool = True
    cost_by_payer: dict[str, float] = field(default_factory=dict)
    treated_by_payer: dict[str, float] = field(default_factory=dict)
    health: dict[str, float | None] = field(default_factory=dict)
    services: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    therapies: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def treatment_cost(self) -> float:
        """All payers, difference from no testing."""
        return sum(self.cost_by_payer.values())


@dataclass(frozen=True)
class Readout:
    """Lines by (region, use case), tests by assay, place and service, persons once per indication."""

    lines: dict[tuple[str, str], Line]
    tests: dict[tuple[str, str, str], dict[str, float]]
    patients_tested: float
    workup_cost: float


@dataclass(frozen=True)
class Served:
    """What one taken result uses: its column, the service, people asked, and per drug the therapy, its
    column, people treated per unit, and whether its cost is incremental."""

    key: tuple[str, str]
    column: int
    option: ServiceOption
    single: bool
    people: float
    drugs: tuple[tuple[str, int, float, bool], ...]


class Compiled:
    """Coefficient of every linear quantity of every use case, as (cell, column, coefficient).

    A cell is use case x quantity; built once per engine, since limits do not change coefficients.
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.keys = [(u.region, u.id) for u in engine.problem.use_cases]
        self.row = {key: n for n, key in enumerate(self.keys)}
        self.unknown = {
            (u.region, u.id): {m for m in MEASURES
                               if u.therapies and all(t.effects.pair(m) is None for t in u.therapies)}
            for u in engine.problem.use_cases
        }
        payers = engine.scenario.budget.payers
        self.paid_by = payers[0] if payers else "public"
        self._cells: list[int] = []
        self._columns: list[int] = []
        self._coefficients: list[float] = []
        self.worth: list[tuple[np.ndarray, np.ndarray]] = []
        self.served: list[Served] = []
        for k in engine.formulation.taken:
            self._take(k)
        self.cells, self.columns = np.array(self._cells, int), np.array(self._columns, int)
        self.coefficients = np.array(self._coefficients, float)
        self.results = np.array([engine.column(k.q) for k in engine.formulation.taken], int)
        zero = np.zeros(len(QUANTITIES))
        self.nothing = [self.line(key, zero) for key in self.keys]  # shared: nothing is added to them

    def _add(self, n: int, quantity: str, variable, coefficient: float) -> None:
        if coefficient:
            self._cells.append(n * len(QUANTITIES) + QUANTITIES.index(quantity))
            self._columns.append(self.engine.column(variable))
            self._coefficients.append(coefficient)

    def _take(self, k) -> None:
        n, people = self.row[k.source.region, k.use_case.id], k.use_case.asked(k.indication.eligible)
        result, pi = k.option.result(k.source.biomarker), k.use_case.asked_prevalence
        found = result.eta * (pi * result.se + (1 - pi) * (1 - result.sp))
        for quantity, share in (
            ("coverage", 1 / people), ("patients_tested", 1.0), ("adequate", result.usable),
            ("in_time", result.eta), ("positives_found", found),
            ("called", result.eta * sum(k.use_case.called(result))),
        ):
            self._add(n, quantity, k.q, people * share)
        if k.source.base != k.source.service:
            self._add(n, "testing_cost", k.q, people * k.option.cost)
        self._treat(k, n)
        self._health(k, n)
        scale, true, false = terms.scale(k)
        self.served.append(Served(
            (k.source.region, k.use_case.id), self.engine.column(k.q), k.option,
            k.source.base != k.source.service, people,
            tuple((d.therapy, self.engine.column(v), scale * d.fit * (true + false), d.m_kind == "incremental")
                  for d, v in k.x + k.v),
        ))

    def _treat(self, k, n: int) -> None:
        people, true, false = terms.scale(k)
        for variables, bought in ((k.x, False), (k.v, True)):
            for d, variable in variables:
                treated = people * d.fit * (true + false)
                self._add(n, "patients_treated", variable, treated)
                payers = ((self.paid_by, 1.0),) if bought else d.payer_shares
                for payer, share in payers:
                    self._add(n, f"treated:{payer}", variable, treated * share)
        blind = people * sum(d.fit * terms.u0(k, d) for d in k.use_case.therapies)
        self._add(n, "treated_blind", k.qa, blind)
        for variable, coefficient in terms.incremental_cost(k):
            self._add(n, "incremental_cost", variable, coefficient)
        for payer in PAYERS:
            for t in range(k.years):
                for variable, coefficient in terms.spending(k, (payer,), t, bought_by=self.paid_by):
                    self._add(n, f"cost:{payer}", variable, coefficient)

    def _health(self, k, n: int) -> None:
        for measure in MEASURES:
            terms_of = list(terms.health(k, measure))
            for variable, coefficient in terms_of:
                self._add(n, f"health:{measure}", variable, coefficient)
            if measure == "qalys":
                self.worth.append((np.array([self.engine.column(v) for v, _ in terms_of], int),
                                   np.array([c for _, c in terms_of], float)))

    def table(self, values: np.ndarray) -> np.ndarray:
        """Quantities by use case (rows) for one solution."""
        size = len(self.keys) * len(QUANTITIES)
        sums = np.bincount(self.cells, self.coefficients * values[self.columns], minlength=size)
        return sums.reshape(len(self.keys), len(QUANTITIES))

    def line(self, key: tuple[str, str], numbers: np.ndarray) -> Line:
        row = numbers.tolist()
        people, costs = len(PEOPLE), len(PEOPLE) + len(PAYERS)
        treated = costs + len(PAYERS)
        unknown = self.unknown[key]
        return Line(
            *key, *row[:people], cost_by_payer=dict(zip(PAYERS, row[people:costs])),
            treated_by_payer=dict(zip(PAYERS, row[costs:treated])),
            health={m: None if m in unknown else value for m, value in zip(MEASURES, row[treated:])},
        )


def read(engine: Engine, values: np.ndarray) -> Readout:
    """Read a solution (stage-two values, one per column); a plan of several years as its mean year."""
    if engine.compiled is None:
        engine.compiled = Compiled(engine)
    clean = np.where(values < DUST, 0.0, values) / engine.problem.years
    return _Reader(engine, engine.compiled, clean).readout()


class _Reader:
    """One reading of one solution."""

    def __init__(self, engine: Engine, compiled: Compiled, values: np.ndarray):
        self.engine, self.compiled, self.values, self.f = engine, compiled, values, engine.formulation
        self.plain = values.tolist()  # single look-ups are quicker in a list
        self.tests: dict[tuple[str, str, str], dict[str, float]] = {}
        self.home: Home | None = home(engine, values)
        table = compiled.table(values)
        used = table[:, 0] > 0
        self.lines = {key: compiled.line(key, table[n]) if used[n] else compiled.nothing[n]
                      for n, key in enumerate(compiled.keys)}

    def value(self, variable) -> float:
        return self.plain[self.engine.column(variable)]

    def readout(self) -> Readout:
        used = np.flatnonzero(self.values[self.compiled.results] > 0).tolist()
        for n in used:
            self._take(self.compiled.served[n])
        self._bases(used)
        tested, workup = self._workups()
        return Readout(self.lines, self.tests, tested, workup)

    def _take(self, s: Served) -> None:
        """What a use case is served with, and whose comparator has no price."""
        line, q = self.lines[s.key], self.plain[s.column]
        line.services[s.option.service] += q
        if s.single:
            self._count(s.option, s.people * q)
            line.testing_cost += s.people * q * self._overhead(s.option)
        for therapy, column, treated, exact in s.drugs:
            share = self.plain[column]
            if share > 0:
                line.therapies[therapy] += treated * share
                line.exact_cost &= exact

    def _count(self, option, patients: float) -> None:
        for use in option.assays:
            row = self._row(use.assay, use.place, option.service)
            row["samples"] += patients * use.runs
            row["cost"] += patients * (use.cost + use.runs * self._beside(use))
            for cadre in MINUTES:
                row[cadre] += patients * getattr(use, cadre)
        if option.biopsies:
            row = self._row(SECOND_BIOPSY, "", option.service)
            row["samples"] += patients * option.biopsies
            row["cost"] += patients * option.biopsy_cost

    def _row(self, *key: str) -> dict[str, float]:
        return self.tests.setdefault(key, dict.fromkeys(("samples", "cost", *MINUTES), 0.0))

    def _beside(self, use) -> float:
        """What a sample costs beside itself: instruments, runs and fees of the home laboratory, USD."""
        return self.home.overhead.get((use.assay, use.runs_a_year), 0.0) if use.home and self.home else 0.0

    def _overhead(self, option) -> float:
        return sum(use.runs * self._beside(use) for use in option.assays)

    def _bases(self, used: list[int]) -> None:
        """Cost of each base over the biomarkers read from it, by the health that each reading brings.

        A biomarker that comes along with the panel and brings nothing carries nothing of its cost;
        where none brings health the readers share alike.
        """
        readers: dict[tuple, list[int]] = defaultdict(list)
        for n in used:
            s = self.f.taken[n].source
            if s.base == s.service:
                readers[s.region, s.indication, s.base, s.year].append(n)
        for key, y in self.f.y.items():
            share = self.value(y)
            if key[2] == NONE or share <= 0:
                continue
            ind, option = self.f.bases[key]
            self._count(option, ind.eligible * share)
            weights = [self._worth(n) for n in readers[key]]
            if sum(weights) <= 0:
                weights = [1.0] * len(weights)
            for n, weight in zip(readers[key], weights, strict=True):
                use_case = self.f.taken[n].use_case
                self.lines[key[0], use_case.id].testing_cost += (
                    ind.eligible * share * (option.cost + self._overhead(option)) * weight / sum(weights))

    def _worth(self, n: int) -> float:
        """QALYs that one taken result brings, not below zero."""
        columns, coefficients = self.compiled.worth[n]
        return max(0.0, float(coefficients @ self.values[columns]))

    def _workups(self) -> tuple[float, float]:
        """(people worked up, what they need once in USD), the latter over the biomarkers read."""
        people = spent = 0.0
        for i in self.engine.problem.indications:
            share = sum(self.value(T) for t in range(self.engine.problem.years)
                        if (T := self.f.T.get((i.region, i.indication, t))) is not None)
            if share <= 0:
                continue
            lines = [line for u in i.use_cases if (line := self.lines[i.region, u.id]).coverage > 0]
            total = sum(line.coverage for line in lines)
            if total <= 0:
                continue
            cost = i.eligible * i.workup_cost * share
            for line in lines:
                line.testing_cost += cost * line.coverage / total
            people += i.eligible * share
            spent += cost
        return people, spent
