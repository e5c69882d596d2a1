"""A therapy row of the evidence, made into an option of this setting."""

from __future__ import annotations

from dataclasses import replace

from planner.pathway import benefit, courses
from planner.pathway.access import regimen
from planner.pathway.arrays import least, most
from planner.pathway.problem import Effects, TherapyOption
from planner.pathway.resolve_values import Values, blank, present
from planner.scenario.model import Scenario
from planner.scenario.own_words import EFFECTS, effect_unit


def clean(row: dict) -> dict:
    """A row with ``None`` for every empty cell."""
    return {name: value if present(value) else None for name, value in row.items()}


def utilities(values: Values, indication: str) -> dict[str, float]:
    """Utility weights by state of an indication."""
    out = {}
    for row in values.evidence.records("utilities", indication_id=indication):
        fact = values.row_fact("utilities", row, "utility", "utility", "weight",
                               indication_id=indication, state=row["state"])
        out[row["state"]] = fact.value
    return out


def remaining_life(values: Values, indication: dict, sex: str) -> float | None:
    """Remaining life expectancy at the usual age of the decision, linear between table ages."""
    table = {r["age"]: r["remaining_years"]
             for r in values.evidence.records("life_table", iso3=values.place.iso3) if r["sex"] == sex}
    if not table:
        return None
    age = indication["usual_age"]
    below = max((a for a in table if a <= age), default=min(table))
    above = min((a for a in table if a >= age), default=max(table))
    share = 0.0 if above == below else (age - below) / (above - below)
    return table[below] + share * (table[above] - table[below])


class TherapyBuilder:
    """Builds the options of one use case; keeps what is missing in words."""

    def __init__(self, values: Values, scenario: Scenario, indication: dict, care: float,
                 remaining: float, utility: dict[str, float], fit: float):
        self.values, self.scenario = values, scenario
        self.indication, self.care, self.remaining = indication, care, remaining
        self.utility, self.fit = utility, fit
        self.rows: dict[str, dict] = {}
        self.missing: list[str] = []

    def build(self, rows: list[dict]) -> list[TherapyOption]:
        self.rows = {r["therapy_id"]: clean(r) for r in rows}
        out = []
        for therapy in sorted(self.rows):
            lacks: list[str] = []
            option = self._option(self.rows[therapy], lacks)
            if option is None:
                self.missing += [f"{self.rows[therapy]['name']}: {what}" for what in lacks]
            else:
                out.append(option)
        return cut_empirical(out)

    def _drugs(self, row: dict) -> dict[str, list[tuple[str, float | None]]]:
        """Drugs by part; a backbone drug that the therapy below adds counts as added."""
        parts: dict[str, list] = {"added": [], "backbone": [], "comparator": []}
        for d in self.values.evidence.records("therapy_drugs", therapy_id=row["therapy_id"]):
            parts[d["part"]].append((d["drug"], d["months"] if present(d["months"]) else None))
        below = self.rows.get(row["builds_on"] or "")
        if below:
            added_below = {d for d, _ in self._drugs(below)["added"]}
            parts["added"] += [(d, m) for d, m in parts["backbone"] if d in added_below]
        return parts

    def _effects(self, row: dict, lacks: list[str]) -> Effects | None:
        base = None
        if row["builds_on"]:
            below = self.rows.get(row["builds_on"])
            base = self._effects(below, lacks) if below else None
            if base is None:
                lacks.append(f"effect of {row['builds_on']}, on which it builds")
                return None
        states = {row["utility_state"]}
        if row["effect_kind"] == "progression_free_only":
            states |= {"progression_free", "progressed"}
        absent = sorted(s for s in states if s not in self.utility)
        if absent:
            lacks.append(f"utility weight of {', '.join(absent)}")
            return None
        hr, factor = self.values.effect_draw(row)
        return benefit.effects(row, self.utility, self.scenario.discount_rate, self.remaining, base, hr, factor)

    def _option(self, row: dict, lacks: list[str]) -> TherapyOption | None:
        values, indication = self.values, self.indication["indication_id"]
        row = self._overridden(row)
        parts = self._drugs(row)
        effects = self._effects(row, lacks)
        if not parts["added"]:
            lacks.append("its drugs")
        months = courses.mean_months(values.duration_draw(row), row["duration_kind"],
                                     row["duration_max_months"])
        rate = self.scenario.discount_rate
        added = [(d, months if m is None else m) for d, m in parts["added"]]
        gross = courses.course(values, added, indication, rate)
        reach = regimen(values, [d for d, _ in added], indication, self.care)
        blind = values.share("empirical_use", "share", "use without the test", pool=False,
                             therapy_id=row["therapy_id"])
        lacks += [*gross.missing, *reach.missing] + ["use without the test"] * (blind is None)
        if lacks:
            return None
        saved, kind = self._comparator(row, parts["comparator"], months)
        m = gross.discounted - saved
        return TherapyOption(
            row["therapy_id"], row["name"], row["line_group"], tuple(d for d, _ in added),
            reach.alpha, reach.payers, reach.amax, row["sub_share"],
            least(blind.value, reach.alpha * row["sub_share"]), self.fit if reach.among_fit else 1.0,
            effects, gross.by_year, m, kind, gross.total, row["comparator_id"], int(row["level"]),
            True, row["report_class"], row["escat"] or "", row["escat_basis"], row["mcbs"] or "",
            bool(row["who_eml"]), row["level_basis"], reach.courses, gross.discounted,
            blind.value, self.fit, reach.unfit_within, reach.parts,
        )

    def _overridden(self, row: dict) -> dict:
        """Numbers of the row that the scenario replaces."""
        mine = [o for o in self.scenario.override
                if o.table == "therapies" and o.key["therapy_id"] == row["therapy_id"]]
        for o in mine:
            asked = blank("therapies", o.column, EFFECTS[o.column], effect_unit(o.column), dict(o.key))
            self.values.note(self.values.overridden(o, replace(asked, value=row[o.column])))
        return row | {o.column: o.value for o in mine}

    def _comparator(self, row: dict, drugs, months: float) -> tuple[float, str]:
        """(discounted cost saved, kind). Unpriced comparators leave the gross cost, an upper bound
        of the incremental one, and no ratio is shown as exact."""
        basis = self.values.evidence.record("comparators", comparator_id=row["comparator_id"])["cost_basis"]
        if basis in ("none", "backbone"):
            return 0.0, "incremental"
        if basis == "unknown" or not drugs:
            return 0.0, "gross_drug"
        replaced = [(d, months if m is None else m) for d, m in drugs]
        cost = courses.course(self.values, replaced, self.indication["indication_id"],
                              self.scenario.discount_rate)
        return (0.0, "gross_drug") if cost.missing else (cost.discounted, "incremental")


def cut_empirical(options: list[TherapyOption], gated: set[str] | None = None) -> list[TherapyOption]:
    """Cut u0 so that what is given blind obeys the nested access rows of its line group.

    Ordered scarcest first, the first n drugs together may not exceed the commonest of them; what
    is above is cut from the later drug. Therapies out of the gate have no u0.
    """
    out = {o.therapy: o for o in options}
    for group in {o.line_group for o in options}:
        mine = sorted((o for o in options if o.line_group == group),
                      key=lambda o: (o.alpha * o.sub, o.therapy))
        used = 0.0
        for o in mine:
            room = most(0.0, o.alpha * o.sub - used)
            u0 = least(o.u0, room)
            if gated is not None and o.therapy not in gated:
                u0 = 0.0
            used += u0
            out[o.therapy] = replace(o, u0=u0)
    return [out[o.therapy] for o in options]
