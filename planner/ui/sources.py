"""The page Evidence: every number in use with source, grade and where it is borrowed from."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.evidence.complete import coverage
from planner.report import charts
from planner.report.numbers import show
from planner.report.tables import OWNERS
from planner.ui import answer, cache, glossary, state, tables
from planner.ui.widgets import csv_button, foot, line_words, picture, plain

ADDRESS = r"https?://(?:doi\.org/|pubmed\.ncbi\.nlm\.nih\.gov/)?(.*?)/?$"
COLUMNS = ("Number", "Of", "Value", "Grade", "From", "Link", "Source", "Range")
NAMED = (("indications", "indication_id", "name"), ("biomarkers", "biomarker_id", "short_name"),
         ("drugs", "drug", "name"), ("assays", "assay_id", "name"), ("therapies", "therapy_id", "name"),
         ("services", "service_id", "name"), ("cancer_sites", "cancer_site", "name"), ("countries", "iso3", "name"))


def page() -> None:
    st.title("Where the numbers come from")
    _covered()
    mine = state.scenario()
    if mine is None:
        st.info("Choose a country on the left to see every number that its plan uses.")
        _cite()
        foot(None)
        return
    plan = answer.compute(mine)
    if plan is not None:
        _numbers(plan.document)
    _cite()
    foot(plan.document if plan else None)


@st.cache_resource(max_entries=1, show_spinner=False)
def _coverage(digest: str):
    return coverage(cache.evidence())


def _covered() -> None:
    found = _coverage(cache.evidence().digest)
    st.markdown(f"The evidence holds **{found.use_cases} use cases**, of which **{len(found.complete)}** have every "
                f"number they need, from **{len(cache.evidence().table('sources'))} sources**.",
                help=glossary.meaning("use case", "grade A to D"))
    if found.not_plannable:
        with st.expander(f"{len(found.not_plannable)} cannot be planned yet, and what is missing"):
            st.markdown("\n".join(f"- **{plain(line_words(k))}**: {plain(v)}" for k, v in found.not_plannable.items()))


def _numbers(document) -> None:
    facts = tables.facts(document, _sources(cache.evidence().digest), _names(cache.evidence().digest))
    if facts.empty:
        st.write("No numbers are in use.")
        return
    place = answer.plain_place(document)
    picture(charts.borrowed(pd.DataFrame(document["provenance"])), "borrowed",
            "Source: the numbers in use for this place.", "grades")
    st.subheader(f"Every number in use: {place}")
    chosen = _filtered(facts, document)
    st.caption(f"{len(chosen)} of {len(facts)} numbers. Exact values are in the download.")
    shown = chosen.assign(
        Value=[said(v, u) for v, u in zip(chosen["Value"], chosen["Unit"], strict=True)],
        Range=[_range(low, high, u) for low, high, u in
               zip(chosen["Low"], chosen["High"], chosen["Unit"], strict=True)])
    st.dataframe(shown[list(COLUMNS)], hide_index=True, key="facts_table", alt=f"{len(chosen)} numbers in use",
                 column_config={
                     "Number": st.column_config.Column(pinned=True, width=160),
                     "Of": st.column_config.Column(width=260),
                     "Grade": st.column_config.Column(help=glossary.meaning("grade A to D"), width="small"),
                     "Source": st.column_config.Column(width="large"),
                     "Link": st.column_config.LinkColumn("DOI, PMID or address", display_text=ADDRESS, width=150)})
    csv_button(chosen.drop(columns=["level", "key"]), "numbers_in_use", "facts_csv")


@st.cache_resource(max_entries=1, show_spinner=False)
def _sources(digest: str) -> dict:
    return {r["source_id"]: r for r in cache.evidence().records("sources")}


@st.cache_resource(max_entries=1, show_spinner=False)
def _names(digest: str) -> dict[str, str]:
    """Id -> name of everything that a number may be of."""
    return {r[key]: r[name] for table, key, name in NAMED for r in cache.evidence().records(table)}


def _filtered(facts: pd.DataFrame, document) -> pd.DataFrame:
    """Filters by use case, kind of number, grade and origin."""
    lines = {f"{r['indication_id']}/{r['biomarker_id']}": charts.line_name(r) for r in document["list"]}
    with st.container(horizontal=True):
        line = st.selectbox("Use case", ["", *lines], key="fact_line", width=320,
                            format_func=lambda i: lines.get(i, "all"))
        kinds = st.multiselect("Kind of number", sorted(facts["Number"].unique()), key="fact_kind", width=320,
                               placeholder="all")
        grades = st.multiselect("Grade", sorted(facts["Grade"].unique()), key="fact_grade", width=160,
                                placeholder="all", help=glossary.meaning("grade A to D"))
        levels = st.multiselect("From", [x for x in charts.LEVELS if x in set(facts["level"])], key="fact_level",
                                width=240, format_func=lambda x: charts.LEVEL_WORDS.get(x, x), placeholder="all")
    keep = pd.Series(True, index=facts.index)
    if line:
        keep &= facts["key"].map(lambda key: _about(key, line))
    for column, wanted in (("Number", kinds), ("Grade", grades), ("level", levels)):
        if wanted:
            keep &= facts[column].isin(wanted)
    return facts[keep]


def _about(key: str, line: str) -> bool:
    """Whether a number's key speaks of a use case: its indication, with no other biomarker."""
    indication, biomarker = line.split("/")
    parts = key.split("/")
    return parts[0] == indication and (len(parts) == 1 or biomarker in parts or _is_step(parts[1]))


def _is_step(part: str) -> bool:
    return not cache.evidence().matches("biomarkers", biomarker_id=part)


def said(value: float, unit: str) -> str:
    """A value with its unit, to a few figures."""
    if value is None or pd.isna(value):
        return "unknown"
    if unit == "share":
        return show(value, "share")
    if unit.startswith("USD"):
        return f"{show(value, 'usd')} {unit.removeprefix('USD').strip()}".strip()
    return f"{show(value, 'qalys')} {unit}".strip()


def _range(low, high, unit: str) -> str:
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return ""
    return f"{said(low, unit)} to {said(high, unit)}"


def _cite() -> None:
    st.caption("  \n".join(plain(owner) for owner in OWNERS))
