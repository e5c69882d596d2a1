"""Where a test can be run, and what it costs there: our own laboratory by instruments, runs and samples; the
national laboratory or one abroad at its price.

Two ways of costing exclude each other. ``tariff``: every test at its full price, no instrument beside it.
``micro``: the home laboratory (a hospital's own, a country's national one) by its fixed costs, its runs and its
samples; every other laboratory at its full price with transport. A home laboratory is never charged a tariff,
so that instruments and labour are not paid twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import BadInput, Issue
from planner.pathway.costing import DAYS_A_YEAR, yearly_cost
from planner.pathway.problem import Fact, HomeAssay, HomeLaboratory, Platform
from planner.pathway.resolve_values import Values, present
from planner.units import to_base_usd

TIERS = ("district", "regional", "national", "reference")
TARIFF = ""  # the place of a test at a tariff: whoever asks for it
OWN, HUB, SEND_OUT = "own", "hub", "send_out"
PLACES = {OWN: "own laboratory", HUB: "national laboratory", SEND_OUT: "laboratory abroad"}
CADRES = ("technician", "scientist", "pathologist", "board")
PAID_AS = {"board": "pathologist"}  # minutes of a tumour board are minutes of physicians
BATCHES_OF_ONE = 0.0  # runs a year of a service that runs each sample when it comes


@dataclass(frozen=True)
class AtPlace:
    """One test at one place, per sample: USD, days to the result without waiting for a run, minutes of our own
    people by cadre; ``runs_a_year`` of the schedule it waits for, 0 where it does not wait."""

    place: str
    cost: float
    days: float
    minutes: Mapping[str, float]
    runs_a_year: float = BATCHES_OF_ONE
    home: bool = False

    @property
    def interval(self) -> float:
        return DAYS_A_YEAR / self.runs_a_year if self.runs_a_year else 0.0


@dataclass(frozen=True)
class Variant:
    """One way to deliver a service: its tests, each at its place, and what tells it from the others."""

    key: str
    words: str
    tests: tuple[AtPlace, ...]


class Tariffs:
    """Every test at its full price; the minutes of people are those of whoever does it."""

    home: HomeLaboratory | None = None

    def __init__(self, values: Values):
        self.values = values

    def variants(self, assays: list[dict]) -> tuple[list[Variant], list[str]]:
        """(ways to deliver these assays in order, what is missing)."""
        tests, missing = [], []
        for assay in assays:
            cost = full_price(self.values, assay["assay_id"])
            if cost is None:
                missing.append(f"cost of {assay['assay_id']}")
            else:
                tests.append(AtPlace(TARIFF, cost.value, assay["turnaround_days"], minutes(assay)))
        return ([] if missing else [Variant("", "", tuple(tests))]), missing


def full_price(values: Values, assay: str) -> Fact | None:
    return values.local_money("assay_costs", "cost of the assay", "USD per test", assay_id=assay)


def above_tier(needed: str, tier: str) -> bool:
    """Whether what needs a laboratory of one level is too much for another."""
    return TIERS.index(needed) > TIERS.index(tier)


def minutes(assay: dict) -> dict[str, float]:
    """Minutes of people per sample; a cadre whose minutes are not known is not counted."""
    return {c: assay.get(f"{c}_minutes") if present(assay.get(f"{c}_minutes")) else 0.0 for c in CADRES}


class Laboratories:
    """The home laboratory with its instruments, and the others at their prices.

    volumes: samples a year that an assay could come to at most, over all indications: what pooling can fill.
    """

    def __init__(self, values: Values, volumes: Mapping[str, float]):
        self.values, self.volumes, self.scenario = values, volumes, values.scenario
        self.hospital = values.scenario.setting.hospital is not None
        self.place = OWN if self.hospital else HUB
        self.roads = {p: self._road(p) for p in (OWN, HUB, SEND_OUT)}
        self.tier = self.scenario.laboratory.tier or self.roads[self.place]["tier"]
        self.platforms = {p.platform: p for p in self._platforms()}
        self.assays: dict[str, HomeAssay] = {}
        self.refused: dict[str, str] = {}  # assay -> why the home laboratory cannot run it
        for row in values.evidence.records("assays"):
            self._assay(row)

    @property
    def home(self) -> HomeLaboratory:
        used = {p for a in self.assays.values() for p, _ in a.platforms}
        return HomeLaboratory(
            self.place, PLACES[self.place], self.tier,
            tuple(p for _, p in sorted(self.platforms.items()) if p.platform in used or p.existing),
            tuple(a for _, a in sorted(self.assays.items())), self._quality("laboratory", "*"),
            self.scenario.laboratory.minimum_volume or 0.0, tuple(sorted(self.refused.items())),
            self.roads[self.place]["cost"],
        )

    # -- what the evidence says ----------------------------------------------------------------------

    def _road(self, laboratory: str) -> dict:
        """Transport to a laboratory and its tier, from the nearest level."""
        rows = self.values.evidence.index("laboratories").rows(self.values.place, {"laboratory": laboratory})
        row = rows[0]
        cost = to_base_usd(row["transport_cost"], row["currency"], row["year"], self.values.evidence)
        level, stratum = row["stratum_type"], row["stratum"]
        for parameter, value, unit, column in (("transport of a sample", cost, "USD per sample", "transport_cost"),
                                               ("days on the road", row["transport_days"], "days", "transport_days")):
            fact = self.values.settled(Fact(
                parameter, laboratory, value, level, stratum, row["quality"], (row["source_id"],), unit=unit,
                note=row.get("note") or "", table="laboratories", column=column, at=(("laboratory", laboratory),)))
            row = dict(row) | {unit: fact.value}
        markup = row.get("tariff_markup")
        return {"tier": row["tier"], "cost": row["USD per sample"], "days": row["days"],
                "markup": markup if present(markup) else 1.0}

    def _platforms(self):
        own = self.scenario.laboratory.instruments
        for row in self.values.evidence.records("platforms"):
            key, there = {"platform_id": row["platform_id"]}, own.get(row["platform_id"], 0)
            if row["kind"] == "send_out":
                if there:
                    raise BadInput([Issue(f"laboratory.instruments {row['platform_id']}",
                                          "it is one firm's own and cannot stand in a laboratory here", "take it out")])
                continue
            if not there and above_tier(row["lowest_tier"], self.tier):  # what stands there counts
                continue
            capital = self.values.row_money("platforms", row, "capital_cost", "price of an instrument", "USD", **key)
            setup = self.values.row_money("platforms", row, "setup_cost", "setting up an instrument", "USD", **key)
            numbers = {name: self.values.row_fact("platforms", row, name, words, unit, **key).value
                       for name, words, unit in (
                           ("life_years", "life of an instrument", "years"),
                           ("service_share", "service contract", "share of the price a year"),
                           ("runs_per_year", "runs an instrument can do", "runs a year"))}
            service = capital * numbers["service_share"]
            yearly = yearly_cost(capital + setup, numbers["life_years"], self.scenario.discount_rate, service)
            yield Platform(row["platform_id"], row["name"], yearly, service, numbers["runs_per_year"],
                           bool(row["shared_run"]), there, capital, row["samples_per_run"])

    def _assay(self, row: dict) -> None:
        """Take an assay into the home laboratory, or tell why it cannot be run there."""
        values, assay = self.values, row["assay_id"]
        if self.volumes.get(assay, 0.0) <= 0:
            return
        rows = values.evidence.records("assay_platforms", assay_id=assay)
        here = [r for r in rows if r["platform_id"] in self.platforms]
        allowed = [r for r in here if self._may_run(row, r["platform_id"])]
        if not allowed:
            self.refused[assay] = (f"it needs a {row['laboratory_tier']} laboratory, and this one is {self.tier}" if here
                                   else "its instrument belongs into a higher laboratory, or to one firm" if rows
                                   else "no instrument is known for it")
            return
        platforms = tuple((r["platform_id"], r["samples_per_run"]) for r in allowed)
        key = {"assay_id": assay}
        sample = values.local_money("assay_variable_costs", "reagents of a sample", "USD per sample",
                                    column="reagent_per_sample", **key)
        run = values.local_money("assay_variable_costs", "reagents of a run", "USD per run", column="reagent_per_run", **key)
        if sample is None or run is None:
            self.refused[assay] = "its reagent cost is not known"
            return
        labour = self._pay(minutes(row))
        modality = row["modality"]
        self.assays[assay] = HomeAssay(
            assay, row["name"], sample.value, run.value, labour, tuple(sorted(platforms)), self._quality("assay", modality),
            self._schedules(assay, platforms), self.volumes[assay],
            min(r["minimum_samples"] for r in allowed), row["laboratory_tier"],
        )

    def _may_run(self, assay: dict, platform: str) -> bool:
        """Whether the laboratory is of the level that an assay needs; who states that its instrument stands there
        knows better."""
        return not above_tier(assay["laboratory_tier"], self.tier) or self.platforms[platform].existing > 0

    def _schedules(self, assay: str, platforms) -> tuple[float, ...]:
        """Runs a year worth a thought: with samples to share a run (else each may as well run by itself), and not where
        even a quarter of the samples would fill the runs of the next faster schedule."""
        most, positions = self.volumes[assay], max(n for _, n in platforms)
        shared = [n for n in sorted(self.scenario.laboratory.runs_a_year) if 2 * n <= most]
        return tuple(n for k, n in enumerate(shared) if k + 1 == len(shared) or most / 4 / shared[k + 1] < positions)

    def _pay(self, minutes_: Mapping[str, float]) -> float:
        """Pay of people for a sample, USD."""
        return sum(n * self._minute(cadre) for cadre, n in minutes_.items() if n)

    def _minute(self, cadre: str) -> float:
        """Pay of a minute, USD: in a country of known income by the multiple of its income per person."""
        cadre = PAID_AS.get(cadre, cadre)
        key = {"cadre": cadre}
        row = self.values.evidence.index("staff_costs").rows(self.values.place, key)[0]
        income, note = self.values.country.get("gdp_per_capita"), row.get("note") or ""
        if row["stratum_type"] not in ("region", "country") and present(row.get("gdp_multiple")) and present(income):
            yearly = to_base_usd(income, "USD", int(self.values.country["gdp_year"]), self.values.evidence)
            usd = row["gdp_multiple"] * yearly / row["minutes_a_year"]
            note = f"{row['gdp_multiple']:g} x income per person; {note}"
        else:
            usd = to_base_usd(row["cost_per_minute"], row["currency"], row["year"], self.values.evidence)
        return self.values.settled(Fact(
            "pay of a minute", cadre, usd, row["stratum_type"], row["stratum"], row["quality"], (row["source_id"],),
            unit="USD per minute", note=note, table="staff_costs", column="cost_per_minute", at=tuple(key.items()))).value

    def _quality(self, scope: str, modality: str) -> float:
        """Yearly fee of external quality assessment, USD; of the laboratory, or of one assay by its method."""
        rows = self.values.evidence.records("quality_assurance", scope=scope)
        row = next((r for r in rows if r["modality"] == modality), None) or next(
            (r for r in rows if r["modality"] == "*"), None)
        if row is None:
            return 0.0
        return self.values.row_money("quality_assurance", row, "cost_per_year", "external quality assessment",
                                     "USD a year", scope=scope, modality=row["modality"])

    # -- the ways to deliver a pathway -----------------------------------------------------------------

    def variants(self, assays: list[dict]) -> tuple[list[Variant], list[str]]:
        """(ways to deliver these assays in order, what is missing): everything elsewhere at each place, and the home
        laboratory for what it can run, each sample by itself or waiting for a run."""
        out, missing = [], []
        elsewhere = self._elsewhere(assays, missing)
        out += elsewhere
        mine = [a["assay_id"] in self.assays for a in assays]
        if any(mine) and (all(mine) or elsewhere):
            rest = elsewhere[0].tests if elsewhere else ()
            schedules = sorted({n for a in assays if a["assay_id"] in self.assays
                                for n in self.assays[a["assay_id"]].schedules})
            for n in (BATCHES_OF_ONE, *schedules):
                if self._starts(assays, mine, n):
                    out.append(self._home_variant(assays, mine, rest, n))
                if rest and len(assays) > 1 and mine[0] and any(mine[1:]) and self._starts(assays[:1], mine, n):
                    # screened at home, confirmed elsewhere
                    out.append(self._home_variant(assays, [True] + [False] * (len(assays) - 1), rest, n, "_first"))
        if not out and not missing:
            missing = [f"a laboratory for {a['assay_id']}" for a in assays if a["assay_id"] not in self.assays]
        return out, ([] if out else missing)

    def _starts(self, assays, mine: list[bool], runs_a_year: float) -> bool:
        """Whether every test at home may be run so: one that needs several samples in a run not each by itself."""
        return all(self.assays[a["assay_id"]].least_in_run <= 1 or runs_a_year in self.assays[a["assay_id"]].schedules
                   for a, here in zip(assays, mine, strict=False) if here)

    def _home_variant(self, assays, mine, rest, runs_a_year: float, mark: str = "") -> Variant:
        """The home laboratory for some of the assays, the others elsewhere."""
        words = f"{runs_a_year:g} runs a year" if runs_a_year else "each sample by itself"
        part = "first step in the " if mark else ""
        return Variant(
            self.place + mark + (f"_{runs_a_year:g}" if runs_a_year else ""), f"{part}{PLACES[self.place]}, {words}",
            tuple(self._at_home(a, runs_a_year) if here else rest[k]
                  for k, (a, here) in enumerate(zip(assays, mine, strict=True))),
        )

    def _at_home(self, assay: dict, runs_a_year: float) -> AtPlace:
        home, road = self.assays[assay["assay_id"]], self.roads[self.place]
        if runs_a_year and runs_a_year not in home.schedules:
            runs_a_year = BATCHES_OF_ONE
        cost = home.per_sample + home.labour + road["cost"] + (0.0 if runs_a_year else home.per_run)
        return AtPlace(self.place, cost, assay["turnaround_days"] + road["days"], minutes(assay), runs_a_year, True)

    def _elsewhere(self, assays: list[dict], missing: list[str]) -> list[Variant]:
        """All assays at one other laboratory, cheapest first; one that is dearer and slower than another is left out.

        The price is for all that is done there; our own tumour board discusses the result wherever it comes from.
        """
        out: list[Variant] = []
        for place in [HUB] * self.hospital + [SEND_OUT] * self.scenario.services.send_out:
            tests = []
            for assay in assays:
                price = self._price(place, assay["assay_id"])
                if price is None:
                    missing.append(f"price of {assay['assay_id']} in a {PLACES[place]}")
                    continue
                road, ours = self.roads[place], dict.fromkeys(CADRES, 0.0) | {"board": minutes(assay)["board"]}
                cost = price * road["markup"] + road["cost"] + self._pay(ours)
                tests.append(AtPlace(place, cost, assay["turnaround_days"] + road["days"], ours))
            if len(tests) == len(assays):
                out.append(Variant(place, PLACES[place], tuple(tests)))
        return [v for v in out if not any(o is not v and _no_better(v, o) for o in out)]

    def _price(self, place: str, assay: str) -> float | None:
        """Full price: of the country in its national laboratory; abroad the price of the world, not carried over
        to the price level here."""
        if place == HUB:
            local = full_price(self.values, assay)
            return None if local is None else local.value
        rows = [r for r in self.values.evidence.records("assay_costs", assay_id=assay) if r["stratum_type"] == "world"]
        if not rows:
            return None
        usd = [to_base_usd(r["cost"], r["currency"], r["year"], self.values.evidence) for r in rows]
        return self.values.note(Fact(
            "price in a laboratory abroad", assay, sum(usd) / len(usd), "world", "world", max(r["quality"] for r in rows),
            tuple(sorted({r["source_id"] for r in rows})), min(usd), max(usd), "USD per test",
            "not carried over to prices here", "assay_costs")).value


def _no_better(a: Variant, b: Variant) -> bool:
    """Whether a is at no step cheaper or faster than b."""
    return all(x.cost >= y.cost and x.days >= y.days for x, y in zip(a.tests, b.tests, strict=True))
