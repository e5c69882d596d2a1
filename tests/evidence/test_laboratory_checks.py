"""Pathways and laboratories: what cannot be is told with its place, its cause and what to do."""

from __future__ import annotations

import pytest

from planner.errors import BadInput
from planner.evidence import load_evidence, validate
from planner.evidence.base import data_folder

S = {"source_id": "study_a", "quality": "B"}
FIRST = (1, "egfr_pcr", "egfr", "all", "first")


def steps(*rows: tuple) -> list[dict]:
    """Pathway of the service egfr_single: step, assay, biomarker, condition, sample."""
    return [{"service_id": "egfr_single"} | dict(zip(("step", "assay_id", "biomarker_id", "on", "sample"), r, strict=True))
            for r in rows]


@pytest.fixture
def tables(tables):
    """The tiny package with a second assay that answers two biomarkers, and a platform."""
    assay, accuracy = tables["assays"][0], tables["assay_performance"][0]
    tables["assays"].append(dict(assay, assay_id="panel", name="Panel"))
    tables["assay_performance"] += [dict(accuracy, assay_id="panel", biomarker_id=b) for b in ("egfr", "met")]
    tables["assay_costs"].append(dict(tables["assay_costs"][0], assay_id="panel"))
    tables["platforms"] = [{"platform_id": "pcr", "name": "PCR", "kind": "pcr", "capital_cost": 30_000, "currency": "USD",
                            "year": 2020, "life_years": 5, "service_share": 0.1, "setup_cost": 0, "runs_per_year": 250,
                            "samples_per_run": 96, "shared_run": "false", "lowest_tier": "national", "traded_share": 1, **S}]
    tables["assay_platforms"] = [{"assay_id": "egfr_pcr", "platform_id": "pcr", "samples_per_run": 30,
                                  "minimum_samples": 1, **S}]
    tables["assay_variable_costs"] = [{"assay_id": "egfr_pcr", "stratum_type": "world", "stratum": "world",
                                       "reagent_per_sample": 50, "reagent_per_run": 100, "currency": "USD", "year": 2020,
                                       "basis": "variable", "traded_share": 1, "run_quality": "D", **S}]
    return tables


def faults(save, tables) -> list:
    with pytest.raises(BadInput) as error:
        load_evidence(save(tables))
    return error.value.issues


GOOD = [
    steps(FIRST),
    steps(FIRST, (2, "panel", "*", "negative", "first")),
    steps(FIRST, (2, "panel", "met", "negative", "first")),  # negative looks at the whole pathway
    steps(FIRST, (2, "panel", "met", "all", "first")),
    steps(FIRST, (2, "panel", "egfr", "positive", "first")),
    steps((1, "panel", "*", "all", "first"), (2, "panel", "*", "failed", "rebiopsy")),
    steps((1, "panel", "egfr", "all", "first"), (1, "panel", "met", "all", "first")),
    steps((2, "egfr_pcr", "*", "all", "first"), (5, "panel", "*", "failed", "first")),  # numbers may leave gaps
]


@pytest.mark.parametrize("rows", GOOD, ids=range(len(GOOD)))
def test_pathways_that_can_be(save, tables, rows):
    tables["pathways"] = rows
    assert validate(save(tables)) == []


BAD = [  # rows, code, place, words
    (steps((1, "egfr_pcr", "egfr", "positive", "first")), "never_reached", "row 2, on", "no step comes before it"),
    (steps((1, "egfr_pcr", "*", "failed", "first"), (2, "panel", "*", "negative", "first")), "never_reached", "row 2, on",
     "give the first step `all`"),
    (steps(FIRST, (2, "panel", "met", "positive", "first")), "unanswered", "row 3, on",
     "waits for `positive` of met, but no step before it answers that"),
    (steps(FIRST, (2, "panel", "met", "failed", "first")), "unanswered", "row 3, on", "name the biomarker of an earlier step"),
    (steps((1, "panel", "met", "all", "first"), (2, "egfr_pcr", "*", "failed", "first")), "unanswered", "row 3, on",
     "any biomarker that it answers"),
    (steps(FIRST, (1, "panel", "met", "all", "first")), "step_number", "row 3, step",
     "step 1 of egfr_single is already egfr_pcr on all in row 2, here panel on all"),
    (steps((1, "panel", "egfr", "all", "first"), (2, "panel", "met", "all", "first"),
           (2, "panel", "egfr", "failed", "rebiopsy")), "step_number", "row 4, step", "a number of its own"),
    (steps(FIRST, (2, "egfr_pcr", "egfr", "failed", "first")), "step_again", "row 3, assay_id",
     "egfr_pcr for egfr on the first sample is already step 1 of egfr_single (row 2)"),
    (steps((1, "panel", "*", "all", "first"), (2, "panel", "met", "negative", "first")), "step_again", "row 3, assay_id",
     "drop one of the two"),
]


@pytest.mark.parametrize(("rows", "code", "place", "words"), BAD, ids=range(len(BAD)))
def test_pathways_that_cannot_be(save, tables, rows, code, place, words):
    tables["pathways"] = rows
    issue, = faults(save, tables)
    assert (issue.code, issue.where) == (code, f"pathways, {place}")
    assert words in str(issue)


def test_an_overlay_that_breaks_a_pathway_is_named(save, tables):
    over = save({"pathways": steps((2, "egfr_pcr", "egfr", "failed", "first"))}, "mine", only=True)
    tables["pathways"] = steps(FIRST)
    with pytest.raises(BadInput) as error:
        load_evidence(save(tables), [over])
    issue, = error.value.issues
    assert issue.code == "step_again" and issue.where == "pathways, mine row 2, assay_id"


def test_a_faulty_cell_of_a_pathway_is_told_once(save, tables):
    tables["pathways"] = steps((1, "egfr_pcr", "egfr", "sometimes", "first"), (2, "panel", "met", "positive", ""))
    assert {i.code for i in faults(save, tables)} == {"enum", "required"}


def test_equivocal_needs_an_assay_that_can_be_equivocal(save, tables):
    tables["pathways"] = steps(FIRST, (2, "panel", "egfr", "equivocal", "first"))
    issue, = validate(save(tables))
    assert (issue.code, issue.where) == ("never_reached", "pathways, row 3, on")
    assert "no assay before it has a share of equivocal results for egfr" in str(issue)
    load_evidence(save(tables, "again"))  # a place's own accuracy must not stop a plan
    tables["assay_performance"][0]["equivocal_carrier"] = 0.1
    assert validate(save(tables, "filled")) == []


def test_a_named_biomarker_needs_an_accuracy_in_every_indication(save, tables):
    tables["pathways"] = steps(FIRST, (2, "panel", "met", "all", "first"))
    tables["assay_performance"][-1]["indication_id"] = "lung_adv"
    assert validate(save(tables, "good")) == []
    tables["indications"].append(dict(tables["indications"][0], indication_id="lung_early"))
    tables["services"].append(dict(tables["services"][0], indication_id="lung_early"))
    issue, = (i for i in validate(save(tables)) if i.code == "no_accuracy")
    assert issue.where == "pathways, row 3, biomarker_id"
    assert "panel has no accuracy for met in lung_early" in str(issue)


def test_an_assay_with_reagents_needs_a_platform(save, tables):
    tables["assay_variable_costs"] += [dict(tables["assay_variable_costs"][0], assay_id="panel", stratum_type=t, stratum=s)
                                       for t, s in (("world", "world"), ("country", "KEN"))]
    issue, = faults(save, tables)  # once an assay, not once a row
    assert (issue.code, issue.where) == ("no_platform", "assay_variable_costs, row 3, assay_id")
    assert "'panel' has reagents here, but no platform in assay_platforms" in str(issue) and "send_out_only" in issue.remedy


@pytest.mark.parametrize(("row", "code", "column", "words"), [
    ({"samples_per_run": 0.5}, "range", "samples_per_run", "at least 1"),
    ({"minimum_samples": 31}, "volume", "minimum_samples", "waits for 31 patients, but a run holds 30"),
    ({"samples_per_run": 100}, "volume", "samples_per_run", "100 patients a run, but the platform has 96 positions"),
])
def test_runs_that_cannot_be(save, tables, row, code, column, words):
    tables["assay_platforms"][0] |= row
    issue = next(i for i in faults(save, tables) if i.code == code)
    assert issue.where == f"assay_platforms, row 2, {column}" and words in str(issue)


def test_a_run_may_wait_until_it_is_full(save, tables):
    tables["assay_platforms"][0] |= {"samples_per_run": 96, "minimum_samples": 96}
    assert validate(save(tables)) == []


def test_shipped_sequences():
    """What the new pathways rest on: an order read or stated as assumed, and exclusive drivers in lung cancer only."""
    evidence = load_evidence(data_folder())
    services = evidence.records("services")
    assert {s["indication_id"] for s in services if s["exclusive"]} == {"nsclc_nonsq_advanced", "nsclc_early_resected"}
    for service in services:
        rows = evidence.records("pathways", service_id=service["service_id"])
        if service["kind"] == "base" and len({r["step"] for r in rows}) > 1:
            assert service["source_id"] and service["quality"] and service["note"], service
        if any(r["sample"] == "rebiopsy" for r in rows):
            assert evidence.matches("rebiopsy", indication_id=service["indication_id"]), service


def test_a_test_that_no_laboratory_could_run_is_named():
    """Neither platform nor reagents: no fault, since it is bought, and a gap all the same. One sold by a firm has none."""
    import planner
    from planner.cli import _coverage
    from planner.evidence.laboratory_checks import bought_only

    evidence = planner.load_evidence()
    assert bought_only(evidence.tables) == {}
    frames = {name: evidence.tables[name] for name in ("assays", "assay_platforms", "assay_variable_costs", "platforms")}
    for table in ("assay_platforms", "assay_variable_costs"):
        frames[table] = frames[table][frames[table]["assay_id"] != "braf_pcr"]
    frames["assay_variable_costs"] = frames["assay_variable_costs"][frames["assay_variable_costs"]["assay_id"] != "karyotype"]
    assert bought_only(frames) == {"braf_pcr": "no platform and no reagents", "karyotype": "no reagents"}
    assert not any("never run" in line for line in _coverage(evidence))
