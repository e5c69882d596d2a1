"""Names of lines and colours of tiers, for pictures, pages and documents alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


# -- numbers ---------------------------------------------------------------------------------------------

NAMED = (("indications", "indication_id", "name"), ("biomarkers", "biomarker_id", "short_name"), ("drugs", "drug", "name"),
         ("assays", "assay_id", "name"), ("therapies", "therapy_id", "name"), ("services", "service_id", "name"),
         ("cancer_sites", "cancer_site", "name"))
PARAMETERS = {
    "attrition": "people lost between lines of treatment", "fit": "share fit for treatment",
    "reaches_care": "share reaching care",
    "effect (factor)": "how much it helps", "effect (death_rr)": "how much it helps (deaths)",
    "effect (os_hr)": "how much it helps (survival)", "effect (pfs_hr)": "how much it helps (time to progression)",
    "failure": "samples that fail", "utility": "quality of life", "relapse": "relapses", "stage": "stage at diagnosis",
    "histology": "share of this type", "subtype": "share of this subtype", "further": "further use",
    "monitoring": "cost of follow-up", "work-up": "cost of getting the sample",
}


def parameter_words(what: str) -> str:
    """A parameter as a reader calls it."""
    return PARAMETERS.get(what, what.replace("_", " "))


def number_words(name: str, evidence) -> str:
    """An uncertain number of an analysis in words: "prevalence: breast_early/her2" with the names of both."""
    what, _, of = name.partition(": ")
    parts = [_named(part, evidence) for part in of.split("/") if part not in ("", "*", what)]
    return parameter_words(what) + (f": {', '.join(parts)}" if parts else "")


def _named(key: str, evidence) -> str:
    for table, column, name in NAMED:
        found = evidence.record(table, **{column: key})
        if found.get(name):
            return found[name]
    return key.replace("_", " ")
