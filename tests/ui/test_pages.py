"""Every page by AppTest from app.py: several places, links, wrong links, uploads, edits."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import planner
from planner.report.numbers import show
from planner.scenario.scenario import dumps, load, loads

ROOT = Path(__file__).resolve().parents[2]
PAGE = "planner/ui/pages/{}.py"
EVIDENCE, PLAN = PAGE.format("evidence"), PAGE.format("plan")
KENYA = {"country": "KEN", "testing": "400000"}


def opened(**params) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in params.items():
        at.query_params[key] = value
    return calm(at.run())


def calm(at: AppTest) -> AppTest:
    assert not at.exception, [e.value for e in at.exception]
    return at


def text(at: AppTest) -> str:
    """Everything a reader sees as text, Markdown's escapes taken out."""
    parts = [*at.markdown, *at.caption, *at.title, *at.header, *at.error, *at.info]
    return "\n".join(str(p.value) for p in parts).replace("\\", "").replace("**", "")


def at_param(at: AppTest, key: str):
    value = at.query_params.get(key)
    return value[0] if isinstance(value, list) else value


def upload(at: AppTest, content: str | bytes, name: str = "mine.toml") -> AppTest:
    data = content.encode() if isinstance(content, str) else content
    return calm(at.file_uploader(key="upload_box").set_value((name, data, "application/toml")).run())


def test_a_page_without_a_place_says_what_to_do():
    at = calm(opened().switch_page(PLAN).run())
    assert "Choose a country" in text(at) and "not clinical advice" in text(at)
    calm(at.button(key="example_KEN").click().run())
    assert at_param(at, "country") == "KEN" and "Kenya" in text(at)


@pytest.mark.parametrize("place", [
    {"country": "KEN"}, {"country": "DEU"}, {"country": "IND"}, {"country": "USA", "region": "US-TX"},
    {"country": "UGA"}, {"country": "NAM"},
], ids=lambda p: p.get("region", p["country"]))
def test_both_pages_work_for(place):
    at = opened(**place)
    assert "would test" in text(at) and "not clinical advice" in text(at)
    calm(at.switch_page(EVIDENCE).run())
    assert "Every number in use" in text(at) and "GLOBOCAN" in text(at)


@pytest.mark.parametrize("view", ["use_case", "biomarker", "test"])
def test_each_view_shows_the_same_totals(view):
    at = opened(**KENYA, view=view)
    plan = planner.plan(loads("parent = 'defaults'", changes={
        "setting": {"country": "KEN"}, "budget": {"testing": 400_000}}))
    assert f"tests {show(plan.totals['testing_cost'], 'usd')} a year" in text(at)
    assert f"{show(plan.totals['qalys'], 'qalys')} healthy years" in text(at)


def test_a_link_restores_the_view():
    wanted = {**KENYA, "treatment": "5000000", "objective": "life_years", "view": "test", "line": "breast_early/her2",
              "must": "breast_early/er_pr", "access": "trastuzumab:1"}
    at = opened(**wanted)
    assert {key: at_param(at, key) for key in wanted} == wanted
    assert at.number_input(key="budget_testing").value == 400_000
    assert at.selectbox(key="line_box").value == "breast_early/her2"
    assert at.selectbox(key="objective_box").value == "life_years"
    buttons = " ".join(b.label for b in at.sidebar.button).replace("\\", "")
    assert "trastuzumab reachable for everyone" in buttons and "must be funded" in buttons


@pytest.mark.parametrize("wrong", [
    {"country": "ZZZ"}, {**KENYA, "region": "XX-9"}, {"country": "KEN", "testing": "much"}, {**KENYA, "view": "upside"},
    {**KENYA, "line": "no/such"}, {**KENYA, "objective": "fame"}, {**KENYA, "must": "a/b"}, {**KENYA, "scenario": "?"},
], ids=str)
def test_a_wrong_link_is_told_and_ignored(wrong):
    at = opened(**wrong)
    assert len(at.info) >= 1
    assert at_param(at, "objective") is None and at_param(at, "must") is None


def test_a_budget_moves_the_answer():
    at = opened(country="KEN")
    calm(at.number_input(key="budget_testing").set_value(100_000.0).run())
    assert "With US$ 100,000 a year for tests" in text(at) and at_param(at, "testing") == "100000"
    slider = at.select_slider(key="budget_testing_slider")
    assert slider.value == 100_000
    calm(at.number_input(key="budget_testing").set_value(None).run())
    assert "Without a limit on money" in text(at) and at_param(at, "testing") is None


def test_mandate_exclude_and_access_from_the_page_and_back():
    at = opened(**KENYA, line="breast_early/her2")
    calm(at.button(key="must_button").click().run())
    assert at_param(at, "must") == "breast_early/her2"
    calm(at.button(key="must_button").click().run())
    calm(at.button(key="exclude_button").click().run())
    assert at_param(at, "exclude") == "breast_early/her2" and at_param(at, "must") is None
    calm(at.button(key="everyone_button").click().run())
    assert at_param(at, "access").endswith(":1")
    for button in [b for b in at.sidebar.button if str(b.key).startswith("change_")]:
        calm(at.button(key=button.key).click().run())
    assert at_param(at, "access") is None and at_param(at, "exclude") is None


def test_limits_in_conflict_offer_the_smallest_change():
    at = opened(country="KEN", testing="10", must="breast_early/er_pr")
    assert "These limits cannot all hold" in text(at)
    assert "you set US$ 10 a year" in text(at) and at.button(key="free_breast_early/er_pr")
    calm(at.button(key="raise_testing").click().run())
    assert "would test" in text(at) and "cannot all hold" not in text(at)


def test_only_ways_out_that_work_are_offered():
    at = opened(country="KEN", testing="10", must="breast_early/er_pr,cml/bcr_abl1")
    assert not [b for b in at.button if str(b.key).startswith("free_") and b.key != "free_all"]
    calm(at.button(key="free_all").click().run())
    assert "cannot all hold" not in text(at) and at_param(at, "must") is None


def test_a_treatment_budget_says_what_is_already_spent():
    at = opened(**KENYA, treatment="3000000")
    assert "US$ 3,000,000 = US$" in text(at) and "already spent on drugs without tests" in text(at)
    at = opened(**KENYA, treatment="1000")
    assert any("No drug money is left" in w.value for w in at.warning)


def test_another_aim_is_told_in_its_own_measure():
    at = opened(**KENYA, objective="deaths_averted")
    assert "deaths averted and" in text(at) and "have no figure for deaths averted and are left out" in text(at)
    assert "Deaths averted" in {m.label for m in at.metric}
    assert "Deaths averted" in next(d.value for d in at.dataframe if "Line" in d.value).columns


def test_a_must_tells_its_price_and_stands_off_the_curve():
    at = opened(**KENYA, must="cervical_advanced/pdl1", line="cervical_advanced/pdl1")
    assert "A must: it costs about" in text(at) and "without your musts" in text(at)


def test_the_next_line_with_more_money_is_held_back_by_money():
    at = opened(**KENYA, must="cervical_advanced/pdl1")
    said = next(x for x in text(at).splitlines() if "With more money" in x)
    assert "PD-L1 · Cervical" not in said


def test_each_drug_starts_at_its_own_reach():
    at = opened(**KENYA, line="cml/bcr_abl1")
    reached = {}
    for drug in at.selectbox(key="drug_box").options:
        calm(at.selectbox(key="drug_box").select(drug).run())
        reached[drug] = at.slider(key="access_slider").value
    assert len(set(reached.values())) > 1


def test_reasons_have_no_ids():
    at = opened(**KENYA)
    frame = next(d.value for d in at.dataframe if "Line" in d.value)
    why = " ".join(frame["In the plan, and why"])
    assert "needs " in why and "er_pr" not in why and "`" not in why


def test_a_line_leads_to_its_evidence():
    at = opened(**KENYA, line="breast_early/her2")
    at.session_state["about"] = "breast_early/her2"
    calm(at.switch_page(EVIDENCE).run())
    of = next(d.value for d in at.dataframe if "Grade" in d.value)["Of"]
    assert of.str.contains("trastuzumab").any() and of.str.contains("immunohistochemistry").any()
    assert not of.str.contains("CD20|alectinib").any()


def test_a_file_with_unknown_ids_does_not_replace_the_work():
    at = opened(**KENYA)
    upload(at, 'setting = {country = "UGA"}\n[policy]\nmust_fund = ["no/such"]')
    assert "could not be taken over" in text(at) and "With US$ 400,000 a year for tests, Kenya" in text(at)
    assert "`" not in text(at) and "?." not in text(at)


def test_the_country_can_be_chosen_on_the_page():
    at = calm(opened().switch_page(PLAN).run())
    calm(at.selectbox(key="first_country_box").set_value("UGA").run())
    assert at_param(at, "country") == "UGA" and "Uganda would test" in text(at)


def test_a_broken_scenario_is_told_and_the_plan_stays():
    at = opened(**KENYA)
    for content in ("this is not toml", 'setting = {country = "KEN"}\nbudgt = 3', b"\xff\xfe\x00",
                    'setting = {country = "Atlantis"}', 'setting = {country = "KEN"}\n[budget]\ntesting = -1'):
        upload(at, content)
        assert "could not be taken over" in text(at)
        assert "With US$ 400,000 a year for tests" in text(at)


def test_an_upload_stays_in_its_session_and_out_of_the_address():
    mine = loads('setting = {country = "UGA"}\n[budget]\ntesting = 123456', "mine")
    at = upload(opened(**KENYA), dumps(mine))
    assert "Uganda" in text(at) and "US$ 123,000" in text(at)
    assert dict(at.query_params) == {}
    assert "share the saved file" in text(at)
    assert "Kenya" in text(opened(**KENYA))


def test_a_hospital_is_opened_and_its_cases_stay_out_of_the_address():
    at = upload(opened(**KENYA), 'setting = {country = "KEN", hospital = "St <i>Mary</i>"}\ncases = {cml = 8, dlbcl = 20}\n')
    assert "(Kenya)" in text(at) and "would test" in text(at) and not dict(at.query_params)
    assert any("own yearly cases in 2 indications" in b.label for b in at.button)
    calm(at.switch_page(EVIDENCE).run())
    assert "Every number in use" in text(at)


def test_a_shipped_scenario_opens_as_its_file_says():
    at = opened()
    calm(at.selectbox(key="example_box").set_value("kenya_breast_first").run())
    assert "Kenya" in text(at) and at_param(at, "scenario") == "kenya_breast_first"
    assert load("kenya_breast_first").setting.country == at_param(at, "country")


def test_changing_the_country_starts_anew():
    at = opened(**KENYA, must="breast_early/er_pr")
    calm(at.selectbox(key="country_box").set_value("DEU").run())
    assert at_param(at, "country") == "DEU" and at_param(at, "testing") is None and at_param(at, "must") is None
    calm(at.selectbox(key="country_box").set_value("USA").run())
    calm(at.selectbox(key="region_box").set_value("US-TX").run())
    assert at_param(at, "region") == "US-TX" and "Texas" in text(at)


def test_the_evidence_filters():
    at = opened(**KENYA)
    calm(at.switch_page(EVIDENCE).run())
    calm(at.multiselect(key="fact_grade").set_value(["A"]).run())
    frame = next(d.value for d in at.dataframe if "Grade" in d.value)
    assert len(frame) and set(frame["Grade"]) == {"A"}
    calm(at.multiselect(key="fact_grade").set_value([]).run())
    calm(at.selectbox(key="fact_line").set_value("breast_early/her2").run())
    frame = next(d.value for d in at.dataframe if "Grade" in d.value)
    assert len(frame) and not frame["Of"].str.contains("lung").any()
    calm(at.checkbox(key="fact_assumed").check().run())
    frame = next(d.value for d in at.dataframe if "Grade" in d.value)
    assert len(frame) and set(frame["Grade"]) == {"D"} and "Note" in frame
    calm(at.text_input(key="fact_text").set_value("no such words").run())
    assert "No number fits these filters" in text(at)


def test_technical_words_carry_their_glossary_entry():
    at = opened(**KENYA)
    assert any("year in full health" in (m.help or "") for m in at.metric)
