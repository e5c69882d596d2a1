"""The page Hospital: what to run in the house and what to send out, by the hospital's own yearly cases."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import streamlit as st

from planner.analysis import whole_laboratory
from planner.analysis.study import Analysis
from planner.analysis.whole_laboratory import PLAN
from planner.errors import PlannerError
from planner.evidence.own_sheets import MOST_CASES
from planner.pathway.laboratories import CADRES, TIERS
from planner.report import strategy_charts as charts
from planner.report.laboratory_tables import CADRE_WORDS
from planner.report.numbers import counted, show
from planner.scenario.model import Scenario
from planner.ui import answer, ask, cache, glossary, laboratory, state, strategy_frames
from planner.ui.widgets import dollars, files, foot, issues, picture, plain, table

EXAMPLE, EXAMPLE_WORDS = "hospital_kenya", "A hospital of 600 beds in Kenya"
ONE_IN, OUR_NAME = 20, "Our hospital"
NAME_BOX, ONE_IN_BOX, WAY_BOX, ALL_TESTS_BOX = "hospital_name_box", "one_in_box", "laboratory_way_box", "all_tests_box"
FIRST_TESTS = 10
SOURCE = "Source: this hospital's cases, planned again each way; prices and instruments on the page Evidence."
DECISION, PEOPLE = "Cancer and treatment decision", "People a year"


def page() -> None:
    st.title("What to run in the hospital, what to send out")
    mine = state.scenario()
    if mine is None:
        st.markdown("Choose a country, here or on the left (on a phone: » at the top), and state your hospital's cases; or look "
                    "at an example.")
        answer.doors()
        _example()
    elif mine.setting.regions:
        st.info("A hospital stands in one place: choose the whole country or one region on the left.", icon=":material/info:")
    elif not mine.setting.hospital:
        _begin(mine)
    else:
        _hospital(mine)
    foot(None)


def _example() -> None:
    st.button(EXAMPLE_WORDS, key="hospital_example", icon=":material/local_hospital:", on_click=state.open_shipped,
              args=(EXAMPLE,), help="A worked example, with cases to be replaced by your own.")


# -- from a country to a hospital --------------------------------------------------------------------------


def _begin(mine: Scenario) -> None:
    """A country is planned: what is needed to plan a hospital in it."""
    st.markdown("A country is open on the left. A hospital is planned by **its own patients**: how many people a year stand at "
                "each treatment decision in its care. Begin in one of three ways; every number can be changed afterwards.")
    name = st.text_input("Name of the hospital", OUR_NAME, max_chars=80, key=NAME_BOX, width=420, persist_state="session")
    name = " ".join((name or OUR_NAME).split()) or OUR_NAME
    one, two, three = st.columns(3, gap="medium")
    with one:
        st.markdown("**With a made-up example**")
        share = st.number_input("Take one in so many of the country's patients", 1, 100_000, ONE_IN, key=ONE_IN_BOX,
                                persist_state="session")
        st.button("Start with this example", key="begin_example", on_click=_scaled, args=(name, int(share)), type="primary")
        st.caption("An example only, until you replace its numbers by your own counts.")
    with two:
        st.markdown("**With your own workbook**")
        st.file_uploader("Workbook with the sheet “cases” (.xlsx)", type=["xlsx"], key=state.CASES_UPLOAD,
                         max_upload_size=state.MAX_UPLOAD_MB, on_change=state.open_cases, args=(name,),
                         help="The command “template” writes it. It stays in this session and never goes into an address. Put no "
                              "data of single patients into it.")
        if st.session_state.get(state.CASES_FAULTS):
            issues(st.session_state[state.CASES_FAULTS], "The workbook could not be taken over")
    with three:
        st.markdown("**With a worked example**")
        _example()


def _scaled(name: str, one_in: int) -> None:
    """One in so many of the place's people, those with something to test and at least one a year."""
    try:
        found = cache.testable(state.scenario(), state.is_private())
    except PlannerError as error:
        st.session_state[state.FAULTS] = error.issues
        return
    cases = {i: float(round(eligible / one_in)) for i, (_, eligible) in found.items() if round(eligible / one_in) >= 1}
    if cases:
        state.become_hospital(name, cases)
    else:
        st.session_state[state.WORDS] = [f"One in {one_in:,} of the people here is less than one a year at every decision: "
                                         "take a larger part."]


# -- the hospital ----------------------------------------------------------------------------------------------


def _hospital(mine: Scenario) -> None:
    st.markdown(f"## {plain(mine.setting.hospital)}")
    if not state.own_cases(mine):
        st.caption("The cases are those of the example, to be replaced by your own.")
    _form(mine)
    key = cache.analysis_key("laboratory", [mine])
    found = ask.ask("laboratory", key, _work(mine), _answered, begin=False)
    if found is None and cache.board().job("laboratory") is None and "laboratory" not in cache.board().shown:
        st.info("Nothing has been compared yet. State the cases and press the button: the hospital is planned again and again, "
                "everything at home, everything elsewhere, and in between. It takes some seconds to a few minutes; other pages "
                "stay open to you meanwhile.", icon=":material/local_hospital:")


def _work(mine: Scenario):
    return ask.work_of(cache.evidence(), whole_laboratory.whole_laboratory, mine)


def _form(mine: Scenario) -> None:
    """What the hospital states; sent with the button, so that nothing is computed while numbers are typed."""
    drawn_for = _form_key(mine)
    with st.form("hospital_form"):
        st.markdown("**Your cases**", help=glossary.meaning("hospital's cases", "eligible patients"))
        edited = st.data_editor(
            cases_frame(mine), key=f"cases_{drawn_for}", hide_index=True, height=300, disabled=[DECISION],
            column_config={DECISION: st.column_config.TextColumn(width=215), PEOPLE: st.column_config.NumberColumn(
                min_value=0, max_value=MOST_CASES, width=90, help="People a year who stand at this decision in its care")})
        with st.container(horizontal=True):
            testing = st.number_input("Money for tests, US$ a year", min_value=0.0, value=_single(mine.budget.testing),
                                      step=1000.0, format="%.0f", placeholder="no limit", key=f"testing_{drawn_for}", width=230)
            tier = st.selectbox("Tier of the laboratory", [None, *TIERS], [None, *TIERS].index(mine.laboratory.tier),
                                format_func=lambda t: t or "as the evidence says", key=f"tier_{drawn_for}", width=230,
                                help="What a laboratory of its kind can run: from district to reference laboratory.")
        with st.expander("Instruments there already"), st.container(horizontal=True):
            there = {p["platform_id"]: st.number_input(p["name"], 0, 1000, mine.laboratory.instruments.get(p["platform_id"], 0),
                                                       key=f"{p['platform_id']}_{drawn_for}", width=250) for p in _platforms()}
        with st.expander("Time of people, where it is limited"), st.container(horizontal=True):
            minutes = {f"{c}_minutes": st.number_input(
                f"{CADRE_WORDS[c]}, minutes a year", min_value=0.0, value=getattr(mine.laboratory, f"{c}_minutes"), step=1000.0,
                format="%.0f", placeholder="no limit", key=f"{c}_{drawn_for}", width=250) for c in CADRES}
            st.caption("A full-time person has about 105,600 minutes a year.")
        pressed = st.form_submit_button("Compare ways to run the laboratory", type="primary", icon=":material/compare_arrows:")
    if pressed:
        settings = {"tier": tier, "instruments": {p: int(n) for p, n in there.items() if n}, **minutes}
        compare({str(i): n for i, n in edited[PEOPLE].items()}, settings, testing)


def _single(limit) -> float | None:
    return float(limit) if isinstance(limit, int | float) else None


def _form_key(mine: Scenario) -> str:
    """What the form shows: where it changes, the fields are drawn anew with the scenario's values."""
    data = mine.model_dump(mode="json", include={"cases", "laboratory", "setting"}) | {"testing": mine.budget.testing}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]


def cases_frame(mine: Scenario) -> pd.DataFrame:
    """Every indication with the hospital's people a year, those that are stated first."""
    names = {r["indication_id"]: r["name"] for r in cache.evidence().records("indications")}
    order = sorted(names, key=lambda i: (-mine.cases.get(i, 0.0), names[i]))
    return pd.DataFrame({DECISION: [names[i] for i in order], PEOPLE: [float(mine.cases.get(i, 0.0)) for i in order]},
                        index=order)


def _platforms() -> list[dict]:
    rows = [r for r in cache.evidence().records("platforms") if r["kind"] != "send_out"]
    return sorted(rows, key=lambda r: r["name"])


def compare(cases: dict[str, float], settings: dict, testing: float | None) -> None:
    """Take the form over and begin the comparison beside the page."""
    cases = {i: float(n) for i, n in cases.items() if n is not None and n == n and n > 0}
    if not cases:
        st.error("State at least one case: a hospital without patients has nothing to test.", icon=":material/error:")
        return
    state.take_laboratory(cases, settings, testing)
    if not state.faults():
        mine = state.scenario()
        key = cache.analysis_key("laboratory", [mine])
        if cache.results(state.is_private()).get(key) is None:
            ask.start("laboratory", key, _work(mine))
    st.rerun()


# -- the answer ------------------------------------------------------------------------------------------------


def _answered(found: Analysis) -> None:
    ask.answer(found.words, first=2)
    _run_or_send(found)
    _ways(found)
    if found.tables["break_even"]:
        st.header("From which volume at home")
        picture(charts.own_volumes(found), "own_volumes", SOURCE, "break_even_volumes", found)
        table(strategy_frames.break_even(found), strategy_frames.KINDS, "Volumes from which each test is cheaper at home",
              "break_even_table", height=320)
        st.caption("Each test by itself in the laboratory: instruments that it shares with others are counted in full. “At most "
                   "here”: samples a year if everybody were tested.")
        files(found, "break_even", "break_even_files")
    if found.tables["volumes"]:
        st.header("At half and at twice the volume")
        picture(charts.other_volumes(found), "other_volumes", SOURCE, "other_volumes", found)
        table(strategy_frames.volumes(found), strategy_frames.KINDS, "The hospital at other volumes", "volumes_table")
        files(found, "volumes", "volumes_files")
    _how(found)


def _run_or_send(found: Analysis) -> None:
    ways = list(dict.fromkeys(r["strategy"] for r in found.tables["tests"]))
    st.header("Run in-house, or send out")
    if not ways:
        st.write("Under these limits nothing is tested. More money for tests, or more cases, would change that.")
        return
    if st.session_state.get(WAY_BOX) not in ways:
        st.session_state[WAY_BOX] = PLAN if PLAN in ways else ways[0]
    way = st.selectbox("Way to run the laboratory", ways, key=WAY_BOX, format_func=charts.capital, width=420,
                       persist_state="session")
    rows = len(strategy_frames.of_way(found, "tests", way))
    every = rows > FIRST_TESTS and st.session_state.get(ALL_TESTS_BOX, False)
    picture(charts.home_or_sent(found, way, rows if every else FIRST_TESTS), "home_or_sent", SOURCE, "home_or_sent", found)
    if rows > FIRST_TESTS:
        st.toggle(f"Show all {rows} tests", key=ALL_TESTS_BOX)
    table(strategy_frames.run_or_send(found, way), strategy_frames.KINDS, f"{counted(rows, 'test')}: run at home or sent",
          "tests_table", {"Runs": st.column_config.Column(width=140)}, height=320)
    st.caption("US dollars a sample. “On average” carries its share of instruments, runs and fees; “one more” is what another "
               "sample would add. A test may be run at home although it costs more there: its result comes sooner, and fewer "
               "patients are treated before it. A test that stands twice is run at home in one pathway and sent in another.")
    files(found, "tests", "tests_files")
    laboratory.instruments(strategy_frames.of_way(found, "platforms", way), "way")
    laboratory.people(strategy_frames.of_way(found, "staff", way), "way")


def _ways(found: Analysis) -> None:
    st.header("Ways to run the laboratory, side by side")
    picture(charts.ways(found), "ways", SOURCE, "ways_to_run_the_laboratory", found)
    frame = strategy_frames.ways(found)
    table(frame, strategy_frames.KINDS, f"{counted(len(frame), 'way')} to run the laboratory", "ways_table",
          {"Fixed, US$": st.column_config.Column(help="Part of the cost at home that does not grow with each sample"),
           "Margin, US$": st.column_config.Column(help="What the laboratory would keep if it were paid the price elsewhere"),
           "At home": st.column_config.Column(help="Samples a year run at home")})
    files(found, "strategies", "ways_files")


def _how(found: Analysis) -> None:
    with st.expander("How this was computed"):
        gaps = [r["gap"] for r in found.tables["strategies"] if r["gap"] is not None]
        st.markdown(dollars(
            "Each way is the whole plan made again with some services forbidden, under the same limits. At home a test costs its "
            "instruments (price, set-up, service over their life), runs, reagents, labour and fees, all indications together; "
            "elsewhere its price with transport. Whole instruments and whole runs are searched for: "
            f"to within {show(max(gaps, default=0.0), 'share')} of the most health that is possible. Other volumes halve and "
            "double cases and money alike. Formulas: docs/method.md."))
