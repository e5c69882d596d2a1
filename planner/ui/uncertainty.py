"""The page Uncertainty: how sure the list is, how it fares against others, what to measure first."""

from __future__ import annotations

import streamlit as st

from planner.analysis import sensitivity, uncertainty
from planner.analysis.study import Analysis
from planner.analysis.uncertainty import compared_words
from planner.report import charts as plan_charts
from planner.report import uncertainty_charts as charts
from planner.report.numbers import show
from planner.ui import answer, ask, cache, frames, glossary, state
from planner.ui.widgets import dollars, files, foot, picture, table

TABS = {"lines": "How sure is each line", "fares": "How does the plan fare", "measure": "What to measure first",
        "single": "One number at a time"}
DRAWS, MOST_DRAWS, FIRST = 500, 5000, 20
SOURCE = "Source: draws of every uncertain number within its interval; the intervals stand on the page Evidence."


def page() -> None:
    st.title("How sure is the list")
    plan = answer.planned("how sure its list would be")
    if plan is None:
        foot(None)
        return
    st.markdown(f"## {answer.plain_place(plan.document)}")
    tab = st.segmented_control("Question", list(TABS), key=state.SURE_TAB, format_func=TABS.get, required=True, default="lines",
                               label_visibility="collapsed", persist_state="session")
    if tab == "single":
        _single()
    else:
        _draws(tab)
    foot(plan.document)


def _draws(tab: str) -> None:
    """The form, then the answer of the draws that were asked for."""
    mine, evidence = state.scenario(), cache.evidence()
    with st.form("draws_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        draws = st.number_input("Draws", 50, MOST_DRAWS, DRAWS, 50, key=state.DRAWS, width=150, persist_state="session",
                                help="How often every uncertain number is drawn and the list planned again. More draws, smaller "
                                     "errors, longer waiting.")
        seed = st.number_input("Seed", 0, 10**6, 1, key=state.SEED, width=130, persist_state="session",
                               help="The same seed gives the same draws, and so the same numbers.")
        pressed = st.form_submit_button("Run", type="primary", icon=":material/casino:")
    options = {"draws": int(draws), "seed": int(seed)}
    key = cache.analysis_key("uncertainty", [mine], **options)
    work = ask.work_of(evidence, uncertainty.uncertainty, mine, **options)
    if pressed and cache.results(state.is_private()).get(key) is None:
        ask.start("uncertainty", key, work)
    drawn = {"lines": _lines, "fares": _fares, "measure": _measure}[tab]
    if ask.ask("uncertainty", key, work, lambda found: _answered(found, drawn), begin=False) is None:
        _empty()


def _empty() -> None:
    board = cache.board()
    if board.job("uncertainty") is None and "uncertainty" not in board.shown:
        st.info("Nothing has been drawn for this plan yet. Press Run: every uncertain number is drawn again and again within its "
                "interval, and the list is planned anew each time. It takes some seconds to a minute; other pages stay open "
                "to you "
                "meanwhile.", icon=":material/casino:")


def _answered(found: Analysis, drawn) -> None:
    ask.answer(found.words)
    _chances(found)
    drawn(found)
    with st.expander("How this was computed"):
        st.markdown(dollars(
            f"{found.settings['draws']:,} draws, seed {found.settings['seed']}: every number with an interval is drawn from its "
            "distribution; numbers carried over from the same place move together. Two questions are kept apart. *How would the "
            "list change?* Each draw is planned again under the same limits. *How does this list fare?* A set of lists (this "
            "plan, today, "
            "others nearly as good, lists worth their cost) is valued in each draw; "
            f"{found.settings['recourse']}. Drug prices are not drawn: they are what is negotiated."))
        st.markdown(f"- Not drawn: {'; '.join(found.settings['not_drawn'])}.")
        impossible = found.settings["infeasible_draws"]
        if impossible:
            st.markdown(f"- In {impossible} draws the limits could not all hold; they are left out of the shares.")


def _chances(found: Analysis) -> None:
    """Probability of beating today, in health and once its cost is counted; health with its interval."""
    reference = charts.list_words(found.settings["reference"]).lower()
    outcome = next((o for o in found.tables["outcomes"] if o["measure"] == "qalys"), None)
    with st.container(horizontal=True):
        st.metric(f"Beats {reference}, in health", show(found.settings["beats_reference_health"], "share"), width=225)
        st.metric(f"Beats {reference}, cost counted", show(found.settings["beats_reference"], "share"), width=245,
                  help=glossary.meaning("opportunity cost, threshold", "threshold"))
        if outcome:
            st.metric("Healthy years a year", f"{show(outcome['low'], 'qalys')} to {show(outcome['high'], 'qalys')}", width=225,
                      help=f"The middle 95 % of the draws, this plan as it stands; mean {show(outcome['mean'], 'qalys')}.")
    if words := compared_words(found.settings):
        st.caption(f"Plan and {reference} are compared {words.removesuffix(', ')}; of the others nobody knows what today brings.")


# -- the three looks at the draws ------------------------------------------------------------------------


def _lines(found: Analysis) -> None:
    rows = sum(r["share_in"] is not None and (r["in_plan"] or r["share_in"] > 0) for r in found.tables["lines"])
    every = rows > FIRST and st.session_state.get("sure_all_box", False)
    picture(charts.sure(found, rows if every else FIRST), "sure", SOURCE, "share_of_draws", found)
    if rows > FIRST:
        st.toggle(f"Show all {rows} lines", key="sure_all_box")
    st.header("Line by line", help=glossary.meaning("robustness"))
    table(frames.sure(found), frames.KINDS, "Share of draws in which each line is in, with its priority", "sure_table",
          height=320)
    st.caption(f"A core line that is in fewer than {show(charts.ROBUST, 'share')} of the draws is told as “expand”: right on "
               f"today's "
               "numbers, not surely. “Give or take”: the error that is left by the number of draws.")
    files(found, "lines", "sure_files")


def _fares(found: Analysis) -> None:
    picture(charts.acceptable(found), "acceptable", SOURCE, "acceptability", found)
    st.header("The lists that are compared", help=glossary.meaning("acceptability"))
    table(frames.candidates(found), frames.KINDS, "Candidate lists, valued in every draw", "candidates_table")
    st.caption(dollars("Means over the draws. *Net of its cost*: healthy years less what the money would bring elsewhere, at "
                       f"{show(found.head['threshold']['value'], 'usd')} for a healthy year. *Best in*: share of draws in "
                       f"which the list is the "
                       "best of these. *Lost by choosing it*: net healthy years a year, against the best list of each draw. "
                       "*Delivered*: "
                       "the part of the list that the money of a draw allows."))
    files(found, "candidates", "candidates_files")
    st.header("Prices that pay, with their intervals")
    table(frames.prices(found), frames.KINDS, "Highest cost of a course that pays, by treatment", "prices_table", height=320)
    st.caption("Middle 95 % of the draws, each drug by itself. Below zero: not even a free course would pay.")
    files(found, "prices", "prices_files")


def _measure(found: Analysis) -> None:
    if len(found.tables["information"]) < 2:
        st.info("Too few draws to say what a measurement is worth: run at least 200.")
        return
    picture(charts.worth_knowing(found, "single"), "worth_single", SOURCE, "measure_first", found)
    picture(charts.worth_knowing(found, "group"), "worth_group", SOURCE, "worth_of_groups", found)
    st.caption("What a study is worth is what it could change: a number that moves the plan's health but no choice is worth "
               "nothing here.",
               help=glossary.meaning("value of information"))


# -- one number at a time ------------------------------------------------------------------------------------


def _single() -> None:
    mine, evidence = state.scenario(), cache.evidence()
    ask.ask("sensitivity", cache.analysis_key("sensitivity", [mine]), ask.work_of(evidence, sensitivity.sensitivity, mine),
            _tornado)


def _tornado(found: Analysis) -> None:
    ask.answer(found.words)
    picture(charts.tornado(found), "tornado",
            "Source: this plan, made again with one number at each end of its interval.", "tornado", found)
    files(found, "parameters", "parameters_files")
    with st.expander("How this was computed"):
        st.markdown(f"Each of {found.settings['parameters']:,} uncertain numbers is set to its low and its high end by "
                    f"itself (the interval that the evidence states, else 2.5 and 97.5 % of its distribution; numbers of one "
                    f"trial together), and the list is planned again. The bars are "
                    f"{plan_charts.PLAINLY[found.scenario.objective]} a "
                    "year, more or less than the plan's. The table beneath the picture has the 60 widest, the download all.")
