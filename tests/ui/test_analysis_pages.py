"""The pages Budget, Drug access, Uncertainty and Compare by AppTest: answer, states, conflicts, hostile files."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from planner.analysis import frontier
from planner.analysis.study import Stopped
from planner.report.numbers import show
from planner.scenario.scenario import dumps, loads
from planner.ui import cache, state
from tests.ui.test_pages import at_param, calm, opened, text

pytestmark = pytest.mark.usefixtures("board")
UGANDA = {"country": "UGA", "testing": "100000"}
PAGES = ("budget", "drug_access", "uncertainty", "compare")


def at_page(name: str, **params) -> AppTest:
    at = opened(**params)
    return finished(calm(at.switch_page(f"planner/ui/pages/{name}.py").run()))


def running(at: AppTest) -> bool:
    return any(str(b.key).endswith("_stop") for b in at.button)


def finished(at: AppTest, seconds: float = 120) -> AppTest:
    """The page once nothing is computed any more."""
    until = time.monotonic() + seconds
    while running(at) and time.monotonic() < until:
        time.sleep(0.3)
        calm(at.run())
    assert not running(at)
    return at


def set_tab(at: AppTest, key: str, value: str) -> AppTest:
    at.session_state[key] = value
    return finished(calm(at.run()))


def press(at: AppTest, label: str) -> AppTest:
    return calm(next(b for b in at.button if b.label == label).click().run())


@pytest.mark.parametrize("name", PAGES)
def test_without_a_place_each_page_says_what_to_do(name):
    at = at_page(name)
    assert "not clinical advice" in text(at)
    if name != "compare":
        assert "Choose a country" in text(at)
        calm(at.button(key="example_KEN").click().run())
        assert at_param(at, "country") == "KEN"


@pytest.mark.parametrize("name", PAGES[:3])
def test_limits_in_conflict_are_told_with_the_way_out(name):
    at = at_page(name, country="UGA", testing="10", must="breast_early/er_pr")
    assert "These limits cannot all hold" in text(at) and at.button(key="raise_testing")
    finished(calm(at.button(key="raise_testing").click().run()))
    assert "cannot all hold" not in text(at)


def test_the_budget_page_says_what_the_python_call_says():
    at = at_page("budget", **UGANDA)
    found = frontier.frontier(loads("parent = 'defaults'", changes={
        "setting": {"country": "UGA"}, "budget": {"testing": 100_000}}), cache.evidence())
    assert found.words[0].replace("%", " %") in text(at)
    after = next(p for p in found.tables["points"] if p["budget"] > 100_000)
    assert show(1 / after["value_per_usd_before"], "usd") in [m.value for m in at.metric]
    events = next(d.value for d in at.dataframe if "What happens" in d.value)
    assert len(events) == len(found.tables["events"])


def test_another_budget_is_read_off_the_curve_and_taken_over():
    at = at_page("budget", **UGANDA)
    calm(at.number_input(key="other_budget").set_value(50_000.0).run())
    assert "At US$ 50,000:" in text(at) and "less than at US$ 100,000" in text(at)
    finished(calm(at.button(key="take_budget").click().run()))
    assert at_param(at, "testing") == "50000"


def test_flips_for_all_lines_and_for_one():
    at = set_tab(at_page("budget", **UGANDA), state.BUDGET_TAB, "flips")
    assert "Closest call" in text(at) and "What your preferences cost" in text(at)
    calm(at.selectbox(key=state.FLIP_LINE).select("UGA|breast_early|er_pr").run())
    frame = next(d.value for d in at.dataframe if "Flips at" in d.value)
    assert len(frame) == 5 and frame["Line"].nunique() == 1


def test_other_lists_by_tolerance():
    at = set_tab(at_page("budget", **UGANDA), state.BUDGET_TAB, "lists")
    assert "in every list" in text(at)
    finished(calm(at.select_slider(key=state.TOLERANCE).set_value(0.1).run()))
    assert "loses at most 10 % of the health" in text(at)


def test_drug_access_names_the_drug_and_leads_back_to_the_plan():
    at = at_page("drug_access", **UGANDA)
    assert "would unlock most" in text(at) and "The drug is there, the test is missing" in text(at)
    drug = at.selectbox(key=state.DRUG).value
    frame = next(d.value for d in at.dataframe if "Pays below, US$" in d.value)
    assert frame.iloc[0, 1] == max(frame.iloc[:, 1])
    finished(calm(at.button(key="reach_button").click().run()))
    assert at_param(at, "access") == f"{drug}:1"


def test_uncertainty_waits_for_run_then_answers_and_keeps_the_old_answer_dimmed():
    at = at_page("uncertainty", **UGANDA)
    assert "Nothing has been drawn" in text(at)
    at.number_input(key=state.DRAWS).set_value(200)  # a form: sent with the button
    at = finished(press(at, "Run"))
    assert "of 200 draws" in text(at) and "Beats" in " ".join(m.label for m in at.metric)
    for tab, words in (("fares", "The lists that are compared"), ("measure", "worth knowing"), ("single", "moves the plan most")):
        at = set_tab(at, state.SURE_TAB, tab)
        assert words.lower() in text(at).lower(), tab
    at = set_tab(at, state.SURE_TAB, "lines")
    calm(at.number_input(key="budget_testing").set_value(60_000.0).run())
    assert "Below, dimmed: the answer from before" in text(at) and "of 200 draws" in text(at)


def test_a_run_can_be_stopped_and_started_again(monkeypatch):
    def slow(scenario, evidence, draws, seed, progress):
        for n in range(10**5):
            progress(n / 10**5, f"{n} of many draws")
            time.sleep(0.02)
        raise Stopped

    monkeypatch.setattr("planner.ui.uncertainty.uncertainty.uncertainty", slow)
    at = at_page("uncertainty", country="UGA", testing="70000")
    at = press(at, "Run")
    assert running(at)
    other = calm(at.switch_page("planner/ui/pages/plan.py").run())  # meanwhile other pages work
    assert "would test" in text(other)
    at = calm(at.switch_page("planner/ui/pages/uncertainty.py").run())
    assert running(at)
    calm(at.button(key="uncertainty_stop").click().run())
    finished(at)
    assert "Stopped" in text(at) and at.button(key="uncertainty_again")


def test_a_failure_is_told_without_a_traceback(monkeypatch):
    def breaks(scenario, evidence, progress):
        raise KeyError("secret")

    monkeypatch.setattr("planner.ui.drug_access.access.access", breaks)
    at = at_page("drug_access", country="UGA", testing="71234")
    assert "something went wrong" in text(at) and "secret" not in text(at)
    assert at.button(key="access_again")


def test_a_given_list_is_told_that_it_cannot_be_asked():
    at = opened(**UGANDA)
    at.session_state[state.SCENARIO] = loads(
        'mode = "evaluate"\nsetting = {country = "UGA"}\n[evaluate]\n"breast_early/er_pr" = 0.5', "given")
    finished(calm(at.switch_page("planner/ui/pages/budget.py").run()))
    assert "cannot be answered for this scenario" in text(at)


def test_compare_starts_with_what_the_changes_do():
    at = at_page("compare", **UGANDA)
    assert "This plan differs from" in text(at) and "Testing budget US$ 100,000" in text(at)
    wanted = [i for i in at.multiselect(key=state.OTHER_PLANS).options if "Kenya" in i]
    assert wanted


def test_compare_names_the_plan_that_cannot_be():
    at = at_page("compare", country="UGA", testing="10", must="breast_early/er_pr")
    assert "cannot be answered for this scenario" in text(at) and "This plan" in text(at)


def test_compare_takes_files_and_tells_what_is_wrong_with_them():
    at = at_page("compare", **UGANDA)
    mine = loads('setting = {country = "UGA"}\nname = "[x](http://y) **b**"\n[budget]\ntesting = 5000', "mine")
    files = [("a.toml", dumps(mine).encode(), "application/toml"), ("b.toml", b"\xff\xfe", "application/toml"),
             ("c.toml", b'setting = {country = "UGA"}\n[policy]\nmust_fund = ["no/such"]', "application/toml")]
    finished(calm(at.file_uploader(key=state.COMPARE_UPLOAD).set_value(files).run()))
    assert "A file could not be added" in text(at) and "UTF-8" in text(at)
    at.session_state[state.OTHER_PLANS] = [f"file:{mine.name}"]
    finished(calm(at.run()))
    assert "[x](http" not in "\n".join(str(m.value) for m in at.markdown)
    assert "healthy years a year" in text(at)
    assert "http" not in "".join(map(str, at.query_params.values()))


@pytest.mark.parametrize("place", [{"country": "DEU"}, {"country": "USA", "region": "US-TX"},
                                   {"country": "NAM", "objective": "life_years"}],
                         ids=lambda p: p.get("region", p["country"]))
def test_quick_pages_work_for(place):
    for name in ("budget", "drug_access"):
        at = at_page(name, **place)
        assert not at.error, [e.value for e in at.error]
        assert "How this was computed" in [e.label for e in at.expander]
