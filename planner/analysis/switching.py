"""What would change a decision: switching values of every line, and the price of every preference.

A line is *in* where at least half of its attainable coverage is funded. For each line and lever the
value is sought at which it goes out, or comes in, with everything else re-planned: first the end of the
lever's range, then by bisection. Where a decision flips more than once one flip is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from planner.analysis.levers import LEVERS, Key, pull, today
from planner.analysis.study import Analysis, Progress, Study, dust, figure, money, silent
from planner.errors import PlannerError
from planner.evidence.base import Evidence
from planner.optimise.many import ManyModels
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.result.priority import standing
from planner.result.readout import read
from planner.scenario.model import Scenario

STEPS = 12  # bisections: a switching value is found to about a four-thousandth of its range
MOST = 20.0  # a multiple of today's beyond which no cost or effect is sought
CHUNK = 400  # versions solved between two looks at the progress
NO_DRUG_COST = "Drug costs do not bear on this list: no treatment budget, and health alone is counted."


@dataclass
class Search:
    """One line and lever: an end where the decision stands, and one where it has flipped."""

    key: Key
    lever: str
    stands: float
    flipped: float

    @property
    def middle(self) -> float:
        """Half way; by ratio where the range is one of multiples above today's."""
        if self.lever in ("test_cost", "drug_cost", "effect") and max(self.stands, self.flipped) > 1:
            return float(np.sqrt(self.stands * self.flipped))
        return (self.stands + self.flipped) / 2


def switching(scenario: Scenario, evidence: Evidence, progress: Progress = silent) -> Analysis:
    """Switching values and prices of preferences.

    Tables: ``lines`` (each line: in or out, criticality, budget of entry), ``values`` (line x lever:
    today's value, value at which the decision flips, None where it does not within the range),
    ``preferences`` (each preference of the scenario: health and money that it costs).
    """
    study = Study(scenario, evidence, levers=True)
    engine, optimum = study.engine, study.optimum
    coverage = dict(zip(engine.keys, engine.coverage(optimum.plan.values), strict=True))
    inside = {key: study.inside(key, coverage[key]) for key in engine.keys}
    values = list(_values(study, inside, progress))
    lines = list(_lines(study, inside, coverage))
    preferences = list(_preferences(study, progress))
    settings = {"measure": study.measure, "axis": scenario.frontier.axis, "most": MOST}
    return study.answer("switching", settings, _words(study, values, preferences),
                        {"lines": lines, "values": values, "preferences": preferences})


def _range(study: Study, key: Key, lever: str, is_in: bool) -> tuple[float, float]:
    """(today's value, the far end of the range in the direction that could flip the decision)."""
    u = study.use_cases[key][0]
    now = today(u, lever)
    dear = lever in ("test_cost", "drug_cost")
    if is_in:
        return now, (MOST if dear else 0.0)
    top = {"access": 1.0, "prevalence": u.subgroup, "effect": MOST}.get(lever, 0.0)
    return now, top


def _values(study: Study, inside: dict[Key, bool], progress: Progress) -> Iterator[dict]:
    searches = [Search(key, lever, *_range(study, key, lever, is_in)) for key, is_in in inside.items() for lever in LEVERS]
    far = _flips(study, searches, [s.flipped for s in searches], inside)
    alive = [s for s, flip in zip(searches, far, strict=True) if flip and s.stands != s.flipped]
    ranges = {(s.key, s.lever): (s.stands, s.flipped) for s in searches}
    for step in range(STEPS):
        progress(0.9 * step / STEPS, "looking for the values at which decisions flip")
        middles = [s.middle for s in alive]
        for s, middle, flip in zip(alive, middles, _flips(study, alive, middles, inside), strict=True):
            if flip:
                s.flipped = middle
            else:
                s.stands = middle
    found = {(s.key, s.lever): s.flipped for s in alive}
    for s in searches:
        now, end = ranges[s.key, s.lever]
        value = found.get((s.key, s.lever))
        yield study.label(s.key) | {
            "lever": s.lever, "lever_words": LEVERS[s.lever][0], "unit": LEVERS[s.lever][1], "in_plan": inside[s.key],
            "today": now, "flips_at": value, "sought_to": end,
            "relative_change": value / now - 1 if value is not None and now else None,
        }


def _flips(study: Study, searches: list[Search], values: list[float], inside: dict[Key, bool]) -> list[bool]:
    """Whether each search's line changes sides at its value; one re-solve each."""
    out: list[bool] = []
    for start in range(0, len(searches), CHUNK):
        some, numbers = searches[start:start + CHUNK], values[start:start + CHUNK]
        pulls: dict[Key, dict[str, np.ndarray]] = {}
        for n, (s, value) in enumerate(zip(some, numbers, strict=True)):
            levers = pulls.setdefault(s.key, {})
            if s.lever not in levers:
                levers[s.lever] = np.full(len(some), today(study.use_cases[s.key][0], s.lever))
            levers[s.lever][n] = value
        models = ManyModels(study.engine, pull(study.problem, pulls), len(some))
        for s, answer in zip(some, models.answers(), strict=True):
            column = study.engine.q_columns[s.key]
            covered = float(np.nansum(answer.values[column])) / study.problem.years
            out.append(study.inside(s.key, covered) != inside[s.key])
    return out


def _lines(study: Study, inside: dict[Key, bool], coverage: dict[Key, float]) -> Iterator[dict]:
    """Every line: criticality by leave-one-out, and the budget at which it enters."""
    engine = study.engine
    critical = engine.criticality(study.optimum, engine.keys)
    sweep = engine.sweep(study.scenario.frontier.axis, floors=True)
    for key in engine.keys:
        u = study.use_cases[key][0]
        place = standing(sweep, key, study.engine.attainable(u), 0.0)
        yield study.label(key) | {
            "in_plan": inside[key], "coverage": coverage[key], "criticality": critical[key], "measure": study.measure,
            "entry_budget": place.entry_budget, "earlier_spells": place.earlier_spells, "axis": sweep.axis,
        }


# -- preferences -----------------------------------------------------------------------------------

COSTS = ("health_cost", "objective_cost", "testing_cost", "treatment_cost")


def _preferences(study: Study, progress: Progress) -> Iterator[dict]:
    """Every preference of the scenario, lifted alone and everything re-planned; where that cannot be planned, why."""
    wanted = list(_without(study.scenario))
    base = _outcome(study.engine) if wanted else {}
    for n, (kind, name, scenario) in enumerate(wanted):
        progress(0.9 + 0.1 * n / len(wanted), "pricing preferences")
        row = {"preference": kind, "name": name, "words": _said(study, kind, name), "measure": study.measure}
        try:
            yield row | _costs(base, _lifted(study, kind, name, scenario)) | {"note": ""}
        except PlannerError as error:
            why = "; ".join(f"{i.where}: {i.what}" for i in error.issues)
            yield row | dict.fromkeys(COSTS) | {"note": f"without it no plan can be made: {why}"}


def _costs(base: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """What a preference costs: health forgone, money spent more."""
    return {
        "health_cost": dust(other["health"] - base["health"], base["health"]),
        "objective_cost": dust(other["value"] - base["value"], base["value"]),
        "testing_cost": dust(base["testing"] - other["testing"], base["testing"]),
        "treatment_cost": dust(base["treatment"] - other["treatment"], base["treatment"]),
    }


def _lifted(study: Study, kind: str, name: str, scenario: Scenario) -> dict[str, float]:
    """The plan without one preference: in place where only bounds or the objective change, else built anew."""
    if kind == "weight":
        with _weighted(study.engine, scenario):
            return _outcome(study.engine)
    if kind in ("floor", "must_fund"):
        with _floors(study.engine, _today_s_floors(study) if kind == "floor" else _mandates(study, name)):
            return _outcome(study.engine)
    return _outcome(Engine(build_problem(study.evidence, scenario), scenario))


def _mandates(study: Study, name: str) -> dict[str, float | None]:
    """Rows that mandate a line, and what stays of each: today's testing where it may not be lowered."""
    out: dict[str, float | None] = {}
    for key, (u, _) in study.use_cases.items():
        if key[1] == name and u.must_fund:
            stays = study.scenario.budget.basis == "additional" and min(u.kap0 or 0.0, u.kap)
            out |= dict.fromkeys(study.engine.floors(key), stays or None)
    return out


def _today_s_floors(study: Study) -> dict[str, float | None]:
    """Rows that keep today's testing; mandates stay, and so does the money."""
    return {row: None for key, (u, _) in study.use_cases.items() if not u.must_fund for row in study.engine.floors(key)}


@contextmanager
def _floors(engine: Engine, floors: dict[str, float | None]) -> Iterator[None]:
    """The engine with other floors, then put back."""
    saved = {name: engine.model.bounds(name)[0] for name in floors}
    try:
        _move(engine, floors)
        yield
    finally:
        _move(engine, saved)


def _move(engine: Engine, floors: Mapping[str, float | None]) -> None:
    for name, floor in floors.items():
        engine.set_row(name, floor, None)
    engine.settle()  # whole instruments follow
    engine.reset()  # a plan does not depend on the one asked before it


@contextmanager
def _weighted(engine: Engine, scenario: Scenario) -> Iterator[None]:
    """The engine with the weights of another scenario in its objective, then put back."""
    own = engine.scenario
    try:
        _value_by(engine, scenario)
        yield
    finally:
        _value_by(engine, own)


def _value_by(engine: Engine, scenario: Scenario) -> None:
    engine.formulation.scenario = scenario
    engine.value_cost = -engine.vector(engine.formulation.value(scenario.objective))
    engine.model.set_cost(engine.value_cost)
    for model in (engine.model, engine.cheapest):
        model.set_coefficients("health", -engine.value_cost)
    engine.settle()
    engine.reset()


def _outcome(engine: Engine) -> dict[str, float]:
    optimum = engine.optimum()
    lines = read(engine, optimum.plan.values).lines.values()
    measure = "qalys" if engine.scenario.objective == "net_health" else engine.scenario.objective
    return {
        "value": optimum.value / engine.weight, "health": sum(line.health[measure] or 0.0 for line in lines),
        "testing": sum(line.testing_cost for line in lines), "treatment": sum(line.treatment_cost for line in lines),
    }


def _without(scenario: Scenario) -> Iterator[tuple[str, str, Scenario]]:
    """(kind, name, the scenario without it) of every preference."""
    for kind, part, field in (("must_fund", "policy", "must_fund"), ("exclude", "policy", "exclude"),
                              ("service", "services", "exclude")):
        section = getattr(scenario, part)
        for name in getattr(section, field):
            kept = tuple(x for x in getattr(section, field) if x != name)
            yield kind, name, _with(scenario, **{part: section.model_copy(update={field: kept})})
    gate = scenario.evidence_gate
    if gate.level < 4:
        yield "gate", str(gate.level), _with(scenario, evidence_gate=gate.model_copy(update={"level": 4}))
    if gate.value_gate:
        yield "value_gate", "", _with(scenario, evidence_gate=gate.model_copy(update={"value_gate": False}))
    if scenario.budget.basis == "additional":
        yield "floor", "", scenario
    for name in scenario.equity.weights:
        kept_weights = {k: w for k, w in scenario.equity.weights.items() if k != name}
        yield "weight", name, _with(scenario, equity=scenario.equity.model_copy(update={"weights": kept_weights}))


def _said(study: Study, kind: str, name: str) -> str:
    """A preference in words."""
    line = next((study.said(key) for key in study.use_cases if key[1] == name), name)
    return {
        "must_fund": f"{line} must be funded", "exclude": f"{line} is left out",
        "gate": f"only evidence of level {name} or better counts", "value_gate": "only drugs within the threshold count",
        "floor": "today's testing may not be lowered",
        "service": f"the test {study.evidence.record('services', service_id=name).get('name', name)} is not used",
        "weight": f"health in {study.evidence.record('indications', indication_id=name).get('name', name)} counts "
                  f"{study.scenario.equity.weights.get(name, 1.0):g} times",
    }[kind]


def _with(scenario: Scenario, **changes) -> Scenario:
    return scenario.model_copy(update=changes)


def _drug_costs_bear(scenario: Scenario, years: int) -> bool:
    """Whether the cost of a course can change the list at all."""
    limited = any(scenario.limit(axis, t) is not None for axis in ("treatment", "total") for t in range(years))
    return limited or scenario.objective == "net_health"


def _words(study: Study, values: list[dict], preferences: list[dict]) -> list[str]:
    out = []
    near = sorted((v for v in values if v["relative_change"] is not None), key=lambda v: abs(v["relative_change"]))
    for v in near[:3]:
        verb = "falls below half of what could be reached" if v["in_plan"] else "reaches half of what could be reached"
        shown = f"{v['flips_at']:.1%}" if v["unit"] == "share" else f"{v['flips_at']:.2f} times today's"
        was = f" (today {v['today']:.1%})" if v["unit"] == "share" else ""
        out.append(f"{study.said((v['region'], v['indication_id'] + '/' + v['biomarker_id']))} {verb} where "
                   f"the {v['lever_words']} is {shown}{was}.")
    out = out or ["No single number flips a decision of this plan within its range."]
    if not _drug_costs_bear(study.scenario, study.problem.years):
        out.append(NO_DRUG_COST)
    unit = "healthy years" if study.measure == "qalys" else study.measure.replace("_", " ")
    for p in sorted(preferences, key=lambda p: -(p["health_cost"] or 0.0)):
        if p["health_cost"] is None:
            out.append(f"What it costs that {p['words']} cannot be told: {p['note']}.")
        elif p["health_cost"] > 1e-6:
            out.append(f"That {p['words']} costs {figure(p['health_cost'])} {unit} a year"
                       + (f" and {money(p['testing_cost'])} more for tests." if p["testing_cost"] > 1 else "."))
    return out
