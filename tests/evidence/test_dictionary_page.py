"""The manual's data dictionary is written from the data package; renew with BIOMARKER_RENEW=1."""

from __future__ import annotations

import os
from pathlib import Path

from planner.evidence.base import data_folder
from planner.evidence.dictionary import load_dictionary

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data_dictionary.md"


def limits(field) -> str:
    said = []
    if field.enum:
        said.append(", ".join(f"`{e}`" for e in field.enum))
    if field.minimum is not None or field.maximum is not None:
        low = "" if field.minimum is None else f"{field.minimum:g}"
        high = "" if field.maximum is None else f"{field.maximum:g}"
        said.append(f"{low} to {high}" if high else f"{low} or more")
    return "; ".join(said)


def page() -> str:
    dictionary = load_dictionary(data_folder())
    lines = ["# Data dictionary", "", f"Version {dictionary.version}, base year of money {dictionary.base_year}. "
             "Written from `data/datapackage.json`; an empty cell is a missing value.", ""]
    for table in dictionary.tables.values():
        lines += [f"## {table.name}", "", f"Key: {', '.join(table.key)}.", "",
                  "| column | type | unit | needed | meaning | allowed |", "|---|---|---|---|---|---|"]
        lines += [f"| {f.name} | {f.type} | {f.unit or ''} | {'yes' if f.required else ''} | "
                  f"{f.description.replace('|', '/')} | {limits(f)} |" for f in table.fields]
        lines.append("")
    return "\n".join(lines)


def test_the_page_is_the_dictionary():
    if os.environ.get("BIOMARKER_RENEW"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
