"""Brief, proposal and request: the plan's numbers through one function, nothing hostile, no clock, readable forms."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.oxml.ns import qn
from openpyxl import load_workbook
from PIL import Image

from planner.analysis import access as access_of
from planner.analysis import study
from planner.optimise.resolve import Engine
from planner.report import html, request, tables, word
from planner.report.brief import brief, evidence_words
from planner.report.drawing import Bar, Drawing, png, svg
from planner.report.numbers import show
from planner.report.paper import Grid, Picture, plain_text
from planner.report.proposal import Case, Subject, proposal, proposal_json
from planner.report.proposal_paper import proposal_paper
from planner.report.workbook import write_request
from planner.result.make import plan_from_engine
from tests.tiny import tiny_problem, tiny_scenario

HOSTILE = "<script>alert('&')</script>=1\x01"
LIMITS = {"budget": {"testing": 60_000}}
KINDS = [LIMITS, {}, {"mode": "evaluate", "evaluate": {"lung/egfr": 0.5}}, {"budget": {"testing": 0}},
         {"objective": "deaths_averted", **LIMITS}, {"objective": "net_health", **LIMITS}]


@pytest.fixture(scope="module")
def hostile(evidence):
    """A plan whose names are markup and formulas."""
    problem = tiny_problem()
    problem = replace(problem, places=(("XXX", HOSTILE),), indications=tuple(
        replace(i, name=HOSTILE, use_cases=tuple(replace(u, therapies=tuple(replace(t, name=HOSTILE) for t in u.therapies))
                                                 for u in i.use_cases)) for i in problem.indications))
    scenario = tiny_scenario(name=HOSTILE, description=f"**{HOSTILE}", budget={"testing": 60_000})
    return plan_from_engine(Engine(problem, scenario), evidence, "test.1")


@pytest.fixture
def opened(monkeypatch, evidence, make):
    """(plan, access) of the tiny problem."""
    problem = tiny_problem()
    problem = replace(problem, indications=tuple(replace(i, use_cases=tuple(
        replace(u, therapies=tuple(replace(t, reach=((t.therapy, t.alpha, t.amax),)) for t in u.therapies))
        for u in i.use_cases)) for i in problem.indications))
    monkeypatch.setattr(study, "build_problem", lambda *_: problem)
    plan = make(**LIMITS)
    return plan, access_of.access(plan.scenario, evidence)


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.headings, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))

    def handle_data(self, data):
        self.text.append(data)


def texts(content: bytes) -> str:
    doc = Document(BytesIO(content))
    cells = [c.text for t in doc.tables for r in t.rows for c in r.cells]
    return "\n".join([*(p.text for p in doc.paragraphs), *cells])


def check_page(text: str) -> Page:
    page = Page(text)
    tags = [t for t, _ in page.tags]
    assert text.startswith("<!doctype html>") and ("html", {"lang": "en"}) in page.tags and tags.count("title") == 1
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(tags)
    assert not any(k in ("src", "href", "xlink:href", "srcset") for _, attrs in page.tags for k in attrs)
    assert "url(" not in text and "@import" not in text
    assert tags.count("caption") == tags.count("table") == tags.count("thead") > 0
    assert all(a.get("scope") for t, a in page.tags if t == "th")
    assert all(a.get("role") == "img" and len(a["aria-label"]) > 20 for t, a in page.tags if t == "svg")
    return page


def check_word(content: bytes, pictures: int) -> None:
    doc = Document(BytesIO(content))
    levels = [int(p.style.name[-1]) for p in doc.paragraphs if p.style.name.startswith("Heading")]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert len(doc.inline_shapes) == pictures
    assert all(len(s._inline.docPr.get("descr")) > 20 for s in doc.inline_shapes)
    assert all(t.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None for t in doc.tables)
    assert doc.core_properties.created.year == 2000 and doc.core_properties.title


# -- the brief ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("changes", KINDS, ids=["limits", "unlimited", "given", "empty", "deaths", "net"])
def test_a_brief_of_every_kind_of_plan(make, evidence, changes):
    plan = make(**changes)
    paper = brief(plan, evidence)
    content = word.document(paper)
    check_page(html.page(paper))
    check_word(content, sum(isinstance(b, Picture) for b in paper.blocks))
    said = plain_text(paper) + texts(content)
    for words in ("not clinical advice", "f" * 64, "test.1", "GLOBOCAN", "0.0.0", "2024"):
        assert words in said


def test_the_brief_shows_the_json_s_numbers(plan, evidence):
    document = json.loads(tables.plan_json(plan.document))
    paper = brief(plan, evidence)
    page, doc = "".join(Page(html.page(paper)).text), texts(word.document(paper))
    table = next(b for b in paper.blocks if isinstance(b, Grid) and b.caption.startswith("The tests to fund"))
    funded = [r for r in document["list"] if r["funded"] != "no"]
    assert len(table.rows) == len(funded) > 0
    for cells, row in zip(table.rows, funded, strict=True):
        wanted = (show(row["patients_tested"], "people"), show(row["patients_treated"], "people"),
                  show(row["qalys"], "qalys"), show(row["testing_cost"], "usd", unit=False),
                  show(row["treatment_cost"], "usd", unit=False), row["reason"]["text"])
        assert cells[2:] == wanted
        assert all(w in page and w in doc for w in wanted)
    for key, kind in (("testing_cost", "usd"), ("treatment_cost", "usd"), ("qalys", "qalys"), ("patients_tested", "people")):
        assert show(document["totals"][key], kind) in page and show(document["totals"][key], kind) in doc


def test_both_forms_have_the_same_tables(plan, evidence):
    paper = brief(plan, evidence)
    grids = [b for b in paper.blocks if isinstance(b, Grid)]
    made = Document(BytesIO(word.document(paper))).tables
    assert [[c.text for c in t.rows[-1].cells] for t in made] == [list(g.rows[-1]) for g in grids]
    blocks = list(paper.blocks)
    assert all(isinstance(blocks[n + 1], Grid) for n, b in enumerate(blocks) if isinstance(b, Picture))


def test_the_clock_is_in_no_document(plan, evidence):
    paper = brief(plan, evidence)
    once, page = word.document(paper), html.page(paper)
    time.sleep(2.1)  # a zip counts two seconds
    again = brief(plan, evidence)
    assert word.document(again) == once and html.page(again) == page
    assert all(i.date_time == (2000, 1, 1, 0, 0, 0) for i in ZipFile(BytesIO(once)).infolist())


def test_hostile_names_stay_text(hostile, evidence):
    case = Case("XXX", HOSTILE, hostile)
    found = proposal(Subject("drug", "drug_a", HOSTILE), [case], evidence)
    for paper in (brief(hostile, evidence), request.paper(hostile), proposal_paper(found, [case], evidence)):
        page = check_page(html.page(paper))
        assert "<script>alert('&')</script>=1" in "".join(page.text)
        assert "<script>alert('&')</script>=1" in texts(word.document(paper))
    for line in csv.reader(StringIO(request.request_csv(hostile))):
        assert not any(cell.startswith(("=", "@")) for cell in line)


def test_an_analysis_of_something_else_is_refused(make, evidence, opened):
    with pytest.raises(ValueError, match="another scenario"):
        brief(make(), evidence, opened[1])


def test_access_in_the_brief_has_the_analysis_s_numbers(opened, evidence):
    plan, access = opened
    paper = brief(plan, evidence, access)
    said = "\n".join(" ".join(r) for b in paper.blocks if isinstance(b, Grid) for r in b.rows)
    rows = [r for r in access.tables["drugs"] if r["health_gained"] > 0]
    assert rows
    for r in rows[:6]:
        assert show(r["health_gained"], "qalys") in said and show(r["treatment_cost"], "usd", unit=False) in said
    check_page(html.page(paper))


def test_the_evidence_s_month():
    assert evidence_words("2026.11.1") == "version 2026.11.1, of November 2026"
    assert evidence_words("0.0.0") == "version 0.0.0" and evidence_words("x") == "version x"


# -- pictures ------------------------------------------------------------------------------------------------

def test_pictures_are_the_same_twice_and_drawn():
    drawing = Drawing((Bar("ÅΩя − ≥ €", 3.0, "3", "core", outline=4.0), Bar("b", 0.0, "0")))
    first = png(drawing)
    image = Image.open(BytesIO(first))
    assert first == png(drawing) and image.size == (1860, 3 * drawing.height) and len(image.getcolors()) > 5
    assert svg(drawing, '"<&').startswith('<svg role="img" aria-label="&quot;&lt;&amp;"')


def test_dots_stand_on_their_track():
    shapes = Drawing((Bar("a", 1.0, "100 %"),), dots=True, mark=0.8, mark_words="sure").shapes()
    dot = next(s for s in shapes if s[0] == "dot")
    track = next(s for s in shapes if s[0] == "rect")
    assert dot[1] == track[3]


# -- the request -----------------------------------------------------------------------------------------------

def test_the_request_sums_to_the_tests_of_the_plan(plan, evidence):
    rows = list(csv.DictReader(StringIO(request.request_csv(plan))))
    assert sum(float(r["Cost (USD a year)"]) for r in rows) == pytest.approx(plan.totals["testing_cost"])
    buffer = BytesIO()
    write_request(plan, evidence, buffer)
    book = load_workbook(BytesIO(buffer.getvalue()))
    assert book.sheetnames == ["Request", "About", "Scenario"]
    assert [c.value for c in book["Request"]["F"][1:]] == pytest.approx([float(r["Cost (USD a year)"]) for r in rows])
    assert any(r["For"] for r in rows)
    check_page(html.page(request.paper(plan)))


def test_a_request_for_nothing(make):
    assert "Nothing is to be bought" in plain_text(request.paper(make(budget={"testing": 0})))


# -- the proposal ------------------------------------------------------------------------------------------------

def test_a_proposal_counts_people_courses_and_loss(make, evidence):
    plan = make()
    found = proposal(Subject("drug", "drug_a", "drug a"), [Case("XXX", "Tinyland", plan)], evidence)
    use = found.places[0]["uses"][0]
    # 1,000 eligible, one in five carriers, 0.9 fit; 0.9 of the eligible can be tested
    assert use["need"] == pytest.approx(1000 * 0.2 * 0.9)
    test, result = found.places[0]["tests"][0], None
    for i in plan.problem.indications:
        for s in i.services:
            if s.service == test["service"]:
                result = s.result("egfr")
    called = 0.2 * result.se + 0.8 * (1 - result.sp)
    assert use["found"] == pytest.approx(1000 * 0.9 * result.eta * called * 0.9)
    assert use["courses_target"] == pytest.approx(0.8 * use["found"])
    row = next(r for r in plan.document["list"] if r["biomarker_id"] == "egfr")
    treated = {t["therapy"]: t["treated"] for t in row["therapies"]}["drug_a"]
    assert use["courses_plan"] == pytest.approx(treated)
    assert use["stock_out_month_plan"] == pytest.approx(treated * 0.2 * result.se / called / 12)
    assert use["treatment_cost"] == pytest.approx(use["courses_target"] * 10_000)
    assert found.totals["payers"]["public"] == pytest.approx(use["treatment_cost"] * 0.6)
    document = json.loads(proposal_json(found))
    assert document["schema"] == "proposal/1" and document["totals"]["need"] == found.totals["need"]


def test_a_proposal_in_every_form(opened, evidence, make):
    plan, access = opened
    cases = [Case("XXX", "Tinyland", plan, access), Case("YYY", "Smalland", why_not="the testing budget: have 1, need 2")]
    found = proposal(Subject("biomarker", "er", "ER"), cases, evidence)
    paper = proposal_paper(found, cases, evidence)
    page = "".join(check_page(html.page(paper)).text)
    content = word.document(paper)
    check_word(content, 1)
    assert content == word.document(proposal_paper(found, cases, evidence))
    for key, kind in (("need", "people"), ("courses_target", "people"), ("testing_cost", "usd"),
                      ("stock_out_month_target", "qalys")):
        assert show(found.totals[key], kind) in page and show(found.totals[key], kind) in texts(content)
    assert "have 1, need 2" in page


def test_a_proposal_for_what_has_no_use(plan, evidence):
    from planner.errors import BadInput

    with pytest.raises(BadInput, match="no use"):
        proposal(Subject("drug", "unheard_of", "x"), [Case("XXX", "Tinyland", plan)], evidence)
