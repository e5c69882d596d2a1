"""Ratios of the analyses, measured in one run: draws, frontier, switching values, unlocks.

The bare re-solves are those of the very same models: each version handed to HiGHS and run from the basis of
the one before, with nothing built, read or kept.
"""

from __future__ import annotations

import os
import resource
import time

import pulp

from planner.analysis.access import access
from planner.analysis.draws import Candidate, blocks, run
from planner.analysis.frontier import frontier
from planner.analysis.study import Study, silent
from planner.analysis.switching import switching
from planner.evidence.base import Evidence
from planner.optimise.formulation import Formulation
from planner.optimise.many import ManyModels, copied
from planner.pathway.build import build_problem
from planner.pathway.drawn import DrawnValues, value_gated
from planner.scenario.model import Scenario

DRAWS = 1000
GRID = 100
SAMPLE = 5  # naive rebuilds timed; the rest is in proportion


def _models(study: Study, block: int, size: int) -> ManyModels:
    def resolver(evidence, place, scenario):
        return DrawnValues(evidence, place, scenario, seed=1, block=block, size=size, decided=value_gated(study.problem))

    return ManyModels(study.engine, build_problem(study.evidence, study.scenario, resolver), size)


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


def naive_draw(study: Study) -> float:
    """Wall seconds of one draw the usual way: the problem resolved, PuLP built, CBC run."""
    start = time.perf_counter()
    for _ in range(SAMPLE):
        problem = build_problem(study.evidence, study.scenario)
        Formulation(problem, study.scenario).lp.solve(pulp.PULP_CBC_CMD(msg=False))
    return (time.perf_counter() - start) / SAMPLE


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
    bare, naive = bare_draws(study), naive_draw(study)
    answer, _, sweep = timed(lambda: frontier(scenario, evidence, "testing"))
    corners, solves = answer.settings["breakpoints"], answer.settings["solves"]
    grid = naive_grid(study, answer.tables["points"][-1]["budget"])
    _, _, bare_sweep = timed(lambda: study.engine.sweep("testing"))
    _, _, switches = timed(lambda: switching(scenario, evidence))
    _, _, unlocks = timed(lambda: access(scenario, evidence))
    print(f"{'draws / bare warm re-solves of the same models':52} {one / bare:7.1f} x  ({one:.2f} / {bare:.2f} s for "
          f"{DRAWS:,} draws; aim at most 3)")
    print(f"{'PuLP + CBC per draw / our draws':52} {naive * DRAWS / one_wall:7.1f} x  ({naive * 1e3:.1f} / "
          f"{one_wall / DRAWS * 1e3:.2f} ms a draw by the wall clock, one worker; aim at least 20)")
    print(f"{'one worker / all cores':52} {one_wall / all_wall:7.1f} x  ({one_wall:.2f} / {all_wall:.2f} s, "
          f"{os.cpu_count()} cores)")
    print(f"{'re-solves of the exact frontier per breakpoint':52} {solves / corners:7.2f}    ({solves} / {corners}; "
          "aim at most 2)")
    print(f"{'100-point grid of PuLP + CBC / exact frontier':52} {grid / bare_sweep:7.1f} x  ({grid:.1f} / {bare_sweep:.2f} s, "
          f"aim at least 20; {grid / sweep:.1f} x with problem, model and tables of the command, {sweep:.2f} s)")
    print(f"all switching values {switches:.1f} s, all unlocks with pairs {unlocks:.1f} s")
    print(f"peak memory of the process {memory / 1024:.0f} MB, {before / 1024:.0f} MB before the draws; aim under 1 GB")
