"""Plans of the shipped scenarios: the accepted ones, the same on every run, within their limits.

``BIOMARKER_RENEW=1 python -m pytest tests/golden`` accepts the plans of today.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

import planner
from planner.report.tables import plan_json

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("plans")
RENEW = os.environ.get("BIOMARKER_RENEW") == "1"
NAMES = sorted(f.stem for f in (ROOT / "scenarios").glob("*.toml") if f.stem != "defaults")
TOTALS = ("testing_cost", "treatment_cost", "qalys", "life_years", "deaths_averted", "patients_eligible",
          "patients_tested", "tests_done", "positives_found", "patients_treated", "treated_blind", "incremental_cost",
          "cost_per_qaly", "net_health", "lines_funded")
CENT = 0.005

KEYS = {  # what a plan JSON promises
    "": "schema scenario evidence model_version base_year frontier_axis threshold solver binding totals reference list "
        "by_biomarker by_test do_not_buy laboratory shadow_prices by_region by_year ties warnings provenance",
    "evidence": "version sha256", "threshold": "value source", "solver": "name status gap seconds",
    "totals": "testing_cost treatment_cost cost_by_payer qalys life_years deaths_averted patients_eligible "
              "patients_tested tests_done positives_found patients_treated treated_blind incremental_cost "
              "cost_per_qaly net_health cost_is_upper_bound lines_funded biomarkers_funded indications_funded",
    "reference": "name totals",
}
LINE = [
    "rank", "indication_id", "biomarker_id", "priority_tier", "report_class", "gate", "funded", "coverage",
    "attainable_coverage", "reason", "services", "patients_tested", "positives_found", "patients_treated",
    "qalys", "testing_cost", "treatment_cost", "cost_per_qaly", "entry_budget", "full_budget", "criticality",
    "chain", "subgroup", "treated_blind", "incremental_cost", "cost_per_qaly_where_it_pays", "drugs_above_threshold",
    "price_that_pays",
]
NESTED = {
    "gate": "level level_basis escat", "reason": "code figure unit text",
    "chain": "incident eligible worked_up adequate in_time positive accessible treated bottleneck",
}
TIERS = {"core", "expand", "lower_price", "when_drug", "research_only", "not_now"}


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


@pytest.fixture(scope="module")
def made(evidence):
    """Plans by scenario name, each made once."""
    plans = {}

    def make(name: str):
        if name not in plans:
            plans[name] = planner.plan(planner.Scenario.load(name), evidence)
        return plans[name]

    return make


@pytest.fixture(params=NAMES)
def plan(request, made):
    return made(request.param)


@pytest.fixture
def document(plan):
    """The plan JSON as a reader of the file has it."""
    return json.loads(plan_json(plan.document))


def use_case(row: dict) -> str:
    return f"{row['indication_id']}/{row['biomarker_id']}"


# -- the accepted plans --------------------------------------------------------------------------------


def six(value: float | None) -> float | None:
    """Six significant digits; what is below a millionth is nothing."""
    if value is None or abs(value) < 1e-6:
        return value if value is None else 0.0
    return float(f"{value:.6g}")


def compact(document: dict) -> dict:
    """Totals and one short row per line."""
    return {
        "totals": {k: six(document["totals"][k]) for k in TOTALS},
        "list": {use_case(r): {
            "rank": r["rank"], "tier": r["priority_tier"], "funded": r["funded"], "coverage": six(r["coverage"]),
            "qalys": six(r["qalys"]), "testing_cost": six(r["testing_cost"]),
        } for r in document["list"]},
    }


@pytest.mark.parametrize("name", NAMES)
def test_plan_is_the_accepted_one(name, made):
    file = GOLDEN / f"{name}.json"
    found = compact(json.loads(plan_json(made(name).document)))
    if RENEW:
        file.parent.mkdir(exist_ok=True)
        file.write_text(as_text(found), "utf-8")
    wanted = json.loads(file.read_text("utf-8"))
    assert found["totals"] == pytest.approx(wanted["totals"], rel=1e-5, abs=1e-5)
    assert found["list"].keys() == wanted["list"].keys()
    for line, row in found["list"].items():
        for figure, value in row.items():
            expected = wanted["list"][line][figure]
            if isinstance(expected, float):
                expected = pytest.approx(expected, rel=1e-5, abs=1e-5)
            assert value == expected, (line, figure)


def as_text(found: dict) -> str:
    """JSON with one line per use case, so that a change reads well."""
    totals = json.dumps(found["totals"], indent=1).replace("\n", "\n ")
    rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in found["list"].items())
    return f'{{\n "totals": {totals},\n "list": {{\n{rows}\n }}\n}}\n'


def test_every_accepted_plan_has_its_scenario():
    assert {f.stem for f in GOLDEN.glob("*.json")} == set(NAMES)


# -- the same on every run -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kenya_buys_trastuzumab", "texas"])
def test_two_processes_write_the_same_bytes(name, tmp_path):
    """Other hash seed, other process: same bytes apart from the seconds."""
    texts = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.json"
        subprocess.run([sys.executable, "-m", "planner", "plan", name, "--out", str(out)], cwd=ROOT, check=True,
                       capture_output=True, timeout=300, env=os.environ | {"PYTHONHASHSEED": seed})
        text = out.read_text("utf-8")
        seconds = json.loads(text)["solver"]["seconds"]
        assert text.count(f'"seconds": {seconds!r}') == 1
        texts.append(text.replace(f'"seconds": {seconds!r}', '"seconds": 0'))
    assert texts[0] == texts[1]


# -- the parts and the whole -----------------------------------------------------------------------------


def test_views_have_the_same_totals(document):
    totals = document["totals"]
    for figure in ("testing_cost", "treatment_cost", "positives_found", "patients_treated", "qalys"):
        for view in ("list", "by_biomarker"):
            assert math.fsum(r[figure] or 0.0 for r in document[view]) == pytest.approx(totals[figure], abs=CENT), view
        if figure != "positives_found":
            parts = math.fsum(r[figure] for r in document["by_region"])
            assert parts == pytest.approx(totals[figure], abs=CENT)
    tests = document["by_test"]
    assert math.fsum(t["cost"] for t in tests) == pytest.approx(totals["testing_cost"], abs=CENT)
    assert math.fsum(t["samples"] for t in tests) == pytest.approx(totals["tests_done"], abs=CENT)
    assert math.fsum(totals["cost_by_payer"].values()) == pytest.approx(totals["treatment_cost"], abs=CENT)
    for row in document["list"]:
        assert math.fsum(row["cost_by_payer"].values()) == pytest.approx(row["treatment_cost"], abs=CENT)
        assert math.fsum(t["treated"] for t in row["therapies"]) == pytest.approx(row["patients_treated"], abs=CENT)
        assert math.fsum(s["share"] for s in row["services"]) == pytest.approx(row["coverage"], abs=1e-9)


def test_persons_count_once_per_indication(document):
    """Persons tested lie between the widest line of each indication and the sum of its lines."""
    groups: dict[tuple, list[float]] = {}
    for row in document["list"]:
        groups.setdefault((row["region"], row["indication_id"]), []).append(row["patients_tested"])
    tested = document["totals"]["patients_tested"]
    assert sum(max(g) for g in groups.values()) - CENT <= tested <= sum(sum(g) for g in groups.values()) + CENT
    assert tested <= document["totals"]["patients_eligible"] + CENT


def test_plan_fits_its_limits(plan, document):
    """Every limit of the scenario, from the figures of the plan alone."""
    scenario, rows = document["scenario"], document["list"]
    budget = scenario["budget"]
    testing = document["totals"]["testing_cost"]
    treatment = blind_spending(plan, budget["payers"])
    if budget["savings_cashable"]:
        treatment += sum(r["cost_by_payer"][z] for r in rows for z in budget["payers"])
    else:  # money saved on one line pays for no other
        treatment += sum(max(0.0, r["cost_by_payer"][z]) for r in rows for z in budget["payers"])
    assert budget["basis"] == "all"
    for axis, spent in (("testing", testing), ("treatment", treatment), ("total", testing + treatment)):
        if budget[axis] is not None:
            assert spent <= budget[axis] * (1 + 1e-7) + CENT, axis
    by_id = {(r["region"], use_case(r)): r for r in rows}
    for (_, line), row in by_id.items():
        assert -1e-9 <= row["coverage"] <= row["attainable_coverage"] + 1e-7
        if line in scenario["policy"]["exclude"] or not row["gate"]["passed"] or row["gap"]:
            assert row["funded"] == "no" and row["coverage"] == 0
        if line in scenario["policy"]["must_fund"]:
            assert row["coverage"] == pytest.approx(row["attainable_coverage"], abs=1e-6)
        c = row["chain"]
        if row["funded"] != "no":
            steps = [c[k] for k in ("incident", "eligible", "worked_up", "adequate", "in_time", "positive")]
            assert all(b <= a + 1e-6 for a, b in zip(steps, steps[1:], strict=False)), line
    for key, needed in required(plan).items():
        assert by_id[key]["coverage"] <= sum(by_id[n]["coverage"] for n in needed) + 1e-7


def blind_spending(plan, payers) -> float:
    """What the payers spend on matched drugs with nobody tested."""
    total = 0.0
    for i in plan.problem.indications:
        for u in i.use_cases:
            for t in u.therapies if u.active else ():
                carried = sum(s for z, s in t.payers if z in payers) / t.alpha if t.alpha else 0.0
                total += i.eligible * u.subgroup * t.fit * t.u0 * carried * sum(t.pay)
    return total


def required(plan) -> dict:
    """(region, line) -> prerequisites that can be planned, one entry for each."""
    active = {(u.region, u.id) for u in plan.problem.use_cases if u.active}
    out = {}
    for u in plan.problem.use_cases:
        needed = [(u.region, f"{u.indication}/{b}") for b in u.requires]
        if u.active and any(n in active for n in needed):
            out[u.region, u.id] = sorted((n for n in needed if n in active), key=lambda n: n[1])
    return out


# -- what the file promises --------------------------------------------------------------------------------


def test_plan_json_has_every_promised_key(document):
    assert document["schema"] == "plan/1"
    for where, names in KEYS.items():
        part = document[where] if where else document
        assert set(names.split()) <= set(part), where or "top"
    for row in document["list"]:
        assert set(LINE) <= set(row) and row["priority_tier"] in TIERS and row["funded"] in ("full", "part", "no")
        for part, names in NESTED.items():
            assert set(names.split()) <= set(row[part]), (use_case(row), part)
        price = row["price_that_pays"]
        assert price is None or set(price) >= {"therapy", "name", "price", "course_cost"}
        assert price is None or row["priority_tier"] in ("lower_price", "when_drug")
        if row["funded"] == "no":  # a reading below the solver's tolerance is nothing
            assert row["coverage"] == 0 or row["coverage"] >= 1e-7
        assert all(set(s) >= {"service", "share"} for s in row["services"])
    assert all(set(t) >= {"assay", "laboratory", "samples", "cost", "minutes"} for t in document["by_test"])
    prices = {"value_per_unit", "unit", "qalys_per_usd", "usd_per_qaly"}
    assert all(set(p) >= prices for p in document["shadow_prices"].values())
    assert all(set(w) >= {"code", "figure", "unit", "lines", "text"} for w in document["warnings"])
    promised = {"parameter", "key", "value", "level", "source_id", "quality"}
    assert all(set(p) >= promised for p in document["provenance"])
    assert [r["rank"] for r in document["list"]] == list(range(1, len(document["list"]) + 1))
