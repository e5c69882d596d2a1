"""Outlines that are kept are those that would be followed; any number that the branches hang on makes a new one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.pathway import outlines as kept
from planner.pathway.branches import Biopsy, Step, WorkUp, outline
from planner.pathway.performance import Performance


def accuracy(sensitivity=0.9, specificity=0.8, equivocal=0.05):
    return Performance({"sensitivity": sensitivity, "specificity": specificity, "equivocal_carrier": equivocal,
                        "equivocal_noncarrier": equivocal})


def step(**changes):
    base = Step("ihc", ("a",), "all", 0.1, 3.0, {"a": accuracy()}, slides=2.0)
    return replace(base, **changes)


WORK = WorkUp((step(), step(assay="fish", on="equivocal", again=Biopsy(0.5, 0.8, 100.0, 14.0))), {"a": 0.2}, False, 0.01,
              ((1.0, 0.9), (5.0, 0.7)), 0.3)


@pytest.fixture(autouse=True)
def forgotten():
    kept._known.cache_clear()


def test_what_is_kept_is_what_would_be_followed():
    found = kept.outlines(WORK, ["a"])["a"]
    assert (found.runs, found.biopsies, found.known) == (
        (own := outline(WORK, "a")).runs, own.biopsies, own.known)


def test_time_and_attrition_ask_for_no_new_branches():
    first = kept.outlines(WORK, ["a"])
    slower = replace(WORK, attrition=0.5, steps=(step(days=30.0, interval=7.0), WORK.steps[1]))
    assert kept.outlines(slower, ["a"]) is first


@pytest.mark.parametrize("other", [
    replace(WORK, prevalence={"a": 0.21}), replace(WORK, tissue=((1.0, 0.9), (5.0, 0.71))), replace(WORK, correlation=0.0),
    replace(WORK, exclusive=True), replace(WORK, steps=(step(failure=0.2), WORK.steps[1])),
    replace(WORK, steps=(step(slides=3.0), WORK.steps[1])),
    replace(WORK, steps=(step(accuracies={"a": accuracy(0.8)}), WORK.steps[1])),
    replace(WORK, steps=(step(accuracies={"a": accuracy(equivocal=0.01)}), WORK.steps[1])),
    replace(WORK, steps=(WORK.steps[0], replace(WORK.steps[1], again=Biopsy(0.4, 0.8, 100.0, 14.0)))),
    replace(WORK, steps=(WORK.steps[0], replace(WORK.steps[1], on="positive"))),
], ids=lambda w: "other")
def test_every_number_of_the_branches_does(other):
    first = kept.outlines(WORK, ["a"])
    found = kept.outlines(other, ["a"])
    assert found is not first and found["a"].known == outline(other, "a").known


def test_versions_in_arrays_are_followed_anew():
    many = replace(WORK, prevalence={"a": np.array([0.1, 0.2])})
    first, second = kept.outlines(many, ["a"]), kept.outlines(many, ["a"])
    assert first is not second and kept._known.cache_info().currsize == 0
    np.testing.assert_allclose(first["a"].runs, outline(many, "a").runs)
