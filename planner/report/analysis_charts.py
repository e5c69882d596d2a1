"""Pictures of what money buys, what would flip a decision, other lists, and what drugs would unlock.

Pure functions of an :class:`planner.analysis.study.Analysis`, each a :class:`planner.report.charts.Picture`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from planner.analysis.study import Analysis
from planner.report.bar_charts import EDGE, THICK, Row, Rows, bars, both_ways, dots, empty
from planner.report.charts import AXIS_WORDS, BLUE, GREY, PLAINLY, Picture, briefly, dress, short
from planner.report.names import verdict
from planner.report.numbers import MEASURE_WORDS, MINUS, PAYER_WORDS, counted, show

PALE, ORANGE, GREEN = "#56B4E9", "#E69F00", "#009E73"
MOST_LABELS = 9  # lines named on the curve
LABEL_ROOM = 30  # characters of a name on the curve
FLAT = 0.005  # share of the health that a long flat stretch of the curve may add and not be drawn
LEVER_WORDS = {"access": "drug reachable for", "effect": "health per person treated",
               "prevalence": "carriers among the eligible"}
FLIPS = {True: "drops out", False: "comes in"}


def several(rows: Sequence[Mapping[str, Any]]) -> bool:
    return len({r.get("region") for r in rows}) > 1


def bold_name(row: Mapping[str, Any], many: bool = False) -> str:
    return f"<b>{row['short_name']}</b> {briefly(row['indication'])}" + (f" {row['region']}" if many else "")


def line_of(row: Mapping[str, Any], many: bool = False) -> str:
    return f"{row['short_name']} · {row['indication']}" + (f" ({row['region']})" if many else "")


def unit_of(found: Analysis) -> str:
    """What the analysis counts, in a sentence."""
    return "weighted " * bool(found.scenario.equity.weights) + PLAINLY[found.scenario.objective]


# -- the budget ----------------------------------------------------------------------------------------


def budget_curve(found: Analysis) -> Picture:
    """Health by budget: the exact curve, the scenario's budget marked, entering lines named where they enter."""
    points, axis = found.frame("points"), found.settings["axis"]
    limit = found.scenario.limit(axis, 0)
    figure, subtitle = empty(), f"{MEASURE_WORDS[found.scenario.objective]} a year by money for {AXIS_WORDS[axis]}, " \
        "US$ a year. Each ring: a test enters the list"
    if points.empty:
        return Picture(figure, "No budget makes this possible", subtitle, "Line chart with no points.", points)
    end, top = float(points["budget"].iloc[-1]), float(points["value"].iloc[-1])
    at = end if limit is None else float(limit)
    value = value_at(found, at)
    entering = [e for e in found.tables["events"] if e["event"] == "enter"]
    wide = _width(points, end, top, min(at, end))
    if wide < end:
        more = show(top - value_at(found, wide), "qalys")
        subtitle += f". Not drawn: from {show(wide, 'usd')} to {show(end, 'usd')}, {more} more"
    figure = _curve(points, wide, (min(at, wide), value), [(e["budget"], value_at(found, e["budget"])) for e in entering])
    said = f"<b>{show(value, 'qalys')}</b> at {show(at, 'usd')}"
    for x, y, text in _labels(found, entering, wide, top, (min(at, wide), value, said)):
        right = x > 0.52 * wide
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, xanchor="right" if right else "left",
                              yanchor="bottom" if right else "top", xshift=-5 if right else 7, yshift=3 if right else 0,
                              font={"size": 12})
    return Picture(figure, _curve_title(found, limit, at, value, end, top), subtitle,
                   f"Line chart of {unit_of(found)} by money for {AXIS_WORDS[axis]}: up to {show(top, 'qalys')} at "
                   f"{show(end, 'usd')}, then level; {show(value, 'qalys')} at {show(at, 'usd')}. "
                   f"{counted(len(entering), 'line')} enter.",
                   _curve_table(points), {"Budget, US$ a year": "usd", "One more costs, US$": "usd"})


def _width(points: pd.DataFrame, end: float, top: float, at: float) -> float:
    """How far the curve is drawn: not the long stretch in which next to nothing is added."""
    nearly = points["budget"][points["value"] >= (1 - FLAT) * top]
    reached = float(nearly.iloc[0]) if len(nearly) else end
    wide = max(1.3 * reached, 1.3 * at, 1.0)
    return wide if wide < 0.8 * end else max(1.04 * end, 1.0)


def _curve(points: pd.DataFrame, wide: float, here: tuple[float, float], entering) -> go.Figure:
    figure, top = go.Figure(), float(points["value"].iloc[-1])
    figure.add_scatter(x=[*points["budget"], wide], y=[*points["value"], top], mode="lines", hoverinfo="x+y",
                       line={"color": GREY, "width": 2})
    figure.add_scatter(x=[x for x, _ in entering], y=[y for _, y in entering], mode="markers", hoverinfo="skip",
                       marker={"size": 6, "color": "rgba(0,0,0,0)", "line": {"color": GREY, "width": 1.5}})
    figure.add_scatter(x=[here[0]], y=[here[1]], mode="markers", marker={"color": BLUE, "size": 13}, hoverinfo="skip")
    dress(figure, 400)
    figure.update_xaxes(range=[0, wide], tickprefix="$", nticks=5)
    figure.update_yaxes(range=[min(0.0, float(points["value"].min())), max(top * 1.1, 1e-9)], nticks=5, showgrid=True,
                        gridcolor="rgba(128,128,128,0.18)")
    return figure


def _labels(found: Analysis, entering, wide: float, top: float, here: tuple[float, float, str]):
    """The budget's own label, then names of entering lines that keep off each other, the steepest stretch first."""
    shown = [here]
    many = several(found.tables["events"])
    groups: dict[float, list] = {}
    for e in entering:
        groups.setdefault(round(float(e["budget"]), 2), []).append(e)
    gains = sorted(groups, key=lambda x: -_gain(found, x))
    for x in gains:
        y = value_at(found, x)
        if x > wide or len(shown) > MOST_LABELS or any(
                abs(y - b) < 0.075 * top and abs(x - a) < 0.5 * wide for a, b, _ in shown):
            continue
        more = f" +{len(groups[x]) - 1}" if len(groups[x]) > 1 else ""
        first = groups[x][0]
        name = f"{first['short_name']} {briefly(first['indication'])}" + (f" {first['region']}" if many else "")
        shown.append((x, y, short(name, LABEL_ROOM) + more))
    return shown


def _gain(found: Analysis, budget: float) -> float:
    """Health that the stretch of the curve beginning at an entry brings."""
    points = found.tables["points"]
    after = next((p for p in points if p["budget"] > budget), None)
    return after["value"] - value_at(found, budget) if after else 0.0


def value_at(found: Analysis, budget: float) -> float:
    """The curve's value at a budget, linear between its breakpoints."""
    points = found.tables["points"]
    if not points or budget >= points[-1]["budget"]:
        return float(points[-1]["value"]) if points else 0.0
    after = next(n for n, p in enumerate(points) if p["budget"] > budget)
    if after == 0:
        return float(points[0]["value"])
    a, b = points[after - 1], points[after]
    return float(a["value"] + (b["value"] - a["value"]) * (budget - a["budget"]) / (b["budget"] - a["budget"]))


def _curve_title(found: Analysis, limit, at: float, value: float, end: float, top: float) -> str:
    if top <= 0:
        return "More money alone brings no health here"
    if limit is None or at >= end * (1 - 1e-6):
        return f"Above {show(end, 'usd')} more money brings nothing more"
    return f"{show(at, 'usd')} reaches {show(value / top, 'share')} of what money can bring"


def _curve_table(points: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"Budget, US$ a year": points["budget"], "Health a year": points["value"],
                         "One more costs, US$": points["usd_per_unit_after"], "Lines in": points["lines"].astype(str)})


def entries(found: Analysis, most: int) -> Picture:
    """Which line enters at which budget: from half to all of its people, on a scale of tenfold steps."""
    lines = entering_lines(found)
    drawn, axis = lines[:most], found.settings["axis"]
    limit = found.scenario.limit(axis, 0)
    least = min((e["enters"] for e in lines if e["enters"] > 0), default=1.0) / 2
    figure = _entries(drawn, least, limit) if drawn else empty()
    first = f"; the first {most} of {len(lines)}" if len(lines) > most else ""
    said = "; ".join(f"{e['line']} from {show(e['enters'], 'usd')}" for e in lines[:8])
    return Picture(
        figure, _entries_title(lines, limit),
        f"Money for {AXIS_WORDS[axis]}, US$ a year, each step tenfold. Ring: enters; end of the bar: all its people are "
        f"tested; cross: gives way{first}",
        f"Chart of {counted(len(lines), 'line')} by the budget at which each enters: {said}.",
        pd.DataFrame([{"Line": e["line"], "Enters at, US$": e["enters"], "Full from, US$": e["full"],
                       "Gives way at, US$": e["leaves"]} for e in lines]),
        {"Enters at, US$": "usd", "Full from, US$": "usd", "Gives way at, US$": "usd"})


def entering_lines(found: Analysis) -> list[dict]:
    """One row per line that ever enters: budgets of entry, of full testing, of giving way."""
    events, many = found.tables["events"], several(found.tables["events"])
    out: dict[tuple, dict] = {}
    for e in events:
        key = (e["region"], e["indication_id"], e["biomarker_id"])
        mine = out.setdefault(key, {"line": line_of(e, many), "name": bold_name(e, many), "enters": None, "full": None,
                                    "leaves": None})
        column = {"enter": "enters", "full": "full", "leave": "leaves"}.get(e["event"])
        if column == "full" or (column and mine[column] is None):  # full: the budget from which it stays so
            mine[column] = float(e["budget"])
    return sorted((e for e in out.values() if e["enters"] is not None), key=lambda e: (e["enters"], e["line"]))


def _entries(lines: Sequence[dict], least: float, limit: float | None) -> go.Figure:
    colour = [BLUE if limit is None or e["enters"] <= limit else GREY for e in lines]
    made = Rows([Row(e["name"], e["enters"], _from_to(e), right=show(e["enters"], "usd")) for e in lines])
    figure = go.Figure()
    starts = [max(e["enters"], least) for e in lines]
    ends = [max(e["full"] or s, s) for e, s in zip(lines, starts, strict=True)]
    for y, s, e, c in zip(made.y, starts, ends, colour, strict=True):
        figure.add_scatter(x=[s, e], y=[y, y], mode="lines", line={"color": c, "width": THICK / 2}, hoverinfo="skip")
    figure.add_scatter(x=starts, y=made.y, mode="markers", hovertext=made.bar["hovertext"], hoverinfo="text",
                       marker={"size": 11, "color": "white", "line": {"color": colour, "width": 2.5}})
    gone = [(e["leaves"], y) for e, y in zip(lines, made.y, strict=True) if e["leaves"]]
    figure.add_scatter(x=[x for x, _ in gone], y=[y for _, y in gone], mode="markers", hoverinfo="skip",
                       marker={"symbol": "x", "size": 9, "color": ORANGE})
    top = max(*ends, limit or 0.0, 10 * least) * 1.2
    ticks = [10.0**n for n in range(-1, 12) if least < 10.0**n < top]
    top *= (top / least) ** 0.32  # room for the amounts at the right, also on a phone
    made.words(figure, least, top)
    if limit and limit > least:
        figure.add_vline(x=limit, line={"dash": "dot", "width": 1.5, "color": BLUE})
    made.finish(figure)
    figure.update_xaxes(type="log", autorange=False, zeroline=False, tickvals=ticks, ticktext=[_tick(t) for t in ticks])
    figure.layout.xaxis.range = [math.log10(least) - EDGE, math.log10(top) + EDGE]
    return figure


def _from_to(e: dict) -> str:
    return show(e["enters"], "usd") + (f", leaves {show(e['leaves'], 'usd', unit=False)}" if e["leaves"] else "")


def _tick(amount: float) -> str:
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if amount >= size:
            return f"${amount / size:g}{letter}"
    return f"${amount:g}"


def _entries_title(lines: Sequence[dict], limit: float | None) -> str:
    if not lines:
        return "No line enters at any budget"
    if limit is None:
        return f"{counted(len(lines), 'line')} enter, the last at {show(lines[-1]['enters'], 'usd')}"
    after = next((e for e in lines if e["enters"] > limit), None)
    if after is None:
        return f"All {len(lines)} lines that money can bring in are in"
    return f"Next in: {after['line']}, at {show(after['enters'], 'usd')}"


# -- switching values ------------------------------------------------------------------------------------


def flips(found: Analysis, line: tuple | None = None, most: int = 12) -> Picture:
    """The smallest changes of one number that flip a decision; of one line, or of all."""
    many = several(found.tables["values"])
    rows = [v for v in found.tables["values"] if v["relative_change"] is not None and (line is None or line_key(v) == line)]
    rows.sort(key=lambda v: abs(v["relative_change"]))
    table = pd.DataFrame([{"Line": line_of(v, many), "Number": v["lever_words"], "Today": value_words(v["today"], v["unit"]),
                           "Flips at": value_words(v["flips_at"], v["unit"]), "Change": percent(v["relative_change"]),
                           "Then it": FLIPS[bool(v["in_plan"])]} for v in rows],
                         columns=["Line", "Number", "Today", "Flips at", "Change", "Then it"])
    drawn = [Row(bold_name(v, many), float(v["relative_change"]), percent(v["relative_change"]), FLIPS[bool(v["in_plan"])],
                 f"{LEVER_WORDS.get(v['lever'], v['lever_words'])}: {value_words(v['today'], v['unit'])} → "
                 f"{value_words(v['flips_at'], v['unit'])}",
                 ORANGE if v["in_plan"] else BLUE) for v in rows[:most]]
    title = "No single number flips a decision within its range"
    if rows:
        v = rows[0]
        title = f"Closest call: {line_of(v, many)} {FLIPS[bool(v['in_plan'])]} at {percent(v['relative_change'])}"
    said = "; ".join(f"{t['Line']}: {t['Number']} {t['Change']}, {t['Then it']}" for t in table.head(8).to_dict("records"))
    return Picture(both_ways(drawn, percent=True), title, f"Change of one number, against today's, at which the decision "
                                                          f"flips; the {len(drawn)} "
                   "smallest, everything else planned again", f"Bar chart of the smallest changes that flip a decision: {said}.",
                   table)


def line_key(row: Mapping[str, Any]) -> tuple:
    return row["region"], row["indication_id"], row["biomarker_id"]


def value_words(value: float | None, unit: str) -> str:
    if value is None:
        return "never"
    return show(value, "share") if unit == "share" else f"{value:.2f} ×"


def percent(share: float | None) -> str:
    """A relative change with its sign."""
    if share is None:
        return ""
    text = show(abs(float(share)), "share")
    return f"{MINUS if share < 0 else '+'}{text}"


# -- other lists ---------------------------------------------------------------------------------------


def ranges(found: Analysis, most: int) -> Picture:
    """How far the coverage of each line can go in lists that are nearly as good."""
    many = several(found.tables["ranges"])
    order = {"always": 0, "sometimes": 1}
    rows = sorted((r for r in found.tables["ranges"] if r["where"] in order),
                  key=lambda r: (order[r["where"]], -r["least"], -r["greatest"], r["short_name"]))
    drawn = [Row(bold_name(r, many), min(1.0, float(r["greatest"])), _range_words(r), WHERE[r["where"]],
                 colour=BLUE if r["where"] == "always" else PALE, low=max(0.0, float(r["least"]))) for r in rows[:most]]
    always = sum(r["where"] == "always" for r in rows)
    tolerance = show(found.settings["tolerance"], "share")
    first = f"; the first {most} of {len(rows)}" if len(rows) > most else ""
    return Picture(dots(drawn), f"{counted(always, 'line')} {'is' if always == 1 else 'are'} in every list, "
                   f"{len(rows) - always} are a matter of choice",
                   f"Coverage from least to greatest over all lists that lose at most {tolerance} of the health{first}",
                   f"Chart of coverage in lists within {tolerance}: " + "; ".join(
                       f"{line_of(r, many)} {_range_words(r)}, {WHERE[r['where']]}" for r in rows[:8]) + ".",
                   pd.DataFrame([{"Line": line_of(r, many), "Least coverage": r["least"], "Greatest coverage": r["greatest"],
                                  "In the lists": WHERE[r["where"]]} for r in rows]),
                   {"Least coverage": "share", "Greatest coverage": "share"})


WHERE = {"always": "in every list", "sometimes": "in some lists", "never": "in no list"}


def _range_words(r: Mapping[str, Any]) -> str:
    low, high = show(max(0.0, r["least"]), "share"), show(r["greatest"], "share")
    return high if low == high else f"{low} to {high}"


# -- drugs -----------------------------------------------------------------------------------------------


def unlock(found: Analysis, most: int) -> Picture:
    """Health that each drug would unlock, with the price of a course that pays beside today's."""
    rows = [d for d in found.tables["drugs"] if d["health_gained"] > 0]
    unit, measure = unit_of(found), MEASURE_WORDS[found.settings["measure"]]
    drawn = [Row(f"<b>{d['name']}</b>", float(d["health_gained"]), show(d["health_gained"], "qalys"), verdict(d),
                 price_words(d), BLUE if pays(d) else ORANGE if d["price_that_pays"] else GREY) for d in rows[:most]]
    title = "No drug alone would bring more health under these limits"
    if rows:
        name, most_health = rows[0]["name"], show(rows[0]["health_gained"], "qalys")
        title = f"{name[:1].upper()}{name[1:]} would unlock most: {most_health} {unit} a year"
    first = f"; the first {most} of {len(rows)} drugs" if len(rows) > most else ""
    return Picture(bars(drawn), title, f"{measure} a year if the drug were as reachable as it could be, all else planned "
                                       f"again{first}",
                   f"Bar chart of {unit} that each drug would unlock: " + "; ".join(
                       f"{d['name']} {show(d['health_gained'], 'qalys')}, {price_words(d)}" for d in rows[:8]) + ".",
                   pd.DataFrame([{"Drug": d["name"], measure: d["health_gained"], "Course today, US$": d["course_cost"],
                                  "Pays below, US$": d["price_that_pays"], "Verdict": verdict(d)} for d in rows],
                                columns=["Drug", measure, "Course today, US$", "Pays below, US$", "Verdict"]),
                   {measure: "qalys", "Course today, US$": "usd", "Pays below, US$": "usd"})


def pays(d: Mapping[str, Any]) -> bool:
    return bool(d["price_that_pays"] and d["course_cost"] is not None and d["course_cost"] <= d["price_that_pays"])


def price_words(d: Mapping[str, Any]) -> str:
    """The price of a course that pays, beside today's."""
    if d["course_cost"] is None:
        return "no more people treated"
    text = f"a course costs {show(d['course_cost'], 'usd')}"
    if d["price_that_pays"]:
        return f"{text}, pays below {show(d['price_that_pays'], 'usd')}"
    if d["price_alone"]:
        return f"{text}, pays with its test alone below {show(d['price_alone'], 'usd')}"
    return text


def payers(found: Analysis, drug: str) -> Picture:
    """Money more or less than in the plan, by year after the listing and payer, tests included."""
    money = found.frame("money")
    money = money[money["drug"] == drug] if len(money) else money
    if money.empty:
        return Picture(empty(), "Nobody would be treated more or less", "US$ a year after the listing",
                       "No money.", pd.DataFrame())
    table = money.pivot_table(index="year", columns="payer", values="cost", aggfunc="sum", fill_value=0.0)
    table = table[table.sum().sort_values(ascending=False).index]
    split = [", ".join(f"{PAYER_WORDS.get(z, z)} {show(v, 'usd', unit=False)}" for z, v in row.items() if abs(v) > 0.5)
             for _, row in table.iterrows()]
    total = table.sum(axis=1)
    rows = [Row(f"<b>Year {year}</b>", max(0.0, float(v)), show(v, "usd"), under=s)
            for year, v, s in zip(table.index, total, split, strict=True)]
    frame = table.rename(columns=lambda z: f"{PAYER_WORDS.get(z, z).capitalize()}, US$")
    frame = frame.reset_index().rename(columns={"year": "Year"})
    frame["Year"] = frame["Year"].astype(str)
    return Picture(bars(rows, prefix="$"), f"{show(total.iloc[-1], 'usd')} a year once the courses have run in",
                   "Undiscounted US$ more or less than in the plan, by year after the listing: drugs by payer, and tests",
                   "Bar chart of money by year: " + "; ".join(f"year {r.name[3:-4]} {r.end}: {r.under}" for r in rows) + ".",
                   frame, dict.fromkeys(frame.columns[1:], "usd"))
