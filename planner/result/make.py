"""Problem to plan: solve, sweep, strike out, judge, and write it all down once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from planner.errors import Infeasible, Issue
from planner.evidence.base import Evidence
from planner.optimise.conflicts import words
from planner.optimise.resolve import Engine, Optimum
from planner.optimise.sweep import Sweep
from planner.pathway.build import build_problem
from planner.pathway.problem import MEASURES, Problem
from planner.result import laboratory, priority, views
from planner.result.chain import chain
from planner.result.plan import SCHEMA, Plan
from planner.result.readout import SECOND_BIOPSY, Line, Readout, read
from planner.result.reasons import FUNDED
from planner.result.solution import solution
from planner.result.ties import find_ties
from planner.result.warnings import warnings
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
    wanted = {(code, use_case): share for code, _ in engine.problem.places
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
            "frontier_axis": self.axis, "blind_spending": self.engine.formulation.blind_spending[0],
            "threshold": {"value": self.problem.threshold, "source": self.problem.threshold_source,
                          "quality": self.problem.threshold_quality},
            "currency": {"code": self.problem.currency, "per_usd": self.problem.per_usd},
            "solver": self._solver(),
            "binding": self._binding(ranked), "totals": self._totals(self.readout),
            "reference": self._reference(), "list": rows, "by_biomarker": views.by_biomarker(rows),
            "by_test": views.by_test(self.readout, self.evidence), "do_not_buy": views.do_not_buy(rows),
            **self._laboratory(),
            "shadow_prices": {
                name: self._shadow(name, price) for name, price in sorted(self.optimum.shadow_prices.items())
            },
            "by_region": self._by_region(), "by_year": self._by_year(), "ties": find_ties(self.engine, self.optimum),
            "warnings": warnings(self, ranked),
            "solution": solution(self.engine, self.optimum.plan.values),
            "provenance": [views.provenance(f) for f in self.problem.facts],
            "frontier": [{"budget": p.budget, "value": p.value} for p in self.sweep.points],
        }
        return Plan(self.scenario, self.problem, document, self.sweep)

    def _solver(self) -> dict:
        """How the solving ended; ``gap``: share of the best health that a longer search could still add at most."""
        settled, seconds = self.engine.settled, self.optimum.best.status.seconds + self.optimum.plan.status.seconds
        return {
            "name": "HiGHS", "status": settled.status if settled else self.optimum.best.status.name,
            "gap": self.engine.gap, "bound": settled.bound if settled else None,
            "seconds": seconds + (settled.seconds if settled else 0.0),
        }

    def _laboratory(self) -> dict:
        """Instruments, people and tests of the laboratory, a mean year."""
        values = self.optimum.plan.values / self.problem.years
        lab = self.problem.laboratory
        return {
            "costing": self.scenario.laboratory.costing,
            "laboratory": laboratory.platforms(self.engine, values, self.readout.tests, self.evidence),
            "staff": laboratory.staff(self.engine, values), "home_tests": self.home_tests,
            "not_at_home": [{"assay": a, "text": why} for a, why in lab.refused] if lab else [],
        }

    @cached_property
    def home_tests(self) -> list[dict]:
        return laboratory.home_tests(self.engine, self.optimum.plan.values / self.problem.years)

    def _shadow(self, name: str, price: float) -> dict:
        """Value of one more unit of a limit. In QALYs and dollars only where it is both."""
        unit = {"budget": "USD", "people": "minute", "capacity": "run"}.get(name.partition("_")[0], "course")
        both = unit == "USD" and self.scenario.objective in ("qalys", "net_health") and not self.scenario.equity.weights
        return {"value_per_unit": price, "unit": unit, "objective": self.scenario.objective,
                "qalys_per_usd": price if both else None,
                "usd_per_qaly": 1 / price if both and price > 0 else None}

    # -- the list --------------------------------------------------------------------------------

    def reference_budget(self) -> float:
        """The budget called 100 %: the scenario's, or the plan's own spending on the axis."""
        limit = self.scenario.limit(self.axis, 0)
        return self.reference_spending() if limit is None else limit

    def reference_spending(self) -> float:
        """The plan's own spending on the axis, in the user's terms, USD a year."""
        testing = sum(line.testing_cost for line in self.readout.lines.values())
        named = self.scenario.budget.payers
        treatment = sum(line.cost_by_payer[z] for line in self.readout.lines.values() for z in named)
        spent = {"testing": testing, "treatment": treatment, "total": testing + treatment}[self.axis]
        return spent + self.engine.offset(self.axis)

    def _judge(self) -> list[priority.Judged]:
        reference = self.reference_budget()
        funded = [key for key in self.engine.keys if self.readout.lines[key].coverage > FUNDED]
        critical = {} if self.given else self.engine.criticality(self.optimum, funded)
        full = self._full_budgets()
        context = self._context()
        return [
            priority.judge(u, i, self.readout.lines[key],
                           priority.standing(self.sweep, key, self.engine.attainable(u), reference),
                           self.problem.threshold, self.engine.attainable(u), self._critical(critical, key),
                           context | {"full": full.get(key)}, self._by_itself(key))
            for key, (u, i) in self.use_cases.items()
        ]

    def _by_itself(self, key) -> priority.ByItself:
        """What a line is worth by itself: no budget changes it, so that the engine keeps it."""
        question = ("by itself", key)
        if question not in self.engine.kept:
            self.engine.kept[question] = priority.by_itself(*self.use_cases[key], self.problem.threshold)
        return self.engine.kept[question]

    @property
    def given(self) -> bool:
        return self.scenario.mode == "evaluate"

    def _critical(self, critical, key) -> float | None:
        """Unknown for a given list, which nothing re-plans; 0 for what is not funded."""
        return None if self.given else critical.get(key, 0.0 if key in self.engine.keys else None)

    def _full_budgets(self) -> dict[tuple[str, str], tuple[str, float]]:
        """(budget in words, amount) at which a part-funded line is full, on the budget that binds."""
        binding = [n.removeprefix("budget_").rpartition("_")[0] for n, p in self.optimum.shadow_prices.items()
                   if n.startswith("budget_") and p > BINDS]
        part = [key for key in self.engine.keys
                if FUNDED < self.readout.lines[key].coverage < self.engine.attainable(self.use_cases[key][0]) * priority.NEARLY]
        if not binding or not part:
            return {}
        axis = self.axis if self.axis in binding else binding[0]
        sweep = self.sweep if axis == self.axis else self.engine.sweep(axis)
        found = {key: priority.standing(sweep, key, self.engine.attainable(self.use_cases[key][0]), 0.0).full_budget
                 for key in part}
        return {key: (axis, amount) for key, amount in found.items() if amount is not None}

    def _context(self) -> dict:
        prices = self.optimum.shadow_prices
        binding = [({"budget": "money", "people": "people", "capacity": "instruments"}.get(n.partition("_")[0], "supply"),
                    words(n), p) for n, p in sorted(prices.items()) if p > BINDS]
        in_qalys = self.scenario.objective == "qalys" and not self.scenario.equity.weights
        return {
            "gate": self.scenario.evidence_gate.level, "binding": binding, "measure": self._measure(),
            "cut_off": max((p for n, p in prices.items() if n.startswith("budget_testing")), default=None)
            if in_qalys else None,
            "mode": self.scenario.access.mode, "given": dict(self.scenario.evaluate) if self.given else None,
            "coverage": {key: line.coverage for key, line in self.readout.lines.items()},
            "short_names": {u.biomarker: self.evidence.record("biomarkers", biomarker_id=u.biomarker)["short_name"]
                            for u, _ in self.use_cases.values()},
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
            "gate": {"passed": u.gated, "level": u.level, "level_basis": views.level_basis(u),
                     "escat": views.first(t.escat for t in u.therapies), "escat_basis": views.first(
                         t.escat_basis for t in u.therapies), "mcbs": views.first(t.mcbs for t in u.therapies),
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
            "drugs_above_threshold": views.dear(j, self.problem.threshold), "price_that_pays": views.price(j),
            "qalys_potential": priority.potential(j),
            "price_of_mandate": self._price_of_mandate(u), "drugs": views.drugs(u),
            "reaches": views.reaches(j, self.scenario.access.mode),
            "entry_budget": j.standing.entry_budget, "full_budget": j.full_budget,
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
            "tests_done": sum(t["samples"] for key, t in readout.tests.items() if key[0] != SECOND_BIOPSY),
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

    def _price_of_mandate(self, u) -> dict | None:
        """What a must costs: the objective gained if this mandate alone were lifted, and its money."""
        if not u.must_fund or not u.active or self.given:
            return None
        rows = self.engine.floors((u.region, u.id))
        line = self.readout.lines[u.region, u.id]
        return {"value": max(0.0, self.engine.lifted(rows) - self.optimum.value),
                "objective": self.scenario.objective, "usd": line.testing_cost}

    def _reference(self) -> dict:
        """Today's practice where it is known; what is unknown stays unknown.

        Known is what the evidence tells. Totals count of it what this model can carry out: a line out of the
        gate, or without a test here, is known and not costed.
        """
        solution, costed = self.engine.today()
        cases = sorted(self.problem.use_cases, key=lambda u: (u.region, u.id))
        known = [{"region": u.region, "use_case": u.id, "coverage": u.kap0, "costed": (u.region, u.id) in costed}
                 for u in cases if u.kap0 is not None]
        out = {"known": known, "unknown": [f"{u.region}:{u.id}" for u in self.problem.use_cases if u.kap0 is None]}
        if solution is None:
            told = f"{len(known)} use cases with known coverage, which cannot be costed here" if known \
                else "today's testing is unknown here"
            return out | {"name": NO_TESTING, "totals": None, "note": f"{told}; every figure is against no testing"}
        left = sum(not k["costed"] for k in known)
        aside = f" ({left} of them cannot be costed here and {'is' if left == 1 else 'are'} left out)" if left else ""
        return out | {
            "name": "today, where known", "totals": self._totals(read(self.engine, solution.values)),
            "note": f"{len(known)} use cases with known coverage, costed with this model{aside}; the others "
                    "are unknown, not zero",
        }

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
            {"limit": name, "kind": {"budget": "money", "capacity": "instruments"}.get(name.partition("_")[0], "people"),
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


def _sums(lines: list[Line]) -> dict:
    return {
        "qalys": float(np.sum([line.health["qalys"] or 0.0 for line in lines])),
        "testing_cost": sum(line.testing_cost for line in lines),
        "treatment_cost": sum(line.treatment_cost for line in lines),
        "patients_treated": sum(line.patients_treated for line in lines),
    }
