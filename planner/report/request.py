"""The laboratory's request list: what to buy and to staff for a plan, by assay; for CSV, workbook and documents."""

from __future__ import annotations

from typing import Any

from planner.report.names import briefly
from planner.report.numbers import place_words
from planner.report.paper import Block, Heading, Paper, Text, grid, wide
from planner.report.tables import LIMITS_OF_USE, RESTS_ON, SOLVED, columns, csv_text, footer
from planner.result.laboratory import told

FOR = 4  # uses named in a document; the files name them all
COLUMNS = columns(
    "Test to buy|name", "Id|assay", "For|uses", "Laboratory|laboratory", "Samples a year|samples|people",
    "Cost (USD a year)|cost|usd", "Cost per sample (USD)|each|usd", "Technicians (minutes a year)|technician_minutes|number",
    "Pathologists (minutes a year)|pathologist_minutes|number", "Minutes a year|minutes|number",
)
SHOWN = wide("4|Test to buy|name|text", "4|For|uses_short|text", "1.9|Laboratory|laboratory|text",
             "1.4|Samples a year|samples|people", "1.7|US$ a year|cost|usd", "1.5|US$ a sample|each|usd",
             "2|Technicians, hours|technician_hours|people", "2|Pathologists, hours|pathologist_hours|people")
BRIEFLY = 6  # tests named in a brief


def rows(plan) -> list[dict[str, Any]]:
    """One row per assay of the plan, dearest first, then what tested people need whichever the test: samples, money
    and minutes a year, unrounded, and the biomarkers that it is for."""
    uses = _uses(plan)
    out = []
    for row in told(plan.document["by_test"]):
        mine = uses.get(row["assay"], [])
        more = f" and {len(mine) - FOR} more" if len(mine) > FOR else ""
        out.append({**row, "uses": "; ".join(mine), "uses_short": "; ".join(mine[:FOR]) + more,
                    "samples": row["samples"] or None, "each": row["cost"] / row["samples"] if row["samples"] else None,
                    "technician_hours": row["technician_minutes"] / 60, "pathologist_hours": row["pathologist_minutes"] / 60})
    return out


def _uses(plan) -> dict[str, list[str]]:
    """Assay -> the lines for which the plan runs it, in rank order."""
    options = {(i.region, i.indication): {s.service: s for s in i.services} for i in plan.problem.indications}
    out: dict[str, list[str]] = {}
    for row in plan.document["list"]:
        mine = options.get((row["region"], row["indication_id"]), {})
        for used in row["services"]:
            for assay in mine[used["service"]].assays if used["service"] in mine else ():
                name = f"{row['short_name']} in {briefly(row['indication'])}"
                if name not in out.setdefault(assay.assay, []):
                    out[assay.assay].append(name)
    return out


def request_csv(plan) -> str:
    """The list as CSV, unrounded; each row says what it rests on."""
    rests_on = {name: plan.document[name] for name in ("evidence", "model_version", "solver")}
    return csv_text(COLUMNS + RESTS_ON + SOLVED, [{**row, **rests_on} for row in rows(plan)])


def tests(plan) -> list[Block]:
    """The dearest tests in a short table, for a brief."""
    found = rows(plan)
    if not found:
        return []
    short = [c for c in SHOWN if c[1].path not in ("uses_short", "each")]
    more = f"The dearest {BRIEFLY} of {len(found)}; the laboratory request has all." if len(found) > BRIEFLY else ""
    return [grid("Tests to buy and hours of work (a year)", short, found[:BRIEFLY], more)]


def section(plan, level: int = 2) -> list[Block]:
    """The request as a section of a document."""
    found = rows(plan)
    if not found:
        return [Heading("Laboratory request", level), Text("Nothing is to be bought for the laboratory.")]
    return [Heading("Laboratory request", level),
            grid("Tests to buy and hours of work (a year)", SHOWN, found,
                 "Laboratory: the lowest level of laboratory that can run the test. A test read by two biomarkers is bought "
                 "once.")]


def paper(plan) -> Paper:
    """The request as a document of its own."""
    document = plan.document
    place = place_words(document)
    blocks = [Text(f"What the plan \"{document['scenario']['name']}\" for {place} needs from laboratories in a year. Samples are "
                   "those expected; order with a reserve for repeats, controls and training."), *section(plan),
              Text(LIMITS_OF_USE, "small")]
    return Paper(f"Laboratory request: {place}", document["scenario"]["name"], tuple(blocks), footer(document))
