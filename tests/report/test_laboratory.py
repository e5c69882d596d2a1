"""The laboratory of a plan in workbook, brief and terminal: the plan's own numbers, and how the search ended."""

from __future__ import annotations

import io
from html import unescape

import pytest
from openpyxl import load_workbook

import planner
from planner.report import html, laboratory_tables, tables
from planner.report.brief import brief
from planner.report.numbers import show
from planner.report.workbook import write_workbook
from planner.scenario.scenario import loads

CASES = {"breast_early": 220.0, "crc_metastatic": 25.0}


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def hospital(evidence, **changes):
    return planner.plan(loads("parent = 'defaults'", changes={
        "setting": {"country": "KEN", "hospital": "Ours"}, "cases": CASES, "laboratory": {"costing": "micro"}} | changes),
        evidence)


@pytest.fixture(scope="module")
def plan(evidence):
    return hospital(evidence, budget={"testing": 40_000})


def test_the_workbook_has_the_laboratory(plan, evidence):
    buffer = io.BytesIO()
    write_workbook(plan, evidence, buffer)
    book = load_workbook(io.BytesIO(buffer.getvalue()))
    for sheet, part, wanted in (("Laboratory", "laboratory", laboratory_tables.PLATFORMS),
                                ("Home tests", "home_tests", laboratory_tables.HOME_TESTS),
                                ("People", "staff", laboratory_tables.PEOPLE)):
        rows = list(book[sheet].iter_rows(min_row=2, values_only=True))
        assert len(rows) == len(plan.document[part]) > 0
        for cells, row in zip(rows, plan.document[part], strict=True):
            for cell, column in zip(cells, wanted, strict=True):
                value = column.value(row)
                assert cell == (pytest.approx(value, rel=1e-14) if isinstance(value, int | float) else value), column.header
    said = {row[0] for row in book["Summary"].iter_rows(values_only=True)}
    assert "Gap of the search for whole instruments (share)" in said


def test_terminal_and_brief_say_the_same_of_it(plan, evidence):
    document = plan.document
    text = " ".join(tables.printed(document).split())
    page = unescape(html.page(brief(plan, evidence)))
    first = document["laboratory"][0]
    for said in laboratory_tables.summary(document):
        assert said in text and said in page
    assert f"({show(first['utilisation'], 'share')} used)" in text
    assert "The search for whole instruments ended optimal: searched to within" in text


def test_at_tariffs_the_instruments_are_those_of_whoever_is_paid(evidence):
    plan = planner.plan(loads("parent = 'defaults'", changes={"setting": {"country": "UGA"}, "budget": {"testing": 100_000}}),
                        evidence)
    said = " ".join(laboratory_tables.summary(plan.document))
    assert "whoever is paid the tariff" in said and "search" not in said and "bought" not in said
    assert "Neither its people nor its instruments" in laboratory_tables.binds(plan.document)


def test_a_hospital_without_a_limit_on_money_is_planned(evidence):
    """Instruments that none of its tests uses were once missing from the model."""
    document = hospital(evidence).document
    assert document["solver"]["status"] == "optimal" and document["totals"]["qalys"] > 0


def test_hardly_a_sample_is_not_a_test_that_is_told(plan, evidence):
    """What the solver leaves over (less than half a sample a year at a place) stands in the file only."""
    document = {**plan.document, **{part: [*plan.document[part], {**plan.document[part][0], "samples": 8e-5, "name": "Dust"}]
                                    for part in ("home_tests", "by_test")}}
    assert "Dust" not in [r["name"] for part in ("home_tests", "by_test") for r in tables.rows_of(document, part)]
    assert laboratory_tables.summary(document) == laboratory_tables.summary(plan.document)
    assert len(tables.rows_of(document, "by_test")) == len(tables.rows_of(plan.document, "by_test"))


def test_a_laboratory_without_people_names_them(evidence):
    for changes, said in (({"laboratory": {"costing": "micro", "technician_minutes": 0}}, "technicians' time (0 minutes a year)"),
                          ({"services": {"buy_instruments": False}}, "no instrument stands there, and none may be bought")):
        document = hospital(evidence, budget={"testing": 40_000}, **changes).document
        assert not document["home_tests"]
        assert said in " ".join(tables.printed(document).split())
        assert said.split(" (")[0] in laboratory_tables.binds(document)
