"""A question to an analysis: its answer, or how far it is, with the answer before it dimmed.

Every page of analyses goes through :func:`ask`, so that loading, stopped, refused and failed look the
same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from planner.analysis.study import Analysis
from planner.errors import PlannerError
from planner.evidence.base import Evidence
from planner.ui import cache, state
from planner.ui.jobs import Job, Key, Work
from planner.ui.widgets import dollars, issues, plain
from planner.ui.words import ended

PATIENCE = 0.6  # seconds in which a quick answer comes without a progress bar
LOOK = 1.0  # seconds between two looks at a running analysis
DIM = "<style>.st-key-{key} {{opacity: 0.45}}</style>"  # our own container only
NUMBER = re.compile(r"(?<![\w./\-–:])((?:US\$ )?\d[\d,]*(?:\.\d+)?(?: ?%| million| billion)?)(?![\w/\-]|\.\d)")
NAMED = (("indications", "indication_id", "name"), ("biomarkers", "biomarker_id", "short_name"),
         ("drugs", "drug", "name"), ("assays", "assay_id", "name"), ("therapies", "therapy_id", "name"),
         ("services", "service_id", "name"), ("cancer_sites", "cancer_site", "name"), ("countries", "iso3", "name"))
PERCENT = re.compile(r"(\d)%")
ID = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")
FAILED = "This could not be computed: something went wrong that should not have. The plan and your changes are as " \
    "they were; the fault is in the log of this app."


def ask(kind: str, key: Key, work: Work, draw: Callable[[Analysis], None], begin: bool = True,
        place: bool = True, private: bool = False) -> Analysis | None:
    """Draw the answer to a question, computing it beside the page where it is not known yet.

    begin: whether to start by itself; else only what was begun by :func:`start` is followed. place: whether
    an answer before counts only for the place on the left. private: keep the answer in this session, also
    where the scenario on the left need not be.
    """
    board, keep = cache.board(), cache.results(private or state.is_private())
    answer = keep.get(key)
    job = board.job(kind)
    if job is not None and job.key != key:
        board.forget(kind)
        job = None
    if answer is None and job is None and begin:
        job = board.begin(kind, key, work, keep)
    if answer is None and job is not None and job.wait(PATIENCE):
        answer = keep.get(key)
    if answer is not None:
        board.forget(kind)
        board.shown[kind] = answer
        draw(answer)
        return answer
    if job is not None:
        _state(kind, job, work, private)
    before = board.shown.get(kind)
    if before is not None and (not place or _same_place(before)):
        _before(kind, before, draw, job is not None and not job.done)
    return None


def start(kind: str, key: Key, work: Work, private: bool = False) -> None:
    """Begin (again)."""
    cache.board().begin(kind, key, work, cache.results(private or state.is_private()))


def _state(kind: str, job: Job, work: Work, private: bool) -> None:
    """How far a job is, or why it ended without an answer."""
    again = {"on_click": start, "args": (kind, job.key, work, private)}
    if not job.done:
        _watch(kind)
    elif job.stopped:
        st.info("Stopped; nothing of it is kept.", icon=":material/stop_circle:")
        st.button("Start again", key=f"{kind}_again", **again)
    elif isinstance(job.error, PlannerError):
        issues(job.error.issues, "This question cannot be answered for this scenario")
    else:
        st.error(FAILED, icon=":material/error:")
        st.button("Try again", key=f"{kind}_again", **again)


@st.fragment(run_every=LOOK)
def _watch(kind: str) -> None:
    """The progress of a job, looked at again and again; at its end the page is drawn anew."""
    job = cache.board().job(kind)
    if job is None or job.done:
        st.rerun()
    with st.container(key=f"{kind}_running"):
        words = job.words[:1].upper() + job.words[1:]
        st.progress(job.share, f"{plain(words)}… You can go on with other pages meanwhile.")
        st.button("Stop", key=f"{kind}_stop", on_click=job.stop, icon=":material/stop:")


def _before(kind: str, before: Analysis, draw: Callable[[Analysis], None], running: bool) -> None:
    """The answer that was shown last, told apart from one to the present question."""
    st.caption("Below, dimmed: the answer from before your last change"
               + (", until the new one is there." if running else "."))
    st.html(DIM.format(key=f"{kind}_before"))
    with st.container(key=f"{kind}_before"):
        draw(before)


def _same_place(before: Analysis) -> bool:
    mine = state.scenario()
    return mine is not None and before.scenario.setting == mine.setting


# -- words -------------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=1, show_spinner=False)
def _names(digest: str) -> dict[str, str]:
    """Id -> name of everything that a number may be of."""
    return {r[key]: r[name] for table, key, name in NAMED for r in cache.evidence().records(table)}


def names() -> dict[str, str]:
    return _names(cache.evidence().digest)


def without_ids(text: str, known: Mapping[str, str] | None = None) -> str:
    """Text of an analysis with names instead of ids: of a use case, a drug, a test, a treatment."""
    known = names() if known is None else known
    text = re.sub(rf"\b({ID.pattern}|[a-z0-9]+)/({ID.pattern}|[a-z0-9]+)\b", lambda m: _line(m, known), text)
    return ID.sub(lambda m: known.get(m.group(), m.group().replace("_", " ")), text)


def _line(found: re.Match, known: Mapping[str, str]) -> str:
    """biomarker in indication, where the two ids are those of a use case."""
    indication, biomarker = found.group(1), found.group(2)
    if indication in known and biomarker in known:
        return f"{known[biomarker]} in {known[indication]}"
    return found.group()


def bold(text: str) -> str:
    """A sentence of an analysis as Markdown: names for ids, its numbers in bold."""
    out, at = [], 0
    text = PERCENT.sub(r"\1 %", without_ids(text))
    for found in NUMBER.finditer(text):
        out += [plain_piece(text[at:found.start()]), f"**{plain_piece(found.group())}**"]
        at = found.end()
    return "".join([*out, plain_piece(text[at:])])


def plain_piece(text: str) -> str:
    """:func:`plain` for a part of a sentence, which keeps the blanks at its ends."""
    if not text.strip():
        return text
    left, right = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()):]
    return f"{left}{plain(text)}{right}"


def answer(words: Iterable[str], first: int = 2) -> None:
    """The answer in sentences: the first ones large, the others as points beneath."""
    said = [bold(ended(w)) for w in words]
    if said[:first]:
        st.markdown(dollars(" ".join(said[:first])))
    if said[first:]:
        st.markdown(dollars("\n".join(f"- {w}" for w in said[first:])))


def work_of(evidence: Evidence, call: Callable[..., Analysis], *args, watched: bool = True, **options) -> Work:
    """The work of an analysis: its function with the evidence at hand, for a thread that asks no page."""
    if watched:
        return lambda progress: call(*args, evidence, progress=progress, **options)
    return lambda progress: call(*args, evidence, **options)
