"""Every bad file gives its issue: code and place, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.scenario import load, loads

FOLDER = Path(__file__).resolve().parents[1] / "bad_inputs" / "scenario"
EXPECTED = {
    "empty": [("empty.toml", "empty")], "comment_only": [("comment_only.toml", "empty")],
    "binary": [("binary.toml", "binary")], "latin1": [("latin1.toml", "encoding")],
    "not_toml": [("not_toml.toml", "syntax")], "key_twice": [("key_twice.toml", "set_twice")],
    "table_twice": [("table_twice.toml", "set_twice")], "override_twice": [("override 2", "set_twice")],
    "unknown_key": [("budget.tesing", "unknown_key")],
    "many_faults": [("hospital", "unknown_key"), ("budget.tesing", "unknown_key"), ("objective", "value"),
                    ("discount_rate", "value"), ("budget.total", "value"), ("coverage.maximum", "type")],
    "not_offered": [("setting.countries", "not_offered"), ("equity.region_floor", "not_offered"),
                    ("laboratory.prices", "not_offered")],
    "negative": [("budget.testing", "value")], "nan": [("budget.testing", "value")],
    "infinite": [("budget.testing", "value")], "text_for_number": [("budget.testing", "type")],
    "true_for_number": [("budget.testing", "type")], "no_setting": [("setting", "missing")],
    "setting_text": [("setting", "type")], "date": [("discount_rate", "type")],
    "missing_parent": [("missing_parent.toml, parent", "parent")],
    "parent_path": [("parent_path.toml, parent", "parent")],
    "circle_a": [("circle_b.toml, parent", "circular")], "circle_b": [("circle_a.toml, parent", "circular")],
    "buy_without_money": [("access.buy", "conflict")], "ramp_in_one_year": [("coverage.ramp_per_year", "conflict")],
    "region_and_regions": [("setting", "value")], "fund_and_exclude": [("policy.exclude", "conflict")],
    "hospital_without_cases": [("cases", "conflict")], "cases_without_hospital": [("cases", "conflict")],
    "hospital_and_regions": [("setting", "value")], "hospital_without_name": [("setting.hospital", "value")],
    "impossible_cases": [("cases.breast_early", "value"), ("cases.cml", "value"), ("cases.aml", "type"), ("cases.apl", "type"),
                         ("cases.not an id", "value")],
    "years_list": [("budget.testing", "conflict")], "item_of_list": [("budget.testing.2", "value")],
}


def faults(run) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as caught:
        run()
    assert all(i.what and i.remedy for i in caught.value.issues)
    return [(i.where, i.code) for i in caught.value.issues]


def test_every_bad_file_is_expected():
    assert {p.stem for p in FOLDER.glob("*.toml")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_bad_file(name):
    assert faults(lambda: load(FOLDER / f"{name}.toml")) == EXPECTED[name]


def test_too_large(tmp_path):
    file = tmp_path / "large.toml"
    file.write_text("# " + "x" * 1_000_001)
    assert faults(lambda: load(file)) == [("large.toml", "too_large")]


@pytest.mark.parametrize("path", ["none.toml", "a/b", ".", "x\0.toml", "kenia"])
def test_no_such_file(path):
    assert [code for _, code in faults(lambda: load(path))] == ["no_file"]


@pytest.mark.parametrize("text", ["a = " + "[" * 2000, "a." * 3000 + "b = 1", "years = " + "9" * 5000,
                                  'setting = {country = "KEN"}\noverride.key.' + "a." * 3000 + "b = 1"])
def test_hostile_text(text):
    assert [code for _, code in faults(lambda: loads(text))] == ["syntax"]


def test_the_nearest_key_is_named():
    with pytest.raises(BadInput) as caught:
        loads('setting = {country = "KEN"}\ntesting = 4\n[budget]\ntesing = 1')
    assert [i.remedy for i in caught.value.issues] == ["did you mean `budget.testing`"] * 2


def test_a_parents_fault_names_its_file(tmp_path):
    (tmp_path / "base.toml").write_text('setting = {country = "KEN"}\nobjective = "x"\nyers = 2\n')
    (tmp_path / "child.toml").write_text('parent = "base"\nyears = 0\n')
    assert faults(lambda: load(tmp_path / "child.toml")) == [
        ("base.toml, yers", "unknown_key"), ("years", "value"), ("base.toml, objective", "value")]


def test_defaults_alone_are_no_scenario():
    assert ("setting", "missing") in faults(lambda: load("defaults"))
