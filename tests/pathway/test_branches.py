"""Branches of a work-up against exhaustive enumeration of what every test of every patient could show.

The enumeration knows nothing of branches: it draws, for every kind of patient, every combination of what each step
would show if it were run, and then reads the rules in order.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest

from planner.pathway.branches import Biopsy, Step, WorkUp, dependent, enough, expected
from planner.pathway.performance import Performance

LOSS = 0.01
TISSUE = ((1.0, 0.97), (5.0, 0.85), (10.0, 0.7))


def accuracy(se, sp, eq_carrier=0.0, eq_other=0.0):
    return Performance({"sensitivity": se, "specificity": sp, "equivocal_carrier": eq_carrier,
                        "equivocal_noncarrier": eq_other})


def step(assay, biomarkers, on="all", failure=0.05, days=7.0, se=0.95, sp=0.98, eq=(0.0, 0.0), **more):
    return Step(assay, tuple(biomarkers), on, failure, days, {b: accuracy(se, sp, *eq) for b in biomarkers}, **more)


SHARES = {"egfr": 0.3, "alk": 0.05, "ros1": 0.02, "kras": 0.2}
EXCLUSIVE = WorkUp(
    (step("pcr", ["egfr"], slides=3), step("ihc", ["alk"], "negative", 0.03, 5, 0.93, 0.97, slides=1),
     step("ihc2", ["ros1"], "negative", 0.03, 5, 0.9, 0.8, slides=1),
     step("fish", ["ros1"], "positive", 0.1, 12, 0.97, 0.99, slides=2)),
    {b: SHARES[b] for b in ("egfr", "alk", "ros1")}, True, LOSS, TISSUE)
PANEL_RESCUE = WorkUp(
    (step("panel", SHARES, failure=0.15, days=20, slides=8),
     step("plasma", SHARES, "failed", 0.08, 10, 0.6, 0.99)), SHARES, True, LOSS)
HOTSPOT_THEN_CGP = WorkUp(
    (step("hotspot", ["egfr", "kras", "alk"], failure=0.05, days=14, slides=4),
     step("cgp", ["egfr", "kras", "alk"], "negative", 0.1, 25, 0.97, 0.99, slides=8)),
    {b: SHARES[b] for b in ("egfr", "kras", "alk")}, True, LOSS, TISSUE)
ONE_THEN_PANEL = WorkUp(
    (step("pcr", ["egfr"], days=5, slides=3), step("panel", SHARES, "negative", 0.1, 20, slides=8)),
    SHARES, True, LOSS, TISSUE)
REFLEX = WorkUp((step("ihc", ["her2"], se=0.7, sp=0.85, eq=(0.2, 0.1)), step("ish", ["her2"], "equivocal", 0.06, 8, 0.97, 0.99),
                 step("ngs", ["her2"], "failed", 0.1, 20, 0.9, 0.97)), {"her2": 0.2}, False, LOSS)
CONCURRENT = WorkUp(
    (step("pcr", ["egfr"], slides=3), step("ihc", ["pdl1"], days=4, se=0.8, sp=0.9, slides=2, interval=14)),
    {"egfr": 0.3, "pdl1": 0.4}, False, LOSS, TISSUE)
RAS_BRAF = WorkUp((step("ras", ["ras_wt"]), step("braf", ["braf"], "positive", days=3)),
                  {"ras_wt": 0.5, "braf": 0.1}, False, LOSS)
AGAIN = WorkUp((step("panel", ["egfr", "alk"], failure=0.2, days=14, slides=5),
                step("panel", ["egfr", "alk"], "failed", 0.2, 14, slides=5, again=Biopsy(0.7, 0.8, 900.0, 10.0))),
               {"egfr": 0.3, "alk": 0.05}, True, LOSS, TISSUE)
TWICE = WorkUp((step("plasma", ["egfr"], se=0.6, sp=0.95), step("tissue", ["egfr"], "negative", days=9)),
               {"egfr": 0.3}, False, LOSS, (), 0.4)
ALL = {"exclusive": EXCLUSIVE, "panel_rescue": PANEL_RESCUE, "hotspot_then_cgp": HOTSPOT_THEN_CGP,
       "one_then_panel": ONE_THEN_PANEL, "reflex": REFLEX, "concurrent": CONCURRENT, "ras_braf": RAS_BRAF,
       "again": AGAIN, "twice": TWICE}


def patients(work):
    """Every kind of patient by all biomarkers carried."""
    names = sorted(work.prevalence)
    if work.exclusive:
        for b in names:
            yield work.prevalence[b], {b}
        yield 1 - sum(work.prevalence.values()), set()
        return
    for carried in product((True, False), repeat=len(names)):
        yield (math.prod(work.prevalence[b] if yes else 1 - work.prevalence[b] for b, yes in zip(names, carried, strict=True)),
               {b for b, yes in zip(names, carried, strict=True) if yes})


def latent(step):
    """Everything a step could show: no sample, failure, or a result for each biomarker."""
    if step.again:
        yield "not feasible"
        yield "no sample"
    elif step.slides:
        yield "no sample"
    yield "failed"
    yield from product(("positive", "equivocal", "negative"), repeat=len(step.biomarkers))


def by_counting(work, target):
    """(in time, usable, called and in time) among carriers and others, runs and biopsies, by full enumeration."""
    tally = {(kind, c): 0.0 for kind in ("share", "in_time", "usable", "called") for c in (True, False)}
    runs, biopsies, total = [0.0] * len(work.steps), 0.0, 0.0
    for share, carried in patients(work):
        tally["share", target in carried] += share
        for shown in product(*(list(latent(s)) for s in work.steps)):
            p, result, _, timely, done, extra, first = walk(work, target, carried, shown)
            if p == 0 or not first:
                continue
            total += share * p
            biopsies += share * p * extra
            for n in done:
                runs[n] += share * p
            if result == "unusable":
                continue
            tally["usable", target in carried] += share * p
            tally["in_time", target in carried] += share * p * timely
            tally["called", target in carried] += share * p * timely * (result == "positive")
    assert total == pytest.approx(1.0)
    return tally, runs, biopsies


def walk(work, target, carried, shown):
    """One combination: its probability and what comes of it. What is not run counts once (its first entry)."""
    p, results, by, at, done, biopsies, days, timely, used = 1.0, {}, {}, {}, [], 0, 0.0, 1.0, 0.0
    for n, (s, show) in enumerate(zip(work.steps, shown, strict=True)):
        asked = [b for b in s.biomarkers if wanted(work, n, s, b, results)]
        if not asked:
            if show != next(iter(latent(s))):
                return 0.0, None, 0, 0, (), 0, False
            continue
        if s.again:
            if show == "not feasible":
                p *= 1 - s.again.feasible
            else:
                p, biopsies, days = p * s.again.feasible, biopsies + 1, days + s.again.days
                timely *= math.exp(-work.attrition * s.again.days)
                p *= 1 - s.again.successful if show == "no sample" else s.again.successful
            used = s.slides
        elif s.slides:
            left = enough(work.tissue, used + s.slides) / enough(work.tissue, max(used, s.slides))
            p *= 1 - left if show == "no sample" else left
            used = used + s.slides if show != "no sample" else used
        if show in ("not feasible", "no sample"):
            note(results, by, at, dict.fromkeys(asked, "failed"), n, days, timely)
            continue
        done.append(n)
        days += s.days + s.interval / 2
        timely *= math.exp(-work.attrition * s.days)
        if s.interval:
            grid = [(k + 0.5) / 4000 * s.interval for k in range(4000)]
            timely *= sum(math.exp(-work.attrition * w) for w in grid) / len(grid)
        if show == "failed":
            p *= s.failure
            note(results, by, at, dict.fromkeys(asked, "failed"), n, days, timely)
            continue
        p *= 1 - s.failure
        told = dict(zip(s.biomarkers, show, strict=True))
        for b in s.biomarkers:
            if b not in asked:
                if told[b] != "positive":  # what is not asked counts once
                    return 0.0, None, 0, 0, (), 0, False
                continue
            p *= chance(work, n, s, b, told[b], carried, results, by)
        note(results, by, at, {b: told[b] for b in asked}, n, days, timely)
    result = results.get(target)
    if result is None:
        outcome, when = ("unusable" if "failed" in results.values() else "negative"), (days, timely)
    else:
        outcome, when = ("unusable" if result == "failed" else result), at[target]
    return p, outcome, *when, done, biopsies, True


def note(results, by, at, new, n, days, timely):
    for b, result in new.items():
        results[b], by[b], at[b] = result, n, (days, timely)


def wanted(work, n, s, biomarker, results):
    if s.on == "all":
        return True
    if s.on == "negative" and work.exclusive:
        return "positive" not in results.values() and results.get(biomarker) != "failed"
    earlier = any(biomarker in e.biomarkers for e in work.steps[:n])
    seen = results.get(biomarker) if earlier else results.get(work.steps[n - 1].biomarkers[0])
    return seen == s.on


def chance(work, n, s, biomarker, result, carried, results, by):
    positive, equivocal, _ = s.accuracies[biomarker].outcome(biomarker in carried)
    if work.correlation and results.get(biomarker) in ("positive", "negative"):
        first = work.steps[by[biomarker]].accuracies[biomarker].outcome(biomarker in carried)[0]
        joint = first * positive + work.correlation * math.sqrt(first * (1 - first) * positive * (1 - positive))
        positive = joint / first if results[biomarker] == "positive" else (positive - joint) / (1 - first)
    return {"positive": positive, "equivocal": equivocal, "negative": 1 - positive - equivocal}[result]


@pytest.mark.parametrize("name", ALL)
def test_expectations_are_the_enumeration(name):
    work = ALL[name]
    for target in work.prevalence:
        found, runs, biopsies = expected(work, target)
        tally, counted, again = by_counting(work, target)
        for carrier, in_time in ((True, found.in_time_carriers), (False, found.in_time_others)):
            assert in_time == pytest.approx(tally["in_time", carrier] / tally["share", carrier])
        assert found.usable == pytest.approx(tally["usable", True] + tally["usable", False])
        assert found.in_time == pytest.approx(tally["in_time", True] + tally["in_time", False])
        assert found.sensitivity == pytest.approx(tally["called", True] / tally["in_time", True])
        assert 1 - found.specificity == pytest.approx(tally["called", False] / tally["in_time", False])
        assert runs == pytest.approx(tuple(counted)) and biopsies == pytest.approx(again)


def test_a_stop_rule_saves_tests_and_an_exclusion_is_an_answer():
    found, runs, _ = expected(EXCLUSIVE, "alk")
    assert runs[0] == 1 and runs[1] < 0.75 and runs[3] < runs[2]
    alone = expected(WorkUp((replace(EXCLUSIVE.steps[1], on="all"),), {"alk": 0.05}, attrition=LOSS), "alk")[0]
    assert found.specificity > alone.specificity  # most are excluded by the driver found before


def test_correlated_errors_make_a_second_test_worth_less():
    def sensitivity(correlation):
        return expected(WorkUp(TWICE.steps, TWICE.prevalence, correlation=correlation), "egfr")[0].sensitivity

    assert sensitivity(0.0) == pytest.approx(0.6 * 0.95 / 0.95 + (1 - 0.6) * 0.95, rel=0.03)
    assert sensitivity(0.0) > sensitivity(0.3) > sensitivity(0.6)
    assert dependent(0.9, 0.6, True, 0.0) == 0.9
    assert dependent(0.9, 0.6, True, 1.0) == 1.0  # kept within what a probability can be


def test_a_result_is_known_when_its_own_step_is_done():
    first, _, _ = expected(CONCURRENT, "egfr")
    assert first.days == pytest.approx(7.0)


def test_tissue_is_read_between_its_points():
    assert enough(TISSUE, 0) == 1 and enough(TISSUE, 3) == pytest.approx(0.91)
    assert enough(TISSUE, 40) == 0.7 and enough((), 12) == 1.0
