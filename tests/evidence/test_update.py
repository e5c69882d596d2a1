"""Local counts as a Beta prior, data and posterior; observed positivity as true prevalence, once."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner.evidence.base import Tables
from planner.evidence.strata import Resolved, place
from planner.evidence.update import Beta, answers, as_true, corrected, counted, counts_here, true_share, updated
from planner.pathway.resolve_values import Values
from planner.pathway.services import performance
from planner.scenario.model import Scenario

PRIOR = Resolved(0.2, 0.1, 0.3, 50.0, "un_subregion", "Eastern Africa", "B", ("somebody",), 1, ())


def row(**changes) -> dict:
    return {"stratum_type": "country", "stratum": "KEN", "laboratory": "Lab", "year": 2025, "tested": 100, "positive": 40,
            "assay_id": None} | changes


def test_posterior_by_hand():
    found = updated(PRIOR, [row(), row(laboratory="Other", tested=50, positive=5)], lambda assay: None)
    assert found.posterior.share == pytest.approx((50 * 0.2 + 40 + 5) / 200)
    assert found.posterior.n == pytest.approx(200)
    assert (found.tested, found.positive) == (150, 45)
    assert found.prior.share == 0.2 and found.prior.n == 50
    assert "45 of 150" in found.words and "Lab 2025, Other 2025" in found.words


def test_exact_interval_of_counts():
    found = counted(3, 10)
    assert (found.low, found.high) == pytest.approx((0.0667395, 0.6524529), abs=1e-6)  # Clopper-Pearson, printed tables
    assert counted(0, 10).low == 0 and counted(10, 10).high == 1


def test_no_counts_change_nothing():
    assert updated(PRIOR, [], lambda assay: None) is None


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_posterior_lies_between_prior_and_data(counts):
    tested, positive = counts
    found = updated(PRIOR, [row(tested=tested, positive=positive)], lambda assay: None).posterior
    low, high = sorted((PRIOR.value, positive / tested))
    assert low - 1e-12 <= found.share <= high + 1e-12
    assert found.n == pytest.approx(50 + tested)
    assert found.low <= found.share <= found.high or found.share in (0.0, 1.0)


def test_true_prevalence_of_raw_positives():
    assert true_share(0.9 * 0.3 + 0.05 * 0.7, 0.9, 0.95) == pytest.approx(0.3)  # Rogan & Gladen turned round
    assert true_share(0.01, 0.9, 0.95) == 0.0 and true_share(0.99, 0.9, 0.95) == 1.0
    plain = updated(PRIOR, [row()], lambda assay: None).posterior
    raw = updated(PRIOR, [row(assay_id="a")], lambda assay: (0.8, 0.9)).posterior
    youden = 0.7
    assert raw.share == pytest.approx((50 * 0.2 + 100 * youden**2 * (0.4 - 0.1) / youden) / (50 + 100 * youden**2))
    assert raw.n < plain.n
    chance = Beta(0.4, 100.0, 0.3, 0.5)
    assert corrected(chance, (0.5, 0.52)) == chance


def raw_positivity(evidence, assay: str, share: float) -> float:
    """What a laboratory reads as positive where ``share`` carry HER2: equivocal answers are no positives."""
    here = Scenario.model_validate({"name": "k", "setting": {"country": "KEN"}})
    shown = performance(Values(evidence, place(evidence, "KEN"), here), assay, "her2", "breast_metastatic")
    return share * shown.positive[True] + (1 - share) * shown.positive[False]


@pytest.mark.parametrize("assay", ["her2_ihc", "er_pr_her2_ihc_bundle"])
def test_equivocal_answers_are_no_false_positives(assay):
    evidence = planner.load_evidence()
    raw = raw_positivity(evidence, assay, 0.2)
    row = evidence.record("assay_performance", assay_id=assay, biomarker_id="her2", indication_id="breast_metastatic")
    assert true_share(raw, *answers(row)) == pytest.approx(0.2)


def with_table(evidence, name: str, frame: pd.DataFrame):
    tables = {n: evidence.tables[n] for n in evidence.tables} | {name: frame}
    return replace(evidence, tables=Tables(tables))


def test_counts_with_equivocal_answers_end_to_end():
    """100,000 women of a laboratory, 20 % carriers, raw positives by HER2 staining: the plan reads 20 %."""
    evidence = planner.load_evidence()
    count = {"indication_id": "breast_metastatic", "biomarker_id": "her2", "stratum_type": "country", "stratum": "KEN",
             "laboratory": "Lab", "year": 2025, "tested": 10**6, "assay_id": "her2_ihc",
             "positive": round(10**6 * raw_positivity(evidence, "her2_ihc", 0.2))}
    counts = evidence.table("local_counts")
    frame = pd.DataFrame([count], columns=list(counts.columns)).astype(counts.dtypes.to_dict())
    plan = planner.plan(planner.Scenario.load("kenya"), with_table(evidence, "local_counts", frame))
    (fact,) = [f for f in plan.document["provenance"] if f["parameter"] == "prevalence"
               and f["key"] == "breast_metastatic/her2"]
    assert fact["value"] == pytest.approx(0.2, abs=0.002)


def test_observed_rows_with_equivocal_answers():
    evidence = planner.load_evidence()
    frame = evidence.table("prevalence").copy()
    mine = frame[(frame["indication_id"] == "breast_metastatic") & (frame["biomarker_id"] == "her2")].index[0]
    frame.loc[mine, ["basis", "assay_id", "share", "low", "high"]] = [
        "observed", "her2_ihc", raw_positivity(evidence, "her2_ihc", 0.2), None, None]
    tables = {"prevalence": frame, "assay_performance": evidence.table("assay_performance")}
    assert as_true(tables).loc[mine, "share"] == pytest.approx(0.2)


def test_observed_rows_are_turned_once():
    evidence = planner.load_evidence()
    frame = evidence.table("prevalence").copy()
    mine = frame[(frame["indication_id"] == "nsclc_nonsq_advanced") & (frame["biomarker_id"] == "egfr")
                 & (frame["stratum"] == "BRA")].index[0]
    frame.loc[mine, ["basis", "assay_id"]] = ["observed", "egfr_pcr"]
    before = float(frame.loc[mine, "share"])
    tables = Tables({**{n: evidence.table(n) for n in evidence.tables}, "prevalence": frame})
    accuracy = evidence.record("assay_performance", assay_id="egfr_pcr", biomarker_id="egfr")
    se, sp = accuracy["sensitivity"], accuracy["specificity"]
    once = as_true(tables)
    assert once.loc[mine, "share"] == pytest.approx((before + sp - 1) / (se + sp - 1))
    assert once.loc[mine, "basis"] == "true"
    again = as_true({"prevalence": once, "assay_performance": evidence.table("assay_performance")})
    assert again.loc[mine, "share"] == once.loc[mine, "share"]
    others = once.drop(index=mine)
    assert others.equals(frame.drop(index=mine))


def test_the_nearest_level_with_counts_stands():
    evidence = planner.load_evidence()
    texas = place(evidence, "USA", "US-TX")
    rows = [row(stratum="USA"), row(stratum_type="region", stratum="US-TX", positive=1)]
    assert [r["positive"] for r in counts_here(rows, texas)] == [1]
    assert [r["positive"] for r in counts_here(rows[:1], texas)] == [40]
    assert counts_here(rows, place(evidence, "KEN")) == []
