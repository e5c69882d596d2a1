"""The home laboratory against all whole numbers tried one by one, hand counts and the costing of a single test."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from planner.analysis.study import Stopped
from planner.errors import Infeasible
from planner.optimise.integer import Step, searching, watched
from planner.optimise.resolve import Engine
from planner.pathway.costing import average_cost, break_even
from planner.result.laboratory import home_tests, platforms
from planner.result.readout import read
from tests.optimise import lab_tiny as tiny
from tests.optimise.lab_tiny import (
    CASES,
    CYCLER,
    FEE,
    KAP,
    OUT,
    STAINER,
    TESTS,
    Whole,
    best_with,
    brute,
    engine,
    lab,
    settled,
)
from tests.tiny import tiny_scenario

BUDGETS = (2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000)
CLOSE = {"rel": 1e-6, "abs": 1e-6}


@pytest.mark.parametrize("budget", BUDGETS)
def test_the_best_plan_is_that_of_all_whole_numbers(budget):
    e = engine(budget={"testing": budget})
    assert e.optimum().value == pytest.approx(best(budget), **CLOSE)
    assert e.settled.status == "optimal" and e.gap <= 1e-6
    assert best_with(lab(), settled(e), budget) == pytest.approx(e.optimum().value, **CLOSE)


@pytest.mark.parametrize("gap", [0.02, 0.2])
def test_a_wider_gap_is_kept_and_told(gap):
    for budget in BUDGETS[2:]:
        e, most = engine(budget={"testing": budget}, laboratory={"gap": gap}), best(budget)
        value = e.optimum().value
        assert value <= most * (1 + 1e-6)
        assert e.gap <= gap and most <= value * (1 + gap) + 1e-6
        assert most <= e.settled.bound * (1 + 1e-6)  # the bound that is told holds


def test_limits_of_people_hold_with_whole_instruments():
    for minutes in (500.0, 3_000.0):
        e = engine(budget={"testing": 40_000}, laboratory={"technician_minutes": minutes})
        assert e.optimum().value == pytest.approx(brute(lab(), 40_000, minutes=minutes), **CLOSE)


@cache
def best(budget: float) -> float:
    return brute(lab(), budget)


def at_home(e) -> list[dict]:
    return home_tests(e, e.optimum().plan.values)


def alone(test: str, eligible: float, elsewhere: bool = False, home=None, pay: float = 0.0, **scenario):
    """One use case and its test, as much as is wanted."""
    return engine(home, (("lung", "egfr", test, eligible, 1.0),), elsewhere, pay, **scenario)


# -- volume ---------------------------------------------------------------------------------------------


def cost_at_home(samples: float) -> float:
    """Cost per sample of the PCR at home, each by itself (the runs of its cycler bound how many one can do)."""
    t = TESTS[2]
    return average_cost(samples, FEE + t.quality_fee, 3000.0, 100.0, 0.0, 1.0, t.per_sample + t.labour + t.per_run)


@pytest.mark.parametrize("samples", [10, 45, 90, 99, 100])
def test_average_cost_is_that_of_the_costing(samples):
    (row,) = at_home(alone("pcr", samples / KAP))
    assert row["samples"] == pytest.approx(samples)
    assert row["average_cost"] == pytest.approx(cost_at_home(samples))
    assert row["marginal_cost"] == pytest.approx(20 + 5 + 90)


@pytest.mark.parametrize("test", ["pcr", "stain_a", "stain_b"])
def test_average_cost_falls_with_volume_while_an_instrument_has_room(test):
    rows = [at_home(alone(test, n / KAP))[0] for n in (10, 20, 40, 80)]
    costs = [row["average_cost"] for row in rows]
    assert costs == sorted(costs, reverse=True) and costs[0] > 1.5 * costs[-1]
    assert len({row["marginal_cost"] for row in rows}) == 1


def test_lines_and_tests_carry_all_of_the_laboratory():
    e = engine(budget={"testing": 40_000})
    plan = e.optimum().plan
    whole = e.vector(e.formulation.testing[0]) @ plan.values
    readout = read(e, plan.values)
    assert sum(line.testing_cost for line in readout.lines.values()) == pytest.approx(whole)
    assert sum(row["cost"] for row in readout.tests.values()) == pytest.approx(whole)


def test_a_larger_minimum_volume_closes_a_test():
    offered = []
    for volume in (0.0, 150.0, 400.0, 10_000.0):
        home = lab(minimum_volume=volume)
        e = engine(home, budget={"testing": 40_000})
        assert e.optimum().value == pytest.approx(brute(home, 40_000), **CLOSE)
        rows = at_home(e)
        for assay in {r["assay"] for r in rows}:
            assert sum(r["samples"] for r in rows if r["assay"] == assay) >= volume - 1e-6
        offered.append(len({r["assay"] for r in rows}))
    assert offered[0] == 3 and offered == sorted(offered, reverse=True) and offered[-1] == 0


def test_instruments_that_stand_there_are_used_before_any_is_bought():
    bought = engine(budget={"testing": 60_000})
    home = lab(platforms=tuple(replace(p, existing=2 if p == STAINER else 3) for p in lab().platforms))
    standing = engine(home, budget={"testing": 60_000})
    new, old = settled(bought).bought, settled(standing).bought
    assert new["stainer"] > 0 and new["cycler"] > 0
    assert old == {"stainer": 0, "cycler": 0}
    assert standing.optimum().value == pytest.approx(brute(home, 60_000), **CLOSE)
    assert standing.optimum().value > bought.optimum().value
    plan = standing.optimum().plan.values
    rows = {r["platform"]: r for r in platforms(standing, plan, {}, None)}
    assert rows["stainer"]["existing"] == 2 and rows["stainer"]["yearly_cost"] == 0
    assert rows["stainer"]["service_already_paid"] == 2 * STAINER.service


def test_volume_pooled_over_two_cancers_fills_one_run():
    """Stain A twelve times a year: 40 samples of lung and 60 of colon are 100 of the 120 places, paid for once."""
    home = lab(assays=(replace(TESTS[0], per_run=300.0), *TESTS[1:]))
    lung, colon = ("lung", "alk", "stain_a", 40 / KAP, 1.0), ("colon", "msi", "stain_a", 60 / KAP, 1.0)
    minimal = {"testing": 9_300}  # 4000 + 500 + 200 + 12 x 300 + 100 x 10
    both = [engine(home, cases, False, budget=minimal) for cases in ((lung, colon), (lung,), (colon,))]
    rows = [[r for r in at_home(e) if r["runs_a_year"]] for e in both]
    (pooled,), *apart = rows
    assert pooled["samples"] == pytest.approx(100) and pooled["runs"] == pytest.approx(12)
    assert pooled["samples_per_run"] == pytest.approx(100 / 12)
    assert all(r["average_cost"] > pooled["average_cost"] for mine in apart for r in mine)


def test_more_samples_than_the_schedule_holds_take_more_runs():
    home = lab(assays=(replace(TESTS[0], per_run=300.0), *TESTS[1:]))
    case = ("lung", "alk", "stain_a", 300 / KAP, 1.0)
    (row,) = [r for r in at_home(engine(home, (case,), False, budget={"testing": 25_000})) if r["runs_a_year"]]
    assert row["runs"] == pytest.approx(row["samples"] / 10) and row["runs"] > 12


# -- what a sample pays is what it takes up ----------------------------------------------------------------


def test_a_sample_by_itself_takes_the_places_of_its_controls():
    """Twelve places, ten for samples of a full run: a sample with controls of its own takes three, so that a stainer of 60
    runs does 240 of them, and 600 where runs are full."""
    stainer = replace(STAINER, positions=12.0)
    home = lab(platforms=(CYCLER, stainer), assays=tuple(replace(t, schedules=()) for t in TESTS))
    for samples, bought in ((240, 1), (241, 2), (480, 2), (481, 3)):
        e = engine(home, (("lung", "alk", "stain_a", samples / KAP, 1.0),), False)
        (row,) = platforms(e, e.optimum().plan.values, {}, None)
        assert (row["bought"], row["samples"], row["runs"]) == (bought, pytest.approx(samples), pytest.approx(samples / 4))
    assert stainer.used(600.0, 60.0, 10.0) == pytest.approx(60)


def test_a_schedule_that_is_part_filled_takes_its_controls():
    stainer = replace(STAINER, positions=12.0)
    home = lab(platforms=(CYCLER, stainer), assays=(replace(TESTS[0], per_run=300.0), *TESTS[1:]))
    e = engine(home, (("lung", "alk", "stain_a", 60 / KAP, 1.0),), False, budget={"testing": 10_500})
    (row,) = platforms(e, e.optimum().plan.values, {}, None)
    (test,) = [r for r in at_home(e) if r["runs_a_year"]]
    assert test["runs"] == pytest.approx(12)
    assert row["runs"] == pytest.approx((row["samples"] + 2 * sum(r["runs"] for r in at_home(e))) / 12)


# -- own laboratory or elsewhere --------------------------------------------------------------------------


def equal_in_time(share: float, monkeypatch) -> None:
    """The same share of results in time wherever the test is run, so that only money decides."""
    monkeypatch.setattr(tiny, "ETA", dict.fromkeys(tiny.ETA, share))


def only_at_once(test: str, **changes):
    return lab(assays=tuple(replace(t, schedules=(), **(changes if t.assay == test else {})) for t in TESTS))


@pytest.mark.parametrize("pay", [0.0, 100_000.0])
def test_the_own_laboratory_begins_where_it_breaks_even(monkeypatch, pay):
    """Below the volume that the costing tells the test is sent out, from it on it is run at home; whatever the drugs
    of those found cost."""
    equal_in_time(0.9, monkeypatch)
    t = TESTS[0]
    per_sample = t.per_sample + t.labour + t.per_run

    def own(n: int) -> float:
        return average_cost(n, FEE + t.quality_fee, STAINER.yearly_cost, STAINER.runs_per_year * 10, 0.0, 1.0, per_sample)

    turn = break_even(own, lambda n: OUT["stain_a"], 500)
    assert turn is not None and 20 < turn < 480
    for samples, home in ((turn // 2, False), (turn - 3, False), (turn + 3, True), (turn * 2, True)):
        e = alone("stain_a", samples / KAP, True, only_at_once("stain_a"), pay)
        done = sum(r["samples"] for r in at_home(e))
        assert done == pytest.approx(samples if home else 0.0, abs=1e-6), samples
        assert settled(e).bought["stainer"] == int(home)


def test_what_is_bought_is_needed():
    """Without any limit of money the most health is bought with the fewest instruments, fees and runs."""
    for pay in (0.0, 100_000.0):
        e = engine(pay=pay)
        w, value = settled(e), e.optimum().value
        money = e.vector(e.formulation.testing[0]) @ e.optimum().plan.values
        fewer = [Whole({**w.bought, p: n - 1}, w.chosen) for p, n in w.bought.items() if n]
        shut = [Whole(w.bought, {**w.chosen, t: None}) for t, n in w.chosen.items() if n is not None]
        idle = {t: n for t, n in w.chosen.items() if n and not any(
            r["assay"] == t and r["runs_a_year"] for r in at_home(e))}
        assert not idle
        for other in (*fewer, *shut):
            assert best_with(lab(), other, 1e9) < value - 1e-6, (w, other)
        assert best_with(lab(), w, money - 1.0) < value - 1e-9


# -- the search ---------------------------------------------------------------------------------------------


def many():
    """A harder laboratory: twelve tests on four platforms, thirty use cases."""
    platforms_ = tuple(replace(STAINER, platform=f"p{n}", yearly_cost=3000.0 + 170 * n, runs_per_year=40.0 + 3 * n,
                               shared_run=bool(n % 2)) for n in range(4))
    assays = tuple(replace(TESTS[0], assay=f"t{n}", per_run=20.0 + 3 * n, quality_fee=150.0 + 11 * n,
                           platforms=((f"p{n % 4}", 6.0 + n % 5),), schedules=(12.0, 50.0)) for n in range(12))
    cases = tuple((f"i{n % 10}", f"b{n}", f"t{(5 * n) % 12}", 40.0 + 10 * (n % 10), 0.3 + 0.07 * (n % 9)) for n in range(30))
    return lab(platforms=platforms_, assays=assays), cases


@pytest.fixture
def hard(monkeypatch):
    monkeypatch.setattr(tiny, "OUT", {f"t{n}": 60.0 + 4 * n for n in range(12)})
    home, cases = many()
    return lambda **laboratory: engine(home, cases, budget={"testing": 60_000}, laboratory=laboratory)


@pytest.mark.parametrize("seconds", [1e-6, 0.01, 0.05, 0.3])
def test_however_short_a_search_is_it_has_a_plan_and_tells_its_gap(hard, seconds):
    e, long = hard(seconds=seconds), hard(seconds=30)
    assert e.settled.status in ("optimal", "time limit")
    assert e.settled.seconds < seconds + 5
    value = e.optimum().value
    assert 0 < value <= e.settled.bound * (1 + 1e-6) and np.isfinite(e.gap)
    assert value == pytest.approx(e.settled.bound / (1 + e.gap))
    assert long.optimum().value <= e.settled.bound * (1 + 1e-6)
    for row in platforms(e, e.optimum().plan.values, {}, None):  # nothing bought stands idle, or could do without one
        assert row["runs"] > (row["instruments"] - 1) * row["capacity"] / row["instruments"] - 1e-6
    offered = {a for (a, _), w in e.formulation.laboratory.offered.items()
               if dict(zip(e.integers.tolist(), e.settled.values, strict=True))[e.column(w)]}
    assert offered == {r["assay"] for r in at_home(e)}


def test_what_a_short_search_is_worth_is_not_less_than_nothing_at_home(hard):
    e = hard(seconds=1e-6)
    e.model.set_column_bounds(e.integers, np.zeros(len(e.integers)), np.zeros(len(e.integers)))
    nothing = e.run()
    assert hard(seconds=1e-6).optimum().value >= nothing - 1e-9


def test_a_given_list_is_carried_out_however_short_the_search():
    e = engine(elsewhere=False, laboratory={"seconds": 1e-6})
    values = e.evaluate({("XXX", f"{i}/{b}"): 0.3 for i, b, *_ in CASES}).values
    bought = [values[e.column(v)] for v in e.formulation.laboratory.instruments.values()]
    assert bought == pytest.approx(np.round(bought), abs=1e-6) and sum(bought) >= 2


def test_progress_is_told_and_a_stop_keeps_what_was_found(hard):
    steps: list[Step] = []

    def go_on(step: Step) -> bool:
        steps.append(step)
        return True

    with watched(go_on):
        e = hard(gap=0.0, seconds=4)
    assert {s.stage for s in steps} >= {"health"} and all(s.seconds >= 0 for s in steps)
    found = [s.found for s in steps if s.stage == "health" and np.isfinite(s.found)]
    assert found == sorted(found)
    whole = e.optimum().value
    asked: list[Step] = []

    def stop(step: Step) -> bool:
        asked.append(step)
        return not (step.stage == "health" and np.isfinite(step.found) and abs(step.found) < 1e15)

    with watched(stop):
        e = hard(gap=0.0, seconds=4)
    assert asked and e.settled.status in ("stopped", "optimal")
    assert 0 < e.optimum().value <= whole * (1 + 1e-6) or e.settled.status == "optimal"
    assert e.settled.bound >= whole * (1 - 1e-6)
    quiet = hard(gap=0.0, seconds=4)
    assert len(asked) and quiet.settled is not None  # nobody is told any more


# -- limits and values ------------------------------------------------------------------------------------


def test_shadow_prices_are_finite_differences_with_instruments_held():
    priced = 0
    for budget in (10_000, 20_000, 40_000, 60_000):
        e = engine(budget={"testing": budget})
        optimum = e.optimum()
        for name in (n for n in optimum.shadow_prices if n.startswith(("capacity_", "budget_"))):
            _, high = e.model.bounds(name)
            step = 1e-3 if name.startswith("capacity_") else 0.1
            gains = []
            for moved in (high + step, high - step):
                e.model.set_row(name, None, moved)
                gains.append((e.run() - optimum.value) / (moved - high))
            e.model.set_row(name, None, high)
            assert gains[0] - 1e-7 <= optimum.shadow_prices[name] <= gains[1] + 1e-7, (budget, name)
            priced += name.startswith("capacity_") and optimum.shadow_prices[name] > 1e-9
    assert priced


def test_a_capacity_of_nothing_has_no_price():
    e = engine(budget={"testing": 5_000})
    assert settled(e).bought == {"stainer": 0, "cycler": 0}
    assert not [n for n in e.optimum().shadow_prices if n.startswith("capacity_")]


@pytest.mark.parametrize("budget", [10_000, 20_000, 40_000, 60_000])
def test_what_one_instrument_fewer_loses_is_that_of_all_whole_numbers(budget):
    e = engine(budget={"testing": budget})
    value, w = e.optimum().value, settled(e)
    for name, n in w.bought.items():
        if not n:
            continue
        column = e.column(e.formulation.laboratory.instruments[name, 0])
        without = brute(lab(), budget, within=Whole({**w.bought, name: n - 1}, w.chosen))
        assert e.lost_with_fewer([column]) == pytest.approx(value - without, rel=1e-4, abs=1e-4)
    assert e.optimum().value == pytest.approx(value)  # put back as it was


def test_moving_a_budget_settles_anew():
    e = engine(budget={"testing": 10_000})
    for budget in (40_000, 5_000, 20_000):
        e.with_scenario(tiny_scenario(budget={"testing": budget}, laboratory={"costing": "micro", "gap": 0.0}))
        assert e.optimum().value == pytest.approx(best(budget), **CLOSE)


def test_a_given_list_is_carried_out_with_whole_instruments():
    e = engine(elsewhere=False)
    given = {("XXX", f"{i}/{b}"): 0.3 for i, b, *_ in CASES}
    values = e.evaluate(given).values
    bought = [values[e.column(v)] for v in e.formulation.laboratory.instruments.values()]
    assert bought == pytest.approx(np.round(bought), abs=1e-6) and sum(bought) == 2
    before = settled(e)
    assert e.optimum().value > 0 and settled(e) == before


def test_two_runs_of_one_test_on_a_patient_are_not_cut_off():
    """Stain A read for two biomarkers of the same patients: twice as many samples as patients may be run at home."""
    cases = (("lung", "alk", "stain_a", 100 / KAP, 1.0), ("lung", "ros1", "stain_a", 100 / KAP, 1.0))
    small = lab(assays=(replace(TESTS[0], most=100.0), *TESTS[1:]))
    e = engine(small, cases, elsewhere=False)
    assert sum(r["samples"] for r in at_home(e)) == pytest.approx(200)


def test_a_part_filled_run_needs_an_instrument():
    """Runs of a schedule are nowhere but on platforms that stand in the laboratory."""
    bench = replace(STAINER, platform="bench", yearly_cost=100_000.0)
    both = replace(TESTS[0], per_run=300.0, platforms=(("bench", 10.0), ("stainer", 10.0)))
    home = lab(platforms=(bench, STAINER), assays=(both,))
    e = engine(home, (("lung", "alk", "stain_a", 60 / KAP, 1.0),), False, budget={"testing": 10_500})
    (row,) = [r for r in at_home(e) if r["runs_a_year"]]
    assert {p["platform"]: p["runs"] for p in row["platforms"]} == {"bench": 0.0, "stainer": pytest.approx(12)}


def test_a_search_is_told_to_longer_work_and_what_that_raises_ends_it(hard):
    """The share of the longer work stays; stopping it stops the search."""
    told = []
    with searching(lambda share, words: told.append((share, words))) as progress:
        progress(0.4, "something longer")
        assert hard(gap=0.0, seconds=4).settled is not None
    assert told[0] == (0.4, "something longer") and len(told) > 1
    assert all(share == 0.4 and words.startswith("searching whole instruments") for share, words in told[1:])

    def stop(share, words):
        raise Stopped

    with pytest.raises(Stopped), searching(stop):
        hard(gap=0.0, seconds=4)


def test_what_a_mandate_needs_is_told_for_whole_instruments():
    """One stainer, both fees, and each sample by itself: the sum by hand; a fraction of a stainer would cost less."""
    def asked(budget: float) -> Engine:
        mine = tiny.problem(elsewhere=False, cases=CASES[3:])
        must = tuple(replace(i, use_cases=tuple(replace(u, must_fund=True) for u in i.use_cases)) for i in mine.indications)
        return Engine(replace(mine, indications=must), tiny_scenario(
            laboratory={"costing": "micro", "gap": 0.0}, budget={"testing": budget}))

    need = STAINER.yearly_cost + FEE + TESTS[1].quality_fee + 400 * KAP * (9 + 3 + 25)
    with pytest.raises(Infeasible) as error:
        asked(need - 1000).optimum()
    (issue,) = error.value.issues
    assert (issue.have, issue.need) == (need - 1000, pytest.approx(need, abs=1))
    assert asked(issue.need).optimum().value > 0


@pytest.mark.parametrize(("least", "kept"), [(1.0, True), (25.0, True), (31.0, False)])
def test_a_schedule_is_kept_only_with_enough_samples_in_its_runs(least, kept):
    """360 samples at most share 12 runs: 30 in each."""
    home = lab(assays=tuple(replace(t, per_run=2000.0, least_in_run=least, platforms=(("stainer", 60.0),), schedules=(12.0,))
                            if t.assay == "stain_b" else t for t in TESTS))
    e = engine(home, CASES[3:], elsewhere=False, budget={"testing": 60_000})
    assert (settled(e).chosen["stain_b"] == 12.0) is kept
