"""Where a test is run and what that costs and loses: the home laboratory by its parts, the others at their prices."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import planner
from planner.evidence.base import Tables
from planner.evidence.strata import place
from planner.pathway.build import build_problem
from planner.pathway.costing import room, still_waiting
from planner.pathway.laboratories import HUB, OWN, SEND_OUT
from planner.pathway.problem import AssayUse, Problem
from planner.scenario.scenario import load
from planner.units import to_base_usd
from tests.optimise.lab_tiny import STAINER, engine, lab, settled

ABOVE = "its instrument belongs into a higher laboratory, or to one firm"


@cache
def evidence():
    return planner.load_evidence()


@cache
def hospital(tier: str = "", price: float = 0.0, costing: str = "micro", instruments: str = "") -> Problem:
    """The shipped hospital with its laboratory by its parts; ``price``: of two stains, USD, in place of the country's."""
    changes: dict = {"laboratory": {"costing": costing}}
    if tier:
        changes["laboratory"]["tier"] = tier
    if instruments:
        changes["laboratory"]["instruments"] = {instruments: 1}
    if price:
        changes["override"] = [{"table": "assay_costs", "key": {"assay_id": a}, "column": "cost", "value": price,
                                "currency": "USD", "year": evidence().base_year, "why": "a test"}
                               for a in ("mmr_ihc", "er_pr_ihc")]
    return build_problem(evidence(), load("hospital_kenya", changes))


def uses(problem: Problem) -> list[AssayUse]:
    return [use for i in problem.indications for s in i.services for use in s.assays if use.runs > 1e-9]


def single_steps(problem: Problem):
    """(indication, {schedule: service}) of every test by itself that waits for runs at home."""
    for i in problem.indications:
        families: dict = {}
        for s in i.services:
            if len(s.assays) == 1 and s.assays[0].home:
                families.setdefault(s.family, {})[s.assays[0].runs_a_year] = s
        yield from ((i.indication, mine) for mine in families.values() if len(mine) > 1)


# -- waiting and loss ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.004, 0.02, 0.3])
@pytest.mark.parametrize("runs", [1, 12, 50, 250])
def test_the_share_still_waiting_is_the_mean_over_days_of_arrival(rate, runs):
    interval = 365 / runs
    arrivals = (np.arange(200_000) + 0.5) / 200_000 * interval
    assert still_waiting(rate, interval) == pytest.approx(np.exp(-rate * (interval - arrivals)).mean(), rel=1e-6)


def test_waiting_for_a_run_costs_results_in_time():
    """A test by itself, by schedule: the results in time of one that waits for nothing, times those still there after
    the wait, averaged over the days on which samples come; the mean wait is half an interval."""
    checked = 0
    for name, mine in single_steps(hospital("reference")):
        rate = evidence().record("indications", indication_id=name)["attrition_per_day"]
        for n, service in mine.items():
            if not n:
                continue
            days = (np.arange(20_000) + 0.5) / 20_000 * 365 / n
            kept = np.exp(-rate * days).mean()
            for waits, at_once in zip(service.results, mine[0.0].results, strict=True):
                assert waits.eta == pytest.approx(at_once.eta * kept, rel=1e-6)
                assert waits.turnaround_days == pytest.approx(at_once.turnaround_days + 365 / n / 2)
                assert (waits.usable, waits.se, waits.sp) == pytest.approx((at_once.usable, at_once.se, at_once.sp))
                checked += 1
    assert checked > 20


def test_results_in_time_follow_failure_turnaround_and_transport():
    e, where = evidence(), place(evidence(), "KEN", None)
    for name, mine in single_steps(hospital("reference")):
        (use,) = mine[0.0].assays
        assay = e.record("assays", assay_id=use.assay)
        road = e.index("laboratories").rows(where, {"laboratory": OWN})[0]
        rate = e.record("indications", indication_id=name)["attrition_per_day"]
        days = assay["turnaround_days"] + road["transport_days"]
        for r in mine[0.0].results:
            assert r.eta == pytest.approx((1 - assay["failure"]) * np.exp(-rate * days), rel=1e-9)


def test_rarer_runs_lose_more_in_every_service():
    for i in hospital("reference").indications:
        for s in i.services:
            for o in (o for o in i.services if o.family == s.family):
                slower = all(u.home and v.home and (v.runs_a_year or 1e9) <= (u.runs_a_year or 1e9)
                             for u, v in zip(s.assays, o.assays, strict=True))
                if slower:
                    assert all(b.eta <= a.eta + 1e-12 for a, b in zip(s.results, o.results, strict=True))


def test_schedules_are_those_worth_a_thought():
    lab_ = hospital("reference").laboratory
    for a in lab_.assays:
        assert set(a.schedules) <= {12.0, 50.0, 250.0}
        assert all(2 * n <= a.most for n in a.schedules)
    assert any(a.schedules for a in lab_.assays) and any(not a.schedules for a in lab_.assays)


# -- prices ------------------------------------------------------------------------------------------------


def road(laboratory: str) -> tuple[float, float]:
    """(USD on the road, mark-up) of a laboratory here."""
    row = evidence().index("laboratories").rows(place(evidence(), "KEN", None), {"laboratory": laboratory})[0]
    usd = to_base_usd(row["transport_cost"], row["currency"], row["year"], evidence())
    markup = row["tariff_markup"]
    return usd, markup if markup == markup and markup is not None else 1.0


def board(problem: Problem, u: AssayUse) -> float:
    """Pay of the board's minutes for a result, USD: minutes of physicians."""
    (pay,) = [f.value for f in problem.facts if (f.parameter, f.key) == ("pay of a minute", "pathologist")]
    return pay * u.board_minutes / u.runs


@pytest.mark.parametrize("tier", ["", "reference"])
def test_a_sample_costs_its_parts_at_home_and_its_full_price_elsewhere(tier):
    problem = hospital(tier)
    full = {u.assay: u.cost / u.runs for u in uses(hospital(costing="tariff"))}
    seen = set()
    for u in uses(problem):
        per = u.cost / u.runs
        usd, markup = road(u.place)
        if u.home:
            a = problem.laboratory.assay(u.assay)
            assert u.place == OWN
            assert per == pytest.approx(a.per_sample + a.labour + usd + (0.0 if u.runs_a_year else a.per_run))
        elif u.place == HUB:
            assert per == pytest.approx(full[u.assay] * markup + usd + board(problem, u))
        else:
            assert u.place == SEND_OUT
            rows = [r for r in evidence().records("assay_costs", assay_id=u.assay) if r["stratum_type"] == "world"]
            prices = [to_base_usd(r["cost"], r["currency"], r["year"], evidence()) for r in rows]
            assert per == pytest.approx(np.mean(prices) * markup + usd + board(problem, u))
        seen.add((u.place, bool(u.runs_a_year)))
    assert {(OWN, False), (OWN, True), (HUB, False)} <= seen


def test_a_tariff_never_enters_what_a_test_costs_at_home():
    """With another full price of two stains only the other laboratories become dearer."""
    before, after = hospital(), hospital(price=999.0)
    assert before.laboratory == after.laboratory
    moved, mine = 0, [{(i.indication, s.service, u.assay): u.cost for i in problem.indications for s in i.services
                       for u in s.assays if u.home} for problem in (before, after)]
    assert mine[0] and mine[0] == pytest.approx(mine[1])
    for u in uses(after):
        if u.assay in ("mmr_ihc", "er_pr_ihc") and u.place == HUB:
            usd, markup = road(HUB)
            assert u.cost / u.runs == pytest.approx(999 * markup + usd)
            moved += 1
    assert moved


def test_people_elsewhere_are_paid_by_the_price_and_our_board_meets_for_every_result():
    met = set()
    for u in uses(hospital("reference")):
        assert u.home or not any((u.technician_minutes, u.scientist_minutes, u.pathologist_minutes))
        stated = evidence().record("assays", assay_id=u.assay)["board_minutes"]
        assert u.board_minutes == pytest.approx(u.runs * (0 if stated is None or stated != stated else stated))
        met |= {u.place} if u.board_minutes else set()
    assert {OWN, HUB} <= met
    assert any(u.pathologist_minutes for u in uses(hospital()) if u.home)


def test_a_limit_of_the_board_binds_though_every_panel_is_sent_out():
    """No sequencer here: the panels come from the national laboratory, their results are discussed here."""
    def minutes(limit: float | None) -> tuple[float, float]:
        changes = {"laboratory": {"costing": "micro", "board_minutes": limit}, "budget": {"testing": "unlimited"}}
        scenario = load("hospital_kenya", changes).model_copy(update={"cases": {"nsclc_nonsq_advanced": 60}})
        document = planner.plan(scenario, evidence()).document
        assert not any(r["assay"] in ("hotspot_ngs", "hotspot_ngs_dna_rna") for r in document["home_tests"])
        return (sum(r["minutes"] for r in document["staff"] if r["cadre"] == "board"),
                document["shadow_prices"].get("people_board_minutes_1", {"value_per_unit": 0.0})["value_per_unit"])

    free, _ = minutes(None)
    assert free > 20
    held, price = minutes(free / 2)
    assert held <= free / 2 + 1e-6 and price > 0


def test_with_tariffs_there_is_no_home_laboratory():
    problem = hospital(costing="tariff")
    assert problem.laboratory is None
    assert not any(u.home or u.place or u.runs_a_year for u in uses(problem))


def test_where_nothing_goes_abroad_nothing_is_sent():
    changes = {"laboratory": {"costing": "micro"}, "services": {"send_out": False}}
    assert not any(u.place == SEND_OUT for u in uses(build_problem(evidence(), load("hospital_kenya", changes))))


# -- what the home laboratory can run -------------------------------------------------------------------------


def test_a_test_above_the_tier_is_refused_with_its_reason():
    small, large = hospital("district").laboratory, hospital("reference").laboratory
    assert dict(small.refused)["hotspot_ngs"] == ABOVE and "hotspot_ngs" not in dict(large.refused)
    assert small.assay("hotspot_ngs") is None and large.assay("hotspot_ngs") is not None
    assert not any(u.home and u.assay in dict(small.refused) for u in uses(hospital("district")))
    assert len(dict(small.refused)) > len(dict(hospital("national").laboratory.refused))
    tiers = ("district", "regional", "national", "reference")
    lowest = {r["platform_id"]: tiers.index(r["lowest_tier"]) for r in evidence().records("platforms")}
    for tier in tiers:
        assert all(lowest[p.platform] <= tiers.index(tier) for p in hospital(tier).laboratory.platforms)


def test_reasons_for_what_cannot_be_run_are_words():
    for tier in ("district", "regional"):
        needs = {f"it needs a {t} laboratory, and this one is {tier}" for t in ("regional", "national", "reference")}
        assert {why for _, why in hospital(tier).laboratory.refused} \
            <= {ABOVE, "no instrument is known for it", "its reagent cost is not known"} | needs


def test_a_test_needs_the_level_of_laboratory_that_the_evidence_states():
    """A stainer may stand in a regional hospital; the stains that ask for a national laboratory are not run on it."""
    levels = ("district", "regional", "national", "reference")
    for tier in levels:
        lab_ = hospital(tier).laboratory
        for a in lab_.assays:
            needed = evidence().record("assays", assay_id=a.assay)["laboratory_tier"]
            assert a.tier == needed and levels.index(needed) <= levels.index(tier), a.assay
    refused = dict(hospital("regional").laboratory.refused)
    for assay in ("her2_ish", "claudin18_ihc", "folr1_ihc"):
        assert refused[assay] == "it needs a national laboratory, and this one is regional"
    assert dict(hospital("national").laboratory.refused)["cgp_tissue"].startswith("it needs a reference laboratory")
    assert hospital("national").laboratory.assay("her2_ish")


def test_a_stated_instrument_runs_what_it_can_whatever_the_level():
    lab_ = hospital("regional", instruments="ihc_autostainer").laboratory
    assert lab_.assay("her2_ish").platforms == (("ihc_autostainer", 23.0),)
    assert "her2_ish" not in dict(lab_.refused)


def test_a_plan_says_what_runs_at_home_above_its_level():
    said = {}
    for there in ({}, {"ihc_autostainer": 1}):
        scenario = load("hospital_kenya", {"laboratory": {"costing": "micro", "instruments": there}, "budget": {
            "testing": 60_000}, "services": {"send_out": False, "buy_instruments": False}})
        document = planner.plan(scenario.model_copy(update={"cases": {"gastric_advanced": 200}}), evidence()).document
        home = {r["assay"] for r in document["home_tests"]}
        said[bool(there)] = [w["text"] for w in document["warnings"] if w["code"] == "above_its_laboratory"]
        assert ("claudin18_ihc" in home) == bool(there)
    assert said[False] == [] and "needs a national one" in said[True][0]


def test_an_unknown_instrument_is_told_with_the_nearest():
    with pytest.raises(planner.BadInput) as caught:
        hospital(instruments="ihc_autostaner")
    (issue,) = caught.value.issues
    assert issue.where == "laboratory.instruments" and issue.what == "unknown platform `ihc_autostaner`"
    assert "ihc_autostainer" in issue.remedy


def test_an_instrument_that_stands_there_counts_whatever_the_tier():
    """A small hospital that has a sequencer has it."""
    lab_ = hospital("district", instruments="benchtop_sequencer").laboratory
    (mine,) = [p for p in lab_.platforms if p.platform == "benchtop_sequencer"]
    assert mine.existing == 1 and lab_.assay("hotspot_ngs") is not None


def test_an_instrument_of_one_firm_cannot_stand_there():
    firm = next(r["platform_id"] for r in evidence().records("platforms") if r["kind"] == "send_out")
    with pytest.raises(planner.BadInput, match="one firm's own"):
        hospital(instruments=firm)


def test_shared_runs_are_those_of_the_evidence():
    shared = {r["platform_id"]: bool(r["shared_run"]) for r in evidence().records("platforms")}
    assert {p.platform: p.shared_run for p in hospital("reference").laboratory.platforms}.items() <= shared.items()
    assert len(set(shared.values())) == 2


@pytest.mark.parametrize(("assay", "platform", "places"), [
    ("her2_ihc", "ihc_autostainer", (1, 1, 48)), ("mmr_ihc", "ihc_autostainer", (4, 4, 48)),
    ("er_pr_her2_ihc_bundle", "ihc_bench", (3, 3, 48)), ("her2_ish", "ihc_autostainer", (2, 2, 48)),
    ("ros1_fish", "fish_microscope", (1, 2, 20)), ("pml_immunofluorescence", "immunofluorescence_microscope", (1, 2, 10)),
    ("karyotype", "cytogenetics_set", (1, 0, 10)), ("xpert_breast_strat4", "cartridge_pcr", (1, 0, 4)),
])
def test_places_of_a_sample_and_its_controls_are_those_of_the_evidence(assay, platform, places):
    """As the notes of assay_platforms say: 48 slides a cycle, four a patient and one control set of four."""
    (row,) = [r for r in evidence().records("assay_platforms", assay_id=assay) if r["platform_id"] == platform]
    each, controls, run = places
    positions = evidence().record("platforms", platform_id=platform)["samples_per_run"]
    assert room(positions, row["samples_per_run"]) == pytest.approx((each / run, controls / run))


def test_a_full_run_is_a_run():
    shared = {p.platform: p for p in hospital("reference").laboratory.platforms if p.shared_run}
    assert len(shared) > 4
    for r in evidence().records("assay_platforms"):
        if r["platform_id"] in shared:
            used = shared[r["platform_id"]].used
            assert used(r["samples_per_run"], 1.0, r["samples_per_run"]) == pytest.approx(1.0)
            assert used(1.0, 1.0, r["samples_per_run"]) >= 1 / r["samples_per_run"]


def test_a_shared_run_needs_fewer_instruments():
    """Two stains, 650 samples a year in all: 65 shared runs, or 650 of their own."""
    cases = (("colon", "msi", "stain_a", 500.0, 0.5), ("breast", "her2", "stain_b", 2000 / 9, 0.6))
    bought = []
    for shared in (True, False):
        home = lab(platforms=tuple(replace(p, shared_run=shared) if p == STAINER else p for p in lab().platforms),
                   assays=tuple(replace(t, schedules=()) for t in lab().assays))
        bought.append(settled(engine(home, cases, elsewhere=False)).bought["stainer"])
    assert bought == [2, 11]  # 60 runs a year each


@pytest.mark.parametrize("setting", [{"tier": "national"}, {"instruments": {"ihc_bench": 1}}, {"minimum_volume": 50}])
def test_settings_of_a_home_laboratory_are_refused_with_tariffs(setting):
    with pytest.raises(planner.BadInput) as caught:
        load("hospital_kenya", {"laboratory": setting})
    assert [i.where for i in caught.value.issues] == [f"laboratory.{next(iter(setting))}"]
    assert "micro" in caught.value.issues[0].remedy


def test_a_test_that_needs_several_samples_in_a_run_is_not_run_by_itself():
    """Four samples in a run of mismatch repair staining: only schedules are offered, for every service that has it."""
    frame = evidence().tables["assay_platforms"].copy()
    frame.loc[frame["assay_id"] == "mmr_ihc", "minimum_samples"] = 4
    tables = {name: evidence().tables[name] for name in evidence().tables} | {"assay_platforms": frame}
    changed = build_problem(replace(evidence(), tables=Tables(tables)), load("hospital_kenya", {
        "laboratory": {"costing": "micro"}}).model_copy(update={"cases": {"crc_stage2_3": 60}}))
    runs = {u.runs_a_year for i in changed.indications for s in i.services for u in s.assays if u.assay == "mmr_ihc" and u.home}
    assert runs and 0.0 not in runs and changed.laboratory.assay("mmr_ihc").least_in_run == 4


def test_an_own_price_below_borrowed_reagents_is_warned_of():
    """Reagents of EGFR by PCR are read in Australia; a quotation for the whole test that is lower does not go with them."""
    def told(price: float) -> list[str]:
        scenario = load("hospital_kenya", {"laboratory": {"costing": "micro", "tier": "national"}, "override": [
            {"table": "assay_costs", "key": {"assay_id": "egfr_pcr"}, "column": "cost", "value": price, "currency": "USD",
             "year": evidence().base_year, "why": "our supplier's quotation"}]})
        document = planner.plan(scenario.model_copy(update={"cases": {"nsclc_nonsq_advanced": 40}}), evidence()).document
        return [w["text"] for w in document["warnings"] if w["code"] == "own_price_below_reagents"]

    reagents = hospital("national").laboratory.assay("egfr_pcr").per_sample
    (text,) = told(reagents - 20)
    assert f"US$ {reagents:,.0f} a sample" in text and f"US$ {reagents - 20:,.0f}" in text
    assert told(reagents + 20) == []
