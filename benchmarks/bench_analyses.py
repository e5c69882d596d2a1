"""Ratios of the analyses, measured in one run: draws, frontier, switching values, unlocks.

The bare re-solves are those of the very same models: each version handed to HiGHS and run from the basis of
the one before, with nothing built, read or kept.
"""

from __future__ import annotations

import os
import resource
import time
from functools import partial

import pulp

from planner.analysis.access import access
from planner.analysis.draws import Candidate, blocks, run
from planner.analysis.frontier import frontier
from planner.analysis.study import Study, silent
from planner.analysis.switching import switching
from planner.evidence.base import Evidence
from planner.optimise.formulation import Formulation
from planner.optimise.many import ManyModels, copied
from planner.optimise.solver import LoadedModel
from planner.pathway.build import build_problem
from planner.pathway.drawn import DrawnValues, value_gated
from planner.scenario.model import Scenario

DRAWS = 1000
GRID = 100
SAMPLE = 5  # naive rebuilds timed; the rest is in proportion


def _resolver(study: Study, block: int, size: int):
    return partial(DrawnValues, seed=1, block=block, size=size, decided=value_gated(study.problem))


def _models(study: Study, block: int, size: int) -> ManyModels:
    return ManyModels(study.engine, build_problem(study.evidence, study.scenario, _resolver(study, block, size)), size)


def bare_draws(study: Study) -> float:
    """Processor seconds of handing over and re-solving all versions, prepared beforehand."""
    seconds = 0.0
    for block, size in blocks(DRAWS):
        models = _models(study, block, size)
        ready = []
        for n in range(size):
            models.load(n)
            ready.append(copied(models.lp))
        highs = models.model.highs
        highs.clearSolver()
        start = time.process_time()
        for lp in ready:
            basis = highs.getBasis()
            highs.passModel(lp)
            if basis.valid:
                highs.setBasis(basis)
            highs.run()
        seconds += time.process_time() - start
    return seconds


def clock() -> float:
    """Processor seconds of this process and of those that it started and that ended (CBC): what a shared machine does
    beside does not count."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def naive_draw(study: Study) -> tuple[float, float]:
    """Processor seconds of one draw the usual way: (the problem resolved from the evidence, PuLP built and CBC run)."""
    resolving = solving = 0.0
    for _ in range(SAMPLE):
        start = clock()
        problem = build_problem(study.evidence, study.scenario)
        built = clock()
        Formulation(problem, study.scenario).lp.solve(pulp.PULP_CBC_CMD(msg=False))
        resolving, solving = resolving + built - start, solving + clock() - built
    return resolving / SAMPLE, solving / SAMPLE


def our_resolving(study: Study) -> float:
    """Processor seconds a draw of the problem resolved from the evidence, for a block of draws at once."""
    start = clock()
    for block, size in blocks(DRAWS):
        build_problem(study.evidence, study.scenario, _resolver(study, block, size))
    return (clock() - start) / DRAWS


def inside_solver(study: Study, plan: list[Candidate]) -> float:
    """Share of the draws' time that the solver itself takes, in which it lets other threads go on."""
    seconds = 0.0
    original = LoadedModel.run

    def timed_run(model):
        nonlocal seconds
        start = clock()
        status = original(model)
        seconds += clock() - start
        return status

    LoadedModel.run = timed_run
    try:
        _, wall, _ = timed(lambda: run(study, plan, DRAWS, 1, silent, workers=1))
    finally:
        LoadedModel.run = original
    return seconds / wall


def naive_grid(study: Study, top: float) -> float:
    """Wall seconds of a 100-point grid of PuLP + CBC, from a sample of its points."""
    start = time.perf_counter()
    for n in range(SAMPLE):
        amount = top * (n + 1) / SAMPLE
        scenario = study.scenario.model_copy(update={"budget": study.scenario.budget.model_copy(update={"testing": amount})})
        Formulation(study.problem, scenario).lp.solve(pulp.PULP_CBC_CMD(msg=False))
    return (time.perf_counter() - start) / SAMPLE * GRID


def timed(work):
    start, wall = time.process_time(), time.perf_counter()
    found = work()
    return found, time.process_time() - start, time.perf_counter() - wall


def report(scenario: Scenario, evidence: Evidence) -> None:
    """Print the ratios of the analyses for one scenario."""
    study = Study(scenario, evidence)
    _ = study.optimum
    plan = [Candidate("the plan", study.optimum.plan.values)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, one, one_wall = timed(lambda: run(study, plan, DRAWS, 1, silent, workers=1))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, _, all_wall = timed(lambda: run(study, plan, DRAWS, 1, silent))
    bare, (resolved, naive), ours = bare_draws(study), naive_draw(study), our_resolving(study)
    per_draw, inside = one / DRAWS, inside_solver(study, plan)
    answer, _, sweep = timed(lambda: frontier(scenario, evidence, "testing"))
    corners, solves = answer.settings["breakpoints"], answer.settings["solves"]
    grid = naive_grid(study, answer.tables["points"][-1]["budget"])
    _, _, bare_sweep = timed(lambda: study.engine.sweep("testing"))
    _, _, switches = timed(lambda: switching(scenario, evidence))
    _, _, unlocks = timed(lambda: access(scenario, evidence))
    print(f"{'draws / bare warm re-solves of the same models':52} {one / bare:7.1f} x  ({one:.2f} / {bare:.2f} s for "
          f"{DRAWS:,} draws; aim at most 3)")
    print(f"{'PuLP + CBC per draw / our draws, problem included':52} {(resolved + naive) / per_draw:7.1f} x  "
          f"({(resolved + naive) * 1e3:.1f} / {per_draw * 1e3:.2f} ms of processor a draw, one worker; aim at least 20)")
    print(f"{'the same without resolving the problem':52} {naive / (per_draw - ours):7.1f} x  ({naive * 1e3:.1f} / "
          f"{(per_draw - ours) * 1e3:.2f} ms; resolving it takes {resolved * 1e3:.1f} and {ours * 1e3:.2f} ms a draw)")
    print(f"{'one worker / all cores':52} {one_wall / all_wall:7.1f} x  ({one_wall:.2f} / {all_wall:.2f} s by the wall clock, "
          f"{os.cpu_count()} cores; {inside:.0%} of a worker's time is in the solver, which alone runs beside other threads)")
    print(f"{'re-solves of the exact frontier per breakpoint':52} {solves / corners:7.2f}    ({solves} / {corners}; "
          "aim at most 2)")
    print(f"{'100-point grid of PuLP + CBC / exact frontier, engine':52} {grid / bare_sweep:7.1f} x  ({grid:.1f} / "
          f"{bare_sweep:.2f} s, both without resolving the problem; aim at least 20)")
    print(f"{'the same with problem, model and tables':52} {(grid + resolved) / sweep:7.1f} x  ({grid + resolved:.1f} / "
          f"{sweep:.2f} s, the whole command; the grid resolves the problem once)")
    print(f"all switching values {switches:.1f} s, all unlocks with pairs {unlocks:.1f} s")
    print(f"peak memory of the process {memory / 1024:.0f} MB, {before / 1024:.0f} MB before the draws; aim under 1 GB")
