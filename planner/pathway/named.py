"""What a scenario names must exist in the evidence, and its own numbers must be possible.

All faults are told at once. A number can be overridden only where the model reads it by a key that
the override gives in full, so that no override is without effect or hits more than it says.
"""

from __future__ import annotations

import difflib

from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.evidence.own_sheets import MONEY
from planner.pathway.problem import Fact
from planner.scenario.model import Override, Scenario, cases_without_place
from planner.units import to_base_usd

EFFECTS = ("qaly_gain", "ly_gain", "os_median_exp", "os_median_ctl", "os_hr", "landmark_years", "landmark_exp",
           "landmark_ctl", "death_rr", "pfs_median_exp", "pfs_median_ctl", "pfs_hr", "noncarrier_gain_ratio",
           "sub_share", "duration_months", "duration_max_months")
POSITIVE = {"os_hr", "death_rr", "pfs_hr", "os_median_exp", "os_median_ctl", "pfs_median_exp", "pfs_median_ctl",
            "landmark_years", "duration_months", "duration_max_months"}
# table -> (key columns that an override gives, columns that it may set)
OVERRIDABLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "incidence": (("cancer_site",), ("cases",)),
    "incidence_rates": (("cancer_site",), ("rate",)),
    "indications": (("indication_id",), ("attrition_per_day",)),
    "eligibility": (("indication_id", "step"), ("share",)),
    "prevalence": (("indication_id", "biomarker_id"), ("share",)),
    "overlap": (("indication_id", "biomarker_id", "first_biomarker_id"), ("overlap_share",)),
    "assays": (("assay_id",), ("failure", "turnaround_days")),
    "assay_performance": (("assay_id", "biomarker_id", "indication_id"), ("sensitivity", "specificity")),
    "assay_costs": (("assay_id",), ("cost",)),
    "workup_costs": (("indication_id",), ("cost",)),
    "administration_costs": (("item",), ("cost",)),
    "dosing": (("drug", "indication_id"), ("amount_per_month",)),
    "drug_prices": (("drug",), ("price",)),
    "drug_access": (("drug", "payer"), ("share",)),
    "empirical_use": (("therapy_id",), ("share",)),
    "utilities": (("indication_id", "state"), ("utility",)),
    "current_practice": (("indication_id", "biomarker_id"), ("coverage",)),
    "tissue": (("indication_id", "slides"), ("share_with_at_least",)),
    "rebiopsy": (("indication_id",), ("feasible", "successful", "days", "cost")),
    "therapies": (("therapy_id",), EFFECTS),
    "platforms": (("platform_id",), ("capital_cost", "setup_cost", "life_years", "service_share", "runs_per_year")),
    "assay_variable_costs": (("assay_id",), ("reagent_per_sample", "reagent_per_run")),
    "laboratories": (("laboratory",), ("transport_cost", "transport_days")),
    "staff_costs": (("cadre",), ("cost_per_minute",)),
    "quality_assurance": (("scope", "modality"), ("cost_per_year",)),
}
FOR_ALL = ("workup_costs",)  # read by the indication also where the row for all answers
# what bears on a laboratory that is costed by its parts only
PARTS = ("platforms", "assay_variable_costs", "laboratories", "staff_costs", "quality_assurance")


def check_names(evidence: Evidence, scenario: Scenario) -> None:
    """Raises :class:`BadInput` with every unknown id, impossible number and unknown currency."""
    known = {
        "use case": {f"{r['indication_id']}/{r['biomarker_id']}" for r in evidence.records("use_cases")},
        "drug": {r["drug"] for r in evidence.records("drugs")},
        "indication": {r["indication_id"] for r in evidence.records("indications")},
        "service": {r["service_id"] for r in evidence.records("services")},
        "platform": {r["platform_id"] for r in evidence.records("platforms")},
        "currency": {r["currency"] for r in evidence.records("exchange_rates")},
    }
    money = scenario.display.currency
    named = [("policy.must_fund", "use case", scenario.policy.must_fund),
             ("policy.exclude", "use case", scenario.policy.exclude),
             ("evaluate", "use case", scenario.evaluate),
             ("access.buy", "drug", scenario.access.buy), ("access.drugs", "drug", scenario.access.drugs),
             ("services.exclude", "service", scenario.services.exclude),
             ("equity.weights", "indication", scenario.equity.weights),
             ("laboratory.instruments", "platform", scenario.laboratory.instruments),
             ("cases", "indication", scenario.cases),
             ("display.currency", "currency", (money,) if money else ()),
             ("override.currency", "currency", [o.currency for o in scenario.override if o.currency])]
    issues = [
        Issue(where, f"unknown {kind} `{name}`", nearest(name, known[kind]))
        for where, kind, names in named for name in names if name not in known[kind]
    ]
    issues += [Issue(where, what, remedy, "conflict") for where, what, remedy in cases_without_place(scenario)]
    issues += [Issue(f"override {o.table}.{o.column}", "it has no effect: the hospital's own cases stand in for it",
                     "correct [cases], or remove the override", "conflict")
               for o in scenario.override if scenario.setting.hospital and replaced_by_cases(o.table, o.key)]
    if scenario.laboratory.costing == "tariff":
        issues += [Issue(f"override {o.table}.{o.column}", "it has no effect: it bears on a laboratory by its parts only",
                         'set laboratory.costing = "micro", or remove the override', "conflict")
                   for o in scenario.override if o.table in PARTS]
    issues += [issue for o in scenario.override for issue in override_issues(evidence, o)]
    issues += own_issues(evidence)
    if issues:
        raise BadInput(issues)


def override_key(fact: Fact) -> dict[str, str] | None:
    """The key by which an override sets this number; None where none can."""
    names, columns = OVERRIDABLE.get(fact.table, ((), ()))
    at = dict(fact.at)
    return {name: at[name] for name in names} if fact.column in columns and at.keys() >= set(names) else None


def replaced_by_cases(table: str, key: dict[str, str]) -> bool:
    """Whether a hospital's cases stand in for this number: new cases, and the shares that lead to the decision."""
    return table in ("incidence", "incidence_rates") or (
        table == "eligibility" and key.get("step") not in ("fit", "reaches_care"))


def own_issues(evidence: Evidence) -> list[Issue]:
    """Faults of the setting's own numbers and counts that an overlay brought."""
    issues = []
    for row in evidence.records("own_values") if "own_values" in evidence.tables else ():
        where = f"own_values, {row['table_name']} {row['key']}"
        key = dict(part.split("=", 1) for part in row["key"].split(";") if "=" in part)
        try:
            override = Override(table=row["table_name"], key=key, column=row["column_name"], value=row["value"],
                                currency=row["currency"], year=row["year"], low=row["low"], high=row["high"],
                                why=row["why"], source=row["source"] or "")
        except ValueError:
            issues.append(Issue(where, "the row does not state a possible number", "see the data dictionary", "own_value"))
            continue
        issues += [Issue(where, i.what, i.remedy, i.code) for i in override_issues(evidence, override)]
    for row in evidence.records("local_counts") if "local_counts" in evidence.tables else ():
        where = f"local_counts, {row['indication_id']}/{row['biomarker_id']}, {row['laboratory']} {row['year']}"
        if evidence.matches("own_values", table_name="prevalence", stratum=row["stratum"],
                            key=f"indication_id={row['indication_id']};biomarker_id={row['biomarker_id']}"):
            issues.append(Issue(where, "the same prevalence also stands under own numbers, and counts would be lost",
                                "keep the counts or the own number", "set_twice"))
        if row["positive"] > row["tested"]:
            issues.append(Issue(f"{where}, positive", f"{row['positive']} positive of {row['tested']} tested",
                                "give no more positive results than tests", "positive_above_tested"))
        if row["assay_id"] and not evidence.matches("assay_performance", assay_id=row["assay_id"],
                                                    biomarker_id=row["biomarker_id"]):
            issues.append(Issue(f"{where}, assay_id", f"no accuracy of `{row['assay_id']}` for this biomarker is known",
                                "leave it empty: the counts are then taken as they are", "unknown_id"))
    return issues


def override_issues(evidence: Evidence, o: Override) -> list[Issue]:
    """Faults of one override: table, column, key, value."""
    where = f"override {o.table}.{o.column}"
    if o.table not in OVERRIDABLE:
        what = "no number of this table can be set in a scenario" if o.table in evidence.tables else "unknown table"
        return [Issue(where, f"{what} `{o.table}`", nearest(o.table, set(OVERRIDABLE))
                      + "; other numbers are changed with --evidence")]
    key, columns = OVERRIDABLE[o.table]
    issues = []
    if o.column not in columns:
        issues.append(Issue(where, f"`{o.column}` cannot be set in a scenario", f"one of {', '.join(columns)}"))
    if set(o.key) != set(key):
        issues.append(Issue(where, f"the key is {', '.join(sorted(o.key)) or 'empty'}", f"give {', '.join(key)}"))
    if issues:
        return issues
    if not _holds(evidence, o.table, {name: o.key[name] for name in key}):
        issues.append(Issue(where, f"no row of {o.table} has {_said(o.key)}", "look the key up with `sources`"))
    if o.table == "drug_access" and o.key["payer"] == "trial":
        issues.append(Issue(where, "it has no effect: trials are shown and never counted as access", "name another payer"))
    return issues + _value_issues(evidence, o, where)


def _holds(evidence: Evidence, table: str, key: dict[str, str]) -> bool:
    """Whether a number is kept under this key, or under the one for all indications that stands for it."""
    whole = {f.name for f in evidence.dictionary.table(table).fields if f.type == "integer"}
    cells = {name: int(text) if name in whole and text.isdecimal() else text for name, text in key.items()}
    if evidence.matches(table, **cells):
        return True
    return table in FOR_ALL and evidence.matches("indications", indication_id=key["indication_id"]) \
        and evidence.matches(table, **cells | {"indication_id": "*"})


def _value_issues(evidence: Evidence, o: Override, where: str) -> list[Issue]:
    """Value, low and high within the limits that the dictionary sets for the column."""
    column = evidence.dictionary.table(o.table).field(o.column)
    low = column.minimum if column.minimum is not None else None
    issues = []
    for name, value in (("value", o.value), ("low", o.low), ("high", o.high)):
        if value is None:
            continue
        too_low = (low is not None and value < low) or (o.column in POSITIVE and value <= 0)
        too_high = column.maximum is not None and value > column.maximum
        if too_low or too_high:
            limits = f"{'above 0' if o.column in POSITIVE else f'{low:g} or more' if low is not None else ''}" \
                + (f", at most {column.maximum:g}" if column.maximum is not None else "")
            share = column.maximum == 1
            issues.append(Issue(where, f"{name} {value:g} is impossible" + (f" ({value * 100:.4g} %)" if share else ""),
                                f"give {limits}".strip(", ") + (" (0 to 100 %)" if share else "")))
    if o.low is not None and o.high is not None and not o.low <= o.value <= o.high:
        issues.append(Issue(where, "low, value and high are not in order", "give low <= value <= high"))
    if o.column in MONEY:
        issues += _rate_issues(evidence, o, where)
    elif o.currency or o.year:
        issues.append(Issue(where, "a currency or year makes no sense for this number", "remove it"))
    return issues


def _rate_issues(evidence: Evidence, o: Override, where: str) -> list[Issue]:
    """Whether money of its currency and year can be turned into dollars of the base year."""
    if o.currency and not evidence.matches("exchange_rates", currency=o.currency):
        return []  # told among the names
    try:
        to_base_usd(o.value, o.currency or "USD", o.year or evidence.base_year, evidence)
    except BadInput as error:
        return [Issue(where, i.what, "give it in US dollars, or in the money of another year", i.code) for i in error.issues]
    return []


def nearest(name: str, known: set[str]) -> str:
    """The remedy for an unknown name."""
    close = difflib.get_close_matches(name, sorted(known), 3, 0.5)
    return f"did you mean {' or '.join(close)}" if close else f"known are, for example, {', '.join(sorted(known)[:4])}"


def _said(key: dict) -> str:
    return ", ".join(f"{name} = {value}" for name, value in key.items())
