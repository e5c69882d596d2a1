"""Pictures of ways to test and of the laboratory: cost against health, panel against single tests, cost by volume.

Pure functions of an :class:`planner.analysis.study.Analysis` of kind ``strategies`` or ``laboratory``, each a
:class:`planner.report.charts.Picture`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from planner.analysis.side_by_side import APART, NOTHING, best_of, cheapest_health
from planner.analysis.study import Analysis
from planner.report.analysis_charts import ORANGE, PALE
from planner.report.bar_charts import INK, Row, Rows, bars, empty
from planner.report.charts import BLUE, GREY, Picture, dress, short
from planner.report.numbers import counted, show

GRID = "rgba(128,128,128,0.18)"
BOLD_ROOM = 54  # characters of a bold name and of the words at its right, on a phone
TALLER = 4.0  # times the dearest price elsewhere up to which the cost at home is drawn
PLACE_WORDS = {"own": "at home", "hub": "national laboratory", "send_out": "laboratory abroad"}
PLACE_COLOURS = {"hub": ORANGE, "send_out": "#009E73"}
Names = Callable[[str], str]


def bold(name: str, right: str) -> str:
    """A name above its bar, as long as the words at its right leave room for on a phone."""
    return f"<b>{short(name, BOLD_ROOM - len(right))}</b>"


def capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# -- cost against health -----------------------------------------------------------------------------------


def frontier_rows(found: Analysis) -> list[Mapping[str, Any]]:
    """The strategies on the frontier, the cheapest first; of equal ones the first."""
    rows = [r for r in found.tables["strategies"] if r["status"] == "frontier"]
    rows.sort(key=lambda r: (r["total_cost"], r["qalys"]))
    out: list[Mapping[str, Any]] = []
    for r in rows:
        if not out or not _same(r, out[-1]):
            out.append(r)
    return out


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return math.isclose(a["total_cost"], b["total_cost"], rel_tol=1e-7, abs_tol=1e-3) and \
        math.isclose(a["qalys"], b["qalys"], rel_tol=1e-7, abs_tol=1e-7)


def plane(found: Analysis) -> Picture:
    """Cost of tests and treatment against healthy years: one point a strategy, those of best value joined and numbered."""
    rows = [r for r in found.tables["strategies"] if r["status"] != APART]  # a part of today is no way beside the others
    steps = frontier_rows(found)
    today = next((r for r in rows if r.get("kind") == "today"), None)
    best = next((r for r in rows if r["best_at_threshold"]), None)
    figure = go.Figure()
    beaten = [r for r in rows if r["status"] != "frontier" and r is not today]
    _points(figure, beaten, marker={"size": 9, "color": "rgba(0,0,0,0)", "line": {"color": GREY, "width": 1.5}})
    figure.add_scatter(x=[r["total_cost"] for r in steps], y=[r["qalys"] for r in steps], mode="lines", hoverinfo="skip",
                       line={"color": BLUE, "width": 2})
    _points(figure, steps, marker={"size": 19, "color": BLUE}, text=[str(n) for n in range(1, len(steps) + 1)])
    if today is not None:
        _points(figure, [today], marker={"size": 14, "color": ORANGE, "symbol": "diamond"})
    _corner(figure, rows, today)
    words = "Healthy years (QALYs) a year by cost of tests and treatment, US$ a year. Numbered and joined: best value, each " \
        f"at some value of a healthy year" \
        f"{'; diamond: today, where known' if today else ''}; rings: beaten by others"
    title = f"Best value at {show(found.settings['threshold'], 'usd')} for a healthy year: {best['strategy']}" if best else ""
    said = "; ".join(f"{n} {r['strategy']}: {show(r['qalys'], 'qalys')} at {show(r['total_cost'], 'usd')}"
                     for n, r in enumerate(steps, 1))
    return Picture(figure, title, words,
                   f"Chart of {counted(len(rows), 'way')} to test by cost and healthy years a year. Best value: {said}. "
                   f"{counted(len(beaten), 'other')} {'does' if len(beaten) == 1 else 'do'} worse for the money.",
                   _plane_table(rows), {"Tests and treatment, US$ a year": "usd", "Healthy years a year": "qalys"})


def _points(figure: go.Figure, rows: Sequence[Mapping[str, Any]], marker: dict, text: Sequence[str] | None = None) -> None:
    hover = [f"{capital(r['strategy'])}: {show(r['qalys'], 'qalys')} healthy years, {show(r['total_cost'], 'usd')}" for r in rows]
    figure.add_scatter(x=[r["total_cost"] for r in rows], y=[r["qalys"] for r in rows], marker=marker, text=text,
                       mode="markers+text" if text else "markers", textposition="middle center", hovertext=hover,
                       hoverinfo="text", cliponaxis=False, textfont={"size": INK, "color": "white"})


def _corner(figure: go.Figure, rows: Sequence[Mapping[str, Any]], today: Mapping[str, Any] | None) -> None:
    """Axes with room for the points, and the words beside today's practice."""
    costs, health = [r["total_cost"] for r in rows] or [0.0], [r["qalys"] for r in rows] or [0.0]
    wide, tall = max(max(costs) - min(0.0, *costs), 1.0), max(max(health) - min(0.0, *health), 1e-9)
    dress(figure, 380, 40)
    figure.update_xaxes(range=[min(0.0, *costs) - 0.06 * wide, max(*costs, 0.0) + 0.08 * wide], tickprefix="$", nticks=5)
    figure.update_yaxes(range=[min(0.0, *health) - 0.07 * tall, max(*health, 0.0) + 0.09 * tall], nticks=5, showgrid=True,
                        gridcolor=GRID)
    if today is not None:
        right = today["total_cost"] > 0.6 * max(costs)
        figure.add_annotation(x=today["total_cost"], y=today["qalys"], text="today", showarrow=False, font={"size": INK},
                              xanchor="right" if right else "left", xshift=-11 if right else 11, yanchor="top")


def _plane_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([{"Way to test": capital(r["strategy"]), "Tests and treatment, US$ a year": r["total_cost"],
                          "Healthy years a year": r["qalys"], "Beside the others": r["status_words"]}
                         for r in sorted(rows, key=lambda r: r["total_cost"])])


# -- panel against single tests ------------------------------------------------------------------------------


def panels(found: Analysis) -> dict[str, str]:
    """Panels that answer several biomarkers, id -> name; the one that breaks even first comes first."""
    rows = [r for r in found.tables["by_number"] if r["biomarkers"] > 1]
    rows.sort(key=lambda r: (r["break_even"] is None, r["break_even"] or 0, r["panel_cost"]))
    return {r["service"]: r["name"] for r in rows}


def by_number(found: Analysis, panel: str, names: Names) -> Picture:
    """A panel against the single tests of the first, the first two, ... of its biomarkers: US dollars per patient."""
    rows = [r for r in found.tables["by_number"] if r["service"] == panel]
    price, first, name = rows[0]["panel_cost"], rows[0]["break_even"], rows[0]["name"]
    x, y = [0, *(r["biomarkers"] for r in rows)], [0.0, *(r["singles_cost"] for r in rows)]
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, mode="lines+markers", line={"color": ORANGE, "width": 2, "shape": "vh"}, marker={"size": 7},
                       hovertext=[f"{n} by single tests: {show(c, 'usd')}" for n, c in zip(x, y, strict=True)], hoverinfo="text")
    figure.add_scatter(x=[0, x[-1]], y=[price, price], mode="lines", line={"color": BLUE, "width": 2.5}, hoverinfo="skip")
    top = max(*y, price) * 1.16
    dress(figure, 320, 40)
    figure.update_xaxes(range=[-0.012 * x[-1], x[-1] * 1.02], dtick=1 if x[-1] <= 12 else 2,
                        title={"text": "Biomarkers asked for"})
    figure.update_yaxes(range=[0, top], tickprefix="$", nticks=5, showgrid=True, gridcolor=GRID)
    figure.add_annotation(x=0.02 * x[-1], y=price, text=f"<b>the panel</b> {show(price, 'usd')}", showarrow=False,
                          xanchor="left", yanchor="bottom", font={"size": INK})
    figure.add_annotation(x=x[-1], y=y[-1], text=f"single tests {show(y[-1], 'usd')}", showarrow=False, xanchor="right",
                          yanchor="bottom", yshift=4, font={"size": INK})
    if first is not None:
        figure.add_vline(x=first, line={"dash": "dot", "width": 1.5, "color": GREY})
    title = f"{name} costs no more than single tests from {counted(first, 'biomarker')} on" if first is not None else \
        f"{name} costs more than the {len(rows)} single tests that it would replace"
    table = pd.DataFrame([{"Biomarkers": str(r["biomarkers"]), "Added": names(r["added"]),
                           "Single tests, US$ per patient": r["singles_cost"], "Panel, US$ per patient": r["panel_cost"]}
                          for r in rows])
    return Picture(figure, title, "US$ per eligible patient, by number of biomarkers, the one of most worth first. Dotted: from "
                                  "here the panel costs no more",
                   f"Step chart: single tests cost {show(y[1], 'usd')} for one biomarker and {show(y[-1], 'usd')} for "
                   f"{len(rows)}; the panel costs {show(price, 'usd')}.", table,
                   {"Single tests, US$ per patient": "usd", "Panel, US$ per patient": "usd"})


# -- at home or elsewhere, by volume ---------------------------------------------------------------------------


def tests_by_volume(found: Analysis) -> dict[str, str]:
    """Tests with a curve, id -> name; those that break even at the smallest volume first."""
    least: dict[str, float] = {}
    for r in found.tables["break_even"]:
        at = math.inf if r["break_even"] is None else r["break_even"]
        least[r["assay"]] = min(at, least.get(r["assay"], math.inf))
    names = {r["assay"]: r["name"] for r in found.tables["by_volume"]}
    return dict(sorted(names.items(), key=lambda p: (least.get(p[0], math.inf), p[1])))


def by_volume(found: Analysis, assay: str) -> Picture:
    """Cost per sample at home by yearly volume, against the prices elsewhere; the break-even marked."""
    rows = [r for r in found.tables["by_volume"] if r["assay"] == assay]
    points = [r for r in found.tables["break_even"] if r["assay"] == assay]
    places = [p for p in PLACE_COLOURS if f"{p}_cost" in rows[0] and rows[0][f"{p}_cost"] is not None]
    prices = {p: float(rows[0][f"{p}_cost"]) for p in places}
    name, x, own = rows[0]["name"], [r["samples"] for r in rows], [r["own_cost"] for r in rows]
    top = min(max(own), TALLER * max(prices.values())) * 1.1
    figure = go.Figure()
    figure.add_scatter(x=x, y=own, mode="lines+markers", line={"color": BLUE, "width": 2.5}, marker={"size": 6},
                       hovertext=[f"{n:,} a year at home: {show(c, 'usd')} a sample" for n, c in zip(x, own, strict=True)],
                       hoverinfo="text")
    for p, price in prices.items():
        figure.add_scatter(x=[x[0], x[-1]], y=[price, price], mode="lines", hoverinfo="skip",
                           line={"color": PLACE_COLOURS[p], "width": 2, "dash": "dash"})
        figure.add_annotation(x=math.log10(x[0]), y=price, text=f"{PLACE_WORDS[p]} {show(price, 'usd')}", showarrow=False,
                              xanchor="left", yanchor="bottom", font={"size": INK})
    first = min((r["break_even"] for r in points if r["break_even"] is not None), default=None)
    if first is not None:
        figure.add_vline(x=first, line={"dash": "dot", "width": 1.5, "color": GREY})
    dress(figure, 340, 40)
    figure.update_xaxes(type="log", zeroline=False, tickvals=[10, 100, 1000], ticktext=["10", "100", "1,000"],
                        title={"text": "Samples a year"}, range=[math.log10(x[0]) - 0.03, math.log10(x[-1]) + 0.03])
    figure.update_yaxes(range=[0, top], tickprefix="$", nticks=5, showgrid=True, gridcolor=GRID)
    figure.add_annotation(x=math.log10(x[-1]), y=own[-1], text="<b>at home</b>", showarrow=False, xanchor="right",
                          yanchor="top" if own[-1] > 0.1 * top else "bottom", yshift=-5 if own[-1] > 0.1 * top else 5,
                          font={"size": INK})
    title = f"{name}: cheaper at home from {first:,} samples a year on" if first is not None else \
        f"{name}: never cheaper at home than elsewhere"
    more = ". Where the line leaves the picture, home costs more still" if max(own) > top else ""
    table = pd.DataFrame([{"Samples a year": f"{r['samples']:,}", "At home, US$ per sample": r["own_cost"],
                           **{f"{capital(PLACE_WORDS[p])}, US$": r[f"{p}_cost"] for p in places}} for r in rows])
    return Picture(figure, title, f"US$ per sample by yearly volume, each step tenfold, the test having the laboratory to "
                                  f"itself. Dashed: the price elsewhere, with transport{more}",
                   f"Line chart of cost per sample of {name}: at home {show(own[0], 'usd')} at {x[0]} a year and "
                   f"{show(own[-1], 'usd')} at {x[-1]:,}; " + ", ".join(f"{PLACE_WORDS[p]} {show(v, 'usd')}"
                                                                       for p, v in prices.items()) + ".",
                   table, dict.fromkeys(table.columns[1:], "usd"))


# -- the whole laboratory ----------------------------------------------------------------------------------------


def home_or_sent(found: Analysis, way: str, most: int) -> Picture:
    """Each test of a way to run the laboratory: how many samples, at home or sent, what one costs."""
    rows = sorted((r for r in found.tables["tests"] if r["strategy"] == way), key=lambda r: (-r["samples"], r["name"]))
    home = [r for r in rows if r["at_home"]]
    drawn = [Row(bold(r["name"], "sent out"), r["samples"], show(r["samples"], "people"),
                 "at home" if r["at_home"] else "sent out", _sample_words(r),
                 BLUE if r["at_home"] else GREY) for r in rows[:most]]
    here = {r["assay"] for r in home}
    own, away = len(here), len({r["assay"] for r in rows} - here)  # a test of two pathways is counted once
    title = f"{counted(own, 'test')} at home, {away} sent out" if rows else "Nothing is tested"
    first = f"; the first {most} of {len(rows)}" if len(rows) > most else ""
    return Picture(bars(drawn), title, f"Samples a year of each test. Blue: run at home; grey: sent out{first}",
                   "Bar chart of samples a year by test: " + "; ".join(
                       f"{r['name']} {show(r['samples'], 'people')} {'at home' if r['at_home'] else 'sent out'}, "
                       f"{_sample_words(r)}" for r in rows[:most]) + ".",
                   pd.DataFrame([{"Test": r["name"], "Where": "at home" if r["at_home"] else r["laboratory"],
                                  "Samples a year": r["samples"], "On average, US$": r["average_cost"]} for r in rows],
                                columns=["Test", "Where", "Samples a year", "On average, US$"]),
                   {"Samples a year": "people", "On average, US$": "usd"})


def _sample_words(r: Mapping[str, Any]) -> str:
    text = f"{show(r['average_cost'], 'usd')} a sample"
    if r["at_home"] and r["price_elsewhere"] is not None:
        text += f", elsewhere {show(r['price_elsewhere'], 'usd')}"
    return text


def ways(found: Analysis) -> Picture:
    """Ways to run the laboratory: healthy years, with the money for tests and what is run at home."""
    best = best_of(found.tables["strategies"])
    rows = sorted((r for r in found.tables["strategies"] if r["strategy"] != NOTHING and r["status"] != APART),
                  key=lambda r: -r["qalys"])
    drawn = [Row(f"<b>{capital(r['strategy'])}</b>", max(0.0, r["qalys"]), show(r["qalys"], "qalys"),
                 f"tests {show(r['testing_cost'], 'usd')}", _home_words(r), BLUE if r is best else PALE) for r in rows]
    worth, least = show(found.settings["threshold"], "usd"), cheapest_health(found.tables["strategies"])
    title = f"Best value at {worth} for a healthy year: {best['strategy']}, {show(best['qalys'], 'qalys')} healthy years a year"
    if best["strategy"] == NOTHING:
        title = f"No way is worth its money at {worth} for a healthy year" + (
            f"; lowest cost of one: {least['strategy']}, {show(least['cost_per_qaly'], 'usd')}" if least else "")
    return Picture(bars(drawn), title,
                   "Healthy years (QALYs) a year of each way, everything else planned again; at the right the money for tests, "
                   "US$ a year",
                   "Bar chart of healthy years by way to run the laboratory: " + "; ".join(
                       f"{r['strategy']} {show(r['qalys'], 'qalys')}, tests {show(r['testing_cost'], 'usd')}, {_home_words(r)}"
                       for r in rows) + ".",
                   pd.DataFrame([{"Way": capital(r["strategy"]), "Healthy years a year": r["qalys"],
                                  "Tests, US$ a year": r["testing_cost"], "Samples at home": r["home_samples"],
                                  "US$ per sample": r["cost_per_sample"]} for r in rows]),
                   {"Healthy years a year": "qalys", "Tests, US$ a year": "usd", "Samples at home": "people",
                    "US$ per sample": "usd"})


def _home_words(r: Mapping[str, Any]) -> str:
    if not r["home_samples"]:
        return "nothing at home"
    return f"{show(r['home_samples'], 'people')} of {show(r['samples'], 'people')} samples at home"


def own_volumes(found: Analysis) -> Picture:
    """The hospital's own volume of each test beside the volume from which it is cheaper at home."""
    rows = nearest_break_even(found)
    if not rows:
        return Picture(empty(), "No test has a price elsewhere to compare with", "Samples a year", "No tests.", pd.DataFrame())
    drawn = [Row(bold(r["name"], _reached(r)), r["volume"], "", _reached(r)) for r in rows]
    made, figure = Rows(drawn), go.Figure()
    least, most = 1.0, max(10.0, *(r["volume"] for r in rows), *(r["break_even"] or 0 for r in rows)) * 1.5
    for r, y in zip(rows, made.y, strict=True):
        if r["break_even"]:
            figure.add_scatter(x=[max(least, r["volume"]), r["break_even"]], y=[y, y], mode="lines", hoverinfo="skip",
                               line={"color": GREY, "width": 2})
            figure.add_scatter(x=[r["break_even"]], y=[y], mode="markers", hoverinfo="skip",
                               marker={"size": 12, "color": "white", "line": {"color": ORANGE, "width": 2.5}})
        figure.add_scatter(x=[max(least, r["volume"])], y=[y], mode="markers", hoverinfo="text",
                           hovertext=[f"{r['name']}: {show(r['volume'], 'people')} samples a year, {_reached(r)}"],
                           marker={"size": 12, "color": BLUE if r["break_even"] and r["volume"] >= r["break_even"] else GREY})
    made.words(figure, least, most)
    made.finish(figure)
    ticks = [10.0**n for n in range(7) if 10.0**n <= most]
    figure.update_xaxes(type="log", autorange=False, zeroline=False, tickvals=ticks, ticktext=[f"{t:,.0f}" for t in ticks])
    figure.layout.xaxis.range = [math.log10(least) - 0.04, math.log10(most) + 0.01]
    figure.update_layout(margin={"l": 10})
    enough = sum(bool(r["break_even"] and r["volume"] >= r["break_even"]) for r in rows)
    return Picture(figure, f"{enough} of {counted(len(rows), 'test')} {'has' if enough == 1 else 'have'} volume enough to be "
                           "cheaper at home, each by itself",
                   "Samples a year, each step tenfold. Dot: this hospital at most; ring: cheaper at home from here, the test "
                   "having the laboratory to itself",
                   "Chart of volumes: " + "; ".join(f"{r['name']} {show(r['volume'], 'people')}, {_reached(r)}" for r in rows)
                   + ".",
                   pd.DataFrame([{"Test": r["name"], "At most here, samples a year": r["volume"],
                                  "Cheaper at home from": "never" if r["break_even"] is None else f"{r['break_even']:,}"}
                                 for r in rows]), {"At most here, samples a year": "people"})


def nearest_break_even(found: Analysis) -> list[dict]:
    """One row a test: its volume here at most, and the smallest volume from which it is cheaper at home."""
    out: dict[str, dict] = {}
    for r in found.tables["break_even"]:
        mine = out.setdefault(r["assay"], {"name": r["name"], "volume": r["most_here"], "break_even": None})
        if r["break_even"] is not None:
            mine["break_even"] = min(r["break_even"], mine["break_even"] or math.inf)
    return sorted(out.values(), key=lambda r: (r["break_even"] is None, (r["break_even"] or 1) / max(r["volume"], 1e-9),
                                               r["name"]))


def _reached(r: Mapping[str, Any]) -> str:
    if r["break_even"] is None:
        return "never cheaper"
    return f"from {r['break_even']:,}"


def other_volumes(found: Analysis) -> Picture:
    """The hospital at half, its own and twice its cases: cost per sample, tests at home."""
    rows = found.tables["volumes"]
    drawn = [Row(f"<b>{scale_words(r['scale'])}</b>", r["cost_per_sample"] or 0.0, show(r["cost_per_sample"], "usd"),
                 f"{counted(r['home_tests'], 'test')} at home", short(r["which"] or "no instrument", 54),
                 BLUE if r["scale"] == 1 else PALE) for r in rows]
    title = "A sample costs " + ", ".join(f"{show(r['cost_per_sample'], 'usd')} at {scale_words(r['scale']).lower()}"
                                          for r in rows if r["cost_per_sample"] is not None)
    return Picture(bars(drawn, prefix="$"), title,
                   "US$ per sample over all tests, cases and money alike halved and doubled; beneath it the instruments",
                   "Bar chart of cost per sample: " + "; ".join(
                       f"{scale_words(r['scale'])} {show(r['cost_per_sample'], 'usd')}, "
                       f"{counted(r['home_tests'], 'test')} at home" for r in rows) + ".",
                   pd.DataFrame([{"Volume": scale_words(r["scale"]), "US$ per sample": r["cost_per_sample"],
                                  "Tests at home": str(r["home_tests"])} for r in rows]), {"US$ per sample": "usd"})


def scale_words(scale: float) -> str:
    return {0.5: "Half the cases", 1.0: "The hospital's cases", 2.0: "Twice the cases"}.get(scale, f"{scale:g} times the cases")
