"""What access does not open: drugs paid for whose test is missing, and drugs that stay shut, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

from planner.analysis.study import Study
from planner.pathway.problem import UseCase
from planner.result.priority import NEARLY
from planner.result.reasons import FUNDED
from planner.result.standalone import Standalone, best

PAID = 0.05  # share of those in need from which a drug counts as paid for


def _paid(u: UseCase) -> float:
    """Largest share of those in need for whom somebody else than the household pays a drug of the line."""
    return max((sum(s for z, s in t.payers if z != "household") for t in u.therapies), default=0.0)


def untested_lines(study: Study) -> Iterator[dict]:
    """Lines whose drug is reachable today and whose test the plan does not fund in full."""
    for key, (u, i) in study.use_cases.items():
        line = study.readout.lines[key]
        if not u.active or _paid(u) < PAID or line.coverage >= study.engine.attainable(u) * NEARLY:
            continue
        alone: Standalone | None = best(u, i)
        if alone is None:
            continue
        people = u.asked(i.eligible) * u.kap
        yield study.label(key) | {
            "access_share": max(t.alpha for t in u.therapies), "blind_use": max(t.u0 for t in u.therapies),
            "coverage": line.coverage, "coverage_today": u.kap0, "in_plan": line.coverage > FUNDED, "people": people,
            "qalys_if_tested": people * alone.qalys, "testing_cost": people * alone.testing_cost,
            "cost_per_qaly": alone.cost_per_qaly, "service": alone.service,
        }


def closed_drugs(study: Study, opened_drugs: list[str]) -> Iterator[dict]:
    """Drugs that not everybody can get and that are not made reachable here, and why, line by line."""
    for key, (u, _) in study.use_cases.items():
        for t in u.therapies:
            for drug, share, ceiling in t.reach:
                if drug not in opened_drugs and share < 1 - 1e-9:
                    yield {"drug": drug, "name": study.evidence.record("drugs", drug=drug)["name"]} | study.label(key) | {
                        "share_today": share, "ceiling": ceiling, "reason": _shut(study, u, share, ceiling)}
        for drug in _unpriced(study, u) if not u.therapies else ():
            if drug not in opened_drugs:
                yield {"drug": drug, "name": study.evidence.record("drugs", drug=drug)["name"]} | study.label(key) | {
                    "share_today": None, "ceiling": None, "reason": _shut(study, u, 0.0, 0.0)}


def _unpriced(study: Study, u: UseCase) -> list[str]:
    """Drugs of a line that has none in the model: a number of theirs is missing."""
    therapies = study.evidence.records("therapies", indication_id=u.indication, biomarker_id=u.biomarker)
    return sorted({r["drug"] for t in therapies for r in study.evidence.records("therapy_drugs", therapy_id=t["therapy_id"])
                   if r["part"] == "added"})


def _shut(study: Study, u: UseCase, share: float, ceiling: float) -> str:
    if u.gap:
        return f"the line cannot be planned: missing is {u.gap}"
    if u.excluded:
        return "the line is left out by the scenario"
    if not u.gated:
        return f"the evidence of the line (level {u.level}) does not pass the gate of level {study.scenario.evidence_gate.level}"
    if ceiling <= 0:
        return "it cannot be got here, and no access to it could be bought: its ceiling is nothing"
    return f"it is as reachable as it could be made: its ceiling is no higher than today's {share:.0%}"
