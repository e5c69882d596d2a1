"""Ratios measured in one run on this machine; nothing here is asserted as a time.

Printed: build + solve + read-out over the raw HiGHS solve of the same matrix, and over a naive
PuLP + CBC rebuild; a slider's warm re-solve over the bare one; the full list over the bare warm
re-solves that it contains.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
import warnings
from pathlib import Path

import pulp

import planner
from planner.optimise.formulation import Formulation
from planner.optimise.resolve import Engine
from planner.optimise.solver import LoadedModel, matrix
from planner.pathway.build import build_problem
from planner.result.make import plan_from_engine
from planner.result.readout import read
from planner.scenario.scenario import load

REPEATS = 9


# Processor time of this process: on a shared machine it holds still where the wall clock does not.
clock = time.process_time


def timed(work, repeats: int = REPEATS, clock=clock) -> float:
    """Median seconds of a call; the collector rests meanwhile."""
    times = []
    for _ in range(repeats):
        gc.collect()
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)


def raw_solve(lp) -> float:
    """A cold HiGHS solve of the same matrix, hand-over included in neither."""
    times = []
    for _ in range(REPEATS):
        model = LoadedModel(matrix(lp))
        start = clock()
        model.run()
        times.append(clock() - start)
    return statistics.median(times)


def cbc_rebuild(problem, scenario) -> None:
    lp = Formulation(problem, scenario).lp
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lp.solve(pulp.PULP_CBC_CMD(msg=False))


def whole(problem, scenario):
    engine = Engine(problem, scenario)
    return read(engine, engine.optimum().plan.values)


def bare_resolves(engine: Engine, budgets) -> float:
    """Warm re-solves with nothing else: change a row, run."""
    start = clock()
    for amount in budgets:
        engine.model.highs.changeRowBounds(engine.model.row["budget_testing_1"], -1e30, amount)
        engine.model.highs.run()
    return clock() - start


def at(scenario, amount: float):
    """The scenario with another testing budget."""
    return scenario.model_copy(update={"budget": scenario.budget.model_copy(update={"testing": amount})})


def slider(engine: Engine, budgets) -> float:
    """What a moved slider costs: the budget changed, the optimum with its cheapest plan, read out."""
    scenarios = [at(engine.scenario, amount) for amount in budgets]
    start = clock()
    for scenario in scenarios:
        engine.with_scenario(scenario)
        read(engine, engine.optimum().plan.values)
    return clock() - start


def bare_list(engine: Engine) -> tuple[float, int]:
    """The list's own solver work: seconds inside HiGHS while a full list is made, and solves."""
    seconds, calls = 0.0, 0
    both = (engine.model.highs, engine.cheapest.highs)
    originals = [highs.run for highs in both]

    def counting(run):
        def counted():
            nonlocal seconds, calls
            start = clock()
            status = run()
            seconds += clock() - start
            calls += 1
            return status

        return counted

    for highs, run in zip(both, originals):
        highs.run = counting(run)
    try:
        plan_from_engine(engine, EVIDENCE, planner.MODEL_VERSION)
    finally:
        for highs, run in zip(both, originals):
            highs.run = run
    return seconds, calls


def cpu_model() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


EVIDENCE = planner.load_evidence()


def main(name: str = "kenya") -> int:
    """Run the benchmark and print its ratios; returns 0."""
    scenario = load(name)
    load_seconds = timed(planner.load_evidence, 3)
    problem_seconds = timed(lambda: build_problem(EVIDENCE, scenario), 3)
    problem = build_problem(EVIDENCE, scenario)
    lp = Formulation(problem, scenario).lp
    variables, constraints, _ = matrix(lp)
    raw = raw_solve(lp)
    ours = timed(lambda: whole(problem, scenario))
    naive = timed(lambda: cbc_rebuild(problem, scenario), 5, time.perf_counter)  # CBC is a process of its own
    ours_wall = timed(lambda: whole(problem, scenario), clock=time.perf_counter)
    engine = Engine(problem, scenario)
    top = engine.sweep("testing").points[-1].budget
    budgets = [top * k / 40 for k in range(1, 41)]
    slider(engine, budgets)
    moved = statistics.median(slider(engine, budgets) for _ in range(5))
    bare = statistics.median(bare_resolves(engine, budgets) for _ in range(5))
    engine = Engine(problem, scenario)
    plan_from_engine(engine, EVIDENCE, planner.MODEL_VERSION)
    full = timed(lambda: plan_from_engine(engine, EVIDENCE, planner.MODEL_VERSION), 5)
    inside, solves = bare_list(engine)
    print(f"machine: {cpu_model()} ({platform.machine()}), {os.cpu_count()} cores, Python {platform.python_version()}; load "
          f"before the start {os.getloadavg()[0]:.1f}")
    print(f"model: {scenario.name}: {len(variables)} variables, {len(constraints)} constraints")
    print(f"load evidence {load_seconds:.2f} s; resolve one country {problem_seconds:.2f} s")
    report = [
        ("build + solve + read-out / raw HiGHS solve", ours, raw, "ms"),
        ("naive PuLP + CBC rebuild / build + solve + read-out", naive, ours_wall, "ms by the wall clock"),
        ("naive PuLP + CBC rebuild / slider's warm re-solve", naive, moved / len(budgets), "ms"),
        ("slider's warm re-solve / bare warm re-solve", moved / len(budgets), bare / len(budgets), "ms; aim at most 5"),
        ("full list / warm re-solves it contains", full, inside, f"ms, {solves} re-solves; aim at most 2"),
    ]
    for what, a, b, unit in report:
        print(f"{what:52} {a / b:7.1f} x  ({a * 1e3:.2f} / {b * 1e3:.2f} {unit})")
    sys.path.insert(0, str(Path(__file__).parent))  # run as a file: its neighbours are not on the path
    from bench_analyses import report as analyses
    from bench_app import report as app

    analyses(scenario, EVIDENCE)
    app()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
