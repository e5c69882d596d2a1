"""Address and scenario: what is written is read again; what is wrong is told and left out."""

from __future__ import annotations

import pytest

from planner import load_evidence
from planner.errors import BadInput
from planner.scenario.scenario import load, loads, shipped
from planner.ui import changes, links


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


def kenya(evidence, **params):
    return links.read({"country": "KEN", **params}, evidence)


def test_what_is_written_is_read_again(evidence):
    scenario, _ = kenya(evidence, testing="400000", treatment="1e6", objective="life_years", gate="1",
                        value_gate="true", axis="treatment", must="breast_early/her2",
                        exclude="breast_early/er_pr", access="trastuzumab:1")
    params = links.write(scenario)
    again, words = links.read(params, evidence)
    assert again == scenario and words == []
    assert sum(map(len, params.values())) < 200


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_has_a_short_link(evidence, name):
    scenario = load(name).model_copy(update={"parent": name})
    again, words = links.read(links.write(scenario), evidence)
    assert words == [] and again.budget == scenario.budget and again.access == scenario.access
    assert again.setting == scenario.setting


@pytest.mark.parametrize(("key", "value"), [
    ("testing", "a lot"), ("testing", "-5"), ("testing", "nan"), ("testing", "1e99"), ("objective", "fame"),
    ("gate", "9"), ("must", "x/y"), ("access", "nothing:1"), ("access", "trastuzumab:7"), ("region", "XX-1"),
    ("axis", "time"), ("scenario", "../../etc/passwd"), ("scenario", "nobody"), ("value_gate", "perhaps"),
    ("exclude", "<script>"),
])
def test_a_wrong_value_is_told_and_left_out(evidence, key, value):
    scenario, words = kenya(evidence, **{key: value})
    plain, _ = kenya(evidence)
    assert scenario == plain
    assert len(words) >= 1 and "<" not in "".join(words)


def test_a_line_both_must_and_out_drops_alone_and_is_told_once(evidence):
    scenario, words = kenya(evidence, must="breast_early/her2", exclude="breast_early/her2,cml/bcr_abl1",
                            testing="400000")
    assert scenario.policy.exclude == ("cml/bcr_abl1",) and scenario.policy.must_fund == ()
    assert scenario.budget.testing == 400_000 and len(words) == 1


def test_shares_stand_in_links_as_they_are(evidence):
    scenario, _ = kenya(evidence, access="trastuzumab:0.123456789")
    assert links.write(scenario)["access"] == "trastuzumab:0.123456789"


@pytest.mark.parametrize("country", ["ZZZ", "", "ABW", "Kenya; drop"])
def test_an_unknown_country_is_told(evidence, country):
    scenario, words = links.read({"country": country}, evidence)
    assert scenario is None and words


def test_own_numbers_never_go_into_an_address(evidence):
    scenario, _ = kenya(evidence)
    own = changes.edited(scenario, lambda data: data.update(override=[{
        "table": "assay_costs", "key": {"assay_id": "egfr_pcr"}, "column": "cost", "value": 60, "why": "tender"}]))
    assert links.write(own) is None


def test_a_hospital_of_one_s_own_never_goes_into_an_address(evidence):
    own = loads('setting = {country = "KEN", hospital = "Mine"}\ncases = {cml = 8}')
    assert links.write(own) is None
    for change in ({"cases": {"cml": 9}}, {"setting": {"hospital": "Mine"}}):
        mine = load("hospital_kenya", change).model_copy(update={"parent": "hospital_kenya"})
        assert links.write(mine) is None


def test_a_shipped_hospital_is_opened_by_its_name_alone(evidence):
    mine = load("hospital_kenya", {"budget": {"testing": 90_000}}).model_copy(update={"parent": "hospital_kenya"})
    params = links.write(mine)
    assert params == {"country": "KEN", "scenario": "hospital_kenya", "testing": "90000"}
    again, words = links.read(params, evidence)
    assert not words and again.setting == mine.setting and again.cases == mine.cases
    assert again.name == "Model hospital, 600 beds (Kenya)"
    elsewhere, words = links.read(params | {"country": "UGA"}, evidence)
    assert words and elsewhere.cases == {} and elsewhere.setting.country == "UGA"
    written, words = links.read({"country": "KEN", "hospital": "<b>", "cases": "cml:3"}, evidence)
    assert written.setting.hospital is None and written.cases == {}


def test_too_long_an_address_is_not_written(evidence):
    scenario, _ = kenya(evidence)
    many = tuple(f"indication_{n}/biomarker_{n}" for n in range(80))
    long = scenario.model_copy(update={"policy": scenario.policy.model_copy(update={"exclude": many})})
    assert links.write(long) is None


def test_each_change_can_be_taken_back_alone(evidence):
    scenario, _ = kenya(evidence, gate="1", must="breast_early/her2,breast_early/er_pr", access="trastuzumab:1")
    found = changes.differences(scenario)
    assert len(found) == 4
    for change in found:
        left = changes.differences(changes.without(scenario, change))
        assert set(left) == set(found) - {change}


def test_a_change_against_the_rules_is_refused_in_words(evidence):
    scenario, _ = kenya(evidence, must="breast_early/her2")
    with pytest.raises(BadInput, match="her2"):
        changes.listed(scenario, ("policy", "exclude"), "breast_early/her2", True)
