"""From incident cases to eligible patients: N = incidence x histology x stage x care, or a hospital's own cases."""

from __future__ import annotations

from dataclasses import dataclass

from planner.pathway.problem import Fact
from planner.pathway.resolve_values import Values, present


@dataclass(frozen=True)
class Eligible:
    """Incident cases a year and the shares that lead to eligible patients, or what is missing."""

    incident: float
    steps: tuple[tuple[str, float], ...]
    missing: tuple[str, ...] = ()

    @property
    def patients(self) -> float:
        n = self.incident
        for _, share in self.steps:
            n = n * share  # not in place: it may be an array that others hold
        return n


def incident_cases(values: Values, site: str) -> Fact | None:
    """New cases a year of a cancer site in this place.

    Counts for the place itself; a region without counts of its own takes its population share of
    the national count; sites without counts take a rate per 100,000 people.
    """
    place, evidence = values.place, values.evidence
    record = evidence.record("cancer_sites", cancer_site=site)
    if record["basis"] == "rate":
        rate = values.share("incidence_rates", "rate", "incidence rate", pool=False, cancer_site=site)
        people = _population(values)
        if rate is None or people is None:
            return None
        return values.note("incidence", Fact(
            "new cases a year", site, rate.value * people / 1e5, rate.level, rate.stratum,
            rate.quality, rate.source_ids, unit="cases a year", note="rate times population",
        ))
    found = values.number("incidence", "cases", "new cases a year", "cases a year",
                          cancer_site=site, sex=record["sex"])
    if found is None or found.level not in ("region", "country", "scenario"):
        return None
    if place.region and found.level == "country":
        region = evidence.record("regions", region=place.region)
        if not present(region.get("population_share")):
            return None
        return values.note("incidence", Fact(
            "new cases a year", f"{site}/{place.region}", found.value * region["population_share"],
            "country", found.stratum, max("B", found.quality), found.source_ids + (region["source_id"],),
            unit="cases a year", note="national count times the region's share of the population",
        ))
    return found


def _population(values: Values) -> float | None:
    if values.place.region:
        people = values.evidence.record("regions", region=values.place.region).get("population")
    else:
        people = values.country.get("population")
    return people if present(people) else None


def eligible(values: Values, indication: dict) -> Eligible:
    """Eligible patients of one indication; ``stage`` and ``relapse`` combine as
    stage + (1 - stage) x relapse.

    A hospital states its own: people a year at this decision in its care, none where it states none.
    """
    if values.scenario.setting.hospital:
        return _in_hospital(values, indication)
    cases = incident_cases(values, indication["cancer_site"])
    if cases is None:
        return Eligible(0.0, (), (f"new cases of {indication['cancer_site']}",))
    shares, missing = {}, []
    for step in indication["eligibility_steps"].split(";"):
        fact = values.share("eligibility", "share", step, pool=False, indication_id=indication["indication_id"],
                            step=step)
        if fact is None:
            missing.append(f"share for the step {step}")
        else:
            shares[step] = fact.value
    if "relapse" in shares:
        stage = shares.pop("stage", 0.0)
        relapse = shares.pop("relapse")
        shares["stage_or_relapse"] = stage + (1 - stage) * relapse
    order = ("subtype", "histology", "stage", "stage_or_relapse", "further", "reaches_care")
    return Eligible(cases.value, tuple((s, shares[s]) for s in order if s in shares), tuple(missing))


def _in_hospital(values: Values, indication: dict) -> Eligible:
    name, steps = indication["indication_id"], indication["eligibility_steps"].split(";")
    if "reaches_care" in steps:
        # everybody counted here has reached care, but shares of access that speak of all patients are told apart by it
        values.share("eligibility", "share", "reaches_care", pool=False, indication_id=name, step="reaches_care")
    cases = values.scenario.cases.get(name)
    if cases is None:
        return Eligible(0.0, ())
    fact = values.note("cases", Fact(
        "people a year in the hospital", name, cases, "scenario", values.place.name, "D", ("scenario",),
        unit="people a year", note="the hospital's own count; stands in for new cases, stage and care"))
    return Eligible(fact.value, ())
