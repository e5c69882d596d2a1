"""An access proposal: what one drug, or one biomarker with its drugs, needs and brings in one or several countries.

Plans nothing: the caller plans each country and hands over the plan and the analyses it made of it. All figures are a
year, money in US dollars of the base year, not discounted; nothing is rounded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.errors import BadInput, Issue
from planner.pathway.problem import Indication, ServiceOption, TherapyOption, UseCase
from planner.report.brief import check_same
from planner.report.brief_more import facts_of
from planner.report.course_parts import parts_of
from planner.report.tables import plain
from planner.result.standalone import best, offered
from planner.scenario.faults import nearest

SCHEMA = "proposal/1"
MONTHS = 12
FIRST = 3  # numbers to measure first
SUMMED = ("asked", "need", "tested_plan", "tested_target", "courses_plan", "courses_target", "qalys_plan", "qalys_target",
          "stock_out_month_plan", "stock_out_month_target", "procurement", "other_drugs", "giving", "monitoring",
          "treatment_cost", "testing_cost")


@dataclass(frozen=True)
class Subject:
    """What the proposal is for. kind: drug or biomarker."""

    kind: str
    id: str
    name: str

    def wants(self, u: UseCase, t: TherapyOption) -> bool:
        return self.id in t.drugs if self.kind == "drug" else u.biomarker == self.id


@dataclass(frozen=True)
class Case:
    """A country with its plan and the analyses made of the same scenario; ``why_not`` where there is no plan."""

    code: str
    name: str
    plan: Any = None
    access: Any = None
    uncertainty: Any = None
    sensitivity: Any = None
    why_not: str = ""


@dataclass(frozen=True)
class Proposal:
    """The figures, unrounded: ``places`` one after the other, ``totals`` over them, ``sources`` they rest on."""

    subject: Subject
    scenario: Mapping[str, Any]
    head: Mapping[str, Any]
    places: tuple[Mapping[str, Any], ...] = field(repr=False)
    totals: Mapping[str, Any] = field(repr=False)
    sources: tuple[Mapping[str, Any], ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The proposal as a plain dictionary for JSON."""
        return {"schema": SCHEMA, "subject": {"kind": self.subject.kind, "id": self.subject.id, "name": self.subject.name},
                "scenario": dict(self.scenario), **self.head, "places": list(self.places), "totals": dict(self.totals),
                "sources": list(self.sources)}


def proposal_json(found: Proposal) -> str:
    """The proposal as JSON: keys sorted, unrounded; equal proposals give equal text."""
    return json.dumps(plain(found.to_dict()), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def subject_of(evidence, drug: str | None, biomarker: str | None) -> Subject:
    """The drug or biomarker asked for, by its id. Raises BadInput where it is unknown, or no matched treatment uses it."""
    if (drug is None) == (biomarker is None):
        raise BadInput([Issue("--drug, --biomarker", "a proposal is for one drug or for one biomarker", "give one of the two")])
    if biomarker is not None:
        known = {r["biomarker_id"]: r["short_name"] for r in evidence.records("biomarkers")}
        return _known("biomarker", biomarker, known, set(known))
    known = {r["drug"]: r["name"] for r in evidence.records("drugs")}
    matched = {r["drug"] for r in evidence.records("therapy_drugs") if r["part"] == "added"}
    return _known("drug", drug, known, matched)


def _known(kind: str, wanted: str, names: Mapping[str, str], matched: set[str]) -> Subject:
    if wanted not in names:
        raise BadInput([Issue(f"--{kind} {wanted}", f"unknown {kind}", nearest(wanted, matched), "unknown_id")])
    if wanted not in matched:
        raise BadInput([Issue(f"--{kind} {wanted}", "no treatment that follows from a test uses it",
                              "name a drug that a biomarker selects", "no_use")])
    return Subject(kind, wanted, names[wanted])


def proposal(subject: Subject, cases: Sequence[Case], evidence) -> Proposal:
    """The proposal over already planned countries. Raises BadInput where the subject has no use in any of them, and
    ValueError where an analysis is of something else than its plan."""
    for case in cases:
        for found in (case.access, case.uncertainty, case.sensitivity):
            if case.plan is not None:
                check_same(case.plan, found)
    places = [_place(subject, case, evidence) for case in cases]
    if not any(p["uses"] for p in places):
        why = sorted({w for p in places for w in (p["note"], *(x["why"] for x in p["left_out"])) if w})
        raise BadInput([Issue(f"--{subject.kind} {subject.id}", f"it has no use that can be planned here ({'; '.join(why[:4])})",
                              "choose another, or a scenario that does not leave it out", "no_use")])
    first = next(c.plan.document for c in cases if c.plan is not None)
    head = {k: first[k] for k in ("evidence", "model_version", "base_year")}
    return Proposal(subject, first["scenario"], head, tuple(places), _totals(places), tuple(_sources(cases, places, evidence)))


# -- one country -----------------------------------------------------------------------------------------

def _place(subject: Subject, case: Case, evidence) -> dict[str, Any]:
    out = {"code": case.code, "name": case.name, "note": case.why_not, "uses": [], "tests": [], "left_out": [], "unlocks": [],
           "prices": [], "routes": [], "measure_first": [], "measure_by": "", "threshold": None, "totals": {}}
    if case.plan is None:
        return out
    plan = case.plan
    split = parts_of(evidence, plan.scenario)
    rows = {(r["region"], r["indication_id"], r["biomarker_id"]): r for r in plan.document["list"]}
    for i in plan.problem.indications:
        for u in i.use_cases:
            mine = [t for t in u.therapies if subject.wants(u, t)]
            if not mine:
                continue
            row = rows[u.region, u.indication, u.biomarker]
            service = _service(u, i, row, mine, case.access) if u.active else None
            if service is None:
                out["left_out"].append({"line": f"{row['short_name']} in {i.name}", "why": row["reason"]["text"]})
                continue
            out["tests"].append(_test(u, i, service, row, evidence))
            out["uses"] += [_use(subject, u, i, service, row, group, split) for group in _groups(mine)]
    out["threshold"] = plan.document["threshold"]["value"]
    out |= _asked(subject, case, out)
    out["totals"] = _sums(out)
    return out


def _groups(therapies: Iterable[TherapyOption]) -> list[list[TherapyOption]]:
    """Therapies that stand in for each other: those of one line of treatment."""
    groups: dict[str, list[TherapyOption]] = {}
    for t in therapies:
        groups.setdefault(t.line_group, []).append(t)
    return [groups[g] for g in sorted(groups)]


def _service(u: UseCase, i: Indication, row, mine, access) -> ServiceOption | None:
    """The test that is bought: the plan's, else that of the analysis of access, else the cheapest per healthy year."""
    options = {s.service: s for s in offered(u, i)}
    planned = sorted(row["services"], key=lambda s: (-s["share"], s["service"]))
    routes = [r["service"] for r in access.tables["routes"] if r["therapy"] in {t.therapy for t in mine}
              and r["region"] == u.region] if access else []
    alone = best(u, i, at_ceiling=True)
    for name in (*(s["service"] for s in planned), *routes, alone.service if alone else None, *sorted(options)):
        if name in options:
            return options[name]
    return None


def _test(u: UseCase, i: Indication, service: ServiceOption, row, evidence) -> dict[str, Any]:
    """Kits and money to test all who can be reached, whether or not the plan has the money for it."""
    people = u.asked(i.eligible) * u.kap
    kits = [{"assay": a.assay, "name": evidence.record("assays", assay_id=a.assay).get("name", a.assay),
             "laboratory": evidence.record("assays", assay_id=a.assay).get("laboratory_tier", ""),
             "samples": people * a.runs, "cost": people * a.cost} for a in service.assays]
    return {"region": u.region, "indication_id": u.indication, "biomarker_id": u.biomarker, "indication": i.name,
            "short_name": row["short_name"], "service": service.service, "service_name": service.name,
            "asked": u.asked(i.eligible), "tested_plan": row["patients_tested"], "tested_target": people, "kits": kits,
            "workup_cost": people * i.workup_cost, "testing_cost": people * (service.cost + i.workup_cost),
            "funded": row["funded"], "tier": row["priority_tier"]}


def _use(subject: Subject, u: UseCase, i: Indication, service: ServiceOption, row, group, split) -> dict[str, Any]:
    """One line of treatment of one use case: people, courses, what they cost, who pays, what they bring."""
    treated = {t["therapy"]: t["treated"] for t in row["therapies"]}
    t = _regimen(subject, group, treated)
    result = service.result(u.biomarker)
    true, false = u.called(result)
    asked, called = u.asked(i.eligible), true + false
    found = asked * u.kap * result.eta * called * t.sub * t.fit
    ceiling = max(t.alpha, t.amax)
    out = {
        "region": u.region, "indication_id": u.indication, "biomarker_id": u.biomarker, "indication": i.name,
        "short_name": row["short_name"], "line_group": t.line_group, "therapy": t.therapy, "therapy_name": t.name,
        "instead": tuple(o.name for o in group if o is not t), "drugs": t.drugs,
        "asked": asked, "need": asked * u.drug_prevalence * max(o.sub for o in group) * max(o.fit for o in group), "found": found,
        "access_today": t.alpha, "access_target": ceiling,
        "courses_plan": sum(treated.get(o.therapy, 0.0) for o in group), "courses_target": found * ceiling,
        "qalys_plan": _brought(u, group, treated, true, false),
        "qalys_course": _gain(t, true, false), "payers": [{"payer": z, "share": s} for z, s in t.payer_shares],
    }
    out["qalys_target"] = None if out["qalys_course"] is None else out["qalys_course"] * out["courses_target"]
    out["stock_out_month_plan"] = _monthly(out["qalys_plan"])
    out["stock_out_month_target"] = _monthly(out["qalys_target"])
    return out | _money(subject, t, out["courses_target"], split(t.therapy, u.indication))


def _regimen(subject: Subject, group: Sequence[TherapyOption], treated: Mapping[str, float]) -> TherapyOption:
    """The regimen that is costed: for a drug the one with the fewest other matched drugs, then for the most people;
    for a biomarker the one that the plan uses most, then that most can get."""
    if subject.kind == "drug":
        return min(group, key=lambda t: (len(t.drugs), -t.sub, t.course_cost, t.therapy))
    return min(group, key=lambda t: (-treated.get(t.therapy, 0.0), -t.alpha * t.sub, t.course_cost, t.therapy))


def _gain(t: TherapyOption, true: float, false: float) -> float | None:
    """QALYs per person treated after a positive result, true or false."""
    pair = t.effects.pair("qalys")
    return None if pair is None or true + false <= 0 else (true * pair[0] + false * pair[1]) / (true + false)


def _brought(u: UseCase, group, treated, true: float, false: float) -> float:
    return sum(treated.get(t.therapy, 0.0) * (_gain(t, true, false) or 0.0) for t in group)


def _monthly(qalys: float | None) -> float | None:
    return None if qalys is None else qalys / MONTHS


def _money(subject: Subject, t: TherapyOption, courses: float, parts) -> dict[str, Any]:
    """What the courses cost, taken apart where it can be."""
    out = {"course_cost": t.course_cost, "treatment_cost": courses * t.course_cost, "procurement": None, "other_drugs": None,
           "giving": None, "monitoring": None, "drug_cost": None, "amount": None, "unit": ""}
    if parts is None:
        return out
    mine = [d for d in parts.drugs if subject.kind == "biomarker" or d == subject.id]
    own = sum(parts.drugs[d] for d in mine)
    amounts = [parts.amounts[d] for d in mine]
    one = amounts[0] if len(amounts) == 1 else (None, "")
    return out | {"drug_cost": own, "procurement": courses * own, "other_drugs": courses * (sum(parts.drugs.values()) - own),
                  "giving": courses * parts.giving, "monitoring": courses * parts.monitoring, "amount": one[0], "unit": one[1]}


# -- from the analyses -------------------------------------------------------------------------------------

def _asked(subject: Subject, case: Case, place: Mapping[str, Any]) -> dict[str, Any]:
    """What the analyses say of these treatments."""
    drugs = {subject.id} if subject.kind == "drug" else {d for u in place["uses"] for d in u["drugs"]}
    lines = {(u["region"], u["indication_id"], u["biomarker_id"]) for u in place["uses"]}
    access, draws = case.access, case.uncertainty

    def mine(r) -> bool:
        return (r["region"], r["indication_id"], r["biomarker_id"]) in lines

    therapies = {t.therapy for i in case.plan.problem.indications for u in i.use_cases for t in u.therapies
                 if subject.wants(u, t)}
    out: dict[str, Any] = {"unlocks": [], "routes": [], "prices": []}
    if access:
        out["unlocks"] = [r for r in access.tables["drugs"] if r["drug"] in drugs]
        routes = [r for r in access.tables["routes"] if r["therapy"] in therapies and mine(r) and r["drug"] in drugs]
        out["routes"] = list({(r["therapy"], r["indication_id"], r["biomarker_id"]): r for r in routes}.values())
    if draws:
        out["prices"] = [r for r in draws.tables["prices"] if r["therapy"] in therapies and mine(r)]
    out["measure_first"], out["measure_by"] = measure_first(case, place, therapies | drugs)
    return out


def measure_first(case: Case, place: Mapping[str, Any], names: set[str]) -> tuple[list[dict[str, Any]], str]:
    """(the numbers to measure first, by what): by their value of information, else by how far they move the plan.
    Those that bear on the subject's own lines stand first, the plan's others after them."""
    own = set(names)
    for u in place["uses"]:
        own |= {u["indication_id"], u["biomarker_id"]}
    for t in place["tests"]:
        own |= {t["service"], *(k["assay"] for k in t["kits"])}
    own |= {i.cancer_site for i in case.plan.problem.indications if i.indication in own}
    if case.uncertainty:
        rows = [r | {"size": r["qalys"]} for r in case.uncertainty.tables["information"]
                if r["kind"] == "single" and r["qalys"] > 0]
        if rows:
            return _first(rows, own), "information"
    if case.sensitivity:
        rows = [r | {"size": r["swing"]} for r in case.sensitivity.tables["parameters"] if r["swing"] > 0]
        return _first(rows, own), "swing" if rows else ""
    return [], ""


def _first(rows: list[dict], own: set[str]) -> list[dict[str, Any]]:
    def bears(name: str) -> bool:
        what, _, of = name.partition(": ")
        parts = [p for p in of.split("/") if p not in ("*", what)]
        return bool(parts) and parts[0] in own

    rows = sorted(rows, key=lambda r: (not bears(r["name"]), -r["size"], r["name"]))
    return [{"name": r["name"], "size": r["size"], "quality": r.get("quality"), "bears": bears(r["name"])} for r in rows[:FIRST]]


# -- sums ----------------------------------------------------------------------------------------------------

def _sums(place: Mapping[str, Any]) -> dict[str, Any]:
    """Sums of a country. People are counted once per use case, courses once per line of treatment."""
    uses, tests = place["uses"], place["tests"]
    need: dict[tuple, float] = {}
    for u in uses:
        key = (u["region"], u["indication_id"], u["biomarker_id"])
        need[key] = max(need.get(key, 0.0), u["need"])
    out = {name: _added(u[name] for u in uses) for name in SUMMED if uses and name in uses[0]}
    out |= {name: sum(t[name] for t in tests) for name in ("asked", "tested_plan", "tested_target", "testing_cost")}
    out["need"] = sum(need.values())
    kits, payers = Counter(), Counter()
    for t in tests:
        for k in t["kits"]:
            kits[k["name"]] += k["samples"]
    for u in uses:
        for p in u["payers"]:
            payers[p["payer"]] += p["share"] * u["treatment_cost"]
    return {**dict.fromkeys(SUMMED, 0.0), **out, "kits": dict(kits), "payers": dict(payers)}


def _added(values: Iterable[float | None]) -> float | None:
    """A sum; unknown where a part is."""
    values = list(values)
    return None if any(v is None for v in values) else sum(values)


def _totals(places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    done = [p["totals"] for p in places if p["uses"]]
    out: dict[str, Any] = {name: _added(t[name] for t in done) for name in SUMMED}
    for name in ("kits", "payers"):
        counted = Counter()
        for t in done:
            counted.update(t[name])
        out[name] = dict(counted)
    return out


def _sources(cases: Sequence[Case], places: Sequence[Mapping[str, Any]], evidence) -> list[dict[str, Any]]:
    """Sources of the numbers that the lines of the proposal use."""
    named: set[str] = set()
    for case, place in zip(cases, places, strict=True):
        lines = {(u["region"], u["indication_id"], u["biomarker_id"]): u for u in place["uses"]}
        services = {(t["region"], t["indication_id"], t["biomarker_id"]): t["service"] for t in place["tests"]}
        facts = case.plan.document["provenance"] if case.plan and lines else ()
        for row in case.plan.document["list"] if facts else ():
            key = (row["region"], row["indication_id"], row["biomarker_id"])
            if key in lines:
                asked = {**row, "services": [{"service": services[key]}], "therapies": [{"therapy": lines[key]["therapy"]}]}
                named |= {s for f in facts_of(asked, case.plan, evidence, facts) for s in f["source_id"].split(";")}
    return [{k: r.get(k) for k in ("source_id", "citation", "doi", "url")} for r in evidence.records("sources")
            if r["source_id"] in named]
