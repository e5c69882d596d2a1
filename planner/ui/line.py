"""One line of the list: its chain, its cost against the threshold, and what a planner may decide."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from planner.report import charts
from planner.report.numbers import counted, show
from planner.result.plan import Plan
from planner.result.priority import TIER_WORDS
from planner.ui import cache, glossary, state, words
from planner.ui.widgets import dollars, picture, plain

BOX = "line_box"


def line_id(row: Mapping, several: bool) -> str:
    name = f"{row['indication_id']}/{row['biomarker_id']}"
    return f"{row['region']}:{name}" if several else name


@st.fragment
def panel(plan: Plan, stamp: tuple) -> None:
    """The chosen line; the first of the list where none is chosen. A fragment: another line does not
    draw the whole page anew, a decision does."""
    if state.stamp() != stamp:
        st.rerun()
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
    st.markdown(dollars("\n".join(f"- {point}" for point in points(row, document))), help=glossary.meaning(
        "all-in cost per QALY", "threshold", "core, expand, at a lower price, when the drug is there, "
        "research only, not now"))
    _decide(row)
    picture(charts.funnel(row, document), "funnel", "Source: this plan and the page Evidence.", "chain")
    _needs(plan, row)
    _drugs(plan, row)
    if st.button("The numbers behind this line", key="facts_button", type="tertiary", icon=":material/menu_book:"):
        st.session_state[state.ABOUT] = f"{row['indication_id']}/{row['biomarker_id']}"
        st.switch_page("planner/ui/pages/evidence.py")
    state.write_address()


def _choose() -> None:
    st.session_state[state.LINE] = st.session_state[BOX]


def points(row, document) -> list[str]:
    """What there is to say of a line: in the plan or not, worth its price or not, what would change it."""
    said = [_in_plan(row, document), _worth(row, document), *_change(row, document)]
    must = words.must_cost(row)
    if must:
        said.append(f"**A must:** {plain(must)}.")
    return said


def _in_plan(row, document) -> str:
    covered = f"{show(row['coverage'], 'share')} of those eligible are tested"
    state_words = {"full": f"**In the plan: yes.** {covered}", "part": f"**In the plan: in part.** {covered}",
                   "no": "**In the plan: no**"}[row["funded"]]
    why = words.reason(row, document)
    if row["funded"] == "no":
        return f"{state_words}, {plain(why)}." if why else f"{state_words}."
    return f"{state_words}; {plain(why)}." if why else f"{state_words}."


def _worth(row, document) -> str:
    """All-in cost per healthy year beside the threshold."""
    threshold = show(document["threshold"]["value"], "usd")
    exact, ceiling = row["cost_per_qaly"], row["cost_per_qaly_ceiling"]
    ratio = exact if exact is not None else ceiling
    tier = f" ({TIER_WORDS[row['priority_tier']]})"
    if ratio is None and row["funded"] != "no" and row["qalys"] is not None and row["qalys"] <= 0:
        return f"**Worth its price? No**{tier}: it brings no healthy years in this plan."
    if ratio is None:
        return f"**Worth its price?** It cannot be said{tier}."
    most = "" if exact is not None else "at most "
    if ratio < 0:
        return f"**Worth its price? Yes**{tier}: it saves money, all costs in."
    within = ratio <= document["threshold"]["value"]
    text = f"**Worth its price? {'Yes' if within else 'No'}**{tier}: {most}{show(ratio, 'usd')} for a healthy year, " \
        f"all costs in; the threshold is {threshold}"
    dear, where = row["drugs_above_threshold"], row["cost_per_qaly_where_it_pays"]
    if dear and where is not None:
        it = show(where, "usd") if where >= 0 else "it saves money"
        text += f". Without {plain(words.listed(dear, 3))}: {it}"
    return f"{text}."


def _change(row, document) -> list[str]:
    """What would change the verdict: a price, the drug's reach, money, another test first."""
    out, code = [], (row["reason"] or {}).get("code")
    price = row["price_that_pays"]
    if price:
        out.append(f"a course of {plain(price['name'])} at {show(price['price'], 'usd')} or less (today "
                   f"{show(price['course_cost'], 'usd')})")
    if row["priority_tier"] == "when_drug" or code == "not_accessible":
        reach = show(row["access_share"], "share") if row["access_share"] is not None else "few"
        out.append(f"a drug that more than {reach} of those in need can get")
    axis, at = document["frontier_axis"], row["full_budget"] if row["funded"] == "part" else row["entry_budget"]
    limit = document["scenario"]["budget"][axis]
    if code == "below_cut_off" and at is not None and isinstance(limit, int | float) and at > limit:
        out.append(f"{show(at, 'usd')} a year for {charts.AXIS_WORDS[axis]}")
    return [f"**What would change it:** {'; or '.join(out)}."] if out else []


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


def _needs(plan: Plan, row) -> None:
    """What the line takes: tests, laboratory, money, drugs."""
    use, indication = use_case(plan, row)
    if use is None:
        return
    taken = {s["service"]: s["share"] for s in row["services"]}
    offered = [s for s in indication.services if s.result(use.biomarker)]
    chosen = [s for s in offered if s.service in taken] or sorted(offered, key=lambda s: s.cost)[:1]
    if not chosen and not use.therapies:
        return
    evidence, said = cache.evidence(), []
    for service in chosen:
        labs = {str(evidence.record("assays", assay_id=a.assay).get("laboratory_tier") or "").replace("_", " ")
                for a in service.assays}
        where = f"; {' and '.join(sorted(labs - {''}))} laboratory" if labs - {""} else ""
        said.append(f"- **Test:** {plain(service.name)}, {show(service.cost, 'usd')} per patient{plain(where)}")
    if row["funded"] != "no":
        said.append(f"- **Money a year:** tests {show(row['testing_cost'], 'usd')} for "
                    f"{show(row['patients_tested'], 'people')} people, drugs {show(row['treatment_cost'], 'usd')} for "
                    f"{show(row['patients_treated'], 'people')} treated")
    if use.requires:
        names = [r["short_name"] for r in plan.document["list"] if r["biomarker_id"] in use.requires]
        said.append(f"- **First:** {plain(words.listed(names))}")
    for therapy in use.therapies[:4]:
        said.append(f"- **Drug:** {plain(therapy.name)}, {show(therapy.course_cost, 'usd')} a course; "
                    f"{show(therapy.alpha, 'share')} of those in need can get it")
    if len(use.therapies) > 4:
        said.append(f"- and {counted(len(use.therapies) - 4, 'more drug')}")
    with st.expander("What it needs: test, laboratory, money, drug"):
        st.markdown(dollars("\n".join(said)))


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
        reach = {d["drug"]: d["share"] for d in row.get("drugs") or ()}
        today = reach.get(drug, row["access_share"] or 0.0)  # each drug has its own reach
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


def use_case(plan: Plan, row):
    """The use case of a row with its indication, as the problem has them; (None, None) if unknown."""
    return next(((u, i) for i in plan.problem.indications for u in i.use_cases if u.region == row["region"] and
                 u.indication == row["indication_id"] and u.biomarker == row["biomarker_id"]), (None, None))


def drugs_of(plan: Plan, row) -> dict[str, str]:
    """Id and name of the matched drugs of a line, as the evidence names them."""
    use, _ = use_case(plan, row)
    ids = sorted({d for t in use.therapies for d in t.drugs}) if use else []
    return {d: cache.evidence().record("drugs", drug=d).get("name") or d for d in ids}
