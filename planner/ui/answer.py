"""The page Plan: the answer, the ladder, the list, one line's chain, today beside it, files out."""

from __future__ import annotations

import io

import streamlit as st

from planner.errors import BadInput, Infeasible
from planner.report import charts
from planner.report.numbers import (
    IN_WORDS,
    MEASURE_WORDS,
    counted,
    left_out,
    measure,
    payer_words,
    sentence,
    show,
    warning,
)
from planner.report.tables import plan_json
from planner.result.plan import Plan
from planner.ui import cache, glossary, laboratory, line, lists, state, words
from planner.ui.conflict import conflict
from planner.ui.widgets import dollars, foot, issues, money, picture, plain

EXAMPLES = ("KEN", "IND", "DEU")
ONE_MORE = {"qalys": "One healthy year more", "life_years": "One year of life more",
            "deaths_averted": "One more death averted", "dalys_averted": "One more DALY averted",
            "patients_treated": "One more person treated", "net_health": "One more healthy year, net,"}
MEASURE_TERMS = {"net_health": ("opportunity cost",)}
FIRST_ROWS, ALL_BOX = 15, "all_rows_box"  # of the ladder
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
    st.markdown("Choose a country, here or on the left (on a phone: » at the top). The plan shows which cancer biomarkers to "
                "test first for the people, tests and drugs there are, what each line brings and costs, and what "
                "holds it back.")
    doors()
    st.caption("It is a planning aid for lists and budgets. It says nothing about a single patient.")


def doors() -> None:
    """A country of one's own, or an example: the way in where no place is chosen."""
    choose_place()
    st.markdown("**Or look at an example:**")
    with st.container(horizontal=True):
        for code in EXAMPLES:
            name = cache.evidence().record("countries", iso3=code).get("name", code)
            st.button(name, key=f"example_{code}", on_click=state.move, args=({"country": code},))


def choose_place() -> None:
    names = {r["iso3"]: r["name"] for r in cache.evidence().records("countries") if r["in_globocan"]}
    st.selectbox("Choose a country to begin", sorted(names, key=names.get), index=None, key=state.FIRST_COUNTRY,
                 format_func=names.get, placeholder="Choose a country", width=360, on_change=state.choose_country,
                 args=(state.FIRST_COUNTRY,))


def planned(question: str) -> Plan | None:
    """The plan that a page of analyses asks about, or what stands in its way, in words."""
    mine = state.scenario()
    if mine is None:
        st.markdown(f"Choose a country, here or on the left (on a phone: » at the top), to see {question}.")
        doors()
        return None
    return compute(mine)


def show_plan(plan: Plan) -> None:
    document = plan.document
    st.markdown(f"## {plain_place(document)}")
    st.markdown(dollars(sentence(document, bold=True, mind=False)))
    figures(document)
    limits(document)
    stamp = state.stamp()
    # on a phone the columns stand one below the other: the short one with the choice of a line first
    right, left = st.columns([2, 3], gap="large")
    with right:
        line.panel(plan, stamp)
    with left:
        ladder(document, stamp)
        budget = plan.scenario.limit(document["frontier_axis"], 0)
        picture(charts.frontier(document, budget), "frontier", SOURCE, "money_and_health")
    lists.three_views(document, stamp)
    laboratory.section(document)
    lists.not_now(document)
    lists.compared_with_today(document)
    take_away(plan)
    how(plan)


@st.fragment
def ladder(document, stamp: tuple) -> None:
    """The picture of the list: its first lines, or all of them."""
    if state.stamp() != stamp:
        st.rerun()
    rows = len(charts.ladder_rows(document))
    every = rows > FIRST_ROWS and st.session_state.get(ALL_BOX, False)
    picture(charts.ladder(document, charts.MOST_ROWS if every else FIRST_ROWS), "ladder", SOURCE, "ladder")
    if rows > FIRST_ROWS:
        st.toggle(f"Show all {rows} lines", key=ALL_BOX)


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

    wanted = measure(document)
    health = [("Healthy years (QALYs)", "qalys", "qalys", "off", ("QALY",))]
    if wanted not in ("qalys", "patients_treated"):
        health.insert(0, (MEASURE_WORDS[wanted], wanted, "qalys", "off", MEASURE_TERMS.get(wanted, ())))

    with st.container(horizontal=True):
        for title, name, kind, colour, terms in (
            ("People tested a year", "patients_tested", "people", "off", ("eligible patients", "coverage")),
            ("Get a matched drug", "patients_treated", "people", "off", ("matched drug",)),
            *health,
            ("Tests, money a year", "testing_cost", "usd", "off", ("base year",)),
            ("Drugs, money a year", "treatment_cost", "usd", "off", ("reference", "base year")),
        ):
            st.metric(title, show(totals[name], kind), delta(name, kind), delta_color=colour, delta_arrow="off",
                      help=glossary.meaning(*terms), width=171)
    notes = [other_measures(document)]
    missing = left_out(document)
    if missing:
        notes.append(f"{counted(len(missing), 'line')} {'has' if len(missing) == 1 else 'have'} no figure for "
                     f"{IN_WORDS[wanted]} and {'is' if len(missing) == 1 else 'are'} left out: "
                     f"{plain(words.lines_named(missing, document))}.")
    if document["currency"]["code"] != "USD" and document["currency"]["per_usd"]:
        drugs = totals["treatment_cost"]
        notes.append(f"Tests {money(totals['testing_cost'], document)}, drugs {money(abs(drugs), document)}"
                     f"{' less' if drugs < 0 else ''} a year.")
    if before is not None:
        notes.append("In grey: the difference from today's practice, where it is known.")
    st.caption(dollars(" ".join(notes)), help=glossary.meaning("DALY", "deaths averted"))


def other_measures(document) -> str:
    """The plan's health as others count it, as far as each line has a figure."""
    totals, shown = document["totals"], {"qalys", measure(document)}
    said = [f"{show(totals[m], 'qalys')} {IN_WORDS[m]}" for m in ("life_years", "deaths_averted", "dalys_averted")
            if m not in shown and totals[m] is not None]
    return f"The same health in other measures: {', '.join(said)} a year."


def limits(document) -> None:
    """Who pays for the drugs, and what binds: money, laboratory staff, drugs."""
    costs = document["totals"]["cost_by_payer"]
    paid = [payer_words(z, v) for z, v in sorted(costs.items(), key=lambda p: -p[1]) if abs(v) > 0.5]
    saves = document["totals"]["treatment_cost"] < 0
    lines = [f"- **Who pays for the drugs, against no testing:** {', '.join(paid)}."] if saves else []
    for bound in document["binding"]:
        price = bound["shadow_price"]
        if bound["kind"] == "money" and price:
            least = f" {ONE_MORE[measure(document)]} would take about {show(1 / price, 'usd')} more of it." \
                if price > 1e-9 else ""
            lines.append(f"- **Money binds:** {bound['text']}.{least}")
        elif bound["kind"] in ("people", "instruments"):
            lines.append(f"- **The laboratory binds:** {bound['text']}.")
        elif bound["kind"] == "drugs":
            short, waiting = len(bound["short"]), len(bound["waiting"])
            more = f"{counted(waiting, 'line')} outside it {'waits' if waiting == 1 else 'wait'} for theirs" \
                if waiting else ""
            held = f"{counted(short, 'line')} in the plan {'has' if short == 1 else 'have'} a drug that not everyone " \
                "can get" if short else ""
            lines.append(f"- **Drugs bind:** {' and '.join(p for p in (held, more) if p)}.")
        elif bound["kind"] == "supply":
            lines.append(f"- **Supply binds:** {plain(bound['text'])}.")
    lines += upcoming(document)
    lines += [f"- **Mind:** {plain(words.ended(warning(w, document)))}" for w in document["warnings"]]
    st.markdown(dollars("\n".join(lines)), help=glossary.meaning("shadow price", "access share"))


def upcoming(document) -> list[str]:
    """The next line that more money would bring in or make full, on the axis that ranks the list."""
    axis = document["frontier_axis"]
    limit = document["scenario"]["budget"][axis]
    if not isinstance(limit, int | float) or not any(b["kind"] == "money" for b in document["binding"]):
        return []
    waiting = [r for r in document["list"] if r["funded"] != "full" and not r["mandated"] and r["gate"]["passed"]
               and r["entry_budget"] is not None and (r["reason"] or {}).get("code") == "below_cut_off"]
    if not waiting:
        return []
    first = waiting[0]
    at = first["full_budget"] if first["funded"] == "part" else first["entry_budget"]
    does = "is tested in full" if first["funded"] == "part" else "comes in"
    name = plain(charts.line_name(first))
    if at is None or at <= limit:  # by the order without musts it would be in already
        return [f"- **With more money:** {name} is the next that {does}."]
    return [f"- **With more money:** from {show(at, 'usd')} a year for {charts.AXIS_WORDS[axis]}, {name} {does}."]


def take_away(plan: Plan) -> None:
    """Workbook and plan file, made on the click."""
    document = plan.document
    st.header("Take it with you")
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


def _searched(document) -> str:
    """How near the search of whole instruments came, where there was one."""
    if document["costing"] != "micro":
        return ""
    return f", searched to within {show(document['solver']['gap'] or 0.0, 'share')} of the most health possible"


def how(plan: Plan) -> None:
    document, problem = plan.document, plan.problem
    threshold = document["threshold"]
    with st.expander("How this was computed"):
        st.markdown(dollars(
            f"Of all ways to spend the money, the plan is the one that brings most of "
            f"{IN_WORDS[measure(document)]}, and among equals the cheapest. "
            f"People come from new cases, stage and care; tests from accuracy, turnaround and samples that fail; "
            f"health from trials and follow-up, discounted at {show(problem.discount_rate, 'share')} a year; money "
            f"from prices here or carried over.\n\n"
            f"- A healthy year is valued at {show(threshold['value'], 'usd')} (grade {threshold['quality']}).\n"
            f"- Solver: {document['solver']['name']}, {document['solver']['status'].lower()}, "
            f"{document['solver']['seconds']:.2f} seconds{_searched(document)}.\n"
            f"- Lines that could be swapped at equal health and cost: {len(document['ties'])}.\n"
            f"- Formulas, assumptions and limits: docs/method.md."))
        blind = document["totals"]["treated_blind"]
        if blind >= 0.5:
            st.markdown(f"- Of the people tested, {show(blind, 'people')} a year would be given a matched drug even "
                        f"without the test. The health that they would gain so is taken off the plan's.")
        for note in problem.notes:
            st.markdown(f"- {plain(note)}")
