"""The hospital at half, its own and twice its cases: what its size decides, test by test.

Each volume is a plan of its own, its money for tests alike. The searches are tighter than that of the plan: at the
plan's own gap two plans of nearly equal health run different tests, and a cost per sample would tell of the search
rather than of the volume.
"""

from __future__ import annotations

from planner.analysis.laboratory_way import anything, planned, way_row, way_tests
from planner.analysis.side_by_side import Known
from planner.analysis.strategies import prices
from planner.analysis.study import Progress, Study
from planner.result import laboratory
from planner.scenario.model import Scenario

SCALES = (0.5, 1.0, 2.0)
TIGHT = 1e-6  # share of the health within which the other volumes are searched
NOBODY = Known(frozenset(), 0, 0.0, 0.0)
FROM_ROW = ("samples", "testing_cost", "cost_per_sample", "qalys", "lines_funded", "technician_minutes", "scientist_minutes",
            "pathologist_minutes", "board_minutes", "gap", "search")


def other_volumes(study: Study, progress: Progress, begin: float) -> tuple[list[dict], list[dict]]:
    """(one row a volume, one row a volume and test); nothing but for a hospital costed by its parts."""
    rows, tests = [], []
    if study.scenario.setting.hospital is None or study.problem.laboratory is None:
        return rows, tests
    for n, scale in enumerate(SCALES):
        progress(begin + (1 - begin) * n / len(SCALES), f"{scale:g} times the cases")
        other = Study(scaled(study.scenario, scale), study.evidence)
        values = planned(other.engine, anything)
        if values is None:
            continue
        mine = way_tests(other, other.engine, "", values, prices(other.problem.indications))
        rows.append(_volume(other, scale, values, [t for t in mine if t["at_home"]]))
        tests += [{"scale": scale, "assay": t["assay"], "name": t["name"], "at_home": t["at_home"], "laboratory": t["laboratory"],
                   "runs_a_year": t["runs_a_year"], "samples": t["samples"], "average_cost": t["average_cost"], "days": t["days"]}
                  for t in mine]
    return rows, sorted(tests, key=lambda t: (t["name"], t["assay"], not t["at_home"], t["laboratory"], t["scale"]))


def _volume(study: Study, scale: float, values, home: list[dict]) -> dict:
    row = way_row(study, study.engine, "", "", values, NOBODY)
    bought, there = laboratory.home(study.engine, values).instruments, study.problem.laboratory.platforms
    stand = [(p, p.existing + bought[p.platform]) for p in there if p.existing + bought[p.platform] > 0]
    samples = sum(t["samples"] for t in home)
    return {"scale": scale, **{k: row[k] for k in FROM_ROW}, "home_samples": samples,
            "home_tests": len({t["assay"] for t in home}),
            "home_cost_per_sample": sum(t["samples"] * t["average_cost"] for t in home) / samples if samples else None,
            "at_home": "; ".join(sorted({t["name"] for t in home})), "instruments": sum(n for _, n in stand),
            "which": "; ".join(f"{n:g} {p.name}" for p, n in stand)}


def scaled(scenario: Scenario, scale: float) -> Scenario:
    """The hospital with more or fewer cases, and money for tests alike; searched more closely than its plan."""
    budget = {}
    for axis in ("testing", "treatment", "total"):
        limit = getattr(scenario.budget, axis)
        if limit is not None:
            budget[axis] = tuple(scale * x for x in limit) if isinstance(limit, tuple) else scale * limit
    lab = scenario.laboratory
    return scenario.model_copy(update={
        "cases": {k: v * scale for k, v in scenario.cases.items()}, "budget": scenario.budget.model_copy(update=budget),
        "laboratory": lab.model_copy(update={"gap": min(lab.gap, TIGHT)})})
