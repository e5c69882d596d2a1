"""Inheritance, saving, sentences."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import BadInput
from planner.scenario import Scenario, difference, dumps, load, loads, save, shipped
from planner.scenario.describe import describe, differences
from planner.scenario.reading import shipped_folder

KENYA = 'setting = {country = "KEN"}\n'


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_load_and_describe(name):
    scenario = load(name)
    assert scenario == load(name) == Scenario.load(shipped()[name]) and hash(scenario) == hash(load(name))
    assert scenario.description and len(describe(scenario)) >= 2
    assert loads(dumps(scenario), name) == scenario


def test_there_are_scenarios_of_every_income_group():
    assert {"uganda", "kenya", "india", "brazil", "south_africa", "germany", "texas"} <= set(shipped())


def test_defaults_hold_method_settings_only():
    data = tomllib.loads((shipped_folder() / "defaults.toml").read_text("utf-8"))
    assert not {"name", "setting", "parent", "policy", "override", "display"} & set(data)
    assert not {"testing", "treatment", "total"} & set(data["budget"])


def test_defaults_are_the_model_s_own():
    """The file states the defaults for the reader; they must not differ from the types'. Exception: the
    services that are not offered, which are ids of the evidence and stand in the file only."""
    mine = loads(KENYA, "x")
    assert mine == Scenario(name="x", parent="defaults", setting={"country": "KEN"}, services=mine.services)


@pytest.fixture
def family(tmp_path):
    (tmp_path / "base.toml").write_text(KENYA + """
[budget]
testing = 100
[access]
drugs = {a = 0.5, b = 0.2}
[policy]
must_fund = ["x/y", "x/z"]
[[override]]
table = "t"
key = {k = "1"}
column = "c"
value = 1
why = "first"
[[override]]
table = "t"
key = {k = "2"}
column = "c"
value = 2
why = "second"
""")

    def child(text: str) -> Scenario:
        (tmp_path / "child.toml").write_text('parent = "base"\n' + text)
        return load(tmp_path / "child.toml")

    return child


def test_lists_replace_and_tables_merge(family):
    s = family('[access.drugs]\na = 1.0\n[policy]\nmust_fund = ["x/w"]')
    assert s.access.drugs == {"a": 1.0, "b": 0.2}
    assert s.policy.must_fund == ("x/w",)
    assert s.budget.testing == 100 and s.name == "child" and s.parent == "base"


def test_unlimited_lifts_a_limit(family):
    assert family('budget = {testing = "unlimited"}').budget.testing is None


def test_overrides_merge_by_identity(family):
    s = family('[[override]]\ntable = "t"\nkey = {k = "1"}\ncolumn = "c"\nvalue = 9\nwhy = "mine"\n')
    assert {o.key["k"]: o.value for o in s.override} == {"1": 9, "2": 2}


def test_another_country_is_another_setting(tmp_path):
    (tmp_path / "base.toml").write_text('setting = {country = "USA", region = "US-TX"}')
    (tmp_path / "child.toml").write_text('parent = "base"\nsetting = {country = "KEN"}')
    (tmp_path / "all.toml").write_text('parent = "base"\nsetting = {regions = "all"}')
    assert load(tmp_path / "child.toml").setting.region is None
    assert load(tmp_path / "all.toml").setting.model_dump() == {
        "country": "USA", "region": None, "regions": "all", "hospital": None}


def test_a_parent_beside_the_file_comes_first(tmp_path):
    (tmp_path / "kenya.toml").write_text('parent = "kenya"\nbudget = {testing = 7}')
    (tmp_path / "mine.toml").write_text('parent = "kenya"')
    mine = load(tmp_path / "mine.toml")
    assert mine.budget.testing == 7
    assert mine.display.currency == "KES"  # the file beside descends from the shipped one


def test_changes_are_a_further_difference():
    s = load("kenya", {"budget": {"testing": 5}, "objective": "life_years"})
    assert (s.budget.testing, s.objective) == (5, "life_years")
    assert s.name == load("kenya").name


def test_save_and_load(tmp_path):
    file = tmp_path / "mine.toml"
    changed = load("kenya_buys_trastuzumab", {"access": {"drugs": {"osimertinib": {"courses": 240}}}})
    save(changed, file)
    assert load(file) == changed
    assert difference(changed, load("kenya_buys_trastuzumab")) == {
        "name": changed.name, "description": changed.description, "parent": "kenya",
        "access": {"drugs": {"osimertinib": {"courses": 240.0}}}}


def test_what_a_parent_has_can_be_taken_away(family):
    """Taking a drug away cannot be said against the parent, so it is said against the root."""
    s = family("")
    less = s.model_copy(update={"access": s.access.model_copy(update={"drugs": {}})})
    again = loads(dumps(less), "child")
    assert again.access.drugs == {} and again.parent == "defaults"


# -- a hospital ----------------------------------------------------------------------------------------

HOSPITAL = 'setting = {country = "KEN", hospital = "Model hospital"}\n'


def test_cases_of_a_child_merge_and_a_region_may_be_named(tmp_path):
    (tmp_path / "base.toml").write_text(HOSPITAL + "[cases]\nbreast_early = 100\ncml = 8\n")
    (tmp_path / "child.toml").write_text('parent = "base"\n[cases]\ncml = 0\naml = 4.5\n')
    s = load(tmp_path / "child.toml")
    assert s.cases == {"breast_early": 100, "cml": 0, "aml": 4.5} and s.setting.hospital == "Model hospital"
    (tmp_path / "child.toml").write_text('parent = "base"\nsetting = {hospital = "Another"}\n')
    assert load(tmp_path / "child.toml").setting.model_dump() == {
        "country": "KEN", "region": None, "regions": None, "hospital": "Another"}
    state = loads('setting = {country = "USA", region = "US-TX", hospital = "H"}\ncases = {cml = 3}')
    assert (state.setting.region, state.setting.hospital) == ("US-TX", "H")


def test_another_country_leaves_the_hospital_and_its_cases_are_refused(tmp_path):
    (tmp_path / "base.toml").write_text(HOSPITAL + "cases = {cml = 8}\n")
    (tmp_path / "child.toml").write_text('parent = "base"\nsetting = {country = "UGA"}\n')
    with pytest.raises(BadInput, match="setting names none"):
        load(tmp_path / "child.toml")


def test_what_a_hospital_lacks_is_told_with_what_to_do():
    with pytest.raises(BadInput) as caught:
        loads(HOSPITAL)
    assert "[cases] breast_early = 120" in str(caught.value) and "sheet `cases`" in str(caught.value)
    with pytest.raises(BadInput, match='hospital = "Model hospital"'):
        loads(KENYA + "cases = {cml = 8}")


def test_cases_of_a_workbook_go_before_the_file_and_after_the_command_line(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(HOSPITAL + "cases = {cml = 8, aml = 2}\n")
    s = load(file, {"cases": {"aml": 5}}, {"cml": 10.0, "aml": 3.0, "apl": 1.0})
    assert s.cases == {"cml": 10, "aml": 5, "apl": 1}
    file.write_text(HOSPITAL)
    assert load(file, None, {"cml": 10.0}).cases == {"cml": 10}
    assert load("kenya", None, {"cml": 10.0}) == load("kenya")  # told by the command, which knows all scenarios
    with pytest.raises(BadInput, match=r"sheet cases, cases\.cml"):
        load(file, None, {"cml": -1.0})


@pytest.mark.parametrize("parent", ["defaults", "kenya", "hospital_kenya"])
def test_a_hospital_is_saved_and_loaded(parent):
    s = loads(f'parent = "{parent}"\n{HOSPITAL}[cases]\nbreast_early = 100\naml = 2.5\n', "n")
    again = loads(dumps(s), "n")
    assert again.model_copy(update={"parent": parent}) == s
    less = s.model_copy(update={"cases": {"aml": 2.5}})
    assert loads(dumps(less), "n").cases == {"aml": 2.5}


limit = st.one_of(st.none(), st.integers(0, 10**9), st.floats(0, 1e9))
slug = st.text("abcxyz_", min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(limit, limit, st.dictionaries(slug, st.one_of(st.floats(0, 1), st.just({"share": 0.5}),
                                                     st.just({"courses": 3, "payer": "donor"})), max_size=3),
       st.sampled_from(["kenya", "texas", "defaults"]), st.sampled_from(["qalys", "life_years"]), st.text(max_size=30))
def test_dumps_and_loads_are_inverse(testing, total, drugs, parent, objective, words):
    words = " ".join("".join(c for c in words if c.isprintable()).split())
    s = Scenario.model_validate({
        "name": "n", "description": words, "parent": parent, "setting": {"country": "KEN"}, "objective": objective,
        "budget": {"testing": testing, "total": total}, "access": {"drugs": drugs},
        "override": [{"table": "t", "key": {"a_id": words or "x"}, "column": "c", "value": 1, "why": "because"}],
    })
    again = loads(dumps(s), "n")
    assert again.model_copy(update={"parent": parent}) == s


# -- sentences ---------------------------------------------------------------------------------------

def test_differences_are_plain_sentences():
    base = load("kenya")
    other = load("kenya", {
        "budget": {"testing": "unlimited", "total": 5_000_000}, "policy": {"must_fund": ["breast_early/her2"]},
        "access": {"buy": ["trastuzumab"],
                   "drugs": {"osimertinib": 1.0, "imatinib": {"courses": 240, "payer": "donor"}}},
        "override": [{"table": "assay_costs", "key": {"assay_id": "egfr_pcr"}, "column": "cost", "value": 60,
                      "why": "tender of 2026"}],
    })
    assert list(differences(other, base)) == [
        "Testing budget without a limit", "Budget for tests and treatment US$ 5,000,000 a year",
        "Access to trastuzumab may be bought", "imatinib limited to 240 courses a year, paid by donors",
        "osimertinib reachable for everyone", "breast_early/her2 must be funded",
        "Cost of the test egfr_pcr: US$ 60 (tender of 2026)",
    ]
    assert differences(base, base) == []


def test_every_setting_has_its_sentence():
    """No difference passes in silence: each changed field gives a sentence, in both directions."""
    base = loads(KENYA + 'years = 2\nbudget = {treatment = 1}', "x")
    for changes in (
        {"years": 3}, {"objective": "net_health"}, {"value_of_qaly": 900}, {"discount_rate": 0.05},
        {"import_markup": 0.1}, {"budget": {"testing": [1, 2]}}, {"budget": {"treatment": 2}}, {"budget": {"total": 1}},
        {"budget": {"basis": "additional"}}, {"budget": {"payers": ["donor"]}}, {"budget": {"savings_cashable": True}},
        {"frontier": {"axis": "total"}}, {"evidence_gate": {"level": 3}}, {"evidence_gate": {"value_gate": True}},
        {"access": {"mode": "selective"}}, {"access": {"buy": ["a"]}}, {"access": {"ceiling": 0.5}},
        {"access": {"drugs": {"a": 0.5}}}, {"coverage": {"maximum": 0.5}}, {"coverage": {"ramp_per_year": 0.1}},
        {"policy": {"must_fund": ["a/b"]}}, {"policy": {"exclude": ["a/b"]}}, {"services": {"exclude": ["s"]}},
        {"laboratory": {"technician_minutes": 5}}, {"laboratory": {"pathologist_minutes": 5}},
        {"display": {"currency": "EUR"}}, {"setting": {"country": "UGA"}}, {"setting": {"region": "x"}},
        {"mode": "evaluate", "evaluate": {"a/b": 0.5}},
        {"override": [{"table": "t", "key": {"k": "1"}, "column": "c", "value": 1, "why": "abc"}]},
    ):
        other = loads(KENYA + 'years = 2\nbudget = {treatment = 1}', "x", changes)
        assert differences(other, base) and differences(base, other), changes


def test_a_hospital_in_words():
    first = loads(HOSPITAL + "cases = {cml = 1200, aml = 2.5}")
    second = loads(HOSPITAL + "cases = {cml = 8, apl = 0}")
    assert describe(first)[:3] == ["Place: Model hospital (KEN)", "aml: 2.5 people a year in the hospital",
                                   "cml: 1,200 people a year in the hospital"]
    assert differences(second, first) == [
        "aml: no people stated in the hospital", "apl: 0 people a year in the hospital", "cml: 8 people a year in the hospital"]
    assert differences(second, load("kenya"))[0] == "Place: Model hospital (KEN)"


def test_digest_follows_what_bears_on_the_plan():
    s = load("kenya")
    assert s.model_copy(update={"name": "other"}).digest == s.digest
    assert s.model_copy(update={"years": 2}).digest != s.digest
    assert len({s, load("kenya"), load("uganda")}) == 2
