"""HiGHS in memory: load a PuLP model once, change it in place, re-solve warm.

PuLP holds the readable algebra; here its matrix is handed to HiGHS as arrays. All models are
*minimise minus value*, because PuLP's HiGHS interface returns duals of a maximisation with the
wrong sign; the sign is turned once, in :meth:`LoadedModel.shadow_price`.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import highspy
import numpy as np
import pulp

from planner.errors import Issue, SolverFailure

INF = highspy.kHighsInf
_OK = highspy.HighsModelStatus.kOptimal


@dataclass(frozen=True)
class SolveStatus:
    """How a solve ended. ``gap`` is 0 for a linear programme solved to optimality."""

    name: str
    seconds: float
    iterations: int
    gap: float = 0.0

    @property
    def has_solution(self) -> bool:
        return self.name == "optimal"


@dataclass(frozen=True)
class Solution:
    """A solved model: values and reduced costs by column, activities and duals by row."""

    status: SolveStatus
    objective: float
    values: np.ndarray
    reduced_costs: np.ndarray
    row_values: np.ndarray
    row_duals: np.ndarray


def matrix(lp: pulp.LpProblem, zeros: bool = False):
    """Arrays of a PuLP problem: (variables, constraints, HighsLp), minimisation form; zeros keep their
    place where they are asked for."""
    if lp.sense != pulp.LpMinimize:
        raise SolverFailure([Issue("model", "the objective is to be minimised", "negate it")])
    variables = lp.variables()
    column = {v: j for j, v in enumerate(variables)}
    constraints = list(lp.constraints())
    starts, indices, data, lower, upper = [0], [], [], [], []
    for c in constraints:
        for v, coefficient in c.items():
            if zeros or coefficient != 0:
                indices.append(column[v])
                data.append(coefficient)
        starts.append(len(indices))
        lower.append(-INF if c.sense == pulp.LpConstraintLE else -c.constant)
        upper.append(INF if c.sense == pulp.LpConstraintGE else -c.constant)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(variables), len(constraints)
    cost = np.zeros(len(variables))
    for v, coefficient in lp.objective.items():
        cost[column[v]] = coefficient
    model.col_cost_ = cost
    model.col_lower_ = np.array([-INF if v.lowBound is None else v.lowBound for v in variables], float)
    model.col_upper_ = np.array([INF if v.upBound is None else v.upBound for v in variables], float)
    model.row_lower_, model.row_upper_ = np.array(lower, float), np.array(upper, float)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.array(starts, np.int32)
    model.a_matrix_.index_ = np.array(indices, np.int32)
    model.a_matrix_.value_ = np.array(data, float)
    return variables, constraints, model


class LoadedModel:
    """A model living in HiGHS. Changes are made in place; each solve starts from the last basis."""

    def __init__(self, arrays, presolve: bool = False):
        """``arrays``: what :func:`matrix` returns; may be shared by several models. ``presolve``: simplify a large
        model before a solve that has no basis to start from."""
        self.variables, self.constraints, model = arrays
        self.column = {v.name: j for j, v in enumerate(self.variables)}
        self.row = {c.name: k for k, c in enumerate(self.constraints)}
        self.cost = np.array(model.col_cost_)
        self.highs = highspy.Highs()
        self.presolve = "on" if presolve else "off"
        for option, value in (
            ("output_flag", False), ("threads", 1), ("random_seed", 1), ("solver", "simplex"),
            ("parallel", "off"), ("presolve", self.presolve), ("simplex_iteration_limit", 200_000),
        ):
            self.highs.setOptionValue(option, value)
        self.highs.passModel(model)

    def set_row(self, name: str, lower: float | None, upper: float | None) -> None:
        """Bounds of a constraint; None is unbounded."""
        self.highs.changeRowBounds(
            self.row[name], -INF if lower is None else lower, INF if upper is None else upper
        )

    def add_free_row(self, name: str, vector: np.ndarray) -> None:
        """A row without limits, to be bounded when a question needs it."""
        idx = np.flatnonzero(vector).astype(np.int32)
        self.highs.addRow(-INF, INF, len(idx), idx, vector[idx])
        self.row[name] = len(self.row)

    def bounds(self, name: str) -> tuple[float, float]:
        """(lower, upper) of a constraint, infinite where unbounded."""
        _, lower, upper, _ = self.highs.getRow(self.row[name])
        return lower, upper

    def set_columns(self, columns, lower: float, upper: float) -> None:
        """The same bounds for several columns."""
        idx = np.asarray(columns, np.int32)
        self.highs.changeColsBounds(len(idx), idx, np.full(len(idx), lower), np.full(len(idx), upper))

    def set_column_bounds(self, columns, lower, upper) -> None:
        """Bounds of single columns."""
        idx = np.asarray(columns, np.int32)
        self.highs.changeColsBounds(len(idx), idx, np.asarray(lower, float), np.asarray(upper, float))

    def set_cost(self, cost: np.ndarray) -> None:
        idx = np.arange(len(cost), dtype=np.int32)
        self.highs.changeColsCost(len(idx), idx, np.asarray(cost, float))

    def set_coefficients(self, name: str, vector: np.ndarray) -> None:
        """Other coefficients of a constraint, one for each column."""
        row = self.row[name]
        _, index, value = self.highs.getRowEntries(row)
        present = np.zeros(len(vector))
        present[index] = value
        for column in np.flatnonzero(vector != present):
            self.highs.changeCoeff(row, int(column), float(vector[column]))

    def run(self) -> str:
        """Solve from the present basis; returns the status in words."""
        self.highs.run()
        status = self.highs.getModelStatus()
        for presolve in ("off", "on"):  # numerical trouble after many warm changes: from cold, then simplified
            if status in (_OK, highspy.HighsModelStatus.kInfeasible):
                break
            self.highs.clearSolver()
            self.highs.setOptionValue("presolve", presolve)
            self.highs.run()
            status = self.highs.getModelStatus()
        self.highs.setOptionValue("presolve", self.presolve)
        return {_OK: "optimal", highspy.HighsModelStatus.kInfeasible: "infeasible"}.get(
            status, self.highs.modelStatusToString(status).lower()
        )

    def solve(self) -> Solution:
        """Solve and read everything out. A status without a solution yields empty arrays."""
        start = time.perf_counter()
        name = self.run()
        info = self.highs.getInfo()
        status = SolveStatus(name, time.perf_counter() - start, info.simplex_iteration_count)
        if not status.has_solution:
            empty = np.empty(0)
            return Solution(status, float("nan"), empty, empty, empty, empty)
        s = self.highs.getSolution()
        return Solution(
            status, info.objective_function_value, np.array(s.col_value), np.array(s.col_dual),
            np.array(s.row_value), np.array(s.row_dual),
        )

    def shadow_price(self, solution: Solution, name: str) -> float:
        """Gain of *value* per extra unit of the limit of row ``name``.

        The objective is minus value, so for an upper limit the dual is at most 0 and its negative
        is the shadow price; tested against finite differences.
        """
        return -float(solution.row_duals[self.row[name]])


def cross_check(lp: pulp.LpProblem) -> float:
    """Objective by CBC, from a fresh build; used by tests and benchmarks only."""
    with warnings.catch_warnings():  # announced for PuLP 4; the dependency is kept below it
        warnings.simplefilter("ignore", DeprecationWarning)
        lp.solve(pulp.PULP_CBC_CMD(msg=False))
    if lp.sol_status != pulp.LpSolutionOptimal:
        raise SolverFailure([Issue("CBC", f"status {pulp.LpStatus[lp.status]}", "look at the model")])
    return float(pulp.value(lp.objective))
