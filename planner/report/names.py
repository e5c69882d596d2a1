"""Names of lines and colours of tiers, for pictures, pages and documents alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.report.numbers import show

BLUE, GREY = "#0072B2", "#8A8F98"
TIER_COLOURS = {
    "core": "#0072B2", "expand": "#56B4E9", "lower_price": "#E69F00", "when_drug": "#CC79A7",
    "research_only": "#009E73", "not_now": GREY,
}
SHORTER = (("High-grade epithelial ovarian", "Ovarian"), ("Invasive breast", "Breast"), (" cancer", ""), (", adults", ""),
           ("adenocarcinoma", ""), ("persistent / recurrent / metastatic", "recurrent"), (" needing treatment", ""),
           ("unresectable or metastatic", "advanced"), ("Non-squamous NSCLC", "NSCLC non-squamous"),
           ("Squamous NSCLC", "NSCLC squamous"), ("Follicular and other low-grade", "Low-grade"),
           ("B-cell acute lymphoblastic", "B acute lymphoblastic"), (" ,", ","))


def line_name(row: Mapping[str, Any]) -> str:
    """A line in words: biomarker and cancer."""
    return f"{row['short_name']} · {row['indication']}"


def briefly(indication: str) -> str:
    """An indication's name without what the list need not say; the whole name stands in the line's panel."""
    for whole, less in SHORTER:
        indication = indication.replace(whole, less)
    return indication.strip()


def brief_name(row: Mapping[str, Any]) -> str:
    return f"{row['short_name']} · {briefly(row['indication'])}"


def short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip(" ,") + "…"


# -- prices ----------------------------------------------------------------------------------------------

def paying_price(drug: Mapping[str, Any]) -> str:
    """The price at which a drug of an access unlock pays; that of the drug and its test alone where other lines
    give way to it and their savings are not its own; or that not even a free course would pay."""
    if drug["price_that_pays"] is not None:
        return show(drug["price_that_pays"], "usd", unit=False)
    if drug["course_cost"] is None or drug["measure"] != "qalys":
        return "-"
    if drug["price_alone"] is not None:
        return f"{show(drug['price_alone'], 'usd', unit=False)} with its test alone"
    return "other lines give way" if drug["displaces"] else "not even free"


def verdict(drug: Mapping[str, Any]) -> str:
    """Whether a drug of an access unlock is worth its cost, in words."""
    if drug["course_cost"] is None or drug["measure"] != "qalys":
        return ""
    if drug["price_that_pays"] is None:
        return "other lines give way" if drug["displaces"] else "not at any price"
    return "pays today" if drug["course_cost"] <= drug["price_that_pays"] else "at a lower price"
