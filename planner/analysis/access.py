"""What a drug would unlock: health, people and money if it could be got, and the price at which that pays.

Each drug is made as reachable as its ceiling says, alone and in pairs, and the list is planned again under
the same limits. Health counts everybody: also those whom better access lets get the drug without a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from planner.analysis.levers import Key, opened
from planner.analysis.study import Analysis, Progress, Study, dust, figure, money, silent
from planner.evidence.base import Evidence
from planner.optimise import terms
from planner.optimise.formulation import Formulation
from planner.optimise.many import ManyModels
from planner.optimise.row import Row, add
from planner.optimise.terms import scale, u0
from planner.pathway.problem import Indication, Problem, TherapyOption, UseCase
from planner.result.priority import NEARLY
from planner.result.reasons import FUNDED
from planner.result.standalone import Standalone, best, evaluate, measured, offered, reach_of
from planner.scenario.model import PAYERS, Scenario

MOVED = 0.02  # coverage of another line that has to give way before its savings count as not this drug's
PAID = 0.05  # share of those in need from which a drug counts as paid for
TOGETHER = 0.01  # share of the joint gain below which neither drug alone is said to help
LEAST = 1e-3  # joint gain of a pair (in the measure) below which nothing is said of it
YEARS = 5  # of cash shown after a listing, at least
TAKEN = "others' patients are counted as taken by it: its prevalence comes first, tested or not, and nobody gets it more"
LESS = "the patients whom it takes from other drugs gain less with it than with those"
TESTS = "tests"  # the payer of the rows that hold testing money


@dataclass(frozen=True)
class Outcome:
    """A version of the plan, a year: health, money and people of everybody, those given a drug without the
    test included; coverage by line."""

    health: float
    testing: float
    incremental: float
    treated: dict[tuple[Key, str, str], float]  # by line, therapy and payer, with or without the test
    by_payer: dict[str, float]
    coverage: np.ndarray


def access(scenario: Scenario, evidence: Evidence, progress: Progress = silent) -> Analysis:
    """What each drug that is not fully reachable would unlock.

    Tables: ``drugs`` (one row per drug, most health first), ``enters`` (lines that then enter), ``money``
    (by drug, therapy, payer and year after the listing, and tests: differences to the plan that add up to its
    totals), ``routes`` (drug x line: the test with the drug, the drug without the test, the test without the
    drug, for the same people), ``pairs`` (drugs that help more together than apart), ``untested`` (drugs that
    are paid for and whose test the plan does not fund in full), ``closed`` (drugs that not everybody can get and
    that better access alone would not open, with the reason).
    """
    study = Study(scenario, evidence, levers=True)
    _ = study.optimum
    drugs = short_of_reach(study.problem)
    progress(0.05, f"planning again for {len(drugs)} drugs")
    outcomes = planned(study, [(), *((d,) for d in drugs)])
    base, single = outcomes[0], dict(zip(drugs, outcomes[1:], strict=True))
    rows = sorted((_drug_row(study, d, base, single[d]) for d in drugs), key=lambda r: (-r["health_gained"], r["drug"]))
    progress(0.6, "looking for pairs that help together")
    pairs = list(_pairs(study, base, single))
    progress(0.9, "what either alone would give")
    tables = {
        "drugs": rows, "enters": [e for d in drugs for e in _enters(study, d, base, single[d])],
        "money": [m for d in drugs for m in _money(study, d, base, single[d])],
        "routes": [r for d in drugs for r in _routes(study, d)], "pairs": pairs, "untested": list(_untested(study)),
        "closed": list(_closed(study, drugs)),
    }
    return study.answer("access", {"measure": study.measure}, _words(study, rows, pairs, tables["untested"]), tables)


def short_of_reach(problem: Problem) -> list[str]:
    """Drugs of plannable, gated lines that fewer can get than could if access were bought."""
    return sorted({d for u in problem.use_cases if u.active for t in u.therapies
                   for d, share, ceiling in t.reach if ceiling > share + 1e-9})


# -- planning again ----------------------------------------------------------------------------------

def planned(study: Study, openings: list[tuple[str, ...]]) -> list[Outcome]:
    """The plan for each set of drugs opened, re-solved warm."""
    masks = {d: np.array([float(d in some) for some in openings]) for d in sorted({d for o in openings for d in o})}
    problem = opened(study.problem, masks)
    models = ManyModels(study.engine, problem, len(openings))
    models.kept |= {"rows": _rows(models, study.measure), "untested": untested(problem, study.measure)}
    return [_outcome(study, models, problem, n, a.values) for n, a in enumerate(models.answers())]


def _outcome(study: Study, models: ManyModels, problem: Problem, n: int, values: np.ndarray) -> Outcome:
    rows, years, untested = models.kept["rows"], study.problem.years, models.kept["untested"]
    treated = {cell: people / years for cell, people in _treated(models, rows["people"], n, values).items()}
    for cell, people in untested.people.items():
        treated[cell] = treated.get(cell, 0.0) + _at(people, n)

    def total(name: str) -> float:
        return float(rows[name][:, n] @ values) / years

    return Outcome(total("health") + _at(untested.health, n), total("testing"), total("incremental") + _at(untested.cost, n),
                   treated, {z: total(z) + _at(untested.by_payer[z], n) for z in PAYERS}, study.engine.coverage(values))


def _rows(models: ManyModels, measure: str) -> dict[str, np.ndarray]:
    """Coefficients (columns x versions) of what an outcome adds up; all are differences to no testing."""
    f = models.versions
    years = range(f.problem.years)
    return {"health": models.row(f.health(measure)), "people": models.row(f.treated()),
            "testing": sum(models.row(f.testing[t]) for t in years), "incremental": models.row(f.incremental()),
            **{z: sum(models.row(_spending(f, t, z)) for t in years) for z in PAYERS}}


def _spending(f: Formulation, t: int, payer: str) -> Row:
    """Treatment money of a year that one payer carries; bought access falls on the payer who buys, once."""
    out: Row = {}
    for k in f.taken:
        for variable, coefficient in terms.spending(k, (payer,), t, bought_by=_buyer(f.scenario)):
            add(out, variable, coefficient)
    return out


def _buyer(scenario: Scenario) -> str:
    """Who pays for access that is bought."""
    return scenario.budget.payers[0] if scenario.budget.payers else "public"


def _treated(models: ManyModels, people: np.ndarray, n: int, values: np.ndarray) -> dict[tuple[Key, str, str], float]:
    """People by line, therapy and payer in a version, less those who would have got it without the test."""
    out: dict[tuple[Key, str, str], float] = {}

    def put(k, d: TherapyOption, amount: float, payers) -> None:
        for payer, share in payers:
            cell = ((k.source.region, k.use_case.id), d.therapy, payer)
            out[cell] = out.get(cell, 0.0) + amount * share

    for k in models.versions.taken:
        asked, *_ = scale(k)
        share = values[models.columns[k.qa]]
        for d in k.use_case.therapies:
            if share > 0:
                put(k, d, -share * _at(asked, n) * _at(d.fit * u0(k, d), n), d.payer_shares)
        for variables, bought in ((k.x, False), (k.v, True)):
            for d, variable in variables:
                column = models.columns[variable]
                payers = ((_buyer(models.versions.scenario), 1.0),) if bought else d.payer_shares
                put(k, d, values[column] * float(people[column, n]), payers)
    return out


def _at(value, n: int) -> float:
    return float(value[n]) if isinstance(value, np.ndarray) else float(value)


@dataclass(frozen=True)
class Untested:
    """What those get and cost who are given a drug while nobody is tested, a year (numbers or one per version)."""

    health: object
    cost: object
    people: dict[tuple[Key, str, str], object]
    by_payer: dict[str, object]


def untested(problem: Problem, measure: str) -> Untested:
    health = cost = 0.0
    people: dict = {}
    by_payer: dict = dict.fromkeys(PAYERS, 0.0)
    for i in problem.indications:
        for u in i.use_cases:
            for t in u.therapies if u.active else ():
                n, pi = u.asked(i.eligible) * t.fit * t.u0, u.drug_prevalence
                pair = t.effects.pair(measure)
                if pair:
                    health = health + n * (pi * pair[0] + (1 - pi) * pair[1])
                cost = cost + n * t.m
                for z, share in t.payer_shares:
                    people[(u.region, u.id), t.therapy, z] = n * share
                    by_payer[z] = by_payer[z] + n * share * sum(t.pay)
    return Untested(health, cost, people, by_payer)


# -- tables --------------------------------------------------------------------------------------------

def _name(study: Study, drug: str) -> str:
    return study.evidence.record("drugs", drug=drug).get("name") or drug


def _therapies(study: Study, drug: str) -> list[tuple[Key, UseCase, Indication, TherapyOption]]:
    return [(key, u, i, t) for key, (u, i) in study.use_cases.items() if u.active for t in u.therapies if drug in t.drugs]


def _more(base: Outcome, new: Outcome) -> dict[tuple[Key, str, str], float]:
    """People treated more (or, below nothing, less) by line, therapy and payer."""
    cells = base.treated.keys() | new.treated.keys()
    more = {c: new.treated.get(c, 0.0) - base.treated.get(c, 0.0) for c in sorted(cells)}
    return {c: people for c, people in more.items() if abs(people) > 1e-9}


def _drug_row(study: Study, drug: str, base: Outcome, new: Outcome) -> dict:
    mine = _therapies(study, drug)
    names = {(key, t.therapy): t for key, _, _, t in mine}
    replanned = dust(new.health - base.health, base.health)
    extra = dict.fromkeys(names, 0.0)
    for (key, therapy, _), more in _more(base, new).items():
        if (key, therapy) in extra:
            extra[key, therapy] += more
    people = dust(sum(extra.values()), sum(base.treated.values()))
    cost = dust((new.testing - base.testing) + (new.incremental - base.incremental), base.incremental)
    ordinary = sum(more * names[t].gross for t, more in extra.items()) / people if people > 1e-9 else None
    parts = [(share, ceiling) for *_, t in mine for d, share, ceiling in t.reach if d == drug]
    entering = [key for key, _ in _changed(study, base, new)]
    # where other lines give way, the savings on them are not this drug's, and no price of its own is told
    displaced = bool((new.coverage < base.coverage - MOVED).any()) or min(extra.values(), default=0.0) < -1e-6
    leaving = [key for key, _ in _changed(study, new, base)]
    taken = replanned < 0 and max(extra.values(), default=0.0) <= 1e-6  # nobody gets it, and yet others lose
    gained = 0.0 if taken else replanned
    price = None if displaced else _price(study, gained, cost, people, ordinary)
    alone = _price_alone(study, mine) if price is None else None
    return {
        "drug": drug, "name": _name(study, drug), "share_today": max(s for s, _ in parts),
        "share_then": max(c for _, c in parts), "health_gained": gained, "measure": study.measure,
        "health_replanned": replanned, "note": TAKEN if taken else LESS if replanned < 0 else "",
        "people_treated": people, "lines_entering": len(entering), "testing_cost": dust(new.testing - base.testing, base.testing),
        "treatment_cost": dust(sum(new.by_payer.values()) - sum(base.by_payer.values()), sum(base.by_payer.values())),
        "incremental_cost": cost, "course_cost": ordinary,
        "lines_leaving": len(leaving), "displaces": displaced, "price_that_pays": price, "price_alone": alone,
        "price_note": "" if price else _no_price(study, mine, people, displaced, alone),
        "cost_is_upper_bound": any(t.m_kind != "incremental" for t in names.values()),
    }


def _price_alone(study: Study, mine: list[tuple[Key, UseCase, Indication, TherapyOption]]) -> float | None:
    """Highest cost of a course at which a drug pays in one of its lines, it alone at its ceiling and bearing its
    whole test; None where even a free course would not, or the measure is no QALY."""
    if study.measure != "qalys":
        return None
    prices = []
    for _, u, i, t in mine:
        for option in offered(u, i) if t.effects.pair("qalys") is not None else ():
            alone = evaluate(u, i, option, measured(u), _itself(t))
            if alone.treated > 1e-12:
                spent = alone.testing_cost + alone.incremental_cost
                prices.append(t.gross + (study.problem.threshold * alone.qalys - spent) / alone.treated)
    best_price = max(prices, default=0.0)
    return best_price if best_price > 0 else None


def _itself(mine: TherapyOption):
    """Access to one therapy at its ceiling, to the others none: their health without the test is lost."""
    return lambda t: reach_of(True)(t) if t.therapy == mine.therapy else 0.0


def _no_price(study: Study, mine, people: float, displaced: bool, alone: float | None) -> str:
    """Why no price of the list planned again is told, and what stands in its place."""
    if study.measure != "qalys":
        return "the scenario does not count healthy years"
    why = "other lines give way to it, or it to others" if displaced else "nobody is treated more" if people <= 1e-9 else \
        "even a free course would not pay for all that the listing sets in motion"
    if alone is not None:
        return f"{why}: the price is that of the drug and its test alone"
    valued = any(offered(u, i) and t.effects.pair("qalys") for _, u, i, t in mine)
    return f"{why}; alone with its test " + ("even a free course would not pay" if valued else
                                             "it cannot be valued: no test, or no healthy years known")


def _price(study: Study, gained: float, cost: float, people: float, ordinary: float | None) -> float | None:
    """Highest cost of a course at which all that the listing sets in motion is worth its health; None
    where even a free course would not be, or where the measure is no QALY."""
    if ordinary is None or study.measure != "qalys":
        return None
    price = ordinary + (study.problem.threshold * gained - cost) / people
    return price if price > 0 else None


def _changed(study: Study, base: Outcome, new: Outcome) -> Iterator[tuple[Key, float]]:
    """Lines that cross half of their attainable coverage upwards."""
    for j, key in enumerate(study.engine.keys):
        if study.inside(key, new.coverage[j]) and not study.inside(key, base.coverage[j]):
            yield key, float(new.coverage[j])


def _enters(study: Study, drug: str, base: Outcome, new: Outcome) -> Iterator[dict]:
    """Lines that come in, and those that give way to them."""
    for key, coverage in _changed(study, base, new):
        yield {"drug": drug, "event": "enter"} | study.label(key) | {"coverage": coverage}
    for key, _ in _changed(study, new, base):
        yield {"drug": drug, "event": "leave"} | study.label(key) | {
            "coverage": float(new.coverage[study.engine.keys.index(key)])}


def _money(study: Study, drug: str, base: Outcome, new: Outcome) -> Iterator[dict]:
    """Cash more or less than in the plan by therapy, payer and year after the listing, and for tests. In the last
    year every course has run in (a steady state), and the rows add up to the drug's totals."""
    known = {(key, t.therapy): t for key, (u, _) in study.use_cases.items() for t in u.therapies}
    more: dict[tuple[str, str], dict[Key, float]] = {}
    for (key, therapy, payer), people in _more(base, new).items():
        more.setdefault((therapy, payer), {})[key] = people
    years = max([YEARS, *(len(known[key, therapy].pay) for (therapy, _), cells in more.items() for key in cells)])
    for (therapy, payer), cells in sorted(more.items()):
        first = known[next(iter(cells)), therapy]
        for year in range(1, years + 1):
            yield {"drug": drug, "therapy": therapy, "therapy_name": first.name, "of_the_drug": drug in first.drugs,
                   "payer": payer, "year": year, "people_treated": sum(cells.values()),
                   "cost": sum(people * sum(known[key, therapy].pay[:year]) for key, people in cells.items())}
    testing = dust(new.testing - base.testing, base.testing)
    for year in range(1, years + 1) if testing else ():
        yield {"drug": drug, "therapy": "", "therapy_name": TESTS, "of_the_drug": False, "payer": TESTS, "year": year,
               "people_treated": None, "cost": testing}


def _routes(study: Study, drug: str) -> Iterator[dict]:
    """The same people (the attainable part of those asked) three ways, each against today's treatment
    without the test: this drug at its ceiling and the others as today."""
    for key, u, i, t in _therapies(study, drug):
        if t.effects.pair("qalys") is None or not offered(u, i):
            continue
        people = u.asked(i.eligible) * u.kap
        alone = [evaluate(u, i, s, measured(u), _only(t)) for s in offered(u, i)]
        chosen = max(alone, key=lambda s: (s.qalys, -s.testing_cost, s.service))
        option = next(s for s in offered(u, i) if s.service == chosen.service)
        without = evaluate(u, i, option, measured(u), _none(t))
        h, hneg = t.effects.pair("qalys")
        already = sum(o.u0 for o in u.therapies if o.line_group == t.line_group)  # of this or another drug
        pi, share = u.drug_prevalence, max(0.0, reach_of(True)(t) - already) * t.fit
        yield {"drug": drug, "therapy": t.therapy, "therapy_name": t.name} | study.label(key) | {
            "people": people, "both_qalys": people * chosen.qalys, "both_cost": people * (
                chosen.testing_cost + chosen.incremental_cost), "both_treated": people * chosen.treated,
            "drug_only_qalys": people * share * (pi * h + (1 - pi) * hneg), "drug_only_cost": people * share * t.m,
            "drug_only_treated": people * share, "drug_only_without_benefit": people * share * (1 - pi),
            "test_only_qalys": people * without.qalys,
            "test_only_treated": people * without.treated,
            "test_only_cost": people * (without.testing_cost + without.incremental_cost), "service": chosen.service,
        }


def _none(mine: TherapyOption):
    """Access to one therapy as far as it is given without the test anyway, to the others as today."""
    return lambda t: t.u0 if t.therapy == mine.therapy else reach_of(False)(t)


def _only(mine: TherapyOption):
    """Access to one therapy at its ceiling, to the others as today."""
    return lambda t: reach_of(t.therapy == mine.therapy)(t)


def _pairs(study: Study, base: Outcome, single: dict[str, Outcome]) -> Iterator[dict]:
    """Pairs of one regimen or one indication whose joint gain is no trifle and exceeds the sum of their own by a
    hundredth of it; a drug that would lose health alone counts as nothing."""
    groups: list[set[str]] = []
    for i in study.problem.indications:
        mine = {d for u in i.use_cases if u.active for t in u.therapies for d in t.drugs}
        groups.append({d for d in mine if d in single})
    pairs = sorted({p for g in groups for p in combinations(sorted(g), 2)})
    regimens = [set(t.drugs) for u in study.problem.use_cases if u.active for t in u.therapies]
    for (a, b), joint in zip(pairs, planned(study, pairs) if pairs else (), strict=True):
        gain = dust(joint.health - base.health, base.health)
        alone = [dust(single[d].health - base.health, base.health) for d in (a, b)]
        more = gain - sum(max(0.0, a) for a in alone)
        if gain > LEAST and more > TOGETHER * gain:
            yield {"drug_a": a, "drug_b": b, "name_a": _name(study, a), "name_b": _name(study, b), "together": gain,
                   "a_alone": alone[0], "b_alone": alone[1], "more_together": more,
                   "only_together": max(alone) <= TOGETHER * gain, "measure": study.measure,
                   "one_regimen": any({a, b} <= r for r in regimens)}


def _paid(u: UseCase) -> float:
    """Largest share of those in need for whom somebody else than the household pays a drug of the line."""
    return max((sum(s for z, s in t.payers if z != "household") for t in u.therapies), default=0.0)


def _untested(study: Study) -> Iterator[dict]:
    """Lines whose drug is reachable today and whose test the plan does not fund in full."""
    for key, (u, i) in study.use_cases.items():
        line = study.readout.lines[key]
        if not u.active or _paid(u) < PAID or line.coverage >= study.engine.attainable(u) * NEARLY:
            continue
        alone: Standalone | None = best(u, i)
        if alone is None:
            continue
        people = u.asked(i.eligible) * u.kap
        yield study.label(key) | {
            "access_share": max(t.alpha for t in u.therapies), "blind_use": max(t.u0 for t in u.therapies),
            "coverage": line.coverage, "coverage_today": u.kap0, "in_plan": line.coverage > FUNDED, "people": people,
            "qalys_if_tested": people * alone.qalys, "testing_cost": people * alone.testing_cost,
            "cost_per_qaly": alone.cost_per_qaly, "service": alone.service,
        }


def _closed(study: Study, opened_drugs: list[str]) -> Iterator[dict]:
    """Drugs that not everybody can get and that are not made reachable here, and why, line by line."""
    for key, (u, _) in study.use_cases.items():
        for t in u.therapies:
            for drug, share, ceiling in t.reach:
                if drug not in opened_drugs and share < 1 - 1e-9:
                    yield {"drug": drug, "name": _name(study, drug)} | study.label(key) | {
                        "share_today": share, "ceiling": ceiling, "reason": _shut(study, u, share, ceiling)}
        for drug in _unpriced(study, u) if not u.therapies else ():
            if drug not in opened_drugs:
                yield {"drug": drug, "name": _name(study, drug)} | study.label(key) | {
                    "share_today": None, "ceiling": None, "reason": _shut(study, u, 0.0, 0.0)}


def _unpriced(study: Study, u: UseCase) -> list[str]:
    """Drugs of a line that has none in the model: a number of theirs is missing."""
    therapies = study.evidence.records("therapies", indication_id=u.indication, biomarker_id=u.biomarker)
    return sorted({r["drug"] for t in therapies for r in study.evidence.records("therapy_drugs", therapy_id=t["therapy_id"])
                   if r["part"] == "added"})


def _shut(study: Study, u: UseCase, share: float, ceiling: float) -> str:
    if u.gap:
        return f"the line cannot be planned: missing is {u.gap}"
    if u.excluded:
        return "the line is left out by the scenario"
    if not u.gated:
        return f"the evidence of the line (level {u.level}) does not pass the gate of level {study.scenario.evidence_gate.level}"
    if ceiling <= 0:
        return "it cannot be got here, and no access to it could be bought: its ceiling is nothing"
    return f"it is as reachable as it could be made: its ceiling is no higher than today's {share:.0%}"


def _words(study: Study, rows: list[dict], pairs: list[dict], untested: list[dict]) -> list[str]:
    if not rows:
        return ["Every matched drug is as reachable as it could be made: no drug would unlock more."]
    unit = "healthy years" if study.measure == "qalys" else study.measure.replace("_", " ")
    out: list[str] = []
    for r in [r for r in rows if r["health_gained"] > 0][:3]:
        text = f"{r['name'].capitalize()} would bring most" if not out else f"Then {r['name']}"
        text += f": {figure(r['health_gained'])} {unit} a year if {r['share_then']:.0%} of those in need could get it " \
                f"instead of {r['share_today']:.0%}"
        if r["lines_leaving"]:
            text += f"; {r['lines_leaving']} {'line gives' if r['lines_leaving'] == 1 else 'lines give'} way to it"
        elif r["price_that_pays"]:
            text += f"; a course costs {money(r['course_cost'])} and pays below {money(r['price_that_pays'])}"
        elif r["price_alone"]:
            text += f"; with its test alone it pays below {money(r['price_alone'])}"
        out.append(text + ".")
    worth = [r["name"] for r in rows if r["health_gained"] > 0 and r["price_that_pays"]
             and r["course_cost"] <= r["price_that_pays"]]
    if worth:
        out.append(f"Worth its cost at today's price and the threshold of {money(study.problem.threshold)} per healthy year: "
                   f"{', '.join(worth[:6])}.")
    out = out or ["No single drug would bring more health under the limits of this scenario."]
    together = [p for p in pairs if p["only_together"]]
    if together:
        said = ", ".join(f"{p['name_a']} with {p['name_b']}" for p in together[:3])
        out.append(f"Only together do these help: {said}.")
    if untested:
        out.append(f"For {len(untested)} lines the drug is paid for, for {PAID:.0%} of those in need or more, and the test "
                   "is not funded in full.")
    return out
