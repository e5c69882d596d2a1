"""The common form of the analyses' pictures: rows with the name above, the value at the end, a word beside.

Rows are as high as a name, a bar and, where there is one, a line of text beneath need, in pixels, so
that they look the same on a phone and on a desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from planner.report.charts import BLUE, GREY, dress, faint, short

ROW, TALL_ROW, THICK = 36, 58, 12  # pixels of a row, of one with a line beneath, of a bar
ROOM = 46  # characters of a name above its bar on a phone, with what stands at the right
UNDER = 56  # characters of the text beneath a bar
INK = 12  # size of the text
EDGE = 1e-3  # of an axis: words that stand on its very end are not drawn where rounding puts them past it


@dataclass(frozen=True)
class Row:
    """One row: name (a part may be bold), value of the bar, words at its end, at the right, beneath."""

    name: str
    value: float
    end: str = ""
    right: str = ""
    under: str = ""
    colour: str = BLUE
    hover: str = ""
    low: float | None = None  # with it the bar is a range, low to value, or a second bar to the left


def empty() -> go.Figure:
    """A figure with nothing in it."""
    figure = go.Figure()
    dress(figure, 60)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(x=0, y=0.5, xref="paper", yref="paper", xanchor="left", showarrow=False, text="Nothing to draw.",
                          font={"size": INK})
    return figure


class Rows:
    """Geometry of a figure of rows: where bars, names and words stand."""

    def __init__(self, rows: Sequence[Row]):
        self.rows = list(rows)
        self.tall = any(r.under for r in rows)
        self.height = TALL_ROW if self.tall else ROW
        self.y = list(range(len(rows)))
        self.bar = {"y": self.y, "orientation": "h", "width": THICK / self.height, "hoverinfo": "text",
                    "hovertext": [r.hover or f"{bare(r.name)}: {r.end}" for r in rows]}

    def words(self, figure: go.Figure, left: float, right: float) -> None:
        """Names above the bars at the left end of the axis, words at the right end, text beneath."""
        up = [y - (17 if self.tall else 14) / self.height for y in self.y]
        texts = [(left, up, [short_name(r) for r in self.rows], "right"), (right, up, [r.right for r in self.rows], "left")]
        if self.tall:
            texts.append((left, [y + 16 / self.height for y in self.y], [short(r.under, UNDER) for r in self.rows], "right"))
        for x, y, said, side in texts:
            figure.add_scatter(x=[x] * len(said), y=y, text=said, mode="text", textposition=f"middle {side}",
                               hoverinfo="skip", cliponaxis=False, textfont={"size": INK})
        figure.update_yaxes(showticklabels=False, range=[self.y[-1] + 0.6, -0.62 if self.tall else -0.75])

    def finish(self, figure: go.Figure, foot: int = 28) -> go.Figure:
        dress(figure, foot + 12 + self.height * len(self.rows), foot)
        return figure


def bare(name: str) -> str:
    return name.replace("<b>", "").replace("</b>", "")


def short_name(row: Row) -> str:
    """The name as long as the words at its right leave room for; what is bold stays whole."""
    room = max(16, ROOM - len(row.right))
    if len(bare(row.name)) <= room:
        return row.name
    head, bold, rest = row.name.rpartition("</b>")
    return f"{head}{bold}{short(rest, max(4, room - len(bare(head))))}"


def bars(rows: Sequence[Row], room: float = 1.3, prefix: str = "") -> go.Figure:
    """Bars from zero to the right; ``room``: length of the axis over the longest bar, for words at ends;
    ``prefix``: of the numbers on the axis."""
    if not rows:
        return empty()
    made, figure = Rows(rows), go.Figure()
    values = [r.value for r in rows]
    wide = max([*values, 1e-9]) * room
    figure.add_bar(x=values, text=[r.end for r in rows], textposition="outside", cliponaxis=False,
                   textfont={"size": INK}, constraintext="none", marker={"color": [r.colour for r in rows]}, **made.bar)
    made.words(figure, 0, wide)
    figure.update_xaxes(range=[1.2 * min([0.0, *values]), wide], nticks=5, tickprefix=prefix)
    return made.finish(figure)


def both_ways(rows: Sequence[Row], ends: Sequence[tuple[str, str]] | None = None, percent: bool = False) -> go.Figure:
    """Bars to the left (low) and to the right (value) of zero; ``ends``: words at the two ends of each;
    ``percent``: the values are shares."""
    if not rows:
        return empty()
    made, figure = Rows(rows), go.Figure()
    low, high = [min(0.0, r.low or 0.0, r.value) for r in rows], [max(0.0, r.low or 0.0, r.value) for r in rows]
    ends = ends or [(r.end if r.value < 0 else "", r.end if r.value >= 0 else "") for r in rows]
    for values, said in ((low, [e[0] for e in ends]), (high, [e[1] for e in ends])):
        figure.add_bar(x=values, text=said, textposition="outside", cliponaxis=False, textfont={"size": INK},
                       constraintext="none", marker={"color": [r.colour for r in rows]}, **made.bar)
    span = max(max(high) - min(low), 1e-9)
    left, right = min(low) - 0.3 * span, max(high) + 0.3 * span
    made.words(figure, left, right)
    figure.update_xaxes(range=[left - EDGE * span, right + EDGE * span], nticks=5, tickformat="+.0%" if percent else None)
    figure.update_layout(barmode="overlay")
    return made.finish(figure)


def dots(rows: Sequence[Row], mark: float | None = None, mark_words: str = "") -> go.Figure:
    """Shares of one as dots on a track from 0 to 100 %; with ``low`` a thick stretch from low to value."""
    if not rows:
        return empty()
    made, figure = Rows(rows), go.Figure()
    figure.add_bar(x=[1.0] * len(rows), marker={"color": faint(GREY)}, **(made.bar | {"width": 3 / made.height}))
    stretched = [r for r in rows if r.low is not None]
    if stretched:
        figure.add_bar(x=[r.value - (r.low or 0.0) for r in rows], base=[r.low or 0.0 for r in rows],
                       marker={"color": [r.colour for r in rows]}, **(made.bar | {"width": 6 / made.height}))
    ends = [(r.value, r) for r in rows] + [(r.low, r) for r in stretched]
    place = {id(r): y for r, y in zip(rows, made.y, strict=True)}
    figure.add_scatter(x=[x for x, _ in ends], y=[place[id(r)] for _, r in ends], mode="markers", hoverinfo="skip",
                       cliponaxis=False, marker={"size": 11, "color": [r.colour for _, r in ends]})
    figure.add_scatter(x=[1.03] * len(rows), y=made.y, text=[r.end for r in rows], mode="text", cliponaxis=False,
                       textposition="middle right", hoverinfo="skip", textfont={"size": INK})
    made.words(figure, 0, 1.22)
    if mark is not None:
        figure.add_vline(x=mark, line={"dash": "dot", "width": 1.5, "color": GREY})
        figure.add_annotation(x=mark, y=0, yref="paper", yanchor="top", yshift=-14, showarrow=False, text=mark_words,
                              font={"size": INK})
    figure.update_xaxes(range=[0, 1.22], tickvals=[0, 0.5, 1], ticktext=["0 %", "50 %", "100 %"])
    figure.update_layout(barmode="overlay")
    made.finish(figure, 44 if mark_words else 28)
    figure.update_layout(margin={"l": 14})  # room for half a dot and half of "0 %"
    return figure
