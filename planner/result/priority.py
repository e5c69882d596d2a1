"""The ranked list: entry, tier, report class and the reason for every line, by stated rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.optimise.sweep import Sweep
from planner.pathway.problem import Indication, UseCase
from planner.result.readout import Line
from planner.result.reasons import FUNDED, REACHABLE, reason
from planner.result.standalone import PayingPrice, Standalone, best, paying, price_that_pays

TIERS = ("core", "expand", "lower_price", "when_drug", "research_only", "not_now")
TIER_WORDS = {
    "core": "core", "expand": "expand", "lower_price": "at a lower price",
    "when_drug": "when the drug is there", "research_only": "research only", "not_now": "not now",
}
NEARLY = 1 - 1e-3  # share of the attainable coverage that counts as full: less is a few people or the solver's dust
FULL = 1 - 1e-6  # the same on the sweep: a little more, so that a plan at that budget is full
SAME = 1e-6  # entry budgets closer than this, relatively, are one
HALF = 0.5


@dataclass(frozen=True)
class Standing:
    """Where a use case stands on the sweep of the budget. Budgets are None where it never does."""

    entry_budget: float | None
    full_budget: float | None
    earlier_spells: tuple[tuple[float, float], ...]
    coverage_at_half: float
    coverage_at_end: float


def standing(sweep: Sweep, key: tuple[str, str], attainable: float, reference: float) -> Standing:
    """Entry: the smallest budget above which coverage stays at half or more of its final value.

    reference: the budget called 100 % (the scenario's, or the plan's own spending), USD.
    """
    if key not in sweep.keys or not sweep.points:
        return Standing(None, None, (), 0.0, 0.0)
    j = sweep.keys.index(key)
    x = np.array([p.budget for p in sweep.points])
    y = np.array([p.coverage[j] for p in sweep.points])
    end = float(y[-1])
    half = float(np.interp(HALF * reference, x, y))
    if end <= 1e-9:
        return Standing(None, None, (), half, end)
    spells = _spells(x, y, HALF * end)
    full = _spells(x, y, attainable * FULL)
    return Standing(  # with money additional to today's the sweep reaches below the first new dollar
        max(0.0, spells[-1][0]), max(0.0, full[-1][0]) if full and full[-1][1] >= x[-1] else None,
        tuple(spells[:-1]),
        half, end,
    )


def _spells(x: np.ndarray, y: np.ndarray, level: float) -> list[tuple[float, float]]:
    """Stretches of budget on which coverage, linear between points, is at least ``level``."""
    out, start = [], None
    for n in range(len(x)):
        above = y[n] >= level - 1e-12
        if above and start is None:
            start = x[n] if n == 0 or y[n] == y[n - 1] else float(
                np.interp(level, (y[n - 1], y[n]), (x[n - 1], x[n])))
        if not above and start is not None:
            out.append((start, float(np.interp(-level, (-y[n - 1], -y[n]), (x[n - 1], x[n])))))
            start = None
    if start is not None:
        out.append((start, float(x[-1])))
    return out


@dataclass(frozen=True)
class Judged:
    """A use case with all that the list says of it."""

    use_case: UseCase
    indication: Indication
    line: Line
    standing: Standing
    alone: Standalone | None
    at_ceiling: Standalone | None
    pays: Standalone | None
    within: bool
    funded: str
    attainable: float
    tier: str
    report_class: str
    cost_per_qaly: float | None
    cost_per_qaly_ceiling: float | None
    price_that_pays: PayingPrice | None
    reason: dict | None
    criticality: float | None
    full_budget: float | None = None


def all_in(line: Line, alone: Standalone | None) -> tuple[float | None, float | None]:
    """(exact all-in cost per QALY, its upper bound where a comparator has no price).

    A funded line that loses health has neither: no ratio says what it is.
    """
    qalys = line.health["qalys"]
    if line.coverage > FUNDED:
        if qalys is None or qalys <= 1e-9:
            return None, None
        ratio, exact = (line.testing_cost + line.incremental_cost) / qalys, line.exact_cost
    elif alone and alone.cost_per_qaly is not None:
        ratio, exact = alone.cost_per_qaly, alone.exact
    else:
        return None, None
    return (ratio if exact else None), ratio


def inside(coverage: float, attainable: float) -> bool:
    """Whether a line is *in* a list: at least half of what it could reach is funded, and some of it."""
    return coverage > FUNDED and coverage >= HALF * attainable * NEARLY


def funded(coverage: float, attainable: float) -> str:
    if coverage <= FUNDED:
        return "no"
    return "full" if coverage >= attainable * NEARLY else "part"


def pays_as_planned(line: Line, alone: Standalone | None, ratio: float | None, threshold: float) -> bool:
    """Whether the line brings health within the threshold with the drugs that the plan uses."""
    gains = (line.health["qalys"] or 0.0) > 1e-9 if line.coverage > FUNDED else bool(alone and alone.qalys > 1e-12)
    return gains and ratio is not None and ratio <= threshold


def tier(u: UseCase, place: Standing, line: Line, attainable: float, pays: bool,
         pays_there: Standalone | None, price: PayingPrice | None) -> str:
    """Priority tier by the rules of model.md (decisions 7 and 8).

    ``pays``: whether the line is worth its cost, with the drugs that are or as planned;
    ``pays_there``: the same at the ceiling of access; ``price``: the price of a course that pays.
    """
    if u.gap or not u.therapies or u.excluded:
        return "not_now"
    if not u.gated:
        cheaper = u.value_gated and price is not None
        return "lower_price" if cheaper else "not_now" if u.value_gated else "research_only"
    if all(t.report_class == "trial_only" for t in u.therapies):
        return "research_only"
    loses = line.coverage > FUNDED and (line.health["qalys"] or 0.0) < 0
    if loses:
        return "not_now"
    reach = max(t.alpha for t in u.therapies)
    half = HALF * attainable * NEARLY
    if reach >= REACHABLE and pays:
        return "core" if line.coverage >= half and place.coverage_at_half >= half else "expand"
    if u.role == "selects" and line.coverage <= FUNDED and reach < max(t.amax for t in u.therapies) and pays_there:
        return "when_drug"
    fundable = line.coverage > FUNDED or price is not None
    return "lower_price" if reach >= REACHABLE and fundable else "not_now"


def report_class(u: UseCase) -> str:
    """Class of the best therapy for reports."""
    order = ("standard_of_care", "experimental", "trial_only", "not_meaningful")
    classes = {t.report_class for t in u.therapies}
    return next((c for c in order if c in classes), "not_meaningful")


@dataclass(frozen=True)
class ByItself:
    """A use case by itself, whatever the budget: its best service today and at the ceiling of access, the
    same with the drugs worth their cost, and the price that pays. All None where it cannot be planned."""

    alone: Standalone | None = None
    at_ceiling: Standalone | None = None
    pays: Standalone | None = None
    pays_there: Standalone | None = None
    price: PayingPrice | None = None


def by_itself(u: UseCase, ind: Indication, threshold: float) -> ByItself:
    if u.gap or not u.therapies:
        return ByItself()
    return ByItself(best(u, ind), best(u, ind, at_ceiling=True), paying(u, ind, threshold),
                    paying(u, ind, threshold, at_ceiling=True), price_that_pays(u, ind, threshold))


def judge(u: UseCase, ind: Indication, line: Line, place: Standing, threshold: float, attainable: float,
          criticality: float | None, context: dict, itself: ByItself | None = None) -> Judged:
    """Everything the list says of one use case. ``itself``: what no budget changes, where it is known."""
    its = itself or by_itself(u, ind, threshold)
    exact, ceiling = all_in(line, its.alone)
    state = funded(line.coverage, attainable)
    within = its.pays is not None or pays_as_planned(line, its.alone, ceiling, threshold)
    return Judged(
        u, ind, line, place, its.alone, its.at_ceiling, its.pays, within, state, attainable,
        tier(u, place, line, attainable, within, its.pays_there, its.price), report_class(u), exact, ceiling, its.price,
        reason(u, ind, state, line, attainable, its.alone, ceiling, context), criticality,
        context["full"][1] if context.get("full") else place.full_budget,
    )


def potential(j: Judged) -> float:
    """QALYs a year at full attainable coverage with the drug as reachable as it could be made."""
    if j.at_ceiling is None:
        return 0.0
    there = max(0.0, j.at_ceiling.qalys) * j.use_case.asked(j.indication.eligible) * j.use_case.kap
    qalys = j.line.health["qalys"] or 0.0
    return max(there, qalys * j.attainable / j.line.coverage if j.line.coverage > FUNDED else 0.0)


def order(judged: list[Judged]) -> list[Judged]:
    """Rank: by entry budget; ties by criticality per dollar of tests, then id. What never enters
    follows, by the health it would bring if its drug were reachable.

    Lines of one work-up enter together: budgets that differ by less than the solver's tolerance are a tie,
    so that the rank of a line never hangs on the order in which numbers were added up.
    """
    entering = [j for j in judged if j.standing.entry_budget is not None]
    places = dict(zip((id(j) for j in entering), _places([j.standing.entry_budget for j in entering]), strict=True))

    def key(j: Judged):
        if id(j) in places:
            return (0, places[id(j)], -_digits((j.criticality or 0.0) / max(j.line.testing_cost, 1e-9)), j.use_case.id)
        return (1, -_digits(potential(j)), 0.0, j.use_case.id)

    return sorted(judged, key=key)


def _places(values: list[float]) -> list[int]:
    """The place of each value among the distinct ones; neighbours closer than the tolerance share one."""
    places, place, last = {}, 0, None
    for value in sorted(values):
        if last is not None and value - last > SAME * max(1.0, abs(value)):
            place += 1
        places[value] = place
        last = value
    return [places[v] for v in values]


def _digits(value: float) -> float:
    """A figure to the digits that matter for a rank; a difference of two solves has few more."""
    return float(f"{value:.3e}")
