"""Names and own numbers of a scenario: every fault told, every accepted override has an effect."""

from __future__ import annotations

import pytest

import planner
from planner.errors import BadInput
from planner.pathway.build import build_problem
from planner.pathway.named import OVERRIDABLE, PARTS
from planner.scenario.model import Scenario


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def scenario(**more):
    return Scenario.model_validate({"name": "x", "setting": {"country": "KEN"}} | more)


def override(table, key, column, value, by_parts=False, **more):
    own = {"table": table, "key": key, "column": column, "value": value, "why": "a test", **more}
    return scenario(override=[own], **({"laboratory": MICRO} if by_parts else {}))


MICRO = {"costing": "micro"}
HER2 = {"indication_id": "breast_early", "biomarker_id": "her2"}


@pytest.mark.parametrize("bad, words", [
    (override("prevalence", HER2, "share", 1.5), "1.5 is impossible"),
    (override("prevalence", HER2, "share", -0.5), "-0.5 is impossible"),
    (override("prevalence", HER2, "share", 0.2, low=0.3, high=0.4), "not in order"),
    (override("assay_costs", {"assay_id": "her2_ihc"}, "cost", -60), "impossible"),
    (override("therapies", {"therapy_id": "breast_early_er_pr_tamoxifen"}, "death_rr", 0), "impossible"),
    (override("therapies", {"therapy_id": "breast_early_er_pr_tamoxifen"}, "effect_kind", 5), "cannot be set"),
    (override("countries", {"iso3": "KEN"}, "price_level", 0.4), "no number of this table"),
    (override("prevalence", {"indication_id": "breast_early"}, "share", 0.2), "the key is indication_id"),
    (override("prevalence", HER2, "sharre", 0.2), "cannot be set"),
    (override("assay_costs", {"assay_id": "her2_ihk"}, "cost", 60), "no row"),
    (override("prevalence", HER2, "share", 0.2, currency="USD"), "makes no sense"),
    (override("workup_costs", {"indication_id": "breast"}, "cost", 5), "no row"),
    (override("tissue", {"indication_id": "breast_early", "slides": "three"}, "share_with_at_least", 0.5), "no row"),
    (override("platforms", {"platform_id": "ihc_bench"}, "capital_cost", 9_000), "no effect"),
    (override("drug_access", {"drug": "imatinib", "payer": "trial"}, "share", 0.5), "never counted as access"),
    (scenario(display={"currency": "ZZZ"}), "unknown currency"),
    (scenario(setting={"country": "KEN", "regions": "all"}), "not offered"),
])
def test_impossible_requests_are_told(evidence, bad, words):
    with pytest.raises(BadInput) as error:
        build_problem(evidence, bad)
    assert words in str(error.value)


def examples(evidence):
    """One override of every column that may be set, with a value that is not today's."""
    wanted = {
        "incidence": {"cancer_site": "breast"}, "incidence_rates": {"cancer_site": "gist"},
        "indications": {"indication_id": "breast_early"},
        "eligibility": {"indication_id": "breast_early", "step": "stage"}, "prevalence": HER2,
        "overlap": None, "assays": {"assay_id": "her2_ihc"},
        "assay_performance": None, "assay_costs": {"assay_id": "her2_ihc"},
        "workup_costs": {"indication_id": "breast_early"}, "administration_costs": {"item": "infusion"},
        "dosing": None, "drug_prices": {"drug": "trastuzumab"},
        "drug_access": {"drug": "trastuzumab", "payer": "public"},
        "empirical_use": {"therapy_id": "breast_early_er_pr_tamoxifen"}, "utilities": None,
        "current_practice": HER2, "therapies": {"therapy_id": "breast_early_her2_trastuzumab"},
        "tissue": {"indication_id": "nsclc_nonsq_advanced", "slides": "10"},
        "rebiopsy": {"indication_id": "nsclc_nonsq_advanced"}, "platforms": {"platform_id": "ihc_bench"},
        "assay_variable_costs": {"assay_id": "her2_ihc"}, "laboratories": {"laboratory": "hub"},
        "staff_costs": {"cadre": "technician"}, "quality_assurance": {"scope": "laboratory", "modality": "*"},
    }
    for table, (key, columns) in OVERRIDABLE.items():
        chosen = wanted[table]
        if chosen is None or (table != "tissue" and not evidence.matches(table, **chosen)):
            row = next(r for r in evidence.records(table) if r.get("indication_id") in ("breast_early", "*", None)
                       or table == "overlap")
            chosen = {name: row[name] for name in key}
        for column in columns:
            if table != "therapies" or column in ("death_rr", "sub_share", "duration_months", "noncarrier_gain_ratio"):
                yield table, chosen, column


def test_every_number_that_may_be_set_has_an_effect(evidence):
    bases = {False: build_problem(evidence, scenario()), True: build_problem(evidence, scenario(laboratory=MICRO))}
    for table, key, column in examples(evidence):
        by_parts = table in PARTS
        value = 3.0 if column in ("life_years", "runs_per_year") else 0.123
        changed = build_problem(evidence, override(table, key, column, value, by_parts))
        moved = (changed.indications, changed.laboratory) != (bases[by_parts].indications, bases[by_parts].laboratory)
        assert moved, (table, key, column)


def test_a_drug_price_of_ones_own_keeps_the_drug(evidence):
    def trastuzumab(problem):
        case = next(u for u in problem.use_cases if u.id == "breast_early/her2")
        return next(t for t in case.therapies if "trastuzumab" in t.drugs)

    base = trastuzumab(build_problem(evidence, scenario()))
    cheap = trastuzumab(build_problem(evidence, override("drug_prices", {"drug": "trastuzumab"}, "price", 0.01)))
    assert 0 < cheap.course_cost < base.course_cost and cheap.effects == base.effects
