"""Analyses of tiny problems: the place of the builder is taken by a problem made by hand."""

from __future__ import annotations

import pytest

import planner
from planner.analysis import access, alternatives, frontier, sensitivity, study, switching
from planner.scenario.model import Scenario


class NoEvidence:
    """Names for the lines of a problem made by hand."""

    version, digest, base_year = "by hand", "0" * 64, 2024

    def record(self, table: str, **key) -> dict:
        (name,) = key.values()
        return {"short_name": name, "name": name}

    def records(self, table: str, **key) -> list:
        return []


@pytest.fixture
def by_hand(monkeypatch):
    """by_hand(problem): from here on every study has this problem under its scenario; gives the evidence."""
    def use(problem):
        from tests.tiny import under

        for module in (study, switching, sensitivity, access, alternatives, frontier):
            if hasattr(module, "build_problem"):
                monkeypatch.setattr(module, "build_problem", lambda evidence, scenario, resolver=None: under(problem, scenario))
        return NoEvidence()

    return use


@pytest.fixture(scope="session")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="session")
def kenya():
    """kenya(**changes): Kenya with 400,000 USD for tests."""
    def make(**changes) -> Scenario:
        base = {"name": "kenya", "setting": {"country": "KEN"}, "budget": {"testing": 400_000}}
        return Scenario.model_validate(base | changes)

    return make
