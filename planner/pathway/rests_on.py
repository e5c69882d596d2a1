"""What a line's numbers rest on: every input its plan weighs, with grade and level, for many places at once.

The inputs are those that :func:`planner.pathway.build.build_problem` reads (a test compares the two), in ten
links of the chain. Several tests or treatments are alternatives within a link. An answer depends on the levels of
a place that have rows, so places that share those levels share the answer: all countries take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from planner.evidence.base import Evidence
from planner.evidence.strata import Place
from planner.pathway.courses import dose
from planner.pathway.problem import Fact
from planner.pathway.resolve_values import Values
from planner.pathway.services import steps_for
from planner.scenario.model import PAYERS, Scenario

# link -> words; in the order of the chain
LINKS = {
    "cases": "new cases", "eligible": "share who reach the decision", "fit": "fit to start",
    "prevalence": "prevalence", "test": "accuracy and speed of the test", "test_cost": "cost of the test",
    "effect": "effect of the treatment", "drug_cost": "cost of the treatment", "access": "access to the drug",
    "blind": "use without the test",
}
BY_PLACE = ("cases", "eligible", "fit", "prevalence", "test_cost", "drug_cost", "access", "blind")
Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Input:
    """One number that a line reads. ``parameter`` and ``name`` are those of its :class:`Fact`; ``how`` it resolves:
    pooled, nearest, money, price, access, or row (the same everywhere). ``option``: the test or treatment that it
    belongs to, empty where every plan of the line reads it."""

    link: str
    table: str
    column: str
    parameter: str
    key: Key
    how: str
    option: str = ""

    @property
    def name(self) -> str:
        return "/".join(value for _, value in self.key)


@dataclass(frozen=True)
class Ground:
    """What an input rests on in a place: grade, level, stratum, interval if stated, access rules if any."""

    quality: str
    level: str
    stratum: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    rules: tuple[str, ...] = ()
    source_ids: tuple[str, ...] = ()


def inputs(evidence: Evidence, indication: str, biomarker: str) -> tuple[Input, ...]:
    """Every input of a use case, in the order of the chain."""
    return (*_patients(evidence, indication), *_marker(evidence, indication, biomarker),
            *_tests(evidence, indication, biomarker), *_treatments(evidence, indication, biomarker))


def _patients(evidence: Evidence, indication: str) -> Iterator[Input]:
    row = evidence.record("indications", indication_id=indication)
    site = evidence.record("cancer_sites", cancer_site=row["cancer_site"])
    key = (("cancer_site", site["cancer_site"]),)
    if site["basis"] == "rate":
        yield Input("cases", "incidence_rates", "rate", "incidence rate", key, "nearest")
    else:
        yield Input("cases", "incidence", "cases", "new cases a year", (*key, ("sex", site["sex"])), "nearest")
    for step in (*row["eligibility_steps"].split(";"), "fit"):
        yield Input("fit" if step == "fit" else "eligible", "eligibility", "share", step,
                    (("indication_id", indication), ("step", step)), "nearest")


def _marker(evidence: Evidence, indication: str, biomarker: str) -> Iterator[Input]:
    key = (("indication_id", indication), ("biomarker_id", biomarker))
    yield Input("prevalence", "prevalence", "share", "prevalence", key, "pooled")
    for row in evidence.records("overlap", indication_id=indication, biomarker_id=biomarker):
        yield Input("prevalence", "overlap", "overlap_share", "decided first by another biomarker",
                    (*key, ("first_biomarker_id", row["first_biomarker_id"])), "row")


def _tests(evidence: Evidence, indication: str, biomarker: str) -> Iterator[Input]:
    scope = (("indication_id", indication),)
    yield Input("test", "indications", "attrition_per_day", "attrition", scope, "row")
    own = evidence.matches("workup_costs", indication_id=indication)  # else the row for all, one and the same number
    yield Input("test_cost", "workup_costs", "cost", "work-up", (("indication_id", indication if own else "*"),), "money")
    for service in evidence.records("services"):
        if service["indication_id"] not in (indication, "*"):
            continue
        steps = sorted(evidence.records("pathways", service_id=service["service_id"]), key=lambda s: s["step"])
        for step in steps_for(evidence, service, steps, biomarker, indication):
            yield from _assay(evidence, step["assay_id"], biomarker, indication, service["service_id"])


def _assay(evidence: Evidence, assay: str, biomarker: str, indication: str, service: str) -> Iterator[Input]:
    own = evidence.matches("assay_performance", assay_id=assay, biomarker_id=biomarker, indication_id=indication)
    key = (("assay_id", assay), ("biomarker_id", biomarker), ("indication_id", indication if own else "*"))
    for name in ("sensitivity", "specificity"):
        yield Input("test", "assay_performance", name, name, key, "row", service)
    for name in ("failure", "turnaround_days"):
        yield Input("test", "assays", name, name.replace("_", " "), key[:1], "row", service)
    yield Input("test_cost", "assay_costs", "cost", "cost of the assay", key[:1], "money", service)


def _treatments(evidence: Evidence, indication: str, biomarker: str) -> Iterator[Input]:
    rows = {r["therapy_id"]: r for r in evidence.records("therapies", indication_id=indication, biomarker_id=biomarker)}
    for name, row in rows.items():
        yield from _effect(rows, row, indication, name)
        added = drugs(evidence, row, rows)
        replaced = [r["drug"] for r in evidence.records("therapy_drugs", therapy_id=name) if r["part"] == "comparator"]
        for drug in dict.fromkeys((*added, *replaced)):
            found = dose(_Asker(evidence), drug, indication)
            if found:
                yield Input("drug_cost", "dosing", "amount_per_month", "dose a month",
                            (("drug", drug), ("indication_id", found["indication_id"])), "row", name)
            yield Input("drug_cost", "drug_prices", "price", "drug price", (("drug", drug),), "price", name)
        for parameter, item in _given(evidence, added, indication):
            yield Input("drug_cost", "administration_costs", "cost", parameter, (("item", item),), "money", name)
        for drug in added:
            yield Input("access", "drug_access", "share", "access to the drug",
                        (("drug", drug), ("indication_id", indication)), "access", name)
        yield Input("blind", "empirical_use", "share", "use without the test", (("therapy_id", name),), "nearest", name)


def _given(evidence: Evidence, added: list[str], indication: str) -> Iterator[tuple[str, str]]:
    """(parameter, item) of giving and watching a treatment, as :mod:`planner.pathway.courses` costs them."""
    rows = [evidence.record("drugs", drug=d) for d in added]
    doses = [dose(_Asker(evidence), d, indication) for d in added]
    if all(r["drug_class"].lower().startswith("endocrine") for r in rows):
        yield "monitoring", "endocrine_month"
    else:
        yield "monitoring", "oral_month" if all(r["route"] == "oral" for r in rows) else "infusion_month"
    if any(found and found["administrations_per_month"] > 0 for found in doses):
        yield "cost of an administration", "infusion"
    if any(r["drug_class"].lower().startswith("her2") and r["route"] != "oral" for r in rows):
        yield "echocardiogram", "echocardiogram"


def _effect(rows: dict, row: dict, indication: str, option: str) -> Iterator[Input]:
    """The row's own effect, of those it builds on, and the weights of the states they use."""
    yield Input("effect", "therapies", "quality", "effect", (("therapy_id", row["therapy_id"]),), "row", option)
    states = {row["utility_state"]}
    if row["effect_kind"] == "progression_free_only":
        states |= {"progression_free", "progressed"}
    for state in sorted(states):
        yield Input("effect", "utilities", "utility", "utility", (("indication_id", indication), ("state", state)), "row", option)
    if row["builds_on"] in rows:
        yield from _effect(rows, rows[row["builds_on"]], indication, option)


def drugs(evidence: Evidence, row: dict, rows: dict[str, dict]) -> list[str]:
    """Matched drugs of a therapy; a backbone drug that the therapy below adds counts too."""
    parts: dict[str, list[str]] = {"added": [], "backbone": [], "comparator": []}
    for found in evidence.records("therapy_drugs", therapy_id=row["therapy_id"]):
        parts[found["part"]].append(found["drug"])
    below = rows.get(row["builds_on"] or "")
    first = drugs(evidence, below, rows) if below else []
    return parts["added"] + [d for d in parts["backbone"] if d in first]


@dataclass(frozen=True)
class _Asker:
    """What :func:`planner.pathway.courses.dose` asks of values."""

    evidence: Evidence


class Grounds:
    """Resolves inputs for places; what places have in common is resolved once."""

    def __init__(self, evidence: Evidence):
        self.evidence, self.scenario = evidence, Scenario(name="coverage", setting={"country": "KEN"})
        self._strata: dict[tuple, dict[tuple, set]] = {}
        self._known: dict[tuple, set] = {}
        self._answers: dict[tuple, object] = {}

    def ground(self, place: Place, asked: Input) -> Ground | None:
        """What the input rests on in the place; None where no level has a row."""
        held = self._held(place, asked.table, asked.column, asked.key) if asked.how != "row" else ()
        question = (asked.table, asked.column, asked.key, asked.how, held)
        if question not in self._answers:
            self._answers[question] = getattr(self, f"_{asked.how}")(place, asked)
        return self._answers[question]

    def values(self, place: Place) -> Values:
        """The values of a place, for shares and counts only."""
        return _Shared(self, place)

    def remembered(self, question: tuple, answer) -> object:
        if question not in self._answers:
            self._answers[question] = answer()
        return self._answers[question]

    def _held(self, place: Place, table: str, column: str, key: Key) -> tuple:
        """Levels of the place that have rows for the key, or for ``*`` in its stead."""
        question = (table, column, key)
        if question not in self._known:
            groups = self._grouped(table, column, tuple(name for name, _ in key))
            self._known[question] = set().union(*(groups.get(k, ()) for k in product(*((v, "*") for _, v in key))))
        known = self._known[question]
        return tuple([level for level in place.levels if level in known])

    def _grouped(self, table: str, column: str, names: tuple[str, ...]) -> dict[tuple, set]:
        """Strata with a value in the column, by the values of some columns."""
        if (table, column, names) not in self._strata:
            groups: dict[tuple, set] = {}
            for row in self.evidence.records(table):
                if row[column] is not None:
                    groups.setdefault(tuple(row[n] for n in names), set()).add((row["stratum_type"], row["stratum"]))
            self._strata[table, column, names] = groups
        return self._strata[table, column, names]

    def _pooled(self, place: Place, asked: Input) -> Ground | None:
        return _of(self.evidence.index(asked.table).pooled(place, asked.column, dict(asked.key)))

    def _nearest(self, place: Place, asked: Input) -> Ground | None:
        return _of(self.evidence.index(asked.table).nearest(place, asked.column, dict(asked.key)))

    def _money(self, place: Place, asked: Input) -> Ground | None:
        """Without the amount, which follows the price level of each place."""
        found = Values(self.evidence, place, self.scenario).local_money(asked.table, "", "", **dict(asked.key))
        return found and Ground(found.quality, found.level, found.stratum, source_ids=found.source_ids)

    def _price(self, place: Place, asked: Input) -> Ground | None:
        return _of(Values(self.evidence, place, self.scenario).drug_price(dict(asked.key)["drug"]))

    def _row(self, place: Place, asked: Input) -> Ground | None:
        row = self.evidence.record(asked.table, **dict(asked.key))
        if not row:
            return None
        low, high = self.evidence.dictionary.table(asked.table).bounds(asked.column) or ("", "")
        value = row[asked.column] if asked.column != "quality" else None
        return Ground(row["quality"], "world", "world", value, row.get(low), row.get(high), (), (row["source_id"],))

    def _access(self, place: Place, asked: Input) -> Ground | None:
        """The worst of the payers at the nearest level that has any, and the rules their shares follow."""
        index, found = self.evidence.index("drug_access"), []
        for payer in PAYERS:
            key = dict(asked.key) | {"payer": payer}
            made = index.nearest(place, "share", key) if payer != "trial" else None
            if made:
                found.append((place.levels.index((made.level, made.stratum)), made, index.rows(place, key, "share")))
        if not found:
            return None
        best = min(depth for depth, _, _ in found)
        used = [(made, rows) for depth, made, rows in found if depth == best]
        worst = max((made for made, _ in used), key=lambda made: made.quality)
        rules = sorted({r["rule"] for _, rows in used for r in rows if r["rule"]})
        sources = tuple(sorted({s for made, _ in used for s in made.source_ids}))
        value, low, high = (sum(getattr(made, name) or 0.0 for made, _ in used) for name in ("value", "low", "high"))
        return Ground(worst.quality, worst.level, worst.stratum, value, low, max(value, min(high, 1.0)), tuple(rules), sources)


def _of(found) -> Ground | None:
    """The ground of a resolved value or a fact."""
    if found is None:
        return None
    return Ground(found.quality, found.level, found.stratum, found.value, found.low, found.high, (), found.source_ids)


class _Shared(Values):
    """Values whose shares and counts are taken from places with the same levels where there are such."""

    def __init__(self, grounds: Grounds, place: Place):
        super().__init__(grounds.evidence, place, grounds.scenario)
        self._grounds = grounds

    def _resolve(self, table, column, parameter, unit, pool, key) -> Fact | None:
        items = tuple(key.items())
        held = self._grounds._held(self.place, table, column, items)
        return self._grounds.remembered(("fact", table, column, parameter, items, pool, held),
                                        lambda: super(_Shared, self)._resolve(table, column, parameter, unit, pool, key))
