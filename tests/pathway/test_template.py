"""The workbook of a place's numbers: out, and back without a trace, or with what was changed and nothing else."""

from __future__ import annotations

import json

import openpyxl
import pytest

import planner
from planner.evidence.base import validate
from planner.evidence.strata import place
from planner.pathway.named import own_issues
from planner.pathway.template import case_rows, template_rows
from planner.report.tables import plan_json
from planner.report.workbook import write_template
from planner.scenario.scenario import load


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture
def book(tmp_path, evidence):
    def write(country="KEN", region=None):
        file = tmp_path / "inputs.xlsx"
        here = place(evidence, country, region)
        write_template(template_rows(evidence, country, region), here.name, evidence, file,
                       case_rows(evidence, country, region))
        return file
    return write


def edit(file, sheet: str, change: dict, **key):
    """Change cells of the one row with a key; save."""
    book = openpyxl.load_workbook(file)
    found = 0
    header = [c.value for c in book[sheet][1]]
    for cells in book[sheet].iter_rows(min_row=2):
        row = dict(zip(header, cells, strict=True))
        if all(row[k].value == v for k, v in key.items()):
            found += 1
            for name, value in change.items():
                row[name].value = value
    assert found == 1
    book.save(file)


def plain(plan) -> dict:
    document = json.loads(plan_json(plan.document))
    document["solver"].pop("seconds")
    return document


@pytest.mark.parametrize(("scenario", "country", "region"), [("kenya", "KEN", None), ("texas", "USA", "US-TX")])
def test_round_trip_without_a_change_is_the_same_evidence_and_plan(book, evidence, scenario, country, region):
    again = planner.load_evidence(overlays=[book(country, region)])
    assert (again.digest, again.version) == (evidence.digest, evidence.version)
    assert plain(planner.plan(load(scenario), again)) == plain(planner.plan(load(scenario), evidence))


def test_a_changed_cell_is_the_place_s_own_and_nothing_else_moves(book, evidence):
    file = book()
    edit(file, "own prevalence", {"value": 0.25, "why": "register 2025"}, indication_id="breast_early", biomarker_id="her2")
    again = planner.load_evidence(overlays=[file])
    assert again.version.endswith("+overlay") and again.digest != evidence.digest
    before, after = (planner.plan(load("kenya"), e) for e in (evidence, again))
    facts = [{(f["parameter"], f["key"]): f for f in p.document["provenance"]} for p in (before, after)]
    moved = {k for k in facts[0] if facts[0][k] != facts[1][k]}
    assert moved == {("prevalence", "breast_early/her2")}
    own = facts[1]["prevalence", "breast_early/her2"]
    assert (own["value"], own["level"], own["stratum"], own["quality"]) == (0.25, "country", "KEN", "D")
    assert "register 2025" in own["note"] and "instead of 0.178" in own["note"]
    shipped = again.index("prevalence").pooled(place(again, "KEN"), "share", {"indication_id": "breast_early",
                                                                              "biomarker_id": "her2"})
    assert shipped.value == facts[0]["prevalence", "breast_early/her2"]["value"]  # not lost
    uganda = [planner.plan(load("uganda"), e).totals["qalys"] for e in (evidence, again)]
    assert uganda[0] == uganda[1]  # another place's numbers stay


def test_money_and_a_named_source(book):
    file = book()
    book_ = openpyxl.load_workbook(file)
    sheet = book_["own assay_costs"]
    header = [c.value for c in sheet[1]]
    sheet.cell(1, len(header) + 1).value = "source"
    for cells in sheet.iter_rows(min_row=2):
        if cells[header.index("assay_id")].value == "her2_ihc":
            cells[header.index("value")].value = 11.5
            sheet.cell(cells[0].row, len(header) + 1).value = "Tender 7/2026"
    book_.save(file)
    plan = planner.plan(load("kenya"), planner.load_evidence(overlays=[file]))
    fact = next(f for f in plan.document["provenance"] if (f["parameter"], f["key"]) == ("cost of the assay", "her2_ihc"))
    assert (fact["value"], fact["quality"], fact["source_id"]) == (11.5, "C", "Tender 7/2026")


def test_counts_flow_into_the_plan(book, evidence):
    file = book()
    book_ = openpyxl.load_workbook(file)
    book_["local_counts"].append(["country", "KEN", "cml", "bcr_abl1", "Nairobi", 2025, 200, 150, None, None])
    book_.save(file)
    facts = {(f["parameter"], f["key"]): f for f in planner.plan(load("kenya"), planner.load_evidence(
        overlays=[file])).document["provenance"]}
    prior = evidence.index("prevalence").pooled(place(evidence, "KEN"), "share", {"indication_id": "cml",
                                                                                  "biomarker_id": "bcr_abl1"})
    found = facts["prevalence", "cml/bcr_abl1"]
    expected = (prior.value * prior.n_effective + 150) / (prior.n_effective + 200)
    assert found["value"] == pytest.approx(expected)
    assert "150 of 200" in found["note"] and found["source_id"].startswith("local_counts")


def test_faults_are_told_together_and_in_words(book):
    file = book()
    edit(file, "own prevalence", {"value": "a quarter"}, indication_id="breast_early", biomarker_id="her2")
    edit(file, "own prevalence", {"value": "=1/4"}, indication_id="cml", biomarker_id="bcr_abl1")
    edit(file, "own eligibility", {"indication_id": None, "value": 0.5}, indication_id="cml", step="reaches_care")
    codes = {issue.code for issue in validate(file)}
    assert {"type", "formula", "key"} <= codes
    with pytest.raises(planner.BadInput):
        planner.load_evidence(overlays=[file])


@pytest.mark.parametrize("change", [{"biomarker_id": "er_pr", "value": 0.25}, {"stratum": "UGA", "value": 0.25},
                                    {"shipped": 0.9}])
def test_what_is_not_to_be_changed_is_guarded(book, change):
    file = book()
    edit(file, "own prevalence", change, indication_id="breast_early", biomarker_id="her2")
    assert [issue.code for issue in validate(file)] == ["key"]


def test_counts_beside_an_own_number_are_told(book):
    file = book()
    edit(file, "own prevalence", {"value": 0.5}, indication_id="cml", biomarker_id="bcr_abl1")
    book_ = openpyxl.load_workbook(file)
    book_["local_counts"].append(["country", "KEN", "cml", "bcr_abl1", "Nairobi", 2025, 20, 10, None, None])
    book_.save(file)
    assert [i.code for i in own_issues(planner.load_evidence(overlays=[file]))] == ["set_twice"]


def test_impossible_own_numbers_and_counts(book):
    file = book()
    edit(file, "own prevalence", {"value": 1.5}, indication_id="breast_early", biomarker_id="her2")
    edit(file, "own assay_costs", {"value": -3}, assay_id="her2_ihc")
    book_ = openpyxl.load_workbook(file)
    book_["local_counts"].append(["country", "KEN", "cml", "bcr_abl1", "Nairobi", 2025, 20, 30, None, None])
    book_["local_counts"].append(["country", "KEN", "cml", "bcr_abl1", "Other", 2025, 20, 10, "her2_ihc", None])
    book_.save(file)
    loaded = planner.load_evidence(overlays=[file])
    issues = own_issues(loaded)
    assert len(issues) == 4
    assert {"positive_above_tested", "unknown_id"} <= {i.code for i in issues}
    with pytest.raises(planner.BadInput) as told:
        planner.plan(load("kenya"), loaded)
    assert len(told.value.issues) == 4


def test_texts_of_the_template_are_texts(book):
    for sheet in openpyxl.load_workbook(book()).worksheets:
        assert not any(cell.data_type == "f" for cells in sheet.iter_rows() for cell in cells)
