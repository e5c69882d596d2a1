"""Draws of a plan: every uncertain number drawn, the list planned again, candidate lists valued.

Work comes in blocks of a fixed size, each with random streams of its own, so that the numbers are the
same whatever the number of workers: threads on this machine, or the workers of a Dask cluster. The solver works
outside Python's lock, but has only about a fifth of a draw's time: threads gain little; processes of a cluster do
not have that limit.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from planner.analysis.study import Progress, Stopped, Study
from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.optimise.many import ManyModels
from planner.optimise.resolve import AXES
from planner.optimise.row import merge
from planner.pathway.build import build_problem
from planner.pathway.drawn import BLOCK, DrawnValues, Parameter, value_gated
from planner.pathway.problem import Problem
from planner.result.standalone import best
from planner.scenario.model import Scenario

SAMPLE = 60  # draws in which lists of the finite set are sought


@dataclass(frozen=True)
class Candidate:
    """A list to be valued: its name, and the value of every variable of the model."""

    name: str
    values: np.ndarray


@dataclass(frozen=True)
class Drawn:
    """What draws gave. n draws, L lines in the order of the engine's keys, C candidates; a year.

    health, cost: of the list planned again (QALYs; discounted incremental cost with tests, USD), NaN
    where its limits contradict each other; coverage (n x L); candidate_health, candidate_cost (n x C)
    after recourse, candidate_share (n x C): the part of the list that the money of the draw allows;
    parameters: with their draws; prices: highest cost of a course that pays, by (use case, therapy).
    """

    health: np.ndarray
    cost: np.ndarray
    coverage: np.ndarray
    candidate_health: np.ndarray
    candidate_cost: np.ndarray
    candidate_share: np.ndarray
    parameters: tuple[Parameter, ...]
    prices: dict[tuple[str, str, str], np.ndarray]


def run_block(study: Study, candidates: Sequence[Candidate], seed: int, block: int, size: int,
              watch: threading.Event | None = None, count=None) -> Drawn:
    """One block of draws. ``watch``: set to stop; ``count``: called after each draw."""
    if watch is not None and watch.is_set():
        raise Stopped
    kept: list[DrawnValues] = []

    def resolver(evidence, place, scenario):
        values = DrawnValues(evidence, place, scenario, seed=seed, block=block, size=size, decided=value_gated(study.problem))
        kept.append(values)
        return values

    problem = build_problem(study.evidence, study.scenario, resolver)
    models = ManyModels(study.engine, problem, size)
    f, years = models.versions, problem.years
    health_row, cost_row = models.row(f.health("qalys")), models.row(f.incremental())
    cost_row += sum(models.row(f.testing[t]) for t in range(years))
    health, cost = np.full(size, np.nan), np.full(size, np.nan)
    coverage = np.full((size, len(study.engine.keys)), np.nan)
    for n in range(size):
        if watch is not None and watch.is_set():
            raise Stopped
        values = models.solve(n).values
        health[n], cost[n] = health_row[:, n] @ values / years, cost_row[:, n] @ values / years
        coverage[n] = study.engine.coverage(values)
        if count:
            count()
    lists = _valued(study, models, candidates, health_row, cost_row)
    parameters = tuple(p for v in kept for p in v.parameters.values())
    return Drawn(health, cost, coverage, *lists, parameters, _prices(study, problem))


def _valued(study: Study, models: ManyModels, candidates, health_row, cost_row):
    """Health, cost and delivered share of each candidate in each draw. Where the money of a draw does not
    reach, it ends before the year does: every line is delivered to the same share of its people."""
    f, years = models.versions, study.problem.years
    out = np.zeros((3, models.size, len(candidates)))
    spent = {(axis, t): models.row(_money(study, f, axis, t)) for axis in AXES for t in range(years)
             if study.scenario.limit(axis, t) is not None}
    for c, candidate in enumerate(candidates):
        share = np.ones(models.size)
        for (axis, t), row in spent.items():
            limit = study.engine.limits[f"budget_{axis}_{t + 1}"]
            if axis != "testing" and study.scenario.budget.basis == "all":
                limit = f.right_hand_side(axis, t, study.scenario.limit(axis, t))
            need = np.maximum(candidate.values @ row, 0.0)
            share = np.minimum(share, np.where(need > limit, limit / np.maximum(need, 1e-12), 1.0))
        out[0, :, c] = share * (candidate.values @ health_row) / years
        out[1, :, c] = share * (candidate.values @ cost_row) / years
        out[2, :, c] = share
    return out


def _money(study: Study, f, axis: str, t: int):
    """Money of a budget as a plain row: what testing saves on drugs counts only in full plans."""
    named = study.scenario.budget.payers
    spending = f.spending(t, named)
    return {"testing": f.testing[t], "treatment": spending, "total": merge(f.testing[t], spending)}[axis]


def _prices(study: Study, problem: Problem) -> dict[tuple[str, str, str], np.ndarray]:
    """Highest discounted cost of a course at which a therapy's line pays, that drug alone, by draw; the
    test is the one that the evidence's own values favour."""
    drawn = {(u.region, u.id): (u, i) for i in problem.indications for u in i.use_cases}
    out = {}
    for key, (u, i) in study.use_cases.items():
        alone = best(u, i) if u.active else None
        if alone is None:
            continue
        v, j = drawn[key]
        option = next(s for s in j.services if s.service == alone.service)
        for t in v.therapies:
            if t.effects.pair("qalys") is not None:
                out[key[0], key[1], t.therapy] = _price(v, j, option, t, study.problem.threshold)
    return out


def _price(u, i, option, t, threshold: float):
    result, pi = option.result(u.biomarker), u.drug_prevalence
    true, false = u.called(result)
    share = (t.alpha if t.alpha > 0 else t.amax) * t.sub * t.fit * result.eta
    lost = cost = 0.0
    for d in u.therapies:
        pair = d.effects.pair("qalys")
        if pair:
            blind = result.eta * d.fit * d.u0
            lost, cost = lost + blind * (pi * pair[0] + (1 - pi) * pair[1]), cost - blind * d.m
    h, hneg = t.effects.pair("qalys")
    treated = share * (true + false)
    gain = share * (true * h + false * hneg) - lost
    spent = option.cost + i.workup_cost + cost + treated * t.m
    return t.gross + (threshold * gain - spent) / np.maximum(treated, 1e-12)


def sampled(study: Study, seed: int, size: int = SAMPLE) -> list[frozenset]:
    """Lines of the list planned again in each draw of a sample that is used for nothing else."""
    problem = build_problem(study.evidence, study.scenario, partial(
        DrawnValues, seed=seed, block=-1, size=size, decided=value_gated(study.problem)))
    return [study.members(a.values) for a in ManyModels(study.engine, problem, size).answers() if a.value == a.value]


# -- running -------------------------------------------------------------------------------------------

def blocks(draws: int) -> list[tuple[int, int]]:
    """(block, size) of a number of draws."""
    return [(b, min(BLOCK, draws - b * BLOCK)) for b in range(-(-draws // BLOCK))]


def run(study: Study, candidates: Sequence[Candidate], draws: int, seed: int, progress: Progress,
        scheduler: str | None = None, workers: int | None = None) -> Drawn:
    """All draws, in order. Raises BadInput where the scheduler cannot be reached, Stopped where the
    progress function raises it."""
    jobs = blocks(draws)
    _ = study.engine, study.optimum, study.use_cases  # made once, before threads share them
    if scheduler:
        found = _on_cluster(study, candidates, jobs, seed, progress, scheduler)
    else:
        found = _in_threads(study, candidates, jobs, seed, progress, draws, workers or os.cpu_count() or 1)
    return joined([found[b] for b, _ in jobs])


def _in_threads(study, candidates, jobs, seed, progress, draws, workers) -> dict[int, Drawn]:
    stop, done = threading.Event(), [0]

    def count() -> None:
        done[0] += 1

    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(run_block, study, candidates, seed, b, size, stop, count): b for b, size in jobs}
        try:
            return {waiting[future]: future.result() for future in _watched(waiting, progress, done, draws)}
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _watched(waiting, progress: Progress, done: list[int], draws: int) -> Iterator:
    """Futures as they are done; the progress is told several times a second from the calling thread."""
    pending = set(waiting)
    while pending:
        progress(done[0] / draws, f"{done[0]:,} of {draws:,} draws")
        try:
            for future in as_completed(pending, timeout=0.2):
                pending.discard(future)
                yield future
        except TimeoutError:
            continue


def _remote(evidence: Evidence, scenario: Scenario, candidates, seed: int, block: tuple[int, int]) -> Drawn:
    return run_block(Study(scenario, evidence), candidates, seed, *block)


def _on_cluster(study, candidates, jobs, seed, progress, scheduler) -> dict[int, Drawn]:
    try:
        from distributed import Client
        from distributed import as_completed as as_done
    except ImportError as error:
        raise BadInput([Issue("--scheduler", "Dask is not installed here",
                              'install it with: pip install "essential-biomarker-planner[cluster]"')]) from error
    try:
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadInput([Issue(f"--scheduler {scheduler}", "no scheduler answers there",
                              "start one with `dask scheduler`, or leave the option out")]) from error
    with client:
        evidence = client.scatter(study.evidence, broadcast=True, hash=False)
        work = partial(_remote, scenario=study.scenario, candidates=candidates, seed=seed)
        futures = {client.submit(_call, work, evidence, block, pure=False): block[0] for block in jobs}
        out: dict[int, Drawn] = {}
        for future, result in as_done(list(futures), loop=client.loop, with_results=True):
            out[futures[future]] = result
            progress(len(out) / len(jobs), f"{len(out)} of {len(jobs)} blocks of draws")
        return out


def _call(work, evidence: Evidence, block: tuple[int, int]) -> Drawn:
    return work(evidence, block=block)


def joined(parts: Sequence[Drawn]) -> Drawn:
    """Blocks of draws as one."""
    first = parts[0]
    parameters = tuple(
        replace(p, draws=np.concatenate([part.parameters[n].draws for part in parts])) for n, p in enumerate(first.parameters))
    prices = {key: np.concatenate([np.atleast_1d(part.prices[key]) for part in parts]) for key in first.prices}
    stacked = [np.concatenate([getattr(part, name) for part in parts])
               for name in ("health", "cost", "coverage", "candidate_health", "candidate_cost", "candidate_share")]
    return Drawn(*stacked, parameters, prices)
