"""The numbers of a plan in a reader's words: what a parameter is, and of what by name."""

from __future__ import annotations

from planner.evidence.base import Evidence

# parameters whose name in the evidence is short for a reader
PARAMETERS = {
    "stage": "share diagnosed at this stage", "relapse": "share who relapse to it", "reaches_care": "share who reach care",
    "histology": "share of this type", "subtype": "share of this subtype", "further": "further share who come to the decision",
    "fit": "share fit to start", "utility": "quality of life", "failure": "share of samples that fail",
    "sensitivity": "sensitivity of the test", "specificity": "specificity of the test",
    "attrition": "patients treated before the result, a day", "monitoring": "cost of follow-up",
    "work-up": "cost of getting the sample", "effect (factor)": "how much it helps",
    "effect (death_rr)": "how much it helps (deaths)", "effect (os_hr)": "how much it helps (survival)",
    "effect (pfs_hr)": "how much it helps (time to progression)",
}
NAMED = (("indications", "indication_id", "name"), ("biomarkers", "biomarker_id", "short_name"), ("drugs", "drug", "name"),
         ("assays", "assay_id", "name"), ("therapies", "therapy_id", "name"), ("services", "service_id", "name"),
         ("cancer_sites", "cancer_site", "name"))


def parameter_words(what: str) -> str:
    """A parameter as a reader calls it."""
    return PARAMETERS.get(what, what.replace("_", " "))


def number_words(name: str, evidence: Evidence) -> str:
    """A number in words: ``prevalence: breast_early/her2`` with the names of both."""
    what, _, of = name.partition(": ")
    parts = [_named(part, evidence) for part in of.split("/") if part not in ("", "*", what)]
    return parameter_words(what) + (f": {', '.join(parts)}" if parts else "")


def _named(key: str, evidence: Evidence) -> str:
    for table, column, name in NAMED:
        found = evidence.record(table, **{column: key})
        if found.get(name):
            return found[name]
    return key.replace("_", " ")
