"""A document before it has a form: title and blocks, which :mod:`html` and :mod:`word` set, the same words in both.

All numbers are texts already, through the one rounding function; texts may be hostile, and the setters escape them.
In the style ``lead`` what stands between double asterisks is bold.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from planner.report.analyses import said
from planner.report.drawing import Drawing
from planner.report.numbers import MINUS
from planner.report.tables import Column, Row

WIDTH = 110  # of the text form


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph. style: body, lead (the answer) or small."""

    text: str
    style: str = "body"


@dataclass(frozen=True)
class Points:
    items: tuple[str, ...]
    style: str = "body"


@dataclass(frozen=True)
class Grid:
    """A table: caption, head, rows of texts; ``numbers``: columns set to the right; ``widths``: their relative
    widths on paper; the first column is each row's head."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    widths: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A drawing with its title (the finding), what it measures, and alternative text from its numbers. Its
    table is the block after it."""

    drawing: Drawing
    title: str
    alt: str
    subtitle: str = ""


Block = Heading | Text | Points | Grid | Picture


@dataclass(frozen=True)
class Paper:
    title: str
    subtitle: str
    blocks: tuple[Block, ...] = field(repr=False)
    foot: str = ""


def grid(caption: str, columns: Sequence[tuple[float, Column]], rows: Iterable[Row], note: str = "") -> Grid:
    """A table of (relative width, column); cells through the one rounding function, units in the head."""
    wanted = [c for _, c in columns]
    return Grid(caption, tuple(c.header for c in wanted), tuple(tuple(said(c, r) for c in wanted) for r in rows),
                frozenset(n for n, c in enumerate(wanted) if c.kind != "text"), tuple(w for w, _ in columns), note)


def wide(*specs: str) -> list[tuple[float, Column]]:
    """Columns of ``"width|Header|path|kind"`` lines."""
    return [(float(spec.split("|")[0]), Column(*spec.split("|")[1:])) for spec in specs]


def plain_text(paper: Paper) -> str:
    """The paper for a terminal; pictures are left out, their tables are not."""
    parts = [paper.title, paper.subtitle]
    for block in paper.blocks:
        parts += _plain(block)
    text = "\n".join([*parts, "", *textwrap.wrap(paper.foot, WIDTH)]) + "\n"
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace(MINUS, "-"))


def _plain(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return ["", block.text if block.level > 2 else block.text.upper()]
    if isinstance(block, Text):
        return textwrap.wrap(block.text.replace("**", ""), WIDTH)
    if isinstance(block, Points):
        return [line for item in block.items
                for line in textwrap.wrap(item, WIDTH, initial_indent="- ", subsequent_indent="  ")]
    return _plain_table(block) if isinstance(block, Grid) else []


def _plain_table(block: Grid) -> list[str]:
    cells = [list(block.head), *map(list, block.rows)]
    widths = [min(34, max(len(row[n]) for row in cells)) for n in range(len(block.head))]
    lines = ["", block.caption]
    for row in cells:
        short = [t if len(t) <= w else f"{t[: w - 2]}.." for t, w in zip(row, widths, strict=True)]
        lines.append("  ".join(t.rjust(w) if n in block.numbers else t.ljust(w)
                               for n, (t, w) in enumerate(zip(short, widths, strict=True))).rstrip())
    return lines + (textwrap.wrap(block.note, WIDTH) if block.note else [])
