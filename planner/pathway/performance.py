"""How an assay answers one biomarker, for carriers and for the others."""

from __future__ import annotations

from planner.pathway.arrays import most
from planner.pathway.resolve_values import Values, present


class Performance:
    """How an assay answers one biomarker, for carriers and non-carriers."""

    def __init__(self, row: dict):
        carrier = row.get("equivocal_carrier")
        other = row.get("equivocal_noncarrier")
        self.positive = {True: row["sensitivity"], False: None}
        self.equivocal = {True: carrier if present(carrier) else 0.0,
                          False: other if present(other) else 0.0}
        self.negative_noncarrier = row["specificity"]
        self.positive[False] = most(0.0, 1 - row["specificity"] - self.equivocal[False])
        self._outcome = {c: (self.positive[c], self.equivocal[c], most(0.0, 1 - self.positive[c] - self.equivocal[c]))
                         for c in (True, False)}

    @property
    def content(self) -> tuple:
        """All that it says."""
        return (*self._outcome[True], *self._outcome[False])

    def outcome(self, carrier: bool) -> tuple[float, float, float]:
        """(positive, equivocal, negative) shares of usable results."""
        return self._outcome[carrier]


def performance(values: Values, assay: str, biomarker: str, indication: str) -> Performance | None:
    """Accuracy of an assay for a biomarker; a row of the indication beats one for all."""
    for scope in (indication, "*"):
        row = values.evidence.record("assay_performance", assay_id=assay, biomarker_id=biomarker,
                                     indication_id=scope)
        if row:
            key = {"assay_id": assay, "biomarker_id": biomarker, "indication_id": scope}
            row = dict(row)
            for name in ("sensitivity", "specificity"):
                row[name] = values.row_fact("assay_performance", row, name, name, "share", **key).value
            return Performance(row)
    return None
