"""Picture of the evidence's coverage: use case by UN region, by grade or by nearness."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from planner.report.charts import Picture
from planner.report.evidence_words import wide
from planner.report.names import short
from planner.report.numbers import show

PALE, BLUE = "#EEF0F3", "#56B4E9"  # badly and well founded
RANGE = (2.25, 3.75)  # mean grades between which the colour changes (A = 1, D = 4)
ROOM = 32  # characters of a line's name beside its row, on a phone
ROW = 19  # pixels
WHAT = {
    "grade": ("Middle grade of the ten links of a line's chain, and how many of them are of grade D. The bluer, the "
              "better the mean of the ten; each region stands for its middle country"),
    "near": ("Of the eight links that differ by place, how many rest on a number of the country itself or of its UN region. "
             "The others are borrowed from an income group or the world; each region stands for its middle country"),
}


def heat(cells: pd.DataFrame, lines: Mapping[str, str], what: str = "grade") -> Picture:
    """Heat map of :func:`planner.pathway.coverage.cells`. lines: use case -> name, in the order of the rows."""
    colour = wide(cells, lines, "mean_grade" if what == "grade" else "near").astype(float)
    letters = wide(cells.assign(text=[text(r, what) for r in cells.to_dict("records")]), lines, "text")
    names = [short(lines[u], ROOM) for u in colour.index]
    hover = wide(cells.assign(text=[told(r, lines) for r in cells.to_dict("records")]), lines, "text")
    figure = go.Figure(go.Heatmap(
        z=colour.to_numpy(), x=[broken(c) for c in colour.columns], y=list(range(len(names))), text=letters.to_numpy(),
        texttemplate="%{text}", textfont={"size": 11, "color": "#111111"}, hovertext=hover.to_numpy(), hoverinfo="text",
        showscale=False, xgap=2, ygap=2, **scale(what)))
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed", tickfont={"size": 11},
                        automargin=True, showgrid=False, zeroline=False, fixedrange=True)
    figure.update_xaxes(side="top", fixedrange=True, showgrid=False, tickfont={"size": 11}, tickangle=0)
    figure.update_layout(height=58 + ROW * len(names), margin={"l": 4, "r": 4, "t": 36, "b": 4}, dragmode=False,
                         paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
    return Picture(figure, title(cells, what), WHAT[what], alternative(cells, lines, what), table(cells, lines))


def scale(what: str) -> dict:
    """Colours: the bluer, the better founded or the nearer."""
    if what == "grade":
        return {"zmin": RANGE[0], "zmax": RANGE[1], "colorscale": [[0, BLUE], [1, PALE]]}
    return {"zmin": 0, "zmax": 4, "colorscale": [[0, PALE], [1, BLUE]]}


def broken(region: str) -> str:
    """A region's name in two lines where it is too long for a phone."""
    return region if len(region) <= 6 else f"{region[:5]}-<br>{region[5:]}"


def text(row: Mapping, what: str) -> str:
    return f"{row['typical']} {row['d_links']}" if what == "grade" else f"{row['near']}"


def told(row: Mapping, lines: Mapping[str, str]) -> str:
    return (f"{lines[row['use_case']]}, {row['un_region']}: typical grade {row['typical']}, {row['d_links']} of 10 links of "
            f"grade D<br>weakest ({row['weakest']}): {row['weakest_link']}<br>{row['near']} of 8 links from the country or "
            f"its UN region; {row['own_prevalence']} of {row['countries']} countries with a prevalence of their own")


def title(cells: pd.DataFrame, what: str) -> str:
    if what == "near":
        return f"{cells['near'].mean():.1f} of eight numbers of a line are from nearby; the rest are borrowed"
    middle = cells["typical"].mode().iloc[0]
    words = {"A": "of the place itself", "B": "of the region", "C": "borrowed", "D": "an assumption"}
    share = show((cells["typical"] == "D").mean(), "share")
    return f"The typical number is {words[middle]} (grade {middle}); in {share} of the cells it is an assumption (D)"


def alternative(cells: pd.DataFrame, lines: Mapping[str, str], what: str) -> str:
    """The picture in a sentence or two, from its numbers."""
    counts = cells["typical"].value_counts()
    said = ", ".join(f"{g} in {counts[g]}" for g in sorted(counts.index))
    by_line = cells.groupby("use_case")["mean_grade"].mean().sort_values()
    best = "; ".join(lines[u] for u in by_line.index[:3])
    worst = "; ".join(lines[u] for u in by_line.index[::-1][:3])
    near = cells.groupby("un_region")["near"].mean()
    far = ", ".join(f"{r} {v:.1f}" for r, v in near.items())
    first = f"Heat map of {cells['use_case'].nunique()} lines by {cells['un_region'].nunique()} UN regions. "
    grade = f"Typical grade {said} of {len(cells)} cells. Best founded: {best}. Least: {worst}. "
    return first + (grade if what == "grade" else "") + f"Links from nearby, of eight, on average: {far}."


def table(cells: pd.DataFrame, lines: Mapping[str, str]) -> pd.DataFrame:
    """One row per line: grade, links of grade D and near links in each region."""
    rows = cells.assign(text=[f"{r['typical']}, {r['d_links']} of 10 D, {r['near']} of 8 near" for r in cells.to_dict("records")])
    made = wide(rows, lines, "text")
    made.insert(0, "line", [lines[u] for u in made.index])
    return made.reset_index(drop=True)
