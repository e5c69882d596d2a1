"""A tiny valid data package, and a way to break it at one place."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from planner.evidence.base import data_folder, load_evidence
from planner.evidence.dictionary import load_dictionary

DICTIONARY = load_dictionary(data_folder())
S = {"source_id": "study_a", "quality": "B"}
WORLD = {"stratum_type": "world", "stratum": "world"}
COUNTRIES = (
    ("KEN", "Kenya", "AFR", "Africa", "Eastern Africa", "lower_middle", "KES", 0.4),
    ("UGA", "Uganda", "AFR", "Africa", "Eastern Africa", "low", "UGX", 0.35),
    ("NAM", "Namibia", "AFR", "Africa", "Southern Africa", "upper_middle", "NAD", 0.5),
    ("USA", "United States of America", "AMR", "Americas", "Northern America", "high", "USD", 1.0),
    ("DEU", "Germany", "EUR", "Europe", "Western Europe", "high", "EUR", 0.8),
)


def tiny() -> dict[str, list[dict]]:
    """Rows of a complete package: one use case (lung, EGFR) and one with a stated gap."""
    lung = {"indication_id": "lung_adv"}
    egfr = {**lung, "biomarker_id": "egfr"}
    money = {"currency": "USD", "year": 2020}
    return {
        "sources": [
            {"source_id": "study_a", "citation": "A Author. A study. Journal 2020;1:1.", "how_read": "fulltext"},
            {"source_id": "study_b", "citation": "B Author. B study. Journal 2021;2:2.", "how_read": "abstract"},
        ],
        "countries": [
            {"iso3": i, "name": n, "in_globocan": "true", "who_region": w, "un_region": r, "un_subregion": s,
             "income_group": g, "currency": c, "price_level": p, "population": 5e7, **S}
            for i, n, w, r, s, g, c, p in COUNTRIES
        ],
        "regions": [{"iso3": "USA", "region": "US-TX", "name": "Texas", "basis": "population_share",
                     "population_share": 0.09, **S}],
        "life_table": [{"iso3": "KEN", "sex": "both", "age": 60, "remaining_years": 16.5, **S}],
        "cancer_sites": [{"cancer_site": "lung", "name": "Lung", "basis": "counts", "sex": "both"}],
        "incidence": [{"stratum_type": "country", "stratum": "NAM", "cancer_site": "lung", "sex": "both",
                       "cases": 120, "year": 2022, **S}],
        "indications": [{**lung, "name": "Lung, advanced", "cancer_site": "lung", "decision": "first line",
                         "curable": "false", "eligibility_steps": "histology;stage", "usual_age": 62,
                         "attrition_per_day": 0.01, "tissue_slides": 10, **S}],
        "eligibility": [{**lung, "step": s, **WORLD, "share": 0.6, "low": 0.5, "high": 0.7, "n": 100, **S}
                        for s in ("histology", "stage", "fit")],
        "biomarkers": [
            {"biomarker_id": "egfr", "name": "EGFR", "short_name": "EGFR", "alteration": "mutation", "germline": "false"},
            {"biomarker_id": "met", "name": "MET", "short_name": "MET", "alteration": "mutation", "germline": "false"},
        ],
        "use_cases": [
            {**egfr, "name": "EGFR in lung cancer", "level": 1, "level_basis": "guideline"},
            {**lung, "biomarker_id": "met", "name": "MET", "gap": "no effect could be read"},
        ],
        "prevalence": [{**egfr, **WORLD, "share": 0.3, "low": 0.25, "high": 0.35, "n": 1000, "basis": "true", **S}],
        "assays": [{"assay_id": "egfr_pcr", "name": "EGFR PCR", "modality": "pcr", "sample": "tissue",
                    "laboratory_tier": "regional", "slides": 5, "turnaround_days": 7, "failure": 0.05,
                    "technician_minutes": 60, "pathologist_minutes": 10, **S}],
        "assay_performance": [{"assay_id": "egfr_pcr", "biomarker_id": "egfr", "indication_id": "*",
                               "sensitivity": 0.95, "specificity": 0.99, **S}],
        "assay_costs": [{"assay_id": "egfr_pcr", **WORLD, "cost": 150, **money, "basis": "full",
                         "perspective": "tariff", "traded_share": 0.6, **S}],
        "workup_costs": [{"indication_id": "*", **WORLD, "cost": 40, **money, "traded_share": 0.2, **S}],
        "services": [{"service_id": "egfr_single", "name": "EGFR PCR", "kind": "single", **lung}],
        "pathways": [{"service_id": "egfr_single", "step": 1, "assay_id": "egfr_pcr", "biomarker_id": "*", "on": "all",
                      "sample": "first"}],
        "drugs": [{"drug": "gefitinib", "name": "gefitinib", "drug_class": "EGFR inhibitor", "route": "oral", **S}],
        "comparators": [{"comparator_id": "platinum", "name": "Platinum", "active": "true", "cost_basis": "unknown"}],
        "therapies": [{"therapy_id": "lung_egfr_gefitinib", **egfr, "name": "Gefitinib", "role": "selects",
                       "line_group": "first_line", "sub_share": 1, "comparator_id": "platinum", "trial": "T",
                       "effect_kind": "published_gain", "qaly_gain": 0.3, "crossover_handling": "not_applicable",
                       "utility_state": "progression_free", "noncarrier_gain_ratio": -0.5,
                       "noncarrier_quality": "B", "noncarrier_basis": "worse in non-carriers",
                       "duration_months": 10, "duration_kind": "median", "level": 1, "level_basis": "guideline",
                       "escat_basis": "not_applicable", "who_eml": "true", "report_class": "standard_of_care", **S}],
        "therapy_drugs": [{"therapy_id": "lung_egfr_gefitinib", "drug": "gefitinib", "part": "added"}],
        "empirical_use": [{"therapy_id": "lung_egfr_gefitinib", **WORLD, "share": 0, "source_id": "study_a",
                           "quality": "D", "note": "a test is demanded"}],
        "dosing": [{"drug": "gefitinib", "indication_id": "*", "amount_per_month": 7500, "unit": "mg",
                    "wastage": 0, "administrations_per_month": 0, **S}],
        "administration_costs": [{"item": "oral_month", **WORLD, "cost": 20, **money, "traded_share": 0.1, **S}],
        "drug_access": [{"drug": "gefitinib", "indication_id": "*", "stratum_type": "income_group", "stratum": g,
                         "payer": "public", "share": 0.2, "status": "listed", "includes": "care", **S}
                        for g in ("low", "lower_middle", "upper_middle", "high")],
        "drug_prices": [{"drug": "gefitinib", **WORLD, "price": 0.01, "unit": "mg", **money,
                         "kind": "procurement", **S}],
        "utilities": [{**lung, "state": "progression_free", "utility": 0.7, **S}],
        "exchange_rates": [{"currency": "KES", "year": 2020, "per_usd": 106.5, **S}],
        "deflators": [{"year": 2020, "index": 258.811, **S}, {"year": 2024, "index": 313.689, **S}],
    }


def write(folder: Path, tables: dict[str, list[dict]], only: bool = False) -> Path:
    """Write CSV files; ``only``: no others and no descriptor (an overlay)."""
    folder.mkdir(parents=True, exist_ok=True)
    if not only:
        shutil.copy(data_folder() / "datapackage.json", folder)
    for name, table in DICTIONARY.tables.items():
        if only and name not in tables:
            continue
        with (folder / table.path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, table.columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(tables.get(name, []))
    return folder


@pytest.fixture
def tables() -> dict[str, list[dict]]:
    return tiny()


@pytest.fixture
def save(tmp_path):
    """Write tables to a fresh folder of the given name."""
    return lambda tables, name="package", only=False: write(tmp_path / name, tables, only)


@pytest.fixture
def load(save):
    """Evidence from tables."""
    return lambda tables: load_evidence(save(tables))


@pytest.fixture
def evidence(load, tables):
    return load(tables)
