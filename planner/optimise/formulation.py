"""The linear programme of the planning model, written once, in PuLP.

Indices: region r, indication i, biomarker b, base s0 (``none`` or a service answering several
biomarkers), source s (the base itself or a single given within it), therapy d, year t.
Variables (shares of the eligible patients of an indication): T worked up; y given base s0;
q result for b taken from a source; qa the part of q with access (selective mode); x, v of q, the
share that gets d if called positive, by today's access, by access bought.

The problem is *minimise minus value* (see :mod:`planner.optimise.solver` for the sign trap).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import NamedTuple

import pulp

from planner.optimise import laboratory, limits, terms, work_up
from planner.optimise.row import NONE, Row, add, merge
from planner.pathway.arrays import most
from planner.pathway.problem import Indication, Problem, ServiceOption, TherapyOption, UseCase
from planner.scenario.model import PAYERS, Scenario


class Source(NamedTuple):
    """A way to learn b: service ``service`` within base ``base`` of one indication and year."""

    region: str
    indication: str
    biomarker: str
    base: str
    service: str
    year: int


@dataclass(frozen=True)
class Taken:
    """A source with the objects behind it; ``q`` and ``qa`` are its variables."""

    source: Source
    use_case: UseCase
    indication: Indication
    option: ServiceOption
    q: pulp.LpVariable
    qa: pulp.LpVariable
    x: tuple[tuple[TherapyOption, pulp.LpVariable], ...]
    v: tuple[tuple[TherapyOption, pulp.LpVariable], ...]
    years: int
    reach: float  # A in selective mode, else 1


class Formulation:
    """Sets, variables, constraints and objective of one problem under one scenario.

    After construction ``lp`` is complete; ``values[measure]``, ``testing[t]``, ``treatment[t]``
    and ``money`` are rows (variable -> coefficient) that the engine re-uses in place.

    levers: whether access may be moved in place later: every drug then has its variables, and zeros
    keep their place in the matrix.
    """

    def __init__(self, problem: Problem, scenario: Scenario, levers: bool = False):
        self.problem, self.scenario, self.levers = problem, scenario, levers
        self.lp = pulp.LpProblem("essential_biomarkers", pulp.LpMinimize)
        self.T: dict[tuple, pulp.LpVariable] = {}
        self.y: dict[tuple, pulp.LpVariable] = {}
        self.bases: dict[tuple, tuple[Indication, ServiceOption]] = {}
        self.taken: list[Taken] = []
        for t in range(problem.years):
            for indication in problem.indications:
                self._indication(indication, t)
        self.laboratory = laboratory.laboratory(self)
        self._rows()
        limits.policy(self)
        limits.limits(self)
        self.lp.setObjective(pulp.LpAffineExpression(
            {v: -c for v, c in self.value(scenario.objective).items()}
        ))

    # -- variables and the constraints of one indication -------------------------------------

    def _var(self, *parts) -> pulp.LpVariable:
        name = "_".join(str(p).replace("-", "") for p in parts)
        return self.lp.add_variable(name, 0, None)

    def put(self, row: Row, variable, coefficient) -> None:
        """A coefficient that a lever may move keeps its place although it is zero today."""
        if self.levers:
            row[variable] = row.get(variable, 0.0) + coefficient
        else:
            add(row, variable, coefficient)

    def constrain(self, name: str, row: Row, sense: int, rhs: float) -> None:
        self.lp.addConstraint(
            pulp.LpConstraint(pulp.LpAffineExpression(row), sense, name.replace("-", ""), rhs)
        )

    def _indication(self, ind: Indication, t: int) -> None:
        cases = [u for u in ind.use_cases if u.active and u.asked(ind.eligible) > 0 and self._measured(u)]
        bases, singles = offered(ind, cases)
        if not cases or not (bases or singles):
            return
        where = (ind.region, ind.indication)
        T = self.T[*where, t] = self._var("T", *where, t + 1)
        mine: list[Taken] = []
        for base in [None, *bases]:
            name = NONE if base is None else base.service
            y = self.y[*where, name, t] = self._var("y", *where, name, t + 1)
            if base is not None:
                self.bases[*where, name, t] = (ind, base)
            for u in cases:
                options = [base] if base and base.result(u.biomarker) else singles
                mine += [
                    self._take(ind, u, name, option, t)
                    for option in options if self._supplies(u, option)
                ]
            work_up.one_result_per_biomarker(self, ind, name, mine, y, t)
            work_up.prerequisites(self, ind, name, mine, cases, t)
            work_up.treated_within_worked_up(self, ind, name, mine, y, t)
        work_up.work_up(self, ind, T, t)
        work_up.coverage_limits(self, ind, cases, mine, T, t)
        self.taken += mine

    def _measured(self, u: UseCase) -> bool:
        """A use case without the number for the objective is left out, never taken for zero."""
        objective = self.scenario.objective
        measure = "qalys" if objective == "net_health" else objective
        return any(d.effects.pair(measure) is not None for d in u.therapies)

    @staticmethod
    def _supplies(u: UseCase, option: ServiceOption) -> bool:
        """A service no better than chance for b cannot supply b."""
        result = option.result(u.biomarker)
        return result is not None and result.se + result.sp > 1 and result.eta > 0

    def _take(self, ind, u: UseCase, base: str, option: ServiceOption, t: int) -> Taken:
        source = Source(ind.region, ind.indication, u.biomarker, base, option.service, t)
        tag = (ind.region, ind.indication, u.biomarker, base, option.service)
        q = self._var("q", *tag, t + 1)
        selective = self.scenario.access.mode == "selective"
        qa = self._var("qa", *tag, t + 1) if selective else q
        x = tuple((d, self._var("x", *tag, d.therapy, t + 1)) for d in u.therapies if self.levers or d.alpha > 0)
        v = tuple(
            (d, self._var("v", *tag, d.therapy, t + 1))
            for d in u.therapies if self.bought(d) and (self.levers or self.ceiling(d) > d.alpha)
        )
        taken = Taken(source, u, ind, option, q, qa, x, v, self.problem.years,
                      self.reach(u) if selective else 1.0)
        work_up.access(self, taken)
        return taken

    def bought(self, d: TherapyOption) -> bool:
        return bool(set(d.drugs) & set(self.scenario.access.buy))

    def ceiling(self, d: TherapyOption):
        """Share that could get a therapy if the plan buys what it may: the smallest over its drugs, those
        that are not bought as reachable as today."""
        if not self.bought(d):
            return d.alpha
        parts = [ceiling if drug in self.scenario.access.buy else share for drug, share, ceiling in d.reach]
        return most(d.alpha, min(parts, default=d.amax))

    # -- rows that several constraints and the objective share --------------------------------

    def _rows(self) -> None:
        years = range(self.problem.years)
        self.testing = {t: self._testing(t) for t in years}
        named = self.scenario.budget.payers
        self.treatment = {t: self._treatment(t, named) for t in years}
        self.money = merge(*(self.testing[t] for t in years),
                           *(self.spending(t, PAYERS) for t in years))
        self.blind_spending = {
            t: sum(terms.blind_spending(i, u, named, t) for i, u in self.active()) for t in years
        }

    def active(self):
        return [(i, u) for i in self.problem.indications for u in i.use_cases if u.active]

    def value(self, objective: str) -> Row:
        """Objective row: discounted health of a measure with its equity weight, or net health, per unit of
        each variable."""
        out = self.health("qalys" if objective == "net_health" else objective, as_valued=True)
        if objective == "net_health":
            for t in range(self.problem.years):
                weight = (1 + self.problem.discount_rate) ** -t / self.problem.threshold
                costs = merge(self.testing[t], self._net_cost(t))
                for variable, coefficient in costs.items():
                    add(out, variable, -weight * coefficient)
        return out

    def health(self, measure: str, as_valued: bool = False) -> Row:
        """Health of all years by a measure; ``as_valued``: at its present value and with equity weights."""
        out: Row = {}
        equity = self.scenario.equity.weights
        for k in self.taken:
            weight = (1 + self.problem.discount_rate) ** -k.source.year * equity.get(k.source.indication, 1.0) \
                if as_valued else 1.0
            for variable, coefficient in terms.health(k, measure):
                add(out, variable, weight * coefficient)
        return out

    def incremental(self) -> Row:
        """Discounted incremental cost of treatment, all years and payers."""
        return merge(*(self._net_cost(t) for t in range(self.problem.years)))

    def treated(self) -> Row:
        """People treated per unit of each variable, all years."""
        out: Row = {}
        for k in self.taken:
            for variable, people in terms.treated(k):
                add(out, variable, people)
        return out

    def _net_cost(self, t: int) -> Row:
        out: Row = {}
        for k in self.taken:
            if k.source.year == t:
                for variable, coefficient in terms.incremental_cost(k):
                    add(out, variable, coefficient)
        return out

    def _testing(self, t: int) -> Row:
        """Testing money of a year: bases, singles within them, what a tested patient needs, and what the home
        laboratory costs beside its samples."""
        out: Row = {}
        for ind in self.problem.indications:
            T = self.T.get((ind.region, ind.indication, t))
            if T is not None:
                add(out, T, ind.eligible * ind.workup_cost)
        for people, variable, option in self.delivered(t):
            add(out, variable, people * option.cost)
        return merge(out, laboratory.money(self.laboratory, t)) if self.laboratory else out

    def delivered(self, t: int):
        """(people a year per unit, variable, service) of every base and single of a year."""
        for ind in self.problem.indications:
            if (ind.region, ind.indication, t) not in self.T:
                continue
            for s in ind.services:
                y = self.y.get((ind.region, ind.indication, s.service, t))
                if y is not None:
                    yield ind.eligible, y, s
        for k in self.taken:
            if k.source.year == t and k.source.base != k.source.service:
                yield k.use_case.asked(k.indication.eligible), k.q, k.option

    def spending(self, t: int, payers) -> Row:
        """Treatment money of year t that the payers carry, difference from no testing."""
        out: Row = {}
        for k in self.taken:
            for variable, coefficient in terms.spending(k, payers, t):
                add(out, variable, coefficient)
        return out

    def _treatment(self, t: int, payers) -> Row:
        """Spending by use case and payer; savings count only where they are cashable."""
        if self.scenario.budget.savings_cashable:
            return self.spending(t, payers)
        parts: dict[tuple, Row] = {}
        for k in self.taken:
            for payer in payers:
                row = parts.setdefault((k.source.region, k.use_case.id, payer), {})
                for variable, coefficient in terms.spending(k, (payer,), t, bought_by=payers[0]):
                    add(row, variable, coefficient)
        out: Row = {}
        for (region, use_case, payer), row in parts.items():
            name = (region, use_case.replace("/", "_"), payer, t + 1)
            if self._may_save(name, row):
                plus = self._var("Dplus", *name)
                self.constrain("_".join(map(str, ("saved", *name))), row | {plus: -1.0}, pulp.LpConstraintLE, 0)
                row = {plus: 1.0}
            for variable, coefficient in row.items():
                add(out, variable, coefficient)
        return out

    def _may_save(self, name: tuple, row: Row) -> bool:
        """Whether testing can lower this spending, so that the saving must be cut off at nothing."""
        return self.levers or any(c < 0 for c in row.values())

    def axis(self, axis: str, t: int) -> Row:
        """Row of a budget axis in year t: testing, treatment or both."""
        if axis == "testing":
            return self.testing[t]
        return self.treatment[t] if axis == "treatment" else merge(self.testing[t], self.treatment[t])

    def right_hand_side(self, axis: str, t: int, limit: float) -> float:
        """What is left of a limit once blind spending (basis ``all``) has been paid."""
        if axis == "testing" or self.scenario.budget.basis == "additional":
            return limit
        return most(0.0, limit - self.blind_spending[t])

    def minutes(self, who: str, t: int) -> Row:
        """Minutes of people a year."""
        row: Row = {}
        for people, variable, option in self.delivered(t):
            add(row, variable, people * getattr(option, who))
        return row

    def coverage_row(self, u: UseCase, t: int) -> Row:
        return dict(self._covered.get((u.region, u.indication, u.biomarker, t), {}))

    @cached_property
    def _covered(self) -> dict[tuple, Row]:
        """Coverage of every use case and year, once all results are taken."""
        out: dict[tuple, Row] = {}
        for k in self.taken:
            s = k.source
            out.setdefault((s.region, s.indication, s.biomarker, s.year), {})[k.q] = 1.0
        return out

    def reach(self, u: UseCase) -> float:
        """A: the largest share of those in need whom any drug of the use case can reach."""
        return reduce(most, map(self.ceiling, u.therapies), 0.0)


def offered(ind: Indication, cases) -> tuple[list[ServiceOption], list[ServiceOption]]:
    """(bases, singles) of an indication that answer an active use case, sorted by id."""
    wanted = {u.biomarker for u in cases}
    useful = [s for s in ind.services if any(r.biomarker in wanted for r in s.results)]
    useful.sort(key=lambda s: s.service)
    return ([s for s in useful if s.kind == "base"], [s for s in useful if s.kind == "single"])
