"""The page Strategies: all ways of testing for one cancer side by side, and where one overtakes another."""

from __future__ import annotations

import streamlit as st

from planner.analysis import strategies
from planner.analysis.study import Analysis
from planner.errors import PlannerError
from planner.report import strategy_charts as charts
from planner.report.numbers import counted, show
from planner.ui import answer, ask, cache, glossary, state, strategy_frames
from planner.ui.widgets import dollars, files, foot, issues, picture, plain, table

FIRST_TO_SHOW = "breast_early"
SOURCE = "Source: everybody who can be reached tested each way, no limit on money; prices and accuracy on the page Evidence."
AT_HOME = "Source: instruments, runs, reagents and labour of the laboratory by its parts; prices elsewhere with transport."


def page() -> None:
    st.title("Which way of testing for one cancer")
    mine = state.scenario()
    if mine is None:
        st.markdown("Choose a country, here or on the left (on a phone: » at the top), to see which ways of testing there are "
                    "for a cancer, what each costs and what it brings.")
        answer.doors()
    elif mine.setting.regions:
        st.info("Ways to test are compared for one place: choose the whole country or one region on the left.",
                icon=":material/info:")
    else:
        _asked(mine)
    foot(None)


def _asked(mine) -> None:
    try:
        found = cache.testable(mine, state.is_private())
    except PlannerError as error:
        issues(error.issues, "This cannot be compared yet")
        return
    if not found:
        st.info("Nobody here comes to a treatment decision for which something can be tested. The page Plan says what is missing "
                "for each line.", icon=":material/info:")
        return
    if st.session_state.get(state.INDICATION) not in found:
        st.session_state[state.INDICATION] = FIRST_TO_SHOW if FIRST_TO_SHOW in found else next(iter(found))
    chosen = st.selectbox("Cancer and treatment decision", list(found), key=state.INDICATION, width=560, persist_state="session",
                          format_func=lambda i: f"{found[i][0]} ({show(found[i][1], 'people')} people a year)")
    work = ask.work_of(cache.evidence(), _of_indication, mine, chosen)
    ask.ask("strategies", cache.analysis_key("strategies", [mine], indication=chosen), work, _answered)


def _of_indication(mine, chosen: str, evidence, progress) -> Analysis:
    return strategies.strategies(mine, evidence, chosen, progress)


def _answered(found: Analysis) -> None:
    ask.answer(found.words, first=1)
    picture(charts.plane(found), "plane", SOURCE, "ways_to_test", found)
    _steps(found)
    st.header("All ways, side by side", help=glossary.meaning("sensitivity, specificity", "turnaround", "ICER"))
    frame = strategy_frames.strategies(found)
    table(frame, strategy_frames.KINDS, f"{counted(len(frame), 'way')} to test, those on the frontier first", "strategies_table",
          {"Beside the others": st.column_config.Column(width=220),
           "Missed": st.column_config.Column(help="People a year with the finding whose test does not show it"),
           "In time": st.column_config.Column(help="Results that come before treatment must begin"),
           "In all, US$": st.column_config.Column(help="Tests and treatment, US dollars a year"),
           "US$ per QALY": st.column_config.Column(help="Against the way before it on the frontier")}, height=320)
    if st.toggle("More columns", key="more_strategies_box"):
        table(strategy_frames.more_of_strategies(found), strategy_frames.KINDS, "Further columns of the ways to test",
              "more_strategies_table", height=320)
        st.caption(f"“It”: {plain(found.tables['strategies'][0]['reference'])}. Found, wrong and treated: people a year.")
    files(found, "strategies", "strategies_files")
    st.header("The details")
    _by_biomarker(found)
    _by_number(found)
    _by_volume(found)
    _how(found)


def _steps(found: Analysis) -> None:
    """The frontier in words: each step with what a healthy year more costs."""
    lines = []
    for n, r in enumerate(charts.frontier_rows(found), 1):
        cost = f", {show(r['cost_per_patient'], 'usd')} per patient" if r["cost_per_patient"] else ""
        step = f": {show(r['icer'], 'usd')} for a healthy year more than the one before" if r["icer"] is not None else ""
        best = " **(best at the value used here)**" if r["best_at_threshold"] else ""
        lines.append(f"{n}. {plain(charts.capital(r['strategy']))}{cost}{step}{best}")
    st.markdown(dollars("\n".join(lines)))


def _by_biomarker(found: Analysis) -> None:
    told = {r["strategy"] for r in found.tables["biomarkers"]}
    names = [r["strategy"] for r in [*charts.frontier_rows(found)[::-1], *found.tables["strategies"]] if r["strategy"] in told]
    names = list(dict.fromkeys(names))
    if not names:
        return
    st.markdown("**By biomarker**")
    best = next((r["strategy"] for r in found.tables["strategies"] if r["best_at_threshold"]), None)
    if st.session_state.get(state.STRATEGY) not in names:
        st.session_state[state.STRATEGY] = best if best in names else names[0]
    chosen = st.selectbox("Way to test", names, key=state.STRATEGY, format_func=charts.capital, width=560,
                          persist_state="session")
    table(strategy_frames.biomarkers(found, chosen), strategy_frames.KINDS, f"{charts.capital(chosen)}: what it tells of each "
          "biomarker", "biomarkers_table")
    st.caption("Asked, found, missed, wrong: people a year. In time and usable: shares of the samples.")
    files(found, "biomarkers", "biomarkers_files")


def _by_number(found: Analysis) -> None:
    panels = charts.panels(found)
    if not panels:
        st.caption("No panel here answers more than one of these biomarkers.")
        return
    st.markdown("**A panel, or single tests?**")
    if st.session_state.get(state.PANEL) not in panels:
        st.session_state[state.PANEL] = next(iter(panels))
    chosen = st.selectbox("Panel", list(panels), key=state.PANEL, format_func=panels.get, width=560, persist_state="session")
    names = {r["biomarker_id"]: r["short_name"] for r in cache.evidence().records("biomarkers")}
    picture(charts.by_number(found, chosen, lambda b: names.get(b, b)), "by_number",
            "Source: prices of tests in use here, on the page Evidence.", "panel_or_single_tests", found)


def _by_volume(found: Analysis) -> None:
    st.markdown("**At home, or elsewhere?**")
    by_parts = found.settings["costing"] == "micro"
    st.session_state["costing_box"] = state.scenario().laboratory.costing == "micro"
    if not by_parts:
        st.write("Tests are counted at their tariffs here, the same at every volume. To see from which yearly volume an own "
                 "laboratory is cheaper, switch on:")
    st.toggle("Cost the laboratory by its parts", key="costing_box", on_change=_costing,
              help="Instruments, runs, reagents, labour and fees of the laboratory at home, instead of a price for each test. "
                   "It changes the plan too, and planning then takes some seconds.")
    if not by_parts:
        return
    tests = charts.tests_by_volume(found)
    if not tests:
        st.write("None of these tests can be run at home and has a price elsewhere to compare with.")
        return
    if st.session_state.get(state.ASSAY) not in tests:
        st.session_state[state.ASSAY] = next(iter(tests))
    chosen = st.selectbox("Test", list(tests), key=state.ASSAY, format_func=tests.get, width=560, persist_state="session")
    picture(charts.by_volume(found, chosen), "by_volume", AT_HOME, "cost_by_volume", found)
    files(found, "by_volume", "by_volume_files")


def _costing() -> None:
    state.cost_by_parts(st.session_state["costing_box"])


def _how(found: Analysis) -> None:
    with st.expander("How this was computed"):
        st.markdown(dollars(
            "Each way tests everybody who can be reached, by the same chain as the plan: samples that fail, results too late, "
            "sensitivity and specificity, drugs as reachable as they are. Budgets and musts do not bear on it. A way is *on the "
            "frontier* where no other way, and no mixture of two, brings more for the same money; its US$ per QALY is against "
            "the one before it. The best is the one with most healthy years once its cost is counted at "
            f"{show(found.head['threshold']['value'], 'usd')} for a healthy year. Formulas: docs/method.md."))
