"""Pictures of how sure a list is, what to measure first, and what differs between plans.

Pure functions of an :class:`planner.analysis.study.Analysis`, each a :class:`planner.report.charts.Picture`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from planner.analysis.study import Analysis
from planner.report.analysis_charts import GREEN, ORANGE, PALE, bold_name, line_of, several, unit_of
from planner.report.bar_charts import Row, bars, both_ways, dots, empty
from planner.report.charts import BLUE, GREY, Picture, brief_name, dress, short
from planner.report.numbers import MEASURE_WORDS, counted, precise, show
from planner.result.priority import TIER_WORDS

ROBUST = 0.8
LIST_WORDS = {"the plan": "This plan", "best in net health": "Only what pays", "no testing": "No testing",
              "today, where known": "Today's practice"}
CURVES = (BLUE, ORANGE, GREEN, "#CC79A7", PALE, "#D55E00")
WHOLE = 220  # pixels from no coverage to all


def list_words(name: str) -> str:
    """A list of the finite set, for a reader."""
    if name.startswith("net health "):
        return f"Only what pays, variant {name.removeprefix('net health ')}"
    if name.startswith("list "):
        return f"Nearly as good, list {name.removeprefix('list ')}"
    return LIST_WORDS.get(name, name)


# -- the list ------------------------------------------------------------------------------------------


def sure(found: Analysis, most: int) -> Picture:
    """Per line the share of draws in which it is in, in rank order, with its robust tier in words."""
    rows = [r for r in found.tables["lines"] if r["share_in"] is not None and (r["in_plan"] or r["share_in"] > 0)]
    many = several(rows)
    drawn = [Row(f"{r['rank']} {bold_name(r, many)}", float(r["share_in"]), show(r["share_in"], "share"), tier_words(r),
                 colour=BLUE if r["in_plan"] else GREY) for r in rows[:most]]
    inside = [r for r in rows if r["in_plan"]]
    held = sum(r["share_in"] >= ROBUST for r in inside)
    first = f"; the first {most} of {len(rows)} lines" if len(rows) > most else ""
    return Picture(
        dots(drawn, ROBUST, f"{ROBUST:.0%}".replace("%", " %")),
        f"{held} of the {len(inside)} lines of the plan are in at least {show(ROBUST, 'share')} of the draws" if inside
        else "No line is in the plan",
        f"Share of {found.settings['draws']:,} draws in which the line is in the list, planned again in each; in rank order. "
        f"Blue: in the plan; grey: not{first}",
        "Dot chart of the share of draws in which each line is in: " + "; ".join(
            f"{line_of(r, many)} {show(r['share_in'], 'share')}, {tier_words(r)}" for r in rows[:10]) + ".",
        pd.DataFrame([{"Rank": str(r["rank"]), "Line": line_of(r, many), "In so many draws": r["share_in"],
                       "Give or take": r["standard_error"], "In the plan": bool(r["in_plan"]), "Priority, if sure": tier_words(r)}
                      for r in rows]),
        {"In so many draws": "share", "Give or take": "share"})


def tier_words(row: Mapping[str, Any]) -> str:
    """The robust tier: a core line that too few draws hold is told as such."""
    word = TIER_WORDS[row["robust_tier"]]
    return f"{word}, not surely core" if row["robust_tier"] != row["priority_tier"] else word


def acceptable(found: Analysis) -> Picture:
    """Chance that each list of the finite set is the best one, by what a healthy year is worth."""
    frame = found.frame("acceptability")
    threshold = found.head["threshold"]["value"]
    wide = frame.pivot_table(index="threshold", columns="list", values="chance_best", sort=False).sort_index()
    ahead = wide.max().sort_values(ascending=False)
    named = [name for name in ahead.index if ahead[name] >= 0.15 or name == "the plan"][: len(CURVES)]
    figure = go.Figure()
    for name in wide.columns:
        at = named.index(name) if name in named else None
        figure.add_scatter(x=wide.index, y=wide[name], mode="lines+markers", hoverinfo="skip", marker={"size": 5},
                           line={"width": 2.5 if at is not None else 1, "shape": "linear",
                                 "color": CURVES[at] if at is not None else "rgba(138,143,152,0.45)"})
    for n, (name, x, y) in enumerate(_curve_places(wide, named)):
        figure.add_annotation(x=math.log10(x), y=y, text=short(list_words(name), 30), showarrow=False, yanchor="bottom", yshift=4,
                              font={"size": 12},
                              xanchor="left" if x == wide.index[0] else "right" if x == wide.index[-1] else "center")
        figure.add_scatter(x=[x], y=[y], mode="markers", hoverinfo="skip", marker={"size": 10, "color": CURVES[n]})
    dress(figure, 330, 44)
    figure.add_vline(x=threshold, line={"dash": "dot", "width": 1.5, "color": GREY})
    figure.update_xaxes(type="log", zeroline=False, tickvals=list(wide.index[::2]), title="What a healthy year is worth",
                        ticktext=[show(v, "usd").replace("US", "").replace(" ", "") for v in wide.index[::2]])
    figure.update_yaxes(range=[0, 1.1], tickvals=[0, 0.5, 1], ticktext=["0 %", "50 %", "100 %"], showgrid=True,
                        gridcolor="rgba(128,128,128,0.18)")
    at = wide.loc[min(wide.index, key=lambda v: abs(v - threshold))]
    table = wide.rename(columns=list_words).rename_axis("A healthy year is worth, US$").reset_index()
    return Picture(figure, f"At {show(threshold, 'usd')} for a healthy year: {list_words(at.idxmax())}, best in "
                           f"{show(at.max(), 'share')}",
                   "Chance of being the best of the lists compared, by what a healthy year is taken to be worth (dotted: here)",
                   "Line chart of the chance of being best: " + "; ".join(
                       f"{list_words(n)} up to {show(ahead[n], 'share')}" for n in named) + ".",
                   table, dict.fromkeys(table.columns[1:], "share") | {table.columns[0]: "usd"})


def _curve_places(wide: pd.DataFrame, named: Sequence[str]) -> list[tuple[str, float, float]]:
    """Where each curve is named: where it leads by most, or else where it is highest."""
    out = []
    for name in named:
        lead = wide[name] - wide.drop(columns=name).max(axis=1)
        x = lead.idxmax()
        out.append((name, x, float(wide[name][x])))
    return out


# -- what to measure -----------------------------------------------------------------------------------


def worth_knowing(found: Analysis, kind: str) -> Picture:
    """What knowing a number (kind: single) or a group of numbers (group) would be worth."""
    rows = [r for r in found.tables["information"] if r["kind"] == kind and r["qalys"] > 0]
    rows.sort(key=lambda r: -r["qalys"])
    words = [capital(r["words"]) for r in rows]
    parts = [w.partition(": ") for w in words]
    perfect = found.tables["information"][0]
    drawn = [Row(f"<b>{n + 1} {head}</b>", float(r["qalys"]), f"{show(r['qalys'], 'qalys')} ({show(r['usd'], 'usd')})",
                 f"grade {r['quality']}" if r["quality"] else "", rest) for n, (r, (head, _, rest)) in
             enumerate(zip(rows, parts, strict=True))]
    what = "number" if kind == "single" else "group of numbers"
    title = f"Measure this first: {short(words[0], 70)}" if rows and kind == "single" else \
        f"Most worth knowing: {short(words[0][:1].lower() + words[0][1:], 70)}" if rows else \
        f"No single {what} would change the choice among these lists"
    frame = pd.DataFrame({"Number" if kind == "single" else "Group": words, "Healthy years a year": [r["qalys"] for r in rows],
                          "Worth, US$ a year": [r["usd"] for r in rows], "Grade": [r["quality"] or "" for r in rows]})
    return Picture(bars(drawn, room=1.75), title,
                   f"Healthy years a year (and what they are worth) that knowing the {what} exactly would add; knowing "
                   f"everything: {show(perfect['qalys'], 'qalys')}",
                   f"Bar chart of the worth of knowing each {what}: " + "; ".join(
                       f"{w} {r.end}" for w, r in zip(words[:8], drawn, strict=False))
                   + ".", frame, {"Healthy years a year": "qalys", "Worth, US$ a year": "usd"})


def tornado(found: Analysis, most: int = 15) -> Picture:
    """Health of the list planned again with each number at its low and its high end, against the plan's."""
    rows = [r for r in found.tables["parameters"] if r["swing"] > 0]
    base, unit = found.settings["base"], unit_of(found)
    measure = MEASURE_WORDS[found.scenario.objective]
    drawn, ends = [], []
    for r in rows[:most]:
        low, high = _end(r["health_at_low"], base), _end(r["health_at_high"], base)
        pairs = ((r["health_at_low"], r["low"]), (r["health_at_high"], r["high"]))
        said = [f"{show(h, 'qalys')} at {precise(p)}" for h, p in pairs]
        head, _, rest = capital(r["words"]).partition(": ")
        drawn.append(Row(f"<b>{head}</b>", high, "; ".join(said), f"grade {r['quality']}" if r["quality"] else "", rest, low=low,
                         colour=ORANGE if r["lines_changed"] else BLUE))
        ends.append((said[0], said[1]) if low <= high else (said[1], said[0]))
    ends = [(a if min(d.low or 0, d.value) < 0 else "", b if max(d.low or 0, d.value) > 0 else "")
            for d, (a, b) in zip(drawn, ends, strict=True)]
    frame = pd.DataFrame([{
        "Number": capital(r["words"]), "Now": precise(r["value"]), "Low": precise(r["low"]), "High": precise(r["high"]),
        f"{measure}, low": r["health_at_low"], f"{measure}, high": r["health_at_high"],
        "Lines that change sides": r["lines_changed"]} for r in rows[:60]])
    return Picture(
        both_ways(drawn, ends),
        f"Moves the plan most: {short(rows[0]['words'], 80)}" if rows else "No single uncertain number moves the plan",
        f"{measure} a year, more or less than the plan's {show(base, 'qalys')}, with one number at the low or high end of its "
        f"interval and all planned again. Orange: the list itself changes",
        f"Tornado chart of {unit}: " + "; ".join(
            f"{r['words']}: {d.end}" for r, d in zip(rows[:8], drawn, strict=False)) + ".",
        frame, {f"{measure}, low": "qalys", f"{measure}, high": "qalys"})


def _end(health: float | None, base: float) -> float:
    """Difference from the plan; none where the limits contradict each other."""
    return 0.0 if health is None or health != health else float(health - base)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- two plans ---------------------------------------------------------------------------------------


def slopes(found: Analysis, other: str, by: str = "coverage") -> Picture:
    """Coverage, or rank, of each line in the first plan and in another.

    by: coverage (lines that changed, those that move alike together) or rank (lines in either plan).
    """
    first = found.settings["plans"][0]
    rows = _both(found, first, other)
    moved = [r for r in rows if abs(r["a"] - r["b"]) > 0.005 or r["in_a"] != r["in_b"]]
    shown = moved if by == "coverage" else [r for r in rows if r["in_a"] or r["in_b"]]
    table = pd.DataFrame([{"Line": r["line"], "Coverage A": r["a"], "Coverage B": r["b"], "Rank A": str(r["rank_a"] or ""),
                           "Rank B": str(r["rank_b"] or "")} for r in shown],
                         columns=["Line", "Coverage A", "Coverage B", "Rank A", "Rank B"])
    entered, left = (sum(r[x] and not r[y] for r in rows) for x, y in (("in_b", "in_a"), ("in_a", "in_b")))
    title = "The same list in both plans" if not moved else \
        f"{counted(entered, 'line')} {_verb('enter', entered)}, {left} {_verb('leave', left)}"
    draw = _coverage_slopes if by == "coverage" else _rank_slopes
    what = "Share of those eligible who are tested; lines that change" if by == "coverage" else \
        "Rank; lines that are in one of the plans"
    said = "; ".join(f"{r['line']} {show(r['a'], 'share')} to {show(r['b'], 'share')}" for r in moved[:10])
    return Picture(draw(shown) if shown else empty(), title, f"{what}. Left, A: {first}; right, B: {other}",
                   f"Slope chart from {first} to {other}: {said or 'no line changes'}.", table,
                   {"Coverage A": "share", "Coverage B": "share"})


def _verb(word: str, n: int) -> str:
    return word if n != 1 else f"{word}s"


def _both(found: Analysis, first: str, other: str) -> list[dict]:
    sides: dict[tuple, dict] = {}
    for row in found.tables["lines"]:
        if row["plan"] in (first, other):
            sides.setdefault((row["indication_id"], row["biomarker_id"]), {})[row["plan"]] = row
    out = []
    for pair in sides.values():
        a, b = pair.get(first), pair.get(other)
        any_row = b or a
        out.append({"line": f"{any_row['short_name']} · {any_row['indication']}", "short": brief_name(any_row),
                    "a": a["coverage"] if a else 0.0, "b": b["coverage"] if b else 0.0, "in_a": bool(a and a["in_plan"]),
                    "in_b": bool(b and b["in_plan"]), "rank_a": a["rank"] if a else None, "rank_b": b["rank"] if b else None})
    return sorted(out, key=lambda r: (r["rank_b"] or 10**6, r["rank_a"] or 10**6))


def _colour(r: Mapping[str, Any]) -> str:
    if r["in_b"] and not r["in_a"]:
        return BLUE
    return ORANGE if r["in_a"] and not r["in_b"] else GREY


def _slope_frame(figure: go.Figure, height: float) -> None:
    dress(figure, int(height))
    figure.update_xaxes(range=[-0.14, 2.9], tickvals=[0, 1], ticktext=["<b>A</b>", "<b>B</b>"], showgrid=False, zeroline=False,
                        side="top")
    figure.update_layout(margin={"t": 30, "b": 4})


def _coverage_slopes(rows: Sequence[dict]) -> go.Figure:
    """One line for all that move alike, its words at the right, kept apart."""
    groups: dict[tuple, list[dict]] = {}
    for r in rows:
        groups.setdefault((round(r["a"], 2), round(r["b"], 2), _colour(r)), []).append(r)
    figure, at = go.Figure(), 1.15
    for (a, b, colour), mine in sorted(groups.items(), key=lambda g: (-g[0][1], -g[0][0])):
        text = lined([r["short"] for r in mine])
        tall = (16 * (1 + text.count("<br>")) + 8) / WHOLE
        top = min(at, b + tall / 2)
        line = {"mode": "lines", "hoverinfo": "skip"}
        figure.add_scatter(x=[0, 1], y=[a, b], **line | {"mode": "lines+markers"}, marker={"size": 9, "color": colour},
                           line={"color": colour, "width": 2 + min(3, len(mine) / 4)})
        figure.add_scatter(x=[1.03, 1.12], y=[b, top - tall / 2], **line, line={"color": GREY, "width": 1})
        figure.add_annotation(x=1.14, y=top, xanchor="left", yanchor="top", align="left", showarrow=False, text=text,
                              font={"size": 12})
        at = top - tall
    least = min(-0.06, at)
    _slope_frame(figure, WHOLE * (1.15 - least) + 34)
    figure.update_yaxes(range=[least, 1.15], tickvals=[0, 0.5, 1], ticktext=["0 %", "50 %", "100 %"])
    return figure


def lined(names: Sequence[str], most: int = 8) -> str:
    """Names one below the other, the last ones counted."""
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return "<br>".join([short(n, 29) for n in names[:most]] + more)


def _rank_slopes(rows: Sequence[dict]) -> go.Figure:
    """A row each side for every line, closed up; its name at the right where it ends."""
    left = sorted(rows, key=lambda r: (not r["in_a"], r["rank_a"] or 10**6))
    place = {id(r): n for n, r in enumerate(left)}
    figure = go.Figure()
    _slope_frame(figure, 60 + 22 * len(rows))
    right = sorted(rows, key=lambda r: (not r["in_b"], r["rank_b"] or 10**6))
    for n, r in enumerate(right):
        figure.add_scatter(x=[0, 1], y=[place[id(r)], n], mode="lines+markers", hoverinfo="skip", marker={"size": 7},
                           line={"color": _colour(r), "width": 2.5 if _colour(r) != GREY else 1.5})
        figure.add_annotation(x=1.05, y=n, xanchor="left", showarrow=False,
                              text=f"{_rank(r['rank_b'], r['in_b'])} {short(r['short'], 27)}",
                              font={"size": 12})
        figure.add_annotation(x=-0.03, y=place[id(r)], xanchor="right", showarrow=False, text=_rank(r["rank_a"], r["in_a"]),
                              font={"size": 12})
    figure.update_yaxes(range=[len(rows) - 0.4, -0.6], showticklabels=False)
    return figure


def _rank(rank: int | None, inside: bool) -> str:
    return f"<b>{rank}</b>" if inside else "out"

