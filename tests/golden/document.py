"""Writes docs/validation.md: the template with the numbers of the hand calculation."""

from __future__ import annotations

import re
from pathlib import Path

from tests.analysis.published import SOURCES, Figure, figures
from tests.golden.by_hand import PAYERS
from tests.pathway import published_costs

TEMPLATE = Path(__file__).with_name("validation_template.md")
NAMES = {"breast_early/er_pr": "er", "breast_early/her2": "her2", "cml/bcr_abl1": "cml"}
FINAL = (
    ("coverage", "coverage", 2), ("patients tested", "patients_tested", 2),
    ("called positive", "positives_found", 2), ("treated after the test", "patients_treated", 2),
    ("of the tested, treated blind without it", "treated_blind", 2), ("QALYs gained", "qalys", 2),
    ("testing cost, USD", "testing_cost", 2), ("treatment cost (cash, against no test), USD", "treatment_cost", 2),
    *((f"of which {z}, USD", f"paid_by_{z}", 2) for z in PAYERS),
    ("incremental cost (discounted, against the comparator), USD", "incremental_cost", 2),
    ("all-in cost per QALY, USD", "cost_per_qaly", 2),
)


def number(value: float, digits: int) -> str:
    """Fixed digits; never a negative zero."""
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not re.search("[1-9]", text) else text


def table(head: list[str], rows: list[list[str]], align: str = "---:") -> str:
    lines = [head, ["---"] + [align] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write(hand: dict) -> str:
    """The document for a result of :func:`tests.golden.by_hand.by_hand`."""
    values = {"base_year": str(hand["base_year"]), "final": final(hand), "money": money(hand),
              "country.rows": used(hand["used"]["country"])}
    for line, short in NAMES.items():
        x = hand["lines"][line]
        values |= {f"{short}.{name}": text for name, text in line_parts(x).items()}
        values[f"{short}.rows"] = used(hand["used"][line])
    values["worth"] = worth(hand)
    values |= {"published": published(figures()), "published.sources": sources()}
    values |= {"laboratories": published(published_costs.figures()), "laboratories.sources": laboratories()}
    values["branch"] = branch(hand["lines"]["breast_early/her2"])
    text = TEMPLATE.read_text("utf-8")
    missing = set(re.findall(r"\{\{([\w.]+)\}\}", text)) - set(values)
    assert not missing, missing
    return re.sub(r"\{\{([\w.]+)\}\}", lambda m: values[m[1]], text)


def line_parts(x: dict) -> dict[str, str]:
    who, s = x["who"], x["service"]
    cases = number(who["cases"], 0)
    if who["rate"] is not None:
        cases = f"{who['rate']:g} per 100,000 x {number(who['people'], 0)} people"
    product = " x ".join([cases, *(f"{v:g} ({k})" for k, v in who["steps"])])
    text = {
        "eligible": f"{product} = **{number(who['eligible'], 4)}** eligible patients a year",
        "prevalence": number(x["prevalence"], 6), "workup": number(x["workup"], 4),
        "life": life(x["life"]), "service": service(s), "therapies": therapy_table(x["therapies"]),
        "effects": "\n".join(effect(t) for t in x["therapies"]),
        "courses": course_table(x["therapies"]),
    }
    text["people"] = (
        f"{number(who['eligible'], 4)} x 0.9 = {number(x['final']['patients_tested'], 4)} tested; x eta = "
        f"{number(x['results'], 4)} with a result in time; called positive {number(x['true'], 6)} (carriers) + "
        f"{number(x['false'], 6)} (others) of them = {number(x['final']['positives_found'], 4)} people")
    return text


def life(x: dict) -> str:
    (a, ya), (b, yb) = x["below"], x["above"]
    if a == b:
        return f"{ya:g} years at {a:g}"
    return f"{ya:g} + ({x['age']:g} - {a:g}) / ({b:g} - {a:g}) x ({yb:g} - {ya:g}) = {number(x['years'], 4)} years"


def service(s: dict) -> str:
    rows = []
    for a in s["assays"]:
        rows.append([f"{a['assay']} ({a['on']})", number(a["cost"], 4), f"{a['fails']:g}", f"{a['days']:g}",
                     *(number(a[k][c], 4) for k in ("positive", "equivocal") for c in (True, False))])
    head = ["assay (on)", "cost, USD", "fails", "days", "positive, carrier", "positive, other",
            "open, carrier", "open, other"]
    k = s["kinds"]
    kinds = table(["per patient tested", "usable", "called positive", "usable and in time", "second assay"], [
        [word, *(number(k[c][n], 6) for n in ("usable", "called", "timely", "second"))]
        for c, word in ((True, "carrier"), (False, "other"))])
    return (f"{table(head, rows)}\n\n{kinds}\n\ncost {number(s['cost'], 4)} USD; eta {number(s['eta'], 6)}; "
            f"Se {number(s['se'], 6)}; Sp {number(s['sp'], 6)}")


def effect(t: dict) -> str:
    e = t["effect"]
    on = f" + {number(e['below'], 6)} of {e['on']}, on which it builds = {number(e['h'], 6)}" if "on" in e else ""
    if e["kind"] == "published_gain":
        return f"- {t['therapy']}: printed gain {e['own']:g}{on} QALYs"
    return (f"- {t['therapy']}: alive at {e['at']:g} years {number(e['alive'], 6)} against {e['control']:g}; each "
            f"further survivor {number(e['per_cure'], 4)} discounted years; x utility {e['weight']:g} = "
            f"{number(e['own'], 6)}{on} QALYs")


def course_table(options: list[dict]) -> str:
    rows = []
    for t in options:
        c = t["course"]
        for p in c["parts"]:
            giving = f"{p['given']:g} x {number(p['infusion'], 4)}" if p["given"] else "none"
            echo = f" + {number(c['echo'], 4)} / 3" if c["echo"] else ""
            rows.append([
                f"{t['therapy']}: {p['drug']}", number(p["months"], 3),
                f"{p['amount']:g}" + (f" (+ {p['loading']:g} once)" if p["loading"] else ""),
                f"{p['price']:.8f}", f"{p['waste']:g}", giving, f"{number(c['watch'], 4)}{echo}",
                number(c["cash"], 2), number(c["discounted"], 2),
                number(t["saved"]["discounted"], 2) if t["saved"] else "0.00", number(t["m"], 2)])
    return table(["course", "months", "amount a month", "USD a unit", "wasted", "giving, a month",
                  "monitoring, a month", "cash", "discounted", "comparator", "m"], rows)


def therapy_table(options: list[dict]) -> str:
    rows = []
    for t in sorted(options, key=lambda t: (t["reach"], t["therapy"])):
        payers = ", ".join(f"{z} {share:g}" for z, share in sorted(t["payers"].items()) if share) or "none"
        rows.append([t["therapy"], payers, f"{t['sub']:g}", number(t["reach"], 6), f"{t['blind_read']:g}",
                     number(t["u0"], 4), f"{t['fit']:g}", number(t["effect"]["h"], 6), number(t["x"], 6),
                     number(t["treated"], 4), number(t["blind"], 4), number(t["gain"], 4)])
    return table(["therapy", "access by payer", "sub-share", "reach", "blind, read", "u0", "fit", "h", "x",
                  "treated", "treated blind", "QALYs gained"], rows)


def final(hand: dict) -> str:
    lines = [hand["lines"][n]["final"] for n in NAMES]
    rows = [[word, *(number(f[key], digits) for f in lines),
             number(hand["totals"][key], digits) if key in hand["totals"] else ""] for word, key, digits in FINAL]
    return table(["figure", *NAMES, "plan"], rows)


def money(hand: dict) -> str:
    here = hand["here"]
    return f"price level of Rwanda {here['price_level']}, income group {here['income_group']}"


def worth(hand: dict) -> str:
    """Which lines pay at the threshold, with which drugs."""
    out = [f"threshold {number(hand['threshold'], 2)} USD per QALY"]
    for line in NAMES:
        w = hand["lines"][line]["worth"]
        dear = f" without {', '.join(sorted(w['dear']))}" if w["dear"] else ""
        out.append(f"{line} pays, {number(w['ratio'], 2)} USD per QALY{dear}" if w["pays"] else f"{line} does not pay")
    return "; ".join(out)


def branch(x: dict) -> str:
    s, n = x["service"], x["final"]["patients_tested"]
    return (f"{number(n * s['positive'], 4)} called positive by the product, {number(n * s['positive_by_branch'], 4)} "
            f"branch by branch, {number(100 * (s['positive'] / s['positive_by_branch'] - 1), 2)} % apart")


def published(found: tuple[Figure, ...]) -> str:
    """Printed figures of others beside ours: example, figure, theirs, ours, deviation, what explains it."""
    rows = []
    for f in found:
        decimals = min(len(f.theirs.partition(".")[2]), 7)
        apart = f.ours - float(f.theirs)
        small = abs(apart) <= 0.5 * 10.0**-decimals
        rows.append([f.example, f.what, f.theirs, f"{f.ours:.{decimals}f}", "0" if small else f"{apart:+.1g}",
                     "" if small else f"{f.error}; at most {f.tolerance:.1g}"])
    return table(["example", "figure", "theirs", "ours", "deviation", "why"], rows)


def sources() -> str:
    return "\n".join(f"- {name}: {where}" for name, where in SOURCES.items())


def laboratories() -> str:
    """Published cost models of laboratories: where from, of what kind, and what had to be assumed."""
    return table(["example", "kind", "unit", "source", "assumed, left out"],
                 [list(row) for row in published_costs.sources()], "---")


def used(entries: list[tuple]) -> str:
    """Rows read, with their sources."""
    return table(["file", "row", "column", "value", "source"],
                 [[f"{t}.csv", key.replace("*", r"\*"), column, value, source]
                  for t, key, column, value, source in entries], "---")
