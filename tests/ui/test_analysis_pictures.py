"""The pictures and tables of the analyses: their numbers are the analysis's, words and alternative text say them."""

from __future__ import annotations

import pytest

import planner
from planner.analysis import access, alternatives, compare, frontier, sensitivity, switching, uncertainty
from planner.report import analysis_charts as charts
from planner.report import uncertainty_charts as sure
from planner.report.numbers import show
from planner.scenario.scenario import loads
from planner.ui import frames


def uganda(**changes):
    return loads("parent = 'defaults'", changes={"setting": {"country": "UGA"}, "budget": {"testing": 100_000}} | changes)


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def curve(evidence):
    return frontier.frontier(uganda(), evidence)


@pytest.fixture(scope="module")
def drugs(evidence):
    return access.access(uganda(), evidence)


@pytest.fixture(scope="module")
def drawn(evidence):
    return uncertainty.uncertainty(uganda(), evidence, draws=200)


@pytest.fixture(scope="module")
def flips(evidence):
    return switching.switching(uganda(), evidence)


def bars(made):
    return [t for t in made.figure.data if t.type == "bar"]


def test_the_curve_marks_the_plans_health_at_its_budget(curve, evidence):
    plan = planner.plan(uganda(), evidence)
    made = charts.budget_curve(curve)
    dot = made.figure.data[2]
    assert (dot.x[0], dot.y[0]) == pytest.approx((100_000, plan.totals["qalys"]), rel=1e-6)
    assert show(plan.totals["qalys"], "qalys") in made.alt
    assert list(made.table["Budget, US$ a year"]) == [p["budget"] for p in curve.tables["points"]]


def test_the_shadow_price_is_the_slope_on_both_sides(curve):
    before, after = frames.slopes_at(curve, 100_000)
    step = 1.0
    here = charts.value_at(curve, 100_000)
    assert before == pytest.approx((here - charts.value_at(curve, 100_000 - step)) / step, rel=1e-4)
    assert after == pytest.approx((charts.value_at(curve, 100_000 + step) - here) / step, rel=1e-4)
    assert frames.slopes_at(curve, None) == (0.0, 0.0)


def test_another_budget_names_what_comes_in(curve):
    end = curve.tables["points"][-1]["budget"]
    coming, going = frames.moved(curve, 0.0, end)
    assert len(coming) == len(charts.entering_lines(curve)) and going == []
    assert set(frames.moved(curve, end, 0.0)[1]) == set(coming)


def test_entries_stand_in_the_order_of_their_budgets(curve):
    made = charts.entries(curve, 10)
    assert list(made.table["Enters at, US$"]) == sorted(made.table["Enters at, US$"])
    assert len(made.table) == len({e["short_name"] + e["indication"] for e in curve.tables["events"] if e["event"] == "enter"})
    assert frames.events(curve).shape[0] == len(curve.tables["events"])


def test_bars_of_drugs_are_the_health_unlocked_beside_the_prices(drugs):
    made = charts.unlock(drugs, 12)
    rows = [d for d in drugs.tables["drugs"] if d["health_gained"] > 0]
    assert list(bars(made)[0].x) == pytest.approx([d["health_gained"] for d in rows[:12]])
    assert rows[0]["name"].lower() in made.title.lower() and show(rows[0]["course_cost"], "usd") in made.alt
    drug = rows[0]["drug"]
    paid = charts.payers(drugs, drug)
    mine = [m for m in drugs.tables["money"] if m["drug"] == drug]
    last = [m["cost"] for m in mine if m["year"] == max(m["year"] for m in mine)]
    assert bars(paid)[0].x[-1] == pytest.approx(max(0.0, sum(last)))
    assert len(frames.routes(drugs, drug)) == 3 * sum(r["drug"] == drug for r in drugs.tables["routes"])
    assert len(frames.untested(drugs, str)) == len(drugs.tables["untested"])


def test_the_closest_call_comes_first(flips):
    made = charts.flips(flips)
    changes = [v["relative_change"] for v in flips.tables["values"] if v["relative_change"] is not None]
    assert len(made.table) == len(changes)
    assert made.table["Change"].iloc[0] == charts.percent(min(changes, key=abs))
    line = charts.line_key(flips.tables["values"][0])
    assert len(frames.switches(flips, line)) == 5
    assert len(frames.preferences(flips, str)) == len(flips.tables["preferences"])


def test_dots_are_shares_of_draws_in_rank_order(drawn):
    made = sure.sure(drawn, 30)
    dots = next(t for t in made.figure.data if t.type == "scatter" and t.mode == "markers")
    rows = [r for r in drawn.tables["lines"] if r["in_plan"] or r["share_in"] > 0]
    assert list(dots.x) == pytest.approx([r["share_in"] for r in rows[:30]])
    assert [int(r) for r in made.table["Rank"]] == sorted(r["rank"] for r in rows)


def test_acceptability_and_value_of_information_show_the_tables_numbers(drawn):
    made = sure.acceptable(drawn)
    assert made.table.iloc[:, 1:].sum(axis=1).tolist() == pytest.approx([1.0] * len(made.table))
    assert "This plan" in made.table.columns
    for kind in ("single", "group"):
        worth = sure.worth_knowing(drawn, kind)
        rows = [r["qalys"] for r in drawn.tables["information"] if r["kind"] == kind and r["qalys"] > 0]
        assert worth.table["Healthy years a year"].tolist() == sorted(rows, reverse=True)


def test_the_tornado_is_widest_at_the_top(evidence):
    found = sensitivity.sensitivity(uganda(), evidence)
    made = sure.tornado(found, 5)
    low, high = bars(made)
    wide = [b - a for a, b in zip(low.x, high.x, strict=True)]
    assert len(wide) == 5 and wide == sorted(wide, reverse=True)
    assert wide[0] == pytest.approx(found.tables["parameters"][0]["swing"])


def test_ranges_and_lists(evidence):
    found = alternatives.alternatives(uganda(), evidence)
    made = charts.ranges(found, 10)
    assert len(made.table) == sum(r["where"] != "never" for r in found.tables["ranges"])
    assert len(frames.lists(found)) == len(found.tables["lists"])
    assert list(frames.side_by_side(found, True).columns[1:]) == [frames.capital(r["list"]) for r in found.tables["lists"]]


def test_slopes_and_changes_agree(evidence):
    first = uganda().model_copy(update={"name": "A plan"})
    other = uganda(budget={"testing": 10_000}).model_copy(update={"name": "B"})
    found = compare.compare([first, other], evidence)
    left = [c for c in found.tables["changes"] if c["change"] == "left"]
    for by in ("coverage", "rank"):
        assert f"{len(left)} leave" in sure.slopes(found, "B", by).title
    assert len(frames.changes(found, "B")) == len(found.tables["changes"])
    assert any("Leaves" in w for w in frames.in_words(found, "B"))
    same = compare.compare([first, first.model_copy(update={"name": "C"})], evidence)
    assert sure.slopes(same, "C").title == "The same list in both plans"


def test_an_empty_answer_has_a_picture_too(curve):
    nothing = type(curve)(curve.kind, curve.scenario, curve.head, curve.settings, (), {"points": (), "events": (), "lines": ()})
    assert charts.budget_curve(nothing).title and charts.entries(nothing, 5).title
    assert charts.flips(type(curve)("switching", curve.scenario, {}, {}, (), {"values": ()})).title
