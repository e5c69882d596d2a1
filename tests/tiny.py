"""A tiny planning problem whose every number is chosen by hand (see docs/validation.md)."""

from __future__ import annotations

from dataclasses import replace

from planner.pathway.problem import (
    AssayUse,
    Effects,
    Indication,
    Problem,
    ServiceOption,
    ServiceResult,
    TherapyOption,
    UseCase,
)
from planner.scenario.model import Scenario


def therapy(name="drug_a", **changes) -> TherapyOption:
    """A therapy worth 1 QALY per carrier and nothing else, 10,000 USD a course."""
    h = changes.pop("h", 1.0)
    hneg = changes.pop("hneg", 0.0)
    measures, other = (
        {"qalys": q, "life_years": q * 1.25, "deaths_averted": q / 10, "dalys_averted": q * 1.5,
         "patients_treated": treated} for q, treated in ((h, 1.0), (hneg, 0.0))
    )
    base = TherapyOption(
        therapy=name, name=name, line_group="first_line", drugs=(name,), alpha=0.5,
        payers=(("public", 0.3), ("household", 0.2)), amax=0.8, sub=1.0, u0=0.0, fit=0.9,
        effects=Effects(measures, other, "published_gain", "by hand"), pay=(10_000.0,), m=10_000.0,
        m_kind="incremental", course_cost=10_000.0, comparator="none", level=1, gated=True,
        report_class="standard_of_care",
    )
    return replace(base, **changes)


def service(name, biomarkers, cost=100.0, kind="single", eta=0.9, se=0.95, sp=0.98) -> ServiceOption:
    results = tuple(ServiceResult(b, eta, se, sp, 7.0, 0.95) for b in biomarkers)
    return ServiceOption(name, name, kind, cost, 30.0, 10.0, results,
                         (AssayUse(name, 1.0, cost, 30.0, 10.0),))


def use_case(indication, biomarker, therapies, **changes) -> UseCase:
    base = UseCase(
        region="XXX", indication=indication, biomarker=biomarker, name=f"{biomarker} in {indication}",
        role="selects", prevalence=0.2, prevalence_net=0.2, kap=0.9, kap0=None, level=1, level_basis="",
        gated=True, excluded=False, must_fund=False, gap="", therapies=tuple(therapies), requires=(),
    )
    return replace(base, **changes)


def indication(name, use_cases, services, eligible=1000.0, workup=0.0) -> Indication:
    return Indication("XXX", name, name, "site", eligible * 2, (("stage", 0.5),), eligible, workup,
                      tuple(services), tuple(use_cases))


def tiny_problem(years=1, threshold=20_000.0) -> Problem:
    """Two indications, four use cases, singles and one panel."""
    lung = indication("lung", [
        use_case("lung", "egfr", [therapy("drug_a"), therapy("drug_b", h=1.5, alpha=0.2, m=50_000.0,
                                                               pay=(30_000.0, 20_000.0))]),
        use_case("lung", "alk", [therapy("drug_c", h=2.0)], prevalence=0.05, prevalence_net=0.05),
    ], [service("egfr_pcr", ["egfr"]), service("alk_ihc", ["alk"], 40.0),
        service("panel", ["egfr", "alk"], 300.0, "base", 0.95, 0.98, 0.99)], workup=20.0)
    breast = indication("breast", [
        use_case("breast", "er", [therapy("drug_d", h=0.8, u0=0.3, m=500.0, pay=(500.0,))],
                 prevalence=0.6, prevalence_net=0.6),
        use_case("breast", "her2", [therapy("drug_e", h=1.2, alpha=0.1, m=20_000.0)], requires=("er",)),
    ], [service("er_ihc", ["er"], 30.0), service("her2_ihc", ["her2"], 35.0)], eligible=3000.0)
    return Problem((("XXX", "Tinyland"),), years, 0.03, threshold, "by_hand", "D", (breast, lung),
                   base_year=2024)


def under(problem: Problem, scenario: Scenario) -> Problem:
    """The policy of a scenario, written into a problem as the builder does."""
    return replace(problem, indications=tuple(
        replace(i, use_cases=tuple(
            replace(u, must_fund=u.id in scenario.policy.must_fund, excluded=u.id in scenario.policy.exclude)
            for u in i.use_cases)) for i in problem.indications))


def tiny_scenario(**changes) -> Scenario:
    base = {"name": "tiny", "setting": {"country": "XXX"}}
    return Scenario.model_validate(base | changes)
