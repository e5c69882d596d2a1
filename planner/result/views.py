"""The views of a plan and the parts of its rows: by biomarker, by test to buy, do not buy, provenance."""

from __future__ import annotations

from collections import defaultdict

from planner.evidence.base import Evidence
from planner.pathway.laboratories import PLACES
from planner.pathway.named import override_key
from planner.result import priority
from planner.result.readout import MINUTES, Readout


def by_biomarker(rows: list[dict]) -> list[dict]:
    groups: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        groups[row["biomarker_id"]].append(row)
    added = ("patients_tested", "positives_found", "patients_treated", "testing_cost",
             "treatment_cost", "incremental_cost")
    out = []
    for biomarker, mine in groups.items():
        total = {name: sum(r[name] for r in mine) for name in added}
        known = [r["qalys"] for r in mine if r["qalys"] is not None]
        out.append({
            "biomarker_id": biomarker, "biomarker": mine[0]["biomarker"],
            "short_name": mine[0]["short_name"], "best_rank": min(r["rank"] for r in mine),
            "use_cases": len(mine), "funded": sum(r["funded"] != "no" for r in mine),
            "qalys": sum(known), **total,
        })
    return sorted(out, key=lambda r: r["best_rank"])


def by_test(readout: Readout, evidence: Evidence) -> list[dict]:
    """Tests to buy: samples, money and minutes by assay and laboratory; the last rows are what tested patients need
    whichever the test, so that the column sums to the total."""
    sums: dict[tuple[str, str], dict] = {}
    for (assay, place, _), row in sorted(readout.tests.items()):
        mine = sums.setdefault((assay, place), dict.fromkeys(row, 0.0))
        for name, amount in row.items():
            mine[name] += amount
    out = []
    for (assay, place), row in sums.items():
        record = evidence.record("assays", assay_id=assay) or {"name": "Second biopsies", "laboratory_tier": ""}
        out.append({"assay": assay, "name": record["name"], "laboratory": PLACES.get(place, record["laboratory_tier"]),
                    **row, "minutes": sum(row[m] for m in MINUTES)})
    out.sort(key=lambda r: (-r["cost"], r["assay"], r["laboratory"]))
    if readout.workup_cost > 0:
        out.append({"assay": "work_up", "name": "Work-up of tested patients (retrieval, sections, transport)",
                    "laboratory": "", "samples": 0.0, "cost": readout.workup_cost} | dict.fromkeys((*MINUTES, "minutes"), 0.0))
    return out


def dear(j: priority.Judged, threshold: float) -> tuple[str, ...]:
    """Reachable therapies that the line would do without at the threshold, by name."""
    if j.pays is None:
        return ()
    option = next(s for s in j.indication.services if s.service == j.pays.service)
    true, false = j.use_case.called(option.result(j.use_case.biomarker))

    def loses(t) -> bool:
        gain = true * t.effects.carrier["qalys"] + false * t.effects.noncarrier["qalys"]
        return t.m * (true + false) > threshold * gain

    return tuple(t.name for t in j.use_case.therapies
                 if t.alpha > 0 and t.therapy not in j.pays.therapies and t.effects.pair("qalys") and loses(t))


def price(j: priority.Judged) -> dict | None:
    if j.price_that_pays is None or j.tier not in ("lower_price", "when_drug"):
        return None
    p = j.price_that_pays
    return {"therapy": p.therapy, "name": p.name, "price": p.price, "course_cost": p.course_cost}


def drugs(u) -> tuple[dict, ...]:
    """Accessible share of each drug of a line, summed over payers; of a regimen its scarcest drug's."""
    out: dict[str, dict] = {}
    for t in u.therapies:
        for drug in t.drugs:
            if drug not in out or t.alpha > out[drug]["share"]:
                out[drug] = {"drug": drug, "share": t.alpha, "payers": dict(t.payers)}
    return tuple(out[d] for d in sorted(out))


def reaches(j: priority.Judged, mode: str) -> dict:
    """How many of those who could be tested the money reaches, and by which rule."""
    people = j.use_case.asked(j.indication.eligible)
    rule = "those who can get the drug first" if mode == "selective" else "by lot among the eligible"
    return {"people": j.line.patients_tested, "of": people * j.attainable, "rule": rule}


def do_not_buy(rows: list[dict]) -> list[dict]:
    """Tests that should not be bought now, with the figure that speaks against them."""
    out = []
    for row in rows:
        if row["priority_tier"] in ("core", "expand") or row["funded"] != "no":
            continue
        out.append({"rank": row["rank"], "indication_id": row["indication_id"],
                    "biomarker_id": row["biomarker_id"], "name": row["name"],
                    "priority_tier": row["priority_tier"],
                    "reason_code": (row["reason"] or {}).get("code", ""),
                    "text": (row["reason"] or {}).get("text", "")})
    return out


def provenance(fact) -> dict:
    return {"parameter": fact.parameter, "key": fact.key, "value": fact.value, "unit": fact.unit,
            "low": fact.low, "high": fact.high, "level": fact.level, "stratum": fact.stratum,
            "source_id": ";".join(fact.source_ids), "quality": fact.quality, "note": fact.note, "table": fact.table,
            "column": fact.column, "own_key": override_key(fact), "shipped": fact.shipped}


def level_basis(u) -> str:
    return first(t.level_basis for t in u.therapies if t.level == u.level) or u.level_basis


def first(items) -> str:
    return next((i for i in items if i), "")
