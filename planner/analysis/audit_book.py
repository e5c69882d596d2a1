"""The people, money and health that follow from the decisions of a plan file.

Written from docs/method.md and the specification, not from the planner's own programme: it reads the
planning problem and the decisions (``solution``), and nothing else. Shares are of the eligible patients
of an indication, or of those asked where a biomarker is a question for some of them only; money is US
dollars of the base year; years count from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from planner.analysis.audit_laboratory import AtHome
from planner.pathway.problem import Indication, Problem, ServiceOption, ServiceResult, TherapyOption, UseCase
from planner.scenario.model import PAYERS, Scenario

NOTHING = "none"  # the base of those who get singles only


@dataclass(frozen=True)
class Key:
    """Where a result is read: one biomarker, one service within a base, one year."""

    region: str
    indication: str
    biomarker: str
    base: str
    service: str
    year: int

    def __str__(self) -> str:
        within = "" if self.base in (NOTHING, self.service) else f" within {self.base}"
        return f"{self.region} {self.indication}/{self.biomarker} by {self.service}{within}, year {self.year + 1}"


@dataclass(frozen=True)
class Reading:
    """A result that is used: by whom, and who gets what after it.

    ``share`` of the asked whose result it is, ``access``: the part of it that counts for drugs;
    ``given``: (therapy, by today's access, by access bought), as shares of the asked, if called positive.
    """

    key: Key
    case: UseCase
    option: ServiceOption
    result: ServiceResult
    eligible: float
    share: float
    access: float
    scale: float  # A of selective access, else 1
    given: tuple[tuple[TherapyOption, float, float], ...]

    @property
    def asked(self) -> float:
        return self.eligible * self.case.subgroup

    @property
    def tested(self) -> float:
        return self.asked * self.share

    @property
    def called(self) -> float:
        """Share of usable results that call for the drug, rightly or not."""
        return sum(self.carriers)

    @property
    def carriers(self) -> tuple[float, float]:
        """(carriers called, non-carriers called) as shares of usable results; for a result that spares
        patients a drug, those on whose result the drug is given are the laboratory's negatives."""
        pi = self.case.prevalence_net / self.case.subgroup if self.case.subgroup else 0.0
        se, sp = self.result.se, self.result.sp
        if self.case.role == "spares":
            pi, se, sp = 1 - pi, sp, se
        return pi * se, (1 - pi) * (1 - sp)

    @property
    def found(self) -> float:
        return self.tested * self.result.eta * self.called

    def blind_share(self, t: TherapyOption) -> float:
        """Of the asked, those whom the result stops from being given the drug blind."""
        return self.access * t.u0 / self.scale

    def people(self, t: TherapyOption, share: float) -> float:
        """Patients who start a drug after a positive result."""
        return self.asked * self.result.eta * t.fit * share * self.called

    def blind(self, t: TherapyOption) -> float:
        """Patients who would have started it without the test."""
        return self.asked * self.result.eta * t.fit * self.blind_share(t)

    def courses(self, t: TherapyOption, today: float, bought: float) -> float:
        """Courses more than without the test."""
        return self.people(t, today + bought) - self.blind(t)

    def gain(self, measure: str, known: bool = False) -> float | None:
        """Health gained against no test; None where a therapy has no number for it (``known``: of the
        therapies that have one)."""
        total = 0.0
        pi = self.case.prevalence_net / self.case.subgroup if self.case.subgroup else 0.0
        pi = 1 - pi if self.case.role == "spares" else pi
        true, false = self.carriers
        for t, today, bought in self.given:
            pair = t.effects.pair(measure)
            if pair is None and known:
                continue
            if pair is None:
                return None
            h, other = pair
            after = (today + bought) * (true * h + false * other)
            total += t.fit * (after - self.blind_share(t) * (pi * h + (1 - pi) * other))
        return self.asked * self.result.eta * total


@dataclass(frozen=True)
class WorkUp:
    """Share of the eligible worked up in a year, and given each base."""

    indication: Indication
    year: int
    share: float
    bases: dict[str, float]

    def __str__(self) -> str:
        return f"{self.indication.region} {self.indication.indication}, year {self.year + 1}"


@dataclass
class Book:
    """A plan's decisions joined to the numbers of its problem.

    ``strangers``: (check, place, words) of every row that names what the problem does not have. ``at_home``: what the
    home laboratory does, None where tests have tariffs.
    """

    problem: Problem
    scenario: Scenario
    solution: dict
    at_home: AtHome | None = None
    strangers: list[tuple[str, str, str]] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    @cached_property
    def indications(self) -> dict[tuple[str, str], Indication]:
        return {(i.region, i.indication): i for i in self.problem.indications}

    @cached_property
    def cases(self) -> dict[tuple[str, str, str], UseCase]:
        return {(u.region, u.indication, u.biomarker): u for u in self.problem.use_cases}

    @cached_property
    def options(self) -> dict[tuple[str, str, str], ServiceOption]:
        return {(i.region, i.indication, s.service): s for i in self.problem.indications for s in i.services}

    @property
    def years(self) -> range:
        return range(self.problem.years)

    @cached_property
    def work_ups(self) -> tuple[WorkUp, ...]:
        out = {}
        for row in self.solution["work_up"]:
            i, t = self.indications.get((row["region"], row["indication_id"])), row["year"] - 1
            where = f"{row['region']} {row['indication_id']}, year {row['year']}"
            if i is None or t not in self.years:
                self.strangers.append(("place known", where, "no such indication or year in this problem"))
                continue
            self.strangers += [("service offered", where, f"`{b}` is no base offered here") for b in row["bases"]
                               if b != NOTHING and not self.is_base(i, b)]
            if (i.region, i.indication, t) in out:
                self.doubled.append(f"work-up of {where}")
            out[i.region, i.indication, t] = WorkUp(i, t, row["share"], row["bases"])
        return tuple(out.values())

    def is_base(self, i: Indication, base: str) -> bool:
        option = self.options.get((i.region, i.indication, base))
        return option is not None and option.kind == "base"

    def base_share(self, region: str, indication: str, base: str, year: int) -> float:
        return self._bases.get((region, indication, year, base), 0.0)

    @cached_property
    def _bases(self) -> dict[tuple, float]:
        return {(w.indication.region, w.indication.indication, w.year, b): y
                for w in self.work_ups for b, y in w.bases.items()}

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        shares: dict[Key, tuple[float, float]] = {}
        for row in self.solution["results"]:
            k = _key(row)
            if k in shares:
                self.doubled.append(str(k))
            shares[k] = (row["share"], row["with_access"])
        given: dict[Key, dict[str, tuple[float, float]]] = {}
        for row in self.solution["treated"]:
            mine = given.setdefault(_key(row), {})
            if row["therapy"] in mine:
                self.doubled.append(f"{row['therapy']}, {_key(row)}")
            mine[row["therapy"]] = (row["today"], row["bought"])
        keys = [*shares, *(k for k in given if k not in shares)]
        found = (self._reading(k, *shares.get(k, (0.0, 0.0)), given.get(k, {})) for k in keys)
        return tuple(r for r in found if r is not None)

    @cached_property
    def within(self) -> dict[tuple[str, str, int, str], list[Reading]]:
        """Readings by region, indication, year and base."""
        out: dict[tuple[str, str, int, str], list[Reading]] = {}
        for r in self.readings:
            out.setdefault((r.key.region, r.key.indication, r.key.year, r.key.base), []).append(r)
        return out

    def _reading(self, k: Key, share: float, access: float, given: dict) -> Reading | None:
        case = self.cases.get((k.region, k.indication, k.biomarker))
        option = self.options.get((k.region, k.indication, k.service))
        result = option.result(k.biomarker) if option else None
        if case is None or k.year not in self.years:
            self.strangers.append(("place known", str(k), "no such use case or year in this problem"))
            return None
        if result is None:
            self.strangers.append(("service offered", str(k), f"`{k.service}` does not answer {k.biomarker} here"))
            return None
        known = {t.therapy: t for t in case.therapies}
        self.strangers += [("therapy offered", str(k), f"`{name}` is no therapy of this line under this gate")
                           for name in given if name not in known]
        therapies = tuple((t, *given.get(name, (0.0, 0.0))) for name, t in known.items())
        here = self.indications[k.region, k.indication]
        return Reading(k, case, option, result, here.eligible, share, access, self.first_share(case), therapies)

    # -- access ----------------------------------------------------------------------------------

    def ceiling(self, t: TherapyOption) -> float:
        """Share of those in need who can get a therapy once the drugs on the buying list are bought: the
        smallest over its drugs, as today's share is."""
        buy = self.scenario.access.buy
        if not any(d in buy for d in t.drugs):
            return t.alpha
        return max(t.alpha, min((max(share, most) if d in buy else share for d, share, most in t.reach),
                                default=t.amax if set(t.drugs) <= set(buy) else t.alpha))

    def first_share(self, case: UseCase) -> float:
        """A: the share of the asked who are tested first because they can get a drug; 1 where access is
        random among the tested."""
        if self.scenario.access.mode != "selective":
            return 1.0
        return max((self.ceiling(t) for t in case.therapies), default=0.0) or 1.0

    # -- money -----------------------------------------------------------------------------------

    def testing(self, year: int) -> float:
        """Money for tests in a year: work-ups, bases, singles, and what the home laboratory costs beside samples."""
        total = self.at_home.money if self.at_home else 0.0
        for w in self.work_ups:
            if w.year == year:
                i = w.indication
                total += i.eligible * w.share * i.workup_cost
                total += sum(i.eligible * y * o.cost for b, y in w.bases.items()
                             if (o := self.options.get((i.region, i.indication, b))))
        return total + sum(r.tested * r.option.cost for r in self.readings if r.key.year == year and is_single(r))

    def price(self, option: ServiceOption) -> float:
        """What a service costs per patient, with its part of the home laboratory's instruments, runs and fees."""
        return option.cost + (self.at_home.beside(option) if self.at_home else 0.0)

    def cash(self, t: TherapyOption, start: int, year: int) -> float:
        """Cash in a year for a course that starts in another: a plan of one year stands for the steady
        state, a longer one counts the years it has."""
        if self.problem.years == 1:
            return sum(t.pay)
        return t.pay[year - start] if 0 <= year - start < len(t.pay) else 0.0

    def spending(self, year: int) -> dict[tuple[str, str], dict[str, float]]:
        """Cash for drugs in a year against no test, by (region, use case) and payer."""
        out: dict[tuple[str, str], dict[str, float]] = {}
        for r in self.readings:
            mine = out.setdefault((r.case.region, r.case.id), dict.fromkeys(PAYERS, 0.0))
            for t, today, bought in r.given:
                cash = self.cash(t, r.key.year, year)
                for z, n in self.by_payer(r, t, today, bought).items():
                    mine[z] += n * cash
                for z, share in t.payer_shares:
                    mine[z] -= r.blind(t) * cash * share
        return out

    def by_payer(self, r: Reading, t: TherapyOption, today: float, bought: float) -> dict[str, float]:
        """Patients who start a drug, by who pays: today's access by today's payers, bought access by the
        payer that the budget names first."""
        out = {z: r.people(t, today) * share for z, share in t.payer_shares}
        if bought:
            buyer = self.scenario.budget.payers[0] if self.scenario.budget.payers else "public"
            out[buyer] = out.get(buyer, 0.0) + r.people(t, bought)
        return out

    def blind_spending(self) -> float:
        """R0: what the payers of the budget spend in a year on the drugs with nobody tested, those treated
        since before the plan included."""
        return sum(u.asked(i.eligible) * t.fit * t.u0 * t.paid_by(self.scenario.budget.payers) * sum(t.pay)
                   for i, u, t in self.therapies())

    def therapies(self) -> Iterator[tuple[Indication, UseCase, TherapyOption]]:
        """Therapies of the lines that may be funded."""
        return ((i, u, t) for i in self.problem.indications for u in i.use_cases if u.active for t in u.therapies)

    def minutes(self, year: int, kind: str) -> float:
        """Minutes of a kind of people in a year."""
        return sum(n * getattr(o, kind) for n, o in self.services(year))

    def services(self, year: int) -> Iterator[tuple[float, ServiceOption]]:
        """(patients, service) of everything done in a year."""
        for w in self.work_ups:
            for b, y in w.bases.items():
                o = self.options.get((w.indication.region, w.indication.indication, b))
                if o and w.year == year:
                    yield w.indication.eligible * y, o
        yield from ((r.tested, r.option) for r in self.readings if r.key.year == year and is_single(r))


def is_single(r: Reading) -> bool:
    return r.key.service != r.key.base


def mean(values: Iterable[float], years: int) -> float:
    """The mean year of a plan."""
    return sum(values) / years


def summed(rows: Iterable[tuple[str, float]]) -> Counter:
    out: Counter = Counter()
    for name, value in rows:
        out[name] += value
    return out


def _key(row: dict) -> Key:
    return Key(row["region"], row["indication_id"], row["biomarker_id"], row["base"], row["service"], row["year"] - 1)
