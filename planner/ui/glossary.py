"""The glossary of the manual, read at run time, for the help beside technical words."""

from __future__ import annotations

from functools import cache

from planner.ui import manual


@cache
def terms() -> dict[str, str]:
    """term -> meaning; empty where the manual is not installed beside the package."""
    return parse(manual.text("glossary.md"))


def parse(text: str) -> dict[str, str]:
    """Rows of the Markdown table; a row that explains several terms gives each of them."""
    out: dict[str, str] = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) != 2 or cells[0] in ("term", "") or set(cells[0]) <= set("-: "):
            continue
        out[cells[0]] = cells[1]
        out |= dict.fromkeys(cells[0].split(", "), cells[1])
    return out


def meaning(*names: str) -> str | None:
    """What the terms mean, one to a line, or None where none is known."""
    found = [f"**{name}**: {terms()[name]}" for name in names if name in terms()]
    return "\n\n".join(found) or None
