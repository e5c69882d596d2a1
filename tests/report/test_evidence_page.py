"""The manual's page on the evidence is written from the evidence; renew with BIOMARKER_RENEW=1."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import planner
from planner.pathway import coverage
from planner.report import evidence_charts, evidence_page
from planner.report.evidence_words import line_names
from planner.report.names import short

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def found(evidence):
    return coverage.survey(evidence)


def test_the_page_is_the_evidence(evidence, found):
    for name, text in (("evidence.md", evidence_page.page(evidence, found)),
                       (evidence_page.PICTURE, evidence_page.heat_svg(evidence, found))):
        if os.environ.get("BIOMARKER_RENEW"):
            (DOCS / name).write_text(text, encoding="utf-8")
        assert (DOCS / name).read_text(encoding="utf-8") == text, name


def test_the_picture_is_a_picture_of_every_line_and_asks_nobody(evidence, found):
    text = evidence_page.heat_svg(evidence, found)
    root = ET.fromstring(text)
    words = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(short(line_names(evidence)[line.use_case], evidence_page.ROOM) in words for line in found.lines)
    assert "href" not in text and "@import" not in text and text.count("http") == 1


def test_the_heat_map_says_its_numbers(evidence, found):
    cells, lines = coverage.cells(coverage.country_cells(found)), line_names(evidence)
    for what in evidence_charts.WHAT:
        made = evidence_charts.heat(cells, lines, what)
        assert len(made.table) == len(found.lines) and made.figure.data[0].z.shape == (len(found.lines), 5)
        assert str(len(found.lines)) in made.alt and "Africa" in made.alt
        assert "http" not in made.figure.to_json().replace("https://plot.ly", "")


def test_every_country_is_in_a_region(evidence, found):
    assert len(found.grounds) == 185 and len(found.regions) == 5
