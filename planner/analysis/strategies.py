"""All ways of testing for one indication side by side: what they cost, find, miss and bring.

Each strategy is carried out by the one formulation, with everything else forbidden and no budget: all eligible
patients that can be reached are worked up its way, the drugs go where access allows. Rows are per year of the setting;
ratios are incremental among the strategies (:mod:`planner.analysis.dominance`), and against today where it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from planner.analysis.break_even import by_number, by_volume, volume
from planner.analysis.dominance import STATUS, ladder
from planner.analysis.study import Analysis, Progress, Study, figure, lowered, money, silent
from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.optimise.laboratory import most_at_home
from planner.optimise.resolve import Engine
from planner.optimise.row import NONE
from planner.pathway.laboratories import HUB, PLACES, SEND_OUT
from planner.pathway.problem import Indication, ServiceOption, UseCase
from planner.result.readout import MINUTES, read
from planner.scenario.faults import nearest
from planner.scenario.model import MOST_USD, Scenario

NOTHING, TODAY = "no testing", "today, where known"
NUDGE = 1e-9  # QALYs for a result taken: results are taken although they bring nothing


@dataclass(frozen=True)
class Strategy:
    """A way to test: a base (or none), and a single test for each biomarker that the base does not answer."""

    name: str
    base: ServiceOption | None
    singles: Mapping[str, ServiceOption]
    kind: str  # nothing, today, singles, panel, pathway
    place: str = ""


def strategies(scenario: Scenario, evidence: Evidence, indication: str, progress: Progress = silent) -> Analysis:
    """Strategies of one indication.

    Tables: ``strategies`` (one row each), ``biomarkers`` (strategy x biomarker), ``by_number`` (panel against single
    tests by number of biomarkers), ``by_volume`` and ``break_even`` (own laboratory against others; only where tests
    are costed by their parts). Raises BadInput for an unknown indication, or one with nothing to test.
    """
    study = Study(scenario, evidence)
    ind = _indication(study, indication)
    engine = Engine(replace(study.problem, indications=(ind,), laboratory=None), _free(scenario))
    cases = _cases(engine, ind)
    wanted = list(_strategies(ind, cases))
    rows, told = [], []
    for n, s in enumerate(wanted):
        progress(n / (len(wanted) + 1), f"strategy {n + 1} of {len(wanted)}")
        values = _carried_out(engine, ind, s)
        if values is not None:
            rows.append(_row(study, engine, ind, cases, s, values))
            told += _biomarkers(study, engine, ind, s, values)
    known = _today(study, engine, ind, cases)
    if known:
        rows.append(known)
    compared(rows, known or rows[0], study.problem.threshold)
    singles = {b: s.singles[b] for s in wanted if s.kind == "singles" for b in s.singles}
    order = sorted(singles, key=lambda b: (-_worth(engine, ind, b), b))
    people = {u.biomarker: u.subgroup for u in cases}
    tables = {"strategies": rows, "biomarkers": told, "by_number": by_number(ind, order, singles, people),
              **_volumes(study, ind)}
    settings = {"indication": indication, "threshold": study.problem.threshold, "costing": scenario.laboratory.costing}
    return study.answer("strategies", settings, _words(study, ind, rows, tables), tables)


def _free(scenario: Scenario) -> Scenario:
    """The scenario without limits, mandates and preferences: strategies are compared as they are."""
    return scenario.model_copy(update={
        "budget": scenario.budget.model_copy(update={"testing": None, "treatment": MOST_USD if scenario.access.buy else None,
                                                     "total": None, "basis": "all"}),
        "policy": scenario.policy.model_copy(update={"must_fund": ()}),
        "laboratory": scenario.laboratory.model_copy(update={f"{c}": None for c in MINUTES}),
        "objective": "qalys", "equity": scenario.equity.model_copy(update={"weights": {}}),
    })


def _indication(study: Study, name: str) -> Indication:
    known = {i.indication: i for i in study.problem.indications}
    if name not in known:
        raise BadInput([Issue(f"--indication {name}", "unknown indication", nearest(name, known) + ", or `all`", "unknown_id")])
    ind = known[name]
    if ind.eligible <= 0:
        raise BadInput([Issue(f"--indication {name}", "it has no eligible patients here",
                              "choose another, or give its yearly cases", "no_patients")])
    return ind


def _cases(engine: Engine, ind: Indication) -> list[UseCase]:
    taken = {k.use_case.biomarker for k in engine.formulation.taken}
    if not taken:
        raise BadInput([Issue(f"--indication {ind.indication}", "no biomarker of it can be planned here",
                              "see its lines in the plan for what is missing", "nothing_to_test")])
    return [u for u in ind.use_cases if u.biomarker in taken]


# -- which strategies there are ----------------------------------------------------------------------------


def _strategies(ind: Indication, cases: list[UseCase]) -> Iterable[Strategy]:
    """No testing; single tests the cheapest and the most accurate way, by place; every panel and pathway of several
    biomarkers, by itself and with single tests for the rest."""
    yield Strategy(NOTHING, None, {}, "nothing")
    places = sorted({s.place for s in ind.services})
    for place in places:
        for how, words in ((_cheapest, "the cheapest"), (_surest, "the most accurate")):
            singles = {u.biomarker: s for u in cases if (s := how(_singles(ind, u.biomarker, place)))}
            if singles:
                yield Strategy(f"single tests, {words}{_at(place)}", None, singles, "singles", place)
    for base in _bases(ind):
        rest = {u.biomarker: s for u in cases if not base.result(u.biomarker)
                and (s := _cheapest(_singles(ind, u.biomarker, base.place) or _singles(ind, u.biomarker, None)))}
        kind = "panel" if len(base.assays) == 1 else "pathway"
        yield Strategy(base.name, base, {}, kind, base.place)
        if rest:
            yield Strategy(f"{base.name}, and single tests for the rest", base, rest, kind, base.place)


def _at(place: str) -> str:
    return f" ({PLACES[place]})" if place in PLACES else ""


def _singles(ind: Indication, biomarker: str, place: str | None) -> list[ServiceOption]:
    return [s for s in ind.services if s.kind == "single" and (r := s.result(biomarker)) and r.se + r.sp > 1
            and (place is None or s.place == place)]


def _bases(ind: Indication) -> list[ServiceOption]:
    """Bases, one for each family and place: of its schedules the cheapest per result in time."""
    best: dict[tuple[str, str], ServiceOption] = {}
    for s in (s for s in ind.services if s.kind == "base"):
        key = (s.family, s.place)
        if key not in best or _per_result(s) < _per_result(best[key]):
            best[key] = s
    return [best[k] for k in sorted(best)]


def _per_result(s: ServiceOption) -> float:
    return s.cost / max(1e-12, sum(r.eta for r in s.results))


def _cheapest(options: list[ServiceOption]) -> ServiceOption | None:
    return min(options, key=lambda s: (_per_result(s), s.service), default=None)


def _surest(options: list[ServiceOption]) -> ServiceOption | None:
    return max(options, key=lambda s: (max(r.eta * (r.se + r.sp - 1) for r in s.results), s.service), default=None)


# -- one strategy, carried out ------------------------------------------------------------------------------


def _carried_out(engine: Engine, ind: Indication, s: Strategy) -> np.ndarray | None:
    """The variables where everybody who can be reached is worked up this way; None where it is impossible."""
    f, model = engine.formulation, engine.model
    name = s.base.service if s.base else NONE
    closed, results = [], []
    for k in f.taken:
        chosen = s.base if s.base and s.base.result(k.source.biomarker) else s.singles.get(k.source.biomarker)
        mine = s.kind != "nothing" and k.source.base == name and chosen is not None and k.source.service == chosen.service
        (results if mine else closed).append(engine.column(k.q))
    others = [engine.column(y) for key, y in f.y.items() if key[2] != name or s.kind == "nothing"]
    work_up = [engine.column(T) for T in f.T.values()]
    top = max((u.kap for u in ind.use_cases), default=0.0)
    upper = np.asarray(engine.arrays[2].col_upper_, float)
    cost = engine.value_cost.copy()
    cost[results] -= NUDGE * ind.eligible
    try:
        model.set_columns(closed + others, 0.0, 0.0)
        share = 0.0 if s.kind == "nothing" else min(top, *(upper[c] for c in work_up))
        model.set_columns(work_up, share, share)
        model.set_cost(cost)
        solution = model.solve()
        return solution.values if solution.status.has_solution else None
    finally:
        everything = np.array(closed + others + work_up, int)
        model.set_column_bounds(everything, np.asarray(engine.arrays[2].col_lower_, float)[everything], upper[everything])
        model.set_cost(engine.value_cost)


def _row(study: Study, engine: Engine, ind: Indication, cases: list[UseCase], s: Strategy, values: np.ndarray) -> dict:
    found = _outcome(study, engine, ind, values)
    slides, minutes = burden(engine, values)
    row = {"strategy": s.name, "kind": s.kind, "place": PLACES.get(s.place, ""),
           "biomarkers": len(found["answered"]), "base": s.base.service if s.base else "",
           "tests": "; ".join(sorted({o.name for o in s.singles.values()})), **found, "slides": slides, **minutes}
    row.pop("answered")
    return row


def _outcome(study: Study, engine: Engine, ind: Indication, values: np.ndarray) -> dict:
    """People, money and health of one solution, a year."""
    out = read(engine, values)
    lines = [line for line in out.lines.values() if line.coverage > 1e-9]
    counts = [counted(k, float(values[engine.column(k.q)])) for k in engine.formulation.taken]
    total = {name: sum(c[name] for c in counts) for name in ("results", "true", "missed", "wrong", "asked", "days")}
    testing = sum(line.testing_cost for line in lines)
    qalys = sum(line.health["qalys"] or 0.0 for line in lines)
    treated = sum(line.patients_treated for line in lines)
    treatment = sum(line.incremental_cost for line in lines)
    return {
        "answered": {line.use_case for line in lines}, "patients": out.patients_tested, "testing_cost": testing,
        "cost_per_patient": over(testing, out.patients_tested), "results": total["results"],
        "results_in_time": over(total["results"], total["asked"]), "cost_per_result": over(testing, total["results"]),
        "days": over(total["days"], total["results"]), "positives_true": total["true"], "positives_missed": total["missed"],
        "positives_wrong": total["wrong"], "cost_per_positive": over(testing, total["true"]),
        "patients_treated": treated, "cost_per_treated": over(testing, treated), "treatment_cost": treatment,
        "total_cost": testing + treatment, "qalys": qalys,
        "net_health": qalys - (testing + treatment) / study.problem.threshold,
        "cost_is_upper_bound": not all(line.exact_cost for line in lines),
    }


def counted(k, q: float) -> dict[str, float]:
    """Results in time, true, missed and wrong positives of one taken result, in the laboratory's wording."""
    asked, r, pi = k.use_case.asked(k.indication.eligible) * q, k.option.result(k.source.biomarker), k.use_case.asked_prevalence
    true = asked * r.eta * pi * r.se
    return {"asked": asked, "results": asked * r.eta, "true": true, "missed": asked * pi - true,
            "wrong": asked * r.eta * (1 - pi) * (1 - r.sp), "days": asked * r.eta * r.turnaround_days}


def burden(engine: Engine, values: np.ndarray) -> tuple[float, dict[str, float]]:
    """(slides of tissue per patient worked up, minutes of people a year by cadre)."""
    slides, minutes = 0.0, dict.fromkeys(MINUTES, 0.0)
    eligible = {(i.region, i.indication): i.eligible for i in engine.problem.indications}
    people = max(1e-12, sum(eligible[key[:2]] * float(values[engine.column(T)]) for key, T in engine.formulation.T.items()))
    for count, variable, option in engine.formulation.delivered(0):
        done = count * float(values[engine.column(variable)])
        slides += done * option.slides
        for cadre in MINUTES:
            minutes[cadre] += done * getattr(option, cadre)
    return slides / people, minutes


def over(a: float, b: float) -> float | None:
    return a / b if b > 1e-12 else None


def _biomarkers(study: Study, engine: Engine, ind: Indication, s: Strategy, values: np.ndarray) -> list[dict]:
    """What a strategy tells about each biomarker."""
    out = []
    for k in engine.formulation.taken:
        q = float(values[engine.column(k.q)])
        if q <= 1e-9:
            continue
        r, counts = k.option.result(k.source.biomarker), counted(k, q)
        label = study.label((k.source.region, k.use_case.id))
        out.append({
            "strategy": s.name, **label, "service": k.option.name, "asked": counts["asked"], "in_time": r.eta,
            "usable": r.usable, "sensitivity": r.se if r.sensitivity is None else r.sensitivity,
            "specificity": r.sp if r.specificity is None else r.specificity, "days": r.turnaround_days,
            "positives_true": counts["true"], "positives_missed": counts["missed"], "positives_wrong": counts["wrong"],
        })
    return out


def _today(study: Study, engine: Engine, ind: Indication, cases: list[UseCase]) -> dict | None:
    """Today's practice in this indication, where it is known."""
    solution, _ = engine.today()
    if solution is None:
        return None
    return _row(study, engine, ind, cases, Strategy(TODAY, None, {}, "today"), solution.values)


# -- side by side -------------------------------------------------------------------------------------------


def compared(rows: list[dict], reference: dict, threshold: float) -> None:
    """Into each row: incremental ratios among them, what is dominated, and the difference to the reference."""
    steps = ladder([r["strategy"] for r in rows], [r["total_cost"] for r in rows], [r["qalys"] for r in rows])
    best = steps.best(threshold)
    for r in rows:
        found = steps.row(r["strategy"])
        gained, added = r["qalys"] - reference["qalys"], r["total_cost"] - reference["total_cost"]
        r |= {"status": found.status, "status_words": STATUS[found.status], "against": found.against, "icer": found.icer,
              "reference": reference["strategy"], "qalys_to_reference": gained, "cost_to_reference": added,
              "icer_to_reference": added / gained if gained > 1e-9 and added > 0 else None,
              "best_at_threshold": r["strategy"] == best}


def _worth(engine: Engine, ind: Indication, biomarker: str) -> float:
    """QALYs of one more result for a biomarker: the order in which single tests are added."""
    return max((-float(engine.value_cost[engine.column(v)]) for k in engine.formulation.taken
                if k.source.biomarker == biomarker for _, v in k.x), default=0.0)


def _volumes(study: Study, ind: Indication) -> dict[str, list[dict]]:
    """Own laboratory against the others, for the tests of the indication."""
    home = study.problem.laboratory
    if home is None:
        return {"by_volume": [], "break_even": []}
    elsewhere, most = prices(study.problem.indications), most_at_home(study.problem.indications)
    curve, points = [], []
    for assay in sorted({u.assay for s in ind.services for u in s.assays}):
        a, others = home.assay(assay), elsewhere.get(assay, {})
        if a is None or not others or assay not in most:
            continue
        curve += by_volume(home, a, others, home.transport)
        points += [{"assay": assay, "name": a.name, "elsewhere": PLACES[place], "price": price,
                    "break_even": volume(home, a, price, home.transport), "most_here": most[assay]}
                   for place, price in sorted(others.items())]
    return {"by_volume": curve, "break_even": points}


def prices(indications: Iterable[Indication]) -> dict[str, dict[str, float]]:
    """Price per sample of every test in each laboratory elsewhere, with transport."""
    out: dict[str, dict[str, float]] = {}
    for s in (s for i in indications for s in i.services):
        for u in s.assays:
            if u.place in (HUB, SEND_OUT) and not u.home and u.runs > 0:
                out.setdefault(u.assay, {})[u.place] = u.cost / u.runs
    return out


def _words(study: Study, ind: Indication, rows: list[dict], tables: Mapping) -> list[str]:
    best = next(r for r in rows if r["best_at_threshold"])
    most = max(rows, key=lambda r: (r["qalys"], -r["total_cost"]))
    name = lowered(ind.name)
    words = [f"In {name}, {len(rows)} ways to test are compared for {figure(ind.eligible)} eligible people a year. At "
             f"{money(study.problem.threshold)} per healthy year the best is: {best['strategy']}"
             + (f" ({money(best['cost_per_patient'])} per patient tested, {figure(best['qalys'])} healthy years a year)."
                if best["cost_per_patient"] else ".")]
    if most is not best:
        words.append(f"The most health, {figure(most['qalys'])} healthy years a year, comes from: {most['strategy']}, at "
                     f"{money(most['total_cost'])} a year for tests and treatment together.")
    early = [r for r in tables["by_number"] if r["break_even"] is not None]
    if early:
        first = min(early, key=lambda r: (r["break_even"], r["panel_cost"]))
        words.append(f"{first['name']} costs no more than single tests from {first['break_even']} "
                     f"biomarker{'s' if first['break_even'] > 1 else ''} on.")
    elif tables["by_number"]:
        words.append("No panel here costs as little as the single tests that it would replace.")
    return words
