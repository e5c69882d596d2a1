"""One line of the list: its chain, its cost against the threshold, and what a planner may decide."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from planner.report import charts
from planner.report.numbers import show
from planner.result.plan import Plan
from planner.result.priority import TIER_WORDS
from planner.ui import cache, glossary, state
from planner.ui.widgets import dollars, picture, plain

BOX = "line_box"


def line_id(row: Mapping, several: bool) -> str:
    name = f"{row['indication_id']}/{row['biomarker_id']}"
    return f"{row['region']}:{name}" if several else name


def panel(plan: Plan) -> None:
    """The chosen line; the first of the list where none is chosen."""
    document = plan.document
    several = len(document["place"]) > 1
    rows = {line_id(r, several): r for r in document["list"]}
    if not rows:
        return
    chosen = st.session_state.get(state.LINE)
    if chosen is not None and chosen not in rows:
        st.info("The chosen line is not in this list; the first one is shown.")
        st.session_state[state.LINE] = chosen = None
    st.session_state[BOX] = chosen or next(iter(rows))
    st.selectbox("Look at one line", list(rows), key=BOX, on_change=_choose,
                 format_func=lambda i: f"{rows[i]['rank']}. {charts.line_name(rows[i])}")
    row = rows[st.session_state[BOX]]
    st.caption(plain(row["name"]))
    _value(row, document)
    picture(charts.funnel(row), "funnel", "Source: this plan and the page Evidence.", "chain")
    _decide(row)
    _drugs(plan, row)


def _choose() -> None:
    st.session_state[state.LINE] = st.session_state[BOX]


def _value(row, document) -> None:
    """All-in cost per QALY beside the threshold, the reason, and the price that pays."""
    threshold = document["threshold"]["value"]
    exact, ceiling = row["cost_per_qaly"], row["cost_per_qaly_ceiling"]
    ratio = exact if exact is not None else ceiling
    parts = [f"**{TIER_WORDS[row['priority_tier']]}**"]
    if ratio is not None:
        most = "" if exact is not None else "at most "
        verdict = "within" if ratio <= threshold else "above"
        parts.append(f"{most}{show(ratio, 'usd')} for a healthy year, all costs in: {verdict} the threshold of "
                     f"{show(threshold, 'usd')}")
    if row["drugs_above_threshold"] and row["cost_per_qaly_where_it_pays"] is not None:
        parts.append(f"{show(row['cost_per_qaly_where_it_pays'], 'cost_per_qaly')} without "
                     f"{', '.join(row['drugs_above_threshold'])}, above the threshold today")
    if row["price_that_pays"]:
        price = row["price_that_pays"]
        parts.append(f"it pays if a course of {price['name']} costs {show(price['price'], 'usd')} or less "
                     f"(today {show(price['course_cost'], 'usd')})")
    if row["reason"]:
        parts.append(plain(row["reason"]["text"]))
    st.markdown(dollars(" · ".join(parts)), help=glossary.meaning(
        "all-in cost per QALY", "threshold", "core, expand, at a lower price, when the drug is there, "
        "research only, not now"))


def _decide(row) -> None:
    """Mandate or strike out the line."""
    mine = state.scenario()
    item = f"{row['indication_id']}/{row['biomarker_id']}"
    funded, excluded = item in mine.policy.must_fund, item in mine.policy.exclude
    with st.container(horizontal=True):
        if not excluded:
            st.button("No longer a must" if funded else "Must be funded", key="must_button",
                      on_click=state.listed, args=(("policy", "must_fund"), item, not funded))
        if not funded:
            st.button("Put it back" if excluded else "Leave it out", key="exclude_button",
                      on_click=state.listed, args=(("policy", "exclude"), item, not excluded))


def _drugs(plan: Plan, row) -> None:
    """How many of those in need can get the line's drug, as today or as the planner says."""
    names = drugs_of(plan, row)
    if not names:
        return
    with st.expander("What if the drug were reachable?"):
        key = "drug_box"
        if st.session_state.get(key) not in names:
            st.session_state[key] = next(iter(names))
        drug = st.selectbox("Drug", list(names), key=key, format_func=names.get)
        mine = state.scenario().access.drugs.get(drug)
        share = mine if isinstance(mine, float | int) else getattr(mine, "share", None)
        today = row["access_share"] or 0.0
        st.session_state["access_slider"] = round(100 * (today if share is None else share))
        st.slider("Share of those in need who can get it, %", 0, 100, key="access_slider", on_change=_reach,
                  args=(drug,), help=glossary.meaning("access share"))
        with st.container(horizontal=True):
            st.button("Reachable for everyone", key="everyone_button", on_click=state.put,
                      args=(("access", "drugs", drug), 1.0))
            st.button("As today", key="as_today_button", disabled=share is None, on_click=state.put,
                      args=(("access", "drugs", drug), None))


def _reach(drug: str) -> None:
    state.put(("access", "drugs", drug), st.session_state["access_slider"] / 100)


def drugs_of(plan: Plan, row) -> dict[str, str]:
    """Id and name of the matched drugs of a line, as the evidence names them."""
    use = next((u for u in plan.problem.use_cases if u.region == row["region"] and
                u.indication == row["indication_id"] and u.biomarker == row["biomarker_id"]), None)
    ids = sorted({d for t in use.therapies for d in t.drugs}) if use else []
    return {d: cache.evidence().record("drugs", drug=d).get("name") or d for d in ids}
