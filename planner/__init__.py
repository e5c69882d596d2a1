"""Essential Biomarker Planner: which cancer biomarkers to test, in which order, for the money.

    import planner
    evidence = planner.load_evidence()
    plan = planner.plan(planner.Scenario.load("kenya"), evidence)
    plan.list
"""

from __future__ import annotations

from planner.errors import BadInput, Infeasible, Issue, PlannerError
from planner.evidence.base import Evidence, load_evidence
from planner.questions import access, alternatives, batch, compare, frontier, sensitivity, strategies, switching, uncertainty
from planner.result.make import make_plan
from planner.result.plan import Plan
from planner.scenario.model import Scenario

__version__ = "0.2.0"
MODEL_VERSION = "2026.4"


def plan(scenario: Scenario, evidence: Evidence | None = None) -> Plan:
    """Plan a scenario on an evidence base (the shipped one by default).

    Raises :class:`BadInput` for faults of the input, all at once, and :class:`Infeasible` naming the
    limits that contradict each other.
    """
    return make_plan(scenario, load_evidence() if evidence is None else evidence, MODEL_VERSION)


__all__ = [
    "MODEL_VERSION", "BadInput", "Evidence", "Infeasible", "Issue", "Plan", "PlannerError", "Scenario",
    "__version__", "access", "alternatives", "batch", "compare", "frontier", "load_evidence", "make_plan", "plan",
    "sensitivity", "strategies", "switching", "uncertainty",
]
