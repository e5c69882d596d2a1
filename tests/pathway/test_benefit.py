"""Health per treated carrier against closed forms and numerical integration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planner.pathway import benefit
from planner.pathway.courses import mean_months, spread
from planner.units import annuity

RATE = 0.03
EMPTY = dict.fromkeys((
    "qaly_gain", "ly_gain", "os_median_exp", "os_median_ctl", "os_hr", "os_hr_low", "os_hr_high", "landmark_years",
    "landmark_exp", "landmark_ctl", "death_rr", "death_rr_low", "death_rr_high", "pfs_median_exp", "pfs_median_ctl",
    "pfs_hr", "builds_on"))
STATES = {"progression_free": 0.75, "progressed": 0.6, "disease_free": 0.85}


def row(kind, **numbers):
    return EMPTY | {"effect_kind": kind, "utility_state": "progression_free", "noncarrier_gain_ratio": 0.0,
                    "trial": "trial"} | numbers


def integral(survival, horizon, rate=RATE, steps=200_001):
    t = np.linspace(0, horizon, steps)
    return np.trapezoid(survival(t) * (1 + rate) ** -t, t)


def test_exponential_survival_is_the_discounted_integral():
    r = row("survival_curves", os_median_ctl=12.0, os_hr=0.5)
    e = benefit.effects(r, STATES, RATE, 15.0)
    hazard = math.log(2)  # a median of one year
    years = integral(lambda t: np.exp(-hazard / 2 * t), 15) - integral(lambda t: np.exp(-hazard * t), 15)
    assert e.carrier["life_years"] == pytest.approx(years, rel=1e-6)
    assert e.carrier["qalys"] == pytest.approx(0.75 * years, rel=1e-6)
    assert e.carrier["deaths_averted"] == pytest.approx(math.exp(-5 * hazard / 2) - math.exp(-5 * hazard))
    assert e.carrier["dalys_averted"] == pytest.approx(
        integral(lambda t: np.exp(-hazard / 2 * t) - np.exp(-hazard * t), 15, 0.0), rel=1e-6)


def test_both_medians_without_a_ratio():
    a = benefit.effects(row("survival_curves", os_median_exp=24.0, os_median_ctl=12.0), STATES, RATE, 15.0)
    b = benefit.effects(row("survival_curves", os_median_ctl=12.0, os_hr=0.5), STATES, RATE, 15.0)
    assert a.carrier["qalys"] == pytest.approx(b.carrier["qalys"])


def test_mixture_cure_by_hand():
    """Ten in a hundred more alive at ten years: each lives 20 years, the others five on average."""
    r = row("landmark_cure", landmark_years=10.0, landmark_exp=0.8, landmark_ctl=0.7,
            utility_state="disease_free")
    e = benefit.effects(r, STATES, RATE, 20.0)
    years = 0.1 * (annuity(20, RATE) - annuity(5, RATE))
    assert e.carrier["life_years"] == pytest.approx(years)
    assert e.carrier["qalys"] == pytest.approx(0.85 * years)
    assert e.carrier["deaths_averted"] == pytest.approx(0.05)  # half of the deaths fall before year five


def test_risk_ratio_is_a_landmark():
    ratio = row("risk_ratio_cure", landmark_years=10.0, death_rr=0.5, death_rr_low=0.4, death_rr_high=0.6,
                landmark_ctl=0.7, utility_state="disease_free")
    same = row("landmark_cure", landmark_years=10.0, landmark_exp=0.85, landmark_ctl=0.7,
               utility_state="disease_free")
    a, b = (benefit.effects(r, STATES, RATE, 20.0) for r in (ratio, same))
    assert a.carrier["qalys"] == pytest.approx(b.carrier["qalys"])
    assert a.qaly_low < a.carrier["qalys"] < a.qaly_high


def test_curable_disease_is_bounded_by_the_remaining_life():
    r = row("landmark_cure", landmark_years=10.0, landmark_exp=1.0, landmark_ctl=0.0)
    assert benefit.effects(r, STATES, 0.0, 12.0).carrier["life_years"] <= 12.0


def test_progression_free_only_claims_no_survival():
    r = row("progression_free_only", pfs_median_ctl=6.0, pfs_hr=0.5)
    e = benefit.effects(r, STATES, RATE, 15.0)
    assert e.carrier["life_years"] is None and e.carrier["deaths_averted"] is None
    gain = integral(lambda t: np.exp(-math.log(2) * t) - np.exp(-2 * math.log(2) * t), 15)
    assert e.carrier["qalys"] == pytest.approx(0.15 * gain, rel=1e-6)
    assert "no survival evidence" in e.derivation


def test_builds_on_adds_the_gain_below():
    below = benefit.effects(row("survival_curves", os_median_ctl=12.0, os_hr=0.5), STATES, RATE, 15.0)
    r = row("survival_curves", os_median_ctl=24.0, os_hr=0.8, builds_on="below")
    alone = benefit.effects(r, STATES, RATE, 15.0)
    both = benefit.effects(r, STATES, RATE, 15.0, below)
    for measure in ("qalys", "life_years", "deaths_averted"):
        assert both.carrier[measure] == pytest.approx(alone.carrier[measure] + below.carrier[measure])


def test_noncarriers_gain_a_share_or_lose():
    r = row("survival_curves", os_median_ctl=12.0, os_hr=0.5, noncarrier_gain_ratio=-0.4)
    e = benefit.effects(r, STATES, RATE, 15.0)
    assert e.noncarrier["qalys"] == pytest.approx(-0.4 * e.carrier["qalys"])
    assert (e.carrier["patients_treated"], e.noncarrier["patients_treated"]) == (1.0, 0.0)


def test_mean_time_on_treatment():
    assert mean_months(10, "fixed", None) == 10
    assert mean_months(10, "median", None) == pytest.approx(10 / math.log(2))
    mean = 10 / math.log(2)
    assert mean_months(10, "median", 24) == pytest.approx(mean * (1 - math.exp(-24 / mean)))


def test_cash_by_year_sums_to_the_course():
    c = spread(monthly=100.0, months=30.0, upfront=50.0, rate=RATE)
    assert c.by_year == pytest.approx((1250.0, 1200.0, 600.0))
    assert c.total == pytest.approx(3050.0)
    assert c.discounted == pytest.approx(50 + 1200 * annuity(2.5, RATE))


def test_without_survival_evidence_the_gain_below_stands():
    below = benefit.effects(row("survival_curves", os_median_ctl=12.0, os_hr=0.5), STATES, RATE, 15.0)
    r = row("progression_free_only", pfs_median_ctl=6.0, pfs_hr=0.5, builds_on="below")
    both = benefit.effects(r, STATES, RATE, 15.0, below)
    assert both.carrier["life_years"] == below.carrier["life_years"]
    assert both.carrier["qalys"] > below.carrier["qalys"]
