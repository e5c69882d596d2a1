"""Evidence, "How much a drug helps": the derivation of one effect on one screen."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner.pathway.build import settings
from planner.pathway.derivation import (
    ASSUMED,
    CROSSOVER_WORDS,
    INTERVAL_WORDS,
    KIND_WORDS,
    STATE_WORDS,
    Derivation,
    Figure,
    Interval,
    Step,
    derivation,
)
from planner.report.numbers import counted, precise, show
from planner.ui import cache, glossary, state
from planner.ui.tables import link
from planner.ui.widgets import csv_button, dollars, line_words, plain

LINE_BOX, THERAPY_BOX = "effect_line", "effect_therapy"


def draw() -> None:
    evidence, mine = cache.evidence(), state.scenario()
    rows = evidence.records("therapies")
    lines = sorted({f"{r['indication_id']}/{r['biomarker_id']}" for r in rows}, key=line_words)
    wanted = st.session_state.get(state.ABOUT) or st.session_state.get(state.LINE)
    with st.container(horizontal=True):
        line = st.selectbox("Line", lines, key=LINE_BOX, width=420, format_func=line_words,
                            index=lines.index(wanted) if wanted in lines else 0)
        mine_rows = {r["therapy_id"]: r["name"] for r in rows if f"{r['indication_id']}/{r['biomarker_id']}" == line}
        therapy = st.selectbox("Treatment", list(mine_rows), key=f"{THERAPY_BOX}_{line}", width=420, format_func=mine_rows.get)
    where = settings(evidence, mine)[0]
    made = derivation(evidence, where, mine, therapy)
    if made is None:
        st.write("Its gain cannot be derived: a number is missing (see what cannot be planned yet, above).")
        return
    _answer(made, where.name)
    left, right = st.columns([3, 2], gap="large")
    with left:
        for n, step in enumerate(made.steps, start=1):
            _step(step, n, len(made.steps))
    with right:
        _rest(made)
    csv_button(_file(made), f"effect_{therapy}", "effect_csv")


def _answer(made: Derivation, where: str) -> None:
    gain = made.effects.carrier
    st.markdown(dollars(f"## {plain(made.name)}: {show(gain['qalys'], 'qalys')} healthy years for each person with the marker "
                        f"who is treated, in {plain(where)}"))
    life, alive = gain["life_years"], gain["deaths_averted"]
    plainly = {"delta_color": "off", "delta_arrow": "off"}
    with st.container(horizontal=True):
        st.metric("Healthy years (QALYs)", show(gain["qalys"], "qalys"), _bounds(made.intervals["qalys"]), width=290,
                  help=glossary.meaning("QALY"), **plainly)
        st.metric("Years of life", "none credited" if life is None else show(life, "qalys"),
                  _bounds(made.intervals["life_years"]), width=290, **plainly)
        st.metric("More alive at five years", "not known" if alive is None else show(alive, "share"), width=200)
        st.metric("Remaining life expectancy used", f"{made.remaining:.1f} years", f"at age {made.usual_age:g}", width=240,
                  **plainly)


def _bounds(interval: Interval | None) -> str | None:
    """Both ends; where nothing was read the reader must see that the width is an assumption."""
    if interval is None:
        return None
    assumed = f", {INTERVAL_WORDS[ASSUMED]}" if interval.basis == ASSUMED else ""
    return f"{show(interval.low, 'qalys')} to {show(interval.high, 'qalys')}{assumed}"


def _step(step: Step, n: int, of: int) -> None:
    head = f"Step {n} of {of}: {step.name}" if of > 1 else step.name
    years = "no survival credited" if step.life_years is None else f"{show(step.life_years, 'qalys')} years of life"
    st.markdown(dollars(f"**{plain(head)}** adds {show(step.qalys, 'qalys')} QALYs ({years}); grade {step.grade}.  \n"
                        f"{plain(step.trial)}. Derived from {KIND_WORDS[step.kind]}."))
    st.table(pd.DataFrame({"What was read": [f.what + ("" if f.used else " (for comparison)") for f in step.figures],
                           "Value (95 % interval)": [_value(f) for f in step.figures]}),
             alt=f"Figures of {step.name}", hide_index=True)
    shared = "not read" if step.crossover_share is None else show(step.crossover_share, "share")
    st.markdown(dollars(f"**Crossover**: {CROSSOVER_WORDS[step.crossover]} (share of controls: {shared})."))
    told = ([f"**Note**: {plain(step.note)}"] if step.note else []) + [f"**Source**: {_cited(s)}" for s in step.sources]
    st.caption(dollars("  \n".join(told)))


def _value(f: Figure) -> str:
    if f.unit == "share":
        return show(f.value, "share")
    interval = "" if f.low is None else f" ({precise(f.low)} to {precise(f.high)})"
    return f"{precise(f.value)}{interval} {f.unit}".strip()


def _cited(source: str) -> str:
    row = cache.evidence().record("sources", source_id=source)
    address = link(row)
    text = plain(row.get("citation", source))
    return f"{text} [link]({address})" if address else text


def _rest(made: Derivation) -> None:
    gain, other = made.effects.carrier["qalys"], made.effects.noncarrier["qalys"]
    harm = "nothing" if not other else f"{show(other, 'qalys')} QALYs" + (" (a loss)" if other < 0 else "")
    points = [
        f"**Against**: {plain(made.comparator)} ({made.comparator_basis}). The gain is against no matched drug.",
        f"**Weight of a year**: {made.utility:.2f}, {STATE_WORDS[made.utility_state]}.",
        f"**Discounted** at {made.discount_rate:.0%} a year; survivors of curable disease live the remaining life expectancy "
        f"of this country at the usual age ({made.remaining:.1f} years), and no survival goes beyond it.",
        f"**Without the marker**: {harm} for each person treated by mistake (grade {made.noncarrier_grade}). "
        f"{plain(made.noncarrier_basis or '')}",
        f"**Time on treatment**: {made.months:.1f} months on average; the course is paid for that long.",
    ]
    if len(made.steps) > 1:
        points.insert(0, f"**In {counted(len(made.steps), 'step')}**: each trial compared with the treatment below it; the gains "
                         f"add up to {show(gain, 'qalys')} QALYs.")
    if made.effects.kind == "progression_free_only":
        points.append("**No survival evidence** in the last step: quality of life while progression-free is all that counts, so "
                      "the gain is small for want of evidence, not because it was shown to be small.")
    st.markdown(dollars("\n".join(f"- {p}" for p in points)))


def _file(made: Derivation) -> pd.DataFrame:
    """Every figure, unrounded."""
    rows = [{"step": n, "therapy": s.therapy, "effect_kind": s.kind, "figure": f.what, "value": f.value, "low": f.low,
             "high": f.high, "unit": f.unit, "used": f.used, "qalys": s.qalys, "life_years": s.life_years, "grade": s.grade,
             "crossover_handling": s.crossover, "crossover_share": s.crossover_share, "sources": "; ".join(s.sources)}
            for n, s in enumerate(made.steps, start=1) for f in s.figures]
    totals = {}
    for measure, interval in made.intervals.items():
        totals |= {f"total_{measure}": made.effects.carrier[measure]} | {
            f"total_{measure}_{what}": getattr(interval, what, None) for what in ("low", "high")} | {
            f"total_{measure}_interval": INTERVAL_WORDS[interval.basis] if interval else None}
    return pd.DataFrame(rows).assign(**totals, remaining_life_expectancy=made.remaining)
