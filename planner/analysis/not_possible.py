"""What cannot be had here, and why, in words: tests that the home laboratory cannot run, lines that cannot be planned."""

from __future__ import annotations

from planner.analysis.study import Study
from planner.evidence.complete import NO_DECISION
from planner.pathway.laboratories import TIERS
from planner.result.readout import MINUTES

PEOPLE = {"technician_minutes": "technicians", "scientist_minutes": "scientists", "pathologist_minutes": "pathologists",
          "board_minutes": "a tumour board"}


def not_possible(study: Study) -> list[dict]:
    """Rows: tests first, then lines of patients who are here."""
    return [*_tests(study), *_lines(study)]


def _tests(study: Study) -> list[dict]:
    home = study.problem.laboratory
    if home is None:
        return []
    found = {assay: _with_instruments(study, assay, why) for assay, why in home.refused}
    for assay, why in _without_people(study).items():
        found.setdefault(assay, why)
    names = {a: study.evidence.record("assays", assay_id=a)["name"] for a in found}
    return [{"what": "test", "id": a, "name": names[a], "reason": f"cannot be run here: {found[a]}"}
            for a in sorted(found, key=names.get)]


def _with_instruments(study: Study, assay: str, why: str) -> str:
    """The reason with the instrument that would be needed, where it is one that stands in a higher laboratory."""
    records = [study.evidence.record("platforms", platform_id=r["platform_id"])
               for r in study.evidence.records("assay_platforms", assay_id=assay)]
    tier = study.problem.laboratory.tier
    higher = sorted({f"{r['name']}, from a {r['lowest_tier']} laboratory up" for r in records
                     if r["kind"] != "send_out" and TIERS.index(r["lowest_tier"]) > TIERS.index(tier)})
    return f"{why} (needs: {'; or '.join(higher)}; this one is {tier})" if higher else why


def _without_people(study: Study) -> dict[str, str]:
    """Tests of which the people's time does not allow a single sample."""
    limits = {c: getattr(study.scenario.laboratory, c) for c in MINUTES}
    out = {}
    for u in (u for i in study.problem.indications for s in i.services for u in s.assays if u.home and u.runs > 0):
        for cadre, limit in limits.items():
            if limit is not None and getattr(u, cadre) / u.runs > limit:
                out[u.assay] = f"it needs {PEOPLE[cadre]}, of whose time there is not enough for one sample"
    return out


def _lines(study: Study) -> list[dict]:
    return [{"what": "line", "id": u.id, "name": study.said((u.region, u.id)), "reason": _because(u.gap)}
            for i in study.problem.indications if i.eligible > 0 for u in i.use_cases if u.gap and not u.excluded]


def _because(gap: str) -> str:
    return gap if gap.startswith(NO_DECISION) else f"cannot be planned: missing {gap}"
