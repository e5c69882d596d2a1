"""The page Start: three doors, each to a question and to a worked example of a real place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from planner.ui import answer, cache, changes, links, state
from planner.ui.widgets import foot, plain

PAGES = "planner/ui/pages/{}.py"
HOW = (
    "**People**: new cases of each cancer, stage by stage, and how many of them reach a laboratory.",
    "**Tests**: what each test finds, misses and costs, how long it takes, and how many samples fail.",
    "**Drugs**: who can get the matched drug here, what it costs, and what trials say it brings.",
    "**The list**: of all ways to spend the money, the one that brings most health, by linear optimisation.",
    "**Why**: for every line in and out the reason, with each number's source, grade, and where it is borrowed from.",
)
NOT = (
    "It plans lists and budgets. It never says what is right for one patient.",
    "Where a place has no numbers of its own, the nearest ones are borrowed, and it says so. A better local number changes "
    "the plan, and should.",
    "It shows a steady year, not the road there: buying, training and accreditation take time.",
)


@dataclass(frozen=True)
class Door:
    """Who comes in, what they want to know: for a place of their own, and for a worked example."""

    key: str
    who: str
    icon: str
    asks: str
    own: tuple[tuple[str, str], ...]  # question, page
    example: str
    shows: str
    there: str
    opens: Callable[[], None]


def _ministry() -> None:
    state.open_shipped("kenya")


def _proposal() -> None:
    state.open_shipped("kenya")
    st.session_state[state.REPORT_TAB] = "proposal"
    st.session_state[state.SUBJECT], st.session_state[state.COUNTRIES] = "biomarker:her2", ["KEN", "UGA", "TZA"]
    st.session_state[state.WANTED] = True


def _hospital() -> None:
    state.open_shipped("hospital_kenya")


DOORS = (
    Door("ministry", "I plan for a country or a region", ":material/account_balance:",
         "Which tests first, for the money there is, and what does it cost to insist on one?",
         (("Which list, in which order?", "plan"), ("What does more money buy, what does a wish cost?", "budget"),
          ("How sure is the list?", "uncertainty")),
         "Kenya’s first national list", "a list under a budget for tests, line by line, each with its reason.", "plan",
         _ministry),
    Door("ngo", "I prepare an access proposal", ":material/volunteer_activism:",
         "Which drug or price unlocks most health, for how many people, and who would pay?",
         (("Which drug would unlock most?", "drug_access"), ("A proposal for a drug or a biomarker", "report")),
         "HER2 testing with its drugs in Kenya, Uganda and Tanzania",
         "need, courses, tests, money and who pays, country by country, as a document.", "report", _proposal),
    Door("hospital", "I run a hospital or its laboratory", ":material/local_hospital:",
         "Single tests or a panel, in our house or sent out, with which instruments and people?",
         (("In our house or sent out?", "hospital"), ("Which way of testing for one cancer?", "strategies")),
         "A hospital of 600 beds in Kenya", "its cases, instruments and staff, and what to run itself.", "hospital", _hospital),
)


def page() -> None:
    st.title("Which cancer biomarkers to test first")
    st.markdown("A test helps where its drug is there, and a drug where its test is. This planner weighs both, with the people, "
                "the money and the evidence, and tells **which biomarkers a place should test, in which order, and why**.")
    mine = state.scenario()
    if mine is None:
        answer.choose_place()
    else:
        _go_on(mine)
    st.header("Who are you, and what do you want to know?")
    for column, door in zip(st.columns(len(DOORS), gap="medium"), DOORS, strict=True):
        with column, st.container(border=True, height="stretch"):
            _door(door, mine is not None)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("How it works")
        st.markdown("\n".join(f"{n}. {words}" for n, words in enumerate(HOW, 1)))
    with right:
        st.header("What it is not")
        st.markdown("\n".join(f"- {words}" for words in NOT))
        st.page_link(PAGES.format("method"), label="Method, checks, and how to cite", icon=":material/functions:")
    foot(None)


def _go_on(mine) -> None:
    """What is open already."""
    changed = changes.differences(mine)
    said = f" with {len(changed)} {'change' if len(changed) == 1 else 'changes'}" if changed else ""
    place = links.place_name(cache.evidence(), mine.setting.model_dump())
    st.markdown(f"Open now: **{plain(mine.name)}**{'' if mine.name == place else f' ({plain(place)})'}{said}. The doors below "
                "lead to it; the worked examples open another place, and **Undo** on the left brings yours back.")


def _door(door: Door, placed: bool) -> None:
    st.markdown(f"### {door.icon} {door.who}")
    st.markdown(door.asks)
    if placed:
        st.markdown("**For the place that is open**")
        for question, name in door.own:
            st.page_link(PAGES.format(name), label=question, icon=":material/arrow_forward:")
    st.markdown(f"**Worked example**: {door.shows}")
    if st.button(door.example, key=f"door_{door.key}", type="secondary" if placed else "primary", width="stretch"):
        door.opens()
        st.switch_page(PAGES.format(door.there))
