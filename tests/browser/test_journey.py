"""A planner's ten minutes in a real browser: choose, move money, read, look behind, take away.

With BIOMARKER_SCREENSHOTS set, pictures of the pages go to docs/screenshots.
"""

from __future__ import annotations

import os
from pathlib import Path

import openpyxl
import pytest

import planner
from planner.report.numbers import show
from planner.scenario.scenario import loads

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
WIDE, PHONE = (1440, 900), (390, 844)
BUDGET = 400_000
PAGES = ("start", "plan", "strategies", "hospital", "budget", "drug_access", "uncertainty", "compare", "evidence", "report",
         "method")
FOOT = "text=planning aid, not clinical advice"


@pytest.fixture(scope="module")
def plan():
    return planner.plan(loads("parent = 'defaults'", changes={
        "setting": {"country": "KEN"}, "budget": {"testing": BUDGET}}))


def choose_kenya(page) -> None:
    box = page.get_by_role("combobox", name="Country", exact=True)
    box.click()
    box.fill("Kenya")
    page.get_by_role("option", name="Kenya").first.click()
    page.get_by_text("would test").first.wait_for()


def set_tests(page, amount: int) -> None:
    field = page.get_by_role("spinbutton", name="Tests", exact=True)
    field.fill(str(amount))
    field.press("Enter")
    page.get_by_text(f"With US$ {amount:,} a year for tests").first.wait_for()


def test_journey(visit, address, plan, tmp_path):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(f"{address}plan")
    page.get_by_text("here or on the left").wait_for()
    choose_kenya(page)
    set_tests(page, BUDGET)
    answer = page.get_by_text(f"With US$ {BUDGET:,} a year for tests").first.inner_text()
    assert show(plan.totals["patients_treated"], "people") in answer
    assert show(plan.totals["qalys"], "qalys") in answer
    page.wait_for_url(lambda url: f"testing={BUDGET}" in url and "country=KEN" in url)

    page.get_by_role("link", name="Evidence").click()
    page.get_by_text("Every number in use").first.wait_for()
    page.get_by_role("link", name="Plan").click()
    page.get_by_text(f"With US$ {BUDGET:,} a year for tests").first.wait_for()

    with page.expect_download() as coming:
        page.get_by_role("button", name="Workbook (.xlsx)").click()
    file = tmp_path / "plan.xlsx"
    coming.value.save_as(file)
    summary = openpyxl.load_workbook(file, read_only=True)["Summary"]
    cells = {row[0]: row[1:] for row in summary.iter_rows(values_only=True) if row and row[0]}
    found = next(v for k, v in cells.items() if str(k).startswith("Healthy years gained"))
    assert next(x for x in found if isinstance(x, float)) == pytest.approx(plan.totals["qalys"], rel=1e-9)
    assert seen.foreign == []


def test_a_link_opens_the_same_answer_on_a_phone(visit, address):
    seen = visit(*PHONE)
    seen.page.goto(f"{address}?country=KEN&testing={BUDGET}&line=breast_early/her2")
    seen.page.get_by_text(f"With US$ {BUDGET:,} a year for tests").first.wait_for()
    seen.page.locator(FOOT).first.wait_for()
    assert seen.sideways() <= 0
    seen.page.goto(f"{address}evidence?country=KEN&testing={BUDGET}")
    seen.page.get_by_text("Every number in use").first.wait_for()
    assert seen.sideways() <= 0
    assert seen.foreign == []


def test_another_line_is_looked_at_and_its_numbers_followed(visit, address):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(f"{address}?country=KEN&testing={BUDGET}")
    page.locator(FOOT).first.wait_for()
    box = page.get_by_role("combobox", name="Look at one line")
    box.click()
    box.fill("HER2 · Invasive")
    page.get_by_role("option").first.click()
    page.get_by_text("Adjuvant trastuzumab").first.wait_for()
    page.wait_for_url(lambda url: "line=breast_early" in url)
    page.get_by_role("button", name="Must be funded").click()
    page.get_by_text("A must:").first.wait_for()
    page.wait_for_url(lambda url: "must=breast_early" in url)
    page.get_by_role("button", name="The numbers behind this line").click()
    page.get_by_role("heading", name="Every number in use").first.wait_for()
    page.locator("input[aria-label='Use case'][value^='HER2 · Invasive breast cancer']").wait_for()
    assert seen.foreign == []


def test_charts_have_names_for_those_who_do_not_see_them(visit, address):
    seen = visit(*WIDE)
    seen.page.goto(f"{address}?country=KEN&testing={BUDGET}")
    seen.page.locator(FOOT).first.wait_for()
    seen.page.get_by_role("figure", name="Bar chart for Kenya").first.wait_for()
    assert seen.foreign == []


@pytest.mark.skipif(not os.environ.get("BIOMARKER_SCREENSHOTS"), reason="set BIOMARKER_SCREENSHOTS to take pictures")
@pytest.mark.parametrize(("name", "path", "size", "scheme"), [
    *((f"{path}-{size[0]}", path, size, "light") for path in PAGES for size in (WIDE, PHONE)),
    ("plan-dark-1440", "plan", WIDE, "dark"),
])
def test_pictures(visit, address, name, path, size, scheme):
    seen = visit(*size, scheme)
    page = seen.page
    place = "" if path == "start" else "?scenario=hospital_kenya&country=KEN" if path == "hospital" else \
        f"?country=KEN&testing={BUDGET}"
    page.goto(f"{address}{'' if path == 'start' else path}{place}")
    page.locator(FOOT).first.wait_for()
    if path == "uncertainty":
        page.get_by_role("button", name="Run").click()
        page.get_by_text("of the draws in health").first.wait_for(timeout=300_000)
    if path == "hospital":
        page.get_by_role("button", name="Compare ways to run the laboratory").click()
        page.get_by_role("heading", name="Run in-house, or send out").wait_for(timeout=600_000)
    seen.drawn()
    page.locator("[class*='_running']").first.wait_for(state="detached", timeout=300_000)
    PICTURES.mkdir(parents=True, exist_ok=True)
    seen.whole(PICTURES / f"{name}.png")
