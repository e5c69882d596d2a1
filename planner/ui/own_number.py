"""The panel beneath the numbers in use: where a number comes from, and a number of one's own in its place.

Numbers are typed in the unit that the panel names: shares in percent, money in the currency that is chosen. What is
typed stays with its number while other numbers or pages are looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from planner.errors import Issue, PlannerError
from planner.scenario.describe import namer
from planner.scenario.model import Scenario
from planner.scenario.own_words import PAYERS, of
from planner.ui import cache, changes, settable, state
from planner.ui.settable import NONE, OVERRIDE, Way, exact, known, untyped
from planner.ui.tables import OWN, SEPARATOR
from planner.ui.widgets import dollars, issues, plain
from planner.ui.words import ended, listed

CHOSEN, TOLD, DRAWN_ANEW = "fact_chosen", "own_number_faults", "facts_drawn_anew"
FIELDS = ("value", "low", "high", "currency", "year", "why", "source")
PLACES = {"why": "Why", "value": "New value", "low": "Low", "high": "High", "currency": "Currency", "year": "Prices of",
          "source": "Source"}
MOST_WHY, MOST_SOURCE = 400, 300


# -- what is looked at --------------------------------------------------------------------------------------------


def identity(fact: Mapping[str, Any]) -> tuple:
    """What a number is known by: its word and key, and where it stands in the evidence."""
    return fact["Number"], fact["key"], fact["table"], fact["column"], tuple((fact["own_key"] or {}).items())


def choose(found: tuple | None, anew: bool = False) -> None:
    """Look at a number; ``anew``: the table's own mark is set from here and not by a click on it."""
    st.session_state[CHOSEN] = found
    if anew:
        st.session_state[DRAWN_ANEW] = st.session_state.get(DRAWN_ANEW, 0) + 1


def chosen(facts: pd.DataFrame) -> Mapping[str, Any] | None:
    """The number that is looked at; an own number may stand under another key than the one that it replaced."""
    wanted = st.session_state.get(CHOSEN)
    if wanted is None:
        return None
    rows = facts[facts["Number"].eq(wanted[0])].to_dict("records")
    found = [r for r in rows if r["key"] == wanted[1]] or [r for r in rows if identity(r)[2:] == wanted[2:] and wanted[4]]
    return found[0] if found else None


def table_key(ids: list[tuple]) -> str:
    """Another table, without a mark of its own, for other rows: a place in it says nothing of a place in this one."""
    rows = hashlib.sha256("|".join(f"{i[0]}/{i[1]}" for i in ids).encode()).hexdigest()[:10]
    return f"facts_table_{rows}_{st.session_state.get(DRAWN_ANEW, 0)}"


def clicked(key: str, ids: list[tuple]) -> None:
    """A row of the table was chosen, or is no longer."""
    rows = st.session_state[key]["selection"]["rows"]
    choose(ids[rows[0]] if rows and rows[0] < len(ids) else None)


def marked(ids: list[tuple]) -> dict | None:
    """The number that is looked at, marked in the table where the filters leave it."""
    wanted = st.session_state.get(CHOSEN)
    return {"selection": {"rows": [ids.index(wanted)]}} if wanted in ids else None


# -- the panel ----------------------------------------------------------------------------------------------------


def panel(facts: pd.DataFrame, mine: Scenario) -> None:
    """The chosen number: what it is, where it comes from, and the form for another one."""
    fact = chosen(facts)
    if fact is None:
        return
    way = settable.way(fact, mine, cache.evidence())
    with st.container(border=True, key="own_number"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("### This number" if way.kind == NONE else "### Change this number", width="stretch")
            st.button("Close", key="own_number_close", icon=":material/close:", type="tertiary", on_click=choose,
                      args=(None, True))
        st.markdown(f"**{dollars(plain(title(fact, way)))}**")
        others = settable.also(facts, fact)
        shown_for = [f"**Shown for** {dollars(plain(fact['Of']))}"] if others else []
        st.markdown("\n".join(f"- {line}" for line in [*shown_for, *told(fact)]))
        if way.kind != NONE:
            _holds_for(fact, others)
        if way.kind == NONE:
            _otherwise(facts, way)
            return
        _back(fact, way, mine)
        _form(fact, way, mine)


def title(fact: Mapping[str, Any], way: Way) -> str:
    """What the number is of, in words."""
    if way.kind == OVERRIDE:
        return of(way.table, way.column, way.key, namer(cache.evidence()))
    return f"{fact['Number'][:1].upper()}{fact['Number'][1:]}: {fact['Of']}"


def told(fact: Mapping[str, Any]) -> list[str]:
    """Value, range, grade, origin, source and note of a number, a point each."""
    now = f"**Now** {dollars(plain(exact(fact['Value'], fact['Unit'])))}"
    low, high = fact["Low"], fact["High"]
    if known(low) and known(high) and low != high:
        now += dollars(plain(f", range {exact(low, fact['Unit'])} to {exact(high, fact['Unit'])}"))
    out = [f"{now}, grade {plain(fact['Grade'])}"]
    if known(fact["shipped"]):
        out.append(f"**Instead of** {dollars(plain(exact(fact['shipped'], fact['Unit'])))} in the evidence")
    out.append(f"**From** {plain(fact['From'])}")
    if fact["Source"] != OWN["citation"]:
        out.append(f"**Source** {dollars(plain(ended(fact['Source'])))}"
                   + (f" [Open the source](<{fact['Link']}>)" if fact["Link"] else ""))
    if fact["Note"]:
        out.append(f"**{'Why' if fact['level'] == 'scenario' else 'Note'}** {dollars(plain(ended(fact['Note'])))}")
    return out


def _holds_for(fact: Mapping[str, Any], others: list[str]) -> None:
    """What else one's own number would stand for: it is kept by a key that others share."""
    if fact["table"] == "drug_access":
        drug, payer = fact["own_key"]["drug"], PAYERS[fact["own_key"]["payer"]]
        words = f"A number of your own holds for every use of {namer(cache.evidence())('drug', drug)} paid by {payer}, also " \
            "where none is known now"
        where = listed(other.split(SEPARATOR)[1] for other in others)
        st.caption(dollars(plain(f"{words}; here also for: {where}." if others else f"{words}.")))
    elif others:
        st.caption(dollars(plain(f"A number of your own also replaces: {listed(others)}.")))


def _otherwise(facts: pd.DataFrame, way: Way) -> None:
    """Why a number cannot be set here, and what to do instead."""
    st.info(dollars(plain(way.why)), icon=":material/info:")
    for fact in facts.to_dict("records") if way.instead else ():
        if (fact["Number"], fact["key"]) == way.instead:
            st.button(dollars(plain(f"Show {fact['Number']}: {fact['Of']}")), key="own_number_instead", on_click=choose,
                      args=(identity(fact), True), icon=":material/arrow_forward:")
            return


def _back(fact: Mapping[str, Any], way: Way, mine: Scenario) -> None:
    """Back to the number of the evidence, where the own one was set here."""
    change = settable.change(way, mine)
    if change is None:
        return
    was = f": {exact(fact['shipped'], fact['Unit'])} again" if known(fact["shipped"]) else ""
    st.button(dollars(plain(f"Take it back{was}")), key="own_number_back", icon=":material/undo:", on_click=_taken_back,
              args=(change, token(fact)))


def _taken_back(change: changes.Change, name: str) -> None:
    state.take_back(change)
    _forget(name)


# -- the form -----------------------------------------------------------------------------------------------------


def _form(fact: Mapping[str, Any], way: Way, mine: Scenario) -> None:
    name, unit = token(fact), settable.typed_unit(fact["Unit"], way, cache.evidence().base_year)
    before = _typed_before(way, mine)
    with st.container(horizontal=True):  # no form: what is typed in one is lost when the page is left
        _text("value", name, f"New value, {unit}" if unit else "New value", before, 230)
        if way.kind == OVERRIDE:
            _text("low", name, "Low (optional)", before, 150)
            _text("high", name, "High (optional)", before, 150)
        if way.money:
            _money(name, before)
    if way.kind == OVERRIDE:
        with st.container(horizontal=True):
            _text("why", name, "Why", before, 420, MOST_WHY)
            _text("source", name, "Source (optional)", before, 420, MOST_SOURCE)
    _faults(name)
    st.button("Use this number", key="own_number_use", type="primary", on_click=_use, args=(fact, way), icon=":material/check:")


def _text(field: str, name: str, label: str, before: Mapping[str, str], width: int, most: int = 40) -> None:
    st.text_input(label, before.get(field, ""), max_chars=most, key=f"own_{field}_{name}", width=width, persist_state="session")


def _money(name: str, before: Mapping[str, str]) -> None:
    """Currency and price year, for money only: dollars of the base year unless it is said otherwise."""
    coins = ["USD", *sorted({r["currency"] for r in cache.evidence().records("exchange_rates")} - {"USD"})]
    st.selectbox("Currency", coins, coins.index(before.get("currency") or "USD"), key=f"own_currency_{name}", width=120,
                 persist_state="session", format_func=lambda c: "US$" if c == "USD" else c)
    st.number_input("Prices of", 1990, 2100, int(before.get("year") or cache.evidence().base_year), key=f"own_year_{name}",
                    width=150, persist_state="session")


def _typed_before(way: Way, mine: Scenario) -> dict[str, Any]:
    """The fields as they state the own number that stands there."""
    if way.kind != OVERRIDE:
        return {}
    own = next((o for o in mine.override if (o.table, o.column, o.key) == (way.table, way.column, dict(way.key))), None)
    if own is None:
        return {}
    ends = {field: untyped(getattr(own, field), way.percent) for field in ("value", "low", "high")}
    return ends | {"currency": own.currency, "year": own.year, "why": own.why, "source": own.source}


def _faults(name: str) -> None:
    found = st.session_state.get(TOLD)
    if found and found[0] == name:
        issues(found[1], "This number could not be taken over; the one before still stands")


def _use(fact: Mapping[str, Any], way: Way) -> None:
    """Take the form over, or tell beside it what is wrong."""
    name, mine = token(fact), state.scenario()
    typed = {field: st.session_state.get(f"own_{field}_{name}") for field in FIELDS}
    st.session_state[TOLD] = None
    try:
        new = settable.taken(mine, way, {k: v for k, v in typed.items() if v is not None}, cache.evidence())
    except PlannerError as error:
        st.session_state[TOLD] = (name, tuple(map(_beside, error.issues)))
        return
    state.try_edit(lambda: new)


def _forget(name: str) -> None:
    """Empty the fields of a number that was taken back."""
    for field in FIELDS:
        st.session_state.pop(f"own_{field}_{name}", None)
    st.session_state[TOLD] = None


def _beside(found: Issue) -> Issue:
    """A fault with the field's name in place of its place in a file."""
    return Issue(PLACES.get(found.where.rpartition(".")[2], "New value"), found.what, found.remedy, found.code)


def token(fact: Mapping[str, Any]) -> str:
    """A short name of a number for the keys of its fields."""
    return hashlib.sha256(f"{fact['Number']}|{fact['key']}".encode()).hexdigest()[:10]
