"""How the health credited to a treatment is derived, step by step, for one place: what the page shows on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.evidence.base import Evidence
from planner.evidence.strata import Place
from planner.pathway import benefit
from planner.pathway.courses import mean_months
from planner.pathway.drawn import gain_factor, read_ratio
from planner.pathway.problem import Effects
from planner.pathway.resolve_values import Values
from planner.pathway.therapy import clean, remaining_life, utilities
from planner.scenario import own_words
from planner.scenario.model import Scenario

KIND_WORDS = {
    "survival_curves": "survival of a randomised trial, as exponential curves through its medians or hazard ratio",
    "single_arm_external": "survival of a single arm against patients from elsewhere",
    "landmark_exponential": "shares alive at one time, as exponential curves",
    "landmark_cure": "shares alive at one time; those alive then live their remaining life expectancy",
    "risk_ratio_cure": "ratio of cancer deaths on the control's survival; those alive then live their remaining life expectancy",
    "progression_free_only": "quality of life while progression-free; no survival is credited",
    "published_gain": "a gain printed in a published model",
}
CROSSOVER_WORDS = {
    "none_or_low": "fewer than 20 % of the controls are known to have got the same class later: survival as it stands",
    "adjusted": "figures adjusted for controls who got the class later",
    "external_control": "control from a cohort that never got the class",
    "not_applicable": "does not matter for this kind of effect",
    "unadjusted_flagged": "controls got the class later or it was not read: unadjusted survival, a lower bound",
}
BASIS_WORDS = {
    "none": "costs nothing", "backbone": "the same in both arms", "drugs": "priced, its cost is saved",
    "unknown": "not priced, so the cost of the course is an upper bound",
}
STATE_WORDS = own_words.STATES
# (what, column, unit, bounds)
FIGURES = (
    ("Median survival with it", "os_median_exp", "months", ()), ("Median survival of the control", "os_median_ctl", "months", ()),
    ("Hazard ratio for death", "os_hr", "", ("os_hr_low", "os_hr_high")),
    ("Time of the landmark", "landmark_years", "years", ()), ("Alive then with it", "landmark_exp", "share", ()),
    ("Alive then without it", "landmark_ctl", "share", ()),
    ("Ratio of cancer deaths", "death_rr", "", ("death_rr_low", "death_rr_high")),
    ("Median without progression with it", "pfs_median_exp", "months", ()),
    ("Median without progression of the control", "pfs_median_ctl", "months", ()),
    ("Hazard ratio for progression", "pfs_hr", "", ("pfs_hr_low", "pfs_hr_high")),
    ("Published QALYs", "qaly_gain", "QALYs", ()), ("Published life-years", "ly_gain", "life-years", ()),
)
RESTS_ON = {
    "survival_curves": ("os_",), "single_arm_external": ("os_",), "landmark_exponential": ("landmark_",),
    "landmark_cure": ("landmark_",), "risk_ratio_cure": ("landmark_years", "landmark_ctl", "death_rr"),
    "progression_free_only": ("pfs_",), "published_gain": ("qaly_gain", "ly_gain"),
}


READ, ASSUMED = "read", "assumed"
INTERVAL_WORDS = {READ: "95 % interval of its trial", ASSUMED: "assumed from the grade"}
TAIL = 0.025
BOUNDED = ("qalys", "life_years")


@dataclass(frozen=True)
class Interval:
    """The 95 % interval of a gain as the last step leaves it uncertain, and whether it was read or assumed."""

    low: float
    high: float
    basis: str


@dataclass(frozen=True)
class Figure:
    """A number that was read; ``used``: the gain rests on it, else it stands beside it."""

    what: str
    value: float
    unit: str
    low: float | None
    high: float | None
    used: bool


@dataclass(frozen=True)
class Step:
    """One therapy row of a chain: its trial, its figures and what it adds to the one below."""

    therapy: str
    name: str
    trial: str
    kind: str
    figures: tuple[Figure, ...]
    crossover_share: float | None
    crossover: str
    qalys: float
    life_years: float | None
    grade: str
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Derivation:
    """The whole gain per treated carrier: steps from the ground up, totals, and what they depend on."""

    therapy: str
    name: str
    steps: tuple[Step, ...]
    effects: Effects
    comparator: str
    comparator_basis: str
    utility_state: str
    utility: float
    usual_age: float
    remaining: float
    discount_rate: float
    months: float
    noncarrier_grade: str
    noncarrier_basis: str
    intervals: Mapping[str, Interval | None]  # of QALYs and life-years; None where none are credited


def derivation(evidence: Evidence, place: Place, scenario: Scenario, therapy: str) -> Derivation | None:
    """How a therapy's gain follows from its figures in this place; None where a number of it is missing."""
    rows = {r["therapy_id"]: clean(r) for r in evidence.records("therapies")}
    row = rows[therapy]
    values = Values(evidence, place, scenario)
    indication = evidence.record("indications", indication_id=row["indication_id"])
    sex = evidence.record("cancer_sites", cancer_site=indication["cancer_site"])["sex"]
    remaining, weights = remaining_life(values, indication, sex), utilities(values, row["indication_id"])
    if remaining is None or row["utility_state"] not in weights:
        return None
    row = row | {o.column: o.value for o in scenario.override
                 if o.table == "therapies" and o.key.get("therapy_id") == therapy}
    steps, total, intervals = _steps(rows, row, weights, scenario.discount_rate, remaining)
    comparator = evidence.record("comparators", comparator_id=row["comparator_id"])
    return Derivation(
        therapy, row["name"], steps, total, comparator["name"], BASIS_WORDS[comparator["cost_basis"]], row["utility_state"],
        weights[row["utility_state"]], indication["usual_age"], remaining, scenario.discount_rate,
        mean_months(row["duration_months"], row["duration_kind"], row["duration_max_months"]),
        row["noncarrier_quality"], row["noncarrier_basis"], intervals,
    )


def _steps(rows: Mapping[str, dict], row: dict, weights: dict, rate: float, remaining: float,
           ) -> tuple[tuple[Step, ...], Effects, dict[str, Interval | None]]:
    """Steps, gain and intervals of a chain."""
    below, base, known = _steps(rows, rows[row["builds_on"]], weights, rate, remaining) if row["builds_on"] \
        else ((), None, dict.fromkeys(BOUNDED))
    total = benefit.effects(row, weights, rate, remaining, base)
    own = benefit.effects(row, weights, rate, remaining)
    sources = tuple(dict.fromkeys(s for s in (row["source_id"], row["duration_source_id"]) if s))
    step = Step(row["therapy_id"], row["name"], row["trial"] or "", row["effect_kind"], figures(row), row["crossover_share"],
                row["crossover_handling"], own.carrier["qalys"], own.carrier["life_years"], row["quality"], row["note"] or "",
                sources)
    ends = _ends(row, weights, rate, remaining, base)
    # a step that credits no survival leaves the years of life, and how sure they are, to the step below
    intervals = {m: known[m] if own.carrier[m] is None else _interval(m, total, *ends) for m in BOUNDED}
    return (*below, step), total, intervals


def _ends(row: dict, weights: dict, rate: float, remaining: float, base: Effects | None) -> tuple[Effects, Effects, str]:
    """The gain at both ends of the ratio that was read, else of the factor by grade that draws use."""
    ratio = read_ratio(row)
    if ratio:
        low, high = (benefit.effects(row, weights, rate, remaining, base, hr=row[f"{ratio}_{end}"]) for end in ("low", "high"))
        return low, high, READ
    factor = gain_factor(row["quality"])
    low, high = (benefit.effects(row, weights, rate, remaining, base, factor=factor.quantile(q)) for q in (TAIL, 1 - TAIL))
    return low, high, ASSUMED


def _interval(measure: str, total: Effects, a: Effects, b: Effects, basis: str) -> Interval | None:
    values = [e.carrier[measure] for e in (total, a, b)]
    return None if None in values else Interval(min(values), max(values), basis)


def figures(row: Mapping) -> tuple[Figure, ...]:
    """The figures of a row that were read, those that its gain rests on first."""
    used = RESTS_ON[row["effect_kind"]]
    out = [Figure(what, row[column], unit, *((row[b] for b in bounds) if bounds else (None, None)), column.startswith(used))
           for what, column, unit, bounds in FIGURES if row[column] is not None]
    return tuple(sorted(out, key=lambda f: not f.used))
