"""The algebra as LP text: one tiny problem per constraint family, readable in the diff.

Renew with: BIOMARKER_RENEW=1 python -m pytest tests/optimise/test_lp_text.py
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from planner.optimise.formulation import Formulation
from tests.tiny import indication, service, therapy, tiny_problem, tiny_scenario, under, use_case

FOLDER = Path(__file__).parent.parent / "lp"


def one(cases, services, workup=0.0):
    return replace(tiny_problem(), indications=(indication("site", cases, services, 100.0, workup),))


def cases():
    a = use_case("site", "a", [therapy("drug_a", h=1.0, alpha=0.5, fit=1.0)])
    blind = use_case("site", "a", [therapy("drug_a", h=1.0, alpha=0.5, fit=1.0, u0=0.2)])
    nested = use_case("site", "a", [therapy("common", alpha=0.6, fit=1.0),
                                    therapy("scarce", alpha=0.1, h=2.0, fit=1.0)])
    after = use_case("site", "b", [therapy("drug_b", fit=1.0)], requires=("a",))
    single_a, single_b = service("test_a", ["a"], 10.0), service("test_b", ["b"], 20.0)
    panel = service("panel", ["a", "b"], 50.0, "base")
    return {
        "budget_testing": (one([a], [single_a], workup=3.0), {"budget": {"testing": 500}}),
        "treatment_with_savings": (one([blind], [single_a]), {"budget": {"treatment": 90_000}}),
        "nested_access": (one([nested], [single_a]), {}),
        "bought_access": (one([nested], [single_a]),
                          {"budget": {"total": 9_000}, "access": {"buy": ["scarce"]}}),
        "prerequisite_and_panel": (one([a, after], [single_a, single_b, panel]), {}),
        "selective_access": (one([a], [single_a]), {"access": {"mode": "selective"}}),
        "people_and_floor": (one([a], [single_a]), {
            "laboratory": {"technician_minutes": 900}, "policy": {"must_fund": ["site/a"]}}),
    }


@pytest.mark.parametrize("name", sorted(cases()))
def test_lp_text(name, tmp_path):
    problem, settings = cases()[name]
    scenario = tiny_scenario(**settings)
    target = tmp_path / "model.lp"
    Formulation(under(problem, scenario), scenario).lp.writeLP(target)
    expected = FOLDER / f"{name}.lp"
    if os.environ.get("BIOMARKER_RENEW"):
        expected.write_text(target.read_text())
    assert target.read_text() == expected.read_text()
