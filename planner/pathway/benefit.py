"""Health gained per treated patient: one derivation per ``effect_kind`` (docs/method.md).

Survival of incurable disease is exponential through the read figures and truncated at the
remaining life expectancy; curable disease is a mixture-cure curve whose survivors at the landmark
live that remaining life. Nothing is assumed: a row without the figures its kind needs is refused
by the checks of the evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.pathway.arrays import exp, least, many, most, some
from planner.pathway.problem import MEASURES, Effects
from planner.units import annuity, discounted_exponential_mean

LN2 = math.log(2)
FIVE = 5.0


@dataclass(frozen=True)
class Survival:
    """Years of life of both arms: discounted and undiscounted, and alive at five years."""

    life_years: float
    undiscounted: float
    alive_at_five: float | None

    def __sub__(self, other: Survival) -> Survival:
        both = self.alive_at_five is not None and other.alive_at_five is not None
        return Survival(
            self.life_years - other.life_years, self.undiscounted - other.undiscounted,
            self.alive_at_five - other.alive_at_five if both else None,
        )


def exponential(hazard: float, rate: float, horizon: float) -> Survival:
    """Exponential survival with a yearly hazard, truncated at the horizon (years)."""
    if not some(hazard):
        return Survival(annuity(horizon, rate), horizon, 1.0)
    mean = 1 / hazard
    return Survival(
        discounted_exponential_mean(mean, rate, horizon),
        discounted_exponential_mean(mean, 0.0, horizon), exp(-FIVE * hazard),
    )


def cured(alive: float, landmark: float, rate: float, remaining: float) -> Survival:
    """Mixture cure: those alive at the landmark live ``remaining`` years from the decision; the
    others die at an even pace before it, on average half way."""
    half = min(landmark / 2, remaining)
    at_five = alive if landmark >= FIVE else None
    if landmark > FIVE:  # deaths evenly spread up to the landmark
        at_five = 1 - (1 - alive) * FIVE / landmark
    return Survival(
        alive * annuity(remaining, rate) + (1 - alive) * annuity(half, rate),
        alive * remaining + (1 - alive) * half, at_five,
    )


def hazards(median_exp, median_ctl, hr) -> tuple[float, float]:
    """Yearly hazards of (matched, comparator) from medians in months and a hazard ratio.

    One median and the ratio are preferred: the ratio uses the whole curve. Both medians serve
    where no ratio was read.
    """
    if hr is not None and median_ctl is not None:
        base = 12 * LN2 / median_ctl
        return base * hr, base
    if hr is not None and median_exp is not None:
        base = 12 * LN2 / median_exp
        return base, base / hr
    return 12 * LN2 / median_exp, 12 * LN2 / median_ctl


def _ratio(drawn, read):
    """The ratio that replaces the one read, if any."""
    return read if drawn is None else drawn


def increment(row: dict, rate: float, remaining: float, hr: float | None = None) -> Survival | None:
    """Survival gained by one row against its own control; None where no survival was read.

    ``row`` holds the columns of the table *therapies*; ``hr`` replaces the ratio for an interval.
    """
    kind = row["effect_kind"]
    if kind in ("survival_curves", "single_arm_external"):
        matched, ctl = hazards(row["os_median_exp"], row["os_median_ctl"], _ratio(hr, row["os_hr"]))
        return exponential(matched, rate, remaining) - exponential(ctl, rate, remaining)
    if kind == "landmark_exponential":
        t = row["landmark_years"]
        matched, ctl = (-math.log(row[c]) / t for c in ("landmark_exp", "landmark_ctl"))
        return exponential(matched, rate, remaining) - exponential(ctl, rate, remaining)
    if kind in ("landmark_cure", "risk_ratio_cure"):
        control = row["landmark_ctl"]
        alive = row["landmark_exp"]
        if kind == "risk_ratio_cure":
            alive = most(0.0, 1 - (1 - control) * _ratio(hr, row["death_rr"]))
        t = row["landmark_years"]
        return cured(alive, t, rate, remaining) - cured(control, t, rate, remaining)
    if kind == "published_gain" and row["ly_gain"] is not None:
        return Survival(row["ly_gain"], row["ly_gain"], None)
    return None


def progression_free_years(row: dict, rate: float, remaining: float, hr: float | None = None) -> float:
    """Discounted years without progression gained, from medians or a hazard ratio."""
    matched, ctl = hazards(row["pfs_median_exp"], row["pfs_median_ctl"], _ratio(hr, row["pfs_hr"]))
    gain = exponential(matched, rate, remaining) - exponential(ctl, rate, remaining)
    return gain.life_years


def effects(row: dict, utility: dict[str, float], rate: float, remaining: float,
            base: Effects | None = None, hr=None, factor=None) -> Effects:
    """Effects of a therapy row against no matched drug.

    utility: weights by state of the indication; base: the effects of the therapy that this one
    builds on, whose gain comes first; hr: a ratio that replaces the one read; factor: what the gain is
    multiplied by where the row states no interval (both for draws, numbers or arrays).
    """
    gained = increment(row, rate, remaining, hr)
    weight = utility[row["utility_state"]]
    own: dict[str, float | None] = dict.fromkeys(MEASURES)
    if row["effect_kind"] == "progression_free_only":
        better = utility["progression_free"] - utility["progressed"]
        own["qalys"] = progression_free_years(row, rate, remaining, hr) * better
        own["dalys_averted"] = progression_free_years(row, 0.0, remaining, hr) * better
    elif row["effect_kind"] == "published_gain" and row["qaly_gain"] is not None:
        own["qalys"] = row["qaly_gain"]
        own["life_years"] = gained.life_years if gained else None
        own["dalys_averted"] = gained.undiscounted if gained else row["qaly_gain"]
    else:
        own["qalys"] = gained.life_years * weight
        own["life_years"] = gained.life_years
        own["deaths_averted"] = gained.alive_at_five
        own["dalys_averted"] = gained.undiscounted
    if factor is not None:
        own = {m: None if v is None else v * factor for m, v in own.items()}
    low, high = _interval(row, weight, rate, remaining, own["qalys"])
    ratio = row["noncarrier_gain_ratio"]
    carrier = {m: on_top(own[m], base.carrier[m] if base else 0.0, bool(base)) for m in MEASURES}
    other = {m: on_top(None if own[m] is None else ratio * own[m],
                       base.noncarrier[m] if base else 0.0, bool(base)) for m in MEASURES}
    carrier["patients_treated"], other["patients_treated"] = 1.0, 0.0
    shift = base.carrier["qalys"] if base else 0.0
    return Effects(carrier, other, row["effect_kind"], words(row, own, weight, remaining, base),
                   _plus(low, shift), _plus(high, shift))


def on_top(own: float | None, below: float | None, built: bool) -> float | None:
    """Own gain on top of the therapy below. Where the own trial has no such number (progression-free
    survival only), the gain of the therapy below stands and nothing more is claimed."""
    if own is None:
        return below if built else None
    return None if below is None else own + below


def _plus(value: float | None, more: float) -> float | None:
    return None if value is None else value + more


def _interval(row, weight, rate, remaining, point) -> tuple[float | None, float | None]:
    """QALYs at the upper and lower bound of the ratio that the row rests on."""
    names = {"survival_curves": "os_hr", "single_arm_external": "os_hr", "risk_ratio_cure": "death_rr",
             }.get(row["effect_kind"])
    if not names or row.get(f"{names}_low") is None or row.get(f"{names}_high") is None:
        return None, None
    bounds = [increment(row, rate, remaining, row[f"{names}_{end}"]) for end in ("high", "low")]
    low, high = (b.life_years * weight for b in bounds)
    return least(low, point), most(high, point)


def words(row, own, weight, remaining, base) -> str:
    """The derivation in one sentence, with its figures."""
    if many(*own.values(), weight):
        return ""  # draws have no words
    kind = row["effect_kind"]
    said = {
        "survival_curves": "exponential survival, control median "
                           f"{_say(row['os_median_ctl'])} months, hazard ratio {_say(row['os_hr'])}",
        "single_arm_external": f"single arm, median {_say(row['os_median_exp'])} months against an "
                               f"external control of {_say(row['os_median_ctl'])} months",
        "landmark_exponential": f"alive at {_say(row['landmark_years'])} years: "
                                f"{_say(row['landmark_exp'])} against {_say(row['landmark_ctl'])}",
        "landmark_cure": f"alive at {_say(row['landmark_years'])} years: {_say(row['landmark_exp'])} "
                         f"against {_say(row['landmark_ctl'])}; survivors live {remaining:.1f} years",
        "risk_ratio_cure": f"cancer death ratio {_say(row['death_rr'])} on {_say(row['landmark_ctl'])} "
                           f"alive at {_say(row['landmark_years'])} years; survivors live "
                           f"{remaining:.1f} years",
        "progression_free_only": "no survival evidence: quality while progression-free only, medians "
                                 f"{_say(row['pfs_median_exp'])} and {_say(row['pfs_median_ctl'])} "
                                 f"months, hazard ratio {_say(row['pfs_hr'])}",
        "published_gain": "published gain",
    }[kind]
    tail = f"; on top of {row['builds_on']}" if base else ""
    years = "" if own["life_years"] is None else f"{own['life_years']:.2f} life-years, "
    return f"{row['trial']}: {said}; {years}utility {weight:.2f}, {own['qalys']:.2f} QALYs{tail}"


def _say(value) -> str:
    return "not read" if value is None else f"{value:g}"
