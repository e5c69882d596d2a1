"""The pages Strategies and Hospital and the plan's laboratory by AppTest: answer, states, own cases that stay private."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

import planner
from planner.analysis import strategies, whole_laboratory
from planner.errors import Infeasible, Issue
from planner.report import strategy_charts as charts
from planner.report.numbers import show
from planner.scenario.scenario import dumps, loads
from planner.ui import cache, changes, state, strategy_frames
from tests.ui.test_analysis_pages import at_page, finished
from tests.ui.test_pages import PLAN, at_param, calm, opened, text, upload

pytestmark = pytest.mark.usefixtures("board")
CASES = {"breast_early": 220.0, "crc_metastatic": 25.0}
PAGE = "planner/ui/pages/hospital.py"
COMPARE = "Compare ways to run the laboratory"


def uganda(**more):
    return loads("parent = 'defaults'", changes={"setting": {"country": "UGA"}, "budget": {"testing": 100_000}} | more)


def hospital():
    return loads("parent = 'defaults'", changes={
        "setting": {"country": "KEN", "hospital": "Ours"}, "cases": CASES, "laboratory": {"costing": "micro"},
        "budget": {"testing": 40_000}}).model_copy(update={"name": "Ours"})


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def ways(evidence):
    """The whole laboratory of a hospital with two indications: some seconds, so only once."""
    return whole_laboratory.whole_laboratory(hospital(), evidence)


@pytest.fixture(scope="module")
def by_parts(evidence):
    return strategies.strategies(uganda(laboratory={"costing": "micro"}), evidence, "breast_early")


def press(at, label: str):
    return calm(next(b for b in at.button if b.label == label).click().run())


# -- strategies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["strategies", "hospital"])
def test_without_a_place_each_page_says_what_to_do(name):
    at = at_page(name)
    assert "Choose a country" in text(at) and "not clinical advice" in text(at)
    calm(at.button(key="example_KEN").click().run())
    assert at_param(at, "country") == "KEN"


def test_strategies_say_what_the_python_call_says_and_the_laboratory_can_be_costed_by_parts(evidence):
    at = at_page("strategies", country="UGA", testing="100000")
    found = strategies.strategies(uganda(), evidence, "breast_early")
    assert found.words[0].replace("%", " %") in text(at)
    frame = next(d.value for d in at.dataframe if "US$ per patient" in d.value)
    assert len(frame) == len(found.tables["strategies"]) and frame.iloc[0, 0].startswith("1. ")
    assert "at their tariffs" in text(at)
    finished(calm(at.toggle(key="costing_box").set_value(True).run()))
    assert at_param(at, "costing") == "micro" and "cheaper at home" in text(at)
    buttons = " ".join(b.label for b in at.sidebar.button)
    assert "costed by its parts" in buttons


def test_another_cancer_is_chosen_by_name():
    at = at_page("strategies", country="UGA", testing="100000")
    box = at.selectbox(key=state.INDICATION)
    assert all("people a year" in o for o in box.options)
    finished(calm(box.select("cml").run()))
    assert "chronic myeloid" in text(at).lower()


def test_pictures_of_strategies_have_the_analysis_s_numbers(by_parts):
    made = charts.plane(by_parts)
    steps = charts.frontier_rows(by_parts)
    numbered = next(t for t in made.figure.data if t.mode == "markers+text")
    assert list(numbered.x) == [r["total_cost"] for r in steps] and list(numbered.text) == [str(n + 1) for n in range(len(steps))]
    assert len(made.table) == len(by_parts.tables["strategies"])
    assert list(numbered.y) == sorted(numbered.y)
    for panel, name in charts.panels(by_parts).items():
        picture = charts.by_number(by_parts, panel, str)
        rows = [r for r in by_parts.tables["by_number"] if r["service"] == panel]
        assert picture.table["Single tests, US$ per patient"].tolist() == [r["singles_cost"] for r in rows]
        assert name in picture.title
    tests = charts.tests_by_volume(by_parts)
    assert tests
    for assay in tests:
        picture = charts.by_volume(by_parts, assay)
        rows = [r["own_cost"] for r in by_parts.tables["by_volume"] if r["assay"] == assay]
        assert list(picture.figure.data[0].y) == rows and picture.alt.startswith("Line chart")
    best = next(r["strategy"] for r in by_parts.tables["strategies"] if r["kind"] == "singles")
    assert len(strategy_frames.biomarkers(by_parts, best)) == sum(r["strategy"] == best for r in by_parts.tables["biomarkers"])


# -- hospital ------------------------------------------------------------------------------------------------


def test_a_country_becomes_a_hospital_and_back(monkeypatch, ways):
    asked = []
    monkeypatch.setattr("planner.ui.hospital.whole_laboratory.whole_laboratory",
                        lambda mine, evidence, progress: asked.append(mine) or ways)
    at = at_page("hospital", country="KEN", testing="400000")
    assert "its own patients" in text(at)
    calm(at.number_input(key="one_in_box").set_value(400).run())
    at = press(at, "Start with this example")
    mine = at.session_state[state.SCENARIO]
    assert mine.setting.hospital == "Our hospital" and mine.laboratory.costing == "micro" and mine.budget.testing is None
    assert mine.cases and all(v >= 1 for v in mine.cases.values())
    assert not at.query_params  # own cases never go into the address
    assert "Nothing has been compared" in text(at)
    at = finished(press(at, COMPARE))
    assert len(asked) == 1 and asked[0].cases == mine.cases
    assert "Run in-house, or send out" in text(at)
    chip = next(b for b in at.sidebar.button if "own yearly cases" in b.label)
    calm(at.button(key=chip.key).click().run())
    back = at.session_state[state.SCENARIO]
    assert back.setting.hospital is None and not back.cases and "its own patients" in text(at)


def test_the_answer_has_the_analysis_s_numbers(monkeypatch, ways):
    monkeypatch.setattr("planner.ui.hospital.whole_laboratory.whole_laboratory", lambda mine, evidence, progress: ways)
    at = upload(opened(), dumps(hospital()))
    at = calm(at.switch_page(PAGE).run())
    assert "Nothing has been compared" in text(at)
    at = finished(press(at, COMPARE))
    plan = next(r for r in ways.tables["strategies"] if r["strategy"] == whole_laboratory.PLAN)
    frame = next(d.value for d in at.dataframe if "Mean wait, days" in d.value)
    mine = [r for r in ways.tables["tests"] if r["strategy"] == whole_laboratory.PLAN]
    assert sorted(frame["Samples a year"]) == pytest.approx(sorted(r["samples"] for r in mine))
    assert show(plan["qalys"], "qalys") in charts.ways(ways).alt
    volumes = next(d.value for d in at.dataframe if "Volume" in d.value)
    assert list(volumes["Volume"]) == ["Half the cases", "The hospital's cases", "Twice the cases"]
    assert "US$" in charts.other_volumes(ways).title and charts.own_volumes(ways).table.shape[0] > 0
    assert "Way to run the laboratory" in [b.label for b in at.selectbox]


def test_limits_that_cannot_hold_are_told(monkeypatch):
    def refused(mine, evidence, progress):
        raise Infeasible([Issue("budget.testing", "10 US$ do not pay for the musts", "raise it")])

    monkeypatch.setattr("planner.ui.hospital.whole_laboratory.whole_laboratory", refused)
    at = upload(opened(), dumps(changes.put(hospital(), ("budget", "testing"), 10.0)))
    at = finished(press(calm(at.switch_page(PAGE).run()), COMPARE))
    assert "cannot be answered for this scenario" in text(at) and "do not pay for the musts" in text(at)


def book_of(rows) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "cases"
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("content, words", [
    (b"not a workbook", "not an .xlsx workbook"),
    (book_of([("indication_id", "cases"), ("no_such", 5)]), "unknown indication"),
    (book_of([("indication_id", "cases"), ("cml", "=1+1")]), "formula"),
    (book_of([("indication_id", "cases"), ("cml", None)]), "states no people"),
    (book_of([("a", "b"), (1, 2)]), "no sheet of the template"),
])
def test_a_wrong_workbook_of_cases_is_told(content, words):
    at = at_page("hospital", country="UGA", testing="100000")
    mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    calm(at.file_uploader(key=state.CASES_UPLOAD).set_value(("c.xlsx", content, mime)).run())
    assert "could not be taken over" in text(at) and words in text(at)
    assert at.session_state[state.SCENARIO].setting.hospital is None


def test_a_workbook_of_cases_makes_the_hospital():
    at = at_page("hospital", country="UGA", testing="100000")
    content = book_of([("indication_id", "cases"), ("cml", 8), ("breast_early", 120)])
    calm(at.file_uploader(key=state.CASES_UPLOAD).set_value(("c.xlsx", content, "application/octet-stream")).run())
    mine = at.session_state[state.SCENARIO]
    assert mine.cases == {"cml": 8, "breast_early": 120} and mine.setting.hospital and not at.query_params


# -- edits -----------------------------------------------------------------------------------------------------


def test_the_form_is_one_named_edit():
    mine = hospital()
    settings = {"tier": "regional", "instruments": {"ihc_bench": 2}, "technician_minutes": 5000.0, "board_minutes": None}
    after = changes.laboratory(mine, {"breast_early": 100.0, "cml": 4.0}, settings, None)
    assert {k: v for k, v in after.cases.items() if v} == {"breast_early": 100.0, "cml": 4.0}
    assert after.laboratory.tier == "regional" and after.laboratory.technician_minutes == 5000 and after.budget.testing is None
    again = changes.laboratory(after, {"cml": 4.0}, {"tier": None, "instruments": {}, "technician_minutes": None}, 10.0)
    assert again.laboratory.tier is None and not again.laboratory.instruments and again.budget.testing == 10


def test_parts_go_with_their_costing():
    mine = changes.laboratory(hospital(), CASES, {"tier": "regional", "instruments": {"ihc_bench": 1}}, None)
    at_tariff = changes.costed(mine, False)
    assert at_tariff.laboratory.costing == "tariff" and not at_tariff.laboratory.instruments
    assert changes.costed(at_tariff, True).laboratory.costing == "micro"


# -- the plan's laboratory -----------------------------------------------------------------------------------------


def test_the_plan_page_tells_of_the_laboratory():
    at = opened(country="UGA", testing="100000")
    assert "Laboratory" in [s.value for s in at.header] and "whoever is paid the tariff" in text(at)
    at = upload(calm(opened().switch_page(PLAN).run()), dumps(hospital()))
    assert "searched to within" in text(at) and "Tests at home" in text(at)
    frame = next(d.value for d in at.dataframe if "Used, %" in d.value)
    assert len(frame) == len(planner.plan(hospital(), cache.evidence()).document["laboratory"])
