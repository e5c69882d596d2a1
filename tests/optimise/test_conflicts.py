"""Requests that cannot be met: what is named, and that what is said is the smallest change that helps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from planner.errors import Infeasible
from planner.optimise.resolve import Engine
from tests.tiny import service, tiny_problem, tiny_scenario, under


def issues(problem, **changes):
    scenario = tiny_scenario(**changes)
    with pytest.raises(Infeasible) as told:
        Engine(under(problem, scenario), scenario).optimum()
    return told.value.issues


def meets(problem, **changes) -> bool:
    scenario = tiny_scenario(**changes)
    value = Engine(under(problem, scenario), scenario).run()
    return value == value


# -- no limit is involved ------------------------------------------------------------------------------------


def test_a_mandate_whose_prerequisite_is_excluded_is_named_with_it():
    (issue,) = issues(tiny_problem(), policy={"must_fund": ["breast/her2"], "exclude": ["breast/er"]})
    assert issue.where == "policy.must_fund breast/her2"
    assert "breast/er" in issue.what and "policy.exclude" in issue.what
    assert "have at most 0% of its patients, need 90%" in issue.what
    assert "take breast/er off policy.exclude" in issue.remedy and "limit" not in str(issue)
    assert meets(tiny_problem(), policy={"must_fund": ["breast/her2"]})


def test_the_prerequisite_of_a_prerequisite_is_found():
    problem = tiny_problem()
    breast, lung = problem.indications
    er, her2 = breast.use_cases
    third = replace(her2, biomarker="esr1", name="esr1 in breast", requires=("her2",))
    breast = replace(breast, use_cases=(er, her2, third), services=(*breast.services, service("esr1_pcr", ["esr1"])))
    (issue,) = issues(replace(problem, indications=(breast, lung)),
                      policy={"must_fund": ["breast/esr1"], "exclude": ["breast/er"]})
    assert issue.where == "policy.must_fund breast/esr1" and "breast/er" in issue.remedy


def test_a_prerequisite_that_no_service_supplies_is_named():
    problem = tiny_problem()
    breast, lung = problem.indications
    breast = replace(breast, services=tuple(s for s in breast.services if s.service != "er_ihc"))
    (issue,) = issues(replace(problem, indications=(breast, lung)), policy={"must_fund": ["breast/her2"]})
    assert "breast/er" in issue.what and "no service" in issue.what


def test_a_limit_that_is_also_too_small_does_not_hide_the_exclusion():
    (issue,) = issues(tiny_problem(), policy={"must_fund": ["breast/her2", "lung/alk"], "exclude": ["breast/er"]},
                      budget={"testing": 1_000})
    assert issue.where == "policy.must_fund breast/her2"


# -- limits that contradict only together ----------------------------------------------------------------------

TOGETHER = {"policy": {"must_fund": ["lung/egfr", "lung/alk"]}}
# Of 900 patients: singles cost 144,000 USD, 54,000 and 18,000 minutes, the panel 288,000 USD, 27,000 and 9,000.
# Money and technicians are too few for either; pathologists are enough for both and may not sway the choice.
LIMITS = {"testing": 140_000.0, "technician": 26_500.0, "pathologist": 18_500.0}


def limited(testing, technician, pathologist):
    return TOGETHER | {"budget": {"testing": testing},
                       "laboratory": {"technician_minutes": technician, "pathologist_minutes": pathologist}}


def needs(found) -> dict[str, float]:
    names = {"the testing budget": "testing", "technicians' time": "technician", "pathologists' time": "pathologist"}
    return {names[i.where]: i.need for i in found}


def test_limits_that_contradict_together_are_raised_by_the_least():
    found = needs(issues(tiny_problem(), **limited(**LIMITS)))
    assert found == {"testing": 144_000.0, "technician": 54_000.0}
    assert meets(tiny_problem(), **limited(**(LIMITS | found)))
    change = sum(found[n] / LIMITS[n] - 1 for n in found)
    parts = [0.0, 0.25, 0.5, 0.75, 1.0]
    for split in itertools.product(parts, repeat=3):
        if abs(sum(split) - 1) < 1e-9:
            less = {n: LIMITS[n] * (1 + 0.97 * change * part) for n, part in zip(LIMITS, split, strict=True)}
            assert not meets(tiny_problem(), **limited(**less)), (split, found)


def test_the_model_is_put_back_after_the_question():
    scenario = tiny_scenario(**limited(**LIMITS))
    engine = Engine(under(tiny_problem(), scenario), scenario)
    said = []
    for _ in range(2):
        with pytest.raises(Infeasible) as told:
            engine.optimum()
        said.append(told.value.issues)
        assert engine.model.highs.getNumCol() == len(engine.model.variables)
    assert said[0] == said[1]
