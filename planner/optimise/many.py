"""Many versions of one problem (draws, levers) on one loaded model, changed in place.

The formulation is not written a second time: its own row builders run once more on a problem whose
numbers are arrays, one entry per version, and give arrays of coefficients. What they say goes to the
places that the loaded model already has; each version is then re-solved from the last basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import highspy
import numpy as np

from planner.errors import Issue, SolverFailure
from planner.optimise import limits, work_up
from planner.optimise.formulation import Formulation
from planner.optimise.resolve import Engine
from planner.optimise.row import Row
from planner.optimise.solver import LoadedModel
from planner.pathway.problem import Problem

CHEAPEST = 1e-10  # weight of a dollar against a unit of the objective: only ties are decided by money


class Versions(Formulation):
    """The rows of a formulation for many versions of its problem.

    ``problem`` has the structure of the formulation's own (same use cases, services, therapies);
    numbers may be arrays of ``size``. Rows are kept in ``rows``: name -> (row, right-hand side).
    """

    def __init__(self, base: Formulation, problem: Problem):
        self.problem, self.scenario, self.levers = problem, base.scenario, base.levers
        self.T, self.y, self.laboratory = base.T, base.y, base.laboratory
        self._known = {v.name: v for v in base.lp.variables()}
        self.rows: dict[str, tuple[Row, object]] = {}
        self._adopt(base)
        self._rebuild()

    def _var(self, *parts):
        return self._known["_".join(str(p).replace("-", "") for p in parts)]

    def constrain(self, name: str, row: Row, sense: int, rhs) -> None:
        self.rows[name.replace("-", "")] = (row, rhs)

    def _may_save(self, name: tuple, row: Row) -> bool:
        known = "_".join(map(str, ("Dplus", *name))).replace("-", "") in self._known
        if not known and any(np.any(c < 0) for c in row.values()):
            raise SolverFailure([Issue("savings of " + "_".join(map(str, name)), "a version saves where the model itself cannot",
                                       "report the scenario")])
        return known

    def _adopt(self, base: Formulation) -> None:
        """The base's results with the objects of this problem behind them."""
        found = {(i.region, i.indication): i for i in self.problem.indications}
        cases = {(u.region, u.id): u for u in self.problem.use_cases}
        options = {(i.region, i.indication, s.service): s for i in self.problem.indications for s in i.services}
        self.bases = {key: (found[key[:2]], options[key[:3]]) for key in base.bases}
        self.taken = []
        for k in base.taken:
            s, u = k.source, cases[k.source.region, k.use_case.id]
            mine = {d.therapy: d for d in u.therapies}
            self.taken.append(replace(
                k, use_case=u, indication=found[s.region, s.indication], option=options[s.region, s.indication, s.service],
                x=tuple((mine[d.therapy], v) for d, v in k.x), v=tuple((mine[d.therapy], v) for d, v in k.v),
                reach=self.reach(u) if self.scenario.access.mode == "selective" else 1.0,
            ))

    def _rebuild(self) -> None:
        groups: dict[tuple, list] = {}
        for k in self.taken:
            groups.setdefault((k.source.region, k.source.indication, k.source.year), []).append(k)
        for (region, indication, t), mine in groups.items():
            for base in sorted({k.source.base for k in mine}):
                work_up.treated_within_worked_up(self, mine[0].indication, base, mine, self.y[region, indication, base, t], t)
            for k in mine:
                work_up.access(self, k)
            cases = list({k.use_case.id: k.use_case for k in mine}.values())
            work_up.coverage_limits(self, mine[0].indication, cases, mine, self.T[region, indication, t], t)
        self._rows()
        limits.limits(self)


def copied(lp: highspy.HighsLp) -> highspy.HighsLp:
    """A model's arrays, to be changed without touching the original."""
    out = highspy.HighsLp()
    for name in ("num_col_", "num_row_", "col_cost_", "col_lower_", "col_upper_", "row_lower_", "row_upper_"):
        setattr(out, name, getattr(lp, name))
    for name in ("format_", "start_", "index_", "value_"):
        setattr(out.a_matrix_, name, getattr(lp.a_matrix_, name))
    return out


@dataclass(frozen=True)
class Answer:
    """One version solved: value (NaN where its limits contradict), and the value of every variable."""

    value: float
    values: np.ndarray


class ManyModels:
    """The model of an engine for ``size`` versions of its problem, solved one after another, warm.

    The engine itself is not touched. Rows without a limit stay out. Coefficients are for the
    objective of the scenario, with a trace of money so that ties go to the cheaper plan.
    """

    def __init__(self, engine: Engine, problem: Problem, size: int):
        self.engine, self.size = engine, size
        base = engine.formulation
        self.versions = Versions(base, problem)
        self.arrays = engine.arrays
        _, self.constraints, shared = self.arrays
        self.lp = copied(shared)  # several sets of models may live on one engine, in several threads
        self.columns = {v: j for j, v in enumerate(self.arrays[0])}
        self.row_index = {c.name: k for k, c in enumerate(self.constraints)}
        self._costs()
        self._matrix()
        self._bounds()
        self.model = LoadedModel((*self.arrays[:2], self.lp))
        self.solves = 0
        self.kept: dict = {}  # coefficients that a caller reads every version with

    # -- what varies ------------------------------------------------------------------------------

    def row(self, row: Row) -> np.ndarray:
        """A row as coefficients by column and version (columns x size)."""
        out = np.zeros((len(self.columns), self.size))
        for variable, coefficient in row.items():
            out[self.columns[variable]] += coefficient
        return out

    def _costs(self) -> None:
        """Objective coefficients by version; the value alone is kept for reading."""
        self.value = self.row(self.versions.value(self.engine.scenario.objective))
        self.cost = CHEAPEST * self.row(self.versions.money) - self.value

    def _matrix(self) -> None:
        """Places of the coefficients that vary, and their values by version. One that is nothing in the model and
        something in a version gets a place; one that the versions do not have is nothing in all of them."""
        rows = {r: {self.columns[v]: c for v, c in row.items()} for name, (row, _) in self.versions.rows.items()
                if (r := self.row_index.get(name)) is not None}
        where = self._places(rows)
        self.base_values = np.array(self.lp.a_matrix_.value_)
        places, numbers = [], []
        for r, row in rows.items():
            for column, place in where[r].items():
                coefficient = row.get(column, 0.0)
                if isinstance(coefficient, np.ndarray) or coefficient != self.base_values[place]:
                    places.append(place)
                    numbers.append(np.broadcast_to(coefficient, self.size))
        self.places = np.array(places, int)
        self.numbers = np.array(numbers, float).reshape(len(places), self.size)

    def _places(self, rows: dict[int, dict]) -> dict[int, dict[int, int]]:
        """Place in the matrix by row and column, after room was made for what has none."""
        matrix = self.lp.a_matrix_
        start, index = np.array(matrix.start_), np.array(matrix.index_)
        new = [(r, column) for r in sorted(rows) for held in [set(index[start[r]:start[r + 1]].tolist())]
               for column, c in rows[r].items() if column not in held and np.any(c)]
        if new:
            ends = [start[r + 1] for r, _ in new]
            matrix.value_ = np.insert(np.array(matrix.value_), ends, 0.0)
            index = np.insert(index, ends, [column for _, column in new]).astype(np.int32)
            added = np.zeros(len(start), start.dtype)
            np.add.at(added, [r + 1 for r, _ in new], 1)
            start = start + np.cumsum(added, dtype=start.dtype)
            matrix.start_, matrix.index_ = start, index
        return {r: {int(index[p]): p for p in range(start[r], start[r + 1])} for r in rows}

    def _bounds(self) -> None:
        """Right-hand sides that vary: what blind spending leaves of a budget, of a supply; and the results of tests
        that are no better than chance in a version, which then supply nobody."""
        upper = np.array(self.lp.row_upper_)
        limits = {self.row_index[name]: limit for name, limit in self.engine.limits.items() if limit is not None}
        for r, limit in limits.items():
            upper[r] = limit
        additional = self.engine.scenario.budget.basis == "additional"  # today's money is in the engine's limits only
        self.upper = {}
        self.base_upper = upper
        for name, (_, rhs) in self.versions.rows.items():
            r = self.row_index.get(name)
            if r is None or not np.isfinite(upper[r]) or (additional and r in limits):
                continue
            if isinstance(rhs, np.ndarray):
                self.upper[r] = rhs
            else:
                upper[r] = rhs
        self.base_columns = np.array(self.lp.col_upper_)
        results = ((k, k.option.result(k.source.biomarker)) for k in self.versions.taken)
        chance = {self.columns[k.q]: np.broadcast_to(found.se + found.sp <= 1, self.size) for k, found in results}
        self.shut = {column: mask for column, mask in chance.items() if mask.any()}

    # -- solving ----------------------------------------------------------------------------------

    def load(self, n: int) -> None:
        """Put version ``n`` into the loaded model; the basis of the last solve is kept."""
        values = self.base_values.copy()
        values[self.places] = self.numbers[:, n]
        upper = self.base_upper.copy()
        for r, bound in self.upper.items():
            upper[r] = bound[n]
        self.lp.a_matrix_.value_ = values
        self.lp.col_cost_ = self.cost[:, n]
        self.lp.row_upper_ = upper
        if self.shut:
            columns = self.base_columns.copy()
            columns[[column for column, mask in self.shut.items() if mask[n]]] = 0.0
            self.lp.col_upper_ = columns
        highs = self.model.highs
        basis = highs.getBasis()
        highs.passModel(self.lp)
        if basis.valid:
            highs.setBasis(basis)

    def solve(self, n: int) -> Answer:
        """The optimum of version ``n``. Raises :class:`SolverFailure` where the solver gives up."""
        self.load(n)
        self.solves += 1
        status = self.model.run()
        if status == "infeasible":
            self.model.highs.clearSolver()
            return Answer(float("nan"), np.full(len(self.columns), np.nan))
        if status != "optimal":
            raise SolverFailure([Issue("solver", f"it stopped with status {status}", "report the scenario")])
        values = np.array(self.model.highs.getSolution().col_value)
        return Answer(float(self.value[:, n] @ values), values)

    def answers(self) -> Iterator[Answer]:
        for n in range(self.size):
            yield self.solve(n)

    @cached_property
    def testing(self) -> np.ndarray:
        """Testing money per unit of each variable, first year (columns x size)."""
        return self.row(self.versions.testing[0])
