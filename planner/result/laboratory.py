"""The laboratory part of a plan: instruments, runs, samples, people, and what a test costs at this volume.

Where tests have tariffs the instruments are those that the tests would need, whoever stands them; where they are
costed by their parts they are decisions of the plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from planner.evidence.base import Evidence
from planner.optimise import laboratory as model
from planner.optimise.resolve import Engine
from planner.pathway.costing import whole
from planner.pathway.laboratories import CADRES
from planner.pathway.problem import Platform

MINUTES_A_YEAR = 105_600  # of a full-time person: 220 days of 8 hours, as the pay of a minute is reckoned
TOLD = 0.5  # samples a year from which a test is told: less is the solver's rounding, or not a test that is offered
Key = tuple[str, float]  # test, runs a year of its schedule


@dataclass(frozen=True)
class Home:
    """The home laboratory in one solution, a mean year: samples, runs and overhead by test and schedule."""

    samples: Mapping[Key, float]
    runs: Mapping[Key, float]
    overhead: Mapping[Key, float]  # USD per sample beside what the sample itself costs
    load: Mapping[str, float]  # runs a year by platform
    instruments: Mapping[str, float]  # bought
    by_platform: Mapping[tuple[str, float, str], tuple[float, float]]  # (samples, runs) of a test on a platform

    def platform_samples(self, platform: str) -> float:
        return sum(samples for (_, _, p), (samples, _) in self.by_platform.items() if p == platform)


def home(engine: Engine, values: np.ndarray) -> Home | None:
    """What the solution does at home (``values``: a mean year); None where tests have tariffs."""
    lab = engine.formulation.laboratory
    if lab is None:
        return None
    years = range(engine.problem.years)  # one: a laboratory by its parts is planned for a steady-state year

    def value(variable) -> float:
        return float(values[engine.column(variable)])

    samples, runs, by_platform = defaultdict(float), defaultdict(float), {}
    use: dict[tuple[Key, str], float] = defaultdict(float)
    for (assay, n, platform, t), s in lab.samples.items():
        p, full = lab.platform(platform), dict(lab.home.assay(assay).platforms)[platform]
        done = value(lab.runs[assay, n, platform, t]) if n else value(s)
        samples[assay, n] += value(s)
        by_platform[assay, n, platform] = (value(s), done)
        runs[assay, n] += done
        use[(assay, n), platform] += p.used(value(s), done, full)
    load = defaultdict(float)
    for (_, platform), amount in use.items():
        load[platform] += amount
    bought = {p.platform: sum(value(lab.instruments[p.platform, t]) for t in years) for p in lab.home.platforms}
    overhead = _overhead(engine, lab, value, samples, runs, use, load, bought)
    return Home(dict(samples), dict(runs), overhead, dict(load), bought, by_platform)


def _overhead(engine, lab: model.Laboratory, value, samples, runs, use, load, bought) -> dict[Key, float]:
    """Instruments by the share of their work, runs and quality fees by test; what nobody uses over all samples."""
    years = range(engine.problem.years)
    money: dict[Key, float] = defaultdict(float)
    spare = sum(value(lab.open[t]) for t in years) * lab.home.quality_fee
    for p in lab.home.platforms:
        cost = bought[p.platform] * p.yearly_cost
        if load[p.platform] <= 0:
            spare += cost
            continue
        for (key, platform), amount in use.items():
            if platform == p.platform:
                money[key] += cost * amount / load[p.platform]
    for (assay, n), count in runs.items():
        if n:
            money[assay, n] += count * lab.home.assay(assay).per_run
    for a in lab.home.assays:
        fee = sum(value(w) for (assay, _), w in lab.offered.items() if assay == a.assay) * a.quality_fee
        mine = [k for k in samples if k[0] == a.assay and samples[k] > 0]
        for key in mine:
            money[key] += fee * samples[key] / sum(samples[k] for k in mine)
        spare += 0.0 if mine else fee
    total = sum(samples.values())
    return {key: (money[key] + spare * n / total) / n for key, n in samples.items() if n > 0}


# -- the sections of the plan ------------------------------------------------------------------------


def platforms(engine: Engine, values: np.ndarray, tests: Mapping, evidence: Evidence) -> list[dict]:
    """One row per instrument: how many, what they do, how full, what they cost, what one fewer would lose."""
    found = home(engine, values)
    if found is None:
        return _needed(tests, evidence)
    lab, years = engine.formulation.laboratory, engine.problem.years
    rows = []
    for p in lab.home.platforms:
        instruments = p.existing + found.instruments[p.platform]
        if instruments <= 0:
            continue
        capacity = instruments * p.runs_per_year
        load = found.load.get(p.platform, 0.0)
        rows.append({
            "platform": p.platform, "name": p.name, "laboratory": lab.home.name, "year": years,
            "instruments": instruments, "existing": p.existing, "bought": found.instruments[p.platform],
            "samples": found.platform_samples(p.platform), "runs": load, "capacity": capacity,
            "utilisation": load / capacity, "yearly_cost": found.instruments[p.platform] * p.yearly_cost,
            "service_already_paid": p.existing * p.service, "decided": True,
            "one_fewer": _one_fewer(engine, lab, p, years) if found.instruments[p.platform] > 0 else None,
        })
    return rows


def _one_fewer(engine: Engine, lab: model.Laboratory, p: Platform, years: int) -> dict | None:
    """Health lost a year with one instrument fewer and the rest re-planned, nothing else being bought."""
    if engine.settled is None or engine.scenario.mode == "evaluate":  # a given list is not re-planned
        return None
    columns = [engine.column(lab.instruments[p.platform, t]) for t in range(years)]
    lost = engine.lost_with_fewer(columns)
    return {"objective": engine.scenario.objective, "lost": lost}


def _needed(tests: Mapping, evidence: Evidence) -> list[dict]:
    """Instruments that the tests need at least, whoever has them: each test on its platform with the largest runs,
    full runs."""
    sums: dict[str, dict[str, float]] = {}
    for (assay, _, _), row in tests.items():
        options = [(r["samples_per_run"], r["platform_id"]) for r in evidence.records("assay_platforms", assay_id=assay)]
        if not options:
            continue
        positions, platform = max(options, key=lambda o: (o[0], o[1]))
        mine = sums.setdefault(platform, {"samples": 0.0, "runs": 0.0})
        mine["samples"] += row["samples"]
        mine["runs"] += row["samples"] / positions
    out = []
    for platform, mine in sorted(sums.items()):
        record = evidence.record("platforms", platform_id=platform)
        if record["kind"] == "send_out" or mine["samples"] <= 0:
            continue
        instruments = max(1, whole(mine["runs"] / record["runs_per_year"]))
        capacity = instruments * record["runs_per_year"]
        out.append({
            "platform": platform, "name": record["name"], "laboratory": "whoever is paid the tariff", "year": 1,
            "instruments": instruments, "existing": 0, "bought": 0, "samples": mine["samples"], "runs": mine["runs"],
            "capacity": capacity, "utilisation": mine["runs"] / capacity, "yearly_cost": None,
            "service_already_paid": None, "decided": False, "one_fewer": None,
        })
    return out


def staff(engine: Engine, values: np.ndarray) -> list[dict]:
    """Minutes of our people by cadre, as full-time people, and the limit on them."""
    out = []
    for cadre in CADRES:
        name = f"{cadre}_minutes"
        minutes = sum(float(engine.vector(engine.formulation.minutes(name, t)) @ values)
                      for t in range(engine.problem.years))
        limit = getattr(engine.scenario.laboratory, name)
        if minutes > 0 or limit is not None:
            out.append({"cadre": cadre, "minutes": minutes, "full_time": minutes / MINUTES_A_YEAR, "limit": limit,
                        "utilisation": minutes / limit if limit else None})
    return out


def home_tests(engine: Engine, values: np.ndarray) -> list[dict]:
    """One row per test run at home: schedule, fill, and its cost per sample, of one more and on average."""
    found = home(engine, values)
    if found is None:
        return []
    rows = []
    for (assay, n), samples in sorted(found.samples.items()):
        if samples <= 1e-6:
            continue
        a = engine.formulation.laboratory.home.assay(assay)
        marginal = a.per_sample + a.labour + engine.formulation.laboratory.home.transport + (0.0 if n else a.per_run)
        rows.append({
            "assay": assay, "name": a.name, "laboratory": engine.formulation.laboratory.home.name, "runs_a_year": n,
            "samples": samples, "runs": found.runs[assay, n],
            "platforms": tuple({"platform": p, "samples": found.by_platform[assay, n, p][0],
                                "runs": found.by_platform[assay, n, p][1]} for p, _ in a.platforms),
            "samples_per_run": samples / found.runs[assay, n] if found.runs[assay, n] else None,
            "marginal_cost": marginal, "average_cost": marginal + found.overhead[assay, n],
            "wait_days": 365 / n / 2 if n else 0.0,
        })
    return rows


def told(rows: Iterable[Mapping]) -> list[Mapping]:
    """Rows of tests without those of hardly a sample; the plan file keeps them, so that its sums are whole. Rows that are
    no tests (work-ups) have none and stay."""
    return [r for r in rows if r["samples"] >= TOLD or not r["samples"]]


def ended(status: str) -> str:
    """How a search ended, in words that follow `ended`."""
    return {"time limit": "at its time limit", "work limit": "at its work limit", "stopped": "when it was stopped"}.get(
        status, status.lower())
