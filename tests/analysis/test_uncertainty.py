"""Draws in words and in shares: like is compared with like, and what is within the error of the draws is said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.analysis.draws import Candidate
from planner.analysis.study import Study
from planner.analysis.uncertainty import _measure, compared_words, on_known_lines, uncertainty
from planner.scenario.model import Scenario
from tests.tiny import tiny_problem, tiny_scenario


def row(words: str, qalys: float, error: float) -> dict:
    return {"kind": "single", "words": words, "qalys": qalys, "standard_error": error}


def measured(*rows) -> str:
    return _measure([{"kind": "evpi", "qalys": 20.0, "standard_error": 1.0}, *rows], 1000)


def test_places_that_another_seed_would_change_are_said_to_be_within_error():
    told = measured(row("a", 9.0, 0.2), row("b", 4.0, 0.3), row("c", 2.0, 0.3), row("d", 1.6, 0.3), row("e", 1.5, 0.3))
    assert "a (worth 9, give or take 0.4, healthy years a year)" in told
    assert "Place 3 is within that error: it could as well be d, or one other." in told
    assert "The order of places" not in told


def test_an_order_within_error_is_told():
    told = measured(row("a", 9.0, 1.0), row("b", 8.5, 1.0), row("c", 3.0, 0.1))
    assert "The order of places 1 and 2 is within the error" in told


def test_a_sure_order_is_told_without_doubts():
    assert "within" not in measured(row("a", 9.0, 0.2), row("b", 4.0, 0.3), row("c", 2.0, 0.1), row("d", 0.1, 0.1))


def test_a_worth_within_its_error_is_nothing_to_measure_first():
    assert measured(row("a", 1.0, 0.6)) == "No single number stands out as worth measuring first."


def known_today(**coverage):
    problem = tiny_problem()
    return replace(problem, indications=tuple(replace(i, use_cases=tuple(
        replace(u, kap0=coverage.get(u.biomarker)) for u in i.use_cases)) for i in problem.indications))


def test_lists_are_compared_on_the_lines_known_today(by_hand):
    """Today 0.4 of the lung patients get EGFR, of the other three lines nothing is known: the plan's value of those
    is not counted against a today that was taken for nothing."""
    study = Study(tiny_scenario(), by_hand(known_today(egfr=0.4)))
    lists = [Candidate("today, where known", study.engine.today()[0].values), Candidate("the plan", study.optimum.plan.values)]
    alike, compared = on_known_lines(study, lists)
    assert compared == 1 and [c.name for c in alike] == [c.name for c in lists]
    coverage = [dict(zip(study.engine.keys, study.engine.coverage(c.values), strict=True)) for c in alike]
    assert coverage[0]["XXX", "lung/egfr"] == pytest.approx(0.4)
    assert coverage[1]["XXX", "lung/egfr"] == pytest.approx(0.9)
    assert all(c[key] == pytest.approx(0, abs=1e-6) for c in coverage for key in study.engine.keys if key[1] != "lung/egfr")
    assert study.engine.optimum().value == study.optimum.value  # the model is put back


def test_without_known_lines_whole_lists_are_compared(by_hand):
    study = Study(tiny_scenario(), by_hand(tiny_problem()))
    lists = [Candidate("no testing", np.zeros(len(study.engine.model.variables)))]
    assert on_known_lines(study, lists) == (lists, 4)
    assert compared_words({"compared_lines": 4, "all_lines": 4}) == ""


def test_the_words_say_on_how_many_lines(evidence):
    germany = Scenario.model_validate({"name": "germany", "setting": {"country": "DEU"}})
    found = uncertainty(germany, evidence, draws=4)
    known, every = found.settings["compared_lines"], found.settings["all_lines"]
    assert 0 < known < every
    assert any(w.startswith(f"On the {known} of {every} lines whose testing today is known, the plan beats") for w in found.words)
    assert found.tables["information"][0]["standard_error"] > 0
