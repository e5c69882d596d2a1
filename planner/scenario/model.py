"""The scenario file as frozen types: what a planner may set, with its limits.

Units: money in US dollars of the evidence's base year and per year, shares 0 to 1, rates per
year. A scenario is a difference from its parent (see ``scenario.load``); ``defaults.toml`` is the
root and holds method settings only.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from planner.evidence.own_sheets import MOST_CASES

MOST_USD = 1e15  # more than all the money there is: beyond it the solver would read "no limit"
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Usd = Annotated[float, Field(ge=0, le=MOST_USD, allow_inf_nan=False)]
Money = Usd | tuple[Usd, ...] | None
Objective = Literal[
    "qalys", "life_years", "deaths_averted", "dalys_averted", "patients_treated", "net_health"
]
Axis = Literal["testing", "treatment", "total"]
Payer = Literal["public", "insurer", "donor", "household", "trial"]
PAYERS: tuple[str, ...] = ("public", "insurer", "donor", "household", "trial")
Slug = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=80)]
UseCaseId = Annotated[str, Field(pattern=r"^[a-z0-9_]+/[a-z0-9_]+$", max_length=120)]


class Frozen(BaseModel):
    """Base of every section: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Setting(Frozen):
    """Where the plan holds: a country, or one region of it, or all its regions; or a hospital there."""

    country: Annotated[str, Field(min_length=2, max_length=60)]
    region: Annotated[str, Field(max_length=60)] | None = None
    regions: Literal["all"] | None = None
    hospital: Annotated[str, Field(min_length=1, max_length=80)] | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Setting:
        if self.region and self.regions:
            raise ValueError("give either `region` or `regions`, not both")
        if self.hospital and self.regions:
            raise ValueError("a hospital stands in one place; remove `regions`, or name its `region`")
        return self


def placed(name: str, hospital: str | None) -> str:
    """The name of a place for the reader: a country's or region's, or a hospital's in it."""
    return f"{hospital} ({name})" if hospital else name


class Budget(Frozen):
    """Yearly money limits; absent means not limited."""

    testing: Money = None
    treatment: Money = None
    total: Money = None
    basis: Literal["all", "additional"] = "all"
    payers: tuple[Payer, ...] = ("public", "insurer")
    savings_cashable: bool = False


class Frontier(Frozen):
    axis: Axis = "testing"


class Gate(Frozen):
    """Which evidence counts."""

    level: Annotated[int, Field(ge=1, le=4)] = 2
    value_gate: bool = False


class DrugAccess(Frozen):
    """A drug's accessible share in this scenario."""

    share: Share | None = None
    payer: Literal["public", "insurer", "donor", "household"] | None = None  # a trial is not access
    courses: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _something(self) -> DrugAccess:
        if self.share is None and self.courses is None:
            raise ValueError("give `share` or `courses`")
        return self


class Access(Frozen):
    mode: Literal["random", "selective"] = "random"
    buy: tuple[Slug, ...] = ()
    ceiling: Share | None = None
    drugs: dict[Slug, Share | DrugAccess] = {}


class Coverage(Frozen):
    maximum: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.9
    ramp_per_year: Share | None = None


class Policy(Frozen):
    must_fund: tuple[UseCaseId, ...] = ()
    exclude: tuple[UseCaseId, ...] = ()


class Services(Frozen):
    """Services taken off the table, by id; whether samples may go abroad and instruments be bought (with
    laboratory.costing = "micro"); correlation of the errors of two different tests for one biomarker."""

    exclude: tuple[Slug, ...] = ()
    send_out: bool = True
    buy_instruments: bool = True
    correlation: Share = 0.0


Count = Annotated[int, Field(ge=0, le=1000)]
RunsAYear = Annotated[float, Field(ge=1, le=2000, allow_inf_nan=False)]


class Laboratory(Frozen):
    """How tests are costed, what stands in the laboratory, and the time of its people.

    costing: ``tariff``, the full price of each test; ``micro``, the home laboratory (a hospital's own, a country's
    national one) by instruments, runs and samples, every other one at its price. The rest but the minutes bears on
    ``micro`` only: ``tier`` of the home laboratory; ``instruments`` there, by platform; ``runs_a_year``, schedules to
    choose from; ``minimum_volume``, samples a year below which a test is not run at home; ``seconds`` for the search of
    whole instruments and the ``gap`` at which it may stop.
    """

    costing: Literal["tariff", "micro"] = "tariff"
    tier: Literal["district", "regional", "national", "reference"] | None = None
    instruments: dict[Slug, Count] = {}
    runs_a_year: tuple[RunsAYear, ...] = (12, 50, 250)
    minimum_volume: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 60
    gap: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.001
    technician_minutes: Usd | None = None
    scientist_minutes: Usd | None = None
    pathologist_minutes: Usd | None = None
    board_minutes: Usd | None = None


class Equity(Frozen):
    """How much the health of an indication's patients counts, against 1 for the others."""

    weights: dict[Slug, Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]] = {}


class Display(Frozen):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class Override(Frozen):
    """One resolved number of this setting, replaced, with the reason."""

    table: Slug
    key: dict[str, str]
    column: Slug
    value: Annotated[float, Field(allow_inf_nan=False)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    year: Annotated[int, Field(ge=1990, le=2100)] | None = None
    low: Annotated[float, Field(allow_inf_nan=False)] | None = None
    high: Annotated[float, Field(allow_inf_nan=False)] | None = None
    why: Annotated[str, Field(min_length=3, max_length=400)]
    source: str = ""

    @property
    def identity(self) -> tuple:
        return (self.table, tuple(sorted(self.key.items())), self.column)


class Scenario(Frozen):
    """A planning question. Frozen; hashable through :attr:`digest`."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    description: str = ""
    parent: str | None = None
    setting: Setting
    mode: Literal["optimise", "evaluate"] = "optimise"
    years: Annotated[int, Field(ge=1, le=15)] = 1
    objective: Objective = "qalys"
    value_of_qaly: Literal["national"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = (
        "national"
    )
    discount_rate: Annotated[float, Field(ge=0, le=0.1, allow_inf_nan=False)] = 0.03
    import_markup: Share = 0.2
    budget: Budget = Budget()
    frontier: Frontier = Frontier()
    evidence_gate: Gate = Gate()
    access: Access = Access()
    coverage: Coverage = Coverage()
    policy: Policy = Policy()
    services: Services = Services()
    laboratory: Laboratory = Laboratory()
    # a hospital's own people a year at each treatment decision, by indication
    cases: dict[Slug, Annotated[float, Field(ge=0, le=MOST_CASES, allow_inf_nan=False)]] = {}
    equity: Equity = Equity()
    display: Display = Display()
    evaluate: dict[UseCaseId, Share] = {}
    override: tuple[Override, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        found = conflicts(self)
        if found:
            text = "; ".join(f"{where}: {what}" for where, what, _ in found)
            raise PydanticCustomError("conflicts", "{text}", {"text": text, "found": found})
        return self

    @classmethod
    def load(cls, path_or_name: str | Path) -> Scenario:
        """A scenario file or a shipped name with all it inherits; see ``scenario.scenario.load``."""
        from planner.scenario.scenario import load  # the loader needs this module first

        return load(path_or_name)

    @property  # not cached: model_copy would carry a stale one along
    def digest(self) -> str:
        """sha256 of everything that bears on the plan; name, description and parent are left out."""
        text = self.model_dump_json(exclude={"name", "description", "parent"})
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def limit(self, axis: str, year: int) -> float | None:
        """Limit of a budget axis in year ``year`` (0-based), USD; None where not limited."""
        value = getattr(self.budget, axis)
        return value[year] if isinstance(value, tuple) else value


Conflict = tuple[str, str, str]


def _laboratory(s: Scenario) -> list[Conflict]:
    """Settings of a laboratory by its parts mean nothing where tests have tariffs."""
    if s.laboratory.costing == "micro":
        return []
    told = {"tier": s.laboratory.tier, "instruments": s.laboratory.instruments, "minimum_volume": s.laboratory.minimum_volume}
    return [(f"laboratory.{name}", "it bears on a laboratory that is costed by its parts",
             'set laboratory.costing = "micro", or take it out') for name, value in told.items() if value]


def conflicts(s: Scenario) -> list[Conflict]:
    """(where, what, remedy) of every pair of settings that contradict each other."""
    return [*_years(s), *_policy(s), *_money(s), *_laboratory(s), *_overrides(s), *cases_without_place(s)]


def _years(s: Scenario) -> list[Conflict]:
    out = []
    if s.coverage.ramp_per_year is not None and s.years == 1:
        out.append(("coverage.ramp_per_year", "it needs more than one year",
                    "remove it, or set `years` to 2 or more"))
    if s.laboratory.costing == "micro" and s.years > 1:
        out.append(("laboratory.costing", "a laboratory by its parts is planned for one steady-state year",
                    'set `years` to 1, or costing to "tariff"'))
    for axis in ("testing", "treatment", "total"):
        limit = getattr(s.budget, axis)
        if isinstance(limit, tuple) and len(limit) != s.years:
            out.append((f"budget.{axis}", f"it lists {len(limit)} years, `years` is {s.years}",
                        "give one figure for each year, or a single figure for all"))
    return out


def _policy(s: Scenario) -> list[Conflict]:
    both = sorted(set(s.policy.must_fund) & set(s.policy.exclude))
    out = [("policy.exclude", f"{name} stands in must_fund and in exclude", "take it off one of the two lists")
           for name in both]
    if s.mode == "evaluate" and not s.evaluate:
        out.append(("evaluate", "there is no list to evaluate",
                    'give coverages: [evaluate] "breast_early/her2" = 0.5, or set mode = "optimise"'))
    if s.mode == "optimise" and s.evaluate:
        out.append(("evaluate", "a list is given, but the mode is `optimise`", 'set mode = "evaluate"'))
    return out


def _money(s: Scenario) -> list[Conflict]:
    if s.access.buy and s.budget.treatment is None and s.budget.total is None:
        return [("access.buy", "there is no money to buy access with", "set budget.treatment or budget.total")]
    return []


def _overrides(s: Scenario) -> list[Conflict]:
    ids = [o.identity for o in s.override]
    out = [("override", f"two overrides set {o.table}.{o.column} for {dict(o.key)}", "keep one of them")
           for n, o in enumerate(s.override) if o.identity in ids[:n]]
    out += [(f"override {o.table}.{o.column}", f"low {o.low:g} is above high {o.high:g}", "exchange them")
            for o in s.override if o.low is not None and o.high is not None and o.low > o.high]
    return out


def cases_without_place(s: Scenario) -> list[Conflict]:
    """A hospital is planned by its own cases, and only a hospital is."""
    if s.setting.hospital and not s.cases:
        return [("cases", "a hospital is planned by its own patients, and none are stated",
                 "give people a year by indication, such as [cases] breast_early = 120; or fill in the sheet `cases` of "
                 "a workbook that `template` writes, and give it with --evidence")]
    if s.cases and not s.setting.hospital:
        return [("cases", "yearly cases are a hospital's, and the setting names none",
                 'name it: setting = {country = "KEN", hospital = "Model hospital"}; or leave the cases out')]
    return []
