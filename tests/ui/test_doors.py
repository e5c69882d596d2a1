"""Start, Report and Method by AppTest: each door leads to its question, documents are the command's own, every step
can be taken back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from docx import Document

import planner
from planner.report.composed import brief_of, proposal_of
from planner.report.html import page as html_page
from planner.report.proposal import subject_of
from planner.report.word import document
from planner.scenario.scenario import dumps, load, loads
from planner.ui import cache, links, manual, method, report, state
from tests.ui.test_analysis_pages import finished
from tests.ui.test_pages import KENYA, PAGE, PLAN, at_param, calm, opened, text, upload


def silent(share, words):
    """A progress that nobody watches."""


# -- Start -----------------------------------------------------------------------------------------------------


def test_start_asks_who_one_is_and_says_what_it_is_not():
    at = opened()
    said = text(at)
    assert "Who are you, and what do you want to know?" in said and "It never says what is right for one patient" in said
    assert [b.label for b in at.button if str(b.key).startswith("door_")] == [
        "Kenya’s first national list", "HER2 testing with its drugs in Kenya, Uganda and Tanzania",
        "A hospital of 600 beds in Kenya"]


def test_the_ministry_s_door_opens_the_worked_list():
    at = calm(opened().button(key="door_ministry").click().run())
    assert at.title[0].value == "Which biomarkers to test, in which order"
    assert at.session_state[state.SCENARIO].digest == load("kenya").digest
    assert at_param(at, "scenario") == "kenya" and "would test" in text(at)


def test_the_proposal_s_door_begins_the_proposal(board):
    at = calm(opened().button(key="door_ngo").click().run())
    assert at.title[0].value == "What to take with you"
    assert at.selectbox(key=state.SUBJECT).value == "biomarker:her2"
    assert at.multiselect(key=state.COUNTRIES).value == ["KEN", "UGA", "TZA"]
    assert board.job("proposal") is not None


def test_the_hospital_s_door_opens_the_hospital():
    at = calm(opened().button(key="door_hospital").click().run())
    assert at.title[0].value == "What to run in the hospital, what to send out"
    assert at.session_state[state.SCENARIO].setting.hospital


def test_a_place_chosen_on_start_stays_and_the_doors_lead_to_it():
    at = opened()
    calm(at.selectbox(key="first_country_box").set_value("UGA").run())
    assert at_param(at, "country") == "UGA" and "Open now: Uganda" in text(at)


def test_a_link_without_a_page_is_the_plan_of_its_place():
    at = opened(**KENYA)
    assert at.title[0].value == "Which biomarkers to test, in which order"


# -- undo ------------------------------------------------------------------------------------------------------


def test_every_step_can_be_taken_back_and_done_again():
    at = opened(country="KEN")
    first = at.session_state[state.SCENARIO]
    assert not [b for b in at.sidebar.button if b.key == "undo_button"]
    calm(at.number_input(key="budget_testing").set_value(100_000.0).run())
    second = at.session_state[state.SCENARIO]
    calm(at.selectbox(key="country_box").set_value("UGA").run())
    third = at.session_state[state.SCENARIO]
    for expected in (second, first):
        calm(at.button(key="undo_button").click().run())
        assert at.session_state[state.SCENARIO] == expected
    assert at.button(key="undo_button").disabled and "Without a limit on money" in text(at)
    for expected in (second, third):
        calm(at.button(key="redo_button").click().run())
        assert at.session_state[state.SCENARIO] == expected
    assert at.button(key="redo_button").disabled and at_param(at, "country") == "UGA"


def test_a_new_step_after_undo_forgets_what_was_undone():
    at = opened(country="KEN")
    calm(at.number_input(key="budget_testing").set_value(100_000.0).run())
    calm(at.button(key="undo_button").click().run())
    calm(at.number_input(key="budget_testing").set_value(200_000.0).run())
    assert at.button(key="redo_button").disabled


def test_an_upload_that_is_undone_is_no_longer_private_and_done_again_is():
    at = opened(**KENYA)
    mine = load("kenya").model_copy(update={"name": "ours", "description": "not for an address"})
    upload(at, dumps(mine))
    assert at_param(at, "country") is None
    calm(at.button(key="undo_button").click().run())
    assert at_param(at, "country") == "KEN"
    calm(at.button(key="redo_button").click().run())
    assert at_param(at, "country") is None


def test_a_step_that_changes_nothing_is_no_step():
    at = opened(**KENYA)
    calm(at.number_input(key="budget_testing").set_value(400_000.0).run())
    assert not [b for b in at.sidebar.button if b.key == "undo_button"]


# -- evidence of links and files --------------------------------------------------------------------------------


def test_a_saved_scenario_and_an_address_name_their_evidence():
    at = opened(**KENYA)
    evidence = cache.evidence()
    assert at_param(at, "evidence") == evidence.digest[:8]
    mine = at.session_state[state.SCENARIO]
    text_of = links.saved(mine, evidence)
    assert loads(text_of).digest == mine.digest
    assert links.MADE_WITH.search(text_of).groups() == (evidence.version, evidence.digest)
    assert not upload(at, text_of).info
    told = upload(at, text_of.replace(evidence.digest, "0" * 64)).info
    assert "made on other evidence" in told[0].value and "00000000" in told[0].value


def test_a_link_of_other_evidence_says_so():
    at = opened(**KENYA, evidence="deadbeef")
    assert any("made on other evidence" in i.value for i in at.info)
    assert not any("other evidence" in i.value for i in opened(**KENYA, evidence=cache.evidence().digest[:8]).info)


# -- Report ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kenya():
    return planner.plan(load("kenya"), cache.evidence())


def at_report(kind: str, at=None):
    at = calm((at or opened(**KENYA)).switch_page(PAGE.format("report")).run())
    return finished(calm(at.segmented_control(key=state.REPORT_TAB).set_value(kind).run()))


@pytest.mark.parametrize("kind, files", [
    ("brief", ["Word (.docx)", "Web page (.html)"]),
    ("request", ["Workbook (.xlsx)", "Table (.csv)", "Word (.docx)", "Web page (.html)"]),
    ("workbook", ["Workbook (.xlsx)", "Plan, unrounded (.json)"]),
])
def test_each_document_can_be_had(board, kind, files):
    at = at_report(kind)
    labels = [b.label for b in at.get("download_button")]
    assert labels[:len(files)] == files
    assert bool(at.get("iframe")) == (kind != "workbook")


def test_the_brief_of_the_page_is_the_command_s(board, kenya):
    at = at_report("brief", calm(opened().button(key="door_ministry").click().run()))
    made = board.shown["brief"]
    theirs = brief_of(kenya, cache.evidence(), True, 0, 1, silent)
    assert html_page(made.paper).split("<footer>")[0] == html_page(theirs).split("<footer>")[0]
    paragraphs = "\n".join(p.text for p in Document(io.BytesIO(document(made.paper))).paragraphs)
    assert "would test" in paragraphs and not at.error


def test_a_proposal_is_made_when_it_is_asked_for(board):
    at = calm(opened(**KENYA).switch_page(PAGE.format("report")).run())
    calm(at.segmented_control(key=state.REPORT_TAB).set_value("proposal").run())
    calm(at.selectbox(key=state.SUBJECT).set_value("drug:trastuzumab").run())
    assert board.job("proposal") is None
    at = finished(calm(at.button(key="proposal_button").click().run()))
    labels = [b.label for b in at.get("download_button")]
    assert labels[:3] == ["Word (.docx)", "Web page (.html)", "Figures, unrounded (.json)"]
    made = board.shown["proposal"]
    assert made.proposed.found.subject.id == "trastuzumab" and [p["code"] for p in made.proposed.found.places] == ["KEN"]
    theirs = proposal_of(subject_of(cache.evidence(), "trastuzumab", None), at.session_state[state.SCENARIO], cache.evidence(),
                         ["KEN"], 0, 1, silent)
    assert report.proposal_json(made.proposed.found) == report.proposal_json(theirs.found)


def test_a_given_list_has_no_proposal():
    at = upload(opened(), 'setting = {country = "KEN"}\nmode = "evaluate"\n[evaluate]\n"breast_early/her2" = 0.5')
    at = calm(at.switch_page(PAGE.format("report")).run())
    calm(at.segmented_control(key=state.REPORT_TAB).set_value("proposal").run())
    assert "this scenario gives a list" in text(at)


def test_a_report_without_a_place_says_what_to_do():
    at = calm(opened().switch_page(PAGE.format("report")).run())
    assert "Choose a country" in text(at)


# -- Method ----------------------------------------------------------------------------------------------------


def test_the_method_checks_the_plan_on_the_spot():
    at = calm(opened(**KENYA).switch_page(PAGE.format("method")).run())
    said = text(at)
    assert "checks passed" in said and "Kenya" in said and "Do not use this plan" not in said


def test_a_plan_that_is_wrong_is_told(monkeypatch):
    def spoiled(document):
        document = json.loads(json.dumps(document))
        document["totals"]["qalys"] *= 2
        return json.dumps(document)

    monkeypatch.setattr(method, "plan_json", spoiled)
    at = calm(opened(country="UGA", testing="123457").switch_page(PAGE.format("method")).run())
    assert "checks failed" in text(at) and "Do not use this plan" in text(at)


def test_the_chain_s_formulas_stand_beside_the_people_of_the_line():
    at = calm(opened(**KENYA, line="breast_early/her2").switch_page(PAGE.format("method")).run())
    row = next(r for r in planner.plan(at.session_state[state.SCENARIO], cache.evidence()).document["list"]
               if (r["indication_id"], r["biomarker_id"]) == ("breast_early", "her2"))
    steps = next(m.value for m in at.markdown if "**New cases**" in m.value)
    assert method.show(row["chain"]["treated"], "people") in steps.splitlines()[-2]
    assert r"\pi\,Se" in steps


def test_the_method_in_full_is_the_manual_s():
    sections = manual.sections("method.md")
    assert set(method.MANUAL) | {"Limits"} <= set(sections)
    assert "(#pathways)" not in "".join(sections.values()) and "decisions/)" not in "".join(sections.values())
    assert Path(manual.PACKAGE.parent / "docs" / "method.md").is_file()


def test_method_without_a_place_shows_the_formulas():
    at = calm(opened().switch_page(PAGE.format("method")).run())
    assert "$E = N" in text(at).replace("**", "") or any("E = N" in m.value for m in at.markdown)
    assert calm(at.switch_page(PLAN).run()).title
