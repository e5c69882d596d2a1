"""Commands: exit status, what goes where, no traceback. Planning itself is replaced by a stand-in."""

from __future__ import annotations

import json

import pytest

import planner
from planner import cli
from planner.errors import BadInput, Infeasible, Issue
from planner.scenario import load
from tests.report.conftest import evidence, make  # noqa: F401


@pytest.fixture
def run(capfd, monkeypatch, make, evidence):  # noqa: F811
    """(status, stdout, stderr) of a command; a plan is that of the tiny problem."""
    asked = {}

    def stand_in(scenario, _evidence):
        asked["scenario"] = scenario
        return make(name=scenario.name, budget={"testing": scenario.budget.testing})

    monkeypatch.setattr(planner, "load_evidence", lambda *a, **k: evidence)
    monkeypatch.setattr(planner, "plan", stand_in)

    def call(*argv):
        status = cli.main(argv)
        out = capfd.readouterr()
        assert "Traceback" not in out.err
        return status, out.out, out.err

    call.asked = asked
    return call


def test_plan_prints_a_table(run):
    status, out, err = run("plan", "kenya")
    assert status == 0 and not err
    assert out.startswith(load("kenya").name) and "Tinyland would test" in out and "lung/egfr" in out


def test_plan_writes_every_kind(run, tmp_path):
    files = [tmp_path / f"plan.{kind}" for kind in ("json", "xlsx", "csv", "docx", "html")]
    status, out, err = run("plan", "kenya", *(x for f in files for x in ("--out", str(f))))
    assert (status, out, err) == (0, "", "")
    assert all(f.stat().st_size > 500 for f in files)
    assert json.loads(files[0].read_text("utf-8"))["schema"] == "plan/1"


def test_json_bytes_are_the_same_twice(run, tmp_path):
    texts = []
    for n in (1, 2):
        run("plan", "kenya", "--out", str(tmp_path / f"{n}.json"))
        document = json.loads((tmp_path / f"{n}.json").read_text("utf-8"))
        document["solver"]["seconds"] = 0
        texts.append(json.dumps(document))
    assert texts[0] == texts[1]


def test_budget_and_set_are_differences(run):
    run("plan", "kenya", "--budget", "testing=5e5", "--budget", "total=1_000_000", "--set", "objective=life_years",
        "--set", "access.drugs.osimertinib=1.0", "--set", 'policy.must_fund=["breast_early/her2"]')
    s = run.asked["scenario"]
    assert (s.budget.testing, s.budget.total, s.objective) == (5e5, 1e6, "life_years")
    assert s.access.drugs == {"osimertinib": 1.0} and s.policy.must_fund == ("breast_early/her2",)


def test_unlimited_on_the_command_line(run):
    run("plan", "kenya", "--budget", "testing=unlimited")
    assert run.asked["scenario"].budget.testing is None


@pytest.mark.parametrize("argv, words", [
    (["plan", "kenia"], ["did you mean `kenya`"]),
    (["plan", "kenya", "--out", "a.pdf", "--out", "none/a.json"], ["unknown kind of file `.pdf`", "folder"]),
    (["plan", "kenya", "--access", "--draws", "9"], ["--access", "--draws", "for the brief"]),
    (["frontier", "kenya", "--out", "a.docx"], ["this command writes no such document"]),
    (["plan", "kenya", "--budget", "tests=5", "--set", "x"], ["AXIS=USD", "key=value"]),
    (["plan", "kenya", "--set", "years=2", "--set", "years=3"], ["sets it twice"]),
    (["plan", "kenya", "--set", "budget=5", "--budget", "testing=5"], ["budget", "twice"]),
    (["plan", "kenya", "--set", "budget.tesing=1", "--budget", "testing=-4"], ["budget.tesing", "at least 0"]),
    (["plan", "kenya", "--budget", "testing=nan"], ["finite"]),
    (["strategies", "kenia", "--indication", "all"], ["`kenya`"]),
    (["plans", "kenya"], ["plans"]), (["plan"], ["SCENARIO"]), ([], ["COMMAND"]),
    (["export-model", "kenya", "--out", "model.txt"], [".mps or .lp"]),
    (["validate", "none.toml"], ["no such file"]),
])
def test_bad_input_is_told_on_standard_error(run, argv, words):
    status, out, err = run(*argv)
    assert status == 2 and not out
    assert all(w in err for w in words), err


def test_infeasible_is_1(run, monkeypatch):
    def impossible(*_):
        raise Infeasible([Issue("the testing budget", "have 1, need 2", "raise it by 1")])

    monkeypatch.setattr(planner, "plan", impossible)
    status, out, err = run("plan", "kenya")
    assert status == 1 and not out and "have 1, need 2" in err


def test_faulty_evidence_is_2(run, monkeypatch):
    def faulty(*_, **__):
        raise BadInput([Issue("a", "b", "c"), Issue("d", "e", "f")])

    monkeypatch.setattr(planner, "load_evidence", faulty)
    status, _, err = run("plan", "kenya")
    assert status == 2 and err.count("\n- ") == 2


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["plan", "--help"]])
def test_help_is_0(run, argv):
    status, out, _ = run(*argv)
    assert status == 0 and out


@pytest.mark.parametrize("kind", ["lp", "mps"])
@pytest.mark.parametrize("basis", ["all", "additional"])
def test_exported_model_has_the_plan_s_optimum(run, tmp_path, monkeypatch, kind, basis):
    """The file, solved by itself, gives the value of the engine."""
    import highspy

    from planner.optimise.resolve import Engine
    from planner.pathway import build
    from tests.tiny import tiny_problem

    monkeypatch.setattr(build, "build_problem", lambda *_: tiny_problem())
    file = tmp_path / f"model.{kind}"
    arguments = ("kenya", "--budget", "testing=60000", "--set", f"budget.basis={basis}")
    status, _, err = run("export-model", *arguments, "--out", str(file))
    assert (status, err) == (0, "")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.readModel(str(file))
    solver.run()
    scenario = load("kenya", {"budget": {"testing": 60000, "basis": basis}})
    value = Engine(tiny_problem(), scenario).optimum().value
    assert solver.getInfo().objective_function_value == pytest.approx(-value, rel=1e-7)
