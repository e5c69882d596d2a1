"""Near-optimal lists: within the tolerance and every limit; ranges that are true ends, by CBC."""

from __future__ import annotations

import warnings

import numpy as np
import pulp
import pytest

from planner.analysis.alternatives import alternatives, alternatives_values
from planner.analysis.study import Study
from planner.optimise.resolve import Engine
from tests.tiny import tiny_problem, tiny_scenario

WAYS = {
    "testing": {"budget": {"testing": 150_000}},
    "two budgets": {"budget": {"testing": 150_000, "treatment": 700_000}},
    "bought": {"budget": {"total": 2_000_000}, "access": {"buy": ["drug_e"]}},
    "people": {"laboratory": {"technician_minutes": 60_000}},
}


def ends(scenario, key, tolerance) -> list[float]:
    """[least, greatest] coverage of a line over all plans within the tolerance, by CBC on a fresh programme."""
    best = Engine(tiny_problem(), scenario).optimum().value
    out = []
    for sign in (1, -1):
        f = Engine(tiny_problem(), scenario).formulation
        value = {v: -c for v, c in f.lp.objective.items()}
        f.lp.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(value), pulp.LpConstraintGE, "near",
                                             best - tolerance * abs(best)))
        covered = {k.q: sign * 1.0 for k in f.taken if (k.source.region, k.use_case.id) == key}
        f.lp.setObjective(pulp.LpAffineExpression(covered))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            f.lp.solve(pulp.PULP_CBC_CMD(msg=False))
        out.append(sign * float(pulp.value(f.lp.objective)))
    return out


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("tolerance", [0.02, 0.15])
def test_ranges_are_true_minima_and_maxima(by_hand, name, tolerance):
    scenario = tiny_scenario(**WAYS[name])
    found = alternatives(scenario, by_hand(tiny_problem()), tolerance)
    for row in found.tables["ranges"]:
        key = (row["region"], f"{row['indication_id']}/{row['biomarker_id']}")
        least, greatest = ends(scenario, key, tolerance)
        assert row["least"] == pytest.approx(least, abs=1e-5), key
        assert row["greatest"] == pytest.approx(greatest, abs=1e-5), key
        half = 0.5 * row["attainable"] * (1 - 1e-5)
        assert row["where"] == ("always" if least >= half else "never" if greatest < half else "sometimes")


@pytest.mark.parametrize("name", WAYS)
def test_lists_are_within_tolerance_limits_and_ranges(by_hand, name):
    scenario = tiny_scenario(**WAYS[name])
    tolerance = 0.15
    found = alternatives(scenario, by_hand(tiny_problem()), tolerance)
    engine = Engine(tiny_problem(), scenario)
    best = engine.optimum().value
    assert all(r["health"] >= (1 - tolerance) * best - 1e-6 for r in found.tables["lists"])
    assert found.tables["lists"][0]["health"] == pytest.approx(best)
    ranges = {(r["indication_id"], r["biomarker_id"]): r for r in found.tables["ranges"]}
    for row in found.tables["lines"]:
        r = ranges[row["indication_id"], row["biomarker_id"]]
        assert r["least"] - 1e-6 <= row["coverage"] <= r["greatest"] + 1e-6
    study = Study(scenario, by_hand(tiny_problem()))
    for values in alternatives_values(study, tolerance, 5):
        keeps_every_row(engine, values)


def keeps_every_row(engine, values) -> None:
    arrays = engine.arrays[2]
    start, index, data = (np.array(getattr(arrays.a_matrix_, n)) for n in ("start_", "index_", "value_"))
    for r in range(arrays.num_row_):
        some = slice(start[r], start[r + 1])
        activity = float(data[some] @ values[index[some]])
        slack = 1e-6 * max(1.0, np.abs(data[some]).max(initial=0.0))
        assert arrays.row_lower_[r] - slack <= activity <= arrays.row_upper_[r] + slack, engine.arrays[1][r].name
    assert (values >= -1e-9).all()


def test_lists_differ_from_each_other(by_hand):
    found = alternatives(tiny_scenario(budget={"testing": 150_000}), by_hand(tiny_problem()), 0.3)
    coverage: dict[str, list[float]] = {}
    for row in found.tables["lines"]:
        coverage.setdefault(row["list"], []).append(row["coverage"])
    lists = [np.array(c) for c in coverage.values()]
    assert len(lists) > 1
    assert all(np.abs(a - b).max() >= 0.05 for n, a in enumerate(lists) for b in lists[:n])


def test_the_engine_is_put_back(by_hand):
    study = Study(tiny_scenario(budget={"testing": 150_000}), by_hand(tiny_problem()))
    before = study.optimum.plan.values.copy()
    alternatives_values(study, 0.1, 4)
    assert np.allclose(study.engine.optimum().plan.values, before, atol=1e-9)


def test_kenya_ranges_hold_the_plan_and_nothing_beyond_attainable(evidence, kenya):
    found = alternatives(kenya(), evidence)
    plan = {(r["indication_id"], r["biomarker_id"]): r["coverage"] for r in found.tables["lines"] if r["list"] == "the plan"}
    for row in found.tables["ranges"]:
        here = plan[row["indication_id"], row["biomarker_id"]]
        assert row["least"] - 1e-6 <= here <= row["greatest"] + 1e-6
        assert row["greatest"] <= row["attainable"] + 1e-6
    best = found.tables["lists"][0]["health"]
    assert all(r["health"] >= 0.98 * best - 1e-6 and r["testing_cost"] <= 400_000 * (1 + 1e-6) for r in found.tables["lists"])


@pytest.mark.parametrize(("tolerance", "said"), [(0.005, "0.5%"), (0.02, "2%"), (0.1, "10%"), (0.125, "12.5%")])
def test_the_tolerance_is_said_as_asked(by_hand, tolerance, said):
    found = alternatives(tiny_scenario(budget={"testing": 150_000}), by_hand(tiny_problem()), tolerance)
    assert f"loses at most {said} of the health" in found.words[0]


def test_a_list_that_comes_again_does_not_end_the_search(evidence, kenya):
    """As many lists as asked for while lines are in some lists and not in others, no two alike."""
    found = alternatives(kenya(), evidence, count=5)
    assert sum(r["where"] == "sometimes" for r in found.tables["ranges"]) > 5
    assert found.settings["lists"] == 5 and found.settings["stopped"] == "the 5 lists asked for were found"
    members: dict[str, set] = {}
    for r in found.tables["lines"]:
        members.setdefault(r["list"], set()).update({(r["indication_id"], r["biomarker_id"])} if r["in_list"] else ())
    assert len({frozenset(m) for m in members.values()}) == 6
    best = found.tables["lists"][0]["health"]
    assert all(r["health"] >= 0.98 * best - 1e-6 for r in found.tables["lists"])


def test_why_the_search_ended_is_said(by_hand):
    """Of three lines that can differ: each does after a few lists, and no more are found than there are."""
    found = alternatives(tiny_scenario(budget={"testing": 150_000}), by_hand(tiny_problem()), 0.3, count=50)
    assert found.settings["lists"] < 50
    assert found.settings["stopped"] in ("every line that can differ already does in one of them",
                                         "no further list was found, although lines could still differ")
    assert found.settings["stopped"] in found.words[-1]
    sometimes = {(r["indication_id"], r["biomarker_id"]) for r in found.tables["ranges"] if r["where"] == "sometimes"}
    for line in sometimes:  # each is turned in one of them
        assert {r["in_list"] for r in found.tables["lines"] if (r["indication_id"], r["biomarker_id"]) == line} == {True, False}
