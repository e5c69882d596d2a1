"""Still pictures of rows, drawn once and set twice: as SVG for a page, as PNG for a Word document.

Along x everything stands at a share of the width, so that the SVG fits a phone and a desk with the same size of text.
The PNG is drawn with the fonts in ``fonts/``: the same bytes on every computer with the same Pillow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from planner.report.names import BLUE, GREY, short

FONTS = Path(__file__).resolve().parent / "fonts"
SIZE, SCALE, WIDE = 13, 3, 620  # of the text in pixels; pixels of the PNG over ours; width of the PNG before scaling
INK, PALE, LINE = "#1F2328", "#5B626B", "#D8DCE1"
ROW, BAR, TOP = 38, 12, 2  # pixels of a row, of its bar, above the first
LETTER, NARROWEST = 8.2, 350  # pixels of a bold letter; width of a phone
PHONE, PAPER = 54, 94  # characters of a name and the word at its right, on a phone and on paper


@dataclass(frozen=True)
class Bar:
    """One row: name above, a word at the right of it, the bar (``value``, ``outline`` behind it), words at its end."""

    name: str
    value: float
    end: str
    right: str = ""
    colour: str = BLUE
    outline: float = 0.0


@dataclass(frozen=True)
class Drawing:
    """Rows of bars from zero, or with ``dots`` of shares on a track from 0 to 1; ``mark``: a dotted line, with words."""

    rows: tuple[Bar, ...]
    dots: bool = False
    mark: float | None = None
    mark_words: str = ""

    @property
    def height(self) -> int:
        return TOP + ROW * len(self.rows) + (20 if self.mark_words else 6)

    @property
    def room(self) -> float:
        """Share of the width for the longest bar; the words at its end need the rest, on a phone too."""
        return max(0.4, 1 - (14 + LETTER * max((len(b.end) for b in self.rows), default=0)) / NARROWEST)

    @property
    def top(self) -> float:
        """The value at the end of the axis."""
        return 1.0 if self.dots else max([*(b.value for b in self.rows), *(b.outline for b in self.rows), 1e-12])

    def shapes(self, room: int = PHONE) -> list[tuple]:
        """("rect", x, y, width, height, fill, outline), ("dot", x, y, r, fill), ("line", x, y, y2) and
        ("text", x, dx, y, text, size, bold, anchor, fill); x and width as shares of the width. room: characters
        of a name and the word at its right."""
        out: list[tuple] = []
        for n, row in enumerate(self.rows):
            out += self._dot(n, row) if self.dots else self._bar(n, row)
            name = short(row.name, max(18, room - len(row.right)))
            out.append(("text", 0.0, 0, TOP + ROW * n + 14, name, SIZE, False, "start", INK))
            out.append(("text", 1.0, 0, TOP + ROW * n + 14, row.right, SIZE - 1, False, "end", PALE))
        if self.mark is not None:
            x, bottom = self.mark * self.room, TOP + ROW * len(self.rows)
            out += [("line", x, TOP, bottom), ("text", x, 0, bottom + 14, self.mark_words, SIZE - 1, False, "middle", PALE)]
        return out

    def _bar(self, n: int, row: Bar) -> list[tuple]:
        y, longest = TOP + ROW * n + 20, max(row.value, row.outline, 0.0)
        scale = self.room / self.top
        out = [("rect", 0.0, y, row.outline * scale, BAR, "", row.colour)] if row.outline > row.value else []
        if row.value > 0:
            out.append(("rect", 0.0, y, max(row.value * scale, 0.003), BAR, row.colour, ""))
        return [*out, ("text", longest * scale, 6, y + 11, row.end, SIZE, True, "start", INK)]

    def _dot(self, n: int, row: Bar) -> list[tuple]:
        y = TOP + ROW * n + 27
        track, at = self.room, row.value * self.room
        return [("rect", 0.0, y - 1, track, 2, LINE, ""), ("rect", 0.0, y - 2, at, 4, row.colour, ""),
                ("dot", at, y, 6, row.colour), ("text", track, 10, y + 4, row.end, SIZE, True, "start", INK)]


# -- a page ----------------------------------------------------------------------------------------------

def svg(drawing: Drawing, alt: str) -> str:
    """An SVG element as wide as its room, with the alternative text."""
    parts = [_svg(shape) for shape in drawing.shapes()]
    return (f'<svg role="img" aria-label="{escape(alt)}" width="100%" height="{drawing.height}" '
            f'overflow="visible">{"".join(parts)}</svg>')


def _svg(shape: tuple) -> str:
    kind, x, *rest = shape
    if kind == "rect":
        y, width, height, fill, outline = rest
        paint = f'fill="{fill}"' if fill else f'fill="none" stroke="{outline}"'
        return f'<rect x="{_percent(x)}" y="{y}" width="{_percent(width)}" height="{height}" {paint}/>'
    if kind == "dot":
        y, r, fill = rest
        return f'<circle cx="{_percent(x)}" cy="{y}" r="{r}" fill="{fill}"/>'
    if kind == "line":
        y, y2 = rest
        return (f'<line x1="{_percent(x)}" x2="{_percent(x)}" y1="{y}" y2="{y2}" stroke="{GREY}" '
                'stroke-dasharray="2 3"/>')
    dx, y, text, size, bold, anchor, fill = rest
    weight = ' font-weight="600"' if bold else ""
    return (f'<text x="{_percent(x)}" dx="{dx}" y="{y}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{fill}"{weight}>{escape(text)}</text>') if text else ""


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


# -- a Word document --------------------------------------------------------------------------------------

@lru_cache(maxsize=8)
def _font(size: int, bold: bool):
    name = "DejaVuSansCondensed-Bold-subset.ttf" if bold else "DejaVuSansCondensed-subset.ttf"
    return ImageFont.truetype(str(FONTS / name), size * SCALE, layout_engine=ImageFont.Layout.BASIC)


def png(drawing: Drawing) -> bytes:
    """The picture as PNG, :data:`SCALE` pixels to each of ours."""
    image = Image.new("RGB", (WIDE * SCALE, drawing.height * SCALE), "white")
    pen = ImageDraw.Draw(image)
    for shape in drawing.shapes(PAPER):
        _paint(pen, shape)
    out = BytesIO()
    image.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _paint(pen: ImageDraw.ImageDraw, shape: tuple) -> None:
    kind, x, *rest = shape
    left = x * WIDE * SCALE
    if kind == "rect":
        y, width, height, fill, outline = rest
        box = (left, y * SCALE, left + width * WIDE * SCALE, (y + height) * SCALE)
        pen.rectangle(box, fill=fill or None, outline=outline or None, width=SCALE)
    elif kind == "dot":
        y, r, fill = rest
        pen.ellipse((left - r * SCALE, (y - r) * SCALE, left + r * SCALE, (y + r) * SCALE), fill=fill)
    elif kind == "line":
        y, y2 = rest
        _dotted(pen, left, y * SCALE, y2 * SCALE)
    else:
        dx, y, text, size, bold, anchor, fill = rest
        side = {"start": "l", "middle": "m", "end": "r"}[anchor]
        pen.text((left + dx * SCALE, y * SCALE), text, fill=fill, font=_font(size, bold), anchor=f"{side}s")


def _dotted(pen: ImageDraw.ImageDraw, x: float, y: float, end: float) -> None:
    while y < end:
        pen.line((x, y, x, min(end, y + 2 * SCALE)), fill=GREY, width=SCALE)
        y += 5 * SCALE


def words_of(rows: Sequence[Bar]) -> str:
    """The rows in words, for an alternative text."""
    return "; ".join(f"{r.name}: {r.end}" + (f" ({r.right})" if r.right else "") for r in rows)
