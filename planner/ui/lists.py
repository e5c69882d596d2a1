"""The list in its three views, what not to buy, and today beside the plan."""

from __future__ import annotations

import streamlit as st

from planner.report.numbers import IN_WORDS, counted, measure, show
from planner.report.tables import list_csv
from planner.ui import glossary, links, state, tables
from planner.ui.widgets import csv_button, dollars, plain, table

VIEW_WORDS = {"use_case": "By use case", "biomarker": "By biomarker", "test": "By test to buy"}
WIDTH = 238  # of the frozen first column: leaves room for others on a phone
VIEW_BOX, MORE_BOX = "view_box", "more_box"


@st.fragment
def three_views(document, stamp: tuple) -> None:
    """The list; a fragment, so that another view does not draw the whole page anew."""
    if state.stamp() != stamp:
        st.rerun()
    st.header("The list", help=glossary.meaning("use case", "coverage", "entry budget"))
    st.session_state[VIEW_BOX] = st.session_state.get(state.VIEW) or links.VIEWS[0]
    st.segmented_control("View", links.VIEWS, key=VIEW_BOX, format_func=VIEW_WORDS.get, required=True,
                         label_visibility="collapsed", on_change=_view)
    view = st.session_state[VIEW_BOX]
    {"use_case": _use_cases, "biomarker": _biomarkers, "test": _tests}[view](document)
    totals, wanted = document["totals"], measure(document)
    chosen = "" if wanted in ("qalys", "patients_treated") else f"{show(totals[wanted], 'qalys')} {IN_WORDS[wanted]}, "
    st.caption(dollars(f"All together: tests {show(totals['testing_cost'], 'usd')} a year, "
                       f"{show(totals['patients_treated'], 'people')} people treated, {chosen}"
                       f"{show(totals['qalys'], 'qalys')} healthy years (QALYs). The sums are the same in each view."))
    state.write_address()


def _view() -> None:
    st.session_state[state.VIEW] = st.session_state[VIEW_BOX] or links.VIEWS[0]


def _use_cases(document) -> None:
    frame = tables.by_use_case(document)
    columns = {"Line": st.column_config.Column(pinned=True, width=WIDTH),
               "Priority": st.column_config.Column(width=118),
               "In the plan, and why": st.column_config.Column(width=290),
               "Treated": st.column_config.Column(width=72, help="People given a matched drug in a year"),
               "QALYs": st.column_config.Column(width=68, help="Healthy years gained in a year"),
               "Tests, US$": st.column_config.Column(width=88, help="Money for tests in a year"),
               "US$ per QALY": st.column_config.Column(
                   width=102, help="All costs, tests and treatment, for a healthy year")}
    table(frame, tables.USE_CASE_KINDS, f"The list: {len(frame)} lines in rank order", "list_table", columns)
    if st.toggle("More columns", key=MORE_BOX):
        table(tables.more_of_use_case(document), tables.MORE_KINDS, "Further columns of the list", "more_table",
              {"Line": st.column_config.Column(pinned=True, width=WIDTH),
               "Coverage": st.column_config.ProgressColumn("Coverage", format="%.0f %%", min_value=0, max_value=100,
                                                           help=glossary.meaning("coverage")),
               "Against threshold": st.column_config.Column(
                   help="All costs per healthy year over the threshold: below 1 it is worth its price.")})
    csv_button(lambda: list_csv(document), "list", "list_csv")


def _biomarkers(document) -> None:
    frame = tables.by_biomarker(document)
    table(frame, tables.USE_CASE_KINDS | {"Drugs, US$ a year": "usd"}, f"{len(frame)} biomarkers by best rank",
          "biomarker_table")
    csv_button(frame, "biomarkers", "biomarker_csv")


def _tests(document) -> None:
    frame = tables.by_test(document)
    if frame.empty:
        st.write("Nothing is bought in this plan.")
        return
    table(frame, tables.TEST_KINDS, f"{len(frame)} tests to buy, the costliest first", "test_table")
    csv_button(frame, "tests_to_buy", "test_csv")


def not_now(document) -> None:
    frame = tables.do_not_buy(document)
    if frame.empty:
        return
    lines = counted(len(frame), "line")
    st.header("Do not buy now")
    groups = frame.groupby("Speaks against it", sort=False)
    st.caption(f"{lines} outside this plan, by what speaks first against each: "
               + "; ".join(f"{title[0].lower()}{title[1:]} ({len(rows)})" for title, rows in groups) + ".")
    with st.expander(f"Show the {lines}", expanded=False):
        for title, rows in groups:
            st.markdown(f"**{title}** ({len(rows)})")
            st.table(rows[["Line", "Priority", "Why"]].map(plain).set_index("Line"),
                     alt=f"{title}: {counted(len(rows), 'line')} not to buy now, with the reason")
        csv_button(frame, "do_not_buy", "do_not_buy_csv")


def compared_with_today(document) -> None:
    st.header("Beside today", help=glossary.meaning("reference"))
    frame = tables.today(document)
    if frame is None:
        st.write(f"{document['reference']['note'].capitalize()}.")
        return
    kinds = ["usd" if "US$" in words else "people" for words in frame[""]]
    said = frame.astype(object)
    for name in frame.columns[1:]:
        said[name] = [show(v, k) for v, k in zip(frame[name], kinds, strict=True)]
    st.table(said.map(lambda v: str(v).replace("$", "\\$")).set_index(""), alt="Today's practice beside the plan")
    note = document["reference"]["note"]
    st.caption(plain(f"{note[0].upper()}{note[1:]}."))
    csv_button(frame, "today", "today_csv")
