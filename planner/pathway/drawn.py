"""The numbers of a setting with their uncertainty: seeded draws of every uncertain parameter.

A parameter is drawn from the interval that its evidence states, or from a width by grade where none is
known. Access and prices are levers of policy, not things to learn, and stay as they are. Each parameter
has a stream of its own, named by seed, place, parameter and block, so that the draws do not depend on
what else is drawn, in which order, or on how many workers share the blocks.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from planner.evidence.base import Evidence
from planner.evidence.strata import Place, beta_quantile
from planner.pathway.problem import Fact, Problem
from planner.pathway.resolve_values import Values
from planner.scenario.model import Scenario

BLOCK = 250  # draws of one stream: the unit of work, so that results do not depend on the workers
Z95 = 1.959963984540054
# People that a share counts for where its evidence states no interval, and the coefficient of variation
# of a positive number, by grade (docs/method.md, "Uncertainty"; assumption, grade D).
SHARE_N = {"A": 200, "B": 50, "C": 20, "D": 10}
LEAST_N = 2.0  # a share is never taken for less known than this
SPREAD = {"A": 0.10, "B": 0.20, "C": 0.30, "D": 0.50}
# table -> (group of parameters to learn about, distribution)
DRAWN: dict[str, tuple[str, str]] = {
    "incidence": ("patients", "positive"), "incidence_rates": ("patients", "positive"),
    "eligibility": ("patients", "share"), "indications": ("testing", "positive"),
    "prevalence": ("prevalence", "share"), "overlap": ("prevalence", "share"),
    "assays": ("testing", "share"), "assay_performance": ("testing", "share"),
    "assay_costs": ("test_costs", "positive"), "workup_costs": ("test_costs", "positive"),
    "administration_costs": ("treatment_costs", "positive"),
    "empirical_use": ("blind_use", "share"), "utilities": ("effects", "share"),
    "therapies": ("effects", "effect"),
}
GROUPS = {
    "patients": "how many patients there are and reach care", "prevalence": "how common the biomarkers are",
    "testing": "how well and how fast the tests work", "test_costs": "what the tests cost",
    "treatment_costs": "how long drugs are given, and what giving them costs (not their price)",
    "blind_use": "how many are given the drug without the test", "effects": "how much the drugs help",
}
# What has a value in the evidence and no draw, in words.
NOT_DRAWN = (
    "drug access, drug prices, doses and wastage, thresholds and the discount rate (levers of policy or of judgement)",
    "durations that are fixed by the regimen", "survival of the control arms, and both arms where no ratio was read (the ratio, "
    "or a factor on the gain, is drawn)", "the share of patients for whom a therapy is an option (sub_share)",
    "what a therapy brings non-carriers, as a part of what it brings carriers (noncarrier_gain_ratio)",
    "life tables, currencies and price levels", "today's coverage",
)


@dataclass(frozen=True)
class Share:
    """Beta distribution of a share, by its mean and the people it counts for."""

    mean: float
    n: float

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        return rng.beta(self.mean * self.n, (1 - self.mean) * self.n, size)

    def quantile(self, q: float) -> float:
        return beta_quantile(q, self.mean * self.n, (1 - self.mean) * self.n)


@dataclass(frozen=True)
class Positive:
    """Lognormal distribution of a positive number: its median and the standard deviation of its logarithm."""

    median: float
    log_sd: float

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        return self.median * np.exp(self.log_sd * rng.standard_normal(size))

    def quantile(self, q: float) -> float:
        return self.median * math.exp(self.log_sd * NormalDist().inv_cdf(q))

    @property
    def mean(self) -> float:
        return self.median * math.exp(self.log_sd**2 / 2)


def share_of(fact: Fact) -> Share | None:
    """Distribution of a share, from its interval or by grade; None for a share of exactly 0 or 1, which is
    a rule (a test that is demanded, a marker that defines the disease) and not an estimate."""
    mean = fact.value
    if mean <= 0 or mean >= 1:
        return None
    known = fact.low is not None and fact.high is not None and fact.high > fact.low
    sd = (fact.high - fact.low) / (2 * Z95) if known else None
    return Share(mean, max(mean * (1 - mean) / sd**2 - 1, LEAST_N) if sd else SHARE_N[fact.quality])


def positive_of(mean: float, low: float | None, high: float | None, quality: str) -> Positive | None:
    """Lognormal with the given mean; None for nothing."""
    if mean <= 0:
        return None
    width = log_sd(low, high, quality)
    return Positive(mean * math.exp(-width**2 / 2), width)


def log_sd(low: float | None, high: float | None, quality: str) -> float:
    """Standard deviation of the logarithm, from a 95 % interval or by grade."""
    if low and high and 0 < low < high:
        return math.log(high / low) / (2 * Z95)
    return math.sqrt(math.log1p(SPREAD[quality] ** 2))


def interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    """The interval that the evidence states; None where it states none."""
    return None if low is None or high is None or not low < high else (low, high)


RATIOS = {"survival_curves": "os_hr", "single_arm_external": "os_hr", "risk_ratio_cure": "death_rr",
          "progression_free_only": "pfs_hr"}


def read_ratio(row: Mapping) -> str | None:
    """The ratio that a therapy row rests on, where it states a 95 % interval of it; else None."""
    name = RATIOS.get(row["effect_kind"])
    low, high = (row.get(f"{name}_{end}") if name else None for end in ("low", "high"))
    return name if name and row.get(name) and low and high and low < high else None


def gain_factor(quality: str) -> Positive:
    """What the gain of a row without such an interval is multiplied by: mean 1, its width by grade."""
    return positive_of(1.0, None, None, quality)


@dataclass(frozen=True)
class Parameter:
    """One uncertain number: group, table, name, key, value in the evidence, grade, distribution, the interval
    that the evidence states for it; its draws where there are any. ``stream``: the name of its random stream;
    numbers of one stream move together."""

    group: str
    table: str
    parameter: str
    key: str
    value: float
    quality: str
    distribution: Share | Positive
    stated: tuple[float, float] | None = None
    stream: tuple[str, ...] = ()
    draws: np.ndarray | None = field(default=None, repr=False)

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.table, self.parameter, self.key

    @property
    def name(self) -> str:
        return f"{self.parameter}: {self.key.removesuffix('/' + self.parameter)}"

    def end(self, quantile: float) -> float:
        """The number at a quantile of its 95 % interval: the stated one as it stands, since a distribution fitted
        to it has other ends where the value does not lie in its middle; between its ends in proportion to the
        standard normal deviate. Where none is stated, the distribution's."""
        if self.stated is None:
            return self.distribution.quantile(quantile)
        deviate = NormalDist().inv_cdf(quantile) / Z95
        way = 1.0 if abs(deviate) > 1 - 1e-9 else abs(deviate)
        return (1 - way) * self.value + way * self.stated[deviate > 0]


def movers(parameters: Iterable[Parameter]) -> dict[tuple[str, ...], list[Parameter]]:
    """Parameters by stream, each stream's by name: what one trial says moves together."""
    out: dict[tuple[str, ...], list[Parameter]] = {}
    for p in sorted(parameters, key=lambda p: p.name):
        out.setdefault(p.stream, []).append(p)
    return out


class UncertainValues(Values):
    """Resolved values of which the uncertain ones become arrays, one entry per version.

    Subclasses say what the entries are (:meth:`_versions`). ``decided``: therapies that the value gate
    removed in the plan, by use case.
    """

    def __init__(self, evidence: Evidence, place: Place, scenario: Scenario, decided: Mapping[str, tuple[str, ...]]):
        super().__init__(evidence, place, scenario)
        self._decided = decided
        self.parameters: dict[tuple[str, str, str], Parameter] = {}

    def _versions(self, parameter: Parameter) -> np.ndarray | float:
        raise NotImplementedError

    def decided(self, use_case: str) -> tuple[str, ...] | None:
        return self._decided.get(use_case, ())

    def _remember(self, fact: Fact) -> Fact:
        super()._remember(fact)
        if fact.table not in DRAWN:
            return fact
        group, kind = DRAWN[fact.table]
        if kind == "share" and fact.parameter != "turnaround days":
            distribution = share_of(fact)
        else:
            distribution = positive_of(fact.value, fact.low, fact.high, fact.quality)
        if distribution is None:
            return fact
        return replace(fact, value=self._kept(Parameter(group, fact.table, fact.parameter, fact.key, fact.value, fact.quality,
                                                        distribution, interval(fact.low, fact.high))))

    def note(self, fact: Fact) -> Fact:
        """A derived number is made of drawn ones and is not drawn again."""
        self._facts[fact.table, fact.parameter, fact.key] = replace(fact, value=float(np.mean(fact.value)))
        return fact

    def _kept(self, p: Parameter) -> np.ndarray:
        if p.identity not in self.parameters:
            p = replace(p, stream=p.stream or p.identity)
            self.parameters[p.identity] = replace(p, draws=self._versions(p))
        return self.parameters[p.identity].draws

    def effect_draw(self, row: dict) -> tuple:
        """The ratio a therapy rests on, lognormal around the one read, where it states an interval; else a
        factor on its gain with mean 1 and a width by grade. What rests on one trial errs together."""
        ratio = read_ratio(row)
        if ratio:
            width = log_sd(row[f"{ratio}_low"], row[f"{ratio}_high"], row["quality"])
            value, distribution = row[ratio], Positive(row[ratio], width)
        else:
            value, distribution = 1.0, gain_factor(row["quality"])
        stated = (row[f"{ratio}_low"], row[f"{ratio}_high"]) if ratio else None
        versions = self._kept(Parameter(DRAWN["therapies"][0], "therapies", f"effect ({ratio})" if ratio else "effect (factor)",
                                        row["therapy_id"], value, row["quality"], distribution, stated,
                                        ("therapies", "effect", row["source_id"])))
        return (versions, None) if ratio else (None, versions)

    def duration_draw(self, row: dict) -> float | np.ndarray:
        """Months on treatment, lognormal with a width by grade (no intervals were read); those that the regimen
        fixes are a rule."""
        months = row["duration_months"]
        distribution = None if months is None or row["duration_kind"] == "fixed" else \
            positive_of(months, None, None, row["quality"])
        if distribution is None:
            return months
        return self._kept(Parameter("treatment_costs", "therapies", "months on treatment", row["therapy_id"], months,
                                    row["quality"], distribution))


def stream(*names) -> np.random.Generator:
    """A random stream of its own for what the names say."""
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


class DrawnValues(UncertainValues):
    """Seeded draws: ``size`` of them, of the block ``block``."""

    def __init__(self, evidence: Evidence, place: Place, scenario: Scenario, *, seed: int, block: int, size: int,
                 decided: Mapping[str, tuple[str, ...]]):
        super().__init__(evidence, place, scenario, decided)
        self.seed, self.block, self.size = seed, block, size

    def _versions(self, parameter: Parameter) -> np.ndarray:
        rng = stream(self.seed, self.place.iso3, self.place.region or "", *parameter.stream, self.block)
        return parameter.distribution.draw(rng, self.size)


class EndValues(UncertainValues):
    """The evidence's own values, except that version n has the streams ``wanted[n]`` at the quantiles given
    there, all numbers of a stream together; all as they are where ``wanted`` is None."""

    def __init__(self, evidence: Evidence, place: Place, scenario: Scenario, *, wanted: list[dict] | None,
                 decided: Mapping[str, tuple[str, ...]]):
        super().__init__(evidence, place, scenario, decided)
        self._wanted: dict[tuple, list[tuple[int, float]]] = {}
        self.size = len(wanted or [0])
        for n, ends in enumerate(wanted or ()):
            for mover, q in ends.items():
                self._wanted.setdefault(mover, []).append((n, q))

    def _versions(self, parameter: Parameter) -> np.ndarray | float:
        """One number where it stays as it is in every version: what rests on it alone is then computed once."""
        ends = self._wanted.get(parameter.stream, ())
        if not ends:
            return parameter.value
        out = np.full(self.size, parameter.value)
        for n, q in ends:
            out[n] = parameter.end(q)
        return out


def value_gated(problem: Problem) -> dict[str, tuple[str, ...]]:
    """What the value gate removed in a problem, by use case."""
    return {u.id: u.value_gated for u in problem.use_cases}
