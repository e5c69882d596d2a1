"""What a course of treatment is made of, for buying: each drug, giving it, watching over it.

The same arithmetic as :mod:`planner.pathway.courses`, kept apart; the parts sum to the course of the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.errors import PlannerError
from planner.pathway import courses
from planner.pathway.resolve_values import Values, present


@dataclass(frozen=True)
class Parts:
    """USD a course, not discounted: ``drugs`` by drug without giving them, ``giving``, ``monitoring``; ``amounts`` by
    drug: (amount a course as bought, with wastage, unit)."""

    drugs: dict[str, float]
    giving: float
    monitoring: float
    amounts: dict[str, tuple[float, str]]

    @property
    def total(self) -> float:
        return sum(self.drugs.values()) + self.giving + self.monitoring


class CourseParts:
    """Courses of one place, taken apart. ``scenario`` with its overrides, as the plan reads them."""

    def __init__(self, evidence, scenario):
        from planner.evidence.strata import place

        setting = scenario.setting
        self.evidence = evidence
        self.values = Values(evidence, place(evidence, setting.country, setting.region), scenario)

    def parts(self, therapy: str, indication: str) -> Parts | None:
        """The parts of a therapy's course; None where a price, a dose or a duration is missing."""
        row = self._row(therapy)
        if not row:
            return None
        months = courses.mean_months(row["duration_months"], row["duration_kind"], row["duration_max_months"])
        added = [(d, m if m is not None else months) for d, m in self._added(row)]
        made = [self._drug(d, indication, m) for d, m in added]
        if not made or None in made:
            return None
        watched = courses.monitoring(self.values, [d for d, _ in added], max(m for _, m in added), 0.0)
        if watched.missing:
            return None
        drugs: dict[str, float] = {}
        amounts: dict[str, tuple[float, str]] = {}
        for (drug, _), (cost, _, amount, unit) in zip(added, made, strict=True):
            drugs[drug] = drugs.get(drug, 0.0) + cost
            amounts[drug] = (amounts.get(drug, (0.0, unit))[0] + amount, unit)
        return Parts(drugs, sum(m[1] for m in made), watched.total, amounts)

    def _row(self, therapy: str) -> dict:
        row = self.evidence.record("therapies", therapy_id=therapy)
        row = {name: value if present(value) else None for name, value in row.items()}
        for o in self.values.scenario.override:
            if o.table == "therapies" and o.key["therapy_id"] == therapy:
                row[o.column] = o.value
        return row

    def _added(self, row: dict) -> list[tuple[str, float | None]]:
        """Matched drugs with their months; a backbone drug that the therapy below adds counts as added."""
        parts: dict[str, list] = {"added": [], "backbone": [], "comparator": []}
        for d in self.evidence.records("therapy_drugs", therapy_id=row["therapy_id"]):
            parts[d["part"]].append((d["drug"], d["months"] if present(d["months"]) else None))
        below = self._row(row["builds_on"]) if row["builds_on"] else None
        first = {d for d, _ in self._added(below)} if below else set()
        return parts["added"] + [(d, m) for d, m in parts["backbone"] if d in first]

    def _drug(self, drug: str, indication: str, months: float) -> tuple[float, float, float, str] | None:
        """(cost of the drug, cost of giving it, amount bought, its unit) over the months."""
        found = courses.drug_course(self.values, drug, indication, months, 0.0)
        if found.missing:
            return None
        row = courses.dose(self.values, drug, indication)
        times = row["administrations_per_month"] * months
        giving = 0.0
        if times > 0:
            giving = times * self.values.local_money("administration_costs", "", "", item="infusion").value
        price = self.values.drug_price(drug).value
        cost = found.total - giving
        return cost, giving, cost / price if price else 0.0, row["unit"]


def parts_of(evidence, scenario):
    """(therapy, indication) -> parts, or None where nothing can be told apart."""
    try:
        made = CourseParts(evidence, scenario)
    except (PlannerError, AttributeError, KeyError):
        return lambda *_: None
    return made.parts
