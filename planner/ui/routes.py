"""Evidence, "How a drug is reached": status by route, the rule that makes the share, the share by payer."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from planner.pathway.build import settings
from planner.pathway.routes import COUNTS_WORDS, ROUTE_WORDS, Access, PayerShare, Route, access
from planner.report.evidence_words import level_words
from planner.report.numbers import PAYER_WORDS, show
from planner.ui import ask, cache, glossary, state
from planner.ui.tables import link
from planner.ui.widgets import csv_button, dollars, plain

DRUG_BOX, FOR_BOX = "route_drug", "route_for"
STATUS_WORDS = {"yes": "yes", "partial": "in part", "no": "no", "unknown": "not known"}


def draw() -> None:
    evidence, mine = cache.evidence(), state.scenario()
    names = {r["drug"]: r["name"] for r in evidence.records("drugs")}
    used = _uses(evidence.digest)
    line = st.session_state.get(state.ABOUT) or st.session_state.get(state.LINE)
    wanted = st.session_state.get(state.DRUG) or _first_drug(line)
    with st.container(horizontal=True):
        drug = st.selectbox("Drug", list(used), key=DRUG_BOX, width=320, format_func=names.get,
                            index=list(used).index(wanted) if wanted in used else 0)
        indication = st.selectbox("For", used[drug], key=f"{FOR_BOX}_{drug}", width=420, format_func=ask.names().get)
    where = settings(evidence, mine)[0]
    found = access(evidence, where, mine, drug, indication)
    _answer(found, names[drug], where.name)
    left, right = st.columns([1, 1], gap="large")
    with left:
        _payers(found)
    with right:
        _counts(found)
    _routes(found)
    csv_button(_file(found), f"access_{drug}_{where.iso3}", "routes_csv")


def _first_drug(line: str | None) -> str | None:
    """The first matched drug of a line."""
    indication, _, biomarker = (line or "").partition("/")
    evidence = cache.evidence()
    for row in evidence.records("therapies", indication_id=indication, biomarker_id=biomarker):
        for drug in evidence.records("therapy_drugs", therapy_id=row["therapy_id"], part="added"):
            return drug["drug"]
    return None


@st.cache_resource(max_entries=1, show_spinner=False)
def _uses(digest: str) -> dict[str, list[str]]:
    """Matched drugs, each with the indications it is used in, by name."""
    evidence = cache.evidence()
    of = {r["therapy_id"]: r["indication_id"] for r in evidence.records("therapies")}
    out: dict[str, list[str]] = {}
    for row in evidence.records("therapy_drugs"):
        if row["part"] == "added":
            out.setdefault(row["drug"], [])
            if of[row["therapy_id"]] not in out[row["drug"]]:
                out[row["drug"]].append(of[row["therapy_id"]])
    return dict(sorted(out.items()))


def _answer(found: Access, drug: str, where: str) -> None:
    if found.share is None:
        st.markdown(dollars(f"## {plain(drug)} in {plain(where)}: no share is known"))
        return
    parts = ", ".join(f"{PAYER_WORDS[p.payer]} {show(p.share, 'share')}" for p in sorted(found.payers, key=lambda p: -p.share)
                      if p.share > 0)
    st.markdown(dollars(f"## {plain(drug)} in {plain(where)}: {show(found.share, 'share')} of those in need can get it today"))
    own = "" if found.own is None else f" **You set {show(found.own, 'share')}**, which the plan uses instead."
    most = f" Bought access could reach {show(found.ceiling, 'share')}." if found.ceiling else ""
    fixed = "" if found.courses is None else f" Supply is fixed at {show(found.courses, 'people')} courses a year."
    st.markdown(dollars((f"Paid by: {parts}." if parts else "Nobody pays for it.") + most + fixed + own),
                help=glossary.meaning("access share", "payer"))


def _payers(found: Access) -> None:
    st.markdown("**Who pays, and where the share comes from**")
    if not found.payers:
        st.write("No payer has a share at any level.")
        return
    st.table(pd.DataFrame([{
        "Payer": PAYER_WORDS[p.payer], "Share": show(p.share, "share"), "Range": _range(p), "Grade": p.grade,
        "Holds for": level_words(p.level, ask.names().get(p.stratum, p.stratum)),
    } for p in found.payers]), alt="Share by payer", hide_index=True)
    for rule, payers in _by_rule(found).items():
        first = payers[0]
        if rule:
            text = f"**Rule “{plain(first.rule_name)}”** applies when: {plain(_when(first.when))}."
        else:
            text = f"**Measured** for this place: {plain(first.status or 'no rule is applied')}."
        notes = "; ".join(dict.fromkeys(p.note for p in payers if p.note))
        st.markdown(dollars(f"{text} {plain(notes)}"))
        st.caption(dollars("Source: " + "; ".join(dict.fromkeys(_cited(s) for p in payers for s in p.sources))))


def _when(status: str) -> str:
    """The condition of a rule in words: ``reimbursed=yes`` becomes "paid by the state …: yes"."""
    def word(found: re.Match) -> str:
        route = ROUTE_WORDS.get(found[1], found[1])
        return f"{route[0].lower()}{route[1:]}: {found[2].replace('unknown', 'not known').replace('partial', 'in part')}"

    return re.sub(r"(\w+)=(\w+(?: or \w+)?)", word, status)


def _by_rule(found: Access) -> dict[str, list[PayerShare]]:
    out: dict[str, list[PayerShare]] = {}
    for p in found.payers:
        out.setdefault(p.rule, []).append(p)
    return out


def _range(p: PayerShare) -> str:
    return "" if p.low is None or p.high is None else f"{show(p.low, 'share')} to {show(p.high, 'share')}"


def _cited(source: str) -> str:
    row = cache.evidence().record("sources", source_id=source)
    address = link(row)
    text = plain(row.get("citation", source))
    return f"{text} [link]({address})" if address else text


def _counts(found: Access) -> None:
    st.markdown("**Whom the share counts**")
    counted = set().union(*(p.includes for p in found.payers)) if found.payers else set()
    inside = [w for k, w in COUNTS_WORDS.items() if k in counted]
    outside = [w for k, w in COUNTS_WORDS.items() if k not in counted and k != "none"]
    points = []
    if "none" in counted:
        points.append("The denominator is every case in the country, so losses before the drug are already in the share.")
    elif inside:
        points.append(f"The denominator is everybody who {_and(inside)}.")
    if outside and "none" not in counted:
        points.append(f"Whether a patient {', or '.join(outside)} is not asked of it: that loss is already within the share, and "
                      "is not counted again.")
    if not outside:
        points.append("What is lost before (no test, not fit) is counted along the chain, not here.")
    points += ["The share says who starts, not who completes the course.", _trials(found)]
    st.markdown(dollars("\n".join(f"- {p}" for p in points)))


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _trials(found: Access) -> str:
    told = "; ".join(f"{STATUS_WORDS[r.status]} ({plain(r.detail)})" for r in found.trials) or "none is known here"
    t = found.trial_share
    share = f"; about {show(t.share, 'share')} of patients ({level_words(t.level, t.stratum)})" if t else ""
    return f"**Trials are kept apart**: {told}{share}. They are shown and never added to the share."


def _routes(found: Access) -> None:
    st.markdown("**Status by route**", help="A listing is not stock, a registration is not payment: see docs/access.md.")
    rows = [_row(r) for r in found.routes]
    unread = [ROUTE_WORDS[r] for r in ROUTE_WORDS if r != "trial" and r not in {x.route for x in found.routes}]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="routes_status", alt=f"Status of {len(rows)} routes",
                     column_config={"Route": st.column_config.Column(pinned=True, width=210),
                                    "What the source says": st.column_config.Column(width=420),
                                    "Source": st.column_config.Column(width=420),
                                    "Link": st.column_config.LinkColumn("Link", display_text="open", width=70)})
    if unread:
        st.caption(f"Nothing was read on: {', '.join(w[0].lower() + w[1:] for w in unread)}.")


def _row(r: Route) -> dict:
    source = cache.evidence().record("sources", source_id=r.source)
    return {"Route": ROUTE_WORDS[r.route], "Status": STATUS_WORDS[r.status], "What the source says": r.detail, "Year": r.year,
            "Holds for": level_words(r.level, ask.names().get(r.stratum, r.stratum)), "Grade": r.grade, "Note": r.note,
            "Source": source.get("citation", r.source), "Link": link(source)}


def _file(found: Access) -> pd.DataFrame:
    """Routes, trials and shares in one table, unrounded."""
    rows = [{"kind": "route", "name": r.route, "status": r.status, "detail": r.detail, "level": r.level, "stratum": r.stratum,
             "grade": r.grade, "source_id": r.source} for r in (*found.routes, *found.trials)]
    shares = [*found.payers, *([found.trial_share] if found.trial_share else [])]
    rows += [{"kind": "payer", "name": p.payer, "status": p.status, "share": p.share, "low": p.low, "high": p.high,
              "rule": p.rule, "includes": ";".join(p.includes), "detail": p.note, "level": p.level, "stratum": p.stratum,
              "grade": p.grade, "source_id": ";".join(p.sources)} for p in shares]
    return pd.DataFrame(rows)
