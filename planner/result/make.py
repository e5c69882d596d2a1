"""Problem to plan: solve, sweep, strike out, judge, and write it all down once."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from planner.evidence.base import Evidence
from planner.optimise.conflicts import words
from planner.optimise.resolve import Engine, Optimum
from planner.optimise.sweep import Sweep
from planner.pathway.build import build_problem
from planner.pathway.problem import MEASURES, Problem
from planner.result import priority
from planner.result.chain import chain
from planner.result.plan import SCHEMA, Plan
from planner.result.readout import Line, Readout, read
from planner.result.ties import find_ties
from planner.scenario.model import PAYERS, Scenario

NO_TESTING = "no testing"


def make_plan(scenario: Scenario, evidence: Evidence, model_version: str, problem: Problem | None = None,
              ) -> Plan:
    """Plan a scenario. Raises BadInput for faults of the input, Infeasible for impossible limits."""
    problem = problem or build_problem(evidence, scenario)
    engine = Engine(problem, scenario)
    return plan_from_engine(engine, evidence, model_version)


def plan_from_engine(engine: Engine, evidence: Evidence, model_version: str) -> Plan:
    """The plan of an engine's present limits (the app keeps one engine and moves a budget).

    Bases are forgotten first, so that page, command line and Python give the same plan to the byte.
    """
    engine.reset()
    if engine.scenario.mode == "evaluate":
        return _Maker(engine, evidence, model_version, evaluated(engine)).plan()
    return _Maker(engine, evidence, model_version, engine.optimum()).plan()


def evaluated(engine: Engine) -> Optimum:
    """A given list, not optimised, in the form of an optimum without shadow prices."""
    from planner.errors import Infeasible, Issue

    region = engine.problem.places
    wanted = {(code, use_case): share for code, _ in region
              for use_case, share in engine.scenario.evaluate.items()}
    solution = engine.evaluate(wanted)
    if solution is None:
        raise Infeasible([Issue("evaluate", "the list cannot be carried out as given",
                                "lower a coverage: a test cannot be read without its prerequisite")])
    return Optimum(solution, solution, -solution.objective, {}, 2)


class _Maker:
    def __init__(self, engine: Engine, evidence: Evidence, model_version: str, optimum: Optimum):
        self.engine, self.evidence, self.optimum = engine, evidence, optimum
        self.problem, self.scenario = engine.problem, engine.scenario
        self.version = model_version
        self.readout = read(engine, optimum.plan.values)
        self.axis = self.scenario.frontier.axis
        self.sweep: Sweep = engine.sweep(self.axis)
        self.use_cases = {(u.region, u.id): (u, i) for i in self.problem.indications for u in i.use_cases}

    def plan(self) -> Plan:
        judged = self._judge()
        ranked = priority.order(judged)
        rows = [self._row(n, j) for n, j in enumerate(ranked, 1)]
        document = {
            "schema": SCHEMA,
            "scenario": self.scenario.model_dump(mode="json"),
            "place": [{"code": c, "name": n} for c, n in self.problem.places],
            "evidence": {"version": self.evidence.version, "sha256": self.evidence.digest},
            "model_version": self.version, "base_year": self.problem.base_year,
            "frontier_axis": self.axis,
            "threshold": {"value": self.problem.threshold, "source": self.problem.threshold_source,
                          "quality": self.problem.threshold_quality},
            "currency": {"code": self.problem.currency, "per_usd": self.problem.per_usd},
            "solver": {"name": "HiGHS", "status": self.optimum.best.status.name, "gap": 0.0,
                       "seconds": self.optimum.best.status.seconds + self.optimum.plan.status.seconds},
            "binding": self._binding(ranked), "totals": self._totals(self.readout),
            "reference": self._reference(), "list": rows, "by_biomarker": self._by_biomarker(rows),
            "by_test": self._by_test(), "do_not_buy": _do_not_buy(rows), "laboratory": [],
            "shadow_prices": {
                name: {"qalys_per_usd": price, "usd_per_qaly": 1 / price if price > 0 else None}
                for name, price in sorted(self.optimum.shadow_prices.items())
            },
            "by_region": self._by_region(), "by_year": self._by_year(), "ties": find_ties(self.engine, self.optimum),
            "provenance": [_provenance(f) for f in self.problem.facts],
            "frontier": [{"budget": p.budget, "value": p.value} for p in self.sweep.points],
        }
        return Plan(self.scenario, self.problem, document, self.sweep)

    # -- the list --------------------------------------------------------------------------------

    def reference_budget(self) -> float:
        """The budget called 100 %: the scenario's, or the plan's own spending on the axis."""
        limit = self.scenario.limit(self.axis, 0)
        if limit is not None:
            return limit
        testing = sum(line.testing_cost for line in self.readout.lines.values())
        named = self.scenario.budget.payers
        treatment = sum(line.cost_by_payer[z] for line in self.readout.lines.values() for z in named)
        blind = self.engine.formulation.blind_spending[0]
        return {"testing": testing, "treatment": treatment + blind, "total": testing + treatment + blind}[self.axis]

    def _judge(self) -> list[priority.Judged]:
        reference = self.reference_budget()
        funded = [key for key in self.engine.keys if self.readout.lines[key].coverage > 1e-7]
        critical = self.engine.criticality(self.optimum, funded)
        context = self._context()
        return [
            priority.judge(u, i, self.readout.lines[key],
                           priority.standing(self.sweep, key, u.kap, reference),
                           self.problem.threshold, critical.get(key, 0.0 if key in self.engine.keys else None),
                           context)
            for key, (u, i) in self.use_cases.items()
        ]

    def _context(self) -> dict:
        prices = self.optimum.shadow_prices
        people = [(words(n), p) for n, p in sorted(prices.items()) if n.startswith("people_") and p > 1e-15]
        return {
            "gate": self.scenario.evidence_gate.level,
            "cut_off": max((p for n, p in prices.items() if n.startswith("budget_testing")), default=None),
            "capacity": people[0] if people else None,
            "coverage": {key: line.coverage for key, line in self.readout.lines.items()},
        }

    def _row(self, rank: int, j: priority.Judged) -> dict:
        u, i, line = j.use_case, j.indication, j.line
        biomarker = self.evidence.record("biomarkers", biomarker_id=u.biomarker)
        return {
            "rank": rank, "region": u.region, "indication_id": u.indication, "biomarker_id": u.biomarker,
            "indication": i.name, "biomarker": biomarker["name"], "short_name": biomarker["short_name"],
            "name": u.name, "priority_tier": j.tier, "report_class": j.report_class,
            "gate": {"passed": u.gated, "level": u.level, "level_basis": _level_basis(u),
                     "escat": _first(t.escat for t in u.therapies), "escat_basis": _first(
                         t.escat_basis for t in u.therapies), "mcbs": _first(t.mcbs for t in u.therapies),
                     "who_eml": any(t.who_eml for t in u.therapies)},
            "funded": j.funded, "mandated": u.must_fund, "coverage": line.coverage,
            "attainable_coverage": u.kap, "coverage_today": u.kap0, "reason": j.reason,
            "services": tuple({"service": s, "share": q} for s, q in sorted(line.services.items())),
            "therapies": tuple({"therapy": t, "treated": n} for t, n in sorted(line.therapies.items())),
            "prevalence": u.prevalence, "prevalence_net": u.prevalence_net,
            "access_share": max((t.alpha for t in u.therapies), default=None),
            "patients_tested": line.patients_tested, "positives_found": line.positives_found,
            "patients_treated": line.patients_treated, "treated_blind": line.treated_blind,
            "qalys": line.health["qalys"],
            "health": {m: line.health[m] for m in MEASURES},
            "testing_cost": line.testing_cost, "treatment_cost": line.treatment_cost,
            "cost_by_payer": dict(line.cost_by_payer), "treated_by_payer": dict(line.treated_by_payer),
            "incremental_cost": line.incremental_cost, "cost_per_qaly": j.cost_per_qaly,
            "cost_per_qaly_ceiling": j.cost_per_qaly_ceiling,
            "price_that_pays": j.price_that_pays if j.tier == "lower_price" else None,
            "entry_budget": j.standing.entry_budget, "full_budget": j.standing.full_budget,
            "earlier_spells": j.standing.earlier_spells,
            "criticality": j.criticality,
            "chain": chain(u, i, line, j.alone), "gap": u.gap,
        }

    # -- totals and the other views ------------------------------------------------------------------

    def _totals(self, readout: Readout) -> dict:
        lines = list(readout.lines.values())
        active = {(i.region, i.indication): i.eligible for i in self.problem.indications
                  if any(not u.gap for u in i.use_cases)}
        health = {m: sum(line.health[m] or 0.0 for line in lines) for m in MEASURES if m != "patients_treated"}
        return {
            "testing_cost": sum(line.testing_cost for line in lines),
            "treatment_cost": sum(line.treatment_cost for line in lines),
            "cost_by_payer": {z: sum(line.cost_by_payer[z] for line in lines) for z in PAYERS},
            **health,
            "patients_eligible": sum(active.values()), "patients_tested": readout.patients_tested,
            "tests_done": sum(t["samples"] for t in readout.tests.values()),
            "positives_found": sum(line.positives_found for line in lines),
            "patients_treated": sum(line.patients_treated for line in lines),
            "without_number": {m: [line.use_case for line in lines if line.health[m] is None and line.coverage > 0]
                               for m in MEASURES},
            "lines_funded": sum(line.coverage > 1e-7 for line in lines),
            "biomarkers_funded": len({key[1].split("/")[1] for key, line in readout.lines.items()
                                      if line.coverage > 1e-7}),
            "indications_funded": len({key[1].split("/")[0] for key, line in readout.lines.items()
                                       if line.coverage > 1e-7}),
        }

    def _reference(self) -> dict:
        """Today's practice where it is known; what is unknown stays unknown."""
        solution, known = self.engine.today()
        unknown = [f"{u.region}:{u.id}" for u in self.problem.use_cases if (u.region, u.id) not in known]
        if solution is None:
            return {"name": NO_TESTING, "totals": None, "known": [], "unknown": unknown,
                    "note": "today's testing is unknown here; every figure is against no testing"}
        today = read(self.engine, solution.values)
        return {
            "name": "today, where known", "totals": self._totals(today), "unknown": unknown,
            "known": [{"region": r, "use_case": u, "coverage": c} for (r, u), c in sorted(known.items())],
            "note": f"{len(known)} use cases with known coverage, costed with this model; the others "
                    "are unknown, not zero",
        }

    def _by_biomarker(self, rows: list[dict]) -> list[dict]:
        groups: dict[str, list[dict]] = defaultdict(list)
        for row in rows:
            groups[row["biomarker_id"]].append(row)
        added = ("patients_tested", "positives_found", "patients_treated", "testing_cost",
                 "treatment_cost", "incremental_cost")
        out = []
        for biomarker, mine in groups.items():
            total = {name: sum(r[name] for r in mine) for name in added}
            known = [r["qalys"] for r in mine if r["qalys"] is not None]
            out.append({
                "biomarker_id": biomarker, "biomarker": mine[0]["biomarker"],
                "short_name": mine[0]["short_name"], "best_rank": min(r["rank"] for r in mine),
                "use_cases": len(mine), "funded": sum(r["funded"] != "no" for r in mine),
                "qalys": sum(known), **total,
            })
        return sorted(out, key=lambda r: r["best_rank"])

    def _by_test(self) -> list[dict]:
        """Tests to buy: samples, money and minutes by assay and laboratory tier; the last row is
        what tested patients need whichever the test, so that the column sums to the total."""
        sums: dict[str, dict] = {}
        for (assay, _), row in sorted(self.readout.tests.items()):
            mine = sums.setdefault(assay, dict.fromkeys(row, 0.0))
            for name, amount in row.items():
                mine[name] += amount
        out = []
        for assay, row in sums.items():
            record = self.evidence.record("assays", assay_id=assay)
            out.append({"assay": assay, "name": record["name"], "laboratory": record["laboratory_tier"],
                        **row, "minutes": row["technician_minutes"] + row["pathologist_minutes"]})
        out.sort(key=lambda r: (-r["cost"], r["assay"]))
        if self.readout.workup_cost > 0:
            out.append({"assay": "work_up", "name": "Work-up of tested patients (retrieval, sections, transport)",
                        "laboratory": "", "samples": 0.0, "cost": self.readout.workup_cost,
                        "technician_minutes": 0.0, "pathologist_minutes": 0.0, "minutes": 0.0})
        return out

    def _by_region(self) -> list[dict]:
        out = []
        for code, name in self.problem.places:
            mine = [line for (r, _), line in self.readout.lines.items() if r == code]
            out.append({"region": code, "name": name, **_sums(mine)})
        return out

    def _by_year(self) -> list[dict]:
        """Money and health of each year of the plan."""
        f, values, out = self.engine.formulation, self.optimum.plan.values, []
        for t in range(self.problem.years):
            testing = self.engine.vector(f.testing[t]) @ values
            treatment = self.engine.vector(f.spending(t, PAYERS)) @ values
            out.append({"year": t + 1, "testing_cost": float(testing), "treatment_cost": float(treatment)})
        return out

    def _binding(self, ranked: list[priority.Judged]) -> list[dict]:
        """What limits the plan: money, people, and drugs that are not reachable."""
        out = [
            {"limit": name, "kind": "money" if name.startswith("budget_") else "people",
             "text": words(name), "shadow_price": price}
            for name, price in sorted(self.optimum.shadow_prices.items()) if price > 1e-15
        ]
        waiting = [j.use_case.id for j in ranked if j.tier == "when_drug"]
        short = [j.use_case.id for j in ranked if j.funded != "no" and j.use_case.therapies
                 and max(t.alpha for t in j.use_case.therapies) < max(t.amax for t in j.use_case.therapies)]
        if waiting or short:
            out.append({"limit": "drugs", "kind": "drugs", "text": "drugs that are not reachable for all",
                        "shadow_price": None, "waiting": waiting, "short": short})
        return out


def _sums(lines: list[Line]) -> dict:
    return {
        "qalys": float(np.sum([line.health["qalys"] or 0.0 for line in lines])),
        "testing_cost": sum(line.testing_cost for line in lines),
        "treatment_cost": sum(line.treatment_cost for line in lines),
        "patients_treated": sum(line.patients_treated for line in lines),
    }


def _do_not_buy(rows: list[dict]) -> list[dict]:
    """Tests that should not be bought now, with the figure that speaks against them."""
    out = []
    for row in rows:
        if row["priority_tier"] in ("core", "expand") or row["funded"] != "no":
            continue
        out.append({"rank": row["rank"], "indication_id": row["indication_id"],
                    "biomarker_id": row["biomarker_id"], "name": row["name"],
                    "priority_tier": row["priority_tier"],
                    "reason_code": (row["reason"] or {}).get("code", ""),
                    "text": (row["reason"] or {}).get("text", "")})
    return out


def _provenance(fact) -> dict:
    return {"parameter": fact.parameter, "key": fact.key, "value": fact.value, "unit": fact.unit,
            "low": fact.low, "high": fact.high, "level": fact.level, "stratum": fact.stratum,
            "source_id": ";".join(fact.source_ids), "quality": fact.quality, "note": fact.note}


def _level_basis(u) -> str:
    return _first(t.level_basis for t in u.therapies if t.level == u.level) or u.level_basis


def _first(items) -> str:
    return next((i for i in items if i), "")
