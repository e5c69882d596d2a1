"""The audit passes on sound plans and finds every deliberate corruption of a plan file, by name."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path

import pytest

import planner
from planner.analysis.audit import NOT_AUDITED, Audit, judge
from planner.analysis.audit_book import Book
from planner.analysis.audit_check import Sheet
from planner.analysis.audit_file import PlanFile
from planner.analysis.audit_laboratory import check_laboratory
from planner.analysis.audit_list import check_list, objective
from planner.analysis.audit_totals import check_totals
from planner.analysis.audit_types import check_types, patient_types
from planner.pathway.build import build_problem
from planner.report.tables import plan_json
from planner.scenario.reading import shipped
from planner.scenario.scenario import load
from tests.golden.by_hand import COUNTRY, LINES, SERVICES_OFF
from tests.test_house import imports
from tests.tiny import tiny_problem, tiny_scenario


def by_hand() -> dict:
    """Rwanda as in tests/golden/by_hand.py: three lines, the others excluded."""
    known = [f"{r['indication_id']}/{r['biomarker_id']}" for r in evidence().records("use_cases")]
    return {"setting": {"country": COUNTRY}, "budget": {"testing": "unlimited"},
            "services": {"exclude": list(SERVICES_OFF)}, "policy": {"exclude": [u for u in known if u not in LINES]}}


PLANS = {name: (name, {}) for name in shipped()} | {
    "all budgets": ("kenya_buys_trastuzumab", {"budget": {"testing": 500_000, "treatment": 12e6, "total": 12e6}}),
    "selective": ("kenya", {"access": {"mode": "selective"}}),
    "selective and bought": ("kenya_buys_trastuzumab", {"access": {"mode": "selective"}}),
    "years": ("kenya_treatment_budget", {"years": 3, "coverage": {"ramp_per_year": 0.2}}),
    "years of money": ("kenya", {"years": 2, "budget": {"testing": [200_000, 400_000]}}),
    "savings": ("kenya_treatment_budget", {"budget": {"treatment": 1e6, "savings_cashable": True}}),
    "no savings": ("kenya_treatment_budget", {"budget": {"treatment": 1e6}}),
    "additional": ("texas", {"budget": {"basis": "additional", "testing": 3e6, "treatment": 2e7}}),
    "supply": ("kenya", {"access": {"drugs": {"trastuzumab": {"courses": 100}, "imatinib": {"courses": 150},
                                              "rituximab": {"courses": 60}}}}),
    "minutes": ("kenya", {"laboratory": {"technician_minutes": 100_000, "pathologist_minutes": 30_000}}),
    "net health": ("uganda", {"objective": "net_health"}),
    "deaths": ("germany", {"objective": "deaths_averted"}),
    "value gate": ("germany", {"evidence_gate": {"value_gate": True}, "budget": {"total": 1e9}}),
    "evaluated": ("kenya", {"mode": "evaluate", "budget": {"testing": "unlimited"}, "evaluate": {
        "breast_early/er_pr": 0.5, "breast_early/her2": 0.3, "cml/bcr_abl1": 0.9}}),
    "by hand": ("kenya", by_hand),
}
KNOWN: dict[str, set[str]] = {}  # what the audit finds and the planner does not yet mend


@cache
def evidence():
    return planner.load_evidence()


@cache
def made(name: str) -> PlanFile:
    """A plan as a reader of its file has it."""
    parent, changes = PLANS[name]
    scenario = load(parent, changes() if callable(changes) else changes)
    return PlanFile(json.loads(plan_json(planner.plan(scenario, evidence()).document)), scenario)


def found(file: PlanFile) -> Audit:
    return judge(file, evidence())


def names(result: Audit) -> set[str]:
    return {c.name for c in result.failed}


@pytest.mark.parametrize("name", PLANS)
def test_sound_plans_pass(name):
    result = found(made(name))
    assert names(result) <= KNOWN.get(name, set()), result.text()


@pytest.mark.parametrize("name", ["kenya", "years", "selective", "additional"])
def test_plans_are_mixes_of_real_patients(name):
    """Types of patient have weights above zero that sum to the share worked up, and one result per biomarker."""
    file, result = made(name), found(made(name))
    for row in file.document["solution"]["work_up"]:
        mine = [t for t in result.patients if (t.region, t.indication, t.year + 1)
                == (row["region"], row["indication_id"], row["year"])]
        assert sum(t.weight for t in mine) == pytest.approx(row["share"], abs=1e-9)
        for t in mine:
            assert t.weight > 0 and len({b for b, _ in t.services}) == len(t.services)


# -- corruptions -----------------------------------------------------------------------------------------


def row_of(document: dict, section: str, **want) -> dict:
    return next(r for r in document["solution"][section] if all(r[k] == v for k, v in want.items()))


def line_of(document: dict, indication: str, biomarker: str) -> dict:
    return next(r for r in document["list"] if (r["indication_id"], r["biomarker_id"]) == (indication, biomarker))


def funded(document: dict) -> dict:
    return next(r for r in document["list"] if r["funded"] != "no")


def scaled(section: str, key: str, factor: float):
    """Every figure of a section of the decisions times a factor."""
    def change(d: dict) -> None:
        for row in d["solution"][section]:
            row[key] *= factor
    return change


def put(value, *path):
    """A value at a place of the document; a number is added to what stands there."""
    def change(d: dict) -> None:
        *way, last = path
        for step in way:
            d = d[step]
        d[last] = d[last] + value if isinstance(value, int | float) and not isinstance(value, bool) else value
    return change


def on_line(key: str, value):
    def change(d: dict) -> None:
        row = funded(d)
        row[key] = row[key] + value if isinstance(value, float) else value
    return change


def work_up_without_base(d: dict) -> None:
    row = d["solution"]["work_up"][0]
    row["bases"] = {b: y / 2 for b, y in row["bases"].items()}


def doubled_result(d: dict) -> None:
    d["solution"]["results"].append(dict(d["solution"]["results"][0]))


def unknown_service(d: dict) -> None:
    d["solution"]["results"][0]["service"] = "crystal_ball"


def unknown_therapy(d: dict) -> None:
    d["solution"]["treated"][0]["therapy"] = "snake_oil"


def unknown_place(d: dict) -> None:
    d["solution"]["results"][0]["indication_id"] = "hiccups"


def without_prerequisite(d: dict) -> None:
    """HER2 in breast cancer is no longer read, HER2-low, which needs it, still is."""
    d["solution"]["results"] = [r for r in d["solution"]["results"]
                                if (r["indication_id"], r["biomarker_id"]) != ("breast_metastatic", "her2")]


def single_beside_base(d: dict) -> None:
    """A single for a biomarker that the base reads itself."""
    row = next(r for r in d["solution"]["results"] if r["base"] == r["service"])
    single = next(s.service for i in problem_of("years").indications if i.indication == row["indication_id"]
                  for s in i.services if s.kind == "single" and s.result(row["biomarker_id"]))
    d["solution"]["results"].append(row | {"service": single, "share": 0.1, "with_access": 0.1})


def drug_for_all(d: dict) -> None:
    for row in d["solution"]["treated"]:
        row["today"] = row["today"] * 1.5 + 0.01


def blind_denied(d: dict) -> None:
    """Nobody is treated after the test in a line whose drug is given blind."""
    for row in d["solution"]["treated"]:
        if row["indication_id"] == "dlbcl":
            row["today"] = 0.0


def bought_without_asking(d: dict) -> None:
    d["solution"]["treated"][0]["bought"] = 0.05


def access_of_some(d: dict) -> None:
    d["solution"]["results"][0]["with_access"] /= 2


def swapped_tiers(d: dict) -> None:
    row = next(r for r in d["list"] if r["gap"])
    row["priority_tier"] = "core"


def all_counted(d: dict) -> None:
    """With selective access all results count for drugs, not only those of people who can get one."""
    for row in d["solution"]["results"]:
        row["share"] = row["with_access"] = 0.9


@cache
def problem_of(name: str):
    return build_problem(evidence(), made(name).scenario)


CORRUPTIONS = {
    "negative share": ("kenya", put(-5.0, "solution", "results", 0, "share"), "share between 0 and 1"),
    "more than all": ("kenya", put(0.5, "solution", "work_up", 0, "share"), "work-up within coverage"),
    "bases do not sum": ("kenya", work_up_without_base, "bases sum to the work-up"),
    "more results than bases": ("kenya", put(0.05, "solution", "results", 0, "share"), "results within their base"),
    "above the coverage": ("kenya", scaled("results", "share", 1.2), "coverage within its ceiling"),
    "a result twice": ("kenya", doubled_result, "each decision once"),
    "no such service": ("kenya", unknown_service, "service offered"),
    "no such therapy": ("kenya", unknown_therapy, "therapy offered"),
    "no such indication": ("kenya", unknown_place, "place known"),
    "no such patients": ("kenya", put(0.05, "solution", "results", 0, "share"), "mix of real patients"),
    "prerequisite not read": ("years", without_prerequisite, "prerequisites"),
    "a single beside its base": ("years", single_beside_base, "singles only where the base is silent"),
    "drugs beyond access": ("kenya", drug_for_all, "access nested"),
    "access bought unasked": ("kenya", bought_without_asking, "bought access"),
    "beyond the ceiling": ("kenya_buys_trastuzumab", scaled("treated", "bought", 3.0), "access ceiling"),
    "a blind drug denied": ("kenya", blind_denied, "nobody denied"),
    "lot is not for all": ("kenya", access_of_some, "who counts for access"),
    "selective for all": ("selective", all_counted, "who counts for access"),
    "treated beyond work-up": ("kenya", scaled("treated", "today", 50.0), "treated within worked up"),
    "testing money": ("kenya", scaled("results", "share", 1.05), "testing budget"),
    "treatment money": ("no savings", scaled("treated", "today", 1.2), "treatment budget"),
    "total money": ("kenya_buys_trastuzumab", scaled("treated", "bought", 1.2), "total budget"),
    "money on top": ("additional", scaled("treated", "today", 1.2), "treatment budget"),
    "minutes": ("minutes", scaled("results", "share", 1.1), "pathologist minutes"),
    "courses": ("supply", scaled("treated", "today", 1.2), "fixed supplies"),
    "ramp": ("years", scaled("results", "share", 1.5), "ramp"),
    "mandate": ("kenya_breast_first", scaled("results", "share", 0.5), "must-fund floors"),
    "today's coverage": ("additional", scaled("results", "share", 0.5), "today's coverage kept"),
    "given list": ("evaluated", scaled("results", "share", 0.9), "the list that is evaluated"),
    "total QALYs": ("kenya", put(10.0, "totals", "qalys"), "total: qalys"),
    "total net health": ("kenya", put(10.0, "totals", "net_health"), "total: net health"),
    "total testing": ("kenya", put(1000.0, "totals", "testing_cost"), "total: testing cost"),
    "total treatment": ("kenya", put(1000.0, "totals", "treatment_cost"), "total: treatment cost"),
    "total by payer": ("kenya", put(1000.0, "totals", "cost_by_payer", "public"), "total: cost by payer"),
    "persons tested": ("kenya", put(1.0, "totals", "patients_tested"), "total: patients tested"),
    "tests done": ("kenya", put(1.0, "totals", "tests_done"), "total: tests done"),
    "lines funded": ("kenya", put(1, "totals", "lines_funded"), "total: lines funded"),
    "blind spending": ("kenya", put(1000.0, "blind_spending"), "total: blind spending"),
    "threshold": ("kenya", put(1000.0, "threshold", "value"), "total: threshold"),
    "a line's QALYs": ("kenya", on_line("qalys", 1.0), "line: qalys"),
    "a line's positives": ("kenya", on_line("positives_found", 1.0), "line: positives found"),
    "a line's treated": ("kenya", on_line("patients_treated", 1.0), "line: patients treated"),
    "a line's testing": ("kenya", on_line("testing_cost", 10.0), "line: testing cost"),
    "a line's drugs": ("kenya", on_line("treatment_cost", 10.0), "line: treatment cost"),
    "a line's ratio": ("kenya", on_line("cost_per_qaly_ceiling", 10.0), "line: cost per QALY, bound"),
    "a line's chain": ("kenya", lambda d: funded(d)["chain"].update(positive=1.0), "line: chain"),
    "a line's payers": ("kenya", lambda d: funded(d)["treated_by_payer"].update(trial=1.0), "line: treated by payer"),
    "a line's services": ("kenya", lambda d: funded(d)["services"].clear(), "line: services"),
    "a line left out": ("kenya", lambda d: d["list"].pop(), "one row per use case"),
    "by biomarker": ("kenya", put(1.0, "by_biomarker", 0, "patients_tested"), "by biomarker"),
    "by test": ("kenya", put(1.0, "by_test", 0, "samples"), "by test"),
    "by region": ("kenya", put(1.0, "by_region", 0, "qalys"), "by region"),
    "by year": ("years", put(100.0, "by_year", 1, "treatment_cost"), "by year"),
    "tier": ("kenya", swapped_tiers, "tiers by their rules"),
    "funded in words": ("kenya", on_line("funded", "no"), "funded as covered"),
    "do not buy": ("kenya", lambda d: d["do_not_buy"].pop(), "do-not-buy list"),
    "ranks": ("kenya", put(5, "list", 0, "rank"), "ranks"),
    "frontier": ("kenya", lambda d: [p.update(value=p["value"] * 2) for p in d["frontier"]], "value on the frontier"),
    "frontier falls": ("kenya", put(-1e6, "frontier", -1, "value"), "frontier"),
    "a worse plan": ("kenya", scaled("results", "share", 0.9), "what has a price is used up"),
    "evidence of another plan": ("kenya", put(0.5, "provenance", 0, "value"), "provenance"),
}


CORRUPTIONS |= {
    "a line's prevalence": ("kenya", on_line("prevalence", 0.01), "line: prevalence"),
    "a line's potential": ("kenya", on_line("qalys_potential", 1.0), "line: potential"),
    "a line's ratio where it pays": ("kenya", lambda d: next(r for r in d["list"] if r["cost_per_qaly_where_it_pays"]).update(
        cost_per_qaly_where_it_pays=10.0), "line: cost per QALY where it pays"),
    "a price that pays": ("kenya", lambda d: priced(d)["price_that_pays"].update(price=1.0), "line: price that pays"),
    "a therapy that pays": ("kenya", lambda d: priced(d)["price_that_pays"].update(therapy="snake_oil"), "line: price that pays"),
    "people reached": ("kenya", lambda d: funded(d)["reaches"].update(people=1.0), "line: reaches"),
    "a line's access": ("kenya", on_line("access_share", 0.05), "line: access"),
    "lines of a biomarker": ("kenya", put(1, "by_biomarker", 0, "use_cases"), "by biomarker"),
    "funded lines of a biomarker": ("kenya", put(1, "by_biomarker", 0, "funded"), "by biomarker"),
}


def priced(document: dict) -> dict:
    return next(r for r in document["list"] if r["price_that_pays"])


def leaves(value, at: tuple = ()):
    """Every number of a document, with the way to it."""
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(below, (*at, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield at


def mutated(document: dict, at: tuple) -> dict:
    """The document with one number changed by a tenth and one; only what lies on the way is copied."""
    if not at:
        return document * 1.1 + 1
    out = copy.copy(document)
    out[at[0]] = mutated(out[at[0]], at[1:])
    return out


@pytest.mark.parametrize("name", ["kenya", "years"])
def test_no_number_of_a_funded_line_or_total_passes_if_it_is_changed(name):
    """Every number of one funded line, of the totals and of the first row of each view is either checked or named as
    not audited."""
    document = made(name).document
    book = Book(problem_of(name), made(name).scenario, document["solution"])
    n = document["list"].index(funded(document))
    roots = [("totals",), ("list", n), ("threshold",), ("blind_spending",)]
    roots += [(view, 0) for view in ("by_biomarker", "by_test", "by_region", "by_year")]
    passed, tried = [], 0
    for root in roots:
        part = document
        for step in root:
            part = part[step]
        for at in leaves(part):
            tried += 1
            place = ".".join(str(k) for k in (*root[:1], *at) if not isinstance(k, int))
            sheet = Sheet()
            changed = mutated(document, (*root, *at))
            check_totals(book, changed, sheet)
            check_list(book, changed, sheet)
            check_laboratory(book, changed, sheet)
            if not sheet.failed and not place.startswith(tuple(NOT_AUDITED)):
                passed.append(place)
    assert tried > 90 and not passed


def test_what_is_not_audited_is_printed():
    told = found(made("kenya")).text()
    assert "Not audited: entry budgets" in told and "criticality" in told and "shadow prices" in told


def spoiled(name: str) -> PlanFile:
    plan, change, _ = CORRUPTIONS[name]
    document = copy.deepcopy(made(plan).document)
    change(document)
    return PlanFile(document, made(plan).scenario)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_is_found(name):
    plan, _, check = CORRUPTIONS[name]
    result = found(spoiled(name))
    mine = [c for c in result.failed if c.name == check]
    new = set(mine) - set(found(made(plan)).failed)
    assert new, (check, names(result))
    assert all(c.where and c.words and c.have != c.need for c in new)


@pytest.mark.parametrize(("part", "key"), [("gate", "level"), ("policy", "exclude")])
def test_gate_and_exclusions_are_those_of_the_scenario(part, key):
    """A plan made under a wider gate, or before an exclusion, fails under the scenario that it claims."""
    changes = {"gate": {"evidence_gate": {"level": 1}}, "policy": {"policy": {"exclude": ["breast_early/er_pr"]}}}[part]
    claimed = PlanFile(made("germany").document, load("germany", changes))
    wrong = names(found(claimed))
    assert wrong & {"evidence gate", "excluded lines", "therapy offered"}


# -- by hand ---------------------------------------------------------------------------------------------


def tiny_book(results, treated=(), work_up=None, **changes) -> Book:
    where = {"region": "XXX", "year": 1}
    return Book(tiny_problem(), tiny_scenario(**changes), {
        "work_up": [where | w for w in work_up or [{"indication_id": "lung", "share": 0.5, "bases": {"none": 0.5}}]],
        "results": [where | {"indication_id": "lung", "base": "none"} | r for r in results],
        "treated": [where | {"indication_id": "lung", "base": "none"} | t for t in treated]})


EGFR = {"biomarker_id": "egfr", "service": "egfr_pcr"}


def test_figures_of_one_reading_by_hand():
    """1000 eligible, half tested, eta 0.9, prevalence 0.2, Se 0.95, Sp 0.98; 0.25 of them get drug_a (fit 0.9)."""
    book = tiny_book([EGFR | {"share": 0.5, "with_access": 0.5}],
                     [EGFR | {"therapy": "drug_a", "today": 0.25, "bought": 0.0}])
    (r,) = book.readings
    assert r.found == pytest.approx(500 * 0.9 * (0.2 * 0.95 + 0.8 * 0.02))
    a = next(t for t, x, _ in r.given if x)
    assert r.people(a, 0.25) == pytest.approx(1000 * 0.9 * 0.9 * 0.25 * 0.206)
    assert r.gain("qalys") == pytest.approx(1000 * 0.9 * 0.9 * 0.25 * 0.19)
    assert book.testing(0) == pytest.approx(1000 * 0.5 * 20 + 500 * 100)
    assert book.spending(0)["XXX", "lung/egfr"]["household"] == pytest.approx(1000 * 0.9 * 0.9 * 0.25 * 0.206 * 10_000 * 0.4)
    assert objective(book) == pytest.approx(1000 * 0.9 * 0.9 * 0.25 * 0.19)


def test_patient_types_of_two_singles():
    """0.2 of the eligible are read for both, 0.3 for one, none is left over: 0.5 are worked up."""
    book = tiny_book([EGFR | {"share": 0.5, "with_access": 0.5},
                      {"biomarker_id": "alk", "service": "alk_ihc", "share": 0.2, "with_access": 0.2}])
    types = {t.services: t.weight for t in patient_types(book)}
    assert types == {(("alk", "alk_ihc"), ("egfr", "egfr_pcr")): pytest.approx(0.2),
                     (("egfr", "egfr_pcr"),): pytest.approx(0.3)}


@pytest.mark.parametrize("share", [0.6, 0.45])
def test_no_mix_of_patients_gives_too_many_results(share):
    """HER2 in 0.45 of 0.5 patients of whom 0.4 know their ER is no mix; nor is a result in more than are worked up."""
    er, her2 = min(share, 0.4), share
    rows = [{"indication_id": "breast", "biomarker_id": b, "service": f"{b}_ihc", "share": s, "with_access": s}
            for b, s in (("er", er), ("her2", her2))]
    sheet = Sheet()
    check_types(tiny_book(rows, work_up=[{"indication_id": "breast", "share": 0.5, "bases": {"none": 0.5}}]), sheet)
    assert "mix of real patients" in sheet.failed


def test_the_audit_knows_neither_solver_nor_plan():
    """It checks the planner with code of its own."""
    folder = Path(planner.__file__).parent / "analysis"
    for path in folder.glob("audit*.py"):
        used = imports(path)
        assert not [n for n in used if n.startswith(("planner.optimise", "planner.result", "pulp", "highspy"))], path
