"""From incident cases to eligible patients: N = incidence x histology x stage x care, or a hospital's own cases."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.pathway.arrays import least, many, most, some
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
        return _by_rate(values, record)
    found = values.number("incidence", "cases", "new cases a year", "cases a year",
                          cancer_site=site, sex=record["sex"])
    if found is None or found.level not in ("region", "country", "scenario"):
        return None
    return _of_region(values, found) if place.region else found


def _of_region(values: Values, found: Fact) -> Fact | None:
    """A region's cases: its own count, else its population share of the country's. An own number is the region's."""
    place, site = values.place, dict(found.at)["cancer_site"]
    rows = values.evidence.index("incidence").rows(place, dict(found.at), "cases")
    region = values.evidence.record("regions", region=place.region)
    share = region.get("population_share")
    if found.level in ("scenario", "region") and rows and rows[0]["stratum_type"] == "country":
        shipped = found.shipped * share if present(found.shipped) and present(share) else None
        return values.note(replace(found, shipped=shipped))
    if found.level != "country":
        return found
    if not present(share):
        return None
    values.note(replace(found, column=""))  # the country's count is not the region's to change
    return values.note(Fact(
        "new cases a year", f"{site}/{place.region}", found.value * share,
        "country", found.stratum, max("B", found.quality), found.source_ids + (region["source_id"],),
        unit="cases a year", note="national count times the region's share of the population",
        table="incidence", column="cases", at=found.at, shipped=None if found.shipped is None else found.shipped * share,
    ))


def _by_rate(values: Values, site: dict) -> Fact | None:
    """Rate times population; parts of a site that is counted are together no more than it leaves for them."""
    rate, people = _rate(values, site["cancer_site"]), _population(values)
    if rate is None or people is None:
        return None
    parent, note, fits = site["parent_site"], "rate times population", 1.0
    if parent and rate.level != "scenario":  # the planner's own rate stands
        fits = _that_fits(values, parent, people)
    if not many(fits) and fits < 1:
        note += (f", scaled down to {fits:.0%} of it: with the subtypes counted as shares it would exceed the recorded "
                 f"cases of {parent.replace('_', ' ')}")
    return values.note(Fact(
        "new cases a year", site["cancer_site"], rate.value * people / 1e5 * fits, rate.level, rate.stratum,
        rate.quality, rate.source_ids, unit="cases a year", note=note, table="incidence",
    ))


def _rate(values: Values, site: str) -> Fact | None:
    return values.number("incidence_rates", "rate", "incidence rate", "a year among 100,000 people", cancer_site=site)


def _that_fits(values: Values, parent: str, people: float) -> float:
    """The share of the cases by rate for which the recorded cases of their common site leave room, 1 at most.

    What indications take of that site as a subtype is not left for them.
    """
    evidence, whole = values.evidence, incident_cases(values, parent)
    rates = [_rate(values, s["cancer_site"]) for s in evidence.records("cancer_sites", parent_site=parent, basis="rate")]
    by_rate = sum(r.value for r in rates if r) * people / 1e5
    if whole is None or not some(by_rate):
        return 1.0
    shares = [values.share("eligibility", "share", "subtype", pool=False, indication_id=i["indication_id"], step="subtype")
              for i in evidence.records("indications", cancer_site=parent) if "subtype" in i["eligibility_steps"].split(";")]
    left = most(0.0, 1 - sum(s.value for s in shares if s))
    return least(1.0, whole.value * left / by_rate)


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
    fact = values.note(Fact(
        "people a year in the hospital", name, cases, "scenario", values.place.name, "D", ("scenario",),
        unit="people a year", note="the hospital's own count; stands in for new cases, stage and care",
        table="cases"))
    return Eligible(fact.value, ())
