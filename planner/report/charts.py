"""Pictures of a plan: plotly figures as pure functions of the plan document.

Each function returns a :class:`Picture`: the figure, a title that says the finding, a subtitle with
measure and unit, alternative text made from the numbers, and the frame that stands beneath. Bars
start at zero; a tier always has the same Okabe-Ito colour and is written out beside its bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from planner.report.names import BLUE, GREY, TIER_COLOURS, brief_name, briefly, line_name, short  # noqa: F401
from planner.report.numbers import IN_WORDS, MEASURE_WORDS, MINUS, measure, of_row, show
from planner.result.priority import TIER_WORDS

AXIS_WORDS = {"testing": "tests", "treatment": "treatment", "total": "tests and treatment"}
STEPS = (
    ("incident", "New cases", ""),
    ("eligible", "Eligible", "not at this decision or not in care"),
    ("worked_up", "Tested", "not tested"),
    ("adequate", "Sample gives a result", "sample fails"),
    ("in_time", "Result in time", "result too late"),
    ("positive", "Result calls for the drug", "another result"),
    ("accessible", "Drug reachable", "cannot get the drug"),
    ("treated", "Treated", "not fit or not started"),
)
NAME_ROOM = 41  # characters of a name above its bar, beside the tier, on a phone
FAR = 8  # new cases beyond so many times the eligible are told, not drawn
MOST_ROWS = 60  # of a plan for many regions the ladder shows the first
NO_MONEY = "no treatment money, or not chosen"
PLAINLY = {"qalys": "healthy years", "life_years": "years of life", "deaths_averted": "deaths averted",
           "dalys_averted": "DALYs averted", "patients_treated": "people treated", "net_health": "net health"}
LEVEL_WORDS = {
    "region": "this region", "country": "this country", "un_subregion": "UN sub-region",
    "un_region": "UN region", "who_region": "WHO region", "income_group": "income group",
    "world": "world", "scenario": "your own number",
}
LEVELS = ("scenario", "region", "country", "un_subregion", "un_region", "who_region", "income_group", "world")


@dataclass(frozen=True)
class Picture:
    """A figure with its words and the numbers beneath. kinds: column of the table -> kind of number."""

    figure: go.Figure
    title: str
    subtitle: str
    alt: str
    table: pd.DataFrame = field(repr=False)
    kinds: Mapping[str, str] = field(default_factory=dict)


# -- the ladder ------------------------------------------------------------------------------------


def ladder(document: Mapping[str, Any], most: int = MOST_ROWS) -> Picture:
    """One bar per line in rank order: length is the health (in the measure in use) of full attainable
    coverage, the filled part what this plan reaches, the dashed line where the money ends.

    most: rows drawn; the table beneath has them all.
    """
    rows = ladder_rows(document)
    name = "qalys" if measure(document) == "qalys" else "health"
    frame = pd.DataFrame([_rung(r, document) for r in rows], columns=[
        "rank", "line", "tier", "reached", "if_fully_covered", "coverage", "funded", "mandated"])
    figure = go.Figure()
    if rows:
        _bars(figure, document, rows[:most], frame.head(most))
    dress(figure, 50 + 36 * max(1, min(len(rows), most)))
    first = f"; the first {most} of {len(rows)} lines" if len(rows) > most else ""
    untested = ", and for lines that are not tested with the drug reachable" if name == "qalys" else \
        ". Lines that are not tested have no bar in this measure"
    return Picture(figure, _ladder_title(frame, document),
                   f"{MEASURE_WORDS[measure(document)]} a year, in the order of the list. Filled: reached by this "
                   f"plan. Outline: with full testing{untested}{first}",
                   _ladder_alt(document, frame),
                   frame.rename(columns={"reached": name, "if_fully_covered": f"{name}_if_fully_covered"}))


def ladder_rows(document) -> list[Mapping[str, Any]]:
    """The lines that have a bar."""
    return [r for r in document["list"] if of_row(r, document) or _potential(r, document) > 0]


def _potential(row, document) -> float:
    reached = of_row(row, document)
    if row["coverage"] > 1e-7 and reached:
        return reached * max(1.0, row["attainable_coverage"] / row["coverage"])
    return row["qalys_potential"] if measure(document) == "qalys" else 0.0


def _rung(row, document) -> dict:
    return {"rank": row["rank"], "line": line_name(row), "tier": TIER_WORDS[row["priority_tier"]],
            "reached": of_row(row, document) or 0.0, "if_fully_covered": _potential(row, document),
            "coverage": row["coverage"], "funded": row["funded"], "mandated": row["mandated"]}


def _bars(figure: go.Figure, document, rows, frame: pd.DataFrame) -> None:
    """Bars with the line's name above each, its tier at the right, its figure at the bar's end."""
    colours = [TIER_COLOURS[r["priority_tier"]] for r in rows]
    cut = _cut_after(frame)
    y = [n + 0.5 * (cut is not None and n > cut) for n in range(len(rows))]
    full, reached = frame["if_fully_covered"], frame["reached"]
    wide = max(full.max(), reached.max(), 1e-9) * 1.36
    said = IN_WORDS[measure(document)]
    hover = [f"{t.line}: {show(t.reached, 'qalys')} of {show(t.if_fully_covered, 'qalys')} {said}, "
             f"{show(t.coverage, 'share')} covered, {t.tier}" for t in frame.itertuples()]
    bar = {"y": y, "orientation": "h", "width": 0.34, "hovertext": hover, "hoverinfo": "text"}
    figure.add_bar(x=full, name="if fully covered", text=[_rung_text(t) for t in frame.itertuples()],
                   textposition="outside", cliponaxis=False, textfont={"size": 12}, constraintext="none", **bar,
                   marker={"color": [faint(c) for c in colours], "line": {"color": colours, "width": 1}})
    figure.add_bar(x=reached, name="this plan", marker={"color": colours}, **bar)
    several = len(document["place"]) > 1
    names = [f"{r['rank']} <b>{short(r['short_name'], 16)}</b> "
             + short(briefly(r["indication"]) + (f" {r['region']}" if several else ""),
                     NAME_ROOM - len(r["short_name"][:16]))
             for r in rows]
    above = [v - 0.39 for v in y]
    tiers = [t.tier + ", a must" * bool(t.mandated) for t in frame.itertuples()]
    for x, text, side in ((0, names, "right"), (wide, tiers, "left")):
        figure.add_scatter(x=[x] * len(rows), y=above, text=text, mode="text", textposition=f"middle {side}",
                           hoverinfo="skip", cliponaxis=False, textfont={"size": 12})
    figure.update_yaxes(showticklabels=False, range=[y[-1] + 0.5, -0.75])
    least = min(reached.min(), 0.0)  # a line may cost more than it brings
    figure.update_xaxes(range=[1.2 * least if least < 0 else 0, wide], nticks=5)
    figure.update_layout(barmode="overlay")
    if cut is not None:
        at = cut + 0.52
        figure.add_hline(y=at, line={"dash": "dash", "width": 1.5, "color": GREY})
        figure.add_annotation(x=1, xref="paper", xanchor="right", y=at, yanchor="bottom", showarrow=False,
                              text=f"<i>{cut_words(document)}</i>", font={"size": 12})


def _rung_text(t) -> str:
    reached = show(t.reached, "qalys") if t.funded != "no" else "0"
    return reached if t.funded == "full" else f"{reached} of {show(t.if_fully_covered, 'qalys')}"


def _cut_after(frame: pd.DataFrame) -> int | None:
    """Row under which the money ends; None where everything or nothing is tested. A mandated line
    keeps the rank that it would have had, so it does not move the cut."""
    funded = [n for n, t in enumerate(frame.itertuples()) if t.funded != "no" and not t.mandated]
    return funded[-1] if funded and funded[-1] < len(frame) - 1 else None


def cut_words(document) -> str:
    """What ends at the cut: the money, or what is useful at any money."""
    ends = [b for b in document["binding"] if b["kind"] == "money"]
    return f"here {ends[0]['text']} ends" if ends else "money does not hold back what is below"


def _ladder_title(frame: pd.DataFrame, document) -> str:
    funded = frame[frame["funded"] != "no"]
    if funded.empty:
        return "No line brings health within these limits"
    top = funded.sort_values("reached", ascending=False)
    total = top["reached"].sum()
    few = int((top["reached"].cumsum() < 0.8 * total).sum()) + 1 if total > 0 else len(top)
    if few >= len(top) or (top["reached"] < 0).any():
        return f"{len(top)} lines are tested" if len(top) > 1 else "One line is tested"
    verb = "brings" if few == 1 else "bring"
    return f"{few} of {len(top)} tested lines {verb} four fifths of the {PLAINLY[measure(document)]}"


def _ladder_alt(document, frame: pd.DataFrame) -> str:
    place = ", ".join(p["name"] for p in document["place"][:3])
    funded = frame[frame["funded"] != "no"]
    words = PLAINLY[measure(document)]
    said = "; ".join(f"{t.rank}. {t.line}, {show(t.reached, 'qalys')} {words}, {show(t.coverage, 'share')} "
                     f"covered, {t.tier}" for t in funded.head(8).itertuples())
    more = f"; and {len(funded) - 8} more" if len(funded) > 8 else ""
    return (f"Bar chart for {place}: {len(funded)} of {len(frame)} lines are tested. {said}{more}. "
            f"{len(frame) - len(funded)} lines are not tested.")


# -- the chain -------------------------------------------------------------------------------------


def funnel(row: Mapping[str, Any], document: Mapping[str, Any] | None = None) -> Picture:
    """People at each link of one line's chain, with the loss at each step named.

    With the document, those who could reach the drug but are given none for want of treatment money
    are told apart from those who cannot reach it.
    """
    chain, weakest = dict(row["chain"]), row["chain"].get("bottleneck")
    reachable = _reachable(row, document)
    known = [(key, word, lost) for key, word, lost in STEPS if chain.get(key) is not None]
    if reachable is not None:
        at = [key for key, _, _ in known].index("accessible")
        known[at:at + 1] = [("reachable", "Drug reachable", "cannot get the drug"),
                            ("accessible", "Given the drug", NO_MONEY)]
        chain["reachable"] = reachable
        if weakest == "the drug being reachable" and chain["accessible"] < row["access_share"] * reachable:
            weakest = "money for treatment"
    people = [chain[key] for key, _, _ in known]
    frame = pd.DataFrame({
        "step": [word for _, word, _ in known], "people_a_year": people,
        "lost_here": [0.0, *(max(0.0, a - b) for a, b in zip(people, people[1:], strict=False))],
        "why": [lost for _, _, lost in known],
    })
    figure = go.Figure()
    # A rare use case of a common cancer: its new cases would leave nothing of the other bars to see.
    off_scale = len(people) > 1 and people[0] > FAR * people[1]
    if people:
        text = [_step_text(t) for t in frame.itertuples()]
        drawn = [0.0, *people[1:]] if off_scale else people
        figure.add_bar(x=drawn, y=list(range(len(people))), orientation="h", marker={"color": BLUE},
                       hovertext=[f"{w}: {t}" for w, t in zip(frame["step"], text, strict=True)], hoverinfo="text")
        for n, words in enumerate(text):
            figure.add_annotation(x=0, y=n - 0.30, xanchor="left", yanchor="bottom", showarrow=False, align="left",
                                  text=f"<b>{frame['step'][n]}</b> {words}", font={"size": 12})
        figure.update_yaxes(showticklabels=False, range=[len(people) - 0.75, -0.85])
        figure.update_xaxes(range=[0, max(*drawn, 1e-9) * 1.02], showticklabels=False, showgrid=False)
        figure.update_layout(bargap=0.62)
    dress(figure, 14 + 42 * max(1, len(people)), foot=4)
    basis = "in this plan" if chain.get("basis") == "plan" else "if it were tested as far as attainable"
    title = f"{row['short_name']}: the weakest link is {weakest}" if weakest \
        else f"{row['short_name']}: the chain cannot be followed"
    alt = f"Chain of {line_name(row)}, people a year {basis}: " + "; ".join(
        f"{t.step} {show(t.people_a_year, 'people')}" for t in frame.itertuples()) + "."
    scale = "; new cases are not drawn, they are many times more" if off_scale else ""
    return Picture(figure, title, f"People a year {basis}, from new cases to treated{scale}", alt, frame)


def _reachable(row, document) -> float | None:
    """People called positive who could reach the drug, where a limit on treatment money gives it to fewer."""
    chain = row["chain"]
    if document is None or chain.get("basis") != "plan" or not row["access_share"]:
        return None
    budget = document["scenario"]["budget"]
    limited = budget["treatment"] is not None or budget["total"] is not None
    if not limited and measure(document) != "net_health":
        return None
    reachable = chain["positive"] * row["access_share"]
    return reachable if reachable > 1.02 * chain["accessible"] else None


def _step_text(t) -> str:
    said = show(t.people_a_year, "people")
    return f"{said}  ({MINUS}{show(t.lost_here, 'people')}: {t.why})" if t.lost_here > 0 and t.why else said


# -- the frontier ----------------------------------------------------------------------------------


def frontier(document: Mapping[str, Any], budget: float | None) -> Picture:
    """Health by budget, with the budget of the plan (USD a year, None: not limited) marked.

    The curve lifts mandates; a plan with mandates stands at its own value, off the curve.
    """
    points = document["frontier"]
    axis = AXIS_WORDS[document["frontier_axis"]]
    frame = pd.DataFrame(points, columns=["budget", "value"])
    figure = go.Figure()
    value, end = 0.0, 0.0
    if points:
        end, top = frame["budget"].iloc[-1], frame["value"].iloc[-1]
        at = end if budget is None else budget
        musts = any(r["mandated"] for r in document["list"])
        value = document["totals"][measure(document)] if musts else _interpolate(frame, at)
        wide = max(end * 1.05, min(at, end * 1.5) * 1.05, 1.0)
        figure.add_scatter(x=[*frame["budget"], wide], y=[*frame["value"], top], mode="lines", hoverinfo="x+y",
                           line={"color": GREY, "width": 2})
        figure.add_scatter(x=[min(at, wide)], y=[value], mode="markers", marker={"color": BLUE, "size": 12},
                           hoverinfo="skip")
        left = at > wide / 2
        figure.add_annotation(x=min(at, wide), y=value, text=f"<b>{show(value, 'qalys')}</b> at {show(at, 'usd')}",
                              showarrow=False, xanchor="right" if left else "left", yanchor="top", yshift=-8)
        figure.update_xaxes(range=[0, wide], tickprefix="$", nticks=4)
        figure.update_yaxes(range=[0, max(top * 1.1, 1e-9)], nticks=4)
    dress(figure, 240)
    without = ". The line is without your musts, the dot is this plan with them" \
        if any(r["mandated"] for r in document["list"]) else ""
    return Picture(figure, _frontier_title(frame, budget, value),
                   f"{MEASURE_WORDS[measure(document)]} a year by money for {axis}, US$ a year{without}",
                   _frontier_alt(frame, budget, value, axis), frame)


def _interpolate(frame: pd.DataFrame, at: float) -> float:
    before = frame[frame["budget"] <= at]
    after = frame[frame["budget"] > at]
    if before.empty or after.empty:
        return float(frame["value"].iloc[0] if before.empty else before["value"].iloc[-1])
    a, b = before.iloc[-1], after.iloc[0]
    return float(a["value"] + (b["value"] - a["value"]) * (at - a["budget"]) / (b["budget"] - a["budget"]))


def _frontier_title(frame: pd.DataFrame, budget, value) -> str:
    if frame.empty or not frame["value"].iloc[-1]:
        return "More money alone brings no health here"
    share = min(1.0, value / frame["value"].iloc[-1])
    if budget is None or budget >= frame["budget"].iloc[-1] * (1 - 1e-6):
        return f"Above {show(frame['budget'].iloc[-1], 'usd')} more money brings nothing more"
    return f"This budget reaches {show(share, 'share')} of what money can bring"


def _frontier_alt(frame: pd.DataFrame, budget, value, axis: str) -> str:
    if frame.empty:
        return f"Line chart of health by money for {axis}: no points."
    end, top = frame["budget"].iloc[-1], frame["value"].iloc[-1]
    mark = "The budget is not limited" if budget is None else \
        f"The plan's budget of {show(budget, 'usd')} reaches {show(value, 'qalys')}"
    return (f"Line chart of health by money for {axis}: rises from 0 to {show(top, 'qalys')} at "
            f"{show(end, 'usd')}, then level. {mark}.")


# -- the evidence ----------------------------------------------------------------------------------


def borrowed(provenance: pd.DataFrame) -> Picture:
    """How many numbers are from here and how many are borrowed, by grade (bars per level)."""
    table = provenance.pivot_table(index="level", columns="quality", values="value", aggfunc="size", fill_value=0)
    table = table.reindex([x for x in LEVELS if x in table.index] + sorted(set(table.index) - set(LEVELS)))
    figure = go.Figure()
    colours = {"A": "#0072B2", "B": "#56B4E9", "C": "#E69F00", "D": GREY}
    y = list(range(len(table)))
    for grade in table.columns:
        counts = table[grade]
        figure.add_bar(x=counts, y=y, orientation="h", name=str(grade), marker={"color": colours.get(grade, GREY)},
                       hovertext=[f"{n} numbers of grade {grade}" for n in counts], hoverinfo="text")
    totals = table.sum(axis=1)
    said = [", ".join(f"{grade} {n}" for grade, n in row.items() if n) for _, row in table.iterrows()]
    figure.add_scatter(x=totals, y=y, text=said, mode="text", textposition="middle right", hoverinfo="skip",
                       textfont={"size": 12})
    figure.update_xaxes(range=[0, max(totals.max() if len(totals) else 0, 1) * 2.2])
    words = [LEVEL_WORDS.get(x, x) for x in table.index]
    figure.update_yaxes(tickvals=y, ticktext=words, range=[len(table) - 0.4, -0.6])
    figure.update_xaxes(nticks=5)
    figure.update_layout(barmode="stack", bargap=0.3)
    dress(figure, 50 + 38 * max(1, len(table)))
    own = int(table[table.index.isin(["region", "country", "scenario"])].to_numpy().sum())
    total = int(table.to_numpy().sum())
    counts = "; ".join(f"{w} {int(n)}" for w, n in zip(words, table.sum(axis=1), strict=True))
    frame = table.rename(index=lambda x: LEVEL_WORDS.get(x, x)).rename_axis("borrowed from").reset_index()
    frame.columns = [str(c) for c in frame.columns]
    title = f"{show(own / total, 'share')} of the numbers are from this very place" if total else "No numbers"
    return Picture(figure, title, "Numbers in use by where they come from; letters are grades, A the best",
                   f"Bar chart of {total} numbers by place of origin: {counts}.", frame)


# -- shared ----------------------------------------------------------------------------------------


def faint(colour: str) -> str:
    red, green, blue = (int(colour[n:n + 2], 16) for n in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"


def dress(figure: go.Figure, height: int, foot: int = 28) -> None:
    """No legend, no frame, light gridlines; the page's theme gives fonts and the background."""
    figure.update_layout(height=height, showlegend=False, margin={"l": 4, "r": 8, "t": 6, "b": foot},
                         paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", dragmode=False)
    figure.update_yaxes(automargin=True, showgrid=False, zeroline=False, fixedrange=True)
    figure.update_xaxes(fixedrange=True, zeroline=True, gridcolor="rgba(128,128,128,0.25)")
