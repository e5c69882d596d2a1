"""The page of commands, tables and columns is written from their description; renew with BIOMARKER_RENEW=1."""

from __future__ import annotations

import os
from pathlib import Path

from planner.report.analyses import ALL, HEADINGS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "analyses.md"
KINDS = {
    "text": "text, or yes and no", "count": "whole number", "number": "number, its unit in the row or the header",
    "people": "people", "usd": "US dollars of the base year", "qalys": "health", "share": "share, 0 to 1",
    "cost_per_qaly": "US dollars per unit of health", "ratio": "ratio", "years": "years",
}
USE = {
    "frontier": "frontier SCENARIO [--axis testing|treatment|total] [--without-mandates]",
    "switching": "switching SCENARIO", "access": "access SCENARIO",
    "alternatives": "alternatives SCENARIO [--tolerance 0.02] [--count 5]",
    "strategies": "strategies SCENARIO --indication ID", "laboratory": "strategies SCENARIO --indication all",
    "sensitivity": "sensitivity SCENARIO [--two-way NAME NAME]",
    "uncertainty": "uncertainty SCENARIO [--draws 1000] [--seed 1] [--workers N] [--scheduler ADDRESS]",
    "compare": "compare SCENARIO SCENARIO ... [--against-evidence PATH]",
    "batch": "batch SCENARIO --countries all|KEN,UGA,... [--draws N] [--seed S] [--scheduler ADDRESS] [--per-person]",
}
HEAD = """# Analyses: commands, tables, columns

Written from `planner/report/analysis_tables.py` and `strategy_tables.py`. Every command also takes `--budget`, `--set` and `--evidence` as `plan`
does (`compare` lays them over each scenario), and `--out FILE` (.json, .xlsx, .csv; several files may be named). Without
`--out` the answer is printed in words, then the main tables, rounded, as many rows and columns as fit.

- **JSON**, `"schema": "analysis/1"`: `kind` (the command), `words` (the answer in sentences), `settings` (what was asked),
  `tables` {name: [rows]}, `scenario`, and what it rests on: `evidence` {version, sha256}, `model_version`, `base_year`,
  and, but for `batch`, `place`, `currency` and `threshold`; `compare` on two versions adds `against_evidence`. Numbers are
  unrounded; what does not exist or is not finite is null. A row has exactly the fields below. Codes stay codes.
- **Workbook**: the sheet Answer (words, settings, evidence, limits of use), one sheet per table, the scenario. No formulas.
- **CSV**: the first table of each command (`sensitivity --two-way`: the grid), each row with evidence and model version. A
  text that a spreadsheet would take for a formula has an apostrophe before it.
- **Python**: `planner.frontier(scenario, evidence)` and so on give the same; `.frame("points")` is a table as a DataFrame.

Two runs give the same bytes. Money is in US dollars of the base year, people and money are a year. Exit status: 0 done,
1 the limits contradict each other, 2 bad input (every fault told), 130 stopped with Ctrl-C.
"""


def page() -> str:
    lines = [HEAD]
    for kind, tables in ALL.items():
        lines += [f"## {HEADINGS[kind]}: `{kind}`", "", f"    python -m planner {USE[kind]}", ""]
        for table in tables:
            lines += [f"### {table.title}: `{table.name}`", "", f"A row is {table.row}.", "", "| field | header | value |",
                      "|---|---|---|"]
            lines += [f"| {c.path} | {c.header} | {KINDS[c.kind]} |" for c in table.headed()]
            lines.append("")
    return "\n".join(lines)


def test_the_page_is_the_description():
    if os.environ.get("BIOMARKER_RENEW"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_uses_name_every_option(capsys):
    from planner import cli

    for kind, use in USE.items():
        assert cli.main([use.split()[0], "--help"]) == 0
        text = capsys.readouterr().out
        assert all(word.strip("[]") in text for word in use.split() if "--" in word)
