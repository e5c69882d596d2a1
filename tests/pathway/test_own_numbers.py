"""Own numbers of a scenario: every number in use can be set by the key that it carries, exactly, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner.pathway.build import build_problem
from planner.pathway.named import OVERRIDABLE, override_key
from planner.result.views import provenance
from planner.scenario.describe import differences
from planner.scenario.model import Scenario
from planner.scenario.scenario import load

PLACES = {
    "kenya": {}, "germany": {}, "texas": {}, "hospital_kenya": {},
    "by parts": {"laboratory": {"costing": "micro"}},
}
# what no override sets: the setting value_of_qaly, the cases of a hospital, what is computed, what is of elsewhere
OTHERWISE = {"value of a QALY", "people a year in the hospital", "new cases a year", "price in a laboratory abroad"}


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def of(place: str, **changes) -> Scenario:
    return load("kenya" if place == "by parts" else place, PLACES[place] | changes)


def identity(f, key) -> tuple:
    return f.table, f.column, tuple(sorted(key.items()))


def own(f, key, value) -> dict:
    return {"table": f.table, "key": key, "column": f.column, "value": value, "why": "our own count"}


def another(f) -> float:
    return f.value * 0.9 if f.value else 0.05


@pytest.fixture(scope="module", params=PLACES)
def both(request, evidence):
    """(place, facts as shipped, facts with every number that can be set set to another one, what they were set to)."""
    base = build_problem(evidence, of(request.param)).facts
    wanted = {}
    for f in base:
        key = override_key(f)
        if key is not None:
            wanted.setdefault(identity(f, key), own(f, key, another(f)))
    changed = build_problem(evidence, of(request.param, override=list(wanted.values()))).facts
    return request.param, base, changed, wanted


def test_every_number_is_set_exactly_or_is_told_to_be_set_otherwise(both):
    _, base, changed, wanted = both
    assert {f.parameter for f in base if override_key(f) is None} <= OTHERWISE
    shipped = {(f.table, f.column, f.at): f.value for f in base}
    told = set()
    for f in changed:
        key = override_key(f)
        if key is not None:
            told.add(identity(f, key))
            assert (f.value, f.level, f.quality) == (wanted[identity(f, key)]["value"], "scenario", "D"), f
            assert f.shipped == shipped.get((f.table, f.column, f.at)) and "our own count" in f.note, f
    assert told == set(wanted)


def test_every_table_that_can_be_set_is_in_use_somewhere(both):
    place, _, _, wanted = both
    if place == "by parts":
        columns = {(table, c) for table, (_, names) in OVERRIDABLE.items() for c in names if table != "therapies"}
        assert {(table, column) for table, column, _ in wanted} == columns - {("assay_costs", "cost")}


def test_the_manual_lists_what_may_be_set():
    text = (Path(__file__).parents[2] / "docs" / "local_data.md").read_text("utf-8")
    rows = {cells[1].strip(): line for line in text.splitlines() if len(cells := line.split("|")) == 5}
    for table, (key, columns) in OVERRIDABLE.items():
        named = columns if table != "therapies" else ("sub_share", "duration_months", "duration_max_months")
        assert all(f"`{name}`" in rows[f"`{table}`"] for name in (*key, *named)), table


def test_words_name_no_table_and_no_column(evidence, both):
    """Each kind of number in words: what it is of, the own number, what it stands in place of, why."""
    place, _, changed, wanted = both
    kinds = {(table, column, o["key"].get("step"), o["key"].get("item")): o for (table, column, _), o in wanted.items()}
    scenario = of(place, override=list(kinds.values()))
    said = differences(scenario, of(place), evidence, [provenance(f) for f in changed])
    assert len(said) == len(kinds)
    for text in said:
        assert text.endswith("(our own count)") and " instead of " in text and "_" not in text and "{" not in text, text


def test_words_of_some(evidence):
    at = load("kenya", {"override": [
        {"table": "assay_costs", "key": {"assay_id": "egfr_pcr"}, "column": "cost", "value": 60, "why": "tender of 2026"},
        {"table": "prevalence", "key": {"indication_id": "breast_early", "biomarker_id": "her2"}, "column": "share",
         "value": 0.22, "why": "our register"},
        {"table": "drug_prices", "key": {"drug": "imatinib"}, "column": "price", "value": 2, "currency": "KES", "year": 2024,
         "why": "tender of 2026"},
        {"table": "therapies", "key": {"therapy_id": "breast_early_her2_trastuzumab"}, "column": "duration_months", "value": 6,
         "why": "a shorter course"}]})
    facts = [provenance(f) for f in build_problem(evidence, at).facts]
    cost, share, price, months = differences(at, load("kenya"), evidence, facts)
    assert cost.startswith("Cost of the test EGFR hotspot real-time PCR: US$ 60 instead of US$ ")
    assert share == "Prevalence of HER2, Invasive breast cancer, stage I-III: 22 % instead of 17.83 % (our register)"
    assert price.startswith("Price of imatinib: KES 2 per mg of 2024 instead of US$ 0.")
    assert months.endswith("with chemotherapy, months on treatment: 6 months instead of 12 months (a shorter course)")
    dearer = load("kenya", {"override": [{"table": "assay_costs", "key": {"assay_id": "egfr_pcr"}, "column": "cost", "value": 70,
                                          "why": "tender of 2027"}]})
    assert differences(dearer, at, evidence)[0] == \
        "Cost of the test EGFR hotspot real-time PCR: US$ 70 instead of US$ 60 (tender of 2027)"
    gone = differences(load("kenya"), at, evidence)
    assert "Prevalence of HER2, Invasive breast cancer, stage I-III as in the evidence" in gone


# -- what an own number stands for -----------------------------------------------------------------------------


def facts_of(evidence, place, *overrides) -> dict[tuple, object]:
    return {(f.parameter, f.key): f for f in build_problem(evidence, of(place, override=list(overrides))).facts}


def test_an_own_count_in_a_region_is_the_region_s(evidence):
    """Texas has its population share of some national counts: the national one is told, the region's is set."""
    base = facts_of(evidence, "texas")
    site = next(f for (name, key), f in base.items() if name == "new cases a year" and key.endswith("/US-TX"))
    whole = next(f for (name, key), f in base.items() if name == "new cases a year" and f.at == site.at and f is not site)
    assert override_key(whole) is None and whole.value > site.value
    after = facts_of(evidence, "texas", own(site, override_key(site), 123))
    (mine,) = (f for (name, _), f in after.items() if name == "new cases a year" and f.at == site.at)
    assert (mine.value, mine.level) == (123, "scenario") and mine.shipped == pytest.approx(site.value)


def test_an_own_access_share_counts_beside_a_nearer_source(evidence):
    """Donors' imatinib for CML in Kenya is known for the country, households' for its income group only."""
    base = facts_of(evidence, "kenya")
    fact = base["access to the drug, household", "imatinib/cml/household"]
    assert fact.note.startswith("not used")
    mine = own(fact, override_key(fact), 0.2)
    assert not facts_of(evidence, "kenya", mine)["access to the drug, household", "imatinib/cml/household"].note.startswith("not")

    def payers(*overrides) -> dict[str, float]:
        problem = build_problem(evidence, of("kenya", override=list(overrides)))
        return next(dict(t.payers) for u in problem.use_cases if u.id == "cml/bcr_abl1" for t in u.therapies
                    if t.therapy == "cml_bcr_abl1_imatinib")

    assert payers(mine) == pytest.approx(payers() | {"household": 0.2})


def test_a_number_for_one_goes_before_one_for_all(evidence):
    """Paclitaxel has a dose for all indications, and doses of its own for some."""
    general = {"table": "dosing", "key": {"drug": "paclitaxel", "indication_id": "*"}, "column": "amount_per_month",
               "value": 10, "why": "a test"}
    special = general | {"key": {"drug": "paclitaxel", "indication_id": "ovarian_platinum_resistant"}, "value": 20}
    for given in ([general, special], [special, general]):
        doses = {key: f.value for (name, key), f in facts_of(evidence, "kenya", *given).items()
                 if name == "dose a month" and key.startswith("paclitaxel")}
        assert doses["paclitaxel/ovarian_platinum_resistant"] == 20
        assert doses["paclitaxel/*"] == 10
