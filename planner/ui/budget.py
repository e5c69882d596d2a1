"""The page Budget: what more or less money buys, what would flip a decision, which other lists are as good."""

from __future__ import annotations

import streamlit as st

from planner.analysis import alternatives, frontier, switching
from planner.analysis.study import Analysis
from planner.report import analysis_charts as charts
from planner.report.analyses import HEADINGS
from planner.report.charts import AXIS_WORDS
from planner.report.numbers import counted, show
from planner.ui import answer, ask, cache, frames, glossary, state
from planner.ui.links import AXES
from planner.ui.widgets import dollars, files, foot, picture, plain, table

TABS = {"money": "More or less money", "flips": "What would flip a decision", "lists": "Other good lists"}
TOLERANCES = (0.005, 0.01, 0.02, 0.05, 0.1)
FIRST = 15  # rows of a long picture
SOURCE = "Source: this plan, made again at other budgets; every number in use stands on the page Evidence."


def page() -> None:
    st.title("What more or less money buys")
    plan = answer.planned("what more or less money would buy there")
    if plan is None:
        foot(None)
        return
    st.markdown(f"## {answer.plain_place(plan.document)}")
    tab = st.segmented_control("Question", list(TABS), key=state.BUDGET_TAB, format_func=TABS.get, required=True, default="money",
                               label_visibility="collapsed", persist_state="session")
    {"money": _money, "flips": _flips, "lists": _lists}[tab]()
    foot(plan.document)


# -- more or less money ------------------------------------------------------------------------------------


def _money() -> None:
    mine, evidence = state.scenario(), cache.evidence()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.segmented_control("Money for", list(AXES), key=state.BUDGET_AXIS, format_func=AXIS_WORDS.get, required=True,
                                    default=mine.frontier.axis, persist_state="session")
        musts = not mine.policy.must_fund or st.toggle("Keep my musts", value=True, key=state.BUDGET_MUSTS)
    ask.ask("frontier", cache.analysis_key("frontier", [mine], axis=axis, mandates=musts),
            ask.work_of(evidence, frontier.frontier, mine, watched=False, axis=axis, mandates=musts), _frontier)


def _frontier(found: Analysis) -> None:
    ask.answer(found.words)
    if not found.tables["points"]:
        return
    _margin(found)
    picture(charts.budget_curve(found), "budget_curve", SOURCE, "health_by_budget", found)
    _other_budget(found)
    rows = len(charts.entering_lines(found))
    every = rows > FIRST and st.session_state.get("budget_all_box", False)
    picture(charts.entries(found, rows if every else FIRST), "entries", SOURCE, "entry_budgets", found)
    if rows > FIRST:
        st.toggle(f"Show all {rows} lines", key="budget_all_box")
    st.header("What happens at which budget", help=glossary.meaning("entry budget", "frontier"))
    table(frames.events(found), frames.KINDS, "Lines that enter, are full, give way or return, by budget", "events_table",
          height=320)
    files(found, "events", "events_files")
    _how_money(found)


def _margin(found: Analysis) -> None:
    """The shadow price both ways at the scenario's budget."""
    axis = found.settings["axis"]
    limit = found.scenario.limit(axis, 0)
    before, after = frames.slopes_at(found, limit)
    measure = "healthy year" if found.settings["measure"] == "qalys" else f"unit ({charts.unit_of(found)})"
    with st.container(horizontal=True):
        st.metric(f"One {measure} more costs", _price(after), width=260, help=glossary.meaning("shadow price"))
        st.metric(f"One {measure} less saves", _price(before), width=260, help=glossary.meaning("shadow price"))
    if limit is None:
        st.caption(f"This scenario sets no limit on money for {AXIS_WORDS[axis]}: more of it changes nothing.")
    else:
        st.caption(dollars(f"Money for {AXIS_WORDS[axis]} at the {show(limit, 'usd')} a year of this scenario. Where the two "
                           f"differ, a "
                           "line begins or ends exactly there."))


def _price(slope: float | None) -> str:
    if slope is None or slope <= 0:
        return "nothing to buy" if slope is not None else "unknown"
    return show(1 / slope, "usd")


def _other_budget(found: Analysis) -> None:
    """Read another budget off the curve, and take it over."""
    axis, points = found.settings["axis"], found.tables["points"]
    limit = found.scenario.limit(axis, 0)
    end = points[-1]["budget"]
    here = min(end, limit) if limit is not None else end
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = st.number_input("And with another budget, US$ a year?", min_value=0.0, value=None,
                                step=max(1.0, round(end / 50, -3)),
                                format="%.0f", key="other_budget", placeholder=f"{here / 2:,.0f}", width=280)
        other = here / 2 if other is None else other
        st.button(dollars(f"Plan with {show(other, 'usd')}"), key="take_budget", on_click=_take, args=(axis, other))
    change = charts.value_at(found, other) - charts.value_at(found, here)
    coming, going = frames.moved(found, here, other)
    parts = [f"At **{show(other, 'usd')}**: **{show(charts.value_at(found, other), 'qalys')}** {charts.unit_of(found)} a year, "
             f"**{show(abs(change), 'qalys')}** {'more' if change >= 0 else 'less'} than at {show(here, 'usd')}."]
    for verb, names in (("in", coming), ("out", going)):
        if names:
            parts.append(f"{counted(len(names), 'line')} {'goes' if len(names) == 1 else 'go'} {verb}: {plain(_some(names))}.")
    st.markdown(dollars(" ".join(parts)))


def _take(axis: str, amount: float) -> None:
    state.set_budget(axis, float(round(amount)))


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _how_money(found: Analysis) -> None:
    with st.expander("How this was computed"):
        st.markdown(
            f"The plan is made again at every budget at which something changes: {found.settings['breakpoints']} budgets, "
            f"{found.settings['solves']} plans. Between two of them the curve is exactly a straight line, so nothing is "
            "estimated. All other limits stay as they are on the left. A line *enters* where half of the people who could be "
            "tested are, and is *full* where all of them are. A line *gives way* where the money does more good elsewhere.")


# -- what would flip a decision ------------------------------------------------------------------------------


def _flips() -> None:
    mine, evidence = state.scenario(), cache.evidence()
    ask.ask("switching", cache.analysis_key("switching", [mine]), ask.work_of(evidence, switching.switching, mine), _switching)


def _switching(found: Analysis) -> None:
    ask.answer(found.words, first=3)
    many = charts.several(found.tables["lines"])
    lines = {"|".join(charts.line_key(r)): charts.line_of(r, many) + ("" if r["in_plan"] else " (out)")
             for r in found.tables["lines"]}
    if st.session_state.get(state.FLIP_LINE) not in (None, "", *lines):
        st.session_state[state.FLIP_LINE] = ""
    chosen = st.selectbox("Line", ["", *lines], key=state.FLIP_LINE,
                          format_func=lambda i: lines.get(i, "All lines, the closest calls"),
                          width=440, help=glossary.meaning("switching value"), persist_state="session")
    line = tuple(chosen.split("|")) if chosen else None
    picture(charts.flips(found, line), "flips", "Source: this plan, made again with one number changed at a time.",
            "switching_values", found)
    table(frames.switches(found, line), frames.KINDS, "Numbers that flip a decision: today, where it flips, relative change",
          "switch_table", height=320 if line is None else "auto")
    files(found, "values", "values_files")
    _preferences(found)
    with st.expander("How this was computed"):
        st.markdown("Each number of each line is moved by itself, first to the end of its range and then by halves, and the "
                    "whole "
                    "list is planned again every time, until the value is found at which the line changes sides. A line is "
                    "*in* where "
                    f"at least half of the people who could be tested are. Costs and effects are sought up to "
                    f"{found.settings['most']:.0f} times today's. “Never” means: not within that range.")


def _preferences(found: Analysis) -> None:
    st.header("What your preferences cost")
    frame = frames.preferences(found, ask.without_ids)
    if frame.empty:
        st.write("This scenario has no musts, no lines left out and no further rules, so there is nothing to pay for.")
        return
    table(frame, frames.KINDS, "Health and money that each preference of the scenario costs", "preference_table")
    st.caption("Each is lifted by itself and everything planned again: so much health, in the measure of the plan, it costs.")
    files(found, "preferences", "preference_files")


# -- other lists -------------------------------------------------------------------------------------------


def _lists() -> None:
    mine, evidence = state.scenario(), cache.evidence()
    tolerance = st.select_slider("Lists that lose at most so much of the health", TOLERANCES, 0.02, key=state.TOLERANCE,
                                 width=440,
                                 format_func=lambda v: show(v, "share"), persist_state="session")
    ask.ask("alternatives", cache.analysis_key("alternatives", [mine], tolerance=tolerance),
            ask.work_of(evidence, alternatives.alternatives, mine, tolerance=tolerance), _alternatives)


def _alternatives(found: Analysis) -> None:
    ask.answer(found.words, first=1)
    rows = sum(r["where"] != "never" for r in found.tables["ranges"])
    every = rows > FIRST and st.session_state.get("ranges_all_box", False)
    picture(charts.ranges(found, rows if every else FIRST), "ranges", "Source: this plan and others within the tolerance.",
            "certain_lines", found)
    if rows > FIRST:
        st.toggle(f"Show all {rows} lines", key="ranges_all_box")
    st.header("The lists side by side")
    _side_by_side(found)
    with st.expander("How this was computed"):
        st.markdown("Among all plans that keep every limit and lose no more health than the tolerance, each line is tested "
                    "for as few "
                    "and for as many people as possible: that gives the bars. Then lists as different as possible from those "
                    "before "
                    f"are sought, up to {found.settings['count']} of them ({HEADINGS['alternatives'].lower()}).")


def _side_by_side(found: Analysis) -> None:
    table(frames.lists(found), frames.KINDS, "The plan and other lists: health, money, what differs", "lists_table")
    files(found, "lists", "lists_files")
    every = st.toggle("All lines, not only those that differ", key="side_all_box")
    frame = frames.side_by_side(found, every)
    if frame.empty:
        st.write("No line is tested differently in the lists.")
        return
    table(frame, dict.fromkeys(frame.columns[1:], "share"), "Share of the eligible tested, lines by lists", "side_table")
    files(found, "lines", "side_files")
