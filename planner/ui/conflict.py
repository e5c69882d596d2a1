"""Limits that contradict each other: by name, have and need, one button for each smallest change."""

from __future__ import annotations

import re

import streamlit as st

from planner.optimise.conflicts import WORDS
from planner.report.numbers import show
from planner.scenario.model import Scenario
from planner.ui import state
from planner.ui.widgets import dollars, line_words, plain

AXES = {WORDS[f"budget_{axis}"]: axis for axis in ("testing", "treatment", "total")}
RAISE = re.compile(r"raise it by ([\d,]+)")


def conflict(mine: Scenario, found) -> None:
    """What contradicts, and the ways out."""
    lines = "\n".join(f"- **{plain(i.where[0].upper() + i.where[1:])}**: {plain(i.what)}." for i in found)
    st.error(dollars(f"**These limits cannot all hold**\n\n{lines}"), icon=":material/error:")
    st.markdown("**Any one of these makes it possible:**")
    with st.container(horizontal=True):
        for issue in found:
            axis, more = AXES.get(issue.where), RAISE.search(issue.remedy)
            limit = getattr(mine.budget, axis) if axis else None
            if more and isinstance(limit, int | float):
                need = limit + float(more.group(1).replace(",", "")) + 1  # the message is in whole dollars
                st.button(dollars(f"Raise {issue.where} to {show(need, 'usd')}"), key=f"raise_{axis}",
                          on_click=state.set_budget, args=(axis, need))
        for item in mine.policy.must_fund:
            st.button(f"{plain(line_words(item))} need not be funded", key=f"free_{item}",
                      on_click=state.listed, args=(("policy", "must_fund"), item, False))
        if mine.budget.basis == "additional":
            st.button("Count all money, not only what is added", key="basis_all", on_click=state.put,
                      args=(("budget", "basis"), "all"))
