"""What the evidence covers: complete chains of use cases, grades, countries of their own.

A use case is plannable where every number of its chain is there: indication, eligibility, work-up,
prevalence, a service that answers it, and a therapy with drugs, doses, prices and access. A
stratified number counts if it resolves for every country: a row for the world, or one for each
income group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from planner.evidence.base import Evidence

Frames = Mapping[str, pd.DataFrame]
# What the reason of a use case begins with where no number would help: nothing is done by the result.
NO_DECISION = "no decision waits for the result"
INCOME_GROUPS = {"low", "lower_middle", "upper_middle", "high"}


@dataclass(frozen=True)
class Coverage:
    """What the evidence holds.

    ``use_cases``: how many; ``complete`` and ``not_plannable``: "indication/biomarker" with a full
    chain, and with what is missing or the stated gap. ``cells_by_grade``: table -> grade -> rows;
    ``countries_with_own``: table -> number of countries with rows of their own.
    """

    use_cases: int
    complete: tuple[str, ...]
    not_plannable: Mapping[str, str]
    cells_by_grade: Mapping[str, Mapping[str, int]]
    countries_with_own: Mapping[str, int]


def completeness(frames: Frames) -> pd.DataFrame:
    """indication_id, biomarker_id, plannable, missing (what lacks, and why; see :func:`told`): one row per use case.

    A stated gap makes a use case not plannable whatever else is there.
    """
    chain = _Chain(frames)
    columns = ["indication_id", "biomarker_id", "plannable", "missing"]
    rows = []
    for indication, biomarker, gap in _rows(frames, "use_cases", "indication_id", "biomarker_id", "gap"):
        text = told(chain.missing(indication, biomarker), gap if isinstance(gap, str) else "")
        rows.append((indication, biomarker, not text, text))
    return pd.DataFrame(rows, columns=columns).astype({"plannable": bool}) if rows else pd.DataFrame(columns=columns)


def told(lacks: list[str], reason: str) -> str:
    """What a use case lacks and the reason stated for it, in one text; empty where there is neither."""
    missing = "; ".join(dict.fromkeys(lacks))
    if not reason or not missing:
        return reason or missing
    return f"{reason} (not there: {missing})" if reason.startswith(NO_DECISION) else f"{missing}: {reason}"


def use_case_names(frames: Frames, with_gap: bool) -> set[tuple[str, str]]:
    """(indication_id, biomarker_id) of the use cases with, or without, a stated gap."""
    return {(i, b) for i, b, gap in _rows(frames, "use_cases", "indication_id", "biomarker_id", "gap")
            if isinstance(gap, str) == with_gap}


def coverage(evidence: Evidence) -> Coverage:
    """What the evidence covers; see :class:`Coverage`."""
    frames = evidence.tables
    table = completeness(frames)
    names = table["indication_id"].str.cat(table["biomarker_id"], sep="/") if len(table) else pd.Series(dtype=str)
    ready = table["plannable"].astype(bool) if len(table) else pd.Series(dtype=bool)
    grades, own = {}, {}
    for name, frame in frames.items():
        if "quality" in frame:
            grades[name] = {g: int(n) for g, n in frame["quality"].value_counts().sort_index().items()}
        if "stratum_type" in frame:
            own[name] = int(frame.loc[frame["stratum_type"] == "country", "stratum"].nunique())
    return Coverage(
        len(table), tuple(names[ready]), dict(zip(names[~ready], table["missing"][~ready], strict=True)),
        grades, own,
    )


class _Chain:
    """Look-ups of the chain, built once; each holds the keys that resolve everywhere."""

    def __init__(self, frames: Frames):
        self.frames = frames
        self.steps = dict(_rows(frames, "indications", "indication_id", "eligibility_steps"))
        self.eligibility = everywhere(frames, "eligibility", "indication_id", "step")
        self.prevalence = everywhere(frames, "prevalence", "indication_id", "biomarker_id")
        self.workup = everywhere(frames, "workup_costs", "indication_id")
        self.assay_costs = everywhere(frames, "assay_costs", "assay_id")
        self.prices = everywhere(frames, "drug_prices", "drug")
        self.access = everywhere(frames, "drug_access", "drug", "indication_id")
        self.empirical = everywhere(frames, "empirical_use", "therapy_id")
        self.doses = set(_rows(frames, "dosing", "drug", "indication_id"))
        self.utilities = set(_rows(frames, "utilities", "indication_id", "state"))
        self.performance = set(_rows(frames, "assay_performance", "assay_id", "biomarker_id", "indication_id"))
        self.assays: dict[str, list[str]] = {}
        for service, assay in _rows(frames, "pathways", "service_id", "assay_id"):
            self.assays.setdefault(service, []).append(assay)
        self.added: dict[str, list[str]] = {}
        for therapy, drug, part in _rows(frames, "therapy_drugs", "therapy_id", "drug", "part"):
            if part == "added":
                self.added.setdefault(therapy, []).append(drug)

    def missing(self, indication: str, biomarker: str) -> list[str]:
        """What the use case lacks, in words; empty where the chain is complete."""
        if indication not in self.steps:
            return [f"the indication {indication}"]
        steps = [s for s in str(self.steps[indication]).split(";") if s] + ["fit"]
        out = [f"eligibility step {s}" for s in steps if (indication, s) not in self.eligibility]
        if not _any_scope(self.workup, (), indication):
            out.append("cost of a work-up")
        if (indication, biomarker) not in self.prevalence:
            out.append("prevalence")
        return out + self._service(indication, biomarker) + self._therapy(indication, biomarker)

    def _service(self, indication: str, biomarker: str) -> list[str]:
        """Empty if one service answers the use case; else what the closest one lacks."""
        lacks = []
        for service, scope in _rows(self.frames, "services", "service_id", "indication_id"):
            assays = self.assays.get(service, [])
            if scope not in (indication, "*") or not assays:
                continue
            answered = [_any_scope(self.performance, (a, biomarker), indication) for a in assays]
            unpriced = [f"cost of the assay {a}" for a in assays if (a,) not in self.assay_costs]
            if all(answered) and not unpriced:
                return []
            if all(answered):
                lacks.append(unpriced)
        return min(lacks, key=len, default=["a service that answers it"])

    def _therapy(self, indication: str, biomarker: str) -> list[str]:
        """Empty if one therapy is complete; else what the closest one lacks."""
        lacks = [
            self._drugs(therapy, indication)
            + [f"utility of {state}"] * ((indication, state) not in self.utilities)
            + [f"use without the test of {therapy}"] * ((therapy,) not in self.empirical)
            for therapy, i, b, state in _rows(self.frames, "therapies", "therapy_id", "indication_id",
                                              "biomarker_id", "utility_state")
            if (i, b) == (indication, biomarker)
        ]
        return min(lacks, key=len, default=["effect of a treatment that the result decides"])

    def _drugs(self, therapy: str, indication: str) -> list[str]:
        drugs = self.added.get(therapy, [])
        out = [] if drugs else [f"drugs of {therapy}"]
        for drug in drugs:
            out += [f"price of {drug}"] * ((drug,) not in self.prices)
            out += [f"dose of {drug}"] * (not _any_scope(self.doses, (drug,), indication))
            out += [f"access to {drug}"] * (not _any_scope(self.access, (drug,), indication))
        return out


def everywhere(frames: Frames, table: str, *key: str) -> set[tuple]:
    """Keys of a stratified table that resolve for every country."""
    seen: dict[tuple, set] = {}
    for kind, stratum, *values in _rows(frames, table, "stratum_type", "stratum", *key):
        if kind in ("world", "income_group"):
            seen.setdefault(tuple(values), set()).add(stratum)
    return {values for values, strata in seen.items() if "world" in strata or strata >= INCOME_GROUPS}


def _any_scope(known: set[tuple], key: tuple, indication: str) -> bool:
    """Whether there is a row for the indication or one for all (``*``)."""
    return (*key, indication) in known or (*key, "*") in known


def _rows(frames: Frames, table: str, *columns: str) -> list[tuple]:
    """Rows of some columns; none where the table is missing."""
    return list(frames[table][list(columns)].itertuples(index=False, name=None)) if table in frames else []
