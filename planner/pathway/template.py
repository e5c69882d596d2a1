"""Every number that a setting's plan reads, as rows to be looked at and changed in a workbook."""

from __future__ import annotations

from collections.abc import Mapping

from planner.evidence.base import Evidence
from planner.evidence.own_sheets import CASES, row_check
from planner.pathway.build import build_problem
from planner.pathway.named import OVERRIDABLE
from planner.pathway.problem import Fact
from planner.pathway.resolve_values import Values
from planner.scenario.model import Scenario, Setting

# tables of a setting's own numbers; effects of drugs are nobody's own
OWNABLE = {table: keys for table, (keys, _) in OVERRIDABLE.items() if table != "therapies"}
HEADER = ("value", "why", "shipped", "unit", "low", "high", "level", "borrowed_from", "grade", "note", "column_name",
          "stratum_type", "stratum")


class _Recorder(Values):
    """Resolved values; remembers under which table, column and key each was asked for."""

    def __init__(self, evidence, place, scenario):
        super().__init__(evidence, place, scenario)
        self.asked: dict[tuple, tuple[dict, Fact]] = {}

    def _kept(self, table: str, column: str, key: dict, fact: Fact | None) -> Fact | None:
        if fact is not None and table in OWNABLE and column in OVERRIDABLE[table][1]:
            names = OWNABLE[table]
            if set(names) <= set(key):
                mine = {name: key[name] for name in names}
                self.asked[table, column, tuple(mine.items())] = (mine, fact)
        return fact

    def _resolve(self, table, column, parameter, unit, pool, key):
        return self._kept(table, column, key, super()._resolve(table, column, parameter, unit, pool, key))

    def row_fact(self, table, row, column, parameter, unit, **key):
        return self._kept(table, column, key, super().row_fact(table, row, column, parameter, unit, **key))

    def local_money(self, table, parameter, unit, **key):
        return self._kept(table, "cost", key, super().local_money(table, parameter, unit, **key))

    def drug_price(self, drug):
        return self._kept("drug_prices", "price", {"drug": drug}, super().drug_price(drug))


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
    made: list[_Recorder] = []

    def recorder(*arguments):
        made.append(_Recorder(*arguments))
        return made[-1]

    build_problem(evidence, scenario, recorder)
    here = made[0].place
    where = {"stratum_type": here.levels[0][0], "stratum": here.levels[0][1]}
    out: dict[str, list[dict]] = {table: [] for table in OWNABLE}
    for (table, column, _), (key, fact) in sorted(made[0].asked.items()):
        out[table].append(key | {
            "value": fact.value, "why": "", "shipped": fact.value, "unit": fact.unit, "low": fact.low, "high": fact.high,
            "level": fact.level, "borrowed_from": fact.stratum, "grade": fact.quality, "note": fact.note[:300],
            "column_name": column, **where})
        out[table][-1]["check"] = row_check(out[table][-1], OWNABLE[table])
    return {table: rows for table, rows in out.items() if rows}
