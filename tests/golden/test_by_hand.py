"""Rwanda by hand against the planner, to the cent; and the document that shows the arithmetic."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import planner
from tests.golden import document
from tests.golden.by_hand import COUNTRY, LINES, PAYERS, SERVICES_OFF, by_hand

ROOT = Path(__file__).resolve().parents[2]
RENEW = os.environ.get("BIOMARKER_RENEW") == "1"
CENT = 0.005
OWN = ("coverage", "patients_tested", "positives_found", "patients_treated", "treated_blind", "qalys",
       "testing_cost", "treatment_cost", "incremental_cost", "cost_per_qaly")


@pytest.fixture(scope="module")
def hand():
    return by_hand()


@pytest.fixture(scope="module")
def plan():
    evidence = planner.load_evidence()
    known = [f"{r['indication_id']}/{r['biomarker_id']}" for r in evidence.records("use_cases")]
    scenario = planner.Scenario.model_validate({
        "name": "Rwanda by hand", "setting": {"country": COUNTRY},
        "policy": {"exclude": [u for u in known if u not in LINES]},
        "services": {"exclude": list(SERVICES_OFF)},
    })
    return planner.plan(scenario, evidence).to_dict()


@pytest.fixture(scope="module")
def rows(plan):
    return {f"{r['indication_id']}/{r['biomarker_id']}": r for r in plan["list"]}


@pytest.mark.parametrize("line", LINES)
def test_the_planner_chose_the_service_worked_by_hand(rows, line):
    assert [s["service"] for s in rows[line]["services"]] == [LINES[line]]


def second_stage(hand, line: str) -> float:
    """USD by which the planner's second stage may be cheaper. It may give up 1e-9 of all health; the dearest
    health is that of a drug in use over the one it could be exchanged for."""
    x = hand["lines"][line]
    dearest = max((
        (a["course"]["cash"] - b["course"]["cash"]) / (a["effect"]["h"] - b["effect"]["h"])
        for a in x["therapies"] for b in x["therapies"]
        if a["x"] > 0 and a["effect"]["h"] - b["effect"]["h"] > 1e-9), default=0.0)
    return 1e-9 * hand["totals"]["qalys"] * max(0.0, dearest) * (x["true"] + x["false"]) / x["true"]


@pytest.mark.parametrize("figure", OWN)
@pytest.mark.parametrize("line", LINES)
def test_figures_agree_to_the_cent(rows, hand, line, figure):
    mine = hand["lines"][line]["final"]
    slack = second_stage(hand, line) if "cost" in figure and figure != "testing_cost" else 0.0
    assert slack < 0.1
    if figure == "cost_per_qaly":
        slack /= mine["qalys"]
    assert rows[line][figure] == pytest.approx(mine[figure], abs=CENT + slack)


@pytest.mark.parametrize("line", LINES)
def test_steps_agree(rows, hand, line):
    row, mine = rows[line], hand["lines"][line]
    assert row["prevalence"] == pytest.approx(mine["prevalence"], abs=1e-9)
    assert row["chain"]["incident"] == mine["who"]["cases"]
    assert row["chain"]["eligible"] == pytest.approx(mine["who"]["eligible"], abs=1e-6)
    assert row["chain"]["in_time"] == pytest.approx(mine["results"], abs=1e-6)
    treated = {t["therapy"]: t["treated"] for t in row["therapies"] if t["treated"] > 1e-9}
    assert treated == pytest.approx(
        {t["therapy"]: t["treated"] for t in mine["therapies"] if t["treated"] > 1e-9}, abs=1e-5)
    for payer in PAYERS:
        assert row["cost_by_payer"][payer] == pytest.approx(
            mine["final"][f"paid_by_{payer}"], abs=CENT + second_stage(hand, line))


@pytest.mark.parametrize("figure", ["patients_tested", "positives_found", "patients_treated", "qalys",
                                    "testing_cost", "treatment_cost"])
def test_totals_agree_to_the_cent(plan, hand, figure):
    slack = sum(second_stage(hand, line) for line in LINES) if figure == "treatment_cost" else 0.0
    assert plan["totals"][figure] == pytest.approx(hand["totals"][figure], abs=CENT + slack)


def test_everything_else_is_out(rows):
    assert {u for u, r in rows.items() if r["funded"] != "no"} == set(LINES)


def test_the_document_is_the_calculation(hand):
    """docs/validation.md is the template with the numbers of today's evidence."""
    file = ROOT / "docs" / "validation.md"
    text = document.write(hand)
    if RENEW:
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text, "renew with BIOMARKER_RENEW=1 python -m pytest tests/golden"
    for line in hand["lines"].values():
        for figure in ("testing_cost", "treatment_cost", "qalys", "cost_per_qaly"):
            assert document.number(line["final"][figure], 2) in text


def test_every_test_file_that_the_document_names_exists():
    named = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", document.TEMPLATE.read_text("utf-8"))
    assert len(named) > 10
    for name, function in named:
        assert (ROOT / name).is_file(), name
        assert not function or f"def {function}(" in (ROOT / name).read_text("utf-8"), (name, function)
