"""The home laboratory in the model: whole instruments, tests offered, runs and samples, pooled over all cancers.

Variables by year: U whole instruments bought; w whether a test is offered at home, o whether on a schedule of runs
(all 0 or 1); s samples and r runs of a test, on a schedule, on a platform. What a test costs per sample is in its
service; here stand what is paid by the run, by the instrument and by the year. ``f`` is the
:class:`planner.optimise.formulation.Formulation`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulp

from planner.optimise.row import Row, add
from planner.pathway.costing import whole
from planner.pathway.problem import HomeAssay, HomeLaboratory, Indication, Platform

if TYPE_CHECKING:
    from planner.optimise.formulation import Formulation

AT_ONCE = 0.0  # the schedule of a sample that does not wait


@dataclass
class Laboratory:
    """Variables of the home laboratory, by year."""

    home: HomeLaboratory
    instruments: dict[tuple[str, int], pulp.LpVariable] = field(default_factory=dict)
    offered: dict[tuple[str, int], pulp.LpVariable] = field(default_factory=dict)
    scheduled: dict[tuple[str, float, int], pulp.LpVariable] = field(default_factory=dict)
    samples: dict[tuple[str, float, str, int], pulp.LpVariable] = field(default_factory=dict)
    runs: dict[tuple[str, float, str, int], pulp.LpVariable] = field(default_factory=dict)
    open: dict[int, pulp.LpVariable] = field(default_factory=dict)

    @property
    def integers(self) -> list[pulp.LpVariable]:
        """Variables that must be whole, in a fixed order."""
        return [v for group in (self.instruments, self.offered, self.scheduled, self.open)
                for _, v in sorted(group.items())]

    def platform(self, name: str) -> Platform:
        return next(p for p in self.home.platforms if p.platform == name)


def laboratory(f: Formulation) -> Laboratory | None:
    """Variables and constraints of the home laboratory; None where tests have tariffs."""
    home = f.problem.laboratory
    if home is None:
        return None
    lab = Laboratory(home)
    for t in range(f.problem.years):
        demand, most = _demand(f, t), most_at_home(f.problem.indications)
        for p in home.platforms:
            top = _most_instruments(home, p, most) if f.scenario.services.buy_instruments else 0
            lab.instruments[p.platform, t] = f.lp.add_variable(f"U_{p.platform}_{t + 1}", 0, top, pulp.LpInteger)
            f.constrain(f"room_{p.platform}_{t + 1}", {lab.instruments[p.platform, t]: 1.0}, pulp.LpConstraintLE, top)
            if t:
                f.constrain(f"stays_{p.platform}_{t + 1}",
                            {lab.instruments[p.platform, t]: 1.0, lab.instruments[p.platform, t - 1]: -1.0},
                            pulp.LpConstraintGE, 0)
        lab.open[t] = f.lp.add_variable(f"open_{t + 1}", 0, 1, pulp.LpInteger)
        for assay in home.assays:
            _assay(f, lab, assay, {n: row for (a, n), row in demand.items() if a == assay.assay},
                   most.get(assay.assay, 0.0), t)
        used = {w: -1.0 for (_, year), w in lab.offered.items() if year == t}
        f.constrain(f"opened_{t + 1}", {lab.open[t]: 1.0} | used, pulp.LpConstraintLE, 0)
        for p in home.platforms:
            _capacity(f, lab, p, t)
        if not lab.offered:
            f.constrain(f"open_{t + 1}", {lab.open[t]: 1.0}, pulp.LpConstraintLE, 1)
    return lab


def _demand(f: Formulation, t: int) -> dict[tuple[str, float], Row]:
    """Samples a year at home by test and schedule."""
    out: dict[tuple[str, float], Row] = {}
    for people, variable, option in f.delivered(t):
        for use in option.assays:
            if use.home:
                add(out.setdefault((use.assay, use.runs_a_year), {}), variable, people * use.runs)
    return out


def most_at_home(indications: Iterable[Indication]) -> dict[str, float]:
    """Samples a year that each test could come to at home: of an indication the base that needs most of it, and for
    every biomarker the single that does (two biomarkers of a patient may be read by two runs of the same test)."""
    parts: dict[tuple, float] = {}
    for ind in indications:
        active = {u.biomarker: u for u in ind.use_cases if u.active}
        for option in ind.services:
            asked = [(r.biomarker, active[r.biomarker].asked(ind.eligible) * active[r.biomarker].kap)
                     for r in option.results if r.biomarker in active]
            if option.kind == "base":
                asked = [("", ind.eligible * max((u.kap for u in active.values()), default=0.0))]
            for assay in {use.assay for use in option.assays if use.home}:
                runs = sum(use.runs for use in option.assays if use.home and use.assay == assay)
                for part, people in asked:
                    key = (assay, ind.region, ind.indication, part)
                    parts[key] = max(parts.get(key, 0.0), runs * people)
    out: dict[str, float] = {}
    for (assay, *_), samples in parts.items():
        out[assay] = out.get(assay, 0.0) + samples
    return out


def _most_instruments(home: HomeLaboratory, p: Platform, most: dict[str, float]) -> int:
    """More of them than all samples, each run by itself, could use are never bought."""
    runs = sum(p.used(n := most.get(a.assay, 0.0), n, dict(a.platforms)[p.platform])
               for a in home.assays if p.platform in dict(a.platforms))
    return min(1000, whole((runs + sum(max(a.schedules, default=0.0) for a in home.assays
                                       if p.platform in dict(a.platforms))) / p.runs_per_year))


def _assay(f: Formulation, lab: Laboratory, a: HomeAssay, demand: dict[float, Row], most: float, t: int) -> None:
    """Samples find a run; a schedule is kept even if its runs are part filled; one schedule for a test."""
    if not demand:
        return
    offered = lab.offered[a.assay, t] = f.lp.add_variable(f"w_{a.assay}_{t + 1}", 0, 1, pulp.LpInteger)
    f.constrain(f"open_{a.assay}_{t + 1}", {offered: 1.0, lab.open[t]: -1.0}, pulp.LpConstraintLE, 0)
    everything: Row = {}
    chosen: Row = {offered: -1.0}
    for n, row in sorted(demand.items()):
        tag = f"{a.assay}_{n:g}".replace(".", "p") + f"_{t + 1}"
        placed = dict(row)
        for platform, positions in a.platforms:
            s = lab.samples[a.assay, n, platform, t] = f.lp.add_variable(f"s_{platform}_{tag}", 0)
            add(placed, s, -1.0)
            add(everything, s, 1.0)
            if n:
                r = lab.runs[a.assay, n, platform, t] = f.lp.add_variable(f"r_{platform}_{tag}", 0)
                f.constrain(f"filled_{platform}_{tag}", {s: 1.0, r: -positions}, pulp.LpConstraintLE, 0)
        f.constrain(f"placed_{tag}", placed, pulp.LpConstraintEQ, 0)
        if n:
            o = lab.scheduled[a.assay, n, t] = f.lp.add_variable(f"o_{tag}", 0, 1, pulp.LpInteger)
            add(chosen, o, 1.0)
            kept: Row = {lab.runs[a.assay, n, p, t]: 1.0 for p, _ in a.platforms}
            f.constrain(f"kept_{tag}", kept | {o: -n}, pulp.LpConstraintGE, 0)
            if a.least_in_run > 1:  # on average over the runs of the schedule
                f.constrain(f"enough_{tag}", dict(row) | {o: -a.least_in_run * n}, pulp.LpConstraintGE, 0)
            f.constrain(f"only_{tag}", dict(row) | {o: -most}, pulp.LpConstraintLE, 0)
    if len(chosen) > 1:
        f.constrain(f"one_schedule_{a.assay}_{t + 1}", chosen, pulp.LpConstraintLE, 0)
    f.constrain(f"offered_{a.assay}_{t + 1}", everything | {offered: -most}, pulp.LpConstraintLE, 0)
    if lab.home.minimum_volume:
        f.constrain(f"volume_{a.assay}_{t + 1}", everything | {offered: -lab.home.minimum_volume}, pulp.LpConstraintGE, 0)


def _capacity(f: Formulation, lab: Laboratory, p: Platform, t: int) -> None:
    """Runs of an instrument: of its own for each test, or by the part of a shared run that its samples and the controls
    of its runs fill. A run of a schedule that is part filled needs an instrument all the same."""
    row = load(lab, p, t)
    for (assay, n, platform, year), r in lab.runs.items():
        if p.shared_run and platform == p.platform and year == t:
            f.constrain(f"there_{platform}_{assay}_{n:g}".replace(".", "p") + f"_{t + 1}",
                        {r: 1.0, lab.instruments[platform, t]: -p.runs_per_year}, pulp.LpConstraintLE,
                        p.runs_per_year * p.existing)
    # also where no test of this place uses it: a variable that stands in no row would not be in the model
    f.constrain(f"capacity_{p.platform}_{t + 1}", row | {lab.instruments[p.platform, t]: -p.runs_per_year},
                pulp.LpConstraintLE, p.runs_per_year * p.existing)


def load(lab: Laboratory, p: Platform, t: int) -> Row:
    """Runs a year of a platform that its samples use."""
    row: Row = {}
    for (assay, n, platform, year), s in lab.samples.items():
        if platform != p.platform or year != t:
            continue
        full, run = dict(lab.home.assay(assay).platforms)[platform], lab.runs[assay, n, platform, t] if n else s
        for variable, share in ((s, p.used(1.0, 0.0, full)), (run, p.used(0.0, 1.0, full))):
            if share:
                add(row, variable, share)
    return row


def money(lab: Laboratory, t: int) -> Row:
    """What is paid in a year by the instrument, the run and the year, USD."""
    row: Row = {}
    for p in lab.home.platforms:
        add(row, lab.instruments[p.platform, t], p.yearly_cost)
    for (assay, _, _, year), r in lab.runs.items():
        if year == t:
            add(row, r, lab.home.assay(assay).per_run)
    for (assay, year), w in lab.offered.items():
        if year == t:
            add(row, w, lab.home.assay(assay).quality_fee)
    add(row, lab.open[t], lab.home.quality_fee)
    return row
