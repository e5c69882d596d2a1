"""All ways of testing for one indication side by side: what they cost, find, miss and bring.

Each strategy is carried out by the one formulation, with everything else forbidden and no budget: all eligible
patients that can be reached are worked up its way, the drugs go where access allows. Rows are per year of the setting;
ratios are incremental among the strategies (:mod:`planner.analysis.dominance`), and against today or no testing
(:mod:`planner.analysis.side_by_side`). Where tests are costed by their parts, what is run at home carries its full cost
(:mod:`planner.analysis.home_cost`), so that it stands beside full prices elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from planner.analysis.break_even import by_number, by_volume, volume
from planner.analysis.home_cost import ALONE, BY_PLAN, HomeCosts, home_costs, people_of
from planner.analysis.side_by_side import (
    NOTHING,
    TODAY,
    Known,
    compared,
    known_today,
    on_known_lines,
    today_words,
    value_words,
)
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

HOME_WORDS = ("What a test costs at home holds reagents, labour, runs, fees and its share of the instruments: on average at the "
              "plan's own volume for what the plan runs there, else as if the laboratory took it up for these patients alone; "
              "what stands there already is not counted again. Elsewhere it is the full price with transport.")
NUDGE = 1e-9  # QALYs for a result taken: results are taken although they bring nothing


@dataclass(frozen=True)
class Strategy:
    """A way to test: a base (or none), and a single test for each biomarker that the base does not answer."""

    name: str
    base: ServiceOption | None
    singles: Mapping[str, ServiceOption]
    kind: str  # nothing, today, singles, panel, pathway
    place: str = ""


@dataclass(frozen=True)
class Question:
    """One indication: its study and engine (samples at home by their own cost alone), what the home laboratory costs in
    full, the use cases, and what is known of today."""

    study: Study
    engine: Engine
    ind: Indication
    cases: list[UseCase]
    home: HomeCosts
    known: Known
    refused: list[str] = field(default_factory=list)  # ways that the home laboratory cannot run

    def price(self, s: ServiceOption) -> float:
        """USD per patient in full, where everybody who can be reached is tested with it."""
        return self.home.price(s, people_of(self.ind, s))


def strategies(scenario: Scenario, evidence: Evidence, indication: str, progress: Progress = silent) -> Analysis:
    """Strategies of one indication.

    Tables: ``strategies`` (one row each), ``biomarkers`` (strategy x biomarker), ``home_tests`` (strategy x test at
    home: one more sample, and in full), ``by_number`` (panel against single tests by number of biomarkers),
    ``by_volume`` and ``break_even`` (own laboratory against others); those of the home laboratory only where tests
    are costed by their parts. Raises BadInput for an unknown indication, or one with nothing to test.
    """
    study = Study(scenario, evidence)
    ind = _indication(study, indication)
    engine = Engine(replace(study.problem, indications=(ind,), laboratory=None), _free(scenario))
    cases = _cases(engine, ind)
    if study.problem.laboratory is not None:
        progress(0.0, "the whole plan, for what tests cost at home")
    q = Question(study, engine, ind, cases, home_costs(study), known_today(engine))
    wanted = list(_strategies(q))
    rows, told, home = [], [], []
    for n, s in enumerate(wanted):
        progress((n + 1) / (len(wanted) + 2), f"strategy {n + 1} of {len(wanted)}")
        values = _carried_out(engine, ind, s)
        if values is not None and (row := _row(q, s, values, home)) is not None:
            rows.append(row)
            told += _biomarkers(study, engine, ind, s, values)
    known = _today(q)
    if known:
        rows.append(known)
    compared(rows, q.known, study.problem.threshold)
    tables = {"strategies": rows, "biomarkers": told, "home_tests": home, "by_number": _by_number(q), **_volumes(study, ind)}
    settings = {"indication": indication, "threshold": study.problem.threshold, "costing": scenario.laboratory.costing,
                "reference": rows[0]["reference"]}
    return study.answer("strategies", settings, _words(q, rows, tables), tables)


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


def _strategies(q: Question) -> Iterable[Strategy]:
    """No testing; single tests the cheapest and the most accurate way, by place, and each where it costs least; every
    panel and pathway of several biomarkers, by itself and with single tests for the rest."""
    yield Strategy(NOTHING, None, {}, "nothing")
    places = sorted({s.place for s in q.ind.services})
    for place in (*places, None) if len(places) > 1 else places:
        at = " (each where it costs least)" if place is None else f" ({PLACES[place]})" if place in PLACES else ""
        for how, words in ((_cheapest, "the cheapest"), (_surest, "the most accurate"))[:1 if place is None else 2]:
            singles = {u.biomarker: s for u in q.cases if (s := how(q, _singles(q.ind, u.biomarker, place)))}
            if singles:
                yield Strategy(f"single tests, {words}{at}", None, singles, "singles", place or "")
    for base in _bases(q):
        rest = {u.biomarker: s for u in q.cases if not base.result(u.biomarker)
                and (s := _cheapest(q, _singles(q.ind, u.biomarker, None)))}
        kind = "panel" if len(base.assays) == 1 else "pathway"
        yield Strategy(base.name, base, {}, kind, base.place)
        if rest:
            yield Strategy(f"{base.name}, and single tests for the rest", base, rest, kind, base.place)


def _singles(ind: Indication, biomarker: str, place: str | None) -> list[ServiceOption]:
    return [s for s in ind.services if s.kind == "single" and (r := s.result(biomarker)) and r.se + r.sp > 1
            and (place is None or s.place == place)]


def _bases(q: Question) -> list[ServiceOption]:
    """Bases, one for each family and place: of its schedules the cheapest in full per result in time."""
    best: dict[tuple[str, str], list[ServiceOption]] = {}
    for s in (s for s in q.ind.services if s.kind == "base"):
        best.setdefault((s.family, s.place), []).append(s)
    found = [(_cheapest(q, options), options[0]) for _, options in sorted(best.items())]
    q.refused.extend(f"{first.name.partition(' (')[0]}, {PLACES[first.place]}" for s, first in found if s is None)
    return [s for s, _ in found if s is not None]


def _per_result(q: Question, s: ServiceOption) -> float:
    return q.price(s) / max(1e-12, sum(r.eta for r in s.results))


def _cheapest(q: Question, options: list[ServiceOption]) -> ServiceOption | None:
    return min((s for s in options if math.isfinite(q.price(s))), key=lambda s: (_per_result(q, s), s.service), default=None)


def _surest(q: Question, options: list[ServiceOption]) -> ServiceOption | None:
    return max((s for s in options if math.isfinite(q.price(s))),
               key=lambda s: (max(r.eta * (r.se + r.sp - 1) for r in s.results), s.service), default=None)


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


def _row(q: Question, s: Strategy, values: np.ndarray, home: list[dict]) -> dict | None:
    """One strategy; None where the home laboratory cannot run it. Its tests at home are added to ``home``."""
    mine = _at_home(q, s, values)
    beside = sum(t["overhead"] for t in mine)
    if not math.isfinite(beside):
        q.refused.append(s.name)
        return None
    home += [{k: v for k, v in t.items() if k != "overhead"} for t in mine]
    slides, minutes = burden(q.engine, values)
    return {"strategy": s.name, "kind": s.kind, "place": PLACES.get(s.place, ""), "base": s.base.service if s.base else "",
            "liquid": s.base is not None and _of_blood(q, s.base),
            "tests": "; ".join(sorted({o.name for o in s.singles.values()})),
            **_outcome(q, values, beside), "home_samples": sum(t["samples"] for t in mine), "slides": slides, **minutes}


def _of_blood(q: Question, base: ServiceOption) -> bool:
    return q.study.evidence.record("assays", assay_id=base.assays[0].assay)["sample"] == "blood"


def _at_home(q: Question, s: Strategy, values: np.ndarray) -> list[dict]:
    """Each test that a strategy runs at home: samples a year, one more and on average in full."""
    samples, own, home = {}, {}, q.home.home
    for count, variable, option in q.engine.formulation.delivered(0) if home is not None else ():
        done = count * float(values[q.engine.column(variable)])
        for u in option.assays:
            if u.home and done * u.runs > 1e-9:
                key = (u.assay, u.runs_a_year)
                samples[key] = samples.get(key, 0.0) + done * u.runs
                own[key] = u.cost / u.runs
    beside = q.home.overhead(samples) if samples else {}
    return [{"strategy": s.name, "assay": key[0], "name": home.assay(key[0]).name, "runs_a_year": key[1], "samples": n,
             "marginal_cost": own[key], "average_cost": own[key] + beside[key] / n,
             "basis": BY_PLAN if key in q.home.planned else ALONE, "overhead": beside[key]}
            for key, n in sorted(samples.items())]


def _outcome(q: Question, values: np.ndarray, beside: float = 0.0) -> dict:
    """People, money and health of one solution, a year; ``beside``: USD a year of the home laboratory beside samples."""
    engine, out = q.engine, read(q.engine, values)
    lines = [line for line in out.lines.values() if line.coverage > 1e-9]
    counts = [counted(k, float(values[engine.column(k.q)])) for k in engine.formulation.taken]
    total = {name: sum(c[name] for c in counts) for name in ("results", "true", "missed", "wrong", "asked", "days")}
    one_more = sum(line.testing_cost for line in lines)
    testing = one_more + beside
    qalys = sum(line.health["qalys"] or 0.0 for line in lines)
    treated = sum(line.patients_treated for line in lines)
    treatment = sum(line.incremental_cost for line in lines)
    return {
        "biomarkers": len({line.use_case for line in lines}), "patients": out.patients_tested, "testing_cost": testing,
        "cost_per_patient": over(testing, out.patients_tested), "cost_one_more": over(one_more, out.patients_tested),
        "results": total["results"],
        "results_in_time": over(total["results"], total["asked"]), "cost_per_result": over(testing, total["results"]),
        "days": over(total["days"], total["results"]), "positives_true": total["true"], "positives_missed": total["missed"],
        "positives_wrong": total["wrong"], "cost_per_positive": over(testing, total["true"]),
        "patients_treated": treated, "cost_per_treated": over(testing, treated), "treatment_cost": treatment,
        "total_cost": testing + treatment, "qalys": qalys,
        "net_health": qalys - (testing + treatment) / q.study.problem.threshold,
        "cost_is_upper_bound": not all(line.exact_cost for line in lines),
        **on_known_lines(out, q.known, testing / one_more if one_more > 0 else 1.0),
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


def _today(q: Question) -> dict | None:
    """Today's practice in this indication, where it is known: by the services that are cheapest in full."""
    priced = replace(q.ind, services=tuple(replace(s, cost=q.price(s)) for s in q.ind.services
                                           if math.isfinite(q.price(s))))
    engine = Engine(replace(q.engine.problem, indications=(priced,)), q.engine.scenario) if q.home.home else q.engine
    solution, _ = engine.today()
    if solution is None:
        return None
    return _row(replace(q, engine=engine, home=HomeCosts(None)), Strategy(TODAY, None, {}, "today"), solution.values, [])


# -- side by side -------------------------------------------------------------------------------------------


def _by_number(q: Question) -> list[dict]:
    """Every panel and pathway against single tests, the biomarker of most worth first."""
    singles = {u.biomarker: [s for s in _singles(q.ind, u.biomarker, None) if math.isfinite(q.price(s))] for u in q.cases}
    order = sorted((b for b in singles if singles[b]), key=lambda b: (-_worth(q.engine, q.ind, b), b))
    return by_number(_bases(replace(q, refused=[])), order, singles, {u.biomarker: u.subgroup for u in q.cases}, q.price)


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
        schedules = study.scenario.laboratory.runs_a_year
        curve += by_volume(home, a, others, schedules)
        points += [{"assay": assay, "name": a.name, "elsewhere": PLACES[place], "price": price,
                    "break_even": volume(home, a, price, home.transport, schedules), "most_here": most[assay]}
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


def _words(q: Question, rows: list[dict], tables: Mapping) -> list[str]:
    most = max(rows, key=lambda r: (r["qalys"], -r["total_cost"]))
    threshold = q.study.problem.threshold
    words = [f"In {lowered(q.ind.name)}, {len(rows)} ways to test are compared for {figure(q.ind.eligible)} eligible people a "
             "year.",
             *value_words(rows, threshold),
             f"The most health, {figure(most['qalys'])} healthy years a year, comes from: {most['strategy']}, at "
             f"{money(most['total_cost'])} a year for tests and treatment together."]
    words += [w for w in (_panel_words(tables["by_number"]), today_words(rows, q.known, most["strategy"])) if w]
    if q.home.home is not None:
        words.append(HOME_WORDS)
    if q.refused:
        words.append(f"Not possible at home for so few samples: {'; '.join(sorted(set(q.refused)))}.")
    return words


def _panel_words(rows: list[dict]) -> str:
    """From how many biomarkers on a panel costs no more, against single tests that tell about as much."""
    early = [r for r in rows if r["break_even"] is not None]
    if not early:
        return "No panel here costs as little as the single tests that it would replace." if rows else ""
    first = min(early, key=lambda r: (r["break_even"], r["panel_cost"]))
    return (f"{first['name']} costs no more than the cheapest single tests of about its accuracy from {first['break_even']} "
            f"biomarker{'s' if first['break_even'] > 1 else ''} on.")
