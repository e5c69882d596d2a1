"""The laboratory part of a plan for every document: columns for the workbook, sentences for brief, page and terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.report.numbers import counted, precise, show
from planner.report.tables import columns
from planner.result.laboratory import ended, told

CADRE_WORDS = {"technician": "Technicians", "scientist": "Scientists", "pathologist": "Pathologists", "board": "Tumour board"}
CADRE_TIME = {"technician": "technicians' time", "scientist": "scientists' time", "pathologist": "pathologists' time",
              "board": "the tumour board's time"}
PLATFORMS = columns(
    "Instrument|name", "Platform id|platform", "Laboratory|laboratory", "Instruments|instruments|number",
    "There already|existing|count", "Bought|bought|number", "Samples a year|samples|people", "Runs a year|runs|number",
    "Runs it can do|capacity|number", "Use (share)|utilisation|share", "Cost (USD a year)|yearly_cost|usd",
    "Service of those there (USD a year)|service_already_paid|usd", "Lost with one fewer (health a year)|one_fewer.lost|qalys",
    "Decided by the plan|decided",
)
HOME_TESTS = columns(
    "Test|name", "Assay id|assay", "Laboratory|laboratory",
    "Runs a year of its schedule (0: each sample by itself)|runs_a_year|number",
    "Samples a year|samples|people", "Runs a year|runs|number", "Samples in a run|samples_per_run|number",
    "One more sample (USD)|marginal_cost|usd", "On average (USD)|average_cost|usd", "Mean wait for a run (days)|wait_days|number",
)
PEOPLE = columns(
    "Cadre|cadre", "Minutes a year|minutes|number", "Full-time people|full_time|number", "Limit (minutes a year)|limit|number",
    "Use of the limit (share)|utilisation|share",
)
Document = Mapping[str, Any]


def decided(document: Document) -> bool:
    """Whether the laboratory is planned by its parts: its instruments are then the plan's own decision."""
    return document["costing"] == "micro"


def instrument_words(document: Document, most: int = 6) -> str:
    """The instruments as a list: 2 stainers (64 % used), ..."""
    rows = sorted(document["laboratory"], key=lambda r: (-r["utilisation"], r["name"]))
    said = [f"{r['instruments']:g} × {lowered(r['name'])} ({show(r['utilisation'], 'share')} used)" for r in rows[:most]]
    more = len(rows) - most
    return ", ".join(said) + (f" and {counted(more, 'other')}" if more > 0 else "")


def lowered(name: str) -> str:
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def people_words(document: Document) -> str:
    """Full-time people by cadre, those of whom next to nothing is needed left out."""
    return ", ".join(f"{CADRE_WORDS[r['cadre']].lower()} {precise(r['full_time'], 2)}" for r in document["staff"]
                     if r["full_time"] >= 0.005)


def summary(document: Document) -> list[str]:
    """What the plan asks of laboratories, in sentences: instruments, people, the search."""
    rows, tests = document["laboratory"], {t["assay"] for t in told(document["home_tests"])}
    if decided(document) and not tests:
        held = held_back(document)
        return ["Nothing is run in the laboratory of one's own: every sample is sent elsewhere"
                + (f". What holds it back: {' and '.join(held)}." if held else "."), *searched(document)]
    if not rows:
        return ["No instrument is needed."]
    out = []
    if decided(document):
        bought = sum(r["bought"] for r in rows)
        out.append(f"The {rows[0]['laboratory']} runs {counted(len(tests), 'test')} on "
                   f"{instrument_words(document)}; {bought:g} of the instruments {'is' if bought == 1 else 'are'} to be bought.")
    else:
        out.append(f"The tests need at least {instrument_words(document)}; whoever is paid the tariff has them.")
    if people_words(document):
        out.append(f"Full-time people: {people_words(document)}.")
    return [*out, *searched(document)]


def held_back(document: Document) -> list[str]:
    """Limits on one's own laboratory that leave nothing: people whose time is used up, no instrument to be had."""
    out = [f"{CADRE_TIME[r['cadre']]} ({r['limit']:,.0f} minutes a year)" for r in document["staff"]
           if r["limit"] is not None and r["minutes"] >= r["limit"] * (1 - 1e-6)]
    if not document["laboratory"] and not document["scenario"]["services"]["buy_instruments"]:
        out.append("no instrument stands there, and none may be bought (services.buy_instruments)")
    return out


def binds(document: Document) -> str:
    """Which limit of the laboratory binds."""
    held = [b["text"] for b in document["binding"] if b["kind"] in ("people", "instruments")]
    if not held and decided(document):  # whole numbers have no price: a limit that keeps a test out altogether
        held = held_back(document)
    if held:
        return f"What binds in the laboratory: {' and '.join(held)}."
    return "Neither its people nor its instruments hold the plan back." if document["scenario"]["mode"] != "evaluate" else ""


def searched(document: Document) -> list[str]:
    """How the search of whole instruments ended; nothing to say where there was none."""
    if not decided(document):
        return []
    solver = document["solver"]
    gap = solver.get("gap") or 0.0
    return [f"The search for whole instruments ended {ended(solver['status'])}: searched to within "
            f"{show(gap, 'share')} of the most health that is possible."]
