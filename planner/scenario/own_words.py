"""Numbers of the evidence in words: what each is of, and how its amount is said. For changes that a scenario makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Namer = Callable[[str, str], str]
EFFECTS = {
    "qaly_gain": "published gain in QALYs", "ly_gain": "published gain in life-years",
    "os_median_exp": "median survival with it", "os_median_ctl": "median survival of the control",
    "os_hr": "hazard ratio for death", "landmark_years": "time of the landmark", "landmark_exp": "share alive at the landmark",
    "landmark_ctl": "share of the control alive at the landmark", "death_rr": "ratio of cancer deaths",
    "pfs_median_exp": "median without progression", "pfs_median_ctl": "median without progression of the control",
    "pfs_hr": "hazard ratio for progression", "noncarrier_gain_ratio": "gain without the marker, as a part of that with it",
    "sub_share": "share of the positives for whom it is an option", "duration_months": "months on treatment",
    "duration_max_months": "most months on treatment",
}
STEPS = {
    "subtype": "share of the subtype", "histology": "share of the histology", "stage": "share in the stage at diagnosis",
    "relapse": "share who relapse later", "further": "share who come to this decision", "reaches_care": "share who reach care",
    "fit": "share fit to start",
}
STATES = {
    "progression_free": "progression-free", "progressed": "after progression", "mean_advanced": "mean of advanced disease",
    "disease_free": "free of disease",
}
ITEMS = {
    "infusion": "cost of an infusion", "echocardiogram": "cost of an echocardiogram",
    "oral_month": "monitoring a month on tablets", "infusion_month": "monitoring a month on infusions",
    "endocrine_month": "monitoring a month on endocrine tablets",
}
PAYERS = {"public": "the public budget", "insurer": "insurers", "donor": "donors", "household": "households",
          "trial": "trials"}
LABORATORIES = {"own": "the own laboratory", "hub": "the national laboratory", "send_out": "the laboratory abroad"}
# (table, column) -> (words, unit): {part} is a part of the key, named; "share" is said in percent, "USD ..." is money
NUMBERS: dict[tuple[str, str], tuple[str, str]] = {
    ("incidence", "cases"): ("new cases a year of {cancer_site}", ""),
    ("incidence_rates", "rate"): ("incidence rate of {cancer_site}", "a year among 100,000 people"),
    ("indications", "attrition_per_day"): ("start of treatment without the result, {indication_id}", "per day"),
    ("eligibility", "share"): ("{step}, {indication_id}", "share"),
    ("prevalence", "share"): ("prevalence of {biomarker_id}, {indication_id}", "share"),
    ("overlap", "overlap_share"): ("share of {biomarker_id} that {first_biomarker_id} decides first, {indication_id}", "share"),
    ("assays", "failure"): ("samples without a result in {assay_id}", "share"),
    ("assays", "turnaround_days"): ("time to the result of {assay_id}", "days"),
    ("assay_performance", "sensitivity"): ("sensitivity of {assay_id} for {biomarker_id}, {indication_id}", "share"),
    ("assay_performance", "specificity"): ("specificity of {assay_id} for {biomarker_id}, {indication_id}", "share"),
    ("assay_costs", "cost"): ("cost of the test {assay_id}", "USD"),
    ("workup_costs", "cost"): ("cost of a work-up, {indication_id}", "USD"),
    ("administration_costs", "cost"): ("{item}", "USD"),
    ("dosing", "amount_per_month"): ("dose a month of {drug}, {indication_id}", ""),
    ("drug_prices", "price"): ("price of {drug}", "USD"),
    ("drug_access", "share"): ("share who get {drug} through {payer}", "share"),
    ("empirical_use", "share"): ("use without the test of {therapy_id}", "share"),
    ("utilities", "utility"): ("weight of a year {state}, {indication_id}", ""),
    ("current_practice", "coverage"): ("tested today for {biomarker_id}, {indication_id}", "share"),
    ("tissue", "share_with_at_least"): ("samples with {slides} or more slides, {indication_id}", "share"),
    ("rebiopsy", "feasible"): ("second biopsy feasible, {indication_id}", "share"),
    ("rebiopsy", "successful"): ("second biopsy successful, {indication_id}", "share"),
    ("rebiopsy", "days"): ("time to a second biopsy, {indication_id}", "days"),
    ("rebiopsy", "cost"): ("cost of a second biopsy, {indication_id}", "USD"),
    ("platforms", "capital_cost"): ("price of the instrument {platform_id}", "USD"),
    ("platforms", "setup_cost"): ("setting up of the instrument {platform_id}", "USD"),
    ("platforms", "life_years"): ("life of the instrument {platform_id}", "years"),
    ("platforms", "service_share"): ("yearly service contract of the instrument {platform_id}, as a part of its price", ""),
    ("platforms", "runs_per_year"): ("runs a year that the instrument {platform_id} can do", ""),
    ("assay_variable_costs", "reagent_per_sample"): ("reagents of a sample in {assay_id}", "USD"),
    ("assay_variable_costs", "reagent_per_run"): ("reagents of a run of {assay_id}", "USD"),
    ("laboratories", "transport_cost"): ("transport of a sample to {laboratory}", "USD"),
    ("laboratories", "transport_days"): ("time on the road to {laboratory}", "days"),
    ("staff_costs", "cost_per_minute"): ("pay of a minute of a {cadre}", "USD"),
    ("quality_assurance", "cost_per_year"): ("yearly fee of external quality assessment, {scope} {modality}", "USD"),
} | {("therapies", column): (f"{{therapy_id}}, {words}", "") for column, words in EFFECTS.items()}
SHARES = ("sub_share", "landmark_exp", "landmark_ctl")
SAID = {"step": STEPS, "state": STATES, "item": ITEMS, "payer": PAYERS, "laboratory": LABORATORIES}
KINDS = {"assay_id": "assay", "platform_id": "platform", "indication_id": "indication", "biomarker_id": "biomarker",
         "first_biomarker_id": "biomarker", "therapy_id": "therapy", "cancer_site": "site", "drug": "drug"}


def effect_unit(column: str) -> str:
    """The unit of a number that a treatment's effect rests on."""
    if column in SHARES:
        return "share"
    return "months" if "median" in column or "months" in column else "years" if column.endswith("years") else ""


def of(table: str, column: str, key: Mapping[str, str], name: Namer) -> str:
    """What a number is of, such as "Prevalence of HER2, Breast cancer"; no id of a table or column where it is known."""
    words = NUMBERS.get((table, column), ("", ""))[0]
    if not words:
        of_what = ", ".join(name(KINDS.get(k, "id"), v) for k, v in sorted(key.items()))
        return f"{table.replace('_', ' ')}, {of_what}, {column.replace('_', ' ')}"
    for part, value in key.items():
        if value == "*":  # for all: nothing to name
            words = words.replace(f", {{{part}}}", "").replace(f" {{{part}}}", "")
        words = words.replace(f"{{{part}}}", _named(part, value, name))
    return words[:1].upper() + words[1:]


def _named(part: str, value: str, name: Namer) -> str:
    if part in SAID:
        return SAID[part].get(value, value.replace("_", " "))
    return name(KINDS[part], value) if part in KINDS else value.replace("_", " ")


def unit_of(table: str, column: str) -> str:
    """share, USD, another unit, or nothing."""
    return effect_unit(column) if table == "therapies" else NUMBERS.get((table, column), ("", ""))[1]


def amount(value: float, table: str, column: str, currency: str | None = None, year: int | None = None, of_drug: str = "",
           ) -> str:
    """A number as it was stated, with its unit: shares in percent, money in its currency and the year of its prices."""
    unit = unit_of(table, column)
    if unit == "share":
        return f"{value * 100:,.10g} %"
    coin = "US$" if currency == "USD" or (unit == "USD" and not currency) else currency or ""
    text = f"{coin} {value:,.10g}".strip()
    if of_drug:
        text += f" per {of_drug}" if unit == "USD" else f" {of_drug}"
    elif unit not in ("", "USD"):
        text += f" {unit}"
    return text + (f" of {year}" if year else "")


def rounded(value: float, table: str, column: str, of_drug: str = "") -> str:
    """A number of the evidence to a few figures, in dollars of the base year where it is money."""
    return amount(float(f"{value:.4g}"), table, column, of_drug=of_drug)
