"""Incremental cost-effectiveness against the printed tables of dampack, heemod, BCEA and a journal."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from planner.analysis.dominance import ladder
from planner.errors import BadInput
from tests.analysis.published import CDIFF, COLORECTAL, EQUAL_EFFECT, HEEMOD, HIV, SMOKING, VA, of

STATUS = {"ND": "frontier", "ED": "extended", "D": "dominated"}


@pytest.mark.parametrize(("strategies", "order", "extended", "dominated"), [
    (HIV, ["status quo", "one time", "5yr", "3yr"], [], ["annual"]),
    (CDIFF, ["s3", "s27", "s33", "s31", "s43", "s44"], ["s39"], ["s4", "s13", "s37", "s20"]),
    (VA, ["UC", "B", "D", "E"], ["C"], ["A"]),
    (SMOKING, ["No intervention", "Self-help", "Group counselling"], ["Individual counselling"], []),
    (COLORECTAL, list(COLORECTAL), [], []),
    (EQUAL_EFFECT, ["Test & treat"], [], ["No Treat", "Treat all"]),
], ids=["hiv", "cdiff", "va", "smoking", "colorectal", "equal effect"])
def test_status_and_order_as_printed(strategies, order, extended, dominated):
    found = of(strategies)
    assert [r.name for r in found.frontier] == order
    assert [r.name for r in found.rows if r.status == "extended"] == extended
    assert [r.name for r in found.rows if r.status == "dominated"] == dominated
    assert found.reference == order[0]
    assert [r.against for r in found.frontier] == [None, *order[:-1]]
    assert all(r.icer is None for r in found.rows if r.status != "frontier")


@pytest.mark.parametrize("case", HEEMOD, ids=range(1, 14))
def test_heemod_edge_cases(case):
    cost, effect, expected = case
    found = ladder([str(n) for n in range(1, len(cost) + 1)], cost, effect)
    assert {int(r.name) for r in found.frontier} == expected


def test_equals_share_the_rung():
    """heemod's case 7: strategies 4 and 5 are one, and both stay; the next is compared with them."""
    cost, effect, _ = HEEMOD[6]
    found = ladder([str(n) for n in range(1, 8)], cost, effect)
    four, five, seven = (found.row(n) for n in "457")
    assert five.equals == "4" and four.equals is None
    assert (five.icer, five.against) == (four.icer, four.against) == (pytest.approx((58500 - 25000) / (11.6588 - 10.25)), "2")
    assert seven.against == "4"
    twins = ladder(["a", "b", "c", "d"], [1, 1, 5, 5], [2, 2, 1, 1])
    assert [(r.name, r.status, r.equals) for r in twins.rows] == [
        ("a", "frontier", None), ("b", "frontier", "a"), ("c", "dominated", None), ("d", "dominated", "c")]


def test_one_strategy_has_no_increment():
    (row,) = ladder(["only"], [1], [2]).rows
    assert (row.status, row.icer, row.added_cost, row.added_effect, row.icer_to_reference) == ("frontier", *[None] * 4)


def test_on_the_line_between_two_others_is_not_dominated():
    found = ladder("abc", [0, 0.1, 0.3], [0, 1, 3])
    assert [r.status for r in found.rows] == ["frontier"] * 3
    assert found.rows[1].icer == pytest.approx(found.rows[2].icer)
    assert ladder("abc", [0, 0.1 + 1e-9, 0.3], [0, 1, 3]).row("b").status == "extended"


@pytest.mark.parametrize("strategies", [HIV, CDIFF, VA, SMOKING, EQUAL_EFFECT])
def test_order_and_units_do_not_matter(strategies):
    names = list(strategies)
    first = {r.name: r.status for r in of(strategies).rows}
    for seed in range(5):
        mixed = random.Random(seed).sample(names, len(names))
        turned = ladder(mixed, [strategies[n][0] * 131 + 7e6 for n in mixed], [strategies[n][1] / 12 - 3 for n in mixed])
        assert {r.name: r.status for r in turned.rows} == first


def test_frontier_is_what_is_best_at_some_threshold():
    """By brute force: at every threshold the best is the one of greatest net benefit; what is extendedly
    dominated or dominated never is."""
    rng = random.Random(3)
    for _ in range(60):
        n = rng.randrange(1, 9)
        names = [f"s{k}" for k in range(n)]
        cost, effect = [rng.randrange(0, 30) for _ in names], [rng.randrange(0, 12) for _ in names]
        found = ladder(names, cost, effect)
        ratios = [(c - d) / (e - f) for (c, e), (d, f) in combinations(zip(cost, effect, strict=True), 2) if e != f]
        edges = sorted({0.0, *(r for r in ratios if r > 0), 1e3})
        for k in [(a + b) / 2 for a, b in zip(edges, edges[1:])]:
            net = {name: k * e - c for name, c, e in zip(names, cost, effect, strict=True)}
            best = {name for name, value in net.items() if value >= max(net.values()) - 1e-9}
            assert found.best(k) in best
            assert all(found.row(name).status == "frontier" for name in best)
        icers = [r.icer for r in found.frontier if r.icer is not None]
        assert icers == sorted(icers)


def test_faults_are_named():
    for names, cost, effect in (([], [], []), (["a"], [1, 2], [1]), (["a", "a"], [1, 2], [1, 2]),
                                (["a", "b"], [1, float("nan")], [1, 2])):
        with pytest.raises(BadInput):
            ladder(names, cost, effect)


def test_result_is_frozen_and_tidy():
    found = of(VA)
    with pytest.raises(AttributeError):
        found.reference = "B"
    assert list(found.frame()["name"]) == ["UC", "B", "D", "E", "C", "A"]
