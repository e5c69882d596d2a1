"""The page Drug access: which drug would unlock most health, at which price, and whose test is missing."""

from __future__ import annotations

import streamlit as st

from planner.analysis import access
from planner.analysis.study import Analysis
from planner.report import analysis_charts as charts
from planner.report.numbers import counted, show
from planner.result.reasons import REACHABLE
from planner.ui import answer, ask, cache, frames, glossary, state
from planner.ui.widgets import dollars, files, foot, money, picture, plain, table

FIRST = 12
SOURCE = "Source: this plan, made again with one drug as reachable as it could be; drug prices on the page Evidence."


def page() -> None:
    st.title("Which drug would unlock most")
    plan = answer.planned("which drugs would unlock most health there")
    if plan is None:
        foot(None)
        return
    st.markdown(f"## {answer.plain_place(plan.document)}")
    mine = state.scenario()
    ask.ask("access", cache.analysis_key("access", [mine]), ask.work_of(cache.evidence(), access.access, mine), _access)
    foot(plan.document)


def _access(found: Analysis) -> None:
    ask.answer(found.words, first=1)
    drugs = found.tables["drugs"]
    if drugs:
        rows = sum(d["health_gained"] > 0 for d in drugs)
        every = rows > FIRST and st.session_state.get("drugs_all_box", False)
        picture(charts.unlock(found, rows if every else FIRST), "unlock", SOURCE, "drugs_unlock", found)
        if rows > FIRST:
            st.toggle(f"Show all {rows} drugs", key="drugs_all_box")
        st.header("The drugs", help=glossary.meaning("access share", "matched drug", "threshold"))
        table(frames.drugs(found), frames.KINDS, f"{counted(len(drugs), 'drug')}, most health first", "drugs_table", height=320)
        if any(d["cost_is_upper_bound"] for d in drugs):
            st.caption("Some drugs replace a treatment whose price is not known: their costs are upper bounds, so the price that "
                       "pays may be higher than shown.")
        files(found, "drugs", "drugs_files")
        _one_drug(found)
        _pairs(found)
    _untested(found)
    _closed(found)
    _how(found)


# -- one drug ----------------------------------------------------------------------------------------------


def _one_drug(found: Analysis) -> None:
    names = {d["drug"]: d["name"] for d in found.tables["drugs"]}
    st.header("One drug")
    if st.session_state.get(state.DRUG) not in (None, *names):
        st.session_state[state.DRUG] = next(iter(names))
    drug = st.selectbox("Drug", list(names), key=state.DRUG, format_func=names.get, width=440, persist_state="session")
    row = next(d for d in found.tables["drugs"] if d["drug"] == drug)
    st.markdown(dollars("\n".join(f"- {x}" for x in _points(found, row))))
    with st.container(horizontal=True):
        st.button("Plan with it reachable for everyone", key="reach_button", on_click=state.put,
                  args=(("access", "drugs", drug), 1.0), help="Takes it over as a change of the scenario, on the left.")
    picture(charts.payers(found, drug), "payers", "Source: courses of the people treated more or less, by payer, and tests; "
                                                  "prices on the page Evidence.", "drug_money", found)
    _routes(found, drug)


def _points(found: Analysis, row) -> list[str]:
    """What listing the drug would do: reach, people, health, money, price, tests."""
    name = f"**{plain(row['name'])}**"
    said = [f"{name}: **{show(row['share_today'], 'share')}** of those in need can get it today; with a listing "
            f"**{show(row['share_then'], 'share')}** could.",
            f"**{show(row['people_treated'], 'people')}** more people treated a year, **{show(row['health_gained'], 'qalys')}** "
            f"{charts.unit_of(found)} more."]
    spent = f"Drugs cost **{money(row['treatment_cost'], found.head)}** a year more"
    if abs(row["testing_cost"]) > 0.5:
        spent += f", tests {show(abs(row['testing_cost']), 'usd')} {'more' if row['testing_cost'] > 0 else 'less'}"
    said.append(f"{spent}.")
    if row["course_cost"] is not None and row["measure"] == "qalys":
        value = f"a healthy year being worth {show(found.head['threshold']['value'], 'usd')}"
        worth = f"it pays below **{show(row['price_that_pays'], 'usd')}**, {value}" if row["price_that_pays"] else \
            f"it pays with its test alone below **{show(row['price_alone'], 'usd')}**, {value}" if row["price_alone"] else \
            "no price of its own is told, since other lines give way to it" if row["displaces"] else \
            f"not even a free course would pay, {value}"
        said.append(f"A course costs **{show(row['course_cost'], 'usd')}** today; {worth}.")
    entering = [e for e in found.tables["enters"] if e["drug"] == row["drug"] and e["event"] == "enter"]
    leaving = [charts.line_of(e) for e in found.tables["enters"] if e["drug"] == row["drug"] and e["event"] == "leave"]
    lines = ", ".join(charts.line_of(e) for e in entering)
    said.append(f"Tests that then enter the list: {plain(lines)}." if entering else
                "No further test enters the list: its test is in already, or stays out for another reason.")
    if row["note"]:
        said.append(f"{frames.capital(row['note'])}.")
    if leaving:
        said.append(f"Tests that give way: {plain(', '.join(leaving))}.")
    return said


def _routes(found: Analysis, drug: str) -> None:
    frame = frames.routes(found, drug)
    if frame.empty:
        return
    st.markdown("**Drug without test, test without drug**")
    table(frame, frames.KINDS, "The same people with test and drug, drug alone, test alone", "routes_table",
          {"Line and treatment": st.column_config.Column(pinned=True, width=238)})
    st.caption("The same people three ways, each against today's treatment without the test. *Drug without test*: everybody "
               "at this decision gets it, whether the drug can help them or not. *Test without drug*: what the result "
               "brings with the other drugs alone; where there is none, nothing.")
    files(found, "routes", "routes_files")


# -- pairs, and the reverse list -----------------------------------------------------------------------------


def _pairs(found: Analysis) -> None:
    frame = frames.pairs(found, ask.without_ids)
    if frame.empty:
        return
    st.header("Drugs that help more together")
    table(frame, frames.KINDS, "Pairs of drugs that bring more together than apart", "pairs_table")
    files(found, "pairs", "pairs_files")


def _untested(found: Analysis) -> None:
    """Drugs that are paid for and whose test is missing."""
    st.header("The drug is there, the test is missing")
    frame = frames.untested(found, ask.without_ids)
    if frame.empty:
        st.write("Every line whose drug can be got is tested in full.")
        return
    most = frame[frame["Can get the drug"] >= REACHABLE]
    first = most.iloc[0] if len(most) else frame.iloc[0]
    st.markdown(dollars(f"For **{counted(len(frame), 'line')}** the drug can be got and the test is not funded in full. Most "
                        f"would come "
                        f"from **{plain(first['Line'])}**: {show(first['Healthy years'], 'qalys')} healthy years a year for "
                        f"{show(first['Tests, US$ a year'], 'usd')} of tests."))
    table(frame, frames.KINDS, "Lines whose drug can be got and whose test is not funded in full", "untested_table", height=320)
    st.caption("Healthy years and money as if all who can be tested were. “Get it untested”: share given the drug without a "
               "test today.")
    files(found, "untested", "untested_files")


def _closed(found: Analysis) -> None:
    """Drugs without a row above, and why."""
    frame = frames.closed(found)
    if not frame.empty:
        with st.expander(f"Not opened here: {counted(len(frame), 'line')} of drugs that not everybody can get"):
            table(frame, frames.KINDS, "Drugs that not everybody can get and that better access alone would not open",
                  "closed_table", height=320 if len(frame) > 8 else "auto")
            files(found, "closed", "closed_files")


def _how(found: Analysis) -> None:
    with st.expander("How this was computed"):
        st.markdown(dollars(
            "Each drug that not everyone can get is made as reachable as it could be, alone and in pairs, and the whole list is "
            "planned again under the same limits. Health counts everybody, also those who then get the drug without a test. The "
            "*price that pays* is the highest cost of a course at which all that the listing sets in motion, tests and follow-up "
            f"included, costs no more than {show(found.head['threshold']['value'], 'usd')} for a healthy year."))
