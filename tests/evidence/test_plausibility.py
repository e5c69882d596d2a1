"""Do the shipped numbers make sense together? Every odd one is either explained or on a list to correct.

The lists stand in ``plausibility_known.py``. A finding that is on neither fails, and so does an entry that is no
longer found. National totals: GLOBOCAN 2022, all cancers without non-melanoma skin cancer (IARC, Cancer Today).
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from plausibility_known import OPEN, RIGHT

import planner
from planner.evidence.complete import completeness
from planner.evidence.strata import place
from planner.pathway import benefit
from planner.pathway.courses import mean_months
from planner.pathway.eligible import eligible, incident_cases
from planner.pathway.resolve_values import Values
from planner.pathway.therapy import clean, remaining_life
from planner.scenario.model import Scenario
from planner.units import to_base_usd

TOTALS = Path(__file__).with_name("globocan_totals.csv")
PRICE_RATIO = 10  # a price over the median of the rows of the same drug and unit, either way
COST_RANGE = {"ihc": (5, 450), "ish": (20, 500), "pcr": (50, 750), "sequencing": (150, 7000),
              "expression": (50, 6000), "flow": (50, 700), "cytogenetics": (20, 500), "other": (5, 500)}  # USD of the base year
COST_RATIO = 20  # dearest over cheapest row of one assay
RATE_RATIO = 1.5  # yearly mean exchange rate over that of the year before, either way
# Currencies with fewer noughts since 2005: (year, old units per new unit). A series must be in one unit throughout.
NEW_MONEY = {"AZN": (2006, 5000), "BYN": (2016, 10_000), "GHS": (2007, 10_000), "MRU": (2018, 10), "MZN": (2006, 1000),
             "RON": (2005, 10_000), "SLE": (2022, 1000), "STN": (2018, 1000), "TMT": (2009, 5000), "TRY": (2005, 1_000_000),
             "VES": (2021, 1_000_000), "ZMW": (2013, 1000)}
TINY = 1e-9


def judge(check: str, found: dict) -> None:
    """Every finding is known, and everything known is found."""
    known = RIGHT.get(check, {}) | OPEN.get(check, {})
    fresh = [f"{k}: {v}" for k, v in found.items() if k not in known]
    assert not fresh, f"{check}: not on the lists of plausibility_known.py:\n" + "\n".join(fresh)
    gone = [k for k in known if k not in found]
    assert not gone, f"{check}: no longer found, strike out of plausibility_known.py: {gone}"


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def everywhere(evidence) -> dict[str, Values]:
    """The values of each of the 185 countries."""
    return {c: Values(evidence, place(evidence, c), Scenario.model_validate({"name": c, "setting": {"country": c}}))
            for c in countries(evidence)}


def countries(evidence) -> list[str]:
    return [r["iso3"] for r in evidence.records("countries") if r["in_globocan"]]


def usd(evidence, row: dict, column: str) -> float:
    return to_base_usd(row[column], row["currency"], row["year"], evidence)


# -- bounds and patterns ---------------------------------------------------------------------------


def test_every_value_lies_within_its_interval(evidence):
    for name, table in evidence.dictionary.tables.items():
        for field in table.fields:
            bounds = table.bounds(field.name)
            for row in evidence.records(name) if bounds else ():
                low, value, high = row[bounds[0]], row[field.name], row[bounds[1]]
                key = (name, field.name, [row[k] for k in table.key])
                assert value is not None or (low is None and high is None), key
                assert low is None or low <= value, key
                assert high is None or value <= high, key


def test_codes_have_their_form(evidence):
    for row in evidence.records("countries"):
        assert re.fullmatch(r"[A-Z]{3}", row["iso3"]) and re.fullmatch(r"[A-Z]{3}", row["currency"] or "XXX"), row["iso3"]
    for row in evidence.records("sources"):
        assert re.fullmatch(r"10\.\d{4,9}/\S+", row["doi"] or "10.1000/x"), row["source_id"]
        assert re.fullmatch(r"[1-9]\d{0,7}", row["pmid"] or "1"), row["source_id"]
        assert re.fullmatch(r"https?://\S+", row["url"] or "https://x"), row["source_id"]
    for row in evidence.records("assays"):
        for code in (row["loinc"] or "").split(";"):
            assert not code or loinc(code), (row["assay_id"], code)
    odd = {r["biomarker_id"]: r["hgnc_id"] for r in evidence.records("biomarkers") if not genes(r)}
    judge("hgnc", odd)
    judge("atc", {r["drug"]: r["atc"] for r in evidence.records("drugs")
                  if not re.fullmatch(r"[A-Z]\d\d[A-Z]{2}\d\d", r["atc"] or "")})
    judge("icd10", {r["cancer_site"]: r["icd10"] for r in evidence.records("cancer_sites")
                    if not re.fullmatch(r"(part of )?[A-Z]\d\d[-.;+\dA-Z a-z]*", r["icd10"] or "")})


def genes(row: dict) -> bool:
    """One HGNC number for each gene."""
    ids = (row["hgnc_id"] or "").split(";")
    return all(re.fullmatch(r"HGNC:\d+", i) for i in ids) and len(ids) == len((row["gene"] or "").split(";"))


def loinc(code: str) -> bool:
    """Form and check digit (mod 10, Luhn)."""
    found = re.fullmatch(r"(\d{1,7})-(\d)", code)
    if not found:
        return False
    total = 0
    for n, digit in enumerate(reversed(found[1])):
        doubled = int(digit) * (2 if n % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10 == int(found[2])


# -- sources -----------------------------------------------------------------------------------------


def test_every_source_is_defined_and_used(evidence):
    used, words = set(), set()
    for name, table in evidence.dictionary.tables.items():
        columns = [c for c in table.columns if c == "source_id" or c.endswith("_source_id")]
        for row in evidence.records(name) if name != "sources" else ():
            used |= {row[c] for c in columns if row[c]}
            words |= {w for c in table.columns if c not in columns and isinstance(row[c], str)
                      for w in re.findall(r"[a-z0-9_]+", row[c])}
    defined = {r["source_id"] for r in evidence.records("sources")}
    assert used <= defined, used - defined
    judge("unused_source", dict.fromkeys(defined - used - words, "in no row and named in no note"))


def test_no_paper_stands_twice(evidence):
    seen = defaultdict(list)
    for row in evidence.records("sources"):
        for column in ("doi", "pmid"):
            if row[column]:
                seen[(row[column].lower(),)].append(row["source_id"])
    judge("twice", {k: v for k, v in seen.items() if len(v) > 1})


def test_every_use_case_and_therapy_says_what_its_level_rests_on(evidence):
    for row in evidence.records("use_cases"):
        assert row["level_basis"] and (row["level"] or row["gap"]), row
    for row in evidence.records("therapies"):
        assert row["level"] and row["level_basis"], row


# -- shares ------------------------------------------------------------------------------------------


def test_parts_of_a_cancer_are_not_more_than_the_whole(everywhere):
    judge("split", {(name, c): f"{total:.3f}" for c, values in everywhere.items()
                    for name, total in splits(values).items() if total > 1 + 1e-6})


def splits(values: Values) -> dict[str, float]:
    """Sum of parts that exclude each other, by whole."""
    def step(indication, name):
        return values.share("eligibility", "share", name, pool=False, indication_id=indication, step=name).value

    def both(name, *indications):
        return sum(step(i, name) for i in indications)

    leukaemias = incident_cases(values, "leukaemia").value
    by_rate = sum(incident_cases(values, site).value for site in ("cml", "apl"))
    lung = both("histology", "nsclc_nonsq_advanced", "nsclc_squamous_advanced")
    return {
        "leukaemia": both("subtype", "all_b", "aml", "cll") + by_rate / leukaemias,
        "lymphoma": both("subtype", "dlbcl", "fl_other_bnhl", "ptcl"),
        "thyroid": both("subtype", "thyroid_anaplastic", "thyroid_medullary_advanced"),
        "lung histology": lung,
        "lung histology within non-small-cell": lung / step("nsclc_early_resected", "histology"),
        "lung stage": both("stage", "nsclc_early_resected", "nsclc_nonsq_advanced"),
        "breast stage": both("stage", "breast_early", "breast_metastatic"),
        "colorectal stage": both("stage", "crc_stage2_3", "crc_metastatic"),
        "melanoma stage": both("stage", "melanoma_stage3", "melanoma_advanced"),
        "gastrointestinal stromal": both("stage", "gist_advanced", "gist_high_risk"),
    }


def test_leukaemias_by_rate_are_within_those_recorded(evidence, everywhere):
    """In every country, and where they were scaled down their input says so; elsewhere rate times population stands."""
    capped = set()
    for country, values in everywhere.items():
        found = [incident_cases(values, site) for site in ("cml", "apl")]
        assert sum(f.value for f in found) <= incident_cases(values, "leukaemia").value + TINY, country
        people = evidence.record("countries", iso3=country)["population"]
        for fact in found:
            rate = values.share("incidence_rates", "rate", "incidence rate", pool=False, cancer_site=fact.key)
            plain = rate.value * people / 1e5
            assert ("scaled down" in fact.note) == (fact.value < plain * (1 - TINY)), (country, fact)
            assert fact.value <= plain * (1 + TINY)
            capped |= {country} if fact.value < plain * (1 - TINY) else set()
    assert "TCD" in capped and "KEN" not in capped and len(capped) == 25


def test_incidence_is_within_what_each_country_counts(evidence):
    """Sites with counts exclude each other, so that together they stay below the published total."""
    with TOTALS.open(encoding="utf-8") as file:
        totals = {r["iso3"]: int(r["all_cancers_without_non_melanoma_skin"]) for r in csv.DictReader(file)}
    assert set(totals) == set(countries(evidence)) and 18.7e6 < sum(totals.values()) < 18.8e6
    mine = Counter()
    for row in evidence.records("incidence", stratum_type="country"):
        mine[row["stratum"]] += row["cases"]
    for country, total in totals.items():
        assert 0.5 * total < mine[country] <= total, (country, mine[country], total)


def test_regions_are_their_country(evidence):
    shares, cases = Counter(), Counter()
    for row in evidence.records("regions"):
        shares[row["iso3"]] += row["population_share"] or 0
    assert all(s == pytest.approx(1, abs=1e-3) for s in shares.values()), shares
    nation = {(r["stratum"], r["cancer_site"]): r["cases"] for r in evidence.records("incidence", stratum_type="country")}
    of = {r["region"]: r["iso3"] for r in evidence.records("regions")}
    for row in evidence.records("incidence", stratum_type="region"):
        cases[of[row["stratum"]], row["cancer_site"]] += row["cases"]
    for key, total in cases.items():  # registry years and a projection to 2022 differ somewhat
        assert 0.8 < total / nation[key] < 1.1, (key, total, nation[key])


def test_everyone_eligible_is_a_case_and_nobody_is_lost_unseen(evidence, everywhere):
    """All 185 countries, all plannable use cases: some people, or a count of none in GLOBOCAN."""
    ready = completeness(evidence.tables)
    wanted = set(ready.loc[ready["plannable"].astype(bool), "indication_id"])
    for country, values in everywhere.items():
        for row in evidence.records("indications"):
            found = eligible(values, row)
            if row["indication_id"] in wanted:
                assert not found.missing, (country, row["indication_id"], found.missing)
                assert found.patients > 0 or found.incident == 0, (country, row["indication_id"])
            assert found.patients <= found.incident, (country, row["indication_id"])


def test_all_that_has_no_patients_is_a_count_of_none(evidence):
    zero = [r for r in evidence.records("incidence") if r["cases"] == 0]
    population = {r["iso3"]: r["population"] for r in evidence.records("countries")}
    for row in zero:  # a large country without a case would be a slip of the pen
        rare = row["cancer_site"] in ("melanoma", "hodgkin_lymphoma", "oesophagus", "brain", "bladder")
        assert population[row["stratum"]] < (1e7 if rare else 3e5), row


# -- access ------------------------------------------------------------------------------------------


def test_payers_of_a_drug_are_parts_of_one_total(evidence):
    total, ceiling = Counter(), {}
    for row in evidence.records("drug_access"):
        if row["payer"] != "trial":
            key = tuple(row[k] for k in ("drug", "indication_id", "stratum_type", "stratum"))
            total[key] += row["share"]
            ceiling[key] = max(ceiling.get(key, 0.0), row["ceiling"] if row["ceiling"] is not None else 1.0)
    assert all(t <= 1 + TINY for t in total.values())
    assert all(t <= ceiling[k] + TINY for k, t in total.items()), [k for k, t in total.items() if t > ceiling[k] + TINY]


def test_a_row_with_a_rule_is_the_rule(evidence):
    rules = {(r["rule"], r["income_group"], r["payer"]): r for r in evidence.records("access_rules")}
    group = {r["iso3"]: r["income_group"] for r in evidence.records("countries")}
    used = set()
    for row in evidence.records("drug_access"):
        if not row["rule"]:
            continue
        where = row["stratum"] if row["stratum_type"] == "income_group" else group.get(row["stratum"], "*")
        rule = rules.get((row["rule"], where, row["payer"])) or rules[row["rule"], "*", row["payer"]]
        used.add(row["rule"])
        for column in ("share", "low", "high", "ceiling", "includes"):
            assert row[column] == rule[column], (row["drug"], row["stratum"], row["payer"], row["rule"], column)
    assert used == {r["rule"] for r in evidence.records("access_rules")}


# -- money -------------------------------------------------------------------------------------------


def test_prices_of_a_drug_are_alike(evidence):
    prices = defaultdict(list)
    for row in evidence.records("drug_prices"):
        prices[row["drug"], row["unit"]].append((usd(evidence, row, "price"), row["stratum"]))
    odd = {}
    for (drug, unit), rows in prices.items():
        middle = median(p for p, _ in rows)
        odd |= {(drug, stratum): f"{price:.4g} USD per {unit}, median {middle:.4g}" for price, stratum in rows
                if not 1 / PRICE_RATIO <= price / middle <= PRICE_RATIO}
    judge("price", odd)
    assert len({d for d, _ in prices}) == len(prices)  # one unit a drug
    units = dict(prices)
    assert all(units.get(r["drug"], r["unit"]) == r["unit"] for r in evidence.records("dosing"))


def test_costs_of_tests_are_in_the_range_of_their_method(evidence):
    modality = {r["assay_id"]: r["modality"] for r in evidence.records("assays")}
    costs = defaultdict(list)
    for row in evidence.records("assay_costs"):
        costs[row["assay_id"]].append(usd(evidence, row, "cost"))
    for assay, found in costs.items():
        low, high = COST_RANGE[modality[assay]]
        assert low <= min(found) and max(found) <= high, (assay, modality[assay], min(found), max(found))
        assert max(found) <= COST_RATIO * min(found), (assay, min(found), max(found))
    assert all(0 < usd(evidence, r, "cost") < 300 for r in evidence.records("workup_costs"))
    assert all(0.1 < usd(evidence, r, "cost") < 300 for r in evidence.records("administration_costs"))


def test_exchange_rates_jump_only_where_the_currency_did(evidence):
    series = defaultdict(dict)
    for row in evidence.records("exchange_rates"):
        series[row["currency"]][row["year"]] = row["per_usd"]
    odd = {}
    for currency, rates in series.items():
        for before, year in pairwise(sorted(rates)):
            ratio = (rates[year] / rates[before]) ** (1 / (year - before))
            if not 1 / RATE_RATIO < ratio < RATE_RATIO:
                odd[currency, year] = f"times {ratio:.2f}"
            if currency in NEW_MONEY and before < NEW_MONEY[currency][0] <= year:
                assert 0.2 < ratio < 5, f"{currency} {year}: old and new money in one series"
    judge("rate_jump", odd)


# -- tests and treatments ----------------------------------------------------------------------------


def test_tests_are_better_than_a_coin(evidence):
    judge("performance", {(r["assay_id"], r["biomarker_id"], r["indication_id"]): (r["sensitivity"], r["specificity"])
                          for r in evidence.records("assay_performance")
                          if r["sensitivity"] < 0.5 or r["specificity"] < 0.8})
    for row in evidence.records("assays"):
        assert row["failure"] <= 0.3 and 0 < row["turnaround_days"] <= 42, row["assay_id"]


def test_worse_states_weigh_less(evidence):
    weights = defaultdict(dict)
    for row in evidence.records("utilities"):
        weights[row["indication_id"]][row["state"]] = row["utility"]
    order = ("progressed", "mean_advanced", "progression_free", "disease_free")
    for indication, states in weights.items():
        assert set(states) <= set(order), states
        have = [states[s] for s in order if s in states]
        assert have == sorted(have), (indication, states)


@pytest.fixture(scope="module")
def treatments(evidence) -> dict[str, dict]:
    return {r["therapy_id"]: clean(r) for r in evidence.records("therapies")}


def effects(evidence, treatments, row: dict, rate: float, years: float):
    weights = {r["state"]: r["utility"] for r in evidence.records("utilities", indication_id=row["indication_id"])}
    base = effects(evidence, treatments, treatments[row["builds_on"]], rate, years) if row["builds_on"] else None
    return benefit.effects(row, weights, rate, years, base)


def test_no_gain_is_impossible_anywhere(evidence, treatments, everywhere):
    """QALYs <= life-years <= remaining life at the usual age, in all 185 countries, discounted and not."""
    indications = {r["indication_id"]: r for r in evidence.records("indications")}
    sex = {r["cancer_site"]: r["sex"] for r in evidence.records("cancer_sites")}
    odd, spans = {}, {}
    for name, row in indications.items():
        found = [remaining_life(v, row, sex[row["cancer_site"]]) for v in everywhere.values()]
        assert all(found), name
        spans[name] = sorted(set(found))
    for name, row in treatments.items():
        for years in spans[row["indication_id"]]:
            for rate in (0.0, 0.03):
                odd |= {(name, word): f"with {years:.1f} years left, discounted at {rate}"
                        for word in impossible(effects(evidence, treatments, row, rate, years), years)}
    judge("gain", odd)


def impossible(gain, years: float) -> list[str]:
    """What cannot be of one treated person with so many years left."""
    q, life, deaths = (gain.carrier[m] for m in ("qalys", "life_years", "deaths_averted"))
    bounds = (gain.qaly_low, gain.qaly_high)
    only_quality = gain.kind == "progression_free_only"  # quality without survival evidence
    return [word for word, wrong in (
        ("more QALYs than life-years", life is not None and q > life + TINY and not only_quality),
        ("more than the remaining life", max(q, life or 0.0) > years),
        ("more than one death averted", deaths is not None and abs(deaths) > 1),
        ("a loss for carriers", q < 0),
        ("outside its interval", None not in bounds and not bounds[0] <= q <= bounds[1]),
        ("a loss beyond the remaining life", abs(gain.noncarrier["qalys"]) > years),
    ) if wrong]


def test_who_is_spared_a_drug_is_not_helped_by_it(treatments):
    """Role `spares`: the drug is for those without the marker; carriers of the marker have nothing from it."""
    for name, row in treatments.items():
        assert row["role"] in ("selects", "spares"), name
        if row["role"] == "spares":
            assert row["noncarrier_gain_ratio"] <= 0, name


def test_medians_and_ratios_tell_one_story(treatments):
    for name, row in treatments.items():
        if row["os_hr"] and row["os_median_exp"] and row["os_median_ctl"]:
            assert 0.6 < row["os_median_ctl"] / row["os_median_exp"] / row["os_hr"] < 1.67, name
        if row["landmark_exp"] is not None:
            assert row["landmark_exp"] > row["landmark_ctl"], name
    judge("progression", {name: (row["pfs_median_exp"], row["os_median_exp"]) for name, row in treatments.items()
                          if row["pfs_median_exp"] and row["os_median_exp"] and row["pfs_median_exp"] > row["os_median_exp"]})


def test_nobody_is_treated_longer_than_alive(treatments):
    """Mean course against mean survival of the treated, where survival is credited."""
    odd = {}
    for name, row in treatments.items():
        alive = row["os_median_exp"] or (row["os_median_ctl"] / row["os_hr"] if row["os_hr"] and row["os_median_ctl"] else None)
        course = mean_months(row["duration_months"], row["duration_kind"], row["duration_max_months"])
        if alive and course > alive / math.log(2):
            odd[name] = f"{course:.0f} months of treatment, {alive / math.log(2):.0f} of life"
    judge("course", odd)
