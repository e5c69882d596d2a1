"""One setting's numbers, resolved once, with every number's origin kept.

All modules of :mod:`planner.pathway` ask here, so that strata, overrides and provenance work the
same for every table. A missing value is ``None``; nobody replaces it by a zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence
from planner.evidence.strata import Place
from planner.evidence.update import answers, counts_here, updated
from planner.pathway.problem import Fact
from planner.scenario.model import Override, Scenario
from planner.units import local_cost, stand_in, to_base_usd


def present(value) -> bool:
    """Whether a cell holds a value."""
    return value is not None and not (isinstance(value, float) and math.isnan(value)) and value != ""


@dataclass(frozen=True)
class Own:
    """A setting's own number from the table *own_values*, in the form of an override."""

    value: float
    currency: str | None
    year: int | None
    low: float | None
    high: float | None
    why: str
    source: str
    level: str
    stratum: str
    shipped: float | None


class Values:
    """Resolved values of one place under one scenario; remembers each as a :class:`Fact`."""

    def __init__(self, evidence: Evidence, place: Place, scenario: Scenario):
        self.evidence, self.place, self.scenario = evidence, place, scenario
        self._facts: dict[tuple, Fact] = {}
        self._overrides = sorted(scenario.override, key=lambda o: "*" in o.key.values())
        self.country = evidence.record("countries", iso3=place.iso3)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(self._facts[k] for k in sorted(self._facts))

    def share(self, table: str, column: str, parameter: str, pool: bool = True, **key) -> Fact | None:
        """A share, combined over levels with shrinkage (``pool``) or from the nearest level."""
        return self._resolve(table, column, parameter, "share", pool, key)

    def number(self, table: str, column: str, parameter: str, unit: str, **key) -> Fact | None:
        """A number from the most specific level that has one."""
        return self._resolve(table, column, parameter, unit, False, key)

    def _resolve(self, table, column, parameter, unit, pool, key) -> Fact | None:
        index = self.evidence.index(table)
        found = (index.pooled if pool else index.nearest)(self.place, column, key)
        if found is None:
            return self.settled(None, blank(table, column, parameter, unit, key))
        counted = self._counted(found, key, parameter) if table == "prevalence" and pool else None
        return self.settled(counted or Fact(
            parameter, _words(key), found.value, found.level, found.stratum, found.quality,
            found.source_ids, found.low, found.high, unit,
            _notes(index.rows(self.place, key, column)), table, column, tuple(key.items()),
        ))

    def settled(self, made: Fact | None, asked: Fact | None = None) -> Fact | None:
        """What the evidence says, or one's own number in its place; remembered. ``asked``: what was asked for, where
        the evidence has no answer."""
        asked = made or asked
        key = dict(asked.at)
        for own in (self._own(asked.table, asked.column, key), self._mine(asked.table, asked.column, key)):
            if own:
                asked = made = self.overridden(own, asked)
        return None if made is None else self._remember(made)

    def overridden(self, o: Override | Own, asked: Fact) -> Fact:
        """The scenario's or the setting's own number in place of what the evidence says; its source is the scenario."""
        value = o.value
        if (o.currency and o.currency != "USD") or o.year:
            value = to_base_usd(value, o.currency or "USD", o.year or self.evidence.base_year, self.evidence)
        rate = value / o.value if o.value else 1.0  # its interval is in the same money
        late = stand_in(o.currency, o.year or self.evidence.base_year, self.evidence)
        low, high = (None if end is None else end * rate for end in (o.low, o.high))
        told = replace(asked, value=value, low=low, high=high, note=o.why, shipped=asked.value)
        if isinstance(o, Own):
            before = "" if o.shipped is None else f"; instead of {o.shipped:.6g} when it was entered"
            return replace(told, level=o.level, stratum=o.stratum, quality="C" if o.source and not late else "D",
                           source_ids=(o.source or "own_values",), note="; ".join(filter(None, (o.why + before, late))))
        return replace(told, level="scenario", stratum=self.place.name, quality="D", source_ids=(o.source or "scenario",),
                       note="; ".join(filter(None, (o.why, late))))

    def has_own(self, table: str, column: str, key: dict) -> bool:
        """Whether one's own number stands in place of what the evidence says."""
        return bool(self._mine(table, column, key) or self._own(table, column, key))

    def _mine(self, table: str, column: str, key: dict) -> Override | None:
        """The scenario's own number; one for this very key before one for all."""
        for o in self._overrides:
            if o.table == table and o.column == column and all(
                value in ("*", key.get(name)) for name, value in o.key.items()
            ):
                return o
        return None

    def _own(self, table: str, column: str, key: dict) -> Own | None:
        rows = self.evidence.records("own_values", table_name=table, column_name=column) \
            if "own_values" in self.evidence.tables else []
        rows = [r for r in rows if all(value in ("*", key.get(name)) for name, value in own_key(r["key"]).items())]
        for level, stratum in self.place.levels:
            if rows and level != "region" and self.place.region and self._regional(table, column, key):
                return None  # the region's own shipped number is nearer than the country's new one
            for r in rows:
                if (r["stratum_type"], r["stratum"]) == (level, stratum):
                    return Own(*(r[c] for c in ("value", "currency", "year", "low", "high", "why")), r["source"] or "",
                               level, stratum, r["shipped"])
        return None

    def _regional(self, table: str, column: str, key: dict) -> bool:
        """Whether the evidence has a row for this very region."""
        if not self.evidence.dictionary.table(table).stratified:
            return False
        found = self.evidence.index(table).rows(self.place, key, column)
        return bool(found) and found[0]["stratum_type"] == "region"

    def _counted(self, found, key: dict, parameter: str) -> Fact | None:
        """A prevalence updated by the counts of local laboratories, where there are any."""
        if "local_counts" not in self.evidence.tables:
            return None
        rows = counts_here(self.evidence.records("local_counts", **key), self.place)
        update = updated(found, rows, lambda assay: self._accuracy(assay, key))
        if update is None:
            return None
        after, told = update.posterior, update.posterior.n - update.prior.n
        # counts make it the place's own number once they weigh more than all that was known before
        quality = "B" if told >= update.prior.n else found.quality
        return Fact(parameter, _words(key), after.share, update.stratum_type, update.stratum, quality,
                    ("local_counts", *found.source_ids), after.low, after.high, "share", update.words,
                    "prevalence", "share", tuple(key.items()))

    def _accuracy(self, assay: str, key: dict) -> tuple[float, float] | None:
        for scope in (key["indication_id"], "*"):
            row = self.evidence.record("assay_performance", assay_id=assay, biomarker_id=key["biomarker_id"],
                                       indication_id=scope)
            if row:
                return answers(row)
        return None

    def _remember(self, fact: Fact) -> Fact:
        self._facts[fact.table, fact.parameter, fact.key] = fact
        return fact

    def note(self, fact: Fact) -> Fact:
        """Keep a fact that another module derived."""
        return self._remember(fact)

    def row_fact(self, table: str, row: dict, column: str, parameter: str, unit: str, **key) -> Fact:
        """A fact of a table without strata: the row holds its own source and grade."""
        return self.settled(_of_row(table, row, column, parameter, unit, key, row[column]))

    def effect_draw(self, row: dict) -> tuple:
        """(ratio, factor) that replace what a therapy row states; neither where nothing is drawn."""
        return None, None

    def duration_draw(self, row: dict) -> float:
        """Months on treatment as a therapy row states them, or drawn versions of them."""
        return row["duration_months"]

    def fixed(self, table: str, parameter: str, key: str) -> float | None:
        """A value as the evidence states it, also where versions of it are drawn."""
        fact = self._facts.get((table, parameter, key))
        return fact.value if fact else None

    def decided(self, use_case: str) -> tuple[str, ...] | None:
        """Therapies that the value gate removes, where that was decided before; else None."""
        return None

    # -- money ---------------------------------------------------------------------------------

    def row_money(self, table: str, row: dict, column: str, parameter: str, unit: str, **key) -> float:
        """Money of a table without strata, in base-year dollars."""
        usd = to_base_usd(row[column], row["currency"], row["year"], self.evidence)
        return self.settled(_of_row(table, row, column, parameter, unit, key, usd)).value

    def local_money(self, table: str, parameter: str, unit: str, column: str = "cost", **key) -> Fact | None:
        """A cost in base-year dollars, carried over to this price level where it was borrowed.

        Traded parts stay at world price with an import mark-up, local parts follow the price
        level (data.md, rule 4). A cost of the country itself is taken as it is.
        """
        rows = self.evidence.index(table).rows(self.place, key, column)
        if not rows:
            return self.settled(None, blank(table, column, parameter, unit, key))
        costs = [self._carried(row, column) for row in rows]
        first = rows[0]
        return self.settled(Fact(
            parameter, _words(key), sum(costs) / len(costs), first["stratum_type"], first["stratum"],
            max(row["quality"] for row in rows), tuple(sorted({row["source_id"] for row in rows})),
            min(costs), max(costs), unit, _notes(rows), table, column, tuple(key.items()),
        ))

    def _carried(self, row: dict, column: str = "cost") -> float:
        usd = to_base_usd(row[column], row["currency"], row["year"], self.evidence)
        if row["stratum_type"] in ("country", "region"):
            return usd
        origin = self._origin_level(row)
        here = self.country.get("price_level")
        if not present(here) or origin is None:
            return usd
        return local_cost(usd, row["traded_share"], here, origin, self.scenario.import_markup)

    def _origin_level(self, row: dict) -> float | None:
        """Price level of the country a borrowed cost comes from (``origin=ISO3`` of its note)."""
        head = str(row.get("note") or "").split(";")[0].strip()
        if not head.startswith("origin="):
            return None
        level = self.evidence.record("countries", iso3=head[7:].strip()).get("price_level")
        return level if present(level) else None

    def drug_price(self, drug: str) -> Fact | None:
        """Price per unit: the lowest of the nearest level, never scaled by price level.

        Prices of different products at one level are alternatives, so the cheapest stands; the
        range is kept for the reader.
        """
        key = {"drug": drug}
        rows = self.evidence.index("drug_prices").rows(self.place, key)
        if not rows:
            unit = self.evidence.record("dosing", drug=drug).get("unit", "mg")
            return self.settled(None, blank("drug_prices", "price", "drug price", f"USD per {unit}", key))
        priced = sorted(
            (to_base_usd(r["price"], r["currency"], r["year"], self.evidence), n)
            for n, r in enumerate(rows)
        )
        row = rows[priced[0][1]]
        return self.settled(Fact(
            "drug price", drug, priced[0][0], row["stratum_type"], row["stratum"], row["quality"],
            (row["source_id"],), priced[0][0], priced[-1][0], f"USD per {row['unit']}",
            row.get("note") or "", "drug_prices", "price", tuple(key.items()),
        ))

    def require_country(self, column: str) -> float:
        """A country fact that the plan cannot do without."""
        value = self.country.get(column)
        if not present(value):
            raise BadInput([Issue(f"countries, {self.place.iso3}", f"{column} is missing",
                                  "give it in an overlay of the table `countries`")])
        return value


def own_key(text: str) -> dict[str, str]:
    """The key of a row of *own_values*: ``column=value`` joined by semicolons."""
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def blank(table: str, column: str, parameter: str, unit: str, key: dict) -> Fact:
    """What was asked for, where the evidence has no number for it."""
    return Fact(parameter, _words(key), None, "", "", "", (), unit=unit, table=table, column=column, at=tuple(key.items()))


def _of_row(table: str, row: dict, column: str, parameter: str, unit: str, key: dict, value: float) -> Fact:
    """A number of a table without strata, as its row states it."""
    return Fact(parameter, _words(key), value, "world", "world", row["quality"], (row["source_id"],), unit=unit,
                note=row.get("note") or "", table=table, column=column, at=tuple(key.items()))


def _notes(rows: list[dict]) -> str:
    """Notes of the rows used, each once: what was read, and the reason of an assumption."""
    return "; ".join(dict.fromkeys(row["note"] for row in rows if row.get("note")))


def _words(key: dict) -> str:
    return "/".join(str(v) for v in key.values())
