"""Every number that a setting's plan reads, as rows to be looked at and changed in a workbook."""

from __future__ import annotations

from collections.abc import Mapping

from planner.evidence.base import Evidence
from planner.evidence.own_sheets import CASES, row_check
from planner.pathway.build import build_problem, settings
from planner.pathway.named import OVERRIDABLE, override_key
from planner.pathway.problem import Fact
from planner.scenario.model import Scenario, Setting

# tables of a setting's own numbers; effects of drugs are nobody's own
OWNABLE = {table: keys for table, (keys, _) in OVERRIDABLE.items() if table != "therapies"}
HEADER = ("value", "why", "shipped", "unit", "low", "high", "level", "borrowed_from", "grade", "note", "column_name",
          "stratum_type", "stratum")


def case_rows(evidence: Evidence, country: str, region: str | None = None,
              cases: Mapping[str, float] | None = None) -> list[dict]:
    """Rows of the sheet ``cases``: each indication with a hospital's people a year where they are stated, and those of
    the whole country or region as help."""
    whole = Scenario(name="template", setting=Setting(country=country, region=region))
    return [{"indication_id": i.indication, "indication": i.name, CASES: (cases or {}).get(i.indication),
             "eligible_in_country_or_region": i.eligible or None} for i in build_problem(evidence, whole).indications]


def template_rows(evidence: Evidence, country: str, region: str | None = None, hospital: str | None = None,
                  cases: Mapping[str, float] | None = None) -> dict[str, list[dict]]:
    """Rows by table: key columns, the resolved value twice (to change, and as shipped), unit, interval, and
    where it was borrowed from. With a hospital and its cases: of what its plan reads. Raises BadInput for an
    unknown place."""
    setting = Setting(country=country, region=region, hospital=hospital)
    scenario = Scenario(name="template", setting=setting, cases=dict(cases or {}) if hospital else {})
    here = settings(evidence, scenario)[0]
    where = {"stratum_type": here.levels[0][0], "stratum": here.levels[0][1]}
    out: dict[str, list[dict]] = {table: [] for table in OWNABLE}
    for (table, column, _), (key, fact) in sorted(_read(evidence, scenario).items()):
        out[table].append(key | {
            "value": fact.value, "why": "", "shipped": fact.value, "unit": fact.unit, "low": fact.low, "high": fact.high,
            "level": fact.level, "borrowed_from": fact.stratum, "grade": fact.quality, "note": fact.note[:300],
            "column_name": column, **where})
        out[table][-1]["check"] = row_check(out[table][-1], OWNABLE[table])
    return {table: rows for table, rows in out.items() if rows}


def _read(evidence: Evidence, scenario: Scenario) -> dict[tuple, tuple[dict, Fact]]:
    """Numbers that a plan reads and a setting may own: table, column and key -> (key, number)."""
    out: dict[tuple, tuple[dict, Fact]] = {}
    for fact in build_problem(evidence, scenario).facts:
        key = override_key(fact) if fact.table in OWNABLE else None
        if key is not None:
            out.setdefault((fact.table, fact.column, tuple(key.items())), (key, fact))
    return out
