"""How numbers are shown: the one rounding function, and the answer in one sentence.

Files carry unrounded numbers; page, printed table and documents show them through :func:`show`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

UNKNOWN = "unknown"
MINUS = "−"
KINDS = ("people", "usd", "qalys", "share", "cost_per_qaly", "ratio", "years")
FIGURES = {"people": 3, "usd": 3, "qalys": 3, "share": 2, "cost_per_qaly": 3, "ratio": 2, "years": 2}
LEAST = {"people": 0.05, "qalys": 0.01, "usd": 0.01, "cost_per_qaly": 0.01, "years": 0.001, "ratio": 0.001}
MILLION = 10_000_000  # from here on money is told in millions
PAYER_WORDS = {"public": "public budget", "insurer": "insurers", "donor": "donors", "household": "households",
               "trial": "trials"}
MEASURE_WORDS = {
    "qalys": "Healthy years (QALYs)", "life_years": "Life years", "deaths_averted": "Deaths averted",
    "dalys_averted": "DALYs averted", "patients_treated": "People treated", "net_health": "Net health (QALYs)",
}
IN_WORDS = {
    "qalys": "healthy years (QALYs)", "life_years": "years of life", "deaths_averted": "deaths averted",
    "dalys_averted": "DALYs averted", "patients_treated": "people treated",
    "net_health": "healthy years (QALYs) net of what the money would bring elsewhere",
}


def show(value: float | None, kind: str, unit: bool = True) -> str:
    """A number for the reader: two to three significant figures, thousands separators, its unit.

    kind: people and qalys (a year), usd, share (0 to 1, shown in percent), cost_per_qaly (USD), ratio,
    years. ``unit=False`` leaves unit words out where the header has them. What is missing or not
    finite is "unknown". Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of number: {kind}")
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if kind == "share":
        return _percent(float(value))
    if kind == "cost_per_qaly" and value < 0:
        return "saves money"  # the ratio is given for lines that gain health only
    sign, size = (MINUS if value < 0 else ""), abs(float(value))
    if 0 < size < LEAST[kind]:
        return ("over " if sign else "under ") + _with_unit(f"{sign}{LEAST[kind]:g}", kind, unit)
    money = kind in ("usd", "cost_per_qaly")
    rounded = significant(size, FIGURES[kind])
    if money and unit and rounded >= MILLION:
        big, word = (10**9, "billion") if rounded >= 10**9 else (10**6, "million")
        return _with_unit(f"{sign}{_plain(rounded / big)} {word}", kind, unit)
    return _with_unit(f"{sign}{_plain(rounded)}", kind, unit)


def significant(value: float, figures: int) -> Decimal:
    """Rounded half up to so many significant figures."""
    if value == 0:
        return Decimal(0)
    exact = Decimal(repr(float(value)))
    step = Decimal(1).scaleb(exact.adjusted() - figures + 1)
    return exact.quantize(step, ROUND_HALF_UP)


def precise(value: float | None, figures: int = 3) -> str:
    """A number to so many significant figures however small it is: prices of a milligram, rates."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{MINUS * (value < 0)}{_plain(significant(abs(float(value)), figures))}"


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(share: float) -> str:
    percent = share * 100
    if 0 < abs(percent) < 0.1:
        return "under 0.1 %" if percent > 0 else f"over {MINUS}0.1 %"
    # "100 %" must mean all of them, and "99.7 %" must not become it
    figures = 3 if 99 <= abs(percent) < 100 else 2
    rounded = significant(abs(percent), figures)
    if rounded == 100 and abs(percent) < 100 - 1e-9:
        return "over 99.9 %"
    sign = MINUS if percent < 0 else ""
    return f"{sign}{_plain(rounded if abs(percent) < 100 else significant(abs(percent), 3))} %"


def _with_unit(text: str, kind: str, unit: bool) -> str:
    if not unit or kind in ("people", "qalys", "ratio"):
        return text
    if kind == "years":
        return f"{text} years"
    text = f"{MINUS}US$ {text[1:]}" if text.startswith(MINUS) else f"US$ {text}"
    return f"{text} per QALY" if kind == "cost_per_qaly" else text


# -- the measure in use --------------------------------------------------------------------------

def measure(document: Mapping[str, Any]) -> str:
    """The measure that the plan maximises."""
    return document["scenario"].get("objective", "qalys")


def of_row(row: Mapping[str, Any], document: Mapping[str, Any]) -> float | None:
    """A line's health in the measure in use; None where it has no figure."""
    wanted = measure(document)
    if wanted != "net_health":
        return row["health"][wanted]
    cost = (row["testing_cost"] or 0.0) + (row["incremental_cost"] or 0.0)
    return None if row["qalys"] is None else row["qalys"] - cost / document["threshold"]["value"]


def left_out(document: Mapping[str, Any]) -> list[str]:
    """Ids of the lines without a figure for the measure in use, which the plan leaves out."""
    wanted = measure(document)
    return [] if wanted == "net_health" else sorted(set(document["totals"]["without_number"].get(wanted, ())))


# -- the answer ------------------------------------------------------------------------------------

def sentence(document: Mapping[str, Any], bold: bool = False, mind: bool = True) -> str:
    """The answer of a plan document in at most four sentences, each number shown by :func:`show`.

    ``bold`` sets the numbers between double asterisks (Markdown); ``mind`` adds the warnings.
    """
    mark = "**{}**".format if bold else "{}".format
    parts = [_what(document, mark), _drug_money(document, mark), _limits(document, mark)]
    return " ".join(part for part in [*parts, _warned(document) if mind else ""] if part)


def _warned(document) -> str:
    """Warnings of the plan that belong beside the answer, as one sentence."""
    told = [warning(w, document) for w in document["warnings"]]
    return f"Mind: {'; '.join(told)}." if told else ""


def warning(found: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """A warning's text with the names of its lines instead of their ids."""
    text = found["text"].rstrip(".")
    for row in document["list"]:
        line = f"{row['indication_id']}/{row['biomarker_id']}"
        if line in found.get("lines", ()):
            text = text.replace(line, f"{row['short_name']} in {row['indication']}")
    return text


def _what(document, mark) -> str:
    totals, wanted = document["totals"], measure(document)
    place = place_words(document)
    n, m = totals["biomarkers_funded"], totals["indications_funded"]
    if n == 0:
        return f"{_money(document, mark)}, {place} would test for no biomarker."
    tested = mark(f"{counted(n, 'biomarker')} in {counted(m, 'cancer indication')}")
    treated = show(totals["patients_treated"], "people")
    get = "person gets" if treated == "1" else "people get"
    health = [] if wanted == "patients_treated" else [f"{mark(show(totals[wanted], 'qalys'))} {IN_WORDS[wanted]}"]
    if wanted != "qalys":
        health.append(f"{mark(show(totals['qalys'], 'qalys'))} {IN_WORDS['qalys']}")
    return (f"{_money(document, mark)}, {place} would test {tested}: {mark(treated)} {get} a matched drug, "
            f"{' and '.join(health)} a year.")


def counted(n: int, word: str) -> str:
    """A number with its word: 1 line, 2 lines."""
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def place_words(document) -> str:
    names = [p["name"] for p in document["place"]]
    return names[0] if len(names) == 1 else f"{len(names)} regions together"


def _money(document, mark) -> str:
    """The budgets as given; an exact amount in words is rounded like every other."""
    if document["scenario"]["mode"] == "evaluate":
        return f"With the list as given, for {mark(show(document['totals']['testing_cost'], 'usd'))} a year for tests"
    budget = document["scenario"]["budget"]
    paid = " and ".join(PAYER_WORDS[z] for z in budget["payers"]) or "nobody"
    words = {"testing": "for tests", "treatment": f"for treatment (paid by {paid})",
             "total": f"for tests and treatment (paid by {paid})"}
    said = []
    for axis, what in words.items():
        limit = budget[axis]
        if limit is not None:
            years = limit if isinstance(limit, list | tuple) else [limit]
            said.append(f"{mark(show(sum(years) / len(years), 'usd'))} a year {what}")
    more = " more than today" if said and budget["basis"] == "additional" else ""
    return f"With {' and '.join(said)}{more}" if said else "Without a limit on money"


def _drug_money(document, mark) -> str:
    totals, budget = document["totals"], document["scenario"]["budget"]
    if totals["biomarkers_funded"] == 0:
        return ""
    paid = sorted(((v, z) for z, v in totals["cost_by_payer"].items() if abs(v) > 0.5), reverse=True)
    amount = totals["treatment_cost"]
    if amount < 0:
        return f"Treatment costs {mark(show(-amount, 'usd'))} a year less than without testing."
    text = f"Their treatment costs {mark(show(amount, 'usd'))} a year more than without testing"
    parts = ", ".join(payer_words(z, v) for v, z in paid)
    text += f" ({parts})" if parts else ""
    if budget["treatment"] is not None or budget["total"] is not None:
        return f"{text}."
    return f"{text}; drug money is not a constraint here, since no limit is set."


def payer_words(payer: str, amount: float) -> str:
    """What a payer pays more, or less, than without testing."""
    return f"{PAYER_WORDS[payer]} {show(abs(amount), 'usd')}{' less' if amount < 0 else ''}"


def _limits(document, mark) -> str:
    """What holds the plan back: money, people of the laboratory, drugs."""
    if document["scenario"]["mode"] == "evaluate":
        return ""
    binding = document["binding"]
    held = [b["text"] for b in binding if b["kind"] in ("money", "people", "instruments", "supply")]
    drugs = next((b for b in binding if b["kind"] == "drugs"), None)
    waiting = len(drugs["waiting"]) if drugs else 0
    text = f"What holds it back is {' and '.join(held)}" if held else \
        "Neither money nor laboratory staff holds it back"
    if waiting:
        text += f", and drugs are out of reach for {mark(counted(waiting, 'more test'))}"
    return f"{text}."
