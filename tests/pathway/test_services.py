"""Pathways against exhaustive enumeration of patient types."""

from __future__ import annotations

from itertools import product

import pytest

from planner.pathway.services import Performance, branches


def step(on, failure, se, sp, eq_carrier=0.0, eq_other=0.0):
    return (on, failure, Performance({"sensitivity": se, "specificity": sp, "equivocal_carrier": eq_carrier,
                                      "equivocal_noncarrier": eq_other}))


IHC = step("all", 0.04, 0.70, 0.85, 0.20, 0.10)
ISH = step("equivocal", 0.06, 0.97, 0.99)
NGS = step("failed", 0.10, 0.95, 0.98)
RESCUE = step("negative", 0.05, 0.5, 0.99)
CONFIRM = step("positive", 0.05, 0.99, 0.99)


def by_hand(steps, carrier):
    """(probability, steps done, called, usable) of every combination of what each step could show."""
    shows = ("failed", "positive", "equivocal", "negative")
    total = {}
    for combination in product(shows, repeat=len(steps)):
        probability = 1.0
        for (_, failure, accuracy), shown in zip(steps, combination, strict=True):
            rates = dict(zip(shows[1:], accuracy.outcome(carrier), strict=True))
            probability *= failure if shown == "failed" else (1 - failure) * rates[shown]
        done, n = [0], 0
        while n + 1 < len(steps) and steps[n + 1][0] == combination[n]:
            n += 1
            done.append(n)
        last = combination[n]
        key = (tuple(done), last == "positive", last != "failed")
        total[key] = total.get(key, 0.0) + probability
    return {key: p for key, p in total.items() if p > 0}


@pytest.mark.parametrize("carrier", [True, False])
@pytest.mark.parametrize("steps", [[IHC], [IHC, ISH], [IHC, NGS], [IHC, RESCUE], [IHC, CONFIRM],
                                   [IHC, ISH, NGS]])
def test_branches_are_the_enumeration(steps, carrier):
    walked = {}
    for probability, done, called, usable in branches(steps, carrier):
        key = (done, called, usable)
        walked[key] = walked.get(key, 0.0) + probability
    assert walked.keys() == by_hand(steps, carrier).keys()
    for key, probability in by_hand(steps, carrier).items():
        assert walked[key] == pytest.approx(probability)
    assert sum(walked.values()) == pytest.approx(1.0)


def test_reflex_raises_sensitivity_and_keeps_specificity():
    def accuracy(steps):
        out = {}
        for carrier in (True, False):
            found = [(p, called) for p, _, called, usable in branches(steps, carrier) if usable]
            out[carrier] = sum(p for p, called in found if called) / sum(p for p, _ in found)
        return out[True], 1 - out[False]

    alone, reflex = accuracy([IHC]), accuracy([IHC, ISH])
    assert alone[0] == pytest.approx(0.70) and reflex[0] > 0.88
    assert reflex[1] > 0.94
