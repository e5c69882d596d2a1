"""A tiny home laboratory whose every number is chosen by hand, and its best plan by trying all whole numbers.

Three tests on two platforms: two stains share runs of a stainer, one PCR has a cycler to itself. Four use cases of
three indications; the first stain is asked in two of them, so that its volume is pooled. Every test can also be
sent out at a full price.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pulp

from planner.optimise.resolve import Engine
from planner.pathway.problem import AssayUse, HomeAssay, HomeLaboratory, Platform, Problem, ServiceOption, ServiceResult
from tests.tiny import indication, therapy, tiny_scenario, use_case

STAINER = Platform("stainer", "Stainer", 4000.0, 800.0, 60.0, True)
CYCLER = Platform("cycler", "Cycler", 3000.0, 600.0, 100.0, False)
TESTS = (
    HomeAssay("stain_a", "Stain A", 8.0, 30.0, 2.0, (("stainer", 10.0),), 200.0, (12.0,), 5000.0),
    HomeAssay("stain_b", "Stain B", 9.0, 25.0, 3.0, (("stainer", 10.0),), 250.0, (), 5000.0),
    HomeAssay("pcr", "PCR", 20.0, 90.0, 5.0, (("cycler", 8.0),), 300.0, (12.0, 50.0), 5000.0),
)
FEE = 500.0
OUT = {"stain_a": 70.0, "stain_b": 60.0, "pcr": 95.0}  # full price elsewhere
ETA = {0.0: 0.9, 50.0: 0.88, 12.0: 0.8, None: 0.84}  # results in time: at once, by schedule, elsewhere
CASES = (("lung", "egfr", "pcr", 300.0, 1.0), ("lung", "alk", "stain_a", 300.0, 0.4), ("colon", "msi", "stain_a", 200.0, 0.5),
         ("breast", "her2", "stain_b", 400.0, 0.6))  # indication, biomarker, test, eligible, QALYs of a carrier
KAP, CARRIERS, SE, SP, FIT, ACCESS = 0.9, 0.2, 0.95, 0.98, 0.9, 0.5


def lab(**changes) -> HomeLaboratory:
    return replace(HomeLaboratory("own", "own laboratory", "national", (CYCLER, STAINER), TESTS, FEE, 0.0), **changes)


def options(test: HomeAssay, biomarker: str, elsewhere: bool = True) -> list[ServiceOption]:
    """The test at home, each sample by itself or on a schedule, and elsewhere."""
    out = []
    for n in (0.0, *test.schedules, *([None] if elsewhere else [])):
        home = n is not None
        cost = OUT[test.assay] if not home else test.per_sample + test.labour + (0.0 if n else test.per_run)
        name = f"{test.assay}_{biomarker}__{'send_out' if not home else f'own_{n:g}'}"
        minutes = (10.0, 4.0) if home else (0.0, 0.0)
        out.append(ServiceOption(
            name, name, "single", cost, *minutes, (ServiceResult(biomarker, ETA[n], SE, SP, 7.0, 0.95),),
            (AssayUse(test.assay, 1.0, cost, *minutes, place="own" if home else "send_out", home=home, runs_a_year=n or 0.0),),
            pathway=f"{test.assay}_{biomarker}", place="own" if home else "send_out"))
    return out


def problem(home: HomeLaboratory | None = None, cases=CASES, elsewhere: bool = True, pay: float = 0.0) -> Problem:
    home, by_name = home or lab(), {}
    tests = {t.assay: t for t in home.assays}
    for name, biomarker, test, eligible, h in cases:
        by_name.setdefault(name, []).append((biomarker, tests[test], eligible, h))
    indications = []
    for name, mine in sorted(by_name.items()):
        uses = [use_case(name, b, [therapy(f"drug_{b}", h=h, alpha=ACCESS, fit=FIT, pay=(pay,), m=pay)], kap=KAP,
                         prevalence=CARRIERS, prevalence_net=CARRIERS) for b, _, _, h in mine]
        services = [o for b, test, _, _ in mine for o in options(test, b, elsewhere)]
        indications.append(indication(name, uses, services, eligible=mine[0][2]))
    return Problem((("XXX", "Tinyland"),), 1, 0.03, 20_000.0, "by_hand", "D", tuple(indications), base_year=2024,
                   laboratory=home)


def engine(home: HomeLaboratory | None = None, cases=CASES, elsewhere: bool = True, pay: float = 0.0, **scenario) -> Engine:
    scenario["laboratory"] = {"costing": "micro", "gap": 0.0} | scenario.get("laboratory", {})
    return Engine(problem(home, cases, elsewhere, pay), tiny_scenario(**scenario))


# -- all whole numbers ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole:
    """Instruments bought by platform; per test None (not at home), 0 (no schedule) or its runs a year."""

    bought: dict[str, int]
    chosen: dict[str, float | None]


def wholes(home: HomeLaboratory, most: int, within: Whole | None = None) -> Iterator[Whole]:
    """Every choice of whole numbers, instruments up to ``most`` of each; ``within``: none larger than these."""
    ways = []
    for t in home.assays:
        top = within.chosen[t.assay] if within else max(t.schedules, default=0.0)
        ways.append([None, *([] if top is None else [0.0]), *(n for n in t.schedules if not within or n == top)])
    for bought in product(*(range((within.bought[p.platform] if within else most) + 1) for p in home.platforms)):
        for chosen in product(*ways):
            have = {p.platform: n for p, n in zip(home.platforms, bought, strict=True)}
            choice = dict(zip((t.assay for t in home.assays), chosen, strict=True))
            used = {t.platforms[0][0] for t in home.assays if choice[t.assay] is not None}
            if all(n == 0 or p in used for p, n in have.items()):  # an instrument that nobody uses only costs
                yield Whole(have, choice)


def best_with(home: HomeLaboratory, w: Whole, budget: float, cases=CASES, minutes: float | None = None) -> float:
    """Most QALYs with these whole numbers, by CBC, written from the rules; minus infinity where they cost too much."""
    paid = sum(w.bought[p.platform] * p.yearly_cost for p in home.platforms)
    at_home = [t for t in home.assays if w.chosen[t.assay] is not None]
    paid += sum(t.quality_fee for t in at_home) + (home.quality_fee if at_home else 0.0)
    if paid > budget + 1e-6:
        return float("-inf")
    lp = pulp.LpProblem("tiny", pulp.LpMaximize)
    health, cost, time = [], [paid], []
    samples: dict[tuple[str, float], list] = {}
    for name, biomarker, test, eligible, h in cases:
        mine = next(t for t in home.assays if t.assay == test)
        ways = [None] + ([0.0] if mine in at_home else []) + ([w.chosen[test]] if w.chosen[test] else [])
        shares = []
        for k, n in enumerate(ways):
            q = lp.add_variable(f"q_{name}_{biomarker}_{k}", 0)
            shares.append(q)
            health.append(q * eligible * ETA[n] * CARRIERS * SE * FIT * ACCESS * h)
            if n is None:
                cost.append(q * eligible * OUT[test])
            else:
                cost.append(q * eligible * (mine.per_sample + mine.labour + (0.0 if n else mine.per_run)))
                samples.setdefault((test, n), []).append(q * eligible)
                time.append(q * eligible * 10.0)
        lp += pulp.lpSum(shares) <= KAP
    for p in home.platforms:
        load, capacity = [], p.runs_per_year * (p.existing + w.bought[p.platform])
        for (test, n), amounts in samples.items():
            mine = next(t for t in home.assays if t.assay == test)
            ((platform, positions),) = mine.platforms
            if platform != p.platform:
                continue
            used = pulp.lpSum(amounts)
            if n:
                r = lp.add_variable(f"r_{test}_{n:g}", n, capacity if capacity >= n else n)
                lp += used <= positions * r
                cost.append(r * mine.per_run)
                if capacity < n:
                    return float("-inf")
            load.append(used / positions if p.shared_run else r if n else used)
        lp += pulp.lpSum(load) <= capacity
    for t in at_home:
        amount = pulp.lpSum(x for (test, _), xs in samples.items() if test == t.assay for x in xs)
        lp += amount >= home.minimum_volume
    lp += pulp.lpSum(cost) <= budget
    if minutes is not None:
        lp += pulp.lpSum(time) <= minutes
    lp.setObjective(pulp.lpSum(health))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lp.solve(pulp.PULP_CBC_CMD(msg=False))
    return float(pulp.value(lp.objective)) if lp.sol_status == pulp.LpSolutionOptimal else float("-inf")


def brute(home: HomeLaboratory, budget: float, cases=CASES, most: int = 2, within: Whole | None = None,
          minutes: float | None = None) -> float:
    return max(best_with(home, w, budget, cases, minutes) for w in wholes(home, most, within))


def settled(e: Engine) -> Whole:
    """The whole numbers that an engine has settled."""
    lab_, values = e.formulation.laboratory, dict(zip(e.integers.tolist(), e.settled.values, strict=True))
    bought = {p.platform: int(values[e.column(lab_.instruments[p.platform, 0])]) for p in lab_.home.platforms}
    chosen: dict[str, float | None] = {}
    for t in lab_.home.assays:
        w = lab_.offered.get((t.assay, 0))
        chosen[t.assay] = None if w is None or not values[e.column(w)] else max(
            (n for n in t.schedules if values[e.column(lab_.scheduled[t.assay, n, 0])]), default=0.0)
    return Whole(bought, chosen)
