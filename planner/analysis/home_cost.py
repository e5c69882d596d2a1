"""What the home laboratory's tests cost in full, for the comparison of ways to test for one indication.

A sample costs its reagents, labour, transport and, by itself, its run; beside that stand instruments, runs of a
schedule and yearly fees. What the whole plan runs carries these at the plan's own volume, all indications pooled: its
average cost per sample. What the plan does not run is counted as if the laboratory took it up for these patients
alone, on top of what it has: all runs of the schedule, the fee, the instruments that it makes necessary, and of those
that the plan buys a share by use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.analysis.study import Study
from planner.errors import Infeasible
from planner.pathway.costing import runs_for, whole
from planner.pathway.problem import HomeAssay, HomeLaboratory, Indication, Platform, ServiceOption
from planner.result import laboratory
from planner.result.laboratory import Key

LEAST = 1.0  # samples a year below which the plan's average says nothing: a fee over a rounded-off patient
BY_PLAN, ALONE = "the plan's average at its volume", "taken up for these patients alone"


@dataclass(frozen=True)
class HomeCosts:
    """``planned``: USD per sample beside the sample's own cost, of each test and schedule of the plan; ``load``: runs a
    year that the plan's tests take of each instrument; ``bought``: instruments of the plan; ``may_buy``: whether more
    can be bought at all."""

    home: HomeLaboratory | None
    planned: Mapping[Key, float] = field(default_factory=dict)
    load: Mapping[str, float] = field(default_factory=dict)
    bought: Mapping[str, float] = field(default_factory=dict)
    may_buy: bool = True

    def overhead(self, samples: Mapping[Key, float]) -> dict[Key, float]:
        """USD a year beside what the samples themselves cost, by test and schedule; infinite where it cannot be run."""
        out = {key: self.planned[key] * n for key, n in samples.items() if key in self.planned and n > 0}
        new = {key: n for key, n in samples.items() if key not in self.planned and n > 0}
        opening = 0.0 if self.load else self.home.quality_fee  # a laboratory that does nothing yet opens for these tests
        out |= {key: self._fee(key, n) + opening / len(new) for key, n in new.items()}
        placed = self._placed(new)
        taken: dict[str, float] = {}
        for platform, _, used, _ in placed:
            taken[platform] = taken.get(platform, 0.0) + used
        for platform, key, used, runs in placed:
            out[key] += runs + self._instruments(self._platform(platform), taken[platform]) * used / taken[platform]
        return out

    def price(self, option: ServiceOption, people: float) -> float:
        """USD per patient in full, where so many are tested this way and no other test is taken up beside it."""
        if self.home is None or people <= 0:
            return option.cost
        return option.cost + sum(self.overhead(samples_of(option, people)).values()) / people

    def _fee(self, key: Key, samples: float) -> float:
        """Of quality assessment; infinite where too few samples come for the test to be run."""
        a = self._assay(key)
        least = max(self.home.minimum_volume, key[1] * a.least_in_run if a.least_in_run > 1 else 0.0)
        return math.inf if samples < least else a.quality_fee

    def _placed(self, samples: Mapping[Key, float]) -> list[tuple[str, Key, float, float]]:
        """(platform, test, runs that it takes, USD of runs): each test on the instrument that costs least by itself."""
        out = []
        for key, n in samples.items():
            _, platform, used, runs = min((self._instruments(p, used) + runs, p.platform, used, runs)
                                          for p, used, runs in self._uses(key, n))
            out.append((platform, key, used, runs))
        return out

    def _uses(self, key: Key, samples: float) -> list[tuple[Platform, float, float]]:
        out, a = [], self._assay(key)
        for name, positions in a.platforms:
            p, runs = self._platform(name), runs_for(samples, positions, key[1]) if key[1] else samples
            out.append((p, p.used(samples, runs, positions), runs * a.per_run if key[1] else 0.0))
        return out

    def _instruments(self, p: Platform, used: float) -> float:
        """USD a year: those that it makes necessary, and of the plan's a share by use; what stands there is paid already."""
        before, bought = self.load.get(p.platform, 0.0), self.bought.get(p.platform, 0.0)
        more = max(0, whole((before + used) / p.runs_per_year - p.existing - bought))
        if more and not self.may_buy:
            return math.inf
        return (more + bought * used / (before + used)) * p.yearly_cost

    def _assay(self, key: Key) -> HomeAssay:
        return next(a for a in self.home.assays if a.assay == key[0])

    def _platform(self, name: str) -> Platform:
        return next(p for p in self.home.platforms if p.platform == name)


def home_costs(study: Study) -> HomeCosts:
    """The home laboratory as the whole plan runs it; without a plan, as it stands."""
    home, may_buy = study.problem.laboratory, study.scenario.services.buy_instruments
    if home is None:
        return HomeCosts(None)
    try:
        values = study.optimum.plan.values
    except Infeasible:
        return HomeCosts(home, may_buy=may_buy)
    found = laboratory.home(study.engine, values)
    run = {(r["assay"], r["runs_a_year"]): r["average_cost"] - r["marginal_cost"]
           for r in laboratory.home_tests(study.engine, values) if r["samples"] >= LEAST}
    return HomeCosts(home, run, found.load, found.instruments, may_buy)


def samples_of(option: ServiceOption, people: float) -> dict[Key, float]:
    """Samples a year at home by test and schedule, where so many are tested this way."""
    out: dict[Key, float] = {}
    for u in option.assays:
        if u.home and u.runs > 0:
            out[u.assay, u.runs_a_year] = out.get((u.assay, u.runs_a_year), 0.0) + people * u.runs
    return out


def people_of(ind: Indication, option: ServiceOption) -> float:
    """People a year who would be tested with a service where everybody who can be reached is."""
    active = [u for u in ind.use_cases if option.result(u.biomarker)]
    if option.kind == "single":
        return max((u.asked(ind.eligible) * u.kap for u in active), default=0.0)
    return ind.eligible * max((u.kap for u in active), default=0.0)
