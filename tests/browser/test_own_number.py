"""A number in place: a row is clicked, another value typed, kept over pages, taken back."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser
WIDE, PHONE = (1440, 1000), (390, 844)
FOUND = re.compile(r"^\d+ of \d+ numbers")
MARK, HEAD, ROW = 15, 35, 35  # pixels: to the middle of the column of marks, height of the header and of a row


def click_row(page, n: int) -> None:
    """The mark at the left of the n-th row, which is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = table.bounding_box()
    page.mouse.click(box["x"] + MARK, box["y"] + HEAD + (n + 0.5) * ROW)


def settled(page) -> None:
    """Wait until the page is drawn: a click into a part that is just drawn anew would be lost."""
    page.wait_for_timeout(500)
    page.get_by_test_id("stStatusWidget").wait_for(state="detached")
    page.wait_for_timeout(500)


def filtered(page, words: str) -> None:
    before = page.get_by_text(FOUND).inner_text()
    box = page.get_by_label("Contains")
    box.fill(words)
    box.press("Enter")
    page.wait_for_function("([was]) => !document.body.innerText.includes(was)", arg=[before])
    page.wait_for_timeout(1000)


def test_a_clicked_number_is_changed_and_taken_back(visit, address):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(f"{address}evidence?country=KEN")
    filtered(page, "breast_early her2 prevalence")
    click_row(page, 1)
    page.get_by_text("Prevalence of HER2, Invasive breast cancer, stage I-III", exact=True).wait_for()
    page.get_by_label("New value, %").fill("22")
    page.get_by_label("Why").fill("register of 2025")

    page.get_by_role("link", name="Plan").click()  # what is typed stays
    page.get_by_text("would test").first.wait_for()
    page.get_by_role("link", name="Evidence").click()
    page.get_by_text("Change this number").wait_for()
    settled(page)
    assert page.get_by_label("New value, %").input_value() == "22"

    page.get_by_role("button", name="Use this number").click()
    told = page.get_by_role("button", name="22 % instead of 17.83 % (register of 2025)")
    told.wait_for()
    page.get_by_role("button", name="Take it back: 17.83 % again").wait_for()
    page.get_by_role("link", name="Plan").click()
    page.get_by_text("would test").first.wait_for()
    told.wait_for()
    page.get_by_role("link", name="Evidence").click()
    page.get_by_role("button", name="Take it back: 17.83 % again").click()
    told.wait_for(state="detached")
    page.get_by_text("Now 17.83 %").wait_for()
    assert seen.foreign == []


def test_on_a_phone_the_mark_goes_with_its_row(visit, address):
    """Other filters, other rows: the mark stays with the number, and another click chooses what stands there."""
    seen = visit(*PHONE)
    page = seen.page
    page.goto(f"{address}evidence?country=KEN")
    filtered(page, "breast_early prevalence")
    click_row(page, 2)
    page.get_by_text("Change this number").wait_for()
    first = page.locator(".st-key-own_number strong").first.inner_text()
    filtered(page, "cost her2_ihc")
    assert page.locator(".st-key-own_number strong").first.inner_text() == first
    click_row(page, 0)
    page.locator(".st-key-own_number strong", has_text="Cost of the test").wait_for()
    assert seen.sideways() <= 0
    page.locator(".st-key-own_number").get_by_role("button", name="Close").click()
    page.get_by_text("Change this number").wait_for(state="detached")
    assert seen.foreign == []
