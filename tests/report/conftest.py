"""A plan of the tiny problem, on a stand-in for the evidence that knows names and sources only."""

from __future__ import annotations

import pytest

from planner.optimise.resolve import Engine
from planner.result.make import plan_from_engine
from tests.tiny import tiny_problem, tiny_scenario


class StandIn:
    """What the plan and the workbook ask of the evidence."""

    version, digest, base_year = "0.0.0", "f" * 64, 2024

    def record(self, table, **key):
        names = {"biomarkers": {"name": "=HYPERLINK(1)", "short_name": "+B"},
                 "assays": {"name": "-1+2", "laboratory_tier": "@hub"},
                 "countries": {"iso3": "XXX", "name": "Tinyland", "who_region": "AFR"}}
        return dict(names.get(table, {}))

    def records(self, table, **key):
        empty = dict.fromkeys(("doi", "pmid", "url", "licence", "how_read"), "")
        row = {"source_id": "by_hand", "citation": "=1+1", **empty}
        return [row] if table == "sources" else [self.record(table)] if table == "countries" else []


@pytest.fixture(scope="session")
def evidence():
    return StandIn()


@pytest.fixture(scope="session")
def make(evidence):
    def made(**changes):
        scenario = tiny_scenario(**changes)
        return plan_from_engine(Engine(tiny_problem(), scenario), evidence, "test.1")

    return made


@pytest.fixture(scope="session")
def plan(make):
    return make(name="=tiny", description="@work", parent="defaults", budget={"testing": 60_000})
