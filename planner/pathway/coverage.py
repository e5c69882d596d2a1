"""How well the evidence covers the world: grade and level by use case and UN region, and what is weakest.

A *link* of the chain has the grade of its weakest number; where several tests or treatments could serve, that of
the middle one. A use case in a country has the middle grade of its ten links as *typical* grade and a number of
links of grade D; a region has its middle country. Of the eight links that differ by place, those that rest on the
country itself or on its UN sub-region or region are *near*. In ties the worse stands.

A weak number (grade C or D, not a rule such as a share of 0) weighs by the people whose line rests on it, times
how uncertain it is (:func:`spread`); of several alternatives each counts its part. Where sensitivity analyses are
at hand, the swing of the plan's health is added. No solver is needed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from planner.evidence.base import Evidence
from planner.evidence.complete import coverage as complete
from planner.evidence.strata import GRADES, LEVELS, place
from planner.pathway.drawn import SPREAD, log_sd, share_of
from planner.pathway.eligible import eligible
from planner.pathway.rests_on import BY_PLACE, LINKS, Ground, Grounds, Input, inputs

WEAK = "CD"
SHARES = ("share", "overlap_share", "sensitivity", "specificity", "failure", "utility")
ABSOLUTE = ("access to the drug", "use without the test", "decided first by another biomarker", "specificity")
WORLD = LEVELS.index("world")
CELLS = ("use_case", "un_region", "countries", "typical", "weakest", "weakest_link", "d_links", "mean_grade", "level", "near",
         "own_prevalence")
NEAR = ("region", "country", "un_subregion", "un_region")
MONEY = ("test_cost", "drug_cost")  # links that move what money buys; the others move health
LOSS_PER_DAY, DAYS = 0.01, 10.0  # usual attrition a day and days of waiting, to tell what a delay costs (indications, assays)
COLUMNS = ("rank", "number", "of", "grade", "level", "stratum", "low", "high", "lines", "countries", "people", "weight",
           "swing", "moves", "first_collect", "use_cases", "table", "link", "sources")
# parameter -> what a team would collect to better it
COLLECT = {
    "incidence rate": "cases a year by a cancer registry, with the population they come from",
    "new cases a year": "cases a year by a cancer registry",
    "subtype": "subtypes of some hundred consecutive cases with central review",
    "histology": "histology of all cases of a registry year",
    "stage": "stage at diagnosis of all cases of a registry year",
    "relapse": "share who relapse within five years, from a registry with follow-up",
    "further": "share of patients in care who come to this decision, from a clinic's yearly list",
    "reaches_care": "share of diagnosed patients who start systemic treatment, registry linked to clinics",
    "fit": "performance status at the decision, from a clinic's yearly list",
    "prevalence": "a laboratory's tested and positive, about 200 consecutive patients",
    "decided first by another biomarker": "joint results of a panel, about 500 patients",
    "attrition": "dates of request, result and start of treatment of 100 patients",
    "turnaround days": "dates of request and result of 100 samples",
    "failure": "samples received and samples with a usable result in a year",
    "sensitivity": "a comparison with the reference method, 100 positive samples",
    "specificity": "a comparison with the reference method, 200 negative samples",
    "cost of the assay": "a laboratory's cost per sample (reagents, hands, instrument) or its tariff",
    "work-up": "cost of block retrieval, sections and dispatch for one patient",
    "effect": "the later-therapy table or an adjusted analysis of the trial",
    "utility": "a utility study of this state, or its values in the country's own value set",
    "dose a month": "label dose and the usual body size of patients",
    "drug price": "the price paid by the main buyer, with year and pack",
    "monitoring": "visits and tests of a month on treatment, with the hospital's own costs",
    "cost of an administration": "cost of one infusion (chair, hands, consumables) or its tariff",
    "echocardiogram": "cost of one echocardiogram or its tariff",
    "access to the drug": "patients started on the drug over patients in need, by payer, in a year",
    "use without the test": "patients given the drug without a result, from a clinic's yearly list",
}


@dataclass(frozen=True)
class Line:
    """A plannable use case: its inputs as positions in ``Survey.asked``, by link and option."""

    use_case: str
    spares: bool
    prevalence: int
    links: Mapping[str, tuple[tuple[int, ...], ...]]

    parts: Mapping[int, float] = field(repr=False)  # input -> share of its link's options that read it
    pair: Mapping[int, int] = field(repr=False, default_factory=dict)  # stage -> relapse and back, which add up

    @cached_property
    def sorted(self) -> tuple[int, ...]:
        return tuple(sorted(self.parts))


@dataclass(frozen=True)
class Survey:
    """Everything that every plannable line rests on in every country of GLOBOCAN.

    ``grounds``: country -> one :class:`Ground` per input; ``carriers``: country -> use case -> people a year.
    """

    lines: tuple[Line, ...]
    asked: tuple[Input, ...]
    grounds: Mapping[str, tuple[Ground | None, ...]] = field(repr=False)
    carriers: Mapping[str, Mapping[str, float]] = field(repr=False)
    region_of: Mapping[str, str] = field(repr=False)
    _links: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.region_of.values())))


def survey(evidence: Evidence, countries: Collection[str] | None = None) -> Survey:
    """Resolve all inputs of all plannable lines; ``countries``: ISO codes, else all of GLOBOCAN."""
    asked: dict[tuple, int] = {}
    kept: list[Input] = []
    lines = tuple(_line(evidence, name, asked, kept) for name in complete(evidence).complete)
    shared = Grounds(evidence)
    found, carriers, region_of = {}, {}, {}
    everywhere = [shared.ground(None, i) if i.how == "row" else None for i in kept]
    for row in evidence.records("countries"):
        if not row["in_globocan"] or (countries is not None and row["iso3"] not in countries):
            continue
        where = place(evidence, row["iso3"])
        mine = tuple(g if i.how == "row" else shared.ground(where, i) for i, g in zip(kept, everywhere, strict=True))
        found[row["iso3"]], region_of[row["iso3"]] = mine, row["un_region"]
        carriers[row["iso3"]] = _carriers(evidence, shared.values(where), lines, mine)
    return Survey(lines, tuple(kept), found, carriers, region_of)


def _line(evidence: Evidence, name: str, asked: dict, kept: list[Input]) -> Line:
    """A use case's inputs, each kept once over all use cases."""
    links: dict[str, dict[str, list[int]]] = {}
    for found in inputs(evidence, *name.split("/")):
        identity = (found.table, found.column, found.key, found.how, found.link)
        if identity not in asked:
            asked[identity] = len(kept)
            kept.append(found)
        links.setdefault(found.link, {}).setdefault(found.option, []).append(asked[identity])
    options = {}
    for link, by_option in links.items():
        common = by_option.pop("", [])
        options[link] = tuple(tuple(dict.fromkeys([*common, *own])) for own in by_option.values()) or (tuple(common),)
    indication, biomarker = name.split("/")
    role = evidence.record("therapies", indication_id=indication, biomarker_id=biomarker)["role"]
    parts: dict[int, float] = {}
    for choices in options.values():
        for n in (n for option in choices for n in option):
            parts[n] = parts.get(n, 0.0) + 1 / len(choices)
    step = {kept[n].parameter: n for n in options["eligible"][0]}
    pair = {step["stage"]: step["relapse"], step["relapse"]: step["stage"]} if {"stage", "relapse"} <= step.keys() else {}
    return Line(name, role == "spares", options["prevalence"][0][0], options, parts, pair)


def _carriers(evidence: Evidence, values, lines: tuple[Line, ...], mine: tuple) -> dict[str, float]:
    """People a year for whom the result calls for the drug, by use case."""
    people = {r["indication_id"]: eligible(values, r).patients for r in evidence.records("indications")}
    out = {}
    for line in lines:
        share = mine[line.prevalence].value
        out[line.use_case] = people[line.use_case.split("/")[0]] * (1 - share if line.spares else share)
    return out


# -- grade and level ---------------------------------------------------------------------------------


def by_link(found: Survey, country: str, line: Line) -> dict[str, tuple[str, str | None]]:
    """link -> (grade, level) of a line in a country; the level is None for links that are the same everywhere."""
    mine = found.grounds[country]
    key = (line.use_case, tuple([None if mine[n] is None else (mine[n].quality, mine[n].level) for n in line.sorted]))
    if key not in found._links:
        found._links[key] = _links(mine, line)
    return found._links[key]


def _links(mine: tuple[Ground | None, ...], line: Line) -> dict[str, tuple[str, str | None]]:
    out = {}
    for link in LINKS:
        grounds = [[mine[n] for n in option if mine[n] is not None] for option in line.links[link]]
        grounds = [option for option in grounds if option]
        grade = middle([max(GRADES.index(g.quality) for g in option) for option in grounds])
        local = middle([LEVELS.index(g.level) for option in grounds for g in option if g.level != "world"] or [WORLD])
        out[link] = (GRADES[grade], LEVELS[local] if link in BY_PLACE else None)
    return out


def middle(values: list[int]) -> int:
    """The middle of some ranks, the worse one of two."""
    return sorted(values)[len(values) // 2]


def country_cells(found: Survey) -> pd.DataFrame:
    """One row per country and use case: the columns of :data:`CELLS`, and where prevalence is from."""
    rows = [(country, found.region_of[country], line.use_case, *_cell(by_link(found, country, line)),
             grounds[line.prevalence].level) for country, grounds in found.grounds.items() for line in found.lines]
    return pd.DataFrame(rows, columns=["iso3", "un_region", "use_case", "typical", "weakest", "weakest_link", "d_links",
                                       "mean_grade", "level", "near", "prevalence_level"])


def _cell(links: Mapping[str, tuple[str, str | None]]) -> tuple:
    grades = [GRADES.index(grade) for grade, _ in links.values()]
    weak = max(grades)
    which = [LINKS[link] for link, (grade, _) in links.items() if GRADES.index(grade) == weak]
    levels = [level for _, level in links.values() if level]
    return (GRADES[middle(grades)], GRADES[weak], "; ".join(which), grades.count(GRADES.index("D")),
            1 + sum(grades) / len(grades), LEVELS[middle([LEVELS.index(x) for x in levels])],
            sum(level in NEAR for level in levels))


def cells(countries: pd.DataFrame) -> pd.DataFrame:
    """One row per use case and UN region, of the middle country; see :data:`CELLS`.

    ``mean_grade``: mean over links and countries, A = 1 to D = 4; ``near``: of eight links, how many rest on the
    country or its UN region; ``own_prevalence``: countries with a prevalence of their own.
    """
    rows = []
    for (use_case, region), mine in countries.groupby(["use_case", "un_region"], sort=True):
        typical, weak = (middle([GRADES.index(g) for g in mine[c]]) for c in ("typical", "weakest"))
        links = mine.loc[mine["weakest"] == GRADES[weak], "weakest_link"]
        level = LEVELS[middle([LEVELS.index(x) for x in mine["level"]])]
        rows.append((use_case, region, len(mine), GRADES[typical], GRADES[weak], links.mode().iloc[0],
                     middle(list(mine["d_links"])), mine["mean_grade"].mean(), level,
                     -middle([-n for n in mine["near"]]), int((mine["prevalence_level"] == "country").sum())))
    return pd.DataFrame(rows, columns=list(CELLS))


# -- the weakest numbers -----------------------------------------------------------------------------


def weakest(found: Survey, countries: Collection[str] | None = None,
            swings: Iterable[tuple[float, Iterable[Mapping]]] = ()) -> pd.DataFrame:
    """The numbers of grade C or D, the weightiest first; see :data:`COLUMNS`.

    countries: those that count, else all; swings: for each sensitivity analysis its base value and the rows of its
    table ``parameters``. ``weight`` is a share of the people of all lines, times the spread of the grade; ``swing``
    the widest share of a plan's health, NaN where no analysis moved the number.
    """
    wanted = [c for c in found.grounds if countries is None or c in countries]
    total = sum(sum(found.carriers[c].values()) for c in wanted)
    rows = [_weak_row(identity, held, total) for identity, held in _collect(found, wanted).items()]
    moved = _moved(swings)
    for row in rows:
        row["swing"] = moved.get((row["table"], row["parameter"], row["key"]), float("nan"))
    rows.sort(key=lambda r: (-(r["weight"] + (r["swing"] if r["swing"] == r["swing"] else 0.0)), r["number"], r["of"],
                             r["level"], r["stratum"]))
    for n, row in enumerate(rows, start=1):
        row["rank"] = n
    return pd.DataFrame(rows, columns=[*COLUMNS, "key", "parameter"])


def _collect(found: Survey, wanted: list[str]) -> dict[tuple, dict]:
    """(input, what it rests on) -> its people, weight, countries and lines."""
    held: dict[tuple, dict] = {}
    for line in found.lines:
        people = {c: found.carriers[c][line.use_case] for c in wanted if found.carriers[c][line.use_case] > 0}
        for n, part in line.parts.items() if people else ():
            if found.asked[n].how == "row":  # the same everywhere
                _add(held, found.asked[n], found.grounds[wanted[0]][n], line, people, part)
                continue
            same: dict[tuple, dict[str, float]] = {}
            for country, count in people.items():
                mine = found.grounds[country]
                other = mine[line.pair[n]] if n in line.pair else None
                same.setdefault((mine[n], other and other.value), {})[country] = count
            for (ground, other), theirs in same.items():
                _add(held, found.asked[n], ground, line, theirs, part, other)
    return held


def _add(held: dict, asked: Input, ground: Ground | None, line: Line, people: Mapping[str, float], part: float,
         other: float | None = None) -> None:
    if ground is None or ground.quality not in WEAK or _is_rule(asked, ground):
        return
    for identity in _identities(asked, ground):
        mark = held.setdefault(identity, {"people": {}, "weight": 0.0, "lines": set(), "countries": set(), "input": asked,
                                          "ground": ground})
        mark["people"] |= {(line.use_case, c): n for c, n in people.items()}
        mark["weight"] += sum(people.values()) * part * spread(asked, ground, line.spares, other)
        mark["lines"].add(line.use_case)
        mark["countries"] |= people.keys()


def spread(asked: Input, ground: Ground, spares: bool = False, other: float | None = None) -> float:
    """How far a number may move its line, about one standard deviation, from its own interval or by its grade.

    Relative to its value for numbers that multiply the people or their gain (and for money); in itself for shares
    of which the complement counts: access, use without the test, overlap, specificity. A failed test and a delay
    move what is left of the results; where a marker spares a drug, its prevalence moves those without it; stage and
    relapse move the people of both (``other``: the other one's share). At most 1.
    """
    if asked.parameter == "effect":
        return SPREAD[ground.quality]
    if asked.parameter in ("turnaround days", "attrition"):
        usual = LOSS_PER_DAY if asked.parameter == "turnaround days" else DAYS
        return min(1.0, ground.value * usual * SPREAD[ground.quality])
    if asked.column not in SHARES:
        return min(1.0, log_sd(ground.low, ground.high, ground.quality))
    known = share_of(ground)
    if known is None:
        return 0.0
    deviation = math.sqrt(known.mean * (1 - known.mean) / (known.n + 1))
    rest = asked.parameter == "failure" or (asked.parameter == "prevalence" and spares)
    whole = 1.0 if asked.parameter in ABSOLUTE else 1 - ground.value if rest else ground.value
    if other is not None:
        deviation, whole = deviation * (1 - other), ground.value + (1 - ground.value) * other
    return min(1.0, deviation / whole)


def _is_rule(asked: Input, ground: Ground) -> bool:
    """A share of exactly 0 or 1 is a rule (a test that is demanded), not an estimate."""
    return asked.column in SHARES and ground.value in (0.0, 1.0)


def _identities(asked: Input, ground: Ground) -> list[tuple]:
    """What a number is one and the same by; access that follows a rule is the rule's number."""
    if ground.rules:
        return [("access_rules", asked.parameter, rule, ground.quality, "rule", "") for rule in ground.rules]
    return [(asked.table, asked.parameter, asked.name, ground.quality, ground.level, ground.stratum)]


def _weak_row(identity: tuple, held: Mapping, total: float) -> dict:
    table, parameter, name, grade, level, stratum = identity
    asked, ground = held["input"], held["ground"]
    own = table != "access_rules"
    return {"number": parameter, "of": name, "grade": grade, "level": level, "stratum": stratum,
            "low": ground.low if own else None, "high": ground.high if own else None,
            "lines": len(held["lines"]), "countries": len(held["countries"]), "people": sum(held["people"].values()),
            "weight": held["weight"] / total if total else 0.0, "moves": "money" if asked.link in MONEY else "health",
            "first_collect": COLLECT[parameter], "use_cases": "; ".join(sorted(held["lines"])), "table": table,
            "link": asked.link, "sources": "; ".join(ground.source_ids) if own else "", "key": asked.name,
            "parameter": parameter}


def _moved(swings: Iterable[tuple[float, Iterable[Mapping]]]) -> dict[tuple, float]:
    """(table, parameter, key) -> widest swing, as a share of a plan's health."""
    out: dict[tuple, float] = {}
    for base, rows in swings:
        for row in rows if base else ():
            parameter = row["parameter"].split(" (")[0]  # an effect is moved by its ratio or by a factor
            for key in (row["key"], "*") if row["table"] == "workup_costs" else (row["key"],):
                identity = (row["table"], parameter, key)
                out[identity] = max(out.get(identity, 0.0), row["swing"] / base)
    return out


def first(weak: pd.DataFrame, each: int = 3) -> pd.DataFrame:
    """What to collect first: the weightiest numbers of every kind."""
    return weak.groupby("number", sort=False).head(each).reset_index(drop=True)
