"""One scenario in many countries: the same question, place by place."""

from __future__ import annotations

from collections.abc import Sequence

from planner.analysis.study import Analysis, Frozen, Progress, figure, frozen_rows, silent
from planner.errors import BadInput, Issue, PlannerError
from planner.evidence.base import Evidence
from planner.evidence.strata import place
from planner.result.make import make_plan
from planner.scenario.model import Scenario, Setting

TOTALS = ("testing_cost", "treatment_cost", "incremental_cost", "qalys", "life_years", "deaths_averted", "patients_eligible",
          "patients_tested", "positives_found", "patients_treated", "lines_funded", "net_health", "cost_per_qaly")


def plannable(evidence: Evidence) -> list[str]:
    """ISO 3166-1 alpha-3 codes of all countries with incidence, by name."""
    return [r["iso3"] for r in sorted(evidence.records("countries"), key=lambda r: r["name"]) if r["in_globocan"]]


def batch(scenario: Scenario, evidence: Evidence, countries: Sequence[str] | None = None, draws: int = 0, seed: int = 1,
          progress: Progress = silent, scheduler: str | None = None, per_person: bool = False) -> Analysis:
    """The scenario planned in each country (all by default).

    per_person: budgets of the scenario are for its own country and are scaled by population elsewhere.
    Tables: ``countries`` (one row each: totals, or why there is no plan), ``lines`` (country x line that is
    funded), ``use_cases`` (in how many countries each line is core, expand, ...), ``uncertainty`` (share of
    draws in which each funded line is in; with ``draws`` only). Raises BadInput for unknown countries.
    """
    if scenario.setting.region:
        raise BadInput([Issue("setting.region", "a scenario of one region cannot be carried to countries",
                              "give a scenario of a whole country")])
    codes = _codes(evidence, countries)
    rows, lines, draws_of = [], [], []
    for n, code in enumerate(codes):
        progress(n / len(codes), f"country {n + 1} of {len(codes)}: {code}")
        here = moved(scenario, evidence, code, per_person)
        name = place(evidence, code).name
        try:
            plan = make_plan(here, evidence, version())
        except PlannerError as error:
            rows.append({"country": code, "name": name, **dict.fromkeys(TOTALS), "note": "; ".join(map(str, error.issues))})
            continue
        rows.append({"country": code, "name": name, **{t: plan.totals[t] for t in TOTALS}, "note": ""})
        lines += [_line(code, r) for r in plan.document["list"]]
        if draws:
            draws_of += _draws(here, evidence, code, draws, seed, scheduler)
    done = [r for r in rows if not r["note"]]
    words = [f"{len(done)} of {len(codes)} countries planned: {figure(sum(r['qalys'] for r in done))} healthy years a year."]
    if len(done) > 1 and any(scenario.limit(axis, 0) is not None for axis in ("testing", "treatment", "total")):
        words.append("Budgets grow and shrink with the population." if per_person
                     else "Every country has the same budget, whatever its size.")
    words += [f"{len(codes) - len(done)} could not be planned; the table says why."] if len(done) < len(codes) else []
    head = {"model_version": version(), "base_year": evidence.base_year,
            "evidence": {"version": evidence.version, "sha256": evidence.digest}}
    settings = {"countries": codes, "draws": draws, "seed": seed, "per_person": per_person}
    tables = {"countries": rows, "lines": [r for r in lines if r["funded"] != "no"], "use_cases": _use_cases(lines),
              "uncertainty": draws_of}
    return Analysis("batch", scenario, Frozen(head), Frozen(settings), tuple(words), frozen_rows(tables))


def version() -> str:
    """The model's version; the package imports this module first."""
    from planner import MODEL_VERSION

    return MODEL_VERSION


def _codes(evidence: Evidence, countries: Sequence[str] | None) -> list[str]:
    if countries is None:
        return plannable(evidence)
    if not countries:
        raise BadInput([Issue("countries", "the list is empty", "name countries, or leave it out for all")])
    issues, codes = [], []
    for wanted in countries:
        try:
            codes.append(place(evidence, wanted).iso3)
        except BadInput as error:
            issues += error.issues
    if issues:
        raise BadInput([Issue(f"--countries: {i.where}", i.what, i.remedy, i.code) for i in issues])
    return list(dict.fromkeys(codes))


def moved(scenario: Scenario, evidence: Evidence, code: str, per_person: bool = False) -> Scenario:
    """The scenario in another country; its own numbers (overrides) stay at home."""
    own = place(evidence, scenario.setting.country).iso3
    if code == own:
        return scenario
    budget = scenario.budget
    if per_person:
        people = {c: evidence.record("countries", iso3=c)["population"] for c in (own, code)}
        factor = people[code] / people[own]
        budget = budget.model_copy(update={axis: _scaled(getattr(budget, axis), factor)
                                           for axis in ("testing", "treatment", "total")})
    return scenario.model_copy(update={"setting": Setting(country=code), "override": (), "budget": budget,
                                       "name": f"{scenario.name} ({code})"})


def _scaled(limit, factor: float):
    if limit is None:
        return None
    return tuple(x * factor for x in limit) if isinstance(limit, tuple) else limit * factor


def _line(code: str, r: dict) -> dict:
    return {"country": code, "rank": r["rank"], "indication_id": r["indication_id"], "biomarker_id": r["biomarker_id"],
            "indication": r["indication"], "short_name": r["short_name"], "priority_tier": r["priority_tier"],
            "funded": r["funded"], "coverage": r["coverage"], "patients_tested": r["patients_tested"],
            "patients_treated": r["patients_treated"], "qalys": r["qalys"], "testing_cost": r["testing_cost"],
            "treatment_cost": r["treatment_cost"], "cost_per_qaly": r["cost_per_qaly"]}


def _use_cases(lines: list[dict]) -> list[dict]:
    out: dict[tuple, dict] = {}
    for r in lines:
        row = out.setdefault((r["indication_id"], r["biomarker_id"]), {
            k: r[k] for k in ("indication_id", "biomarker_id", "indication", "short_name")}
            | {"countries": 0, "funded": 0, "qalys": 0.0} | dict.fromkeys(
                ("core", "expand", "lower_price", "when_drug", "research_only", "not_now"), 0))
        row["countries"] += 1
        row["funded"] += r["funded"] != "no"
        row["qalys"] += r["qalys"] or 0.0
        row[r["priority_tier"]] += 1
    return sorted(out.values(), key=lambda r: (-r["core"], -r["funded"], r["indication_id"], r["biomarker_id"]))


def _draws(scenario: Scenario, evidence: Evidence, code: str, draws: int, seed: int, scheduler: str | None) -> list[dict]:
    from planner.analysis.uncertainty import uncertainty

    found = uncertainty(scenario, evidence, draws, seed, scheduler=scheduler)
    return [{"country": code, **{k: r[k] for k in ("indication_id", "biomarker_id", "short_name", "share_in", "robust_tier")}}
            for r in found.tables["lines"] if r["in_plan"] or (r["share_in"] or 0) > 0.5]
