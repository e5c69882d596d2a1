"""The ranked list: entry, tier, report class and the reason for every line, by stated rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.optimise.sweep import Sweep
from planner.pathway.problem import Indication, UseCase
from planner.result.readout import Line
from planner.result.standalone import Standalone, best

TIERS = ("core", "expand", "lower_price", "when_drug", "research_only", "not_now")
TIER_WORDS = {
    "core": "core", "expand": "expand", "lower_price": "at a lower price",
    "when_drug": "when the drug is there", "research_only": "research only", "not_now": "not now",
}
REACHABLE = 0.005  # a drug that fewer than one in 200 can get is not reachable
NEARLY = 1 - 1e-6
HALF = 0.5
FUNDED = 1e-7  # coverage below which a line counts as not funded


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
    full = _spells(x, y, attainable * NEARLY)
    return Standing(
        spells[-1][0], full[-1][0] if full and full[-1][1] >= x[-1] else None, tuple(spells[:-1]),
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
    funded: str
    tier: str
    report_class: str
    cost_per_qaly: float | None
    cost_per_qaly_ceiling: float | None
    price_that_pays: float | None
    reason: dict | None
    criticality: float | None


def all_in(line: Line, alone: Standalone | None) -> tuple[float | None, float | None]:
    """(exact all-in cost per QALY, its upper bound where a comparator has no price)."""
    qalys = line.health["qalys"]
    if line.coverage > 0 and qalys is not None and qalys > 1e-12:
        ratio, exact = (line.testing_cost + line.incremental_cost) / qalys, line.exact_cost
    elif alone and alone.cost_per_qaly is not None:
        ratio, exact = alone.cost_per_qaly, alone.exact
    else:
        return None, None
    return (ratio if exact else None), ratio


def funded(coverage: float, attainable: float) -> str:
    if coverage <= FUNDED:
        return "no"
    return "full" if coverage >= attainable * NEARLY else "part"


def tier(u: UseCase, place: Standing, coverage: float, ceiling: float | None, threshold: float,
         at_ceiling: Standalone | None, price: float | None = None) -> str:
    """Priority tier by the rules of model.md; ``ceiling`` is the upper bound of the all-in ratio.

    ``price``: the highest cost of a course at which the line pays. A line that is not funded and
    would not pay even with a free course is *not now* rather than *at a lower price* (decision 7).
    """
    if u.gap or not u.therapies:
        return "not_now"
    if not u.gated:
        cheaper = u.value_gated and price is not None
        return "lower_price" if cheaper else "not_now" if u.value_gated else "research_only"
    if all(t.report_class == "trial_only" for t in u.therapies):
        return "research_only"
    if u.excluded:
        return "not_now"
    reach = max(t.alpha for t in u.therapies)
    within = ceiling is not None and ceiling <= threshold
    half = HALF * u.kap
    if reach >= REACHABLE and within:
        core = coverage >= half * NEARLY and place.coverage_at_half >= half * NEARLY
        return "core" if core else "expand"
    bought = at_ceiling.cost_per_qaly if at_ceiling else None
    waits = u.role == "selects" and reach < max(t.amax for t in u.therapies)
    if waits and bought is not None and bought <= threshold:
        return "when_drug"
    fundable = coverage > FUNDED or price is not None
    return "lower_price" if reach >= REACHABLE and ceiling is not None and fundable else "not_now"


def report_class(u: UseCase) -> str:
    """Class of the best therapy for reports."""
    order = ("standard_of_care", "experimental", "trial_only", "not_meaningful")
    classes = {t.report_class for t in u.therapies}
    return next((c for c in order if c in classes), "not_meaningful")


def price_that_pays(u: UseCase, alone: Standalone | None, threshold: float) -> float | None:
    """Highest gross cost per course at which the line pays at the threshold, USD.

    The excess over the threshold is taken off the courses of the treated alike; None where even a
    free drug would not pay.
    """
    if alone is None or alone.treated <= 0 or alone.qalys <= 0:
        return None
    course = max((t.course_cost for t in u.therapies if t.alpha > 0), default=0.0)
    excess = alone.testing_cost + alone.incremental_cost - threshold * alone.qalys
    price = course - excess / alone.treated
    return price if price > 0 else None


def reason(u: UseCase, ind: Indication, state: str, place: Standing, alone: Standalone | None,
           ratio: float | None, context: dict) -> dict | None:
    """Why a line is not fully funded: code, figure with unit, and a sentence; None where it is."""
    if state == "full":
        return None

    def said(code, figure, unit, text):
        return {"code": code, "figure": figure, "unit": unit, "text": text}

    if u.gap:
        return said("not_plannable", None, "", f"cannot be planned: missing {u.gap}")
    if u.excluded:
        return said("excluded", None, "", "taken off the list by this scenario")
    if not u.therapies:
        return said("no_therapy", None, "", "no matched therapy is known")
    if not u.gated and u.value_gated:
        return said("above_value_threshold", ratio, "USD per QALY",
                    "every matched therapy costs more per QALY than the threshold allows")
    if not u.gated:
        return said("below_gate", u.level, "evidence level",
                    f"evidence level {u.level}, the gate is {context['gate']}")
    if ind.eligible <= 0:
        return said("no_eligible", 0.0, "people a year", "no eligible patients here")
    reach = max(t.alpha for t in u.therapies)
    if reach < REACHABLE:
        return said("not_accessible", reach, "share", f"the drug is not reachable: {reach:.1%} of those "
                    "in need can get it")
    if alone is None:
        return said("no_assay", None, "", "no assay tells carriers from others well enough")
    missing = [r for r in u.requires if context["coverage"].get((u.region, f"{u.indication}/{r}"), 1.0) <= 1e-7]
    if missing:
        return said("prerequisite", None, "", f"needs {', '.join(missing)} first, which is not funded")
    if alone.qalys <= 1e-12:
        return said("dominated", alone.qalys, "QALYs per patient tested",
                    "testing brings no more health than treating without the test")
    if context["capacity"]:
        return said("capacity", context["capacity"][1], "QALYs per minute",
                    f"{context['capacity'][0]} is used up")
    return _below_cut_off(said, state, place, alone, context)


def _below_cut_off(said, state: str, place: Standing, alone: Standalone, context: dict) -> dict:
    figure = alone.qalys_per_testing_dollar
    cut = context["cut_off"]
    if cut is None or not cut:
        return said("below_cut_off", figure, "QALYs per USD of tests",
                    "does not raise the objective in use under the limits set")
    ratio = f"{figure * 1e6:,.1f} healthy years per million dollars of tests against {cut * 1e6:,.1f} at the cut"
    if state == "part":
        upto = f"; full at US$ {place.full_budget:,.0f}" if place.full_budget is not None else ""
        return said("below_cut_off", place.full_budget, "USD a year", f"the money ends here{upto}")
    return said("below_cut_off", figure, "QALYs per USD of tests", f"below the cut: {ratio}")


def judge(u: UseCase, ind: Indication, line: Line, place: Standing, threshold: float,
          criticality: float | None, context: dict) -> Judged:
    """Everything the list says of one use case."""
    plannable = bool(u.therapies) and not u.gap
    alone = best(u, ind) if plannable else None
    ceiling_alone = best(u, ind, at_ceiling=True) if plannable else None
    exact, ceiling = all_in(line, alone)
    state = funded(line.coverage, u.kap)
    price = price_that_pays(u, alone or ceiling_alone, threshold)
    return Judged(
        u, ind, line, place, alone, ceiling_alone, state,
        tier(u, place, line.coverage, ceiling, threshold, ceiling_alone, price), report_class(u), exact,
        ceiling, price, reason(u, ind, state, place, alone, ceiling, context), criticality,
    )


def order(judged: list[Judged]) -> list[Judged]:
    """Rank: by entry budget; ties by criticality per dollar of tests, then id. What never enters
    follows, by the health it would bring if its drug were reachable."""

    def key(j: Judged):
        if j.standing.entry_budget is not None:
            cost = max(j.line.testing_cost, 1e-9)
            return (0, j.standing.entry_budget, -(j.criticality or 0.0) / cost, j.use_case.id)
        unlock = j.at_ceiling.qalys * j.indication.eligible * j.use_case.kap if j.at_ceiling else 0.0
        return (1, -max(0.0, unlock), 0.0, j.use_case.id)

    return sorted(judged, key=key)
