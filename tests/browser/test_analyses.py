"""A planner goes on asking in a real browser: budget, drugs, how sure, what changes; the numbers are the Python calls'."""

from __future__ import annotations

import pytest

import planner
from planner.analysis import access, frontier, uncertainty
from planner.report.numbers import show
from planner.scenario.scenario import loads
from tests.browser.test_journey import BUDGET, FOOT, PHONE, WIDE

pytestmark = pytest.mark.browser
ASKED = f"?country=UGA&testing={BUDGET // 4}"
DRAWS = 100


@pytest.fixture(scope="module")
def scenario():
    return loads("parent = 'defaults'", changes={"setting": {"country": "UGA"}, "budget": {"testing": BUDGET // 4}})


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def follow(page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def metric(page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


def test_journey_through_the_analyses(visit, address, scenario, evidence):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(address + ASKED)
    page.get_by_text("would test").first.wait_for()

    follow(page, "Budget")
    page.get_by_text("of what money can bring").first.wait_for()
    found = frontier.frontier(scenario, evidence)
    after = next(p for p in found.tables["points"] if p["budget"] > BUDGET // 4)
    assert metric(page, "One healthy year more costs") == show(1 / after["value_per_usd_before"], "usd")
    page.get_by_role("figure", name="Line chart of healthy years").first.wait_for()

    follow(page, "Drug access")
    page.get_by_role("heading", name="would unlock most:").first.wait_for()
    first = access.access(scenario, evidence).tables["drugs"][0]
    said = page.get_by_role("heading", name="would unlock most:").first.inner_text()
    assert first["name"].lower() in said.lower() and show(first["health_gained"], "qalys") in said

    follow(page, "Uncertainty")
    page.get_by_text("Nothing has been drawn").wait_for()
    draws = page.get_by_role("spinbutton", name="Draws")
    draws.fill(str(DRAWS))
    draws.press("Tab")
    page.get_by_role("button", name="Run").click()
    follow(page, "Compare")  # other pages stay open meanwhile
    page.get_by_text("Outcomes, side by side").wait_for()
    outcomes = page.get_by_test_id("stDataFrame").filter(has_text="Deaths averted").last
    assert f"{planner.plan(scenario, evidence).totals['qalys']:.8g}"[:8] in outcomes.text_content()
    follow(page, "Uncertainty")
    page.get_by_text("of the draws in health").first.wait_for(timeout=300_000)  # drawn while the rest goes on
    drawn = uncertainty.uncertainty(scenario, evidence, draws=DRAWS, seed=1)
    assert metric(page, "in health") == show(drawn.settings["beats_reference_health"], "share")
    assert seen.foreign == []


def test_a_run_is_stopped_and_the_answer_before_stays_dimmed(visit, address):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(f"{address}uncertainty{ASKED}")
    page.get_by_text("Nothing has been drawn").wait_for()
    draws = page.get_by_role("spinbutton", name="Draws")
    draws.fill("5000")
    draws.press("Tab")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("of 5,000 draws").first.wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped; nothing of it is kept").wait_for()
    page.goto(f"{address}budget{ASKED}")
    page.get_by_text("of what money can bring").first.wait_for()
    assert seen.foreign == []


@pytest.mark.parametrize("name", ["budget", "drug_access", "uncertainty", "compare"])
def test_nothing_scrolls_sideways_on_a_phone(visit, address, name):
    seen = visit(*PHONE, "dark")
    seen.page.goto(f"{address}{name}{ASKED}")
    seen.page.locator(FOOT).first.wait_for()
    seen.page.locator("[class*='_running']").first.wait_for(state="detached")
    seen.drawn()
    assert seen.sideways() <= 0
    assert seen.foreign == []
