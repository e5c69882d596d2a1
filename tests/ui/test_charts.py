"""The figures: their numbers are the plan's, bars start at zero, words and alternative text say them."""

from __future__ import annotations

import pandas as pd
import pytest

from planner.optimise.resolve import Engine
from planner.report import charts
from planner.report.numbers import show
from planner.result.make import plan_from_engine
from planner.result.priority import TIERS
from tests.tiny import tiny_problem, tiny_scenario, under


class Names:
    """What a plan asks of the evidence."""

    version, digest, base_year = "0", "f" * 64, 2024

    def record(self, table, **key):
        return {"name": "A name", "short_name": next(iter(key.values())), "laboratory_tier": "hub"}

    def records(self, table, **key):
        return []


def planned(**changes):
    return plan_from_engine(Engine(tiny_problem(), tiny_scenario(**changes)), Names(), "test").document


@pytest.fixture(scope="module")
def document():
    return planned(budget={"testing": 60_000})


def bars(figure):
    return [t for t in figure.data if t.type == "bar"]


def test_the_ladder_shows_the_plans_health_in_rank_order(document):
    made = charts.ladder(document)
    full, reached = bars(made.figure)
    rows = [r for r in document["list"] if r["qalys"] or r["qalys_potential"] > 0]
    assert list(reached.x) == pytest.approx([r["qalys"] or 0.0 for r in rows])
    assert list(made.table["rank"]) == sorted(r["rank"] for r in rows)
    assert all(f >= r - 1e-9 for f, r in zip(full.x, reached.x, strict=True))
    assert sum(reached.x) == pytest.approx(document["totals"]["qalys"])


def test_a_line_that_is_not_tested_shows_what_it_could_bring(document):
    row = next(r for r in document["list"] if not r["qalys"])
    made = charts.ladder(document)
    assert row["qalys_potential"] > 0
    assert made.table.set_index("rank").loc[row["rank"], "qalys_if_fully_covered"] == row["qalys_potential"]
    assert made.table.set_index("rank").loc[row["rank"], "qalys"] == 0


def test_the_cut_stands_where_the_money_ends(document):
    made = charts.ladder(document)
    cut = [a.text for a in made.figure.layout.annotations]
    untested = (made.table["funded"] == "no").any()
    assert any("the testing budget ends" in text for text in cut) == untested


def test_every_tier_has_its_word_beside_the_bar_and_one_colour(document):
    made = charts.ladder(document)
    texts = [t for trace in made.figure.data if trace.type == "scatter" for t in trace.text]
    for row in (r for r in document["list"] if r["qalys"]):
        assert any(charts.TIER_WORDS[row["priority_tier"]] in t for t in texts)
    assert set(charts.TIER_COLOURS) == set(TIERS)
    assert len(set(charts.TIER_COLOURS.values())) == len(TIERS)


def test_the_alternative_text_is_made_from_the_numbers(document):
    made = charts.ladder(document)
    best = next(r for r in document["list"] if r["qalys"])
    assert show(best["qalys"], "qalys") in made.alt and best["short_name"] in made.alt
    assert "Tinyland" in made.alt


@pytest.mark.parametrize("made", [
    lambda d: charts.ladder(d), lambda d: charts.funnel(d["list"][0]), lambda d: charts.frontier(d, 60_000),
], ids=["ladder", "funnel", "frontier"])
def test_bars_and_lines_start_at_zero(document, made):
    figure = made(document).figure
    assert figure.layout.xaxis.range[0] == 0
    for trace in bars(figure):
        assert trace.base is None and min(trace.x) >= 0


def test_the_funnel_names_each_loss(document):
    row = document["list"][0]
    made = charts.funnel(row)
    people = made.table["people_a_year"]
    assert list(people) == [row["chain"][k] for k, _, _ in charts.STEPS]
    assert list(made.table["lost_here"][1:]) == pytest.approx(list(-people.diff()[1:].clip(upper=0)))
    said = " ".join(a.text for a in made.figure.layout.annotations)
    assert "not tested" in said and show(row["chain"]["treated"], "people") in said
    assert row["chain"]["bottleneck"] in made.title


def test_the_funnel_of_a_line_that_cannot_be_planned_has_no_invented_numbers(document):
    row = dict(document["list"][0])
    row["chain"] = {"incident": 10.0, "eligible": 5.0, "worked_up": None, "adequate": None, "in_time": None,
                    "positive": None, "accessible": None, "treated": None, "basis": "potential", "bottleneck": None}
    assert list(charts.funnel(row).table["people_a_year"]) == [10.0, 5.0]


def test_the_funnel_tells_want_of_money_from_want_of_the_drug():
    scenario = tiny_scenario(budget={"treatment": 20_000}, policy={"must_fund": ["lung/egfr"]})
    document = plan_from_engine(Engine(under(tiny_problem(), scenario), scenario), Names(), "test").document
    rows = [r for r in document["list"] if charts._reachable(r, document) is not None]
    assert rows
    made = charts.funnel(rows[0], document)
    assert charts.NO_MONEY in list(made.table["why"])
    assert list(made.table["people_a_year"]) == sorted(made.table["people_a_year"], reverse=True)


def test_the_ladder_draws_the_first_rows_and_tells_all(document):
    made = charts.ladder(document, 2)
    assert len(bars(made.figure)[0].x) == 2 and len(made.table) == len(charts.ladder_rows(document))


def test_the_ladder_shows_the_measure_in_use():
    document = planned(objective="deaths_averted", budget={"testing": 60_000})
    made = charts.ladder(document)
    assert sum(bars(made.figure)[1].x) == pytest.approx(document["totals"]["deaths_averted"])
    assert "Deaths averted" in made.subtitle


def test_the_frontier_marks_the_budget(document):
    made = charts.frontier(document, 60_000)
    line, mark = made.figure.data
    assert list(line.x[:-1]) == [p["budget"] for p in document["frontier"]]
    assert mark.x[0] == 60_000
    assert mark.y[0] == pytest.approx(document["totals"]["qalys"], rel=1e-6)
    assert show(mark.y[0], "qalys") in made.alt


def test_an_empty_plan_has_pictures_too():
    document = planned(budget={"testing": 0})
    assert "No line" in charts.ladder(document).title
    assert charts.frontier(document, 0).figure.data
    assert charts.frontier({**document, "frontier": []}, None).title


def test_borrowed_counts_every_number_once():
    facts = pd.DataFrame({"level": ["world", "country", "world"], "quality": ["C", "A", "D"], "value": [1.0, 2.0, 3.0]})
    made = charts.borrowed(facts)
    assert sum(sum(t.x) for t in bars(made.figure)) == 3
    assert "3 numbers" in made.alt and "33 %" in made.title


def test_no_figure_asks_for_a_file_from_elsewhere(document):
    for made in (charts.ladder(document), charts.funnel(document["list"][0]), charts.frontier(document, None)):
        assert "http" not in made.figure.to_json().replace("https://plot.ly", "")
