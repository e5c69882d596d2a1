"""Evidence and scenario to planning problem: the one way numbers reach the optimiser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.evidence.strata import Place, place
from planner.pathway.arrays import least, most, some
from planner.pathway.eligible import Eligible, eligible
from planner.pathway.laboratories import Laboratories, Tariffs
from planner.pathway.named import check_names
from planner.pathway.problem import Fact, Indication, Problem, ServiceOption, TherapyOption, UseCase
from planner.pathway.resolve_values import Values, present
from planner.pathway.services import ServiceBuilder
from planner.pathway.therapy import TherapyBuilder, cut_empirical, remaining_life, utilities
from planner.scenario.model import Scenario, placed
from planner.units import to_base_usd


def build_problem(evidence: Evidence, scenario: Scenario, resolver: Callable[..., Values] = Values) -> Problem:
    """The planning problem of a scenario's setting.

    ``resolver`` makes the values of a place (draws give arrays in place of numbers).
    Raises :class:`BadInput` for an unknown place, use case, drug or service, all faults at once.
    """
    check_names(evidence, scenario)
    places = settings(evidence, scenario)
    indications, facts = [], {}
    for where in places:
        values = resolver(evidence, where, scenario)
        if not values.country.get("in_globocan"):
            raise BadInput([Issue(f"setting.country {where.iso3}", "GLOBOCAN has no incidence for it",
                                  "choose one of the places that the command `places` lists")])
        threshold = _threshold(values)
        laboratories = Laboratories(values, _volumes(values)) if scenario.laboratory.costing == "micro" else Tariffs(values)
        indications += [_indication(values, scenario, row, threshold.value, laboratories)
                        for row in evidence.records("indications")]
        facts |= {(f.parameter, f.key, where.name): f for f in values.facts}
    indications.sort(key=lambda i: (i.region, i.indication))
    indications = within_supply(indications)
    return Problem(
        tuple((w.region or w.iso3, w.name) for w in places), scenario.years, scenario.discount_rate,
        threshold.value, ";".join(threshold.source_ids), threshold.quality, tuple(indications),
        tuple(facts[k] for k in sorted(facts)), evidence.base_year, *_currency(values, scenario),
        laboratory=laboratories.home,
    )


def _volumes(values: Values) -> dict[str, float]:
    """Samples a year that each assay could come to, if all whom it can answer were tested with it once."""
    evidence, out = values.evidence, {}
    for row in evidence.records("indications"):
        people = eligible(values, row).patients * values.scenario.coverage.maximum
        asked = {u["biomarker_id"] for u in evidence.records("use_cases", indication_id=row["indication_id"])}
        for assay in evidence.records("assays"):
            if any(r["indication_id"] in (row["indication_id"], "*") and r["biomarker_id"] in asked
                   for r in evidence.records("assay_performance", assay_id=assay["assay_id"])):
                out[assay["assay_id"]] = out.get(assay["assay_id"], 0.0) + people
    return out


def within_supply(indications: list[Indication]) -> list[Indication]:
    """Blind use cut so that, over all use cases, it obeys the fixed supply of each drug."""
    cases = [(i, u) for i in indications for u in i.use_cases]
    supply = {drug: courses for _, u in cases for t in u.therapies for drug, courses in t.courses}
    cut = {}
    for drug, courses in supply.items():
        blind = sum(u.asked(i.eligible) * t.fit * t.u0 for i, u in cases for t in u.therapies if drug in t.drugs)
        if some(blind - courses):
            cut[drug] = least(1.0, courses / blind)
    if not cut:
        return indications

    def less(t: TherapyOption) -> TherapyOption:
        return replace(t, u0=t.u0 * reduce(least, (cut[d] for d in t.drugs if d in cut), 1.0))

    return [
        replace(i, use_cases=tuple(replace(u, therapies=tuple(map(less, u.therapies))) for u in i.use_cases))
        for i in indications
    ]


def settings(evidence: Evidence, scenario: Scenario) -> list[Place]:
    """The places of a setting: a country, one region of it, or a hospital there (the formulation takes several).

    A hospital's place is its country's or region's, under the hospital's name.
    """
    s = scenario.setting
    if s.regions == "all":
        raise BadInput([Issue("setting.regions", "planning all regions together is not offered in this version",
                              "plan the country, or one region with `region`")])
    where = place(evidence, s.country, s.region)
    return [replace(where, name=placed(where.name, s.hospital))]


def _threshold(values: Values) -> Fact:
    """Value of a QALY, USD of the base year: the scenario's, or the country's opportunity cost."""
    chosen = values.scenario.value_of_qaly
    if chosen != "national":
        return values.note(Fact("value of a QALY", values.place.iso3, float(chosen), "scenario", values.place.name, "D",
                                ("scenario",), unit="USD per QALY", table="countries", shipped=_national(values)))
    usd = _national(values)
    if usd is None:
        raise BadInput([Issue(f"countries {values.place.iso3}", "no cost-effectiveness threshold is known",
                              "set `value_of_qaly` in the scenario, in US dollars")])
    return values.note(Fact(
        "value of a QALY", values.place.iso3, usd, "country", values.place.iso3,
        values.country["threshold_quality"], (values.country["threshold_source_id"],),
        unit="USD per QALY", table="countries",
    ))


def _national(values: Values) -> float | None:
    """The country's own opportunity cost of a QALY, USD of the base year; None where it is not known."""
    amount = values.country.get("threshold")
    if not present(amount):
        return None
    return to_base_usd(amount, "USD", int(values.country["threshold_year"]), values.evidence)


def _currency(values: Values, scenario: Scenario) -> tuple[str, float | None]:
    """Local currency beside dollars, and its latest rate (units per USD); None where unknown."""
    code = scenario.display.currency or values.country.get("currency")
    if not present(code):
        return "USD", 1.0
    rates = sorted((r["year"], r["per_usd"]) for r in values.evidence.records("exchange_rates", currency=code)
                   if r["year"] <= values.evidence.base_year)
    return code, rates[-1][1] if rates else None


def _indication(values: Values, scenario: Scenario, row: dict, threshold: float,
                laboratories: Laboratories | Tariffs) -> Indication:
    evidence, indication = values.evidence, row["indication_id"]
    row = dict(row)
    row["attrition_per_day"] = values.row_fact("indications", row, "attrition_per_day",
                                               "attrition", "per day", indication_id=indication).value
    patients = eligible(values, row)
    fit = values.share("eligibility", "share", "fit", pool=False, indication_id=indication, step="fit")
    sex = evidence.record("cancer_sites", cancer_site=row["cancer_site"])["sex"]
    remaining = remaining_life(values, row, sex)
    lacks = list(patients.missing) + ["share fit to start"] * (fit is None) \
        + ["remaining life expectancy"] * (remaining is None)
    workup = values.local_money("workup_costs", "work-up", "USD per patient", indication_id=indication)
    lacks += ["cost of a work-up"] * (workup is None)
    cases = [_use_case(values, scenario, row, patients, fit, remaining, lacks, u, threshold)
             for u in evidence.records("use_cases", indication_id=indication)]
    cases = asked_after(values, net_of_overlap(values, cases, indication), indication)
    services, unserved = _services(values, scenario, row, cases, laboratories)
    cases = [_served(u, services, unserved) for u in cases]
    place_code = values.place.region or values.place.iso3
    return Indication(place_code, indication, row["name"], row["cancer_site"], patients.incident,
                      patients.steps, patients.patients, workup.value if workup else 0.0, services,
                      tuple(sorted(cases, key=lambda u: u.id)))


def _use_case(values, scenario: Scenario, row, patients: Eligible, fit, remaining, lacks, use: dict,
              threshold: float) -> UseCase:
    evidence, indication, biomarker = values.evidence, use["indication_id"], use["biomarker_id"]
    key = f"{indication}/{biomarker}"
    rows = evidence.records("therapies", indication_id=indication, biomarker_id=biomarker)
    prevalence = values.share("prevalence", "share", "prevalence", indication_id=indication,
                              biomarker_id=biomarker)
    missing = list(lacks) + ["prevalence"] * (prevalence is None)
    therapies: list[TherapyOption] = []
    if not missing and rows:
        care = values.fixed("eligibility", "reaches_care", f"{indication}/reaches_care")
        builder = TherapyBuilder(values, scenario, row, 1.0 if care is None else care, remaining,
                                 utilities(values, indication), fit.value)
        therapies = builder.build(rows)
        if not therapies:
            missing += builder.missing
    elif not rows:
        missing.append("effect of a matched therapy")
    if use.get("gap") and not therapies:
        missing = [evidence.not_plannable(indication, biomarker)]
    kept, above = gate(therapies, scenario, threshold, values.decided(key))
    today = values.share("current_practice", "coverage", "tested today", pool=False,
                         indication_id=indication, biomarker_id=biomarker)
    today = today if today and today.level in ("country", "region", "scenario") else _not_used(values, today)
    return UseCase(
        values.place.region or values.place.iso3, indication, biomarker, use["name"],
        rows[0]["role"] if rows else "selects", prevalence.value if prevalence else 0.0,
        prevalence.value if prevalence else 0.0, scenario.coverage.maximum,
        today.value if today else None, min((t.level for t in therapies), default=use.get("level")),
        use.get("level_basis") or "", bool(kept), key in scenario.policy.exclude,
        key in scenario.policy.must_fund, "; ".join(missing) if not therapies else "",
        tuple(kept) if kept else tuple(replace(t, gated=False) for t in therapies),
        tuple(r["requires_biomarker_id"] for r in evidence.records(
            "prerequisites", indication_id=indication, biomarker_id=biomarker)), tuple(above),
    )


def _not_used(values: Values, borrowed: Fact | None) -> None:
    """Testing today of other countries is kept among the inputs as what it is: seen, and not used."""
    if borrowed:
        where = f"{borrowed.level.replace('_', ' ')} {borrowed.stratum}".replace("who", "WHO").replace("un ", "UN ")
        note = f"not used: borrowed from the {where}" if borrowed.level != "world" else "not used: borrowed from elsewhere"
        values.note(replace(borrowed, note="; ".join(filter(None, (note, borrowed.note)))))


def gate(therapies: list[TherapyOption], scenario: Scenario, threshold: float, decided: tuple[str, ...] | None = None):
    """(therapies that count, ids removed by the value gate).

    The evidence gate is in or out. The value gate removes a therapy whose cost against the next
    cheaper one of its line group exceeds the threshold per QALY gained; ``decided``: those removed, where
    that was decided before (draws keep the plan's decision).
    """
    level = scenario.evidence_gate.level
    kept = [t for t in therapies if t.level <= level and t.effects.pair("qalys") is not None]
    above = list(decided or ())
    if scenario.evidence_gate.value_gate and decided is None:
        for group in sorted({t.line_group for t in kept}):
            mine = sorted((t for t in kept if t.line_group == group), key=lambda t: (t.m, t.therapy))
            health = cost = 0.0
            for t in mine:
                gain = t.effects.carrier["qalys"] - health
                if gain <= 0 or (t.m - cost) > threshold * gain:
                    above.append(t.therapy)
                else:
                    health, cost = t.effects.carrier["qalys"], t.m
    if above:
        kept = [t for t in kept if t.therapy not in above]
    return cut_empirical(kept, {t.therapy for t in kept}), above


def net_of_overlap(values: Values, cases: list[UseCase], indication: str) -> list[UseCase]:
    """Prevalence net of carriers whom another biomarker decides first, as far as its drug is
    accessible: pi (1 - sum overlap x access)."""
    reach = {u.biomarker: max((t.alpha for t in u.therapies), default=0.0) for u in cases
             if u.gated and not u.excluded}
    out = []
    for u in cases:
        taken, overlaps = 0.0, []
        for r in values.evidence.records("overlap", indication_id=indication, biomarker_id=u.biomarker):
            share = values.row_fact("overlap", r, "overlap_share", "decided first by another biomarker",
                                    "share", indication_id=indication, biomarker_id=u.biomarker,
                                    first_biomarker_id=r["first_biomarker_id"])
            taken += share.value * reach.get(r["first_biomarker_id"], 0.0)
            overlaps.append((r["first_biomarker_id"], share.value))
        out.append(replace(u, prevalence_net=u.prevalence * most(0.0, 1 - taken), overlaps=tuple(overlaps)))
    return out


def asked_after(values: Values, cases: list[UseCase], indication: str) -> list[UseCase]:
    """The share of eligible patients whom the results of the prerequisites lead to the question.

    A biomarker of HER2-negative disease is asked in HER2-negative patients only: the others are neither
    tested for it nor falsely positive. Prerequisites are taken as independent of each other.
    """
    share = {u.biomarker: u.prevalence for u in cases}
    out = []
    for u in cases:
        asked = 1.0
        for r in values.evidence.records("prerequisites", indication_id=indication, biomarker_id=u.biomarker):
            first = share.get(r["requires_biomarker_id"], 0.0)
            asked *= {"positive": first, "negative": 1 - first, "any": 1.0}[r["proceeds_if"]]
        out.append(replace(u, subgroup=most(asked, u.prevalence_net)))
    return out


def _services(values: Values, scenario: Scenario, row: dict, cases: list[UseCase], laboratories: Laboratories | Tariffs):
    """Services that answer a use case of the indication, and what is missing for the others."""
    evidence, indication = values.evidence, row["indication_id"]
    ready: list[ServiceOption] = []
    lacking: dict[str, list[str]] = {}
    builder = ServiceBuilder(values, laboratories, row, {u.biomarker: u.asked_prevalence for u in cases})
    for service in evidence.records("services"):
        if service["indication_id"] not in (indication, "*") or service["service_id"] in scenario.services.exclude:
            continue
        options, missing = builder.build(service, evidence.records("pathways", service_id=service["service_id"]))
        ready += options
        for biomarker, what in missing.items():
            lacking.setdefault(biomarker, []).extend(what)
    return tuple(sorted(ready, key=lambda s: s.service)), lacking


def _served(u: UseCase, services, lacking) -> UseCase:
    if u.gap or any(s.result(u.biomarker) for s in services):
        return u
    missing = "; ".join(lacking.get(u.biomarker, [])) or "an assay with accuracy and cost"
    return replace(u, gap=missing)
