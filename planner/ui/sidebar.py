"""The left side, the same on every page: place, money, what was changed, files."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from planner.errors import PlannerError
from planner.report.numbers import show
from planner.scenario.describe import PAYER_WORDS, differences, usd
from planner.scenario.model import Scenario
from planner.scenario.scenario import load, shipped
from planner.ui import cache, changes, glossary, links, state
from planner.ui.widgets import dollars, issues, plain

AXES = {"testing": "Tests", "treatment": "Treatment", "total": "Tests and treatment together"}
HELP = {
    "testing": "Money for tests in a year, in US dollars of the base year. Leave it empty for no limit.",
    "treatment": "Yearly money of {payers} for the matched drugs of all patients. {basis} Leave it empty for no limit.",
    "total": "One yearly sum for tests and for treatment that is paid by {payers}. {basis} Leave it empty for no limit.",
}
ALL_MONEY = "It counts all of it: also what these drugs already cost where they are given without a test{today}."
ON_TOP = "It comes on top of what is spent today."
OBJECTIVES = {
    "qalys": "Healthy years (QALYs)", "life_years": "Years of life", "deaths_averted": "Deaths averted",
    "dalys_averted": "DALYs averted", "patients_treated": "People given a matched drug",
    "net_health": "Healthy years, less what the money would bring elsewhere",
}
GATES = {1: "1 · practice-changing only", 2: "2 · and strong", 3: "3 · and early", 4: "4 · any"}
# A symbol or emoji as the page's icon would be fetched from elsewhere; our own file is not.
ICON = str(Path(__file__).with_name("icon.svg"))
NO_LIMIT = -1.0  # the right end of a slider


def draw() -> None:
    """The frame's controls; the plan itself is made by the page."""
    with st.sidebar:
        _place()
        mine = state.scenario()
        if mine is not None:
            _budgets(mine)
            _changed(mine)
        _back()
        if mine is not None:
            _more(mine)
        _files(mine)


# -- the place -----------------------------------------------------------------------------------------


def _place() -> None:
    evidence, mine = cache.evidence(), state.scenario()
    names = {r["iso3"]: r["name"] for r in evidence.records("countries") if r["in_globocan"]}
    st.session_state[state.COUNTRY] = mine.setting.country if mine else None
    st.selectbox("Country", sorted(names, key=names.get), key=state.COUNTRY, format_func=names.get,
                 placeholder="Choose a country", on_change=state.choose_country)
    if mine is None:
        return
    regions = {r["region"]: r["name"] for r in evidence.records("regions", iso3=mine.setting.country)}
    if not regions:
        return
    options = ["", *sorted(regions, key=regions.get)]
    words = {"": "Whole country", "all": "Every region, planned together"} | regions
    if mine.setting.regions:
        options.insert(1, "all")
    st.session_state[state.REGION] = mine.setting.regions or mine.setting.region or ""
    st.selectbox("Region", options, key=state.REGION, format_func=words.get, on_change=state.choose_region)


# -- the money -----------------------------------------------------------------------------------------


def _budgets(mine: Scenario) -> None:
    st.markdown("**Money a year**, US$", help="US dollars of the evidence's base year. The slider stops where "
                "the list changes; its right end is no limit. Type any amount in the field.")
    try:
        with st.spinner("Reading this place…"):
            marks = cache.ranges(mine, state.is_private())
            limited = mine.budget.treatment is not None or mine.budget.total is not None
            # a laboratory by its parts: without sliders, and without another engine where no limit asks for it
            blind = cache.blind_spending(mine, state.is_private()) if marks or limited else 0.0
    except PlannerError:
        marks, blind = {}, 0.0
    for axis, name in AXES.items():
        _budget(mine, axis, name, marks.get(axis, ()), blind)
        if axis != "testing":
            _already(getattr(mine.budget, axis), blind)


def _already(limit, blind: float) -> None:
    """How a limit divides: what is spent on drugs without tests, and what is left for this plan."""
    if not isinstance(limit, int | float) or blind < 0.5:
        return
    if limit < blind:
        st.warning(dollars(f"{usd(round(limit))} is less than the {show(blind, 'usd')} that these drugs already cost in "
                           f"a year without tests. No drug money is left for this plan."), icon=":material/warning:")
    else:
        st.caption(dollars(f"{usd(round(limit))} = {show(blind, 'usd')} already spent on drugs without tests + "
                           f"{show(limit - blind, 'usd')} for this plan."))


def _help(mine: Scenario, axis: str, blind: float) -> str:
    paid = " and ".join(PAYER_WORDS[z] for z in mine.budget.payers) or "nobody"
    today = f", {show(blind, 'usd')} a year here" if blind >= 0.5 else ""
    basis = ALL_MONEY.format(today=today) if mine.budget.basis == "all" else ON_TOP
    return dollars(HELP[axis].format(payers=paid, basis=basis))


def _budget(mine: Scenario, axis: str, name: str, points: tuple[float, ...], blind: float) -> None:
    limit = getattr(mine.budget, axis)
    if isinstance(limit, tuple):
        st.caption(f"{name}: by year, {', '.join(dollars(show(v, 'usd')) for v in limit)} (set in the file)")
        return
    key = f"budget_{axis}"
    st.session_state[key] = None if limit is None else float(limit)
    st.number_input(name, min_value=0.0, value=None, step=_step(points), format="%.0f", key=key, placeholder="no limit",
                    help=_help(mine, axis, blind), on_change=_typed, args=(axis, key))
    if len(points) > 1:
        options = _marks(points, limit)
        slider = f"{key}_slider"
        st.session_state[slider] = NO_LIMIT if limit is None else float(limit)
        st.select_slider(f"{name}: budgets at which the list changes", options, key=slider,
                         format_func=lambda v: "no limit" if v == NO_LIMIT else show(v, "usd"),
                         label_visibility="collapsed", on_change=_slid, args=(axis, slider))


def _step(points: tuple[float, ...]) -> float:
    """A round step, at most a fiftieth of the range."""
    top = points[-1] if points else 0.0
    return 10.0 ** (len(str(int(top / 50))) - 1) if top > 500 else 100.0


def _marks(points: tuple[float, ...], limit: float | None) -> list[float]:
    """Whole dollars at which the list changes, the present limit among them, then no limit."""
    marks = {float(round(p)) for p in points} | ({float(limit)} if limit is not None else set())
    return [*sorted(marks), NO_LIMIT]


def _typed(axis: str, key: str) -> None:
    state.set_budget(axis, st.session_state[key])


def _slid(axis: str, key: str) -> None:
    value = st.session_state[key]
    state.set_budget(axis, None if value == NO_LIMIT else value)


# -- what was changed ----------------------------------------------------------------------------------


def _changed(mine: Scenario) -> None:
    found = changes.differences(mine)
    if not found:
        return
    st.markdown("**What I changed**", help="Press one to take it back.")
    for change in found:
        st.button(plain(words(mine, change)), key=f"change_{change.key}", icon=":material/close:",
                  on_click=state.take_back, args=(change,), help="Take this change back", width="stretch")


def _back() -> None:
    """A step back and forward: of whatever was changed, also a place or a file that was opened."""
    if not (state.can_undo() or state.can_redo()):
        return
    with st.container(horizontal=True):
        st.button("Undo", key="undo_button", icon=":material/undo:", on_click=state.undo, disabled=not state.can_undo(),
                  help="Take the last step back, whatever it was.")
        st.button("Redo", key="redo_button", icon=":material/redo:", on_click=state.redo, disabled=not state.can_redo(),
                  help="Do again what was taken back.")


def words(mine: Scenario, change: changes.Change) -> str:
    """A change in words: what the scenario says more than without it."""
    if change.path == ("cases",):
        return f"own yearly cases in {sum(v > 0 for v in mine.cases.values())} indications, stated by the hospital"
    try:
        facts = cache.own_facts(mine, state.is_private()) if change.path == ("override",) else ()
        said = differences(mine, changes.without(mine, change), cache.evidence(), facts)
    except PlannerError:
        said = []
    return "; ".join(said) or change.key.replace("_", " ")


# -- more ----------------------------------------------------------------------------------------------


def _more(mine: Scenario) -> None:
    with st.expander("More settings"):
        st.session_state["objective_box"] = mine.objective
        st.selectbox("What the plan brings most of", list(OBJECTIVES), key="objective_box", format_func=OBJECTIVES.get,
                     help=glossary.meaning("QALY", "opportunity cost"), on_change=_chosen,
                     args=(("objective",), "objective_box"))
        st.session_state["gate_box"] = mine.evidence_gate.level
        st.selectbox("Evidence that counts", list(GATES), key="gate_box", format_func=GATES.get,
                     help=glossary.meaning("ESCAT", "ESMO-MCBS"), on_change=_chosen,
                     args=(("evidence_gate", "level"), "gate_box"))
        st.session_state["value_box"] = mine.evidence_gate.value_gate
        st.checkbox("Only treatments worth their price", key="value_box", on_change=_chosen,
                    args=(("evidence_gate", "value_gate"), "value_box"),
                    help="Counts only treatments whose cost per QALY stays below the country's threshold.\n\n"
                         + (glossary.meaning("threshold", "ICER") or ""))
        st.session_state["axis_box"] = mine.frontier.axis
        st.selectbox("The order follows money for", list(AXES), key="axis_box", format_func=AXES.get,
                     help=glossary.meaning("entry budget"), on_change=_chosen,
                     args=(("frontier", "axis"), "axis_box"))


def _chosen(path: tuple[str, ...], key: str) -> None:
    state.put(path, st.session_state[key])


# -- files ---------------------------------------------------------------------------------------------


def _files(mine: Scenario | None) -> None:
    with st.expander("Open, save, share", expanded=bool(state.file_faults())):
        if mine is not None:
            st.download_button("Save this scenario (.toml)", lambda: links.saved(mine, cache.evidence()), "scenario.toml",
                               "application/toml", key="scenario_out", on_click="ignore", width="stretch",
                               icon=":material/download:")
            st.caption("To share this view, copy the address of the page." if state.has_link() else
                       "This scenario holds more than an address may carry: share the saved file, which names the evidence "
                       "that it was planned on.")
        names = shipped()
        st.selectbox("Open an example", list(names), index=None, key=state.EXAMPLE, format_func=_example,
                     placeholder="Choose an example", on_change=state.open_chosen)
        st.file_uploader("Open a scenario file (.toml)", type=["toml"], key=state.UPLOAD,
                         max_upload_size=state.MAX_UPLOAD_MB, on_change=state.open_upload,
                         help="It stays in this session and never goes into an address. Put no data of single "
                              "patients into it.")
        if state.file_faults():
            issues(state.file_faults(), "The file could not be taken over; your work is as it was")


@st.cache_data(max_entries=50, show_spinner=False)
def _example(name: str) -> str:
    return load(name).name
