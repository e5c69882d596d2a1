"""The page Plan: the answer, the ladder, the list, one line's chain, today beside it, files out."""

from __future__ import annotations

import io

import streamlit as st

from planner.errors import BadInput, Infeasible
from planner.report import charts
from planner.report.numbers import PAYER_WORDS, sentence, show
from planner.report.tables import plan_json
from planner.result.plan import Plan
from planner.ui import cache, glossary, line, lists, state
from planner.ui.conflict import conflict
from planner.ui.widgets import dollars, foot, issues, money, picture, plain

EXAMPLES = ("KEN", "IND", "DEU")
SOURCE = "Source: this plan; every number in use stands on the page Evidence."


def page() -> None:
    """Everything below the title; what cannot be computed says why and what to do."""
    st.title("Which biomarkers to test, in which order")
    mine = state.scenario()
    if mine is None:
        welcome()
        foot(None)
        return
    plan = compute(mine)
    if plan is None:
        foot(None)
        return
    show_plan(plan)
    foot(plan.document)


def compute(mine) -> Plan | None:
    """The plan, or the reason in words why there is none."""
    try:
        with st.spinner("Planning: the list below is the one before…", show_time=True):
            return cache.plan(mine, state.is_private())
    except Infeasible as error:
        conflict(mine, error.issues)
    except BadInput as error:
        issues(error.issues, "This cannot be planned yet")
        st.caption("Take a change back on the left, or choose another place.")
    return None


def welcome() -> None:
    st.markdown("Choose a country on the left (on a phone: » at the top). The plan shows which cancer biomarkers to "
                "test first for the people, tests and drugs there are, what each line brings and costs, and what "
                "holds it back.")
    st.markdown("**Or look at an example:**")
    evidence = cache.evidence()
    with st.container(horizontal=True):
        for code in EXAMPLES:
            name = evidence.record("countries", iso3=code).get("name", code)
            st.button(name, key=f"example_{code}", on_click=state.move, args=({"country": code},))
    st.caption("It is a planning aid for lists and budgets. It says nothing about a single patient.")


def show_plan(plan: Plan) -> None:
    document = plan.document
    st.markdown(f"#### {plain_place(document)}")
    st.markdown(dollars(sentence(document, bold=True)))
    figures(document)
    limits(document)
    left, right = st.columns([3, 2], gap="large")
    with left:
        picture(charts.ladder(document), "ladder", SOURCE, "ladder")
    with right:
        line.panel(plan)
        budget = plan.scenario.limit(document["frontier_axis"], 0)
        picture(charts.frontier(document, budget), "frontier", SOURCE, "money_and_health")
    lists.three_views(document)
    lists.not_now(document)
    lists.compared_with_today(document)
    take_away(plan)
    how(plan)


def plain_place(document) -> str:
    names = [plain(p["name"]) for p in document["place"]]
    return names[0] if len(names) == 1 else f"{len(names)} regions: {', '.join(names[:4])}…"


def figures(document) -> None:
    """The totals, each with its difference from today where today is known."""
    totals, before = document["totals"], document["reference"]["totals"]

    def delta(name, kind):
        if before is None:
            return None
        change = totals[name] - before[name]
        return f"{'+' if change >= 0 else ''}{show(change, kind)}"

    with st.container(horizontal=True):
        for words, name, kind, colour, terms in (
            ("People tested a year", "patients_tested", "people", "off", ("eligible patients", "coverage")),
            ("Get a matched drug", "patients_treated", "people", "off", ("matched drug",)),
            ("Healthy years (QALYs)", "qalys", "qalys", "off", ("QALY",)),
            ("Tests, money a year", "testing_cost", "usd", "off", ("base year",)),
            ("Drugs, money a year", "treatment_cost", "usd", "off", ("reference", "base year")),
        ):
            st.metric(words, show(totals[name], kind), delta(name, kind), delta_color=colour, delta_arrow="off",
                      help=glossary.meaning(*terms), width=171)
    notes = []
    if document["currency"]["code"] != "USD" and document["currency"]["per_usd"]:
        notes.append(f"Tests {money(totals['testing_cost'], document)}, drugs "
                     f"{money(totals['treatment_cost'], document)} a year.")
    if before is not None:
        notes.append("In grey: the difference from today's practice, where it is known.")
    if notes:
        st.caption(dollars(" ".join(notes)))


def limits(document) -> None:
    """Who pays for the drugs, and what binds: money, laboratory staff, drugs."""
    costs = document["totals"]["cost_by_payer"]
    paid = [f"{PAYER_WORDS[z]} {show(v, 'usd')}" for z, v in sorted(costs.items(), key=lambda p: -p[1]) if abs(v) > 0.5]
    lines = [f"- **Who pays for the drugs:** {', '.join(paid)}."] if document["totals"]["treatment_cost"] < 0 else []
    for bound in document["binding"]:
        price = bound["shadow_price"]
        if bound["kind"] == "money" and price:
            lines.append(f"- **Money binds:** {bound['text']}. One healthy year more would take about "
                         f"{show(1 / price, 'usd')} more of it.")
        elif bound["kind"] == "people":
            lines.append(f"- **The laboratory binds:** {bound['text']}.")
        elif bound["kind"] == "drugs":
            waiting = f", and {len(bound['waiting'])} more wait for theirs" if bound["waiting"] else ""
            lines.append(f"- **Drugs bind:** {len(bound['short'])} lines in the plan have a drug that not everyone "
                         f"can get{waiting}.")
    lines += upcoming(document)
    st.markdown(dollars("\n".join(lines)), help=glossary.meaning("shadow price", "access share"))


def upcoming(document) -> list[str]:
    """The next line that more money would bring in, on the axis that ranks the list."""
    axis = document["frontier_axis"]
    limit = document["scenario"]["budget"][axis]
    if not isinstance(limit, int | float):
        return []
    waiting = [r for r in document["list"] if r["funded"] == "no" and (r["entry_budget"] or 0) > limit]
    if not waiting:
        return []
    first = min(waiting, key=lambda r: r["entry_budget"])
    return [f"- **With more money:** from {show(first['entry_budget'], 'usd')} a year for {charts.AXIS_WORDS[axis]}, "
            f"{plain(charts.line_name(first))} comes in."]


def take_away(plan: Plan) -> None:
    """Workbook and plan file, made on the click."""
    document = plan.document
    st.subheader("Take it with you")
    with st.container(horizontal=True):
        st.download_button("Workbook (.xlsx)", lambda: workbook(plan), "plan.xlsx", key="workbook_out",
                           on_click="ignore", icon=":material/table_view:",
                           mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        st.download_button("Plan, unrounded (.json)", lambda: plan_json(document),
                           "plan.json", "application/json", key="plan_out", on_click="ignore",
                           icon=":material/data_object:")
    st.caption("The scenario itself is saved on the left, under “Open, save, share”.")


def workbook(plan: Plan) -> bytes:
    """The workbook of a plan, in memory."""
    from planner.report.workbook import write_workbook  # loads openpyxl, needed only here

    buffer = io.BytesIO()
    write_workbook(plan, cache.evidence(), buffer)
    return buffer.getvalue()


def how(plan: Plan) -> None:
    document, problem = plan.document, plan.problem
    threshold = document["threshold"]
    with st.expander("How this was computed"):
        st.markdown(dollars(
            f"Of all ways to spend the money, the plan is the one that brings most of "
            f"“{charts.MEASURE_WORDS[document['scenario']['objective']].lower()}”, and among equals the cheapest. "
            f"People come from new cases, stage and care; tests from accuracy, turnaround and samples that fail; "
            f"health from trials and follow-up, discounted at {show(problem.discount_rate, 'share')} a year; money "
            f"from prices here or carried over.\n\n"
            f"- A healthy year is valued at {show(threshold['value'], 'usd')} (grade {threshold['quality']}).\n"
            f"- Solver: {document['solver']['name']}, {document['solver']['status'].lower()}, "
            f"{document['solver']['seconds']:.2f} seconds.\n"
            f"- Lines that could be swapped at equal health and cost: {len(document['ties'])}.\n"
            f"- Formulas, assumptions and limits: docs/method.md."))
        for note in problem.notes:
            st.markdown(f"- {plain(note)}")
