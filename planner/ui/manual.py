"""The manual's pages, read at run time: beside the package in a checkout, inside it where it is installed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")  # to another page of the manual: of no use on a page of the app
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@cache
def text(name: str) -> str:
    """A page of the manual, or nothing where the manual is not at hand."""
    for file in (PACKAGE / "_docs" / name, PACKAGE.parent / "docs" / name):
        if file.is_file():
            return file.read_text("utf-8")
    return ""


@cache
def sections(name: str) -> dict[str, str]:
    """Heading -> Markdown of each section of a page; links to other pages become their words."""
    parts = HEADING.split(text(name))
    return {title: LINK.sub(r"\1", body).strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}
