"""The laboratory part of a plan: instruments, people, tests at home, what binds, how the search ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from planner.report.laboratory_tables import binds, decided, summary
from planner.report.numbers import counted
from planner.ui import strategy_frames
from planner.ui.widgets import csv_button, dollars, plain, table

USED = st.column_config.ProgressColumn("Used", format="%.0f %%", min_value=0, max_value=100,
                                       help="Runs done, of all that the instruments can do")


def section(document: Mapping[str, Any]) -> None:
    """What the list asks of laboratories."""
    st.header("Laboratory")
    points = [f"- {plain(text)}" for text in [*summary(document), binds(document)] if text]
    st.markdown(dollars("\n".join(points)))
    rows, by_parts = document["laboratory"], decided(document)
    if rows:
        instruments(rows, "plan")
        if not by_parts:
            st.caption("With tests at their tariffs these are the instruments that the tests need at least, each test in full "
                       "runs on the largest; whoever is paid the tariff has them, and their cost is in the tariff.")
        csv_button(strategy_frames.instruments(rows), "instruments", "instruments_csv")
    if document["home_tests"]:
        frame = strategy_frames.home_tests(document)
        st.markdown("**Tests at home**")
        table(frame, strategy_frames.KINDS, f"{counted(len(frame), 'test')} run at home", "home_tests_table",
              {"Runs": st.column_config.Column(width=140)}, height=320)
        csv_button(frame, "tests_at_home", "home_tests_csv")
    if document["staff"]:
        people(document["staff"], "plan")
        csv_button(strategy_frames.people(document["staff"]), "people", "people_csv")


def instruments(rows: Sequence[Mapping[str, Any]], key: str) -> None:
    """Instruments with their use as bars."""
    st.markdown("**Instruments**")
    if not rows:
        st.write("No instrument: every sample is sent elsewhere.")
        return
    table(strategy_frames.instruments(rows), strategy_frames.KINDS, f"{counted(len(rows), 'instrument')} with their use",
          f"instruments_{key}", {"Used, %": USED})


def people(rows: Sequence[Mapping[str, Any]], key: str) -> None:
    """Minutes of people as full-time people."""
    st.markdown("**People**")
    if not rows:
        st.write("No time of the laboratory's own people.")
        return
    table(strategy_frames.people(rows), strategy_frames.KINDS, "Minutes and full-time people by cadre", f"people_{key}")
