"""The planning problem: every number the optimiser needs, resolved for one setting.

A frozen value between evidence and formulation. Money is US dollars of the evidence's base year,
health per treated patient is discounted at the scenario's rate, shares are 0 to 1, patients are
people a year. The problem can be looked at by itself: :meth:`Problem.frames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from planner.pathway.arrays import least, some
from planner.pathway.costing import room

MEASURES = ("qalys", "life_years", "deaths_averted", "dalys_averted", "patients_treated")


@dataclass(frozen=True)
class Fact:
    """A resolved number with where it comes from.

    ``level`` is the stratum type the value was borrowed from, ``parameter`` the reader's word. ``table``, ``column`` and
    ``at`` (the key it was asked by) say where it stands in the evidence; without a column it was computed from others.
    ``shipped``: the number in whose place the scenario's or the setting's own one stands.
    """

    parameter: str
    key: str
    value: float
    level: str
    stratum: str
    quality: str
    source_ids: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    unit: str = ""
    note: str = ""
    table: str = ""
    column: str = ""
    at: tuple[tuple[str, str], ...] = ()
    shipped: float | None = None


@dataclass(frozen=True)
class Effects:
    """Health gained per treated carrier and non-carrier, by measure; ``None`` where unknown."""

    carrier: Mapping[str, float | None]
    noncarrier: Mapping[str, float | None]
    kind: str
    derivation: str
    qaly_low: float | None = None
    qaly_high: float | None = None

    def pair(self, measure: str) -> tuple[float, float] | None:
        """(h, hneg) for a measure, or None where either is unknown."""
        h, hneg = self.carrier.get(measure), self.noncarrier.get(measure)
        return None if h is None or hneg is None else (h, hneg)


@dataclass(frozen=True)
class TherapyOption:
    """A matched therapy of a use case in this setting.

    alpha: share of those in need who can get it today, summed over exclusive ``payers``;
    amax: ceiling of that share if access is bought; reach: (drug, share, ceiling) of its parts, whose
    smallest counts; sub: share of positives in the trial's
    population; u0: share of fit untested patients who are given it anyway; fit: share of patients
    with access who start; pay: undiscounted gross cash by year after the start (USD);
    m: discounted incremental cost against the comparator (USD), an upper bound where
    ``m_kind`` is ``gross_drug``; gross: discounted cost of the course itself (USD).
    """

    therapy: str
    name: str
    line_group: str
    drugs: tuple[str, ...]
    alpha: float
    payers: tuple[tuple[str, float], ...]
    amax: float
    sub: float
    u0: float
    fit: float
    effects: Effects
    pay: tuple[float, ...]
    m: float
    m_kind: str
    course_cost: float
    comparator: str
    level: int
    gated: bool
    report_class: str
    escat: str = ""
    escat_basis: str = ""
    mcbs: str = ""
    who_eml: bool = False
    level_basis: str = ""
    courses: tuple[tuple[str, float], ...] = ()
    gross: float = 0.0
    blind: float = 0.0  # u0 before it is cut to what can be reached
    fitness: float = 1.0  # share of the indication's patients who are fit to start
    unfit_within: tuple[str, ...] = ()  # drugs whose share already holds unfitness: fit is 1 because of them
    reach: tuple[tuple[str, float, float], ...] = ()

    @property
    def payer_shares(self) -> tuple[tuple[str, float], ...]:
        """Share of the accessible patients that each payer carries (sums to 1)."""
        total = sum(share for _, share in self.payers)
        return tuple((z, share / total) for z, share in self.payers) if total > 0 else ()

    def paid_by(self, payers: tuple[str, ...]) -> float:
        """Share of this drug's spending that falls on the named payers."""
        return sum(share for z, share in self.payer_shares if z in payers)


@dataclass(frozen=True)
class ServiceResult:
    """What a service says about one biomarker (laboratory wording).

    eta: share of patients with a usable result in time. se, sp: by the results in time of all, so that
    eta x prevalence x se are exactly the carriers called positive, although in a pathway carriers and others do not
    get their results alike often; sensitivity, specificity: by the results in time of carriers, of the others.
    """

    biomarker: str
    eta: float
    se: float
    sp: float
    turnaround_days: float
    usable: float = 1.0  # share with a result at all; eta <= usable
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True)
class AssayUse:
    """Expected runs, cost (USD) and minutes of one assay per patient of a service.

    place: the laboratory, empty where a tariff stands for whoever does it; home: our own, whose instruments and
    people the plan provides; runs_a_year: the schedule that a sample waits for, 0 where it does not wait.
    """

    assay: str
    runs: float
    cost: float
    technician_minutes: float
    pathologist_minutes: float
    scientist_minutes: float = 0.0
    board_minutes: float = 0.0
    place: str = ""
    home: bool = False
    runs_a_year: float = 0.0
    days: float = 0.0  # to its result: the road, the mean wait for a run, the test


@dataclass(frozen=True)
class ServiceOption:
    """A testing service offered for an indication; cost per patient worked up with it, USD."""

    service: str
    name: str
    kind: str
    cost: float
    technician_minutes: float
    pathologist_minutes: float
    results: tuple[ServiceResult, ...]
    assays: tuple[AssayUse, ...]
    scientist_minutes: float = 0.0
    board_minutes: float = 0.0
    slides: float = 0.0  # of the first sample's tissue
    biopsies: float = 0.0  # repeated, per patient
    biopsy_cost: float = 0.0  # USD per patient, within ``cost``
    pathway: str = ""  # the service whatever the laboratory; empty where it is the same
    place: str = ""

    @property
    def family(self) -> str:
        """Services that differ only in where and how often they are run have the same family."""
        return self.pathway or self.service

    def result(self, biomarker: str) -> ServiceResult | None:
        return next((r for r in self.results if r.biomarker == biomarker), None)


@dataclass(frozen=True)
class UseCase:
    """One biomarker in one indication of one region."""

    region: str
    indication: str
    biomarker: str
    name: str
    role: str
    prevalence: float
    prevalence_net: float
    kap: float
    kap0: float | None
    level: int | None
    level_basis: str
    gated: bool
    excluded: bool
    must_fund: bool
    gap: str
    therapies: tuple[TherapyOption, ...]
    requires: tuple[str, ...]
    value_gated: tuple[str, ...] = ()
    overlaps: tuple[tuple[str, float], ...] = ()  # (biomarker that decides first, share of carriers it takes)
    subgroup: float = 1.0  # share of eligible patients whom the prerequisites' results lead to the question

    @property
    def id(self) -> str:
        return f"{self.indication}/{self.biomarker}"

    @property
    def drug_prevalence(self) -> float:
        """Share of the asked patients (``subgroup``) on whose result the drug is given.

        With role ``spares`` the laboratory's own positive withholds the drug.
        """
        return 1 - self.asked_prevalence if self.role == "spares" else self.asked_prevalence

    @property
    def asked_prevalence(self) -> float:
        """Prevalence among the patients whom the prerequisites' results lead to the question."""
        return least(1.0, self.prevalence_net / self.subgroup) if some(self.subgroup) else 0.0

    def asked(self, eligible: float) -> float:
        """Patients a year for whom the biomarker is a question."""
        return eligible * self.subgroup

    def accuracy(self, result: ServiceResult) -> tuple[float, float]:
        """(Se, Sp) for the result on which the drug is given."""
        return (result.sp, result.se) if self.role == "spares" else (result.se, result.sp)

    def called(self, result: ServiceResult) -> tuple[float, float]:
        """Shares of asked patients called: (true carrier, false carrier) of the drug result."""
        pi, (se, sp) = self.drug_prevalence, self.accuracy(result)
        return pi * se, (1 - pi) * (1 - sp)

    @property
    def active(self) -> bool:
        """Whether the optimiser may fund it."""
        return not self.gap and not self.excluded and self.gated and bool(self.therapies)


@dataclass(frozen=True)
class Indication:
    """An indication in one region: people a year and the steps that lead to them."""

    region: str
    indication: str
    name: str
    cancer_site: str
    incident: float
    steps: tuple[tuple[str, float], ...]
    eligible: float
    workup_cost: float
    services: tuple[ServiceOption, ...]
    use_cases: tuple[UseCase, ...]


@dataclass(frozen=True)
class Platform:
    """An instrument of the home laboratory. yearly_cost: annuity of price and setting up, with its service contract,
    USD a year for each that is bought; service: contract alone, which those that stand there cost anyway; positions: places
    of a run for samples and controls."""

    platform: str
    name: str
    yearly_cost: float
    service: float
    runs_per_year: float
    shared_run: bool
    existing: int = 0
    capital: float = 0.0
    positions: float = 0.0

    def used(self, samples, runs, full: float):
        """Runs that samples of one test use, ``full`` of which fill a run, done in so many runs with controls of their own:
        whole runs, or the places of samples and controls in runs that different tests share."""
        if not self.shared_run:
            return runs
        each, controls = room(self.positions, full)
        return samples * each + runs * controls


@dataclass(frozen=True)
class HomeAssay:
    """A test that the home laboratory can run: USD per sample (reagents; labour) and per run, the platforms with
    the patients' samples of a full run, yearly fee of quality assessment, schedules (runs a year) on offer, the
    samples a year that it could come to at most, those without which a run does not start, and the lowest level of
    laboratory that can run it (a lower one may where the scenario states that its instrument stands there)."""

    assay: str
    name: str
    per_sample: float
    per_run: float
    labour: float
    platforms: tuple[tuple[str, float], ...]
    quality_fee: float
    schedules: tuple[float, ...]
    most: float
    least_in_run: float = 1.0
    tier: str = ""


@dataclass(frozen=True)
class HomeLaboratory:
    """The laboratory whose instruments and people the plan provides (only where tests are costed by their parts)."""

    place: str
    name: str
    tier: str
    platforms: tuple[Platform, ...]
    assays: tuple[HomeAssay, ...]
    quality_fee: float
    minimum_volume: float
    refused: tuple[tuple[str, str], ...] = ()
    transport: float = 0.0  # of a sample to it, USD

    def assay(self, name: str) -> HomeAssay | None:
        return next((a for a in self.assays if a.assay == name), None)


@dataclass(frozen=True)
class Problem:
    """Everything the formulation reads. ``indications`` are sorted by region and id."""

    places: tuple[tuple[str, str], ...]  # (code, name)
    years: int
    discount_rate: float
    threshold: float
    threshold_source: str
    threshold_quality: str
    indications: tuple[Indication, ...]
    facts: tuple[Fact, ...] = ()
    base_year: int = 0
    currency: str = "USD"
    per_usd: float | None = None
    notes: tuple[str, ...] = field(default=())
    laboratory: HomeLaboratory | None = None

    @property
    def use_cases(self) -> tuple[UseCase, ...]:
        return tuple(u for i in self.indications for u in i.use_cases)

    def frames(self) -> dict[str, pd.DataFrame]:
        """Tidy frames of the problem: indications, use_cases, therapies, services, facts."""
        ind, use, the, ser = [], [], [], []
        for i in self.indications:
            ind.append(_flat(i, skip=("services", "use_cases", "steps")) | dict(i.steps))
            for u in i.use_cases:
                use.append(_flat(u, skip=("therapies",)))
                the += [{"region": u.region, "use_case": u.id} | _therapy(t) for t in u.therapies]
            for s in i.services:
                base = _flat(s, skip=("results", "assays"))
                ser += [{"region": i.region, "indication": i.indication} | base | _flat(r)
                        for r in s.results]
        return {
            "indications": pd.DataFrame(ind), "use_cases": pd.DataFrame(use),
            "therapies": pd.DataFrame(the), "services": pd.DataFrame(ser),
            "facts": pd.DataFrame([_flat(f, skip=("at",)) for f in self.facts]),
        }


def _flat(record, skip: tuple[str, ...] = ()) -> dict:
    return {
        name: ";".join(map(str, value)) if isinstance(value, tuple) else value
        for name in record.__dataclass_fields__
        if name not in skip
        for value in [getattr(record, name)]
    }


def _therapy(t: TherapyOption) -> dict:
    row = _flat(t, skip=("effects",))
    for measure in MEASURES:
        row[f"{measure}_carrier"] = t.effects.carrier.get(measure)
        row[f"{measure}_noncarrier"] = t.effects.noncarrier.get(measure)
    return row | {"effect_kind": t.effects.kind, "derivation": t.effects.derivation}
