"""An access proposal as a document: the answer, all countries together, each country, how the figures are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.pathway.words import number_words
from planner.report.brief import rests_on
from planner.report.drawing import Bar, Drawing, words_of
from planner.report.names import briefly, paying_price
from planner.report.numbers import PAYER_WORDS, counted, show
from planner.report.paper import Block, Heading, Paper, Picture, Points, Text, grid, wide
from planner.report.proposal import Case, Proposal
from planner.report.tables import LIMITS_OF_USE, OWNERS, footer

Place = Mapping[str, Any]
TOGETHER = wide("2.2|Country|name|text", "1.6|People in need|need|people", "1.6|Treated, this plan|courses_plan|people",
                "1.9|Courses, if reachable|courses_target|people", "1.6|People to test|tested_target|people",
                "2|{subject}, US$|procurement|usd", "2.3|Giving and monitoring, US$|care|usd", "1.8|Tests, US$|testing_cost|usd",
                "1.8|Healthy years (QALYs)|qalys_target|qalys")
PEOPLE = wide("4|Use|line|text", "1.7|Asked by the test|asked|people", "1.6|In need|need|people",
              "1.7|Found by the test|found|people", "1.6|Can get it today|access_today|share",
              "1.5|Could get it|access_target|share",
              "1.7|Treated, this plan|courses_plan|people", "1.8|Courses if reachable|courses_target|people")
KITS = wide("4|Test|name|text", "3.4|For|line|text", "2|Laboratory|laboratory|text", "1.6|Kits or runs|samples|people",
            "1.8|US$ a year|cost|usd", "2|People tested, this plan|tested_plan|people")
MONEY = wide("4|Regimen that is costed|therapy_name|text", "1.7|Courses|courses_target|people",
             "1.8|A course, US$|course_cost|usd", "2|{subject}, US$|procurement|usd",
             "1.8|Other drugs, US$|other_drugs|usd", "1.7|Giving, US$|giving|usd", "1.9|Monitoring, US$|monitoring|usd")
PAID = wide("3|Payer|payer|text", "2|US$ a year|usd|usd")
OUT = wide("4|Use|line|text", "2|Healthy years a course|qalys_course|qalys",
           "2.6|Lost in a month, this plan|stock_out_month_plan|qalys",
           "2.8|Lost in a month, if reachable|stock_out_month_target|qalys")
PRICES = wide("4|Treatment|line|text", "1.8|A course today, US$|course_cost|usd", "2|Pays below, US$|median|shown",
              "3|95 % of the draws|range|shown", "2|Pays today, share of draws|chance_pays_today|share")
UNLOCKS = wide("3|Drug|name|text", "1.6|Can get it today|share_today|share", "1.5|Could get it|share_then|share",
               "1.8|Healthy years gained|health_gained|shown", "1.8|More people treated|people_treated|people",
               "1.9|A course today, US$|course_cost|usd", "1.9|A course pays below, US$|price|shown")
ROUTES = wide("4.4|The same people|line|text", "1.5|People|people|people", "1.7|Test and drug, QALYs|both_qalys|qalys",
              "1.9|Test and drug, US$|both_cost|usd", "1.7|Drug alone, QALYs|drug_only_qalys|qalys",
              "1.9|Drug alone, US$|drug_only_cost|usd", "1.9|Drug alone, treated in vain|drug_only_without_benefit|people",
              "1.7|Test alone, QALYs|test_only_qalys|qalys", "1.8|Test alone, US$|test_only_cost|usd")
HOW = (
    "People in need: those whose cancer carries the biomarker, who reach the treatment decision and are fit for the drug; each "
    "once per cancer and test.",
    "Found by the test: those in need whom the test calls positive, and others whom it calls positive wrongly, if everyone "
    "who can be reached is tested. Courses if reachable: of these, as many as could get the drug if access were bought.",
    "Kits or runs: expected runs of each assay, without reserve, controls or training.",
    "Money: prices and doses of the evidence, with wastage, undiscounted, in a year in which new courses start evenly; a course "
    "of several years is paid in full. Who pays follows today's shares.",
    "Lost in a month: healthy years that a month's courses would have brought, if nothing takes the drug's place.",
)
MOST_SOURCES = 40


def proposal_paper(found: Proposal, cases: Sequence[Case], evidence) -> Paper:
    """The document of a proposal; ``cases`` are those it was made of."""
    first = next(c.plan.document for c in cases if c.plan is not None)
    names = [p["name"] for p in found.places]
    blocks: list[Block] = [Heading("In short"), Text(_short(found), "lead"), *_together(found)]
    for place in found.places:
        blocks += _place(found, place, evidence)
    blocks += [Heading("How the figures are made"), Points(HOW), Heading("Limits of use"), Text(LIMITS_OF_USE),
               Heading("What this rests on"), Text(f"Scenario: {found.scenario['name']}, planned in each country."),
               rests_on(_common(first, found)), *_sources(found), Text("Owners of the data:", "small"), Points(OWNERS, "small")]
    return Paper(f"Access proposal: {found.subject.name}", and_(names), tuple(blocks), footer(first))


def and_(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _common(first, found: Proposal) -> dict:
    """What all countries share; their own values of a healthy year stand in their sections."""
    if len(found.places) == 1:
        return first
    own = {"value": None, "source": "each country's own", "quality": "see the country"}
    return {**first, "threshold": own, "currency": {"code": "USD", "per_usd": None}}


def _short(found: Proposal) -> str:
    t, names = found.totals, [p["name"] for p in found.places if p["uses"]]
    said = [f"In {and_(names)} **{show(t['need'], 'people')} people a year** need {_for(found)}; the plan treats "
            f"**{show(t['courses_plan'], 'people')}** after a test."]
    drug = f"{show(t['procurement'], 'usd')} for {_what(found)}" if t["procurement"] is not None else \
        f"{show(t['treatment_cost'], 'usd')} for treatment"
    said.append(f"If it were as reachable as it could be, **{show(t['courses_target'], 'people')} courses** and tests for "
                f"**{show(t['tested_target'], 'people')} people** a year would be needed: **{drug}** and "
                f"**{show(t['testing_cost'], 'usd')} for tests**.")
    if t["qalys_target"] is not None:
        said.append(f"They would bring **{show(t['qalys_target'], 'qalys')} healthy years (QALYs)**; each month without the drug "
                    f"would lose {show(t['stock_out_month_target'], 'qalys')}.")
    return " ".join(said)


def _for(found: Proposal) -> str:
    return found.subject.name if found.subject.kind == "drug" else f"a drug that {found.subject.name} selects"


def _what(found: Proposal) -> str:
    return found.subject.name if found.subject.kind == "drug" else "the drugs"


def _headed(columns, found: Proposal):
    word = "Drug" if found.subject.kind == "drug" else "Drugs"
    return [(w, type(c)(c.header.replace("{subject}", word), c.path, c.kind)) for w, c in columns]


# -- all together --------------------------------------------------------------------------------------------

def _together(found: Proposal) -> list[Block]:
    rows = [_care(p["totals"]) | {"name": p["name"]} for p in found.places if p["uses"]]
    bars = tuple(Bar(r["name"], r["courses_plan"], _of(r), f"{show(r['need'], 'people')} in need",
                     outline=r["courses_target"]) for r in rows)
    if len(rows) > 1:
        rows.append(_care(found.totals) | {"name": "Together"})
    return [
        Heading("The countries together" if len(found.places) > 1 else "The figures in a year"),
        Picture(Drawing(bars), f"{_of(found.totals)} courses are in the plan",
                f"Courses a year in the plan, of those if the drug were reachable: {words_of(bars)}.",
                "Courses a year. Filled: this plan, with today's access. Outline: if reachable and everyone tested"),
        grid("A year", _headed(TOGETHER, found), rows)]


def _of(totals: Mapping[str, Any]) -> str:
    return f"{show(totals['courses_plan'], 'people')} of {show(totals['courses_target'], 'people')}"


def _care(totals: Mapping[str, Any]) -> dict[str, Any]:
    parts = (totals["giving"], totals["monitoring"])
    return {**totals, "care": None if None in parts else sum(parts)}


# -- one country -----------------------------------------------------------------------------------------------

def _place(found: Proposal, place: Place, evidence) -> list[Block]:
    if not place["uses"]:
        why = "; ".join(x["why"] for x in place["left_out"]) or place["note"] or "no use of it is known here"
        return [Heading(place["name"]), Text(f"No proposal: {why}.")]
    uses = [{**u, "line": _line(u)} for u in place["uses"]]
    left = [Text(f"Left out: {'; '.join(x['line'] + ' (' + x['why'] + ')' for x in place['left_out'])}.", "small")] \
        if place["left_out"] else []
    return [
        Heading(place["name"]),
        Heading("People and courses", 3), grid("A year", PEOPLE, uses), *left,
        Heading("Tests", 3),
        grid("Kits or runs to test everyone who can be reached (a year)", KITS, _kits(place), _work_up(place)),
        Heading("Money, if reachable", 3),
        grid("Treatment in a year", _headed(MONEY, found), uses, _instead(uses)), *_payers(place),
        Heading("What a stock-out costs", 3), grid("Healthy years (QALYs) lost", OUT, uses),
        Heading("The price that pays", 3), *_prices(place),
        Heading("Test without drug, drug without test", 3), *_routes(place),
        Heading("Measure these first", 3), *_measure(place, evidence)]


def _line(u: Mapping[str, Any]) -> str:
    return f"{u['short_name']} in {briefly(u['indication'])}, {u['line_group'].replace('_', ' ')}"


def _kits(place: Place) -> list[dict[str, Any]]:
    return [{**k, "line": f"{t['short_name']} in {briefly(t['indication'])}", "tested_plan": t["tested_plan"]}
            for t in place["tests"] for k in t["kits"]]


def _work_up(place: Place) -> str:
    cost = sum(t["workup_cost"] for t in place["tests"])
    return f"Work-up of the tested (retrieval, sections, transport) comes on top: {show(cost, 'usd')} a year." if cost else ""


def _instead(uses) -> str:
    said = [f"{u['therapy_name']}: {', '.join(u['instead'])}" for u in uses if u["instead"]]
    return f"Other regimens for the same people: {'; '.join(said)}." if said else ""


def _payers(place: Place) -> list[Block]:
    rows = [{"payer": PAYER_WORDS.get(z, z).capitalize(), "usd": v} for z, v in sorted(place["totals"]["payers"].items())]
    return [grid("Who pays for it, at today's shares", PAID, rows)] if rows else \
        [Text("Nobody pays for it today; who would is to be agreed.")]


def _prices(place: Place) -> list[Block]:
    out: list[Block] = []
    if place["threshold"] is not None:
        out.append(Text(f"A healthy year is valued at {show(place['threshold'], 'usd')} here."))
    if place["prices"]:
        rows = [{**r, "line": _therapy(r), "median": _price(r["median"]), "range": _range(r)} for r in place["prices"]]
        out.append(grid("Highest cost of a course that pays, over the draws", PRICES, rows,
                        "Each treatment alone, with the whole cost of its test: what a buyer may pay who starts from nothing."))
    if place["unlocks"]:
        rows = [{**r, "name": r["name"].capitalize(), "price": paying_price(r), "health_gained": _gained(r)}
                for r in place["unlocks"]]
        out.append(grid("If the drug were as reachable as it could be, the list planned again", UNLOCKS, rows,
                        "Here tests that the plan pays for anyway are not counted again, so that a higher price may pay."))
    if not place["prices"] and not place["unlocks"]:
        out.append(Text("Neither access nor uncertainty was computed, or the drug is as reachable as it could be."))
    return out


def _price(value: float) -> str:
    """A price; below nothing it does not pay even when it is free."""
    return show(value, "usd", unit=False) if value > 0 else "not even free"


def _range(row: Mapping[str, Any]) -> str:
    ends = [_price(row["low"]), _price(row["high"])]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _therapy(row: Mapping[str, Any]) -> str:
    return f"{row['therapy_name']} ({row['short_name']}, {briefly(row['indication'])})"


def _gained(row) -> str:
    return show(row["health_gained"], "qalys")


def _routes(place: Place) -> list[Block]:
    if not place["routes"]:
        return [Text("This was not computed, or the drug is as reachable as it could be.")]
    rows = [{**r, "line": _therapy(r)} for r in place["routes"]]
    return [grid("Against today's treatment without the test (a year)", ROUTES, rows,
                 "Drug at its ceiling of access, others as today. A test alone changes no treatment: it costs and brings "
                 "nothing.")]


def _measure(place: Place, evidence) -> list[Block]:
    rows = place["measure_first"]
    if not rows:
        return [Text("No single number was found that would change the plan.")]
    head = {"information": "By the value of knowing the number exactly, in healthy years a year:",
            "swing": "By how far the number moves the health of the plan between the ends of its interval, in healthy years a "
                     "year:"}[place["measure_by"]]
    items = [f"{_large(number_words(r['name'], evidence))}: {show(r['size'], 'qalys')}"
             + (f", grade {r['quality']} today" if r["quality"] else "")
             + ("" if r["bears"] else " (of another line of the plan)")
             for r in rows]
    return [Text(head), Points(tuple(items))]


def _large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sources(found: Proposal) -> list[Block]:
    if not found.sources:
        return []
    shown = found.sources[:MOST_SOURCES]
    more = [Text(f"The first {len(shown)} of {counted(len(found.sources), 'source')}; the JSON has all.", "small")] \
        if len(shown) < len(found.sources) else []
    items = tuple(f"{r['citation']}" + (f" doi:{r['doi']}" if r.get("doi") else "") for r in shown)
    return [Heading("Sources"), Points(items, "small"), *more]
