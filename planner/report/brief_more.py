"""Parts of the brief that come from analyses and from the provenance: drugs, certainty, weak numbers."""

from __future__ import annotations

from collections import Counter

from planner.analysis.uncertainty import compared_words
from planner.pathway.words import number_words, parameter_words
from planner.report.drawing import Bar, Drawing, words_of
from planner.report.names import BLUE, GREY, brief_name, paying_price
from planner.report.numbers import IN_WORDS, MEASURE_WORDS, counted, show
from planner.report.paper import Block, Heading, Picture, Text, grid, wide

MOST_DRUGS, MOST_SURE, MOST_WEAK = 6, 7, 4
SURE = 0.8
DRUGS = ("2.6|Drug|name|text", "1.4|Can get it today|share_today|share", "1.4|Could get it|share_then|share",
         "1.5|{health} gained|health_gained|qalys", "1.4|More people treated|people_treated|people",
         "1.8|Treatment, US$ a year|treatment_cost|usd", "1.6|A course today, US$|course_cost|usd",
         "1.7|A course pays below, US$|price|shown")


def unlocking(access) -> list[Block]:
    """Drugs that would unlock most, from the analysis of access."""
    head = Heading("Drugs that would unlock most")
    if access is None:
        return [head, Text("What better access to each drug would bring was not asked for this brief.")]
    rows = [r for r in access.tables["drugs"] if r["health_gained"] > 0]
    if not access.tables["drugs"]:
        return [head, Text("Every matched drug is as reachable as it could be made.")]
    if not rows:
        return [head, Text("No single drug would bring more health under these limits, however reachable it were made.")]
    unit, plainly = MEASURE_WORDS[access.settings["measure"]], IN_WORDS[access.settings["measure"]]
    shown = [{**r, "name": _large(r["name"]), "price": paying_price(r)} for r in rows[:MOST_DRUGS]]
    bars = tuple(Bar(r["name"], r["health_gained"], f"+{show(r['health_gained'], 'qalys')}",
                     f"{show(r['share_today'], 'share')} can get it today", BLUE if _pays(r) else GREY) for r in shown)
    top = shown[0]
    return [
        head,
        Picture(Drawing(bars), f"{top['name']} would unlock most: {show(top['health_gained'], 'qalys')} {plainly} a year",
                f"Bars, {plainly} gained a year: {words_of(bars)}.",
                f"{unit} gained a year if the drug alone were as reachable as it could be, the list planned again. Blue: worth "
                "its cost at today's price; grey: only at a lower one"),
        grid("If one drug were as reachable as it could be", wide(*(c.replace("{health}", unit) for c in DRUGS)), shown,
             f"The first {len(shown)} of {counted(len(rows), 'drug')} that would bring more. A course pays below the price at "
             "which all that better access sets in motion is worth its health.")]


def _pays(row) -> bool:
    price = row["price_that_pays"]
    return price is not None and row["course_cost"] is not None and row["course_cost"] <= price


def _large(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- certainty ---------------------------------------------------------------------------------------------------

def how_sure(document, uncertainty, evidence) -> list[Block]:
    """How sure the list is, from the draws."""
    head = Heading("How sure this is")
    if uncertainty is None:
        return [head, Text("The uncertainty of the numbers was not drawn for this brief. Every figure is a central estimate.")]
    return [head, Text(" ".join(sure_words(uncertainty, evidence))), *_sure_lines(document, uncertainty)]


def sure_words(found, evidence) -> list[str]:
    """The draws in sentences, numbers through the one rounding function."""
    said, draws = found.settings, found.settings["draws"]
    lines = [r for r in found.tables["lines"] if r["share_in"] is not None]
    sure = sum(r["in_plan"] and r["share_in"] >= SURE for r in lines)
    compared = f"{compared_words(said)}the plan"
    compared = compared[0].upper() + compared[1:]
    out = [f"All uncertain numbers were drawn together {counted(draws, 'time')}, and each time everything was planned again. "
           f"{counted(sure, 'line')} of the plan {'is' if sure == 1 else 'are'} on the list in at least "
           f"{show(SURE, 'share')} of the draws.",
           f"{compared} brings more health than {said['reference']} in "
           f"{show(said['beats_reference_health'], 'share')} of the "
           f"draws, and is worth its cost at the value used for a healthy year in {show(said['beats_reference'], 'share')}."]
    for r in found.tables["outcomes"]:
        if r["list"] == "the plan as it stands" and r["measure"] == "qalys":
            out.append(f"Healthy years (QALYs) a year of the plan: {show(r['mean'], 'qalys')} on average, between "
                       f"{show(r['low'], 'qalys')} and {show(r['high'], 'qalys')} in 95 % of the draws.")
    single = [r for r in found.tables["information"] if r["kind"] == "single" and r["qalys"] > 0]
    if single:
        said = (f"{number_words(r['name'], evidence)} ({show(r['qalys'], 'qalys')} healthy years a year)" for r in single[:3])
        out.append(f"Most worth measuring: {'; '.join(said)}.")
    return out


def _sure_lines(document, found) -> list[Block]:
    names = {(r["region"], r["indication_id"], r["biomarker_id"]): brief_name(r) for r in document["list"]}
    rows = [{**r, "line": names.get((r["region"], r["indication_id"], r["biomarker_id"]), r["short_name"])}
            for r in found.tables["lines"] if r["share_in"] is not None and (r["in_plan"] or r["share_in"] >= 0.2)]
    if not rows:
        return []
    shown = rows[:MOST_SURE]
    bars = tuple(Bar(r["line"], r["share_in"], show(r["share_in"], "share"), "in the plan" if r["in_plan"] else "not in the plan",
                     BLUE if r["in_plan"] else GREY) for r in shown)
    shaky = sum(r["in_plan"] and r["share_in"] < SURE for r in rows)
    title = "Every line of the plan is sure" if not shaky else f"{counted(shaky, 'line')} of the plan " \
        f"{'is' if shaky == 1 else 'are'} not sure"
    shares = wide("5|Test and cancer|line|text", "2|In the plan|in_plan|text", "2|On the list, share of draws|share_in|share")
    more = f"The first {len(shown)} of {len(rows)} lines that are in the plan or in at least a fifth of the draws." \
        if len(shown) < len(rows) else ""
    return [Picture(Drawing(bars, dots=True, mark=SURE, mark_words="sure from here"), title,
                    f"Share of draws in which each line is on the list: {words_of(bars)}.",
                    "Share of draws in which the line is on the list, in rank order"),
            grid("How often each line is on the list", shares, shown, more)]


# -- weak numbers ---------------------------------------------------------------------------------------------------

def weak(plan, evidence) -> list[Block]:
    """How many of the numbers are borrowed or assumed, and on which of them each funded line rests."""
    head, facts = Heading("What rests on weak numbers"), plan.document["provenance"]
    if not facts:
        return [head, Text("This plan names no source for its numbers.")]
    grades = Counter(f["quality"] for f in facts)
    parts = [f"{counted(grades[g], 'number')} {words}" for g, words in (
        ("A", "for this very place (A)"), ("B", "for its region (B)"), ("C", "borrowed (C)"), ("D", "assumed (D)")) if grades[g]]
    rows = [_weakness(row, plan, evidence, facts) for row in plan.document["list"] if row["funded"] != "no"]
    text = f"The whole list uses {counted(len(facts), 'number')}: {', '.join(parts)}."
    if not rows:
        return [head, Text(text)]
    columns = wide("4|Test and cancer|line|text", "1.3|Numbers|n|count", "1.4|Borrowed (C)|c|count", "1.4|Assumed (D)|d|count",
                   "5|What is assumed|what|text")
    rows.sort(key=lambda r: (-r["d"] / max(r["n"], 1), -r["d"]))
    return [head, Text(text), grid("Funded lines that rest most on assumed numbers", columns, rows[:MOST_WEAK],
                                   "Every number with its source is in the workbook (sheet Inputs).")]


def _weakness(row, plan, evidence, facts) -> dict:
    mine = facts_of(row, plan, evidence, facts)
    assumed = Counter(parameter_words(f["parameter"].partition(",")[0]) for f in mine if f["quality"] == "D")
    return {"line": f"{row['rank']}. {brief_name(row)}", "n": len(mine), "c": sum(f["quality"] == "C" for f in mine),
            "d": sum(assumed.values()),
            "what": "; ".join(f"{what} ({n})" if n > 1 else what for what, n in assumed.most_common()) or "nothing"}


def facts_of(row, plan, evidence, facts) -> list[dict]:
    """The facts that a line uses: those of its people, its tests and treatments in the plan."""
    from planner.pathway.rests_on import inputs

    used = {t["therapy"] for t in row["therapies"]} | {s["service"] for s in row["services"]} | {""}
    wanted = {(i.parameter, i.name) for i in inputs(evidence, row["indication_id"], row["biomarker_id"]) if i.option in used}
    return [f for f in facts if (f["parameter"], f["key"]) in wanted
            or (f["parameter"].partition(",")[0], f["key"].rpartition("/")[0]) in wanted]
