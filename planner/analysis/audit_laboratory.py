"""The home laboratory of a plan file: samples, runs, instruments and people from its decisions.

Who is tested with which service is told in ``solution``; on which instrument and in how many runs in ``home_tests``;
how many instruments are bought in ``laboratory``. From these three everything else follows: what is paid by the
instrument, by the run and by the year, and what of it each sample carries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from planner.analysis.audit_check import CENT, RELATIVE, SHARE, Sheet
from planner.pathway.laboratories import CADRES, PLACES, TIERS
from planner.pathway.problem import HomeLaboratory, Platform, ServiceOption

if TYPE_CHECKING:
    from planner.analysis.audit_book import Book

FULL_TIME = 220 * 8 * 60  # minutes a year of one person
SAMPLES = 1e-3  # samples and runs a year: shares of people that the solver leaves over
SPEND = ("samples", "cost", *(f"{c}_minutes" for c in CADRES))
BIOPSY, WORK_UP = "second_biopsy", "work_up"  # rows among the tests that are no test
Key = tuple[str, float]  # test, runs a year of its schedule; 0 where no sample waits


@dataclass(frozen=True)
class AtHome:
    """What a plan file says of its home laboratory, by test and schedule."""

    lab: HomeLaboratory
    samples: Mapping[tuple[Key, str], float]  # by platform
    runs: Mapping[tuple[Key, str], float]
    bought: Mapping[str, float]

    @classmethod
    def of(cls, lab: HomeLaboratory | None, document: dict) -> AtHome | None:
        """Of a document; None where tests have tariffs."""
        if lab is None:
            return None
        samples: dict = defaultdict(float)
        runs: dict = defaultdict(float)
        for row in document["home_tests"]:
            for part in row["platforms"]:
                key = ((row["assay"], float(row["runs_a_year"])), part["platform"])
                samples[key] += part["samples"]
                runs[key] += part["runs"]
        bought = {row["platform"]: float(row["bought"]) for row in document["laboratory"]}
        return cls(lab, samples, runs, bought)

    def platform(self, name: str) -> Platform | None:
        return next((p for p in self.lab.platforms if p.platform == name), None)

    def positions(self, assay: str, platform: str) -> float | None:
        a = self.lab.assay(assay)
        return dict(a.platforms).get(platform) if a else None

    def by_key(self, of: Mapping[tuple[Key, str], float]) -> dict[Key, float]:
        out: dict[Key, float] = defaultdict(float)
        for (key, _), amount in of.items():
            out[key] += amount
        return out

    @property
    def work(self) -> dict[tuple[Key, str], float]:
        """Runs of a platform that each test uses: whole runs, or of shared runs the places of its samples and of the
        controls that each run has of its own."""
        out = {}
        for (key, name), runs in self.runs.items():
            p, full = self.platform(name), self.positions(key[0], name)
            if p is None or not p.shared_run or not full:
                out[key, name] = runs
                continue
            places = p.positions or full  # without known places the controls take none
            of_one = next(k for k in range(int(places), 0, -1) if k == 1 or k * (full + 1) <= places + 1e-9) \
                if p.positions else 1
            controls = max(0.0, places - of_one * full)
            out[key, name] = (self.samples[key, name] * of_one + runs * controls) / places
        return out

    @property
    def load(self) -> dict[str, float]:
        out: dict[str, float] = defaultdict(float)
        for (_, name), work in self.work.items():
            out[name] += work
        return out

    @property
    def fees(self) -> dict[str, float]:
        """Quality fees by test that is run at home."""
        used = {assay for (assay, _), n in self.by_key(self.samples).items() if n > 0}
        return {a.assay: a.quality_fee for a in self.lab.assays if a.assay in used}

    @property
    def paid_by_run(self) -> dict[Key, float]:
        """Runs of schedules, part filled or not; a sample by itself carries its run in its own price."""
        return {key: runs * a.per_run for key, runs in self.by_key(self.runs).items()
                if key[1] and (a := self.lab.assay(key[0])) is not None}

    @property
    def instruments(self) -> dict[str, float]:
        """Money a year by platform, for those bought."""
        return {p.platform: self.bought.get(p.platform, 0.0) * p.yearly_cost for p in self.lab.platforms}

    @property
    def laboratory_fee(self) -> float:
        return self.lab.quality_fee if self.fees else 0.0

    @property
    def money(self) -> float:
        """What is paid a year by the instrument, the run and the year, USD."""
        return fsum((*self.instruments.values(), *self.paid_by_run.values(), *self.fees.values(), self.laboratory_fee))

    @property
    def overhead(self) -> dict[Key, float]:
        """What of it a sample carries: instruments by the share of their work, runs and the fee of its test, and an
        equal part of the laboratory's fee and of instruments that stand idle."""
        samples, load, fees = self.by_key(self.samples), self.load, self.fees
        of_test: dict[str, float] = defaultdict(float)
        for (assay, _), n in samples.items():
            of_test[assay] += n
        out: dict[Key, float] = defaultdict(float, self.paid_by_run)
        idle = self.laboratory_fee
        for name, cost in self.instruments.items():
            idle += 0.0 if load.get(name, 0.0) > 0 else cost
        for (key, name), work in self.work.items():
            if load[name] > 0:
                out[key] += self.instruments.get(name, 0.0) * work / load[name]
        for key, n in samples.items():
            if n > 0:
                out[key] += fees.get(key[0], 0.0) * n / of_test[key[0]] + idle * n / fsum(samples.values())
        return {key: total / samples[key] for key, total in out.items() if samples.get(key, 0.0) > 0}

    def beside(self, option: ServiceOption) -> float:
        """Overhead of a service per patient, USD."""
        overhead = self.overhead
        return fsum(a.runs * overhead.get((a.assay, float(a.runs_a_year)), 0.0) for a in option.assays if a.home)


def check_laboratory(book: Book, document: dict, sheet: Sheet) -> None:
    """Every number of the plan's laboratory part."""
    _staff(book, document, sheet)
    _by_test(book, document, sheet)
    if book.at_home is None:
        return
    _samples(book, document, sheet)
    _runs(book.at_home, document, sheet)
    _instruments(book, document, sheet)
    _refused(book.at_home, document, sheet)
    _capacity_prices(book, document, sheet)


def asked_at_home(book: Book) -> dict[Key, float]:
    """Samples a year at home by test and schedule, from the decisions."""
    out: dict[Key, float] = defaultdict(float)
    for t in book.years:
        for people, option in book.services(t):
            for a in option.assays:
                if a.home:
                    out[a.assay, float(a.runs_a_year)] += people * a.runs / book.problem.years
    return out


# -- tests at home --------------------------------------------------------------------------------------


def _samples(book: Book, document: dict, sheet: Sheet) -> None:
    """The samples of the decisions, each once; one schedule a test; enough of them for the minimum volume."""
    name, rows = "home: samples", document["home_tests"]
    for check in (name, "home: one schedule", "home: minimum volume"):
        sheet.none(check, "no test is run at home")
    need = {key: n for key, n in asked_at_home(book).items() if n > SAMPLES}
    have = {(r["assay"], float(r["runs_a_year"])): r["samples"] for r in rows}
    sheet.true(name, "home tests", len(have) == len(rows) and need.keys() <= have.keys(), len(rows), len(need),
               "not one row for each test and schedule")
    for key in sorted(have):
        sheet.equal(name, _said(key), have[key], need.get(key, 0.0), "not the samples of the decisions", SAMPLES)
    schedules: dict[str, int] = defaultdict(int)
    volume: dict[str, float] = defaultdict(float)
    for (assay, n), samples in have.items():
        schedules[assay] += bool(n) and samples > SAMPLES
        volume[assay] += samples
    for assay, samples in volume.items():
        sheet.at_most("home: one schedule", assay, float(schedules[assay]), 1.0, "a test has more than one schedule")
        if samples > SAMPLES:
            sheet.at_least("home: minimum volume", assay, samples, book.at_home.lab.minimum_volume,
                           "fewer samples than a test needs to be run at home", SAMPLES)


def _runs(home: AtHome, document: dict, sheet: Sheet) -> None:
    """Each sample in a run of a platform of its test; a schedule is kept; what a row says of itself."""
    for check in ("home: runs", "home: schedule kept", "home: samples fit the runs", "home: platforms", "home: costs",
                  "home: level of the laboratory"):
        sheet.none(check, "no test is run at home")
    for row in document["home_tests"]:
        key = (row["assay"], float(row["runs_a_year"]))
        where, a, n = _said(key), home.lab.assay(row["assay"]), key[1]
        names = [part["platform"] for part in row["platforms"]]
        known = a is not None and len(set(names)) == len(names) and set(names) <= set(dict(a.platforms)) \
            and (not n or n in a.schedules)
        sheet.true("home: platforms", where, known, ", ".join(names), ", ".join(dict(a.platforms)) if a else "none",
                   "no such test, schedule or platform at home")
        if not known:
            continue

        above = a.tier and TIERS.index(a.tier) > TIERS.index(home.lab.tier)
        ready = all(home.platform(p["platform"]).existing > 0 for p in row["platforms"] if p["samples"] > SAMPLES)
        sheet.true("home: level of the laboratory", where, ready or not above, home.lab.tier, a.tier,
                   "the test needs a higher laboratory, and its instrument is not stated to stand in this one")

        def same(name: str, part: str, have, need, slack: float, where: str = where) -> None:
            sheet.equal(name, f"{where}, {part}", have, need, "the row does not agree with itself", slack)

        same("home: samples", "all platforms", row["samples"], fsum(p["samples"] for p in row["platforms"]), SAMPLES)
        same("home: runs", "all platforms", row["runs"], fsum(p["runs"] for p in row["platforms"]), SAMPLES)
        for p in row["platforms"]:
            _placed(home, key, p, sheet, f"{where} on {p['platform']}")
        if n:
            sheet.at_least("home: schedule kept", where, row["runs"], n, "fewer runs than the schedule has", SAMPLES)
            if a.least_in_run > 1:
                sheet.at_least("home: schedule kept", f"{where}, samples", row["samples"], a.least_in_run * n,
                               "fewer samples than its runs need", SAMPLES)
        if row["runs"] > SAMPLES:
            same("home: runs", "samples per run", row["samples_per_run"], row["samples"] / row["runs"], SAMPLES)
        same("home: runs", "mean wait", row["wait_days"], 365 / n / 2 if n else 0.0, SHARE)
        alone = a.per_sample + a.labour + home.lab.transport + (0.0 if n else a.per_run)
        same("home: costs", "marginal", row["marginal_cost"], alone, CENT)
        same("home: costs", "average", row["average_cost"], alone + home.overhead.get(key, 0.0), CENT)


def _placed(home: AtHome, key: Key, part: dict, sheet: Sheet, where: str) -> None:
    """Samples and runs of a test on one platform."""
    samples, runs, name = part["samples"], part["runs"], "home: samples fit the runs"
    for have in (samples, runs):
        sheet.at_least("home: runs", where, have, 0.0, "samples or runs below zero")
    if key[1]:
        sheet.at_most(name, where, samples, runs * home.positions(key[0], part["platform"]),
                      "more samples than the runs hold", SAMPLES)
    else:
        sheet.equal(name, where, runs, samples, "a sample by itself is one run", SAMPLES)
    p = home.platform(part["platform"])
    if runs > SAMPLES:
        there = (p.existing if p else 0) + home.bought.get(part["platform"], 0.0)
        sheet.at_least("home: platforms", where, there, 1.0, "a run on an instrument that is not there")


# -- instruments ----------------------------------------------------------------------------------------


def _instruments(book: Book, document: dict, sheet: Sheet) -> None:
    """Whole instruments, enough for their runs; each figure of their rows."""
    home, rows = book.at_home, {row["platform"]: row for row in document["laboratory"]}
    load, mine = home.load, "instruments"
    for check in ("instruments: whole", "instruments: capacity", mine):
        sheet.none(check, "no instrument stands in the laboratory")
    standing = {p.platform for p in home.lab.platforms if p.existing} | {n for n, used in load.items() if used > SAMPLES}
    known = {p.platform for p in home.lab.platforms}
    sheet.true(mine, "laboratory", standing <= rows.keys() <= known and len(rows) == len(document["laboratory"]),
               ", ".join(sorted(rows)) or "none", ", ".join(sorted(standing)) or "none", "not one row for each instrument in use")
    buys = book.scenario.services.buy_instruments
    for name in sorted(rows.keys() & known):
        row, p = rows[name], home.platform(name)
        bought = row["bought"]
        sheet.true("instruments: whole", name, bought >= 0 and abs(bought - round(bought)) <= SHARE and (buys or bought == 0),
                   bought, float(round(bought)) if buys else 0.0, "instruments are bought whole, and only where they may be")
        capacity = (p.existing + bought) * p.runs_per_year
        used = load.get(name, 0.0)
        sheet.at_most("instruments: capacity", name, used, capacity, "more runs than the instruments can do",
                      SAMPLES + RELATIVE * capacity)
        samples = fsum(n for (_, platform), n in home.samples.items() if platform == name)
        for part, need, slack in (
                ("year", 1.0, 0.0), ("existing", float(p.existing), 0.0), ("instruments", p.existing + bought, SHARE),
                ("samples", samples, SAMPLES), ("runs", used, SAMPLES), ("capacity", capacity, SAMPLES),
                ("utilisation", used / capacity if capacity else None, SHARE), ("yearly_cost", bought * p.yearly_cost, CENT),
                ("service_already_paid", p.existing * p.service, CENT)):
            sheet.equal(mine, f"{name}, {part}", row[part], need, "the figure does not follow from the decisions", slack)
        fewer = row["one_fewer"]
        lost = (fewer or {}).get("lost")
        sheet.true(mine, f"{name}, one fewer", row["decided"] and (fewer is None or bought > 0) and (lost is None or lost >= 0),
                   lost, None if not bought else "a loss", "only an instrument that is bought can be missed")


def _capacity_prices(book: Book, document: dict, sheet: Sheet) -> None:
    """A capacity that has a price is used up."""
    home = book.at_home
    for p in home.lab.platforms:
        price = document["shadow_prices"].get(f"capacity_{p.platform}_1")
        if price and price["value_per_unit"] > 1e-9:
            capacity = (p.existing + home.bought.get(p.platform, 0.0)) * p.runs_per_year
            sheet.at_least("what has a price is used up", p.platform, home.load.get(p.platform, 0.0), capacity,
                           "runs are left of an instrument that is said to bind", 1e-2 + 1e-5 * capacity)


def _refused(home: AtHome, document: dict, sheet: Sheet) -> None:
    need, have = sorted(a for a, _ in home.lab.refused), sorted(row["assay"] for row in document["not_at_home"])
    sheet.true("home: what cannot be run", "not at home", have == need, len(have), len(need),
               "the tests that cannot be run at home are others")


# -- people and tests -----------------------------------------------------------------------------------


def _staff(book: Book, document: dict, sheet: Sheet) -> None:
    """Minutes of each cadre, within its limit."""
    name, rows = "staff", {row["cadre"]: row for row in document["staff"]}
    sheet.none(name, "no minutes are needed")
    for cadre in CADRES:
        limit = getattr(book.scenario.laboratory, f"{cadre}_minutes")
        each = [book.minutes(t, f"{cadre}_minutes") for t in book.years]
        need = fsum(each) / book.problem.years
        slack = SAMPLES + RELATIVE * need
        if limit is not None:
            for t, minutes in enumerate(each, 1):
                sheet.at_most("staff: limits", f"{cadre}, year {t}", minutes, limit, "more minutes are needed than there are",
                              SHARE + RELATIVE * limit)
        row = rows.get(cadre)
        sheet.true(name, cadre, row is not None or (limit is None and need <= slack), "stated" if row else "missing",
                   need, "a cadre that is needed or limited has no row")
        if row:
            for part, value, most in (("minutes", need, slack), ("full_time", need / FULL_TIME, SHARE), ("limit", limit, 0.0),
                                      ("utilisation", need / limit if limit else None, SHARE)):
                sheet.equal(name, f"{cadre}, {part}", row[part], value, "not the minutes of the decisions", most)
    sheet.true(name, "staff", rows.keys() <= set(CADRES) and len(rows) == len(document["staff"]), len(document["staff"]),
               len(rows), "a cadre twice, or one that is unknown")


def _by_test(book: Book, document: dict, sheet: Sheet) -> None:
    """Tests to buy, by test and, with a home laboratory, by where; with work-ups and second biopsies they sum to the
    money for tests."""
    name, need = "by test", _bought(book)
    rows = {(row["assay"], row["laboratory"] if book.at_home else ""): row for row in document["by_test"]}
    lacking = sorted(key for key in need.keys() - rows.keys() if need[key]["samples"] > SAMPLES)
    strange = sorted(key for key in rows.keys() - need.keys() if key[0] != WORK_UP)
    sheet.true(name, name, not lacking and not strange and len(rows) == len(document["by_test"]), len(rows), len(need),
               f"not one row for each test and laboratory: {', '.join(' in '.join(k) for k in lacking + strange)}")
    for key in sorted(rows.keys() & need.keys()):
        minutes = fsum(need[key][f"{c}_minutes"] for c in CADRES)
        for part, value in (*need[key].items(), ("minutes", minutes)):
            sheet.equal(name, f"{name} {key[0]} in {key[1] or 'any laboratory'}, {part}", rows[key][part], value,
                        "the view's figure is not that of the decisions", CENT if part == "cost" else SAMPLES)
    workups = fsum(w.indication.eligible * w.share * w.indication.workup_cost for w in book.work_ups) / book.problem.years
    rest = fsum(row["cost"] for key, row in rows.items() if key[0] == WORK_UP)
    sheet.equal(name, "by test, work-ups", rest, workups, "the cost of work-ups is not that of the decisions", CENT)
    total = fsum(book.testing(t) for t in book.years) / book.problem.years
    sheet.equal("tests sum to the whole", "by test", fsum(row["cost"] for row in document["by_test"]), total,
                "the tests do not sum to the money for tests", CENT)


def _bought(book: Book) -> dict[tuple[str, str], dict[str, float]]:
    """Samples, money and minutes by test and laboratory, a mean year."""
    out: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(SPEND, 0.0))
    overhead, years = book.at_home.overhead if book.at_home else {}, book.problem.years
    for t in book.years:
        for people, option in book.services(t):
            for a in option.assays:
                row = out[a.assay, PLACES.get(a.place, "")]
                beside = overhead.get((a.assay, float(a.runs_a_year)), 0.0) if a.home else 0.0
                row["samples"] += people * a.runs / years
                row["cost"] += people * (a.cost + a.runs * beside) / years
                for c in CADRES:
                    row[f"{c}_minutes"] += people * getattr(a, f"{c}_minutes") / years
            if option.biopsies:
                row = out[BIOPSY, ""]
                row["samples"] += people * option.biopsies / years
                row["cost"] += people * option.biopsy_cost / years
    return out


def _said(key: Key) -> str:
    return f"{key[0]}, {f'{key[1]:g} runs a year' if key[1] else 'each by itself'}"
