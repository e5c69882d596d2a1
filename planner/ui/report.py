"""The page Report: the documents that can be taken along, made from the plan on the left, with a preview."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from planner.errors import BadInput
from planner.report import request
from planner.report.composed import Proposed, brief_of, optimised, proposal_of
from planner.report.html import page as html_page
from planner.report.paper import Paper
from planner.report.proposal import proposal_json, subject_of
from planner.report.tables import plan_json
from planner.result.plan import Plan
from planner.scenario.model import Scenario
from planner.ui import answer, ask, cache, glossary, state
from planner.ui.widgets import foot, issues, plain

DOCUMENTS = {"brief": "Brief", "proposal": "Access proposal", "request": "Laboratory request", "workbook": "Workbook and plan"}
SAYS = {
    "brief": "Two to four pages in plain language: the answer, the list, what it costs, what limits it, what to do next.",
    "proposal": "For one drug or one biomarker, in one or several countries: need, courses, tests, money and who pays, the price "
                "that pays, what a stock-out costs, what to measure first.",
    "request": "What the laboratory must buy and staff for the plan, test by test.",
    "workbook": "Everything, unrounded: inputs, list, chain, laboratory, money by year, sources, with charts of Excel’s own.",
}
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DRAWS = (0, 100, 500, 1000)
MOST_COUNTRIES = 12
TALL = 760  # of a preview, pixels


@dataclass(frozen=True)
class Composed:
    """A document that was made beside the page, and the scenario it is of."""

    scenario: Scenario
    paper: Paper
    proposed: Proposed | None = None


def page() -> None:
    st.title("What to take with you")
    plan = answer.planned("the documents that can be made of its plan")
    if plan is None:
        foot(None)
        return
    st.markdown(f"## {answer.plain_place(plan.document)}")
    _keep(state.REPORT_TAB, DOCUMENTS, "brief")
    kind = st.segmented_control("Document", list(DOCUMENTS), key=state.REPORT_TAB, format_func=DOCUMENTS.get, required=True,
                                label_visibility="collapsed", persist_state="session")
    st.markdown(SAYS[kind])
    {"brief": _brief, "proposal": _proposal, "request": _request, "workbook": _workbook}[kind](plan)
    st.caption("Each document carries the scenario, the evidence version and its digest, the limits of use, and whom to cite.")
    foot(plan.document)


# -- the brief -----------------------------------------------------------------------------------------------


def _brief(plan: Plan) -> None:
    mine, evidence = state.scenario(), cache.evidence()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unlocking = st.checkbox("Say which drugs would unlock most", True, key=state.UNLOCKING, persist_state="session")
        draws = _draws("How sure is the list?", "leave it out")
    key = cache.analysis_key("brief", [mine], unlocking=unlocking, draws=draws)
    _composed("brief", key, lambda progress: Composed(mine, brief_of(plan, evidence, unlocking, draws, 1, progress)))


def _draws(title: str, without: str) -> int:
    return st.selectbox(title, DRAWS, key=state.PAPER_DRAWS, width=320, persist_state="session", help=glossary.meaning("draw"),
                        format_func=lambda n: f"by {n:,} draws of all uncertain numbers" if n else without)


# -- the proposal ---------------------------------------------------------------------------------------------


def _proposal(plan: Plan) -> None:
    mine, evidence = state.scenario(), cache.evidence()
    try:
        optimised(mine)
    except BadInput as error:
        issues(error.issues, "No proposal can be made of this scenario")
        return
    offered, names = _subjects(plan), _countries()
    if not offered:
        st.info("No line of this plan has a drug that follows from a test.", icon=":material/info:")
        return
    _keep(state.SUBJECT, offered, next(iter(offered)))
    home = mine.setting.country
    _keep(state.COUNTRIES, names, [home])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("For which drug or biomarker", list(offered), key=state.SUBJECT, format_func=offered.get, width=360,
                              persist_state="session")
        codes = st.multiselect("In which countries", sorted(names, key=names.get), key=state.COUNTRIES, format_func=names.get,
                               width=420, persist_state="session", max_selections=MOST_COUNTRIES,
                               disabled=bool(mine.setting.hospital),
                               help="Each is planned by this scenario, with its own evidence; own numbers stay at home.")
        draws = _draws("Prices and what to measure", "one number after the other")
    codes = [home] if mine.setting.hospital or not codes else codes
    abroad = [names[c] for c in codes if c != home]
    if abroad and any(getattr(mine.budget, axis) is not None for axis in ("testing", "treatment", "total")):
        st.caption(f"The budgets on the left then hold in {plain(', '.join(abroad))} too, each country by itself.")
    kind, _, name = chosen.partition(":")
    subject = subject_of(evidence, **{"drug": None, "biomarker": None, kind: name})
    key = cache.analysis_key("proposal", [mine], subject=chosen, countries=tuple(codes), draws=draws)

    def work(progress):
        made = proposal_of(subject, mine, evidence, codes, draws, 1, progress)
        return Composed(mine, made.paper, made)

    known = cache.results(state.is_private()).get(key) is not None
    if st.session_state.pop(state.WANTED, False) and not known:
        ask.start("proposal", key, work)
    job = cache.board().job("proposal")
    if not known and (job is None or job.key != key):
        st.button("Make the proposal", key="proposal_button", type="primary", icon=":material/edit_document:",
                  on_click=ask.start, args=("proposal", key, work))
    _composed("proposal", key, work, begin=False)


def _keep(key: str, offered, default) -> None:
    """What was chosen before, as far as it is still on offer."""
    was = st.session_state.get(key)
    if isinstance(default, list):
        st.session_state[key] = [c for c in was or () if c in offered] or default
    elif was not in offered:
        st.session_state[key] = default


def _subjects(plan: Plan) -> dict[str, str]:
    """Biomarkers with matched drugs, then the drugs, by name; a subject stands as kind:id."""
    biomarkers, drugs = {}, {}
    evidence = cache.evidence()
    for i in plan.problem.indications:
        for u in i.use_cases:
            for t in u.therapies:
                name = evidence.record("biomarkers", biomarker_id=u.biomarker).get("short_name", u.biomarker)
                biomarkers[f"biomarker:{u.biomarker}"] = f"{name}, with its drugs"
                drugs |= {f"drug:{d}": evidence.record("drugs", drug=d).get("name", d) for d in t.drugs}
    return dict(sorted(biomarkers.items(), key=lambda p: p[1])) | dict(sorted(drugs.items(), key=lambda p: p[1]))


def _countries() -> dict[str, str]:
    return {r["iso3"]: r["name"] for r in cache.evidence().records("countries") if r["in_globocan"]}


# -- the others -----------------------------------------------------------------------------------------------


def _request(plan: Plan) -> None:
    paper = request.paper(plan)
    with st.container(horizontal=True):
        st.download_button("Workbook (.xlsx)", lambda: _in_memory(_request_sheet, plan), "laboratory_request.xlsx", SHEET,
                           key="request_xlsx", on_click="ignore", icon=":material/table_view:")
        st.download_button("Table (.csv)", lambda: request.request_csv(plan).encode("utf-8-sig"), "laboratory_request.csv",
                           "text/csv", key="request_csv", on_click="ignore", icon=":material/download:")
        _papers("laboratory_request", paper)
    _preview(paper)


def _request_sheet(plan: Plan, file) -> None:
    from planner.report.workbook import write_request  # loads openpyxl, needed only here

    write_request(plan, cache.evidence(), file)


def _workbook(plan: Plan) -> None:
    with st.container(horizontal=True):
        st.download_button("Workbook (.xlsx)", lambda: answer.workbook(plan), "plan.xlsx", SHEET, key="report_workbook",
                           on_click="ignore", icon=":material/table_view:", type="primary")
        st.download_button("Plan, unrounded (.json)", lambda: plan_json(plan.document), "plan.json", "application/json",
                           key="report_plan", on_click="ignore", icon=":material/data_object:")
    st.caption("The plan file can be checked by anybody: `python -m planner audit plan.json` computes every total again.")


# -- shared ---------------------------------------------------------------------------------------------------


def _composed(kind: str, key: tuple, work, begin: bool = True) -> None:
    ask.ask(kind, key, work, lambda made: _shown(kind, made), begin=begin)


def _shown(kind: str, made: Composed) -> None:
    """A document: its files, then how it looks."""
    with st.container(horizontal=True):
        _papers(kind, made.paper, primary=True)
        if made.proposed is not None:
            st.download_button("Figures, unrounded (.json)", lambda: proposal_json(made.proposed.found), "proposal.json",
                               "application/json", key="proposal_json", on_click="ignore", icon=":material/data_object:")
    _preview(made.paper)


def _papers(name: str, paper: Paper, primary: bool = False) -> None:
    st.download_button("Word (.docx)", lambda: _in_memory(_word, paper), f"{name}.docx", WORD, key=f"{name}_docx",
                       on_click="ignore", icon=":material/description:", type="primary" if primary else "secondary")
    st.download_button("Web page (.html)", lambda: html_page(paper), f"{name}.html", "text/html", key=f"{name}_html",
                       on_click="ignore", icon=":material/language:")


def _word(paper: Paper, file) -> None:
    from planner.report.word import write  # loads python-docx, needed only here

    write(paper, file)


def _in_memory(write: Callable, what) -> bytes:
    buffer = io.BytesIO()
    write(what, buffer)
    return buffer.getvalue()


def _preview(paper: Paper) -> None:
    """The document as its web page: every text in it is escaped, and its own policy forbids scripts."""
    st.caption("How it looks:")
    with st.container(border=True):
        st.iframe(html_page(paper), height=TALL, alt=f"Preview: {paper.title}")
