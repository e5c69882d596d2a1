"""The page Compare: what changes between plans, and what did it."""

from __future__ import annotations

import streamlit as st

from planner.analysis import compare
from planner.analysis.study import Analysis
from planner.errors import PlannerError
from planner.evidence.base import Evidence
from planner.report import uncertainty_charts as charts
from planner.report.numbers import counted
from planner.scenario.model import Scenario
from planner.scenario.scenario import load, shipped
from planner.ui import ask, cache, frames, glossary, links, state
from planner.ui.jobs import Work
from planner.ui.widgets import dollars, files, foot, issues, picture, plain, table

FILE = "file:"
NOW, BARE = "now", "bare"  # the scenario on the left, and its place without any change
MOST = 6
SOURCE = "Source: the plans named; every number in use stands on the page Evidence."


def page() -> None:
    st.title("What changes between these plans")
    offered = _offered()
    first, others = _chosen(offered)
    _more_files()
    if not others:
        st.info("Choose a second plan to compare with the first.", icon=":material/compare_arrows:")
        foot(None)
        return
    scenarios = _distinct([offered[first], *(offered[o] for o in others)])
    key = cache.analysis_key("compare", scenarios)
    ask.ask("compare", key, _work(cache.evidence(), scenarios), _compared, place=False,
            private=any(o.startswith(FILE) for o in (first, *others)))
    foot(None)


def _work(evidence: Evidence, scenarios: list[Scenario]) -> Work:
    return lambda progress: compare.compare(scenarios, evidence, progress=progress)


# -- which plans -------------------------------------------------------------------------------------------


def _offered() -> dict[str, Scenario]:
    """Id -> scenario: the one on the left, its place without changes, files added, shipped examples."""
    out: dict[str, Scenario] = {}
    mine = state.scenario()
    if mine is not None:
        place = {k: v for k, v in mine.setting.model_dump().items() if v}
        name = links.place_name(cache.evidence(), place)
        out[NOW] = mine.model_copy(update={"name": "This plan"})
        try:
            out[BARE] = links.build(place, {"cases": dict(mine.cases)} if mine.cases else {}, f"{name} without limits or changes")
        except PlannerError:
            out.pop(BARE, None)
    out |= {FILE + name: s for name, s in state.uploaded().items()}
    return out | _shipped()


@st.cache_resource(max_entries=1, show_spinner=False)
def _shipped() -> dict[str, Scenario]:
    return {name: load(name) for name in shipped()}


def _chosen(offered: dict[str, Scenario]) -> tuple[str, list[str]]:
    """The plan that others are compared with, and the others; what is not offered any more is dropped."""
    names = {i: ("This plan, as on the left" if i == NOW else s.name) for i, s in offered.items()}
    first = st.session_state.get(state.FIRST_PLAN)
    if first not in offered:
        st.session_state[state.FIRST_PLAN] = first = _default_first(offered)
    others = st.session_state.get(state.OTHER_PLANS)
    if others is None:
        others = [NOW] if NOW in offered and first != NOW else [x for x in offered if x.startswith(first) and x != first][:1]
    st.session_state[state.OTHER_PLANS] = [o for o in others if o in offered and o != first]
    left, right = st.columns([2, 3])
    with left:
        first = st.selectbox("Compare this plan (A)", list(offered), key=state.FIRST_PLAN, format_func=names.get,
                             persist_state="session")
    with right:
        others = st.multiselect("with these (B)", [o for o in offered if o != first], key=state.OTHER_PLANS,
                                format_func=names.get,
                                max_selections=MOST, persist_state="session", placeholder="Choose plans")
    return first, [o for o in others if o != first]


def _default_first(offered: dict[str, Scenario]) -> str:
    """The place on the left without changes where there are any, else a shipped plan of the place, else an example."""
    mine = state.scenario()
    if mine is None:
        return "kenya" if "kenya" in offered else next(iter(offered))
    if BARE in offered and _differ(offered[BARE], mine):
        return BARE
    same = [i for i, s in offered.items() if i not in (NOW, BARE) and s.setting == mine.setting and _differ(s, mine)]
    return same[0] if same else NOW


def _differ(a: Scenario, b: Scenario) -> bool:
    return cache.digest(_unnamed(a)) != cache.digest(_unnamed(b))


def _unnamed(s: Scenario) -> Scenario:
    """What bears on a plan: neither names nor the currency that is shown beside dollars."""
    return s.model_copy(update={"name": "", "description": "", "parent": None, "display": type(s.display)()})


def _distinct(scenarios: list[Scenario]) -> list[Scenario]:
    """Each with a name of its own."""
    names = [s.name for s in scenarios]
    return [s if names.index(s.name) == n else s.model_copy(update={"name": f"{s.name} ({n + 1})"})
            for n, s in enumerate(scenarios)]


def _more_files() -> None:
    faults = st.session_state.get(state.COMPARE_FAULTS, ())
    with st.expander("Add scenario files", expanded=bool(faults)):
        st.file_uploader("Scenario files (.toml)", type=["toml"], key=state.COMPARE_UPLOAD, accept_multiple_files=True,
                         max_upload_size=state.MAX_UPLOAD_MB, on_change=state.add_upload,
                         help="They stay in this session and never go into an address. At most "
                              f"{state.MOST_UPLOADED}. Put no data of single patients into them.")
        if faults:
            issues(faults, "A file could not be added; the others are as they were")
        for name in state.uploaded():
            st.markdown(f"- {plain(name)}")


# -- the answer -------------------------------------------------------------------------------------------


def _compared(found: Analysis) -> None:
    ask.answer(found.words, first=2 if len(found.settings["plans"]) == 2 else 0)
    first, *others = found.settings["plans"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.session_state.get(state.SLOPE_PLAN) not in (None, *others):
            st.session_state[state.SLOPE_PLAN] = others[0]
        other = others[0] if len(others) == 1 else st.selectbox(
            "Picture: A to", others, key=state.SLOPE_PLAN, width=440, persist_state="session")
        by = st.segmented_control("Picture by", ["coverage", "rank"], key=state.SLOPE_BY, default="coverage", required=True,
                                  format_func={"coverage": "Share tested", "rank": "Rank"}.get, persist_state="session")
    picture(charts.slopes(found, other, by), "slopes", SOURCE, "two_plans", found)
    _changes(found, other)
    _today(found, other)
    st.header("Outcomes, side by side", help=glossary.meaning("reference", "QALY", "all-in cost per QALY"))
    table(frames.outcomes(found), frames.KINDS, "One row per plan: health, people, money; today's practice first",
          "outcomes_table")
    notes = sorted({r["note"] for r in found.tables["outcomes"] if r["note"]})
    if notes:
        st.caption(plain("; ".join(frames.capital(n) for n in notes)) + ".")
    files(found, "outcomes", "outcomes_files")
    _how(found, first)


def _changes(found: Analysis, other: str) -> None:
    """Entered, left, changed: in words with what did it, then as a table."""
    first = found.settings["plans"][0]
    st.header("What enters, what leaves, and what did it")
    settings = [r["difference"] for r in found.tables["settings"] if r["plan"] == other]
    if settings:
        st.markdown(dollars(f"**{plain(other)}** differs from **{plain(first)}** in: {plain('; '.join(settings))}."))
    frame = frames.changes(found, other)
    if frame.empty:
        st.write("No line enters, leaves or changes.")
        return
    said = frames.in_words(found, other)
    st.markdown(dollars("\n".join(f"- {plain(x)}" for x in said)) or "Only priorities change.")
    table(frame, frames.KINDS, f"{counted(len(frame), 'line')} that differ between the two plans", "changes_table",
          {"Line": st.column_config.Column(pinned=True, width=238), "What did it": st.column_config.Column(width=330)},
          height=320 if len(frame) > 8 else "auto")
    files(found, "changes", "changes_files")


def _today(found: Analysis, plan: str) -> None:
    """The plan beside today's practice, where it is known."""
    st.header("Beside today's practice")
    frame = frames.against_today(found, plan)
    if frame.empty:
        st.write("Today's testing is unknown here: every figure is against no testing. "
                 "Where you know it, lay a table `current_practice` of your own over the evidence (docs/local_data.md).")
        return
    table(frame, frames.KINDS, f"{counted(len(frame), 'line')} whose testing today is known, beside {plain(plan)}", "today_table",
          {"Line": st.column_config.Column(pinned=True, width=238)}, height=320 if len(frame) > 8 else "auto")
    files(found, "today", "today_files")


def _how(found: Analysis, first: str) -> None:
    with st.expander("How this was computed"):
        st.markdown(f"Every plan is made for itself, on the same evidence. {plain(first)} is the one that the others are "
                    f"compared with; "
                    "today's practice, where it is known, is the reference of all. Then each setting in which two plans "
                    "differ is tried "
                    "alone: a line is laid to the setting that moves it alone, or to several together where none does. "
                    "Between different "
                    "places this is not tried.")
