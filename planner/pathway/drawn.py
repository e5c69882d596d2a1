"""The numbers of a setting with their uncertainty: seeded draws of every uncertain parameter.

A parameter is drawn from the interval that its evidence states, or from a width by grade where none is
known. Access and prices are levers of policy, not things to learn, and stay as they are. Each parameter
has a stream of its own, named by seed, place, parameter and block, so that the draws do not depend on
what else is drawn, in which order, or on how many workers share the blocks.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from planner.evidence.base import Evidence
from planner.evidence.strata import Place
from planner.pathway.problem import Fact, Problem
from planner.pathway.resolve_values import Values
from planner.scenario.model import Scenario

BLOCK = 250  # draws of one stream: the unit of work, so that results do not depend on the workers
Z95 = 1.959963984540054
# People that a share counts for where its evidence states no interval, and the coefficient of variation
# of a positive number, by grade (docs/method.md, "Uncertainty"; assumption, grade D).
SHARE_N = {"A": 200, "B": 50, "C": 20, "D": 10}
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
    "treatment_costs": "what giving the drugs costs (not their price)",
    "blind_use": "how many are given the drug without the test", "effects": "how much the drugs help",
}


@dataclass(frozen=True)
class Parameter:
    """One uncertain number: its group, name, value in the evidence, grade, and its draws."""

    group: str
    table: str
    parameter: str
    key: str
    value: float
    quality: str
    draws: np.ndarray = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.parameter}: {self.key}"


def stream(*names) -> np.random.Generator:
    """A random stream of its own for what the names say."""
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def beta(mean: float, sd: float | None, n: float, rng: np.random.Generator, size: int):
    """Draws of a share from its mean and its standard deviation, or the people it counts for.

    A share of exactly 0 or 1 is a rule (a test that is demanded, a marker that defines the disease), not
    an estimate, and stays.
    """
    if mean <= 0 or mean >= 1:
        return mean
    if sd:
        n = max(mean * (1 - mean) / sd**2 - 1, 2.0)
    return rng.beta(mean * n, (1 - mean) * n, size)


def positive(mean: float, log_sd: float, rng: np.random.Generator, size: int):
    """Lognormal draws with the given mean."""
    if mean <= 0:
        return mean
    return mean * np.exp(log_sd * rng.standard_normal(size) - log_sd**2 / 2)


def log_sd(low: float | None, high: float | None, quality: str) -> float:
    """Standard deviation of the logarithm, from a 95 % interval or by grade."""
    if low and high and 0 < low < high:
        return math.log(high / low) / (2 * Z95)
    return math.sqrt(math.log1p(SPREAD[quality] ** 2))


class DrawnValues(Values):
    """Resolved values whose uncertain numbers are arrays of draws.

    ``decided``: therapies that the value gate removed in the plan, by use case; ``only``: groups to
    draw (all by default).
    """

    def __init__(self, evidence: Evidence, place: Place, scenario: Scenario, *, seed: int, block: int,
                 size: int, decided: Mapping[str, tuple[str, ...]]):
        super().__init__(evidence, place, scenario)
        self.seed, self.block, self.size = seed, block, size
        self._decided = decided
        self.parameters: dict[tuple, Parameter] = {}

    def decided(self, use_case: str) -> tuple[str, ...] | None:
        return self._decided.get(use_case, ())

    def _rng(self, *names) -> np.random.Generator:
        return stream(self.seed, self.place.iso3, self.place.region or "", *names, self.block)

    def _remember(self, table: str, fact: Fact) -> Fact:
        super()._remember(table, fact)
        if table not in DRAWN:
            return fact
        kind = DRAWN[table][1]
        if fact.parameter in ("turnaround days",):
            kind = "positive"
        return replace(fact, value=self._drawn(table, fact, kind))

    def note(self, table: str, fact: Fact) -> Fact:
        """A derived number is made of drawn ones and is not drawn again."""
        self._facts[table, fact.parameter, fact.key] = replace(fact, value=float(np.mean(fact.value)))
        return fact

    def _drawn(self, table: str, fact: Fact, kind: str):
        identity = (table, fact.parameter, fact.key)
        if identity not in self.parameters:
            rng = self._rng(*identity)
            if kind == "share":
                known = fact.low is not None and fact.high is not None and fact.high > fact.low
                sd = (fact.high - fact.low) / (2 * Z95) if known else None
                draws = beta(fact.value, sd, SHARE_N[fact.quality], rng, self.size)
            else:
                draws = positive(fact.value, log_sd(fact.low, fact.high, fact.quality), rng, self.size)
            if not isinstance(draws, np.ndarray):
                return draws
            self._keep(table, fact, draws)
        return self.parameters[identity].draws

    def _keep(self, table: str, fact: Fact, draws: np.ndarray) -> None:
        self.parameters[table, fact.parameter, fact.key] = Parameter(
            DRAWN[table][0], table, fact.parameter, fact.key, fact.value, fact.quality, draws)

    def effect_draw(self, row: dict) -> tuple:
        """Draws of the ratio a therapy rests on, where it states an interval; else of a factor on its gain.

        The ratio is lognormal around the one read; the factor has mean 1 and a width by grade.
        """
        name = {"survival_curves": "os_hr", "single_arm_external": "os_hr", "risk_ratio_cure": "death_rr",
                "progression_free_only": "pfs_hr"}.get(row["effect_kind"])
        rng = self._rng("therapies", "effect", row["source_id"])  # what rests on one trial errs together
        low, high = (row.get(f"{name}_{end}") if name else None for end in ("low", "high"))
        if name and row.get(name) and low and high and low < high:
            draws = row[name] * np.exp(log_sd(low, high, row["quality"]) * rng.standard_normal(self.size))
            value, pair = row[name], (draws, None)
        else:
            draws = positive(1.0, log_sd(None, None, row["quality"]), rng, self.size)
            value, pair = 1.0, (None, draws)
        fact = Fact("effect", row["therapy_id"], value, "world", "world", row["quality"], (row["source_id"],))
        self._keep("therapies", fact, draws)
        return pair


def value_gated(problem: Problem) -> dict[str, tuple[str, ...]]:
    """What the value gate removed in a problem, by use case."""
    return {u.id: u.value_gated for u in problem.use_cases}
