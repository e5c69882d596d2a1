"""Who can get a drug today, by payer, and how far access could be bought.

A share of the evidence speaks of patients already in care, tested or fit, as its row says
(``includes``). What its denominator does *not* include is a loss that the share already holds, so
that factor must not be multiplied in again (docs/decisions/0003).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.pathway.resolve_values import Values, present
from planner.scenario.model import PAYERS, DrugAccess


@dataclass(frozen=True)
class DrugReach:
    """Access to one drug: share by payer, ceiling, courses where supply is fixed, and whether the
    share is one of fit patients (else unfitness is already inside it)."""

    payers: tuple[tuple[str, float], ...]
    ceiling: float
    courses: float | None
    among_fit: bool

    @property
    def share(self) -> float:
        return sum(s for _, s in self.payers)


def reach(values: Values, drug: str, indication: str, care: float) -> DrugReach | None:
    """Access to a drug in this place; None where no level has a row.

    ``care``: share of the eligible who reach care, by which a share of *all* patients is divided.
    Trial access is shown, never counted as access.
    """
    by_payer, rows_of, facts = {}, {}, {}
    for payer in PAYERS:
        if payer == "trial":
            continue
        fact = values.share("drug_access", "share", f"access to the drug, {payer}", pool=False,
                            drug=drug, indication_id=indication, payer=payer)
        if fact is None:
            continue
        rows = values.evidence.index("drug_access").rows(
            values.place, {"drug": drug, "indication_id": indication, "payer": payer})
        includes = set(rows[0]["includes"].split(";")) if rows else {"care"}
        share = fact.value if "care" in includes else min(1.0, fact.value / care if care else 0.0)
        by_payer[payer], rows_of[payer], facts[payer] = share, rows, fact
    if not by_payer:
        return None
    by_payer = _at_one_level(values, drug, indication, by_payer)
    for payer in facts.keys() - by_payer.keys():  # told among the inputs as what it is: seen, and not used
        note = "not used: a nearer source tells who gets the drug"
        values.note(replace(facts[payer], note="; ".join(filter(None, (note, facts[payer].note)))))
    kept = [row for payer in by_payer for row in rows_of[payer]]
    ceilings = [r["ceiling"] for r in kept if present(r["ceiling"])]
    courses = next((r["courses"] for r in kept if present(r["courses"])), None)
    among_fit = all("fit" in r["includes"].split(";") for r in kept)
    today = DrugReach(tuple(sorted(by_payer.items())), max(ceilings, default=0.0), courses, among_fit)
    return _changed(values, drug, today)


def _at_one_level(values: Values, drug: str, indication: str, by_payer: dict) -> dict:
    """Payers are exclusive shares of one study: those of a vaguer level than the best are dropped. One's own share
    counts whatever stands beside it."""
    index, levels = values.evidence.index("drug_access"), values.place.levels
    depth, own = {}, set()
    for payer in by_payer:
        key = {"drug": drug, "indication_id": indication, "payer": payer}
        if values.has_own("drug_access", "share", key):
            own.add(payer)
        rows = index.rows(values.place, key)
        if rows:
            depth[payer] = levels.index((rows[0]["stratum_type"], rows[0]["stratum"]))
    best = min(depth.values(), default=None)
    kept = {payer: share for payer, share in by_payer.items() if payer in own or depth.get(payer) == best}
    total = sum(kept.values())
    return {p: s / total for p, s in kept.items()} if total > 1 else kept


def _changed(values: Values, drug: str, today: DrugReach) -> DrugReach:
    """The scenario's own access share, ceiling and supply."""
    access = values.scenario.access
    ceiling = today.ceiling if access.ceiling is None else access.ceiling
    payers, courses, among_fit = today.payers, today.courses, today.among_fit
    changed = access.drugs.get(drug)
    if changed is not None:
        changed = changed if isinstance(changed, DrugAccess) else DrugAccess(share=changed)
        courses = changed.courses if changed.courses is not None else courses
        if changed.share is not None:
            among_fit = True  # stated for people in need who are fit, in the planner's own words
            payers = _scaled(payers, changed)
    return DrugReach(payers, ceiling, courses, among_fit)


def _scaled(payers, changed: DrugAccess) -> tuple[tuple[str, float], ...]:
    """The stated share, carried by the stated payer or by today's payers in proportion."""
    total = sum(s for _, s in payers)
    if changed.payer:
        return ((changed.payer, changed.share),)
    if total == 0:
        return (("public", changed.share),)
    return tuple((p, s / total * changed.share) for p, s in payers)


@dataclass(frozen=True)
class RegimenReach:
    """Access to a regimen: the smallest of its matched drugs."""

    alpha: float
    payers: tuple[tuple[str, float], ...]
    amax: float
    courses: tuple[tuple[str, float], ...]
    among_fit: bool
    parts: tuple[tuple[str, float, float], ...] = ()  # (drug, share, ceiling)
    unfit_within: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def regimen(values: Values, drugs: list[str], indication: str, care: float) -> RegimenReach:
    """Access to all matched drugs of a therapy together."""
    found = {d: reach(values, d, indication, care) for d in drugs}
    missing = tuple(f"access to {d}" for d, r in found.items() if r is None)
    if missing:
        return RegimenReach(0.0, (), 0.0, (), True, missing=missing)
    scarcest = min(found.values(), key=lambda r: r.share)
    return RegimenReach(
        scarcest.share, scarcest.payers, min(max(r.ceiling, r.share) for r in found.values()),
        tuple((d, r.courses) for d, r in found.items() if r.courses is not None),
        all(r.among_fit for r in found.values()),
        tuple((d, r.share, max(r.ceiling, r.share)) for d, r in found.items()),
        tuple(d for d, r in found.items() if not r.among_fit),
    )
