"""The state of a session: one scenario, what is looked at, and the address that reopens it.

Every key of ``st.session_state`` and of the address stands here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from planner.errors import BadInput, Issue, PlannerError
from planner.evidence.own_sheets import CASES, hospital_cases
from planner.evidence.strata import place
from planner.evidence.tables import read_workbook
from planner.pathway.build import build_problem
from planner.scenario.model import Scenario
from planner.scenario.scenario import load, loads, shipped
from planner.ui import cache, changes, links

SCENARIO, PRIVATE, LINE, VIEW, WORDS, FAULTS, FILE_FAULTS, ABOUT, STARTED = (
    "scenario", "private", "line", "view", "words", "faults", "file_faults", "about", "started")
COUNTRY, FIRST_COUNTRY, REGION, UPLOAD, EXAMPLE = (
    "country_box", "first_country_box", "region_box", "upload_box", "example_box")
MAX_UPLOAD_MB, MOST_UPLOADED, MOST_STEPS = 1, 8, 50
# what was before each step, to go back to; and what was gone back from
BEFORE, AFTER = "before", "after"
# what the pages of analyses look at; kept while other pages are open
BUDGET_TAB, BUDGET_AXIS, BUDGET_MUSTS, FLIP_LINE, TOLERANCE, DRUG, SURE_TAB, DRAWS, SEED, ASKED = (
    "budget_tab", "budget_axis_box", "budget_musts", "flip_line", "tolerance_slider", "drug_access_box", "sure_tab",
    "draws_box", "seed_box", "draws_asked")
INDICATION, STRATEGY, PANEL, ASSAY, CASES_UPLOAD, CASES_FAULTS, LABORATORY_ASKED = (
    "indication_box", "strategy_box", "panel_box", "assay_box", "cases_upload", "cases_faults", "laboratory_asked")
REPORT_TAB, SUBJECT, COUNTRIES, UNLOCKING, PAPER_DRAWS, WANTED = (
    "report_tab", "subject_box", "countries_box", "unlocking_box", "paper_draws_box", "paper_wanted")
COMPARED, UPLOADED, FIRST_PLAN, OTHER_PLANS, COMPARE_UPLOAD, COMPARE_FAULTS, SLOPE_PLAN, SLOPE_BY = (
    "compared", "uploaded_plans", "first_plan_box", "other_plans_box", "compare_upload", "compare_faults", "slope_plan_box",
    "slope_by_box")


def start() -> bool:
    """On a session's first run, take the address over; whether it names a place."""
    if st.session_state.get(STARTED):
        return False
    params = {k: v for k, v in st.query_params.items() if isinstance(v, str)}
    scenario, words = links.read(params, cache.evidence())
    words += links.other_evidence(params.get("evidence"), cache.evidence())
    view = params.get("view")
    if view is not None and view not in links.VIEWS:
        words.append("The link's view of the list is not known; the list by use case is shown.")
    st.session_state[STARTED] = True
    st.session_state[SCENARIO], st.session_state[PRIVATE] = scenario, False
    st.session_state[VIEW] = view if view in links.VIEWS else links.VIEWS[0]
    st.session_state[LINE] = params.get("line")
    st.session_state[WORDS], st.session_state[FAULTS], st.session_state[FILE_FAULTS] = words, (), ()
    return scenario is not None


def scenario() -> Scenario | None:
    return st.session_state.get(SCENARIO)


def is_private() -> bool:
    """Whether the scenario holds what must stay in this session: an upload or own numbers."""
    mine = scenario()
    return bool(st.session_state.get(PRIVATE)) or bool(mine and (mine.override or own_cases(mine)))


def own_cases(mine: Scenario) -> bool:
    """Whether the scenario holds a hospital's cases that are not a shipped example's."""
    return bool(mine.cases) and not (mine.parent in shipped() and load(mine.parent).cases == mine.cases)


def words() -> list[str]:
    """Words of advice that are told once."""
    told = st.session_state.get(WORDS, [])
    st.session_state[WORDS] = []
    return told


def faults() -> tuple:
    """Faults of the last edit or upload, until the next one."""
    return st.session_state.get(FAULTS, ())


def file_faults() -> tuple:
    """Faults of the last file that was not taken, told beside the uploader."""
    return st.session_state.get(FILE_FAULTS, ())


def stamp() -> tuple:
    """What a fragment was drawn for: where it differs later, the whole page must be drawn anew."""
    return scenario(), faults()


# -- changes -----------------------------------------------------------------------------------------


def take(new: Scenario | None, private: bool | None = None) -> None:
    """Make a scenario the state; the one before can be gone back to."""
    if new != scenario():
        _steps(BEFORE).append(_here())
        del _steps(BEFORE)[:-MOST_STEPS]
        _steps(AFTER).clear()
    _stand(new, st.session_state.get(PRIVATE) if private is None else private)


def _stand(new: Scenario | None, private: bool | None) -> None:
    st.session_state[SCENARIO], st.session_state[FAULTS], st.session_state[FILE_FAULTS] = new, (), ()
    st.session_state[PRIVATE] = private


def _here() -> tuple[Scenario | None, bool | None]:
    return scenario(), st.session_state.get(PRIVATE)


def _steps(name: str) -> list[tuple[Scenario | None, bool | None]]:
    return st.session_state.setdefault(name, [])


def can_undo() -> bool:
    return bool(_steps(BEFORE))


def can_redo() -> bool:
    return bool(_steps(AFTER))


def undo() -> None:
    """One step back, whatever it was: a number, a place, a file that was opened."""
    _go(BEFORE, AFTER)


def redo() -> None:
    """The step that was taken back, once more."""
    _go(AFTER, BEFORE)


def _go(there: str, back: str) -> None:
    if not _steps(there):
        return
    _steps(back).append(_here())
    _stand(*_steps(there).pop())


def try_edit(make: Callable[[], Scenario]) -> None:
    """Take the scenario that ``make`` gives, or keep the old one and say what is wrong."""
    try:
        take(make())
    except PlannerError as error:
        st.session_state[FAULTS] = error.issues


def choose_country(key: str = COUNTRY) -> None:
    """Another country starts anew: money, mandates and own numbers belong to a place."""
    code = st.session_state[key]
    if code is not None:
        move({"country": code})


def choose_region() -> None:
    mine = scenario()
    if mine is None:
        return
    code = st.session_state[REGION]
    setting = {"country": mine.setting.country}
    if mine.setting.hospital:
        setting["hospital"] = mine.setting.hospital
    if code == "all":
        setting["regions"] = "all"
    elif code:
        setting["region"] = code
    move(setting)


def move(setting: dict) -> None:
    """Another place; within a country the changes are kept."""
    old = scenario()
    name = links.place_name(cache.evidence(), setting)
    if old is None or old.setting.country != setting["country"]:
        take(links.build(setting, {}, name), private=False)
        st.session_state[LINE] = None
        return

    def edit(data):
        data["setting"] = setting

    try_edit(lambda: changes.edited(old, edit).model_copy(update={"name": name}))


def set_budget(axis: str, amount: float | None) -> None:
    """A budget in USD a year; None lifts it."""
    value = "unlimited" if amount is None else float(amount)
    try_edit(lambda: changes.put(scenario(), ("budget", axis), value))


def put(path: tuple[str, ...], value) -> None:
    try_edit(lambda: changes.put(scenario(), path, value))


def listed(path: tuple[str, str], item: str, wanted: bool) -> None:
    try_edit(lambda: changes.listed(scenario(), path, item, wanted))


def cost_by_parts(by_parts: bool) -> None:
    """The laboratory by instruments, runs and samples, or every test at its tariff."""
    try_edit(lambda: changes.costed(scenario(), by_parts))


def become_hospital(name: str, cases: dict[str, float]) -> None:
    """The place on the left becomes a hospital of that place; the list on other pages is then the hospital's."""
    old = scenario()

    def made():
        new = changes.hospital(old, name, cases)
        return new.model_copy(update={"name": links.place_name(cache.evidence(), new.setting.model_dump())})

    try_edit(made)


def take_laboratory(cases: dict[str, float], settings: dict, testing: float | None) -> None:
    """The form of the hospital's page."""
    try_edit(lambda: changes.laboratory(scenario(), cases, settings, testing))


def take_back(change: changes.Change) -> None:
    try_edit(lambda: changes.without(scenario(), change))


# -- files -------------------------------------------------------------------------------------------


def open_chosen() -> None:
    """The shipped example that was chosen on the left."""
    name = st.session_state[EXAMPLE]
    if name in shipped():
        open_shipped(name)
        st.session_state[EXAMPLE] = None


def open_shipped(name: str) -> None:
    """A shipped scenario as it stands, with itself as the parent, so that only what is changed from here is told as
    a change."""
    take(load(name).model_copy(update={"parent": name}), private=False)
    st.session_state[LINE] = None


def read_upload(content: bytes) -> Scenario:
    """A scenario from a file of somebody's: checked whole, every id in it known. Raises BadInput."""
    try:
        mine = loads(content.decode("utf-8-sig"), "uploaded scenario")
    except UnicodeDecodeError as error:
        raise BadInput([Issue("the file", "it is not UTF-8 text", "save the scenario as text in UTF-8")]) from error
    here = place(cache.evidence(), mine.setting.country, mine.setting.region)
    if not cache.evidence().record("countries", iso3=here.iso3).get("in_globocan"):
        raise BadInput(Issue("setting.country", f"there are no case numbers for {here.name}", "choose another"))
    setting = mine.setting.model_copy(update={"country": here.iso3, "region": here.region})
    mine = mine.model_copy(update={"setting": setting})
    build_problem(cache.evidence(), mine)
    return mine


def open_upload() -> None:
    """A scenario file of the planner's own: checked before it replaces the work, kept with the session."""
    file = st.session_state.get(UPLOAD)
    if file is None:
        return
    try:
        take(read_upload(file.getvalue()), private=True)
        st.session_state[LINE] = None
        made_with = links.MADE_WITH.search(file.getvalue().decode("utf-8-sig"))
        st.session_state[WORDS] = links.other_evidence(made_with and made_with.group(2), cache.evidence())
    except PlannerError as error:
        st.session_state[FILE_FAULTS] = error.issues


def uploaded() -> dict[str, Scenario]:
    """Scenario files that were added to a comparison, by name; they stay in this session."""
    return st.session_state.setdefault(UPLOADED, {})


def read_cases(content: bytes) -> dict[str, float]:
    """People a year by indication, from the sheet `cases` of a workbook that `template` writes. Raises BadInput."""
    evidence = cache.evidence()
    with tempfile.TemporaryDirectory() as folder:  # the reader of workbooks wants a file; it is gone at once
        file = Path(folder) / "cases.xlsx"
        file.write_bytes(content)
        frames, faults = read_workbook(file, evidence.dictionary, only=CASES)
    if not faults and CASES not in frames:
        faults = [Issue("the workbook", f"it has no sheet “{CASES}”", "fill in the one that the command `template` writes")]
    cases: dict[str, float] = {}
    if not faults:
        cases, faults = hospital_cases(frames[CASES], {r["indication_id"] for r in evidence.records("indications")})
    if not faults and not any(cases.values()):
        faults = [Issue(f"sheet {CASES}", "it states no people", f"fill in its column “{CASES}”")]
    if faults:
        raise BadInput(faults)
    return cases


def open_cases(name: str) -> None:
    """A hospital's cases from a workbook: checked before they replace the work, kept with the session."""
    file = st.session_state.get(CASES_UPLOAD)
    st.session_state[CASES_FAULTS] = ()
    if file is None:
        return
    try:
        become_hospital(name, read_cases(file.getvalue()))
    except PlannerError as error:
        st.session_state[CASES_FAULTS] = error.issues


def add_upload() -> None:
    """Files for a comparison: each checked whole; what is wrong is told beside the uploader."""
    st.session_state[COMPARE_FAULTS] = ()
    for file in st.session_state.get(COMPARE_UPLOAD) or ():
        try:
            mine = read_upload(file.getvalue())
        except PlannerError as error:
            st.session_state[COMPARE_FAULTS] += error.issues
            continue
        name = mine.name[:80]
        if len(uploaded()) < MOST_UPLOADED or name in uploaded():
            uploaded()[name] = mine
        else:
            st.session_state[COMPARE_FAULTS] += (
                Issue(name, f"{MOST_UPLOADED} files are in already", "open the page anew to begin again"),)


# -- the address ---------------------------------------------------------------------------------------


def write_address() -> None:
    """Bring the address up to the state; what it cannot or must not hold stays out."""
    mine = scenario()
    wanted: dict[str, str] = {}
    if mine is not None and not is_private():
        wanted = links.write(mine) or {}
        if wanted:
            wanted["evidence"] = cache.evidence().digest[:links.SHORT]
        if wanted and st.session_state.get(LINE):
            wanted["line"] = st.session_state[LINE]
        if wanted and st.session_state.get(VIEW) not in (None, links.VIEWS[0]):
            wanted["view"] = st.session_state[VIEW]
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def has_link() -> bool:
    mine = scenario()
    return mine is not None and not is_private() and links.write(mine) is not None
