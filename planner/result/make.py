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
from planner.result.reasons import FUNDED
from planner.result.ties import find_ties
from planner.scenario.model import PAYERS, Scenario

NO_TESTING = "no testing"
BINDS = 1e-15  # shadow prices below are the solver's rounding


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
                name: self._shadow(name, price) for name, price in sorted(self.optimum.shadow_prices.items())
            },
            "by_region": self._by_region(), "by_year": self._by_year(), "ties": find_ties(self.engine, self.optimum),
            "warnings": self._warnings(ranked),
            "provenance": [_provenance(f) for f in self.problem.facts],
            "frontier": [{"budget": p.budget, "value": p.value} for p in self.sweep.points],
        }
        return Plan(self.scenario, self.problem, document, self.sweep)

    def _shadow(self, name: str, price: float) -> dict:
        """Value of one more unit of a limit. In QALYs and dollars only where it is both."""
        unit = "USD" if name.startswith("budget_") else "minute" if name.startswith("people_") else "course"
        both = unit == "USD" and self.scenario.objective in ("qalys", "net_health")
        return {"value_per_unit": price, "unit": unit, "objective": self.scenario.objective,
                "qalys_per_usd": price if both else None,
                "usd_per_qaly": 1 / price if both and price > 0 else None}

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
        funded = [key for key in self.engine.keys if self.readout.lines[key].coverage > FUNDED]
        critical = self.engine.criticality(self.optimum, funded)
        context = self._context()
        return [
            priority.judge(u, i, self.readout.lines[key],
                           priority.standing(self.sweep, key, self._attainable(u), reference),
                           self.problem.threshold, self._attainable(u),
                           critical.get(key, 0.0 if key in self.engine.keys else None), context)
            for key, (u, i) in self.use_cases.items()
        ]

    def _attainable(self, u) -> float:
        """The largest coverage that limits other than money allow: kap, growth over the years, and in
        selective mode the share with access (mean over the years of the plan)."""
        top = u.kap
        if self.scenario.access.mode == "selective" and u.therapies:
            top = min(top, self.engine.formulation.reach(u))
        ramp = self.scenario.coverage.ramp_per_year
        if ramp is None:
            return top
        years = range(1, self.problem.years + 1)
        return sum(min(top, (u.kap0 or 0.0) + ramp * t) for t in years) / len(years)

    def _context(self) -> dict:
        prices = self.optimum.shadow_prices
        binding = [("money" if n.startswith("budget_") else "people" if n.startswith("people_") else "supply",
                    words(n), p) for n, p in sorted(prices.items()) if p > BINDS]
        in_qalys = self.scenario.objective == "qalys"
        return {
            "gate": self.scenario.evidence_gate.level, "binding": binding, "measure": self._measure(),
            "cut_off": max((p for n, p in prices.items() if n.startswith("budget_testing")), default=None)
            if in_qalys else None,
            "axis_binds": any(n.startswith(f"budget_{self.axis}") and p > BINDS for n, p in prices.items()),
            "coverage": {key: line.coverage for key, line in self.readout.lines.items()},
        }

    def _measure(self) -> str:
        """The measure of health behind the objective."""
        return "qalys" if self.scenario.objective == "net_health" else self.scenario.objective

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
            "attainable_coverage": j.attainable, "subgroup": u.subgroup, "coverage_today": u.kap0, "reason": j.reason,
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
            "cost_per_qaly_where_it_pays": j.pays.cost_per_qaly if j.pays else None,
            "drugs_above_threshold": _dear(j), "price_that_pays": _price(j),
            "qalys_potential": priority.potential(j),
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
            "without_number": {m: sorted(line.use_case for line in lines if line.health[m] is None)
                               for m in MEASURES},
            **self._value(lines, health["qalys"]),
            "treated_blind": sum(line.treated_blind for line in lines),
            "lines_funded": sum(line.coverage > FUNDED for line in lines),
            "biomarkers_funded": len({key[1].split("/")[1] for key, line in readout.lines.items()
                                      if line.coverage > FUNDED}),
            "indications_funded": len({key[1].split("/")[0] for key, line in readout.lines.items()
                                       if line.coverage > FUNDED}),
        }

    def _value(self, lines: list[Line], qalys: float) -> dict:
        """Value for money of the whole plan: incremental cost with tests, per QALY and as net health.

        Where a comparator has no price the cost is an upper bound, and it says so.
        """
        cost = sum(line.testing_cost + line.incremental_cost for line in lines)
        return {
            "incremental_cost": sum(line.incremental_cost for line in lines),
            "cost_per_qaly": cost / qalys if qalys > 1e-9 else None,
            "net_health": qalys - cost / self.problem.threshold,
            "cost_is_upper_bound": not all(line.exact_cost for line in lines if line.coverage > 0),
        }

    def _warnings(self, ranked: list[priority.Judged]) -> list[dict]:
        """What a reader must not miss: funded lines above the threshold, budgets already spent blind."""
        out = []
        above = [j for j in ranked if j.funded != "no" and j.pays is None]
        if above:
            money = sum(j.line.testing_cost for j in above)
            out.append({"code": "funded_above_threshold", "figure": money, "unit": "USD a year",
                        "lines": [j.use_case.id for j in above],
                        "text": f"{len(above)} funded lines cost more per healthy year than the threshold"})
        for axis in ("treatment", "total"):
            limit = self.scenario.limit(axis, 0)
            blind = self.engine.formulation.blind_spending[0]
            if limit is not None and self.scenario.budget.basis == "all" and blind > limit:
                out.append({"code": "blind_above_budget", "figure": blind, "unit": "USD a year", "lines": [],
                            "text": f"treatment without tests already costs US$ {blind:,.0f} a year, more than "
                                    f"the {axis} budget"})
        return out

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
            for name, price in sorted(self.optimum.shadow_prices.items()) if price > BINDS
        ]
        waiting = [j.use_case.id for j in ranked if j.tier == "when_drug"]
        short = [j.use_case.id for j in ranked if j.funded != "no" and j.use_case.therapies
                 and max(t.alpha for t in j.use_case.therapies) < max(t.amax for t in j.use_case.therapies)]
        if waiting or short:
            out.append({"limit": "drugs", "kind": "drugs", "text": "drugs that are not reachable for all",
                        "shadow_price": None, "waiting": waiting, "short": short})
        return out


def _dear(j: priority.Judged) -> tuple[str, ...]:
    """Reachable therapies that the line would do without at the threshold, by name."""
    if j.pays is None:
        return ()
    return tuple(t.name for t in j.use_case.therapies if t.alpha > 0 and t.therapy not in j.pays.therapies)


def _price(j: priority.Judged) -> dict | None:
    if j.price_that_pays is None or j.tier not in ("lower_price", "when_drug"):
        return None
    p = j.price_that_pays
    return {"therapy": p.therapy, "name": p.name, "price": p.price, "course_cost": p.course_cost}


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
