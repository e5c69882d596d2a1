"""The descriptor as types, and descriptors from strangers."""

from __future__ import annotations

import json

import pytest

from planner.errors import BadInput
from planner.evidence import validate
from planner.evidence.base import data_folder
from planner.evidence.dictionary import load_dictionary


def test_shipped_dictionary():
    dictionary = load_dictionary(data_folder())
    prevalence = dictionary.table("prevalence")
    assert prevalence.index_key == ("indication_id", "biomarker_id")
    assert prevalence.stratified and not dictionary.table("therapies").stratified
    share = prevalence.field("share")
    assert (share.type, share.required, share.minimum, share.maximum) == ("number", True, 0, 1)
    assert share.unit == "share 0 to 1" and share.description
    assert "IARC" in dictionary.table("incidence").licence
    assert dictionary.base_year == 2024 and dictionary.version


def test_bounds_belong_to_the_column_before_them():
    dictionary = load_dictionary(data_folder())
    assert dictionary.table("prevalence").bounds("share") == ("low", "high")
    assert dictionary.table("prevalence").bounds("n") is None
    assert dictionary.table("drug_access").bounds("ceiling") is None
    assert dictionary.table("therapies").bounds("os_hr") == ("os_hr_low", "os_hr_high")


@pytest.mark.parametrize(("change", "words"), [
    (lambda d: d.pop("base_year"), "base_year"),
    (lambda d: d.update(version=3), "version"),
    (lambda d: d.update(resources=[]), "resources"),
    (lambda d: d["resources"][0].pop("name"), "no name"),
    (lambda d: d["resources"][0].update(path="../../etc/passwd"), "not a CSV file beside"),
    (lambda d: d["resources"][0].update(path="https://example.org/a.csv"), "not a CSV file beside"),
    (lambda d: d["resources"][0]["schema"]["fields"][0].update(type="geopoint"), "unknown type"),
    (lambda d: d["resources"][0]["schema"].update(primaryKey=["nothing"]), "primaryKey"),
    (lambda d: d.update(profile="https://example.org/profile.json"), "unknown profile"),
    (lambda d: d["resources"][0]["schema"]["fields"][0].update(constraints={"pattern": "("}), "pattern"),
    (lambda d: d["resources"][0].update(schema=7), "fields"),
    (lambda d: d["resources"][0]["schema"].update(foreignKeys=[7]), "foreignKeys"),
    (lambda d: d["resources"][0].update(licenses="x"), "licenses"),
    (lambda d: d["resources"].append(d["resources"][0]), "twice"),
])
def test_broken_descriptor(save, tables, change, words):
    path = save(tables) / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), encoding="utf-8")
    issues = validate(path)
    assert issues and words in str(issues[0])


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_descriptor_that_is_no_json_object(tmp_path, content):
    (tmp_path / "datapackage.json").write_bytes(content)
    with pytest.raises(BadInput):
        load_dictionary(tmp_path)
