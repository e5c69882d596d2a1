"""Scenarios: the planner's question as a small difference from a named parent."""

from planner.scenario.model import Scenario
from planner.scenario.scenario import difference, dumps, load, loads, save, shipped

__all__ = ["Scenario", "difference", "dumps", "load", "loads", "save", "shipped"]
