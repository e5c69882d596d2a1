"""What is kept between runs: the evidence, one engine for each place and policy, plans and analyses.

The engine is changed in place, so each sits behind a lock and is put to the wanted limits at every
use. What comes from an upload, or holds own numbers, is kept with its session only.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import streamlit as st

from planner import MODEL_VERSION
from planner.errors import PlannerError
from planner.evidence.base import Evidence, load_evidence
from planner.optimise.formulation import Formulation
from planner.optimise.resolve import AXES, Engine
from planner.pathway.build import build_problem
from planner.pathway.named import PARTS
from planner.pathway.problem import Problem
from planner.result.make import plan_from_engine
from planner.result.plan import Plan
from planner.result.views import provenance
from planner.scenario.model import Scenario
from planner.ui.jobs import Board, Results

NO_LIMIT = {"testing": None, "treatment": None, "total": None}


@st.cache_resource(max_entries=1, show_spinner="Reading the evidence…")
def evidence() -> Evidence:
    """The shipped evidence, read and checked once for everybody; nobody changes it."""
    return load_evidence()


@dataclass
class Slot:
    """One engine with its lock, and what holds for all its budgets."""

    problem: Problem | None = None
    engine: Engine | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    ranges: dict[str, tuple[float, ...]] = field(default_factory=dict)
    blind: float = 0.0


def digest(scenario: Scenario) -> str:
    """Content digest of a scenario."""
    text = json.dumps(scenario.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def engine_key(scenario: Scenario) -> str:
    """Digest of all that an engine is built from: everything but budget amounts, axis and names."""
    data = scenario.model_dump(mode="json")
    data["budget"] |= NO_LIMIT
    for name in ("name", "description", "parent", "frontier"):
        data.pop(name)
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


# An engine of a large country takes some megabytes; a dozen places are enough for one machine.
@st.cache_resource(max_entries=12, show_spinner=False)
def _slot(evidence_digest: str, key: str) -> Slot:
    return Slot()


@st.cache_resource(max_entries=3, show_spinner=False, scope="session")
def _private_slot(evidence_digest: str, key: str) -> Slot:
    return Slot()


def slot(scenario: Scenario, private: bool) -> Slot:
    keep = _private_slot if private else _slot
    return keep(evidence().digest, engine_key(scenario))


@contextmanager
def _engine(slot: Slot, scenario: Scenario) -> Iterator[Engine]:
    """The slot's engine under this scenario's limits, for one user at a time."""
    with slot.lock:
        try:
            if slot.engine is None:
                slot.engine = Engine(_problem(slot, scenario), scenario)
            else:
                slot.engine.with_scenario(scenario)
            yield slot.engine
        except PlannerError:
            raise
        except Exception:
            slot.engine = None  # its state is unknown: the next use builds it anew
            raise


def _problem(slot: Slot, scenario: Scenario) -> Problem:
    """The slot's problem, built once."""
    if slot.problem is None:
        slot.problem = build_problem(evidence(), scenario)
    return slot.problem


def own_facts(scenario: Scenario, private: bool) -> list[dict]:
    """The numbers in use in whose place an own one stands, as a plan's ``provenance`` has them. Raises BadInput."""
    if not scenario.override:
        return []
    mine = slot(scenario, private)
    with mine.lock:
        return [provenance(f) for f in _problem(mine, scenario).facts if f.shipped is not None]


def _made(scenario: Scenario, private: bool) -> Plan:
    with _engine(slot(scenario, private), scenario) as engine:
        return plan_from_engine(engine, evidence(), MODEL_VERSION)


@st.cache_resource(max_entries=64, show_spinner=False)
def _plan(evidence_digest: str, scenario_digest: str, _scenario: Scenario) -> Plan:
    return _made(_scenario, private=False)


@st.cache_resource(max_entries=16, show_spinner=False, scope="session")
def _private_plan(evidence_digest: str, scenario_digest: str, _scenario: Scenario) -> Plan:
    return _made(_scenario, private=True)


def plan(scenario: Scenario, private: bool) -> Plan:
    """The plan of a scenario; raises BadInput and Infeasible as planner.plan does."""
    keep = _private_plan if private else _plan
    return keep(evidence().digest, digest(scenario), scenario)


def ranges(scenario: Scenario, private: bool) -> dict[str, tuple[float, ...]]:
    """Budgets at which the list changes, by axis, no other limit being set: the marks of the sliders. None where the
    laboratory is costed by its parts: whole instruments would have to be searched for at every budget."""
    if scenario.laboratory.costing == "micro":
        return {}
    mine = slot(scenario, private)
    if not mine.ranges:
        free = scenario.model_copy(update={"budget": scenario.budget.model_copy(update=NO_LIMIT)})
        with _engine(mine, free) as engine:
            mine.ranges = {axis: tuple(p.budget for p in engine.sweep(axis).points) for axis in AXES}
            mine.blind = float(engine.formulation.blind_spending[0])
    return mine.ranges


def testable(scenario: Scenario, private: bool) -> dict[str, tuple[str, float]]:
    """Indications with eligible people and something to test: id -> (name, eligible people a year), by name."""
    keep = _private_testable if private else _testable
    return keep(evidence().digest, engine_key(scenario), scenario)


@st.cache_resource(max_entries=24, show_spinner=False)
def _testable(evidence_digest: str, key: str, _scenario: Scenario) -> dict[str, tuple[str, float]]:
    return _found_testable(_scenario, private=False)


@st.cache_resource(max_entries=6, show_spinner=False, scope="session")
def _private_testable(evidence_digest: str, key: str, _scenario: Scenario) -> dict[str, tuple[str, float]]:
    return _found_testable(_scenario, private=True)


def _found_testable(scenario: Scenario, private: bool) -> dict[str, tuple[str, float]]:
    """Of a laboratory by its parts without the search for whole instruments, on which this does not hang."""
    if scenario.laboratory.costing == "micro":
        problem = replace(build_problem(evidence(), scenario), laboratory=None)
        formulation = Formulation(problem, scenario)
    else:
        with _engine(slot(scenario, private), scenario) as engine:
            problem, formulation = engine.problem, engine.formulation
    taken = {k.indication.indication for k in formulation.taken}
    found = {i.indication: (i.name, i.eligible) for i in problem.indications if i.indication in taken and i.eligible > 0}
    return dict(sorted(found.items(), key=lambda p: p[1][0]))


def blind_spending(scenario: Scenario, private: bool) -> float:
    """US dollars a year that the budget's payers already spend on the drugs without tests and that count
    against a budget for treatment; 0 where budgets come on top of today's spending."""
    if scenario.budget.basis != "all":
        return 0.0
    if scenario.laboratory.costing == "micro":  # it is the same at tariffs
        parts = {"costing": "tariff", "tier": None, "instruments": {}, "minimum_volume": None}
        lab = scenario.laboratory.model_copy(update=parts)
        own = tuple(o for o in scenario.override if o.table not in PARTS)
        return blind_spending(scenario.model_copy(update={"laboratory": lab, "override": own}), private)
    ranges(scenario, private)
    return slot(scenario, private).blind


# -- analyses: computed beside the page ------------------------------------------------------------------


@st.cache_resource(max_entries=1, show_spinner=False)
def _results() -> Results:
    return Results(64)


@st.cache_resource(max_entries=1, show_spinner=False, scope="session")
def _private_results() -> Results:
    return Results(16)


def results(private: bool) -> Results:
    """Answers of analyses: everybody's, or this session's own where uploads or own numbers are in them."""
    return _private_results() if private else _results()


@st.cache_resource(max_entries=1, show_spinner=False, scope="session", on_release=Board.stop_all)
def board() -> Board:
    """What this session is computing; it ends with the session."""
    return Board()


def analysis_key(kind: str, scenarios: Iterable[Scenario], **options) -> tuple:
    """What an answer depends on: its kind, the evidence, the scenarios, the options."""
    return kind, evidence().digest, tuple(map(digest, scenarios)), tuple(sorted(options.items()))
