"""What cannot be planned says every number that is missing, once and by name, and why."""

from __future__ import annotations

import pytest

import planner
from planner.evidence.checks import coverage
from planner.evidence.complete import NO_DECISION, _Chain

EVIDENCE = planner.load_evidence()
GAPS = {f"{r['indication_id']}/{r['biomarker_id']}": r["gap"] for r in EVIDENCE.records("use_cases") if r["gap"]}
UNDECIDED = {"hodgkin_relapsed/cd30", "mpn_myelofibrosis/jak2"}


@pytest.fixture(scope="module")
def rows() -> dict[str, dict]:
    plan = planner.plan(planner.Scenario.load("kenya"), EVIDENCE)
    return {f"{r['indication_id']}/{r['biomarker_id']}": r for r in plan.document["list"]}


def test_what_is_not_plannable_states_its_reason():
    assert set(coverage(EVIDENCE).not_plannable) == set(GAPS)


@pytest.mark.parametrize("line", sorted(GAPS))
def test_every_missing_number_is_named_once(rows, line):
    text, missing = rows[line]["gap"], _Chain(EVIDENCE.tables).missing(*line.split("/"))
    assert text == coverage(EVIDENCE).not_plannable[line]
    assert missing and all(text.count(what) == 1 for what in missing), (text, missing)
    assert "a therapy" not in text and GAPS[line] in text
    assert rows[line]["reason"]["text"].endswith(text)


@pytest.mark.parametrize("line", sorted(GAPS))
def test_where_no_decision_waits_nothing_is_called_missing(rows, line):
    reason = rows[line]["reason"]
    assert reason["code"] == ("no_decision" if line in UNDECIDED else "not_plannable")
    assert reason["text"].startswith(NO_DECISION if line in UNDECIDED else "cannot be planned: missing ")
