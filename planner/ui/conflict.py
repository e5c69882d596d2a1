"""Limits that contradict each other: by name, have and need, one button for each smallest change."""

from __future__ import annotations

import math

import streamlit as st

from planner.errors import Issue, PlannerError
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.scenario.describe import usd
from planner.scenario.model import Scenario
from planner.ui import cache, changes, state
from planner.ui.widgets import dollars, line_words, plain
from planner.ui.words import ended


def conflict(mine: Scenario, found) -> None:
    """What contradicts, and the ways out that the planner has proven."""
    lines = "\n".join(f"- **{plain(i.where[0].upper() + i.where[1:])}**: {_said(mine, i)}" for i in found)
    st.error(dollars(f"**These limits cannot all hold**\n\n{lines}"), icon=":material/error:")
    raised = [i for i in found if i.axis and i.need is not None and not isinstance(getattr(mine.budget, i.axis), tuple)]
    if raised:
        st.markdown("**Any one of these makes it possible:**" if len(raised) > 1 else "**This makes it possible:**")
        with st.container(horizontal=True):
            for issue in raised:
                need = float(math.ceil(issue.need + 1))  # a dollar above what the solver's rounding needs
                st.button(dollars(f"Raise {issue.where} to {usd(need)} a year"), key=f"raise_{issue.axis}",
                          on_click=state.set_budget, args=(issue.axis, need))
    elif found:
        st.markdown("\n".join(f"- {plain(_way_out(i))}" for i in found if i.remedy))
    key, musts = cache.digest(mine), mine.policy.must_fund
    enough = [item for item in musts if _enough(key, mine, (item,))]
    every = not enough and len(musts) > 1 and _enough(key, mine, musts)
    if enough or every:
        st.markdown("**Or ask for less:**" if raised else "**Asking for less makes it possible:**")
        with st.container(horizontal=True):
            for item in enough:
                st.button(f"{plain(line_words(item))} need not be funded", key=f"free_{item}",
                          on_click=state.listed, args=(("policy", "must_fund"), item, False))
            if every:
                st.button("No line must be funded", key="free_all", on_click=state.put,
                          args=(("policy", "must_fund"), []))


@st.cache_data(max_entries=100, show_spinner=False, scope="session")
def _enough(digest: str, _mine: Scenario, items: tuple[str, ...]) -> bool:
    """Whether the limits can hold once these lines need not be funded."""
    try:
        less = changes.put(_mine, ("policy", "must_fund"), [x for x in _mine.policy.must_fund if x not in items])
        Engine(build_problem(cache.evidence(), less), less).optimum()
    except PlannerError:
        return False
    return True


def _said(mine: Scenario, issue: Issue) -> str:
    """Have and need in the planner's own amounts."""
    if issue.have is None or issue.need is None:
        what = issue.what
        for item in mine.policy.must_fund:
            what = what.replace(item, line_words(item))
        return plain(ended(what))
    if not issue.axis:
        return plain(f"there is {issue.have:,.0f} {issue.unit}, what must be funded needs {issue.need:,.0f} {issue.unit}.")
    typed = getattr(mine.budget, issue.axis)
    have = usd(typed) if isinstance(typed, int | float) else usd(round(issue.have))
    _, _, spent = issue.what.partition("for what is mandated, ")
    return plain(f"you set {have} a year; what must be funded needs {usd(math.ceil(issue.need))}"
                 + (f" ({spent})." if spent else "."))


def _way_out(issue: Issue) -> str:
    remedy = issue.remedy.replace("policy.must_fund", "the list of musts").replace(
        "coverage.ramp_per_year", "the growth allowed in a year")
    return ended(remedy[:1].upper() + remedy[1:])
