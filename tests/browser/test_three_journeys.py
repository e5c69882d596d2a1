"""One full journey for each of three users, from Start to a downloaded document whose numbers are the command line's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docx import Document

from tests.browser.test_journey import FOOT, WIDE

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
LONG = 600_000  # milliseconds: a proposal for three countries on a slow machine
NUMBER = re.compile(r"\d[\d,.]*")


def command(*words: str) -> str:
    """What the command line prints."""
    done = subprocess.run([sys.executable, "-m", "planner", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def download(page, name: str, file: Path) -> Path:
    with page.expect_download(timeout=LONG) as coming:
        page.get_by_role("button", name=name).first.click()
    coming.value.save_as(file)
    return file


def follow(page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def texts(file: Path) -> list[str]:
    """Every paragraph and every cell of a Word document."""
    document = Document(str(file))
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    return [*(p.text for p in document.paragraphs), *cells]


def test_a_ministry_takes_a_list_and_the_price_of_a_preference(visit, address, tmp_path):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(address)
    page.get_by_role("button", name="Kenya’s first national list").click()
    page.get_by_text("With US$ 400,000 a year for tests").first.wait_for()

    # the minister will not drop ER/PR in metastatic disease
    box = page.get_by_role("combobox", name="Look at one line")
    box.click()
    box.fill("ER/PR · Metastatic")
    page.get_by_role("option").first.click()
    page.wait_for_url(lambda url: "line=breast_metastatic" in url)
    page.get_by_role("button", name="Must be funded").click()
    page.wait_for_url(lambda url: "must=breast_metastatic" in url)
    line = re.search(r"must=([^&]+)", page.url).group(1).replace("%2F", "/")

    follow(page, "Budget")
    page.get_by_text("of what money can bring").first.wait_for()
    page.get_by_role("radio", name="What would flip a decision").or_(
        page.get_by_role("button", name="What would flip a decision")).first.click()
    page.get_by_role("heading", name="What your preferences cost").wait_for(timeout=LONG)
    out = tmp_path / "switching.json"
    command("switching", "kenya", "--set", f'policy.must_fund=["{line}"]', "--out", str(out))
    costs = json.loads(out.read_text())["tables"]["preferences"]
    assert [c["preference"] for c in costs if line in str(c.values())], costs

    follow(page, "Report")
    file = download(page, "Word (.docx)", tmp_path / "brief.docx")
    theirs = tmp_path / "theirs.docx"
    command("plan", "kenya", "--set", f'policy.must_fund=["{line}"]', "--access", "--out", str(theirs))
    mine, its = texts(file), texts(theirs)
    lead = next(t for t in mine if "would test" in t)
    assert lead in its and len(NUMBER.findall(lead)) >= 4
    assert [t for t in mine if t not in its] == [], "the page's brief says what the command's does not"
    assert seen.foreign == []


def test_an_ngo_takes_a_proposal_for_three_countries(visit, address, tmp_path):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(address)
    page.get_by_role("button", name="HER2 testing with its drugs in Kenya, Uganda and Tanzania").click()
    page.get_by_text("What to take with you").wait_for()
    page.get_by_role("button", name="Figures, unrounded (.json)").wait_for(timeout=LONG)
    mine = json.loads(download(page, "Figures, unrounded (.json)", tmp_path / "proposal.json").read_text("utf-8"))
    theirs = tmp_path / "theirs.json"
    command("proposal", "kenya", "--biomarker", "her2", "--countries", "KEN,UGA,TZA", "--out", str(theirs))
    its = json.loads(theirs.read_text("utf-8"))
    assert mine["totals"] == its["totals"] and mine["places"] == its["places"]
    assert [p["code"] for p in mine["places"]] == ["KEN", "UGA", "TZA"]
    words = texts(download(page, "Word (.docx)", tmp_path / "proposal.docx"))
    assert any("HER2" in w for w in words) and any("trastuzumab" in w.lower() for w in words)
    assert seen.foreign == []


def test_a_hospital_compares_and_takes_a_request(visit, address, tmp_path):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(address)
    page.get_by_role("button", name="A hospital of 600 beds in Kenya").click()
    page.get_by_role("button", name="Compare ways to run the laboratory").click()
    page.get_by_role("heading", name="Run in-house, or send out").wait_for(timeout=LONG)
    page.get_by_role("heading", name="At half and at twice the volume").wait_for()
    follow(page, "Strategies")
    page.get_by_role("heading", name="All ways, side by side").wait_for(timeout=LONG)
    follow(page, "Report")
    page.get_by_text("Laboratory request", exact=True).first.click()
    page.get_by_role("button", name="Table (.csv)").wait_for(timeout=LONG)
    mine = download(page, "Table (.csv)", tmp_path / "request.csv").read_text("utf-8-sig")
    theirs = tmp_path / "theirs.csv"
    # the form sets the cost by parts: what to buy is then what the hospital itself must have
    command("request", "hospital_kenya", "--set", 'laboratory.costing="micro"', "--out", str(theirs))
    assert mine == theirs.read_text("utf-8-sig")
    assert mine.count("\n") > 5
    assert seen.foreign == []


def test_start_reaches_every_door_by_the_keyboard(visit, address):
    seen = visit(*WIDE)
    page = seen.page
    page.goto(address)
    page.locator(FOOT).first.wait_for()
    wanted = page.get_by_role("button", name="A hospital of 600 beds in Kenya")
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("e => e === document.activeElement"):
            break
    assert wanted.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    page.get_by_text("What to run in the hospital, what to send out").wait_for()
    assert seen.foreign == []
