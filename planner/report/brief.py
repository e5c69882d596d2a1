"""The brief of a plan: two to four pages in plain language, all numbers from the plan document.

What the brief says of drugs and of certainty comes from analyses that the caller made of the same scenario; without
them it says that they were not asked for. The brief plans nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from planner.report import brief_more, laboratory_tables, request
from planner.report.drawing import Bar, Drawing, words_of
from planner.report.names import TIER_COLOURS, brief_name
from planner.report.numbers import (
    IN_WORDS,
    MEASURE_WORDS,
    PAYER_WORDS,
    counted,
    left_out,
    measure,
    of_row,
    place_words,
    sentence,
    show,
    warning,
)
from planner.report.paper import Block, Grid, Heading, Paper, Picture, Points, Text, grid, wide
from planner.report.tables import LIMITS_OF_USE, OWNERS, Row, footer
from planner.result.priority import TIER_WORDS
from planner.scenario.describe import describe

MOST_LINES, MOST_BARS, MOST_NOT, MOST_NEXT, MOST_INSTRUMENTS = 10, 7, 4, 3, 6
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")
AXES = {"testing": "tests", "treatment": "treatment", "total": "tests and treatment"}
LIST = wide("4.6|Test and cancer|line|text", "1.9|Priority|tier|text", "1.9|People tested|patients_tested|people",
            "1.9|People treated|patients_treated|people", "2.1|{health}|health_here|qalys",
            "2|Tests, US$ a year|testing_cost|usd", "2.5|Treatment, US$ a year|treatment_cost|usd",
            "4.8|Why it stands here|why|text")
NEXT = wide("4|Test and cancer|line|text", "2.1|Priority|tier|text", "1.7|Enters at, US$ a year|entry_budget|usd",
            "5|Why it stands here|why|text")
TOTALS = (
    ("People eligible for a test", "patients_eligible", "people"), ("People tested", "patients_tested", "people"),
    ("Tests done", "tests_done", "people"), ("Positive results", "positives_found", "people"),
    ("People treated with a matched drug", "patients_treated", "people"), ("Healthy years (QALYs)", "qalys", "qalys"),
    ("Years of life", "life_years", "qalys"), ("Deaths averted", "deaths_averted", "qalys"),
    ("DALYs averted", "dalys_averted", "qalys"),
    ("Tests", "testing_cost", "usd"), ("Treatment, more than without testing", "treatment_cost", "usd"),
)
CAUTIONS = (
    LIMITS_OF_USE,
    "The list says what would bring most under the limits and numbers stated here. Whether it is fair, wanted and feasible "
    "is for people to decide.",
    "One steady year is shown, not how to get there: buying, training and accreditation take time and money of their own.",
    "A number that is borrowed from elsewhere may be wrong for this place. A better local number changes the plan, and "
    "should.",
)


def brief(plan, evidence, access=None, uncertainty=None) -> Paper:
    """The brief of a plan. ``access``, ``uncertainty``: analyses of the same scenario and evidence, if asked for.

    Raises ValueError where an analysis is of something else than the plan.
    """
    for found in (access, uncertainty):
        check_same(plan, found)
    document = plan.document
    place = place_words(document)
    blocks = [
        Heading("The answer"), Text(sentence(document, bold=True, mind=False), "lead"), *_warnings(document),
        Heading("What was asked"), *asked(plan, evidence),
        *_ladder(document), *_next(document), *_buys(document), *request.tests(plan), *_laboratory(document),
        Heading("What limits the plan"), *_limits(document),
        *brief_more.unlocking(access), *brief_more.how_sure(document, uncertainty, evidence),
        *_not_now(document),
        *brief_more.weak(plan, evidence),
        *closing(document, CAUTIONS),
    ]
    return Paper(document["scenario"]["name"], f"Which cancer biomarkers to test in {place}: a brief", tuple(blocks),
                 footer(document))


def check_same(plan, found) -> None:
    """An analysis must be of the plan's own scenario and evidence."""
    if found is None:
        return
    same = found.scenario == plan.scenario and found.head["evidence"]["sha256"] == plan.document["evidence"]["sha256"]
    if not same:
        raise ValueError(f"the analysis `{found.kind}` is of another scenario or evidence than the plan")


def _warnings(document) -> list[Block]:
    told = [warning(w, document) for w in document["warnings"]]
    return [Text(f"Mind: {'; '.join(told)}.")] if told else []


def asked(plan, evidence) -> list[Block]:
    """The scenario in sentences."""
    said = [f"{s}." for s in describe(plan.scenario, evidence, plan.document["provenance"])]
    head = [Text(plan.scenario.description)] if plan.scenario.description else []
    return [*head, Points(tuple(said))]


# -- the list ----------------------------------------------------------------------------------------------

def enriched(row: Row, document: Mapping[str, Any]) -> dict[str, Any]:
    """A line with its words for a table."""
    several = len(document["place"]) > 1
    where = f" ({row['region']})" if several else ""
    funded = {"full": "", "part": ", in part", "no": ", not funded"}[row["funded"]]
    return {**row, "line": f"{row['rank']}. {brief_name(row)}{where}", "tier": TIER_WORDS[row["priority_tier"]] + funded,
            "why": (row["reason"] or {}).get("text", ""), "health_here": of_row(row, document)}


def _funded(document) -> list[dict[str, Any]]:
    return [enriched(r, document) for r in document["list"] if r["funded"] != "no"]


def _health_head(columns, document):
    word = MEASURE_WORDS[measure(document)]
    return [(w, type(c)(c.header.replace("{health}", word), c.path, c.kind)) for w, c in columns]


def _ladder(document) -> list[Block]:
    rows = _funded(document)
    if not rows:
        return [Heading("The list"), Text("Under these limits no test is funded. The sections below say what stands in the way.")]
    shown = rows[:MOST_BARS]
    bars = tuple(Bar(r["line"], max(0.0, r["health_here"] or 0.0), show(r["health_here"], "qalys"),
                     TIER_WORDS[r["priority_tier"]],
                     TIER_COLOURS[r["priority_tier"]], _reach(r, document)) for r in shown)
    best = max(rows, key=lambda r: r["health_here"] or 0.0)
    unit = IN_WORDS[measure(document)]
    first = f"; the first {len(shown)} of {len(rows)} funded lines" if len(shown) < len(rows) else ""
    alt = f"Bars in rank order, {unit} a year: {words_of(bars)}."
    more = f"The first {MOST_LINES} of {counted(len(rows), 'funded line')}; the workbook has all." \
        if len(rows) > MOST_LINES else ""
    return [
        Heading("The list"),
        Picture(Drawing(bars), f"Most comes from {brief_name(best)}: {show(best['health_here'], 'qalys')} {unit} a year", alt,
                f"{MEASURE_WORDS[measure(document)]} a year, in rank order. Filled: this plan. Outline: with full "
                f"testing{first}"),
        grid("The tests to fund, in rank order (a year)", _health_head(LIST, document), rows[:MOST_LINES],
             f"{more} Treatment is the difference to treating without the test.".strip()), *_left_out(document)]


def _reach(row, document) -> float:
    """What full testing would bring, for the outline of a bar."""
    reached = max(0.0, row["health_here"] or 0.0)
    return reached * max(1.0, row["attainable_coverage"] / row["coverage"]) if row["coverage"] > 1e-7 else 0.0


def _left_out(document) -> list[Block]:
    left = left_out(document)
    return [Text(f"{counted(len(left), 'line')} without a number for the measure in use "
                 f"{'is' if len(left) == 1 else 'are'} left out.")] if left else []


def _next(document) -> list[Block]:
    """Lines that a little more money would fund."""
    rows = sorted((r for r in document["list"] if r["funded"] == "no" and r["priority_tier"] in ("core", "expand")
                   and r["entry_budget"] is not None), key=lambda r: r["entry_budget"])
    if not rows:
        return []
    axis = AXES[document["frontier_axis"]]
    return [grid(f"Next, when there is more money for {axis}", NEXT, [enriched(r, document) for r in rows[:MOST_NEXT]])]


# -- money ---------------------------------------------------------------------------------------------------

def _buys(document) -> list[Block]:
    totals = document["totals"]
    code, rate = document["currency"]["code"], document["currency"]["per_usd"]
    local = bool(rate) and code != "USD"
    paid = [{"payer": _first_large(PAYER_WORDS.get(z, z)), "usd": v, "local": v * (rate or 0.0)}
            for z, v in totals["cost_by_payer"].items() if abs(v) > 0.005]
    columns = wide("3|Payer|payer|text", "2|US$ a year|usd|usd", *([f"2|{code} a year|local|usd"] if local else []))
    who = [grid("Treatment by payer, more than without testing", columns, paid)] if paid else \
        [Text("No payer has more to pay for treatment than without testing.")]
    blind = [f"Treatment that people get without a test already costs {show(document['blind_spending'], 'usd')} a year; "
                  "it is not in these figures."] if document["blind_spending"] > 0.5 else []
    bound = ["The cost of treatment is an upper bound, since not every treatment that would be saved has a price."] \
        if totals["cost_is_upper_bound"] else []
    return [Heading("What the money buys, and today"),
            _totals(document), *who, Text(" ".join([*blind, *bound, _value(document)]))]


def _totals(document) -> Grid:
    """What the plan does in a year, and what today's practice does, where it is known."""
    reference = document["reference"]
    today = reference["totals"]
    rows = [{"what": words, "today": show(today.get(key), kind) if today else None,
             "plan": show(document["totals"][key], kind)} for words, key, kind in TOTALS]
    columns = wide("4|What|what|text", "2|This plan|plan|shown",
                   *([f"2|{_first_large(reference['name'])}|today|shown"] if today else []))
    return grid("The plan in a year", columns, rows, f"{_first_large(reference['note'])}.")


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value(document) -> str:
    totals, threshold = document["totals"], document["threshold"]
    if totals["cost_per_qaly"] is None:
        return f"A healthy year is valued at {show(threshold['value'], 'usd')} here."
    return (f"All in all, tests and treatment cost {show(totals['cost_per_qaly'], 'cost_per_qaly')} (healthy year); the value "
            f"used for this place is {show(threshold['value'], 'usd')}.")


# -- the laboratory --------------------------------------------------------------------------------------------

def _laboratory(document) -> list[Block]:
    """What the list asks of laboratories: sentences, and a short table of the instruments."""
    said = [Heading("What laboratories need"), Text(" ".join(laboratory_tables.summary(document)))]
    rows = sorted(document["laboratory"], key=lambda r: (-r["utilisation"], r["name"]))
    if not rows:
        return said
    cost = ["2|Cost, US$ a year|yearly_cost|usd"] if laboratory_tables.decided(document) else []
    columns = wide("4.5|Instrument|name|text", "1.5|Number|number|text", "2|Samples a year|samples|people",
                   "2|Runs a year|runs|people", "1.5|Used|utilisation|share", *cost)
    shown = [{**r, "number": f"{r['instruments']:g}"} for r in rows[:MOST_INSTRUMENTS]]
    more = f"The first {len(shown)} of {len(rows)}; the workbook has all (sheet Laboratory)." if len(rows) > len(shown) else ""
    return [*said, grid("Instruments", columns, shown, more)]


# -- limits ---------------------------------------------------------------------------------------------------

def _limits(document) -> list[Block]:
    if document["scenario"]["mode"] == "evaluate":
        return [Text("The list was given and is evaluated as it stands; nothing was optimised, and no limit was tried.")]
    items = []
    for b in document["binding"]:
        items.append(_drugs(b, document) if b["kind"] == "drugs" else _margin(b, document))
    if not items:
        return [Text("Neither money, nor laboratory staff, nor drugs hold this plan back.")]
    return [Points(tuple(items))]


def _margin(b, document) -> str:
    """A limit, with what a little more of it would bring."""
    price = document["shadow_prices"].get(b["limit"], {})
    text = f"{_first_large(b['text'])}"
    amount = price.get("value_per_unit")
    if not amount:
        return f"{text}."
    size, unit = (100_000, "US$ 100,000 more a year") if price["unit"] == "USD" else (
        (1_000, "1,000 more minutes a year") if price["unit"] == "minute" else (1, "one more course a year"))
    return (f"{text}. At the margin, {unit} would bring about {show(amount * size, 'qalys')} {IN_WORDS[measure(document)]}; "
            "less once the next lines are full.")


def _drugs(b, document) -> str:
    names = {f"{r['indication_id']}/{r['biomarker_id']}": brief_name(r) for r in document["list"]}
    said = []
    if b["waiting"]:
        which = ", ".join(names.get(w, w) for w in b["waiting"][:4])
        said.append(f"For {counted(len(b['waiting']), 'test')} the drug cannot be got, so that testing would help nobody "
                    f"yet: {which}{' and others' if len(b['waiting']) > 4 else ''}")
    if b["short"]:
        which = "one funded line" if len(b["short"]) == 1 else f"{len(b['short'])} funded lines"
        said.append(f"For {which} the drug reaches fewer people than it could")
    return f"Drugs that are not reachable for all. {'. '.join(said)}."


def _not_now(document) -> list[Block]:
    rows = document["do_not_buy"]
    if not rows:
        return [Heading("Do not buy now"), Text("No test on the list is to be put off.")]
    by_id = {(r["indication_id"], r["biomarker_id"]): r for r in document["list"]}
    tiers = Counter(TIER_WORDS[r["priority_tier"]] for r in rows)
    parts = ", ".join(f"{n} {word}" for word, n in tiers.most_common())
    told = [{"line": brief_name(by_id[r["indication_id"], r["biomarker_id"]]), "tier": TIER_WORDS[r["priority_tier"]],
             "why": r["text"]} for r in rows[:MOST_NOT]]
    note = f"The first {MOST_NOT} of {len(rows)}, in rank order; the workbook has all." if len(rows) > MOST_NOT else ""
    columns = wide("4|Test and cancer|line|text", "2.3|Priority|tier|text", "6|Why not now|why|text")
    return [Heading("Do not buy now"), Text(f"{_first_large(counted(len(rows), 'test'))} should wait: {parts}."),
            grid("Tests that should wait", columns, told, note)]


# -- the end ---------------------------------------------------------------------------------------------------

def closing(document, cautions=CAUTIONS, owners=OWNERS) -> list[Block]:
    """Limits of use, owners of the data, and what is needed to make the document again."""
    return [Heading("Limits of use"), Points(tuple(cautions)),
            Heading("What this rests on"), rests_on(document),
            Text("Owners of the data:", "small"), Points(tuple(owners), "small")]


def rests_on(document) -> Grid:
    """Versions and values that a reader needs to repeat the plan."""
    evidence, threshold = document["evidence"], document["threshold"]
    rows = [("Evidence", evidence_words(evidence["version"])), ("Evidence digest (sha256)", evidence["sha256"]),
            ("Model version", document["model_version"]), ("Money", f"US dollars of {document['base_year']}"),
            ("Value of a healthy year", "each country's own" if threshold["value"] is None else
             f"{show(threshold['value'], 'usd')} (source {threshold['source']}, grade {threshold['quality']})")]
    rate, code = document["currency"]["per_usd"], document["currency"]["code"]
    if rate and code != "USD":
        rows.append(("Exchange rate", f"{show(rate, 'usd', unit=False)} {code} to the US dollar"))
    return Grid("To make this document again", ("What", "Which"), tuple(rows), frozenset(), (2.0, 6.0))


def evidence_words(version: str) -> str:
    """The version, and the month that it carries: 2026.11.1 is of November 2026."""
    year, _, rest = version.partition(".")
    month = rest.partition(".")[0].partition("+")[0]
    if year.isdigit() and len(year) == 4 and month.isdigit() and 1 <= int(month) <= 12:
        return f"version {version}, of {MONTHS[int(month) - 1]} {year}"
    return f"version {version}"
