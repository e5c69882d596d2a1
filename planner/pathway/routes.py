"""How a drug can be reached in a place: status by route, the rule that makes the share, the share by payer."""

from __future__ import annotations

from dataclasses import dataclass

from planner.evidence.base import Evidence
from planner.evidence.strata import Place
from planner.pathway.access import reach
from planner.pathway.resolve_values import Values
from planner.scenario.model import PAYERS, Scenario

ROUTE_WORDS = {
    "national_list": "On the national list", "reimbursed": "Paid by the state or statutory insurance",
    "registered": "Registered for sale", "out_of_pocket": "Bought by patients", "donation": "Donation programme",
    "assistance": "Help of the manufacturer, or copies by licence", "trial": "Clinical trial",
}
COUNTS_WORDS = {
    "care": "has reached an oncologist", "tested": "has a result of the test", "fit": "is fit for the drug",
    "none": "every case in the country",
}


@dataclass(frozen=True)
class Route:
    """One way to the drug: status (yes, partial, no, unknown), what the source says, where it holds."""

    route: str
    status: str
    detail: str
    year: str
    level: str
    stratum: str
    grade: str
    source: str
    note: str


@dataclass(frozen=True)
class PayerShare:
    """One payer's share of those in need who get the drug, with the rule that makes it (empty: measured)."""

    payer: str
    share: float
    low: float | None
    high: float | None
    level: str
    stratum: str
    grade: str
    status: str
    rule: str
    rule_name: str
    when: str
    includes: tuple[str, ...]
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Access:
    """A drug in a place: routes (trials apart), shares by payer of the nearest level, the total and its ceiling."""

    routes: tuple[Route, ...]
    trials: tuple[Route, ...]
    payers: tuple[PayerShare, ...]
    trial_share: PayerShare | None
    share: float | None
    ceiling: float | None
    courses: float | None
    own: float | None  # the scenario's share, where it differs


def access(evidence: Evidence, place: Place, scenario: Scenario, drug: str, indication: str) -> Access:
    """How the drug is reached for an indication; care is taken as reached (docs/access.md)."""
    found = routes(evidence, place, drug)
    plain = Values(evidence, place, scenario.model_copy(update={"access": type(scenario.access)(), "override": ()}))
    today, mine = reach(plain, drug, indication, 1.0), reach(Values(evidence, place, scenario), drug, indication, 1.0)
    shares = [_share(evidence, place, drug, indication, payer) for payer in PAYERS]
    kept = {payer for payer, _ in today.payers} if today else set()
    own = mine.share if mine and today and abs(mine.share - today.share) > 1e-9 else None
    return Access(
        tuple(r for r in found if r.route != "trial"), tuple(r for r in found if r.route == "trial"),
        tuple(s for s in shares if s and s.payer in kept), next((s for s in shares if s and s.payer == "trial"), None),
        today.share if today else None, today.ceiling if today else None, today.courses if today else None, own,
    )


def routes(evidence: Evidence, place: Place, drug: str) -> tuple[Route, ...]:
    """Status of every route at the nearest level that has a row for it."""
    out = []
    for route in ROUTE_WORDS:
        for row in evidence.index("drug_status").rows(place, {"drug": drug, "route": route}):
            out.append(Route(route, row["status"], row["detail"] or "", row["year"] or "", row["stratum_type"], row["stratum"],
                             row["quality"], row["source_id"], row["note"] or ""))
    return tuple(out)


def _share(evidence: Evidence, place: Place, drug: str, indication: str, payer: str) -> PayerShare | None:
    index, key = evidence.index("drug_access"), {"drug": drug, "indication_id": indication, "payer": payer}
    found, rows = index.nearest(place, "share", key), index.rows(place, key, "share")
    if found is None:
        return None
    first = rows[0]
    rule = _rule(evidence, place, first)
    return PayerShare(
        payer, found.value, found.low, found.high, found.level, found.stratum, found.quality, first["status"] or "",
        first["rule"] or "", rule.get("name", ""), rule.get("when_status", ""), tuple(first["includes"].split(";")),
        tuple(dict.fromkeys([r["source_id"] for r in rows] + ([rule["source_id"]] if rule else []))),
        "; ".join(dict.fromkeys(n for n in (first["note"], rule.get("note")) if n)),
    )


def _rule(evidence: Evidence, place: Place, row: dict) -> dict:
    """The rule that a row follows, for this income group; empty where the share was measured."""
    if not row["rule"]:
        return {}
    group = next((stratum for level, stratum in place.levels if level == "income_group"), "*")
    return evidence.record("access_rules", rule=row["rule"], income_group=group, payer=row["payer"]) or \
        evidence.record("access_rules", rule=row["rule"], income_group="*", payer=row["payer"])
