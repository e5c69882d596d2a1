"""Local counts beside what is known: a Beta prior, the data, the posterior; and true prevalence.

The prior is the resolved share with its effective number of people (:mod:`planner.evidence.strata`);
counts of a laboratory add people of their own (conjugate updating of a binomial share).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from planner.evidence.strata import DEFAULT_N, Place, Resolved, beta_interval, beta_quantile, rows_of

LEAST_YOUDEN = 0.05  # an assay hardly better than chance says nothing of true prevalence


@dataclass(frozen=True)
class Beta:
    """A share with the people it counts for and its central 95 % interval."""

    share: float
    n: float
    low: float
    high: float


@dataclass(frozen=True)
class Update:
    """Prior, data (true positives where an assay was named) and posterior of one prevalence."""

    prior: Beta
    tested: int
    positive: int
    data: Beta
    posterior: Beta
    laboratories: tuple[str, ...]
    stratum_type: str
    stratum: str

    @property
    def words(self) -> str:
        return (f"before: {self.prior.share:.1%}, counting for {self.prior.n:.0f} people; counts of "
                f"{', '.join(self.laboratories)}: {self.positive} of {self.tested} "
                f"({self.data.low:.1%} to {self.data.high:.1%}); "
                f"now {self.posterior.share:.1%}, counting for {self.posterior.n:.0f}")


def beta(share: float, n: float) -> Beta:
    return Beta(share, n, *beta_interval(share, n))


def counted(positive: int, tested: int) -> Beta:
    """A binomial share with its exact (Clopper-Pearson) 95 % interval."""
    low = 0.0 if positive == 0 else beta_quantile(0.025, positive, tested - positive + 1)
    high = 1.0 if positive == tested else beta_quantile(0.975, positive + 1, tested - positive)
    return Beta(positive / tested, float(tested), low, high)


def answers(row: Mapping) -> tuple[float, float]:
    """(sensitivity, share of non-carriers not called positive) of a row of *assay_performance*.

    An equivocal answer is no positive one: a non-carrier with it must not count as a false positive.
    """
    return row["sensitivity"], min(1.0, row["specificity"] + (row.get("equivocal_noncarrier") or 0.0))


def true_share(observed: float, sensitivity: float, specificity: float) -> float:
    """True prevalence behind an observed positivity (Rogan & Gladen 1978), cut to 0 and 1."""
    return min(1.0, max(0.0, (observed + specificity - 1) / (sensitivity + specificity - 1)))


def corrected(found: Beta, accuracy: tuple[float, float] | None) -> Beta:
    """An observed share as a true one. Its people count for less: the variance grows with the square of
    the assay's Youden index, se + sp - 1. As it is where no accuracy is known or the assay is near chance."""
    if accuracy is None or sum(accuracy) - 1 < LEAST_YOUDEN:
        return found
    youden = sum(accuracy) - 1
    low, share, high = (true_share(x, *accuracy) for x in (found.low, found.share, found.high))
    return Beta(share, max(1.0, found.n * youden**2), low, high)


def updated(resolved: Resolved, rows: Iterable[Mapping], accuracy) -> Update | None:
    """A resolved prevalence updated by rows of *local_counts*; None where there are none.

    ``accuracy``: assay -> what :func:`answers` tells of it, or None.
    """
    rows = list(rows)
    if not rows:
        return None
    prior = beta(resolved.value, resolved.n_effective or DEFAULT_N)
    people, hits = prior.n, prior.n * prior.share
    for row in rows:
        part = corrected(counted(row["positive"], row["tested"]), accuracy(row["assay_id"]) if row["assay_id"] else None)
        people, hits = people + part.n, hits + part.n * part.share
    positive, tested = sum(r["positive"] for r in rows), sum(r["tested"] for r in rows)
    names = tuple(dict.fromkeys(f"{r['laboratory']} {r['year']}" for r in rows))
    return Update(prior, tested, positive, counted(positive, tested), beta(hits / people, people), names,
                  rows[0]["stratum_type"], rows[0]["stratum"])


def counts_here(records: Iterable[Mapping], place: Place) -> list[Mapping]:
    """Rows of the most specific level of a place that has any (its region, else its country)."""
    records = list(records)
    for level, stratum in place.levels:
        mine = [r for r in records if (r["stratum_type"], r["stratum"]) == (level, stratum)]
        if mine:
            return mine
    return []


def as_true(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The table *prevalence* with observed positivity turned into true prevalence, once: rows of basis
    ``observed`` that name their assay, by its accuracy for the indication, else for all."""
    frame = tables["prevalence"]
    if "assay_id" not in frame or not ((frame["basis"] == "observed") & frame["assay_id"].notna()).any():
        return frame
    known = {(r["assay_id"], r["biomarker_id"], r["indication_id"]): answers(r)
             for r in rows_of(tables["assay_performance"])}
    rows = rows_of(frame)
    for row in rows:
        asked = (row["assay_id"], row["biomarker_id"])
        accuracy = known.get((*asked, row["indication_id"])) or known.get((*asked, "*"))
        if row["basis"] == "observed" and accuracy:
            n = row["n"] or DEFAULT_N
            found = corrected(Beta(row["share"], n, row["low"] or 0.0, row["high"] or 0.0), accuracy)
            bounds = {end: getattr(found, end) for end in ("low", "high") if row[end] is not None}
            row |= {"share": found.share, "n": found.n if row["n"] is not None else None, "basis": "true"} | bounds
    return pd.DataFrame(rows, columns=list(frame.columns)).astype(frame.dtypes.to_dict())
