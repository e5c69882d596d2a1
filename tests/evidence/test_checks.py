"""One break per test, from a valid package: its code, where it is, and what the remedy says."""

from __future__ import annotations

import pytest

from planner.errors import BadInput
from planner.evidence import load_evidence, validate
from planner.evidence.base import data_folder
from planner.evidence.checks import completeness, coverage
from planner.evidence.dictionary import descriptor_issues


def test_the_tiny_package_is_valid(save, tables):
    assert validate(save(tables)) == []


CASES = [  # table, row of the list, column, value, code, words of the message
    ("prevalence", 0, "share", "1,000", "type", "thousands"),
    ("prevalence", 0, "share", "nan", "type", "prevalence, row 2, share: 'nan'"),
    ("prevalence", 0, "share", "inf", "type", "share 0 to 1"),
    ("prevalence", 0, "share", "1e999", "type", "'1e999'"),
    ("prevalence", 0, "share", " 0.3", "type", "' 0.3'"),
    ("prevalence", 0, "share", "NA", "type", "'NA'"),
    ("prevalence", 0, "share", "1_0", "type", "'1_0'"),
    ("prevalence", 0, "share", "\u0663", "type", "number such as"),
    ("deflators", 0, "year", "2020.0", "type", "whole number"),
    ("countries", 0, "in_globocan", "yes", "type", "`true` or `false`"),
    ("prevalence", 0, "share", "", "required", "a value is required"),
    ("sources", 0, "citation", "  ", "required", "Full citation"),
    ("drugs", 0, "route", "by mouth", "enum", "oral, infusion"),
    ("therapies", 0, "level", "7", "enum", "1, 2, 3, 4"),
    ("biomarkers", 1, "biomarker_id", "MET exon", "pattern", "biomarkers, row 3, biomarker_id"),
    ("prevalence", 0, "share", "30", "range", "0 to 1"),
    ("assay_costs", 0, "cost", "-1", "range", "at least 0"),
    ("prevalence", 0, "source_id", "study_c", "unknown_id", "study_a"),
    ("therapies", 0, "duration_source_id", "study_x", "unknown_id", "study_a"),
    ("pathways", 0, "service_id", "egfr_singel", "unknown_id", "egfr_single"),
    ("prevalence", 0, "low", "0.31", "bounds", "above share = 0.3"),
    ("prevalence", 0, "high", "0.29", "bounds", "below share = 0.3"),
    ("assay_performance", 0, "sensitivity_low", "0.96", "bounds", "above sensitivity"),
    ("incidence", 0, "stratum", "NAMIBIA", "unknown_stratum", "incidence, row 2, stratum"),
    ("incidence", 0, "stratum", "KEM", "unknown_stratum", "did you mean KEN"),
    ("empirical_use", 0, "note", "", "no_note", "empirical_use, row 2, note"),
    ("sources", 0, "citation", "Author", "no_citation", "full citation"),
    ("indications", 0, "eligibility_steps", "histology;stages", "unknown_step", "did you mean stage"),
]


@pytest.mark.parametrize(("table", "row", "column", "value", "code", "words"), CASES)
def test_one_broken_cell(save, tables, table, row, column, value, code, words):
    tables[table][row][column] = value
    with pytest.raises(BadInput) as error:
        load_evidence(save(tables))
    found = [i for i in error.value.issues if i.code == code]
    assert found and found[0].where.startswith(f"{table}, row {row + 2}, {column}"), error.value.issues
    assert words in str(found[0])
    assert len({i.code for i in error.value.issues} - {"unknown_id", "bounds"} - {code}) == 0, "one cause, one kind of message"


def test_all_faults_are_told_at_once(save, tables):
    tables["prevalence"][0]["share"] = "x"
    tables["drugs"][0]["route"] = "y"
    tables["deflators"][0]["year"] = ""
    with pytest.raises(BadInput) as error:
        load_evidence(save(tables))
    assert {i.code for i in error.value.issues} == {"type", "enum", "required"}
    assert error.value.exit_status == 2
    assert str(error.value).count("\n- ") == 2


def test_missing_table(save, tables):
    folder = save(tables)
    (folder / "dosing.csv").unlink()
    assert [(i.where, i.code) for i in validate(folder)] == [("dosing", "missing_table")]


def test_unknown_table_names_the_nearest(save, tables):
    folder = save(tables)
    (folder / "prevalances.csv").write_text("a\n1\n")
    issue, = validate(folder)
    assert issue.code == "unknown_table" and issue.remedy.startswith("did you mean prevalence")


def test_unknown_and_missing_column(save, tables):
    folder = save(tables)
    text = (folder / "prevalence.csv").read_text().replace("definition", "defintion", 1)
    (folder / "prevalence.csv").write_text(text)
    issues = validate(folder)
    assert [i.code for i in issues] == ["unknown_column", "missing_column"]
    assert "did you mean definition" in issues[0].remedy


def test_duplicate_key_names_both_rows(save, tables):
    tables["deflators"].append(dict(tables["deflators"][0]))
    issue, = validate(save(tables))
    assert issue.code == "duplicate_key"
    assert issue.where == "deflators, row 4" and "row 2" in issue.what


def test_duplicate_key_with_an_empty_part(save, tables):
    tables["drug_prices"].append(dict(tables["drug_prices"][0], source_id="study_b"))
    assert [i.code for i in validate(save(tables))] == ["duplicate_key"]


LINKS = [
    ("eligibility", "eligibility step histology"), ("prevalence", "prevalence"), ("therapies", "effect of a treatment"),
    ("services", "a service"), ("assay_performance", "a service"), ("assay_costs", "cost of the assay egfr_pcr"),
    ("drug_prices", "price of gefitinib"), ("dosing", "dose of gefitinib"), ("drug_access", "access to gefitinib"),
    ("utilities", "utility of progression_free"), ("workup_costs", "cost of a work-up"),
    ("empirical_use", "use without the test"), ("therapy_drugs", "drugs of lung_egfr_gefitinib"),
]


@pytest.mark.parametrize(("table", "words"), LINKS)
def test_incomplete_use_case_is_an_issue_of_the_package_only(save, tables, table, words):
    tables[table].clear()
    if table == "therapies":
        tables["therapy_drugs"].clear()
        tables["empirical_use"].clear()
    if table == "services":
        tables["pathways"].clear()
    folder = save(tables)
    issue, = validate(folder)
    assert issue.code == "incomplete" and issue.where == "use_cases, lung_adv/egfr"
    assert words in issue.what
    assert not completeness(load_evidence(folder).tables)["plannable"].any()


def test_access_must_resolve_for_every_income_group(save, tables):
    tables["drug_access"].pop()
    issue, = validate(save(tables))
    assert "access to gefitinib" in issue.what


def test_stated_gap_is_no_issue_but_not_plannable(evidence):
    table = completeness(evidence.tables).set_index("biomarker_id")
    assert table.loc["egfr", "plannable"] and table.loc["egfr", "missing"] == ""
    assert not table.loc["met", "plannable"]
    assert table.loc["met", "missing"].startswith("prevalence; ")
    assert table.loc["met", "missing"].endswith(": no effect could be read")


def test_a_use_case_that_no_number_would_help(save, tables):
    tables["use_cases"][1]["gap"] = "no decision waits for the result: nobody treats by it"
    text = completeness(load_evidence(save(tables)).tables).set_index("biomarker_id").loc["met", "missing"]
    assert text.startswith("no decision waits for the result: nobody treats by it (not there: prevalence; ")


def test_coverage(evidence):
    found = coverage(evidence)
    assert found.use_cases == 2
    assert found.complete == ("lung_adv/egfr",)
    assert list(found.not_plannable) == ["lung_adv/met"]
    assert found.cells_by_grade["empirical_use"] == {"D": 1}
    assert found.countries_with_own["incidence"] == 1 and found.countries_with_own["prevalence"] == 0


@pytest.mark.parametrize(("currency", "year", "codes"), [
    ("KES", 2021, ["missing_rate", "missing_deflator"]), ("USD", 2019, ["missing_deflator"]), ("KES", 2020, []),
])
def test_money_that_cannot_be_converted(save, tables, currency, year, codes):
    tables["assay_costs"][0] |= {"currency": currency, "year": year}
    assert [i.code for i in validate(save(tables))] == codes


def test_the_shipped_descriptor_keeps_the_standard():
    assert descriptor_issues(data_folder() / "datapackage.json") == []
