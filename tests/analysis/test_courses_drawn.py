"""Courses of many versions at once cost what each version alone costs."""

from __future__ import annotations

import numpy as np
import pytest

from planner.analysis.sensitivity import known
from planner.analysis.study import Study
from planner.pathway.courses import mean_months, spread

MONTHS = np.array([3.0, 11.9, 12.0, 30.0, 61.5])


@pytest.mark.parametrize(("kind", "cap"), [("fixed", None), ("mean", 24.0), ("median", None), ("pfs_median", 24.0)])
def test_mean_months_of_versions(kind, cap):
    assert mean_months(MONTHS, kind, cap) == pytest.approx([mean_months(m, kind, cap) for m in MONTHS])


def test_cash_by_year_of_versions():
    """The list of years is that of the longest; what a shorter course has no year for is nothing."""
    many = spread(100.0, MONTHS, 50.0, 0.03)
    for n, months in enumerate(MONTHS):
        one = spread(100.0, months, 50.0, 0.03)
        mine = [float(np.broadcast_to(year, 5)[n]) for year in many.by_year]
        assert mine[:len(one.by_year)] == pytest.approx(one.by_year) and not any(mine[len(one.by_year):])
        assert many.discounted[n] == pytest.approx(one.discounted)


def test_durations_are_uncertain_unless_the_regimen_fixes_them(evidence, kenya):
    found = {p.name: p for p in known(Study(kenya(), evidence))}
    crizotinib = found["months on treatment: nsclc_nonsq_advanced_alk_crizotinib"]
    assert crizotinib.value == 10.9 and crizotinib.distribution.mean == pytest.approx(10.9)
    assert "months on treatment: breast_early_er_pr_letrozole" not in found  # five years
