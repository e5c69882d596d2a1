"""Evidence: frozen, hashable, overlaid; the same whatever the order of rows."""

from __future__ import annotations

import csv
import json
import pickle
import random
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.evidence import load_evidence, place, validate
from planner.evidence.base import data_folder
from planner.pathway.resolve_values import Values
from planner.scenario.scenario import load as load_scenario


def test_digest_does_not_depend_on_row_order(save, tables):
    one = load_evidence(save(tables, "one"))
    for rows in tables.values():
        random.Random(1).shuffle(rows)
    two = load_evidence(save(tables, "two"))
    assert one.digest == two.digest and one == two and len({one, two}) == 1
    assert one.record("countries", iso3="NAM")["name"] == "Namibia"


def test_digest_depends_on_every_cell(load, save, tables):
    one = load_evidence(save(tables, "one"))
    tables["prevalence"][0]["note"] = "changed"
    assert one != load_evidence(save(tables, "two"))


def test_number_written_otherwise_is_the_same_number(save, tables):
    one = load_evidence(save(tables, "one"))
    tables["prevalence"][0]["share"] = "3.0e-1"
    assert one == load_evidence(save(tables, "two"))


def test_evidence_does_not_change(evidence):
    frame = evidence.table("prevalence")
    frame.loc[0, "share"] = 0.9
    assert evidence.table("prevalence")["share"].tolist() == [0.3]
    evidence.record("drugs", drug="gefitinib")["name"] = "x"
    assert evidence.record("drugs", drug="gefitinib")["name"] == "gefitinib"
    with pytest.raises(AttributeError):
        evidence.version = "2"
    with pytest.raises(TypeError):
        evidence.tables["prevalence"] = frame


def test_evidence_survives_pickling(evidence):
    evidence.index("prevalence")
    again = pickle.loads(pickle.dumps(evidence))
    assert again == evidence
    assert again.index("prevalence").nearest(place(again, "KEN"), "share", {"biomarker_id": "egfr"}).value == 0.3


def test_records_and_matches(evidence):
    assert evidence.record("drugs", drug="nothing") == {}
    assert evidence.records("use_cases", indication_id="lung_adv")[1]["gap"] == "no effect could be read"
    assert evidence.record("use_cases", biomarker_id="egfr")["gap"] is None
    assert evidence.matches("dosing", drug="gefitinib") and not evidence.matches("dosing", drug="x")
    assert evidence.record("deflators", year=2020)["index"] == 258.811
    assert evidence.record("countries", iso3="KEN")["in_globocan"] is True


def test_index_is_built_once(evidence):
    assert evidence.index("drug_access") is evidence.index("drug_access")
    found = evidence.index("drug_access").nearest(
        place(evidence, "KEN"), "share", {"drug": "gefitinib", "indication_id": "lung_adv", "payer": "public"})
    assert (found.value, found.stratum) == (0.2, "lower_middle")


# -- overlays --------------------------------------------------------------------------------------

def test_overlay_replaces_and_adds(save, tables):
    base = save(tables)
    old, kenya = tables["prevalence"][0], {"stratum_type": "country", "stratum": "KEN"}
    over = save({"prevalence": [dict(old, share=0.28), dict(old, **kenya, share=0.3)]}, "mine", only=True)
    evidence = load_evidence(base, [over])
    assert evidence.table("prevalence")["share"].tolist() == [0.3, 0.28]
    assert evidence.version.endswith("+overlay") and evidence != load_evidence(base)
    assert evidence.table("prevalence").dtypes.equals(load_evidence(base).table("prevalence").dtypes)


def test_overlay_replaces_a_row_whose_key_has_an_empty_part(save, tables):
    over = save({"drug_prices": [dict(tables["drug_prices"][0], price=0.02)]}, "mine", only=True)
    assert load_evidence(save(tables), [over]).table("drug_prices")["price"].tolist() == [0.02]


def test_overlay_may_leave_optional_columns_out(save, tables, tmp_path):
    (tmp_path / "deflators.csv").write_text("year,index,source_id,quality\n2021,270.97,study_a,A\n")
    (tmp_path / "utilities.csv").write_text("indication_id,state,utility,source_id,quality\nlung_adv,progressed,0.6,study_a,B\n")
    evidence = load_evidence(save(tables), [tmp_path])
    assert evidence.record("utilities", state="progressed")["low"] is None


def test_faults_of_an_overlay_name_it(save, tables):
    row = dict(tables["prevalence"][0], source_id="mine_2026", low=0.31)
    over = save({"prevalence": [row, row]}, "mine", only=True)
    with pytest.raises(BadInput) as error:
        load_evidence(save(tables), [over])
    places = {(i.code, i.where) for i in error.value.issues}
    assert ("unknown_id", "prevalence, mine row 2, source_id") in places
    assert ("bounds", "prevalence, mine row 2, low") in places
    assert ("duplicate_key", "prevalence, mine row 3") in places


def test_overlay_without_tables(save, tables, tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(BadInput, match="no table"):
        load_evidence(save(tables), [tmp_path / "nothing"])


def test_folder_without_descriptor_is_read_by_the_shipped_dictionary(save, tables):
    folder = save(tables)
    digest = load_evidence(folder).digest
    (folder / "datapackage.json").unlink()
    assert load_evidence(folder).digest == digest


def test_folder_without_descriptor_validates_as_overlay(monkeypatch, save, tables):
    shipped = save(tables)
    monkeypatch.setattr("planner.evidence.base.data_folder", lambda: shipped)
    assert validate(save({"prevalence": tables["prevalence"]}, "mine", only=True)) == []
    bad = save({"prevalence": [dict(tables["prevalence"][0], share=2)]}, "other", only=True)
    assert {i.code for i in validate(bad)} == {"range", "bounds"}


# -- the standard -------------------------------------------------------------------------------------

def frictionless_faults(folder) -> list:
    """What the reference implementation of the standard says of a package's rows."""
    from frictionless import Package

    return Package("datapackage.json", basepath=str(folder)).validate().flatten(
        ["title", "rowNumber", "fieldName", "note"])


def test_frictionless_agrees_that_the_package_is_valid(save, tables):
    assert frictionless_faults(save(tables)) == []


def test_the_shipped_package_is_valid_by_both():
    assert validate(data_folder()) == []
    assert frictionless_faults(data_folder()) == []


def of_another_version(folder: Path) -> Path:
    """A package of an older version, sound by its own descriptor: no table own_values, no column proceeds_if."""
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    descriptor["version"] = "2026.1"
    descriptor["resources"] = [r for r in descriptor["resources"] if r["name"] != "own_values"]
    (folder / "own_values.csv").unlink()
    schema = next(r for r in descriptor["resources"] if r["name"] == "prerequisites")["schema"]
    schema["fields"] = [f for f in schema["fields"] if f["name"] != "proceeds_if"]
    (folder / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    rows = list(csv.DictReader((folder / "prerequisites.csv").open(encoding="utf-8")))
    with (folder / "prerequisites.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f["name"] for f in schema["fields"]], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_package_of_another_version_is_refused(save, tables):
    folder = of_another_version(save(tables))
    for issues in (validate(folder), refused(lambda: load_evidence(folder)), refused(lambda: load_evidence(overlays=[folder]))):
        said = {(i.code, i.where): i for i in issues}
        assert ("missing_table", "datapackage.json, own_values") in said
        assert all("2026.1" in i.what and i.remedy for key, i in said.items() if "datapackage.json" in i.where)
        assert "proceeds_if" in said["missing_column", "datapackage.json, prerequisites"].what


def refused(load) -> tuple:
    with pytest.raises(BadInput) as error:
        load()
    return error.value.issues


def test_an_overlay_keeps_the_replaced_value_in_the_note(save, tables):
    base = save(tables)
    price = dict(tables["drug_prices"][0])
    same = load_evidence(base, [save({"drug_prices": [price]}, "same", only=True)])
    assert same.digest == load_evidence(base).digest
    over = save({"drug_prices": [price | {"price": 0.02, "note": "tender"}]}, "over", only=True)
    assert load_evidence(base, [over]).record("drug_prices")["note"] == "tender; instead of price 0.01 shipped"


def test_a_plan_shows_what_an_overlay_replaced(tmp_path):
    shipped = load_evidence()
    row = next(r for r in shipped.records("drug_prices", drug="trastuzumab") if r["stratum"] == "KEN")
    frame = shipped.table("drug_prices")
    mine = frame[(frame["drug"] == "trastuzumab") & (frame["stratum"] == "KEN")]
    mine.assign(price=mine["price"] * 0.5).to_csv(tmp_path / "drug_prices.csv", index=False)
    values = Values(load_evidence(overlays=[tmp_path]), place(shipped, "KEN"), load_scenario("kenya"))
    assert f"instead of price {row['price']:.6g} shipped" in values.drug_price("trastuzumab").note
