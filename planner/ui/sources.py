"""The page Evidence: every number in use with source, grade and where it is borrowed from."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.evidence.complete import coverage
from planner.report import charts
from planner.report.numbers import counted, precise, show
from planner.report.tables import OWNERS
from planner.ui import answer, ask, cache, covered, effect, glossary, routes, state, tables
from planner.ui.widgets import csv_button, foot, line_words, picture, plain

ADDRESS = r"https?://(?:doi\.org/|pubmed\.ncbi\.nlm\.nih\.gov/)?(.*?)/?$"
COLUMNS = ("Number", "Of", "Value", "Range", "Grade", "From", "Note", "Source", "Link")
TAB, SEEN = "evidence_tab", "evidence_seen"
TABS = {"numbers": "Numbers in use", "effect": "How much a drug helps", "routes": "How a drug is reached",
        "covered": "What the evidence covers"}
LINE_BOX, TEXT_BOX, ASSUMED_BOX = "fact_line", "fact_text", "fact_assumed"


def page() -> None:
    st.title("Where the numbers come from")
    _covered()
    mine = state.scenario()
    if st.session_state.get(state.ABOUT) != st.session_state.get(SEEN):  # a line's own numbers were asked for
        st.session_state[TAB], st.session_state[SEEN] = "numbers", st.session_state.get(state.ABOUT)
    tab = st.segmented_control("Question", list(TABS), key=TAB, format_func=TABS.get, required=True, default="numbers",
                               label_visibility="collapsed", persist_state="session")
    plan = None
    if tab == "covered":
        covered.draw()
    elif mine is None:
        st.info("Choose a country on the left to see every number that its plan uses.")
    elif tab == "numbers":
        plan = answer.compute(mine)
        if plan is not None:
            _numbers(plan)
    else:
        {"effect": effect, "routes": routes}[tab].draw()
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


def _numbers(plan) -> None:
    document = plan.document
    facts = tables.facts(document, _sources(cache.evidence().digest), ask.names())
    if facts.empty:
        st.write("No numbers are in use.")
        return
    place = answer.plain_place(document)
    picture(charts.borrowed(pd.DataFrame(document["provenance"])), "borrowed",
            "Source: the numbers in use for this place.", "grades")
    st.header(f"Every number in use: {place}")
    _table(facts, plan, state.stamp())


@st.fragment
def _table(facts: pd.DataFrame, plan, stamp: tuple) -> None:
    """The numbers that the filters leave; a fragment, so that a filter does not draw the page anew."""
    if state.stamp() != stamp:
        st.rerun()
    chosen = _filtered(facts, plan)
    st.caption(f"{len(chosen)} of {counted(len(facts), 'number')}. Exact values are in the download.")
    if chosen.empty:
        st.write("No number fits these filters.")
        return
    shown = chosen.assign(
        Value=[said(v, u) for v, u in zip(chosen["Value"], chosen["Unit"], strict=True)],
        Range=[_range(low, high, u) for low, high, u in
               zip(chosen["Low"], chosen["High"], chosen["Unit"], strict=True)])
    st.dataframe(shown[list(COLUMNS)], hide_index=True, key="facts_table", alt=f"{len(chosen)} numbers in use",
                 column_config={
                     "Number": st.column_config.Column(pinned=True, width=200),
                     "Of": st.column_config.Column(width=255),
                     "Value": st.column_config.Column(width=140),
                     "Range": st.column_config.Column(width=160),
                     "Grade": st.column_config.Column(help=glossary.meaning("grade A to D"), width=60),
                     "From": st.column_config.Column(width=185),
                     "Note": st.column_config.Column(width=300),
                     "Source": st.column_config.Column(width=420),
                     "Link": st.column_config.LinkColumn("DOI, PMID or address", display_text=ADDRESS, width=150)})
    csv_button(chosen.drop(columns=["level", "key"]), "numbers_in_use", "facts_csv")


@st.cache_resource(max_entries=1, show_spinner=False)
def _sources(digest: str) -> dict:
    return {r["source_id"]: r for r in cache.evidence().records("sources")}


def _filtered(facts: pd.DataFrame, plan) -> pd.DataFrame:
    """Filters by words, use case, kind of number, grade and origin."""
    lines = {f"{r['indication_id']}/{r['biomarker_id']}": charts.line_name(r) for r in plan.document["list"]}
    wanted = st.session_state.get(state.ABOUT)
    st.session_state[LINE_BOX] = wanted if wanted in lines else ""
    with st.container(horizontal=True):
        text = st.text_input("Contains", key=TEXT_BOX, width=240, placeholder="a drug, a test, an author…")
        line = st.selectbox("Use case", ["", *lines], key=LINE_BOX, width=360, on_change=_about,
                            format_func=lambda i: lines.get(i, "all"),
                            help="What the line itself uses: its people, tests, treatments and drugs.")
        kinds = st.multiselect("Kind of number", sorted(facts["Number"].unique()), key="fact_kind", width=320,
                               placeholder="all")
        grades = st.multiselect("Grade", sorted(facts["Grade"].unique()), key="fact_grade", width=160,
                                placeholder="all", help=glossary.meaning("grade A to D"))
        levels = st.multiselect("From", [x for x in charts.LEVELS if x in set(facts["level"])], key="fact_level",
                                width=240, format_func=lambda x: charts.LEVEL_WORDS.get(x, x), placeholder="all")
    assumed = st.checkbox("Assumptions only (grade D)", key=ASSUMED_BOX,
                          help="Numbers for which no source could be read; the note says what they rest on.")
    keep = pd.Series(True, index=facts.index)
    if line:
        own = related(plan.problem, line)
        kinds_of = _kinds(cache.evidence().digest)
        keep &= facts["key"].map(lambda key: speaks_of(key, own, kinds_of))
    if assumed:
        keep &= facts["Grade"] == "D"
    if text.strip():
        where = facts[["Number", "Of", "Note", "Source", "From", "key"]].astype(str).agg(" ".join, axis=1)
        for word in text.split():
            keep &= where.str.contains(word, case=False, regex=False)
    for column, wanted in (("Number", kinds), ("Grade", grades), ("level", levels)):
        if wanted:
            keep &= facts[column].isin(wanted)
    return facts[keep]


def _about() -> None:
    st.session_state[state.ABOUT] = st.session_state[LINE_BOX] or None


def related(problem, line: str) -> frozenset[str]:
    """Ids that a use case's numbers are kept under: indication, site, biomarkers, assays, therapies, drugs."""
    out = set(line.split("/"))
    for indication in problem.indications:
        for use in indication.use_cases:
            if use.id != line:
                continue
            out |= {indication.cancer_site, *use.requires}
            for therapy in use.therapies:
                out |= {therapy.therapy, therapy.comparator, *therapy.drugs}
            for service in indication.services:
                if service.result(use.biomarker):
                    out |= {service.service, *(a.assay for a in service.assays)}
    return frozenset(out)


@st.cache_resource(max_entries=1, show_spinner=False)
def _kinds(digest: str) -> frozenset[str]:
    """Every id that a number can be kept under."""
    return frozenset(r[key] for table, key, _ in ask.NAMED if table != "countries"
                     for r in cache.evidence().records(table))


def speaks_of(key: str, own: frozenset[str], ids: frozenset[str]) -> bool:
    """Whether a number's key speaks of a line: it names something of the line and nothing of another."""
    named = {part for part in key.split("/") if part in ids}
    return bool(named & own) and named <= own


def said(value: float, unit: str) -> str:
    """A value with its unit, to a few significant figures."""
    if value is None or pd.isna(value):
        return "unknown"
    if unit == "share":
        return show(value, "share")
    if unit.startswith("USD"):
        minus, amount = ("−", -value) if value < 0 else ("", value)
        return f"{minus}US$ {precise(amount)} {unit.removeprefix('USD').strip()}".strip()
    return f"{precise(value)} {unit}".strip()


def _range(low, high, unit: str) -> str:
    """Low to high, the unit once; nothing where the range is a point."""
    if low is None or high is None or pd.isna(low) or pd.isna(high) or low == high:
        return ""
    words = unit.removeprefix("USD").strip() if unit.startswith("USD") else unit
    first, last = said(low, unit), said(high, unit)
    return f"{first.removesuffix(f' {words}')} to {last}" if words and unit != "share" else f"{first} to {last}"


def _cite() -> None:
    st.caption("  \n".join(plain(owner) for owner in OWNERS))
