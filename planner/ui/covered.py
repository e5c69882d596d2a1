"""Evidence, "What the evidence covers": heat map of lines by UN region, the weakest numbers, what to collect first."""

from __future__ import annotations

import streamlit as st

from planner.pathway import coverage
from planner.pathway.coverage import Survey
from planner.pathway.rests_on import LINKS
from planner.report import evidence_charts
from planner.report.evidence_words import line_names, names, weak_table
from planner.report.names import briefly
from planner.report.numbers import counted
from planner.ui import cache, glossary, state
from planner.ui.widgets import csv_button, dollars, picture, table

WHAT = {"grade": "By grade", "near": "By where from"}
MOVES = {"health": "Health", "money": "What money buys"}
WHERE_BOX, WHAT_BOX, MOVES_BOX = "weak_where", "heat_what", "weak_moves"
EVERYWHERE = "all 185 countries"
MOST = 40
SOURCE = "Source: all numbers of the evidence, resolved for each of the 185 countries of GLOBOCAN 2022."
KINDS = {"People a year": "people", "Weight, per 1,000": "ratio"}


@st.cache_resource(max_entries=1, show_spinner="Reading what the plans of 185 countries rest on…")
def survey(digest: str) -> Survey:
    return coverage.survey(cache.evidence())


@st.cache_resource(max_entries=1, show_spinner=False)
def _cells(digest: str):
    countries = coverage.country_cells(survey(digest))
    return countries, coverage.cells(countries)


@st.cache_resource(max_entries=8, show_spinner=False)
def _weak(digest: str, where: str):
    return coverage.weakest(survey(digest), None if where == EVERYWHERE else [where])


def draw() -> None:
    digest = cache.evidence().digest
    found, (countries, cells) = survey(digest), _cells(digest)
    _heat(countries, cells)
    _weakest(found, digest)


def _heat(countries, cells) -> None:
    what = st.segmented_control("Picture", list(WHAT), key=WHAT_BOX, format_func=WHAT.get, required=True, default="grade",
                                label_visibility="collapsed")
    picture(evidence_charts.heat(cells, line_names(cache.evidence()), what), f"heat_{what}", SOURCE, "coverage")
    st.caption(f"The ten links: {', '.join(LINKS.values())}. A link has the grade of its weakest number; of several tests or "
               "treatments the middle one.")
    csv_button(countries, "coverage_by_country", "coverage_csv")


def _weakest(found: Survey, digest: str) -> None:
    st.header("The weakest numbers that matter most, and what to collect first",
                 help=glossary.meaning("grade A to D", "use case"))
    known = {r["iso3"]: r["name"] for r in cache.evidence().records("countries") if r["iso3"] in found.grounds}
    mine = state.scenario()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = st.selectbox("In", [EVERYWHERE, *sorted(known, key=known.get)], key=WHERE_BOX, width=300,
                             index=1 + sorted(known, key=known.get).index(mine.setting.country)
                             if mine and mine.setting.country in known else 0, format_func=lambda c: known.get(c, c))
        moves = st.segmented_control("They move", list(MOVES), key=MOVES_BOX, format_func=MOVES.get, required=True,
                                     default="health")
    weak = _weak(digest, where)
    weak = weak[weak["moves"] == moves]
    made = weak_table(weak.head(MOST), names(cache.evidence()))
    if made.empty:
        st.write("No number of grade C or D is in use.")
        return
    first = made.iloc[0]
    st.markdown(dollars(f"**{counted(len(weak), 'number')}** of grade C or D. First: **{first['Number']}**, {first['Of']} "
                        f"({first['Borrowed from']}). What would better it: {first['What would better it']}."))
    shown = made[["Of", "Number", *made.columns.drop(["Of", "Number"])]].assign(Of=made["Of"].map(briefly))
    shown = shown if where == EVERYWHERE else shown.drop(columns="Countries")
    table(shown, KINDS, f"{len(made)} weak numbers, the weightiest first", "weak_table",
          {"Of": st.column_config.Column(pinned=True, width=200), "Number": st.column_config.Column(width=190)}, 420)
    st.caption("People a year: carriers among the eligible of all lines and countries that use the number. Weight: those "
               "people as a share of the people of all lines, times how far the number may be off.")
    csv_button(weak.drop(columns=["key", "parameter"]), "weak_numbers", "weak_csv")
