"""The written decision on crossover tells the figures of today's rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import planner
from planner.pathway import benefit
from planner.pathway.therapy import clean

NOTE = Path(__file__).resolve().parents[2] / "docs" / "decisions" / "0006-crossover-and-written-decisions.md"
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+|not derivable) \| ([\d.]+) \| ([A-D]) \|$", re.MULTILINE)
YEARS, RATE = 15.0, 0.03  # remaining life and discount rate of the note
MARKERS = {"egfr", "alk", "ros1", "kras_g12c", "braf_v600", "bcr_abl1", "pdl1", "er_pr", "her2"}


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def gain(evidence, rows: dict, name: str, kind: str | None = None):
    row = rows[name]
    weights = {r["state"]: r["utility"] for r in evidence.records("utilities", indication_id=row["indication_id"])}
    base = gain(evidence, rows, row["builds_on"]) if row["builds_on"] else None
    return benefit.effects(row | {"effect_kind": kind or row["effect_kind"]}, weights, RATE, YEARS, base)


def test_the_decision_tells_todays_figures(evidence):
    rows = {r["therapy_id"]: clean(r) for r in evidence.records("therapies")}
    told = ROW.findall(NOTE.read_text("utf-8"))
    assert {rows[name]["biomarker_id"] for name, *_ in told} >= MARKERS
    for name, alone, credited, grade in told:
        assert f"{gain(evidence, rows, name).carrier['qalys']:.3f}" == credited, name
        assert rows[name]["quality"] == grade, name
        if alone != "not derivable":
            assert f"{gain(evidence, rows, name, 'progression_free_only').carrier['qalys']:.3f}" == alone, name
