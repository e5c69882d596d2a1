"""Parts that several pages share: a picture with its table, faults in words, the foot of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from planner import MODEL_VERSION
from planner.analysis.study import Analysis
from planner.errors import Issue
from planner.report.analyses import analysis_json, columns_of, rows_of, tables_of
from planner.report.charts import Picture
from planner.report.numbers import show
from planner.report.tables import csv_text, guarded
from planner.ui import cache, links, state
from planner.ui.words import ended

PLOT = {"displayModeBar": False, "responsive": True}
JOINER = "\u2060"  # of no width: keeps an address from becoming a link
AUTOLINK = re.compile(r"(www|https?|ftp|mailto|[\w.+-](?=@))(\.|:|@)", re.IGNORECASE)
LIST_MARK = re.compile(r"^(\d*)([-+=.)])")
FEW_ROWS = 9  # of a table that needs no height of its own
FIRST_COLUMN = 238  # pixels of a frozen column of long names: leaves room for others on a phone
# white on the light blue of the dark theme is too pale to read
DARK = "<style>button[kind^='primary'] :is(p, span), [data-tag] span {color: #12181f}</style>"
# on a phone a small table breaks its words rather than scroll, out of the reach of the keyboard
NARROW = "<style>@media (max-width: 640px) {[data-testid='stTable'] :is(th, td) {overflow-wrap: anywhere; min-width: 0; " \
         "padding: 0.25rem}}</style>"
INK = {False: "#37424f", True: "#cfd8e3"}


def dress() -> None:
    """What the theme's settings cannot say."""
    st.html(NARROW)
    if st.context.theme.type == "dark":
        st.html(DARK)


def money(usd: float | None, document: Mapping[str, Any]) -> str:
    """US dollars of the base year, with local money beside them where its rate is known."""
    if usd is None:
        return "unknown"
    text = show(usd, "usd")
    currency = document["currency"]
    if currency["code"] == "USD" or not currency["per_usd"]:
        return text
    local = show(usd * currency["per_usd"], "usd").replace("US$", currency["code"])
    return f"{text} ({local})"


def plain(text: str) -> str:
    """Text from tables as text: Markdown and dollar signs (which would start a formula) escaped, one
    line, no address that would become a link by itself."""
    text = " ".join(str(text).split())
    text = AUTOLINK.sub(lambda m: m.group(1) + JOINER + m.group(2), text)
    for mark in ("\\", "$", "*", "_", "[", "]", "`", "<", ">", "~", ":", "|", "!", "#"):
        text = text.replace(mark, "\\" + mark)
    return LIST_MARK.sub(r"\1\\\2", text)


def dollars(markdown: str) -> str:
    """Our own Markdown with its dollar signs kept from starting a formula."""
    return markdown.replace("\\$", "$").replace("$", "\\$")


def picture(made: Picture, key: str, source: str, file: str, analysis: Analysis | None = None) -> None:
    """Title, subtitle, figure, source line; the numbers and their download beneath.

    analysis: the answer that the picture is of, offered whole as JSON.
    """
    st.markdown(f"### {dollars(plain(made.title))}")
    st.caption(dollars(plain(made.subtitle)))
    # the theme's chart text is too pale to read; the page's own ink, by the theme in use
    made.figure.update_layout(font={"color": INK[st.context.theme.type == "dark"]})
    st.plotly_chart(made.figure, key=key, config=PLOT, alt=made.alt)
    st.caption(source)
    with st.expander("The numbers of this picture"):
        st.table(_shown(made.table, made.kinds), alt=made.alt)
        with st.container(horizontal=True):
            csv_button(made.table, file, f"{key}_csv")
            if analysis is not None:
                json_button(analysis, f"{key}_json")


def json_button(analysis: Analysis, key: str) -> None:
    """The whole answer of an analysis, unrounded, made on the click."""
    st.download_button("Whole answer as JSON", lambda: analysis_json(analysis), f"{analysis.kind}.json",
                       "application/json", key=key, on_click="ignore", type="tertiary", icon=":material/data_object:")


def files(analysis: Analysis, name: str, key: str) -> None:
    """One table of an analysis with every column as CSV, and the whole answer as JSON."""
    made = next(t for t in tables_of(analysis) if t.name == name)
    with st.container(horizontal=True):
        csv_button(lambda: csv_text(columns_of(analysis, made), rows_of(analysis, name)), f"{analysis.kind}_{name}", f"{key}_csv")
        json_button(analysis, f"{key}_json")


def _shown(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Numbers to a few figures, words in the header."""
    out = frame.copy()
    for name in out.columns:
        if name in kinds or (out[name].dtype.kind in "fi" and name != "rank"):
            kind = kinds.get(name) or ("share" if name == "coverage" else "usd" if name == "budget" else "qalys")
            out[name] = ["" if pd.isna(v) else show(v, kind).replace("$", "\\$") for v in out[name]]
        elif out[name].dtype.kind == "b":
            out[name] = ["yes" if v else "" for v in out[name]]
        elif name != "rank":
            out[name] = [plain(v) for v in out[name]]
    return out.rename(columns=lambda c: str(c).replace("_", " ").replace("qalys", "QALYs"))


def csv_button(made: pd.DataFrame | Callable[[], str], file: str, key: str) -> None:
    """The exact numbers as CSV, made on the click; no cell can start a formula."""
    st.download_button("Download as CSV", lambda: csv(made), f"{file}.csv", "text/csv", key=key,
                       on_click="ignore", type="tertiary", icon=":material/download:")


def csv(made: pd.DataFrame | Callable[[], str]) -> bytes:
    """With the mark by which spreadsheets know UTF-8."""
    if callable(made):
        return made().encode("utf-8-sig")
    return made.rename(columns=guarded).astype(object).map(guarded).to_csv(index=False).encode("utf-8-sig")


def table(frame: pd.DataFrame, kinds: Mapping[str, str], alt: str, key: str,
          columns: Mapping[str, Any] | None = None, height: int | str = "auto") -> None:
    """A sortable table with the first column frozen and numbers to a few figures.

    kinds: column -> kind of number for the rounding; the values beneath stay exact.
    """
    style = frame.style.format({name: (lambda v, kind=kind: "" if pd.isna(v) else show(v, kind, unit=False))
                                for name, kind in kinds.items() if name in frame})
    config = dict(columns or {})
    first = frame.columns[0]
    long = len(frame) and frame[first].astype(str).str.len().max() > 32
    config.setdefault(first, st.column_config.Column(first, pinned=True, width=FIRST_COLUMN if long else None))
    if height != "auto" and len(frame) < FEW_ROWS:
        height = "auto"  # no empty rows beneath a few
    st.dataframe(style, hide_index=True, column_config=config, key=key, alt=alt, height=height, placeholder="")


def issues(found: Iterable[Issue], title: str) -> None:
    """Faults in words, each with what to do."""
    st.error(dollars(f"**{title}**\n\n" + "\n".join(map(fault, found))), icon=":material/error:")


def fault(found: Issue) -> str:
    """One fault as a point: where, what, what to do."""
    remedy = ended(found.remedy) if found.remedy else ""
    return f"- **{plain(found.where)}**: {plain(ended(found.what))} {plain(remedy[:1].upper() + remedy[1:])}".rstrip()


def line_words(item: str) -> str:
    """A use case's id in words: biomarker and cancer."""
    indication, _, biomarker = item.partition("/")
    evidence = cache.evidence()
    first = evidence.record("biomarkers", biomarker_id=biomarker).get("short_name", biomarker)
    return f"{first} · {evidence.record('indications', indication_id=indication).get('name', indication)}"


def foot(document: Mapping[str, Any] | None) -> None:
    """Place, versions and what this is not, at the foot of every page."""
    evidence, mine = cache.evidence(), state.scenario()
    place = links.place_name(evidence, mine.setting.model_dump()) if mine else "no place chosen"
    if document:
        place = ", ".join(p["name"] for p in document["place"][:3])
    if document and len(document["place"]) > 3:
        place += f" and {len(document['place']) - 3} more regions"
    st.divider()
    st.caption(f"{plain(place)} · evidence {evidence.version} ({evidence.digest[:8]}) · model {MODEL_VERSION} · "
               f"US dollars of {evidence.base_year} · **planning aid, not clinical advice**")


def told() -> None:
    """Words of advice and faults of the last edit, above the page."""
    for text in state.words():
        st.info(dollars(text), icon=":material/info:")
    if state.faults():
        issues(state.faults(), "This could not be taken over; the plan before it is still shown")
