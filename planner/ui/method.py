"""The page Method: the chain with its formula at each step, the check of the plan at hand, the manual, how to cite."""

from __future__ import annotations

import json

import streamlit as st

import planner
from planner.analysis.audit import NOT_AUDITED, Audit, judge
from planner.analysis.audit_file import PlanFile
from planner.report import charts
from planner.report.names import line_name
from planner.report.numbers import counted, show
from planner.report.tables import LIMITS_OF_USE, OWNERS, plan_json
from planner.result.plan import Plan
from planner.ui import answer, cache, glossary, manual, state
from planner.ui.widgets import dollars, foot, picture, plain

SOURCE = "Source: this plan; every number in use stands on the page Evidence."
# link of the chain -> (name, formula, what goes in)
STEPS = (
    ("incident", "New cases", "N", "of the cancer in a year; a hospital states its own people at the decision instead"),
    ("eligible", "Eligible", r"E = N \cdot \prod_s s", "shares by stage, histology, line and relapse, and who reaches care"),
    ("worked_up", "Tested", r"T = E \cdot q", "$q$: the coverage that the plan funds, at most what can be reached"),
    ("adequate", "Sample gives a result", r"T \cdot \eta_1",
     r"$\eta_1$: samples that do not fail, over all branches of the pathway"),
    ("in_time", "Result in time", r"R = T \cdot \eta", r"$\eta$: the same, and the result comes before treatment must begin"),
    ("positive", "Result calls for the drug", r"C = R \cdot [\pi\,Se + (1 - \pi)(1 - Sp)]",
     r"$\pi$: prevalence; $Se$, $Sp$: what the pathway finds, and rightly does not find"),
    ("accessible", "Drug reachable", r"A = C \cdot \alpha", r"$\alpha$: who can get the drug here, however it is paid"),
    ("treated", "Treated", r"A \cdot f", "$f$: fit for the drug, and starting it"),
)
HEALTH = (r"Health: $R \cdot \sum_d f_d\, x_d\,[\pi\,Se\; h_d + (1-\pi)(1-Sp)\, h^-_d]$, less what the same people would have "
          "gained without the test. $x_d$: treated with drug $d$ if positive; $h_d$, $h^-_d$: healthy years gained by a carrier "
          "and by another.")
CHOICE = ("The list is the choice of tests, services and drugs that brings most health under all limits at once: a linear "
          "programme, solved to the optimum. Among plans of equal health the cheapest is taken.")
MANUAL = ("Health per treated carrier", "Money", "Pathways", "Laboratories", "The programme", "The list", "Today",
          "What moves the list", "Uncertainty")
SEEN_LINE = "method_line_box"


def page() -> None:
    st.title("May I trust it?")
    mine = state.scenario()
    plan = answer.compute(mine) if mine is not None else None
    if plan is not None:
        _checked(plan)
        _chain(plan)
    elif mine is None:
        st.markdown("Every number has a source and a grade, every formula is written down, and every plan can be checked by "
                    "separate code. Choose a place to see the formulas with its numbers, and its plan checked.")
        answer.choose_place()
        _formulas({})
    _limits()
    _manual()
    _cite()
    foot(plan.document if plan else None)


# -- the check -----------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=16, show_spinner="Checking the plan…", scope="session")
def _audit(evidence_digest: str, scenario_digest: str, _plan: Plan) -> Audit:
    """The plan, as its file says it, against its limits and the evidence."""
    document = json.loads(plan_json(_plan.document))
    return judge(PlanFile(document, _plan.scenario), cache.evidence(), problem=_plan.problem)


def _checked(plan: Plan) -> None:
    found = _audit(cache.evidence().digest, cache.digest(plan.scenario), plan)
    names = {c.name for c in found.checks}
    place = answer.plain_place(plan.document)
    if found.passed:
        st.markdown(f"The plan for **{place}** was checked just now by code that shares nothing with the solver: **all "
                    f"{len(names)} checks passed**. They compute every total again from the decisions, try every limit, and "
                    "compare every number with the evidence.")
    else:
        wrong = sorted({c.name for c in found.failed})
        st.error(f"**{len(wrong)} of {len(names)} checks failed** for {place}: {plain(', '.join(wrong))}. Do not use this plan; "
                 "please report it with the plan file.", icon=":material/error:")
    with st.expander(f"The {counted(len(names), 'check')}, and what is not checked"):
        st.table([{"Check": plain(c.name), "Result": "passed" if c.passed else "failed", "Where": plain(c.where)}
                  for c in found.checks], alt="Every check of the plan with its result")
        st.markdown("**Not checked:** " + plain("; ".join(NOT_AUDITED.values())) + ".")
        st.caption("The same check for a plan file: `python -m planner audit plan.json`.")


# -- the chain -----------------------------------------------------------------------------------------------


def _chain(plan: Plan) -> None:
    document = plan.document
    rows = {f"{r['indication_id']}/{r['biomarker_id']}": r for r in document["list"] if r["chain"]["worked_up"] is not None}
    if not rows:
        _formulas({})
        return
    st.header("The chain, step by step", help=glossary.meaning("eligible patients", "coverage", "access share"))
    wanted = st.session_state.get(state.LINE)
    if st.session_state.get(SEEN_LINE) not in rows:
        st.session_state[SEEN_LINE] = wanted if wanted in rows else next(iter(rows))
    row = rows[st.selectbox("Follow one line", list(rows), key=SEEN_LINE, format_func=lambda i: line_name(rows[i]), width=520)]
    left, right = st.columns(2, gap="large")
    with left:
        picture(charts.funnel(row, document), "method_chain", SOURCE, "chain")
    with right:
        _formulas(row["chain"])


def _formulas(people) -> None:
    """Each step with its formula, and the people there where a line is followed."""
    lines = []
    for n, (link, name, formula, of) in enumerate(STEPS, 1):
        here = people.get(link)
        count = f" · **{show(here, 'people')}**" if here is not None else ""
        lines.append(f"{n}. **{name}**{count}: ${formula}$  \n{of}")
    st.markdown("\n".join(lines))
    st.markdown(HEALTH)
    st.markdown(CHOICE)


# -- the manual ----------------------------------------------------------------------------------------------


def _limits() -> None:
    st.header("Assumptions and limits")
    st.markdown(dollars(manual.sections("method.md").get("Limits", "")))
    st.markdown(f"- {LIMITS_OF_USE}\n- Grades A to D tell how much a number is to be trusted; D is an assumption, and says so.\n"
                "- What is not known is never taken as zero: the line then cannot be planned, and the page Evidence names the "
                "missing number.")


def _manual() -> None:
    st.header("The method in full")
    found = manual.sections("method.md")
    for title in MANUAL:
        if title in found:
            with st.expander(title):
                st.markdown(dollars(found[title]))
    st.caption("The manual (docs/) also holds the validation against published examples and by hand, the decisions taken and "
               "why, and the data dictionary.")


def _cite() -> None:
    evidence = cache.evidence()
    st.header("How to cite")
    st.markdown(dollars(
        f"Essential Biomarker Planner, version {planner.__version__} (model {planner.MODEL_VERSION}, evidence "
        f"{evidence.version}, sha256 {evidence.digest[:16]}…), with the scenario file or the address of the page, and the "
        "owners of the data:"))
    st.markdown("\n".join(f"- {plain(owner)}" for owner in OWNERS))
