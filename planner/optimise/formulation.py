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
from typing import NamedTuple

import pulp

from planner.errors import BadInput, Issue
from planner.optimise import terms
from planner.pathway.problem import Indication, Problem, ServiceOption, TherapyOption, UseCase
from planner.scenario.model import PAYERS, Scenario

NONE = "none"
Row = dict  # variable -> coefficient


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


def add(row: Row, variable, coefficient: float) -> None:
    """Add a coefficient to a row; exact zeros leave no trace."""
    if coefficient:
        row[variable] = row.get(variable, 0.0) + coefficient


def merge(*rows: Row) -> Row:
    out: Row = {}
    for row in rows:
        for variable, coefficient in row.items():
            add(out, variable, coefficient)
    return out


class Formulation:
    """Sets, variables, constraints and objective of one problem under one scenario.

    After construction ``lp`` is complete; ``values[measure]``, ``testing[t]``, ``treatment[t]``
    and ``money`` are rows (variable -> coefficient) that the engine re-uses in place.
    """

    def __init__(self, problem: Problem, scenario: Scenario):
        self.problem, self.scenario = problem, scenario
        self.lp = pulp.LpProblem("essential_biomarkers", pulp.LpMinimize)
        self.T: dict[tuple, pulp.LpVariable] = {}
        self.y: dict[tuple, pulp.LpVariable] = {}
        self.taken: list[Taken] = []
        self.dplus: dict[tuple, pulp.LpVariable] = {}
        for t in range(problem.years):
            for indication in problem.indications:
                self._indication(indication, t)
        self._rows()
        self._policy()
        self._limits()
        self.lp.setObjective(pulp.LpAffineExpression(
            {v: -c for v, c in self.value(scenario.objective).items()}
        ))

    # -- variables and the constraints of one indication -------------------------------------

    def _var(self, *parts) -> pulp.LpVariable:
        name = "_".join(str(p).replace("-", "") for p in parts)
        return self.lp.add_variable(name, 0, None)

    def _constrain(self, name: str, row: Row, sense: int, rhs: float) -> None:
        self.lp.addConstraint(
            pulp.LpConstraint(pulp.LpAffineExpression(row), sense, name.replace("-", ""), rhs)
        )

    def _indication(self, ind: Indication, t: int) -> None:
        cases = [u for u in ind.use_cases if u.active and ind.eligible > 0]
        bases, singles = offered(ind, cases)
        if not cases or not (bases or singles):
            return
        where = (ind.region, ind.indication)
        T = self.T[*where, t] = self._var("T", *where, t + 1)
        mine: list[Taken] = []
        for base in [None, *bases]:
            name = NONE if base is None else base.service
            y = self.y[*where, name, t] = self._var("y", *where, name, t + 1)
            for u in cases:
                options = [base] if base and base.result(u.biomarker) else singles
                mine += [
                    self._take(ind, u, name, option, t)
                    for option in options if self._supplies(u, option)
                ]
            self._one_result_per_biomarker(ind, name, mine, y, t)
            self._prerequisites(ind, name, mine, cases, t)
            self._treated_within_worked_up(ind, name, mine, y, t)
        self._work_up(ind, T, t)
        self._coverage_limits(ind, cases, mine, T, t)
        self.taken += mine

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
        x = tuple((d, self._var("x", *tag, d.therapy, t + 1)) for d in u.therapies if d.alpha > 0)
        v = tuple(
            (d, self._var("v", *tag, d.therapy, t + 1))
            for d in u.therapies if self._bought(d) and d.amax > d.alpha
        )
        taken = Taken(source, u, ind, option, q, qa, x, v, self.problem.years,
                      self.reach(u) if selective else 1.0)
        self._access(taken)
        return taken

    def _bought(self, d: TherapyOption) -> bool:
        return bool(set(d.drugs) & set(self.scenario.access.buy))

    def _work_up(self, ind: Indication, T, t: int) -> None:
        """Bases exclude each other: their shares sum to the share worked up."""
        row: Row = {T: -1.0}
        for (r, i, _, year), y in self.y.items():
            if (r, i, year) == (ind.region, ind.indication, t):
                add(row, y, 1.0)
        self._constrain(f"workup_{ind.region}_{ind.indication}_{t + 1}", row, pulp.LpConstraintEQ, 0)

    def _one_result_per_biomarker(self, ind, base: str, mine, y, t: int) -> None:
        """Within a base a result for b is taken once: its singles, or the base's own."""
        for b in sorted({k.source.biomarker for k in mine if k.source.base == base}):
            row: Row = {y: -1.0}
            for k in mine:
                if k.source.base == base and k.source.biomarker == b:
                    add(row, k.q, 1.0)
            self._constrain(
                f"once_{ind.region}_{ind.indication}_{b}_{base}_{t + 1}", row, pulp.LpConstraintLE, 0
            )

    def _prerequisites(self, ind, base: str, mine, cases, t: int) -> None:
        """Within a base b is read only where its prerequisite is known.

        A prerequisite that is no active use case here (no drug of its own) cannot be enforced
        through q and is left to the note of the plan.
        """
        active = {u.biomarker for u in cases}
        for u in cases:
            for required in u.requires:
                if required not in active:
                    continue
                row: Row = {}
                for k in mine:
                    if k.source.base == base and k.source.biomarker == u.biomarker:
                        add(row, k.q, 1.0)
                    if k.source.base == base and k.source.biomarker == required:
                        add(row, k.q, -1.0)
                if any(c > 0 for c in row.values()):
                    self._constrain(
                        f"first_{ind.region}_{ind.indication}_{u.biomarker}_{required}_{base}_{t + 1}",
                        row, pulp.LpConstraintLE, 0,
                    )

    def _treated_within_worked_up(self, ind, base: str, mine, y, t: int) -> None:
        """Per decision and base: people given a matched drug never exceed people worked up."""
        groups = {d.line_group for k in mine for d, _ in k.x + k.v if k.source.base == base}
        for group in sorted(groups):
            row: Row = {y: -1.0}
            biomarkers = set()
            for k in mine:
                if k.source.base != base:
                    continue
                result = k.option.result(k.source.biomarker)
                called = sum(k.use_case.called(result)) * result.eta
                for d, variable in k.x + k.v:
                    if d.line_group == group:
                        add(row, variable, called)
                        biomarkers.add(k.source.biomarker)
            if len(biomarkers) > 1:
                self._constrain(
                    f"treated_{ind.region}_{ind.indication}_{group}_{base}_{t + 1}",
                    row, pulp.LpConstraintLE, 0,
                )

    def _coverage_limits(self, ind, cases, mine, T, t: int) -> None:
        """Coverage of b at most kap; the share worked up at most the largest kap."""
        T.upBound = max(u.kap for u in cases)
        for u in cases:
            row = {k.q: 1.0 for k in mine if k.source.biomarker == u.biomarker}
            if row:
                self._constrain(
                    f"cover_{ind.region}_{ind.indication}_{u.biomarker}_{t + 1}",
                    row, pulp.LpConstraintLE, u.kap,
                )
            if row and self.scenario.access.mode == "selective":
                self._constrain(
                    f"reach_{ind.region}_{ind.indication}_{u.biomarker}_{t + 1}",
                    {k.qa: 1.0 for k in mine if k.source.biomarker == u.biomarker},
                    pulp.LpConstraintLE, self.reach(u),
                )

    def _access(self, k: Taken) -> None:
        """Access is nested within a line group: whoever gets the scarcer drug could have got the
        commoner one. Nobody is denied by being tested what he would get blind."""
        tag = "_".join(map(str, k.source[:5])) + f"_{k.source.year + 1}"
        selective = self.scenario.access.mode == "selective"
        for group in sorted({d.line_group for d in k.use_case.therapies}):
            mine = [d for d in k.use_case.therapies if d.line_group == group]
            scale = self.reach(k.use_case) if selective else 1.0
            if scale == 0:
                continue
            x = {d.therapy: v for d, v in k.x if d.line_group == group}
            v = {d.therapy: w for d, w in k.v if d.line_group == group}
            self._nested(f"access_{tag}_{group}", mine, [x], k.qa, lambda d: d.alpha / scale)
            if v:
                ceiling = {d.therapy: max(d.alpha, d.amax) if self._bought(d) else d.alpha for d in mine}
                self._nested(f"ceiling_{tag}_{group}", mine, [x, v], k.qa,
                             lambda d: ceiling[d.therapy] / scale)
                for d in mine:
                    if d.therapy in v:
                        self._constrain(
                            f"bought_{tag}_{d.therapy}",
                            {v[d.therapy]: 1.0, k.qa: -(d.amax - d.alpha) * d.sub / scale},
                            pulp.LpConstraintLE, 0,
                        )
            blind = sum(d.u0 for d in mine) / scale
            if blind > 0:
                row: Row = {k.qa: -blind}
                for variable in [*x.values(), *v.values()]:
                    add(row, variable, 1.0)
                self._constrain(f"blind_{tag}_{group}", row, pulp.LpConstraintGE, 0)
        if selective:
            self._constrain(f"reached_{tag}", {k.qa: 1.0, k.q: -1.0}, pulp.LpConstraintLE, 0)

    def reach(self, u: UseCase) -> float:
        """A: the largest share of those in need whom any drug of the use case can reach."""
        return max((max(d.alpha, d.amax) if self._bought(d) else d.alpha for d in u.therapies),
                   default=0.0)

    def _nested(self, name, mine, variables, qa, alpha) -> None:
        """Ordered scarcest first: the first n drugs share what the commonest of them allows."""
        ordered = sorted(mine, key=lambda d: (alpha(d) * d.sub, d.therapy))
        row: Row = {}
        for n, d in enumerate(ordered, 1):
            for group in variables:
                if d.therapy in group:
                    add(row, group[d.therapy], 1.0)
            if row:
                self._constrain(f"{name}_{n}", row | {qa: -alpha(d) * d.sub}, pulp.LpConstraintLE, 0)

    # -- rows that several constraints and the objective share --------------------------------

    def _rows(self) -> None:
        years = range(self.problem.years)
        self.testing = {t: self._testing(t) for t in years}
        named = self.scenario.budget.payers
        self.treatment = {t: self._treatment(t, named) for t in years}
        self.money = merge(*(self.testing[t] for t in years),
                           *(self._spending(t, PAYERS) for t in years))
        self.blind_spending = {
            t: sum(terms.blind_spending(i, u, named, t) for i, u in self._active()) for t in years
        }

    def _active(self):
        return [(i, u) for i in self.problem.indications for u in i.use_cases if u.active]

    def value(self, objective: str) -> Row:
        """Objective row: discounted health of a measure, or net health, per unit of each variable."""
        measure = "qalys" if objective == "net_health" else objective
        out: Row = {}
        for k in self.taken:
            weight = (1 + self.problem.discount_rate) ** -k.source.year
            for variable, coefficient in terms.health(k, measure):
                add(out, variable, weight * coefficient)
        if objective == "net_health":
            for t in range(self.problem.years):
                weight = (1 + self.problem.discount_rate) ** -t / self.problem.threshold
                costs = merge(self.testing[t], self._net_cost(t))
                for variable, coefficient in costs.items():
                    add(out, variable, -weight * coefficient)
        return out

    def _net_cost(self, t: int) -> Row:
        out: Row = {}
        for k in self.taken:
            if k.source.year == t:
                for variable, coefficient in terms.incremental_cost(k):
                    add(out, variable, coefficient)
        return out

    def _testing(self, t: int) -> Row:
        """Testing money of a year: bases, singles within them, and what a tested patient needs."""
        out: Row = {}
        for ind in self.problem.indications:
            T = self.T.get((ind.region, ind.indication, t))
            if T is not None:
                add(out, T, ind.eligible * ind.workup_cost)
                for s in ind.services:
                    y = self.y.get((ind.region, ind.indication, s.service, t))
                    if y is not None:
                        add(out, y, ind.eligible * s.cost)
        for k in self.taken:
            if k.source.year == t and k.source.base != k.source.service:
                add(out, k.q, k.indication.eligible * k.option.cost)
        return out

    def _spending(self, t: int, payers) -> Row:
        """Treatment money of year t that the payers carry, difference from no testing."""
        out: Row = {}
        for k in self.taken:
            for variable, coefficient in terms.spending(k, payers, t):
                add(out, variable, coefficient)
        return out

    def _treatment(self, t: int, payers) -> Row:
        """Spending by use case and payer; savings count only where they are cashable."""
        if self.scenario.budget.savings_cashable:
            return self._spending(t, payers)
        parts: dict[tuple, Row] = {}
        for k in self.taken:
            for payer in payers:
                row = parts.setdefault((k.source.region, k.use_case.id, payer), {})
                for variable, coefficient in terms.spending(k, (payer,), t, bought_by=payers[0]):
                    add(row, variable, coefficient)
        out: Row = {}
        for (region, use_case, payer), row in parts.items():
            if any(c < 0 for c in row.values()):
                plus = self._var("Dplus", region, use_case.replace("/", "_"), payer, t + 1)
                self._constrain(f"saved_{region}_{use_case.replace('/', '_')}_{payer}_{t + 1}",
                                row | {plus: -1.0}, pulp.LpConstraintLE, 0)
                row = {plus: 1.0}
            out = merge(out, row)
        return out

    # -- limits of the scenario ----------------------------------------------------------------

    def _limits(self) -> None:
        for t in range(self.problem.years):
            for axis in ("testing", "treatment", "total"):
                limit = self.scenario.limit(axis, t)
                if limit is not None:
                    self._constrain(f"budget_{axis}_{t + 1}", self.axis(axis, t),
                                    pulp.LpConstraintLE, self.right_hand_side(axis, t, limit))
            self._people(t)
            self._courses(t)
            self._ramp(t)

    def axis(self, axis: str, t: int) -> Row:
        """Row of a budget axis in year t: testing, treatment or both."""
        if axis == "testing":
            return self.testing[t]
        return self.treatment[t] if axis == "treatment" else merge(self.testing[t], self.treatment[t])

    def right_hand_side(self, axis: str, t: int, limit: float) -> float:
        """What is left of a limit once blind spending (basis ``all``) has been paid."""
        if axis == "testing" or self.scenario.budget.basis == "additional":
            return limit
        return max(0.0, limit - self.blind_spending[t])

    def _people(self, t: int) -> None:
        for who in ("technician_minutes", "pathologist_minutes"):
            limit = getattr(self.scenario.laboratory, who)
            if limit is not None:
                self._constrain(f"people_{who}_{t + 1}", self.minutes(who, t),
                                pulp.LpConstraintLE, limit)

    def minutes(self, who: str, t: int) -> Row:
        """Minutes of people a year."""
        row: Row = {}
        for ind in self.problem.indications:
            for s in ind.services:
                y = self.y.get((ind.region, ind.indication, s.service, t))
                if y is not None:
                    add(row, y, ind.eligible * getattr(s, who))
        for k in self.taken:
            if k.source.year == t and k.source.base != k.source.service:
                add(row, k.q, k.indication.eligible * getattr(k.option, who))
        return row

    def _courses(self, t: int) -> None:
        """Fixed supply of a drug: people treated with it, blind ones included."""
        fixed = {c for _, u in self._active() for d in u.therapies for c in d.courses}
        for drug, courses in sorted(fixed):
            row: Row = {}
            blind = sum(terms.blind_people(i, u, drug) for i, u in self._active())
            for k in self.taken:
                if k.source.year == t:
                    for variable, coefficient in terms.people(k, drug):
                        add(row, variable, coefficient)
            self._constrain(f"courses_{drug}_{t + 1}", row, pulp.LpConstraintLE, courses - blind)

    def coverage_row(self, u: UseCase, t: int) -> Row:
        return {k.q: 1.0 for k in self.taken
                if (k.source.region, k.source.indication, k.source.biomarker, k.source.year)
                == (u.region, u.indication, u.biomarker, t)}

    def _ramp(self, t: int) -> None:
        ramp = self.scenario.coverage.ramp_per_year
        if ramp is None:
            return
        for _, u in self._active():
            now = self.coverage_row(u, t)
            before = {v: -c for v, c in self.coverage_row(u, t - 1).items()} if t else {}
            today = (u.kap0 or 0.0) if t == 0 else 0.0
            if now:
                self._constrain(f"ramp_{u.region}_{u.id.replace('/', '_')}_{t + 1}",
                                merge(now, before), pulp.LpConstraintLE, ramp + today)

    def _policy(self) -> None:
        """Floors: mandated use cases at what can be reached, today's coverage where money is
        counted as additional to today's."""
        for t in range(self.problem.years):
            for _, u in self._active():
                floor = u.kap if u.must_fund else 0.0
                if self.scenario.budget.basis == "additional" and u.kap0 is not None:
                    floor = max(floor, min(u.kap0, u.kap))
                row = self.coverage_row(u, t)
                if floor > 0 and not row:
                    raise BadInput([Issue(f"policy.must_fund {u.id}", "no service supplies it here",
                                          "offer a service or take it off the list")])
                if floor > 0:
                    self._constrain(f"floor_{u.region}_{u.id.replace('/', '_')}_{t + 1}", row,
                                    pulp.LpConstraintGE, floor)


def offered(ind: Indication, cases) -> tuple[list[ServiceOption], list[ServiceOption]]:
    """(bases, singles) of an indication that answer an active use case, sorted by id."""
    wanted = {u.biomarker for u in cases}
    useful = [s for s in ind.services if any(r.biomarker in wanted for r in s.results)]
    useful.sort(key=lambda s: s.service)
    return ([s for s in useful if s.kind == "base"], [s for s in useful if s.kind == "single"])
