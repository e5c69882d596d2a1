"""A hospital: its own people at each decision, everything else of its country or region; its sheet of cases."""

from __future__ import annotations

import json

import openpyxl
import pytest

import planner
from planner import cli
from planner.analysis.audit import audit
from planner.evidence.base import stated_cases, validate
from planner.pathway.build import build_problem
from planner.report.numbers import place_words
from planner.report.tables import plan_json
from planner.scenario.scenario import difference, dumps, load, loads, save

HOSPITAL = 'parent = "kenya"\nsetting = {country = "KEN", hospital = "Model hospital"}\n'


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def hospital(cases: str, more: str = ""):
    return loads(f"{HOSPITAL}{more}\n[cases]\n{cases}", "mine")


def written(plan) -> str:
    document = json.loads(plan_json(plan.document))
    document["solver"].pop("seconds")
    return json.dumps(document)


# -- the plan ------------------------------------------------------------------------------------------

def test_the_cases_are_the_eligible_and_the_rest_is_the_country_s(evidence):
    mine = build_problem(evidence, hospital("breast_early = 100\ncml = 2.5"))
    whole = build_problem(evidence, load("kenya"))
    assert mine.places == (("KEN", "Model hospital (Kenya)"),)
    asked = {i.indication: i for i in mine.indications}
    assert {i: (x.incident, x.steps, x.eligible) for i, x in asked.items() if x.eligible} == {
        "breast_early": (100, (), 100), "cml": (2.5, (), 2.5)}
    for there in whole.indications:
        here = asked[there.indication]
        assert (here.services, here.name) == (there.services, there.name)
        for a, b in zip(here.use_cases, there.use_cases, strict=True):
            if a.active and b.active:
                assert (a.prevalence, a.subgroup, a.therapies) == (b.prevalence, b.subgroup, b.therapies)


def test_all_the_country_s_people_in_one_hospital_are_the_country_s_plan(evidence):
    """The same people give the same plan, whether they come by incidence and stage or are stated."""
    whole = planner.plan(load("kenya"), evidence)
    cases = {i.indication: i.eligible for i in whole.problem.indications}
    same = planner.plan(load("kenya", {"setting": {"hospital": "Every hospital"}, "cases": cases}), evidence)
    assert {k: v for k, v in same.totals.items() if isinstance(v, float)} == pytest.approx(
        {k: v for k, v in whole.totals.items() if isinstance(v, float)})
    assert [(r["indication_id"], r["biomarker_id"], r["priority_tier"], r["funded"]) for r in same.document["list"]] == [
        (r["indication_id"], r["biomarker_id"], r["priority_tier"], r["funded"]) for r in whole.document["list"]]


def test_lines_without_cases_say_so_and_none_is_missing(evidence):
    plan = planner.plan(hospital("breast_early = 100\ncml = 0"), evidence)
    rows = plan.document["list"]
    assert len(rows) == len(evidence.records("use_cases"))
    reasons = {f"{r['indication_id']}/{r['biomarker_id']}": r["reason"]["code"] for r in rows}
    assert reasons["cml/bcr_abl1"] == reasons["apl/pml_rara"] == "no_eligible"
    assert reasons["breast_early/her2"] == "funded"
    assert plan.totals["patients_eligible"] == 100


def test_provenance_names_the_hospital_s_count(evidence):
    plan = planner.plan(hospital("breast_early = 100"), evidence)
    facts = [p for p in plan.document["provenance"] if p["parameter"] == "people a year in the hospital"]
    assert [(p["key"], p["value"], p["level"], p["source_id"], p["quality"]) for p in facts] == [
        ("breast_early", 100.0, "scenario", "scenario", "D")]
    assert not any(p["parameter"] in ("new cases a year", "stage") for p in plan.document["provenance"])
    assert place_words(plan.document) == "Model hospital (Kenya)"


def test_a_hospital_in_a_region_reads_the_region_s_numbers(evidence):
    mine = loads('setting = {country = "USA", region = "US-TX", hospital = "H"}\ncases = {cml = 30}')
    problem = build_problem(evidence, mine)
    assert problem.places == (("US-TX", "H (Texas, United States)"),)
    assert {i.region for i in problem.indications} == {"US-TX"}


def test_access_that_speaks_of_all_patients_is_the_country_s(evidence):
    """A share of all patients is divided by those who reach care, in a hospital as in its country."""
    spoken = {r["drug"] for r in evidence.records("drug_access") if "care" not in r["includes"].split(";")}
    assert spoken
    for country in ("KEN", "IND", "BRA"):
        whole = build_problem(evidence, planner.Scenario.model_validate({"name": "x", "setting": {"country": country}}))
        mine = build_problem(evidence, planner.Scenario.model_validate(
            {"name": "x", "setting": {"country": country, "hospital": "H"}, "cases": {"cml": 1}}))
        assert [t.alpha for u in mine.use_cases for t in u.therapies if set(t.drugs) & spoken] == [
            t.alpha for u in whole.use_cases for t in u.therapies if set(t.drugs) & spoken]


def test_unknown_indications_are_told_with_the_nearest(evidence):
    with pytest.raises(planner.BadInput) as caught:
        build_problem(evidence, hospital("breast_erly = 4\ncmll = 5"))
    assert [i.what for i in caught.value.issues] == ["unknown indication `breast_erly`", "unknown indication `cmll`"]
    assert "breast_early" in caught.value.issues[0].remedy


@pytest.mark.parametrize(("table", "key", "column"), [
    ("incidence", {"cancer_site": "breast"}, "cases"),
    ("eligibility", {"indication_id": "breast_early", "step": "stage"}, "share")])
def test_a_number_that_the_cases_stand_in_for_is_refused(evidence, table, key, column):
    changes = {"override": [{"table": table, "key": key, "column": column, "value": 0.5, "why": "a test"}]}
    with pytest.raises(planner.BadInput, match="has no effect"):
        build_problem(evidence, load("hospital_kenya", changes))


def test_cases_that_lost_their_hospital_are_refused(evidence):
    """A copy of a scenario is not checked when it is made: the plan checks it."""
    mine = load("hospital_kenya")
    stray = mine.model_copy(update={"setting": mine.setting.model_copy(update={"hospital": None})})
    with pytest.raises(planner.BadInput, match="setting names none"):
        build_problem(evidence, stray)


def test_the_shipped_example_passes_the_audit_and_is_the_same_twice(evidence, tmp_path):
    one, two = (planner.plan(load("hospital_kenya"), evidence) for _ in range(2))
    assert written(one) == written(two)
    file = tmp_path / "plan.json"
    file.write_text(plan_json(one.document), encoding="utf-8")
    found = audit(file, model_version=planner.MODEL_VERSION)
    assert found.passed, found.text()
    changed = json.loads(file.read_text("utf-8"))
    changed["scenario"]["cases"]["breast_early"] *= 2
    file.write_text(json.dumps(changed), encoding="utf-8")
    assert not audit(file, model_version=planner.MODEL_VERSION).passed


def test_the_shipped_example_is_a_twentieth_of_the_country(evidence):
    whole = {i.indication: i.eligible for i in build_problem(evidence, load("kenya")).indications}
    for name, people in load("hospital_kenya").cases.items():
        assert abs(people - whole[name] / 20) <= 0.15 * people, name


def test_analyses_run_on_a_hospital(evidence):
    mine = hospital("cml = 8\ndlbcl = 20")
    found = planner.uncertainty(mine, evidence, draws=10)
    assert found.words and not any("people a year in the hospital" in str(r) for r in found.tables.get("parameters", ()))
    assert planner.frontier(mine, evidence).words


# -- the workbook --------------------------------------------------------------------------------------

@pytest.fixture
def book(tmp_path, capsys):
    """Write the template of a scenario, with cells of its sheet ``cases`` changed: {indication: cell}."""
    def write(scenario="hospital_kenya", change=(), name="inputs.xlsx"):
        file = tmp_path / name
        assert cli.main(["template", str(scenario), "--out", str(file)]) == 0, capsys.readouterr().err
        if change:
            made = openpyxl.load_workbook(file)
            for row in made["cases"].iter_rows(min_row=2):
                row[2].value = dict(change).get(row[0].value, row[2].value)
            made.save(file)
        return file
    return write


def run(capsys, *argv) -> tuple[int, str, str]:
    status = cli.main([str(a) for a in argv])
    out = capsys.readouterr()
    assert "Traceback" not in out.err
    return status, out.out, out.err


def sheet(file) -> list[dict]:
    rows = openpyxl.load_workbook(file)["cases"].iter_rows(values_only=True)
    header = next(rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_sheet_holds_the_scenario_s_cases_and_the_country_s_people(book, evidence):
    whole = {i.indication: i.eligible for i in build_problem(evidence, load("kenya")).indications}
    rows = sheet(book())
    assert list(rows[0]) == ["indication_id", "indication", "cases", "eligible_in_country_or_region"]
    assert {r["indication_id"]: r["cases"] for r in rows if r["cases"] is not None} == load("hospital_kenya").cases
    assert {r["indication_id"]: r["eligible_in_country_or_region"] or 0 for r in rows} == pytest.approx(whole)


def test_the_template_of_a_country_has_the_sheet_empty(tmp_path, capsys):
    file = tmp_path / "inputs.xlsx"
    assert run(capsys, "template", "--country", "KEN", "--out", file)[0] == 0
    assert {r["cases"] for r in sheet(file)} == {None} and stated_cases([file]) == {}
    assert planner.load_evidence(overlays=[file]) == planner.load_evidence()


def test_a_hospital_s_template_holds_what_its_plan_reads(book):
    made = openpyxl.load_workbook(book())
    assert "own incidence" not in made.sheetnames and "own prevalence" in made.sheetnames
    steps = {row[1] for row in made["own eligibility"].iter_rows(min_row=2, values_only=True)}
    assert steps == {"fit", "reaches_care"}
    assert "Model hospital, 600 beds (Kenya)" in made["readme"]["A1"].value


def test_round_trip_without_a_change(book, evidence, tmp_path, capsys):
    file = book()
    again = planner.load_evidence(overlays=[file])
    assert (again.digest, again.version) == (evidence.digest, evidence.version)
    out = tmp_path / "plan.json"
    assert run(capsys, "plan", "hospital_kenya", "--evidence", file, "--out", out)[0] == 0
    document = json.loads(out.read_text("utf-8"))
    document["solver"].pop("seconds")
    assert json.dumps(document) == written(planner.plan(load("hospital_kenya"), evidence))


def test_a_filled_sheet_stands_in_for_missing_cases(book, tmp_path, capsys):
    file = book(change={"cml": 33})
    lacking = tmp_path / "mine.toml"
    lacking.write_text(HOSPITAL)
    assert run(capsys, "plan", lacking)[0] == 2
    out = tmp_path / "plan.json"
    assert run(capsys, "validate", lacking, "--evidence", file)[0] == 0
    assert run(capsys, "plan", lacking, "--evidence", file, "--set", "cases.dlbcl=44", "--out", out)[0] == 0
    document = json.loads(out.read_text("utf-8"))
    assert document["scenario"]["cases"] == load("hospital_kenya").cases | {"cml": 33, "dlbcl": 44}
    assert audit(out, model_version=planner.MODEL_VERSION).passed  # the plan file holds the cases: no workbook is needed


def test_all_faults_of_the_sheet_are_told_at_once(book, capsys):
    file = book(change={"all_b": -4, "aml": "ten", "apl": "=1+2", "cll": 2_000_000, "cml": True})
    made = openpyxl.load_workbook(file)
    at = {row[0].value: row for row in made["cases"].iter_rows(min_row=2)}
    at["breast_metastatic"][0].value = "breast_early"
    at["dlbcl"][0].value = "dlbc"
    at["crc_metastatic"][0].value = None
    prevalence = made["own prevalence"]
    prevalence.cell(2, [c.value for c in prevalence[1]].index("value") + 1).value = "half"
    made.save(file)
    codes = sorted(i.code for i in validate(file))
    assert codes == ["duplicate", "formula", "missing", "out_of_range", "out_of_range", "type", "type", "type", "unknown_id"]
    for argv in (("validate", file), ("plan", "hospital_kenya", "--evidence", file),
                 ("compare", "hospital_kenya", "kenya", "--evidence", file)):
        status, _, err = run(capsys, *argv)
        assert status == 2 and err.count("\n- ") == 9
        assert "did you mean dlbcl" in err and "`breast_early` stands twice" in err and "-4 people a year" in err
    with pytest.raises(planner.BadInput):
        planner.load_evidence(overlays=[file])


def test_a_sheet_of_other_columns_is_no_sheet_of_the_template(book):
    file = book()
    made = openpyxl.load_workbook(file)
    made["cases"]["C1"].value = "patients"
    made.save(file)
    assert [i.code for i in validate(file)] == ["not_template"]


def test_cases_that_nobody_asked_for_are_told(book, capsys):
    file = book()
    for argv in (("plan", "kenya"), ("validate", "kenya"), ("compare", "kenya", "uganda"), ("template", "kenya", "--out", file)):
        status, _, err = run(capsys, *argv, "--evidence", file)
        assert status == 2 and "setting names none" in err, argv
    assert run(capsys, "compare", "hospital_kenya", "kenya", "--evidence", file)[0] == 0


def test_cases_are_no_evidence_to_compare(book, capsys):
    same, other = book(), book(change={"cml": 99}, name="other.xlsx")
    assert run(capsys, "compare", "hospital_kenya", "--against-evidence", same)[0] == 0
    status, _, err = run(capsys, "compare", "hospital_kenya", "--against-evidence", other)
    assert status == 2 and "belong to the scenario" in err


@pytest.mark.parametrize("argv", [("template", "hospital_kenya", "--country", "KEN"), ("template",),
                                  ("template", "hospital_kenya", "--region", "US-TX"), ("template", "--country", "K")])
def test_a_template_is_of_one_place(argv, tmp_path, capsys):
    assert run(capsys, *argv, "--out", tmp_path / "x.xlsx")[0] == 2


@pytest.mark.parametrize(("command", "argv"), [
    ("batch", ("--countries", "KEN,UGA")), ("batch", ("--countries", "all")),
    ("proposal", ("--drug", "trastuzumab", "--countries", "UGA"))])
def test_a_hospital_stays_at_home(command, argv, capsys):
    status, _, err = run(capsys, command, "hospital_kenya", *argv)
    assert status == 2 and "cannot be carried to other countries" in err


def test_a_saved_hospital_is_its_scenario_file(tmp_path):
    mine = hospital("cml = 8", '[laboratory]\ntechnician_minutes = 90000')
    save(mine, tmp_path / "mine.toml")
    assert load(tmp_path / "mine.toml") == mine
    assert difference(mine)["cases"] == {"cml": 8.0} and 'hospital = "Model hospital"' in dumps(mine)
