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


@pytest.mark.parametrize("line", LINES)
def test_the_second_stage_cannot_move_a_cent(hand, line):
    """It may give up 1e-12 of all health for money. The dearest health is that of a drug in use over the one
    it could be exchanged for; so the figures below are compared without any slack for it."""
    x = hand["lines"][line]
    gain = {t["therapy"]: t["fit"] * t["effect"]["h"] * x["true"] / (x["true"] + x["false"]) for t in x["therapies"]}
    dearest = max((
        (a["fit"] * a["course"]["cash"] - b["fit"] * b["course"]["cash"]) / (gain[a["therapy"]] - gain[b["therapy"]])
        for a in x["therapies"] for b in x["therapies"]
        if a["x"] > 0 and gain[a["therapy"]] - gain[b["therapy"]] > 1e-9), default=0.0)
    assert 1e-12 * hand["totals"]["qalys"] * dearest < CENT / 10


@pytest.mark.parametrize("figure", OWN)
@pytest.mark.parametrize("line", LINES)
def test_figures_agree_to_the_cent(rows, hand, line, figure):
    mine = hand["lines"][line]["final"]
    assert rows[line][figure] == pytest.approx(mine[figure], rel=0, abs=CENT)


@pytest.mark.parametrize("line", LINES)
def test_steps_agree(rows, hand, line):
    row, mine = rows[line], hand["lines"][line]
    assert row["prevalence"] == pytest.approx(mine["prevalence"], abs=1e-9)
    assert row["subgroup"] == 1.0
    assert row["chain"]["incident"] == pytest.approx(mine["who"]["cases"], rel=1e-12)
    assert row["chain"]["eligible"] == pytest.approx(mine["who"]["eligible"], abs=1e-6)
    assert row["chain"]["in_time"] == pytest.approx(mine["results"], abs=1e-6)
    treated = {t["therapy"]: t["treated"] for t in row["therapies"] if t["treated"] > 1e-9}
    assert treated == pytest.approx(
        {t["therapy"]: t["treated"] for t in mine["therapies"] if t["treated"] > 1e-9}, abs=1e-5)
    for payer in PAYERS:
        assert row["cost_by_payer"][payer] == pytest.approx(mine["final"][f"paid_by_{payer}"], rel=0, abs=CENT)


@pytest.mark.parametrize("figure", ["patients_tested", "positives_found", "patients_treated", "qalys",
                                    "testing_cost", "treatment_cost", "treated_blind", "incremental_cost",
                                    "cost_per_qaly", "net_health"])
def test_totals_agree_to_the_cent(plan, hand, figure):
    assert plan["totals"][figure] == pytest.approx(hand["totals"][figure], rel=0, abs=CENT)


@pytest.mark.parametrize("line", LINES)
def test_whether_it_pays_agrees(plan, rows, hand, line):
    """The ratio with the drugs worth their cost, the drugs left out, and what follows for the tier."""
    row, mine = rows[line], hand["lines"][line]["worth"]
    assert plan["threshold"]["value"] == pytest.approx(hand["threshold"], rel=0, abs=CENT)
    names = {r["therapy_id"]: r["name"] for r in planner.load_evidence().records("therapies")}
    assert set(row["drugs_above_threshold"]) == {names[t] for t in mine["dear"]}
    assert row["reason"]["code"] == "funded"
    if mine["pays"]:
        assert row["cost_per_qaly_where_it_pays"] == pytest.approx(mine["ratio"], rel=0, abs=CENT)
        assert row["priority_tier"] in ("core", "expand")
    else:
        assert row["cost_per_qaly_where_it_pays"] is None and row["priority_tier"] == "lower_price"


def test_the_warning_names_the_lines_that_do_not_pay(plan, hand):
    out = [n for n, x in hand["lines"].items() if not x["worth"]["pays"]]
    (said,) = [w for w in plan["warnings"] if w["code"] == "funded_above_threshold"]
    assert set(said["lines"]) == set(out)
    assert said["figure"] == pytest.approx(sum(hand["lines"][n]["final"]["testing_cost"] for n in out), rel=0, abs=CENT)


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
