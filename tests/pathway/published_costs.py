"""Published cost models of laboratories: what they print, and what this planner's own functions make of their inputs.

Inputs and printed figures are the JSON files of ``published/``, one a source; numbers are facts and are carried over,
no text is. A pathway is costed by :mod:`planner.pathway.branches`, the rest by :mod:`planner.pathway.costing`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from planner.pathway.branches import Expected, Step, WorkUp, expected
from planner.pathway.costing import annuity, average_cost, break_even, runs_for, yearly_cost
from planner.pathway.performance import Performance
from tests.analysis.published import Figure

FOLDER = Path(__file__).with_name("published")


def accuracy(se: float = 1.0, sp: float = 1.0, open_carrier: float = 0.0, open_other: float = 0.0) -> dict:
    return {"sensitivity": se, "specificity": sp, "equivocal_carrier": open_carrier, "equivocal_noncarrier": open_other}


@dataclass(frozen=True)
class Costed:
    """Expected money and runs of each step per patient of a pathway, and what it tells of its biomarker."""

    cost: float
    runs: tuple[float, ...]
    told: Expected


def pathway(*steps: tuple[str, float, dict], prevalence: float) -> Costed:
    """A pathway of (rule, price, accuracy) for patients of whom ``prevalence`` carry the biomarker; its assays never
    fail and take no time."""
    work = WorkUp(tuple(Step(str(n), ("biomarker",), rule, 0.0, 0.0, {"biomarker": Performance(row)})
                        for n, (rule, _, row) in enumerate(steps)), {"biomarker": prevalence})
    told, runs, _ = expected(work, "biomarker")
    return Costed(sum(n * price for n, (_, price, _) in zip(runs, steps, strict=True)), runs, told)


def van_nimwegen(x: dict) -> dict[str, float]:
    rate = x["interest"]
    ours = {f"annuity factor, {name}": annuity(years, rate) for name, years in x["lives"].items()}
    for name, p in x["platforms"].items():
        n, parts = p["samples"], p["operations"]
        capital = sum(yearly_cost(i["capital"], i["life_years"], rate) for i in p["instruments"])
        maintenance = sum(yearly_cost(0.0, i["life_years"], rate, i["maintenance"], i["free_years"])
                          for i in p["instruments"])
        both = sum(yearly_cost(i["capital"], i["life_years"], rate, i["maintenance"], i["free_years"])
                   for i in p["instruments"])
        ours |= {
            f"{name}: capital a year": capital,
            f"{name}: capital per sample": average_cost(n, 0.0, capital, n, 0.0, 1, 0.0),
            f"{name}: maintenance a year": maintenance,
            f"{name}: maintenance per sample": average_cost(n, 0.0, maintenance, n, 0.0, 1, 0.0),
            f"{name}: operations per sample": average_cost(n, 0.0, 0.0, n, 0.0, 1, sum(parts)),
            f"{name}: total per sample": average_cost(n, 0.0, both, n, 0.0, 1, sum(parts)),
        }
    return ours


def vinuesa(x: dict) -> dict[str, float]:
    culture, confirmation, pcr = x["culture"], x["confirmation"], sum(x["pcr"])
    first, second = x["by culture"], x["by PCR"]
    after = (("all", culture, accuracy()), ("positive", confirmation, accuracy()))
    by_culture = pathway(*after, prevalence=first["confirmed"] / first["tested"])
    false = (second["cultured"] - second["confirmed"]) / (second["tested"] - second["confirmed"])
    by_pcr = pathway(("all", pcr, accuracy(sp=1 - false)), ("positive", culture, accuracy()),
                     ("positive", confirmation, accuracy()), prevalence=second["confirmed"] / second["tested"])
    return {
        "culture and confirmation of a positive specimen": pathway(*after, prevalence=1.0).cost,
        "culture first: all specimens": first["tested"] * by_culture.cost,
        "PCR first: all specimens": second["tested"] * by_pcr.cost,
    }


def her2(x: dict, hybridised: set[int]) -> tuple[float, float]:
    """(right, false positive) shares of patients when these stain scores are hybridised; 2+ is open, or called positive
    like 3+ where both are confirmed."""
    scores = [s / sum(x["stain 0, 1+, 2+, 3+"]) for s in x["stain 0, 1+, 2+, 3+"]]
    carriers = [s * q for s, q in zip(scores, x["hybridisation positive"], strict=True)]
    others = [s - c for s, c in zip(scores, carriers, strict=True)]
    prevalence = sum(carriers)
    called = {2, 3} if hybridised == {2, 3} else {3}

    def share(of, which):
        return sum(of[n] for n in which) / sum(of)

    stain = accuracy(share(carriers, called), share(others, {0, 1}), share(carriers, {2} - called),
                     share(others, {2} - called))
    rule = "positive" if hybridised == {2, 3} else "equivocal"
    result = pathway(("all", 0.0, stain), (rule, 0.0, accuracy()), prevalence=prevalence).told
    false = (1 - prevalence) * (1 - result.specificity)
    return prevalence * result.sensitivity + (1 - prevalence) * result.specificity, false


def dendukuri(x: dict) -> dict[str, float]:
    both, base = her2(x["article"], {2, 3}), her2(x["report"], {2})
    return {
        "article, 2+ hybridised: right, per cent": 100 * her2(x["article"], {2})[0],
        "article, 2+ and 3+ hybridised: right, per cent": 100 * both[0],
        "article, 2+ and 3+ hybridised: false positive, per cent": 100 * both[1],
        "report, 2+ hybridised: right, per cent": 100 * base[0],
        "report, 2+ hybridised: right, of 320": x["report"]["patients"] * base[0],
    }


def wordsworth(x: dict) -> dict[str, float]:
    """The cost of a child who goes the whole path: each result is the one on which the next test is done."""
    ours = {}
    for level, paths in x.items():
        for name, steps in paths.items():
            rules = [rule for rule, _ in steps[1:]] + ["positive"]
            path = [(rule, price, accuracy(se=float(then == "positive")))
                    for (rule, price), then in zip(steps, rules, strict=True)]
            ours[f"{name}, {level}"] = pathway(*path, prevalence=1.0).cost
    return ours


def rice(x: dict) -> dict[str, float]:
    ours = {}
    for n, lanes in x["designs"]:
        sequencing = average_cost(n, 0.0, 0.0, 1, x["lane"], n / lanes, 0.0)
        each = average_cost(n, 0.0, 0.0, 1, x["lane"], n / lanes, x["library"])
        name = f"{n} samples, {lanes} lanes"
        ours |= {f"{name}: lanes": n * sequencing, f"{name}: libraries": n * (each - sequencing),
                 f"{name}: total": n * each, f"{name}: per sample": each,
                 f"{name}: per million read pairs": n * each / (lanes * x["million read pairs of a lane"])}
    return ours


def dunitz(x: dict) -> dict[str, float]:
    n, kit, run = x["batch"], x["library kit"], x["run"]
    return {
        "library of one of 48": average_cost(n, 0.0, 0.0, 1, kit, n, 0.0),
        "run of one of 48": average_cost(n, 0.0, 0.0, 1, run, n, 0.0),
        "total of one of 48": average_cost(n, 0.0, 0.0, 1, kit + run, n, sum(x["per sample"])),
    }


def floodlamp(x: dict) -> dict[str, float]:
    full, school, wage = x["pools of a plate"], x["school"], x["wage with overhead"]
    plate, reagents = sum(x["plate"]), sum(x["reagents of a pool"])
    pools = full * x["plates an hour"] * x["hours a day"]
    labour = x["technician shifts a day"] * x["hours paid of a shift"] * wage
    collection = x["collection tube"] + x["persons of a pool"] * x["swab"]
    inactivation = wage * x["hours paid of a shift"] / x["hours worked of a shift"] / x["pools inactivated an hour"]
    assay = average_cost(pools, labour, 0.0, 1, 0.0, full, 0.0)
    total = average_cost(pools, labour, 0.0, 1, plate, full, reagents + collection + inactivation)
    at_scale = average_cost(pools, labour, 0.0, 1, 0.0, full,
                            x["consumables of a pool at scale"] + collection + inactivation)
    tubes = school["persons"] * school["tests a week"] / school["days a week"] / x["persons of a pool"]
    priced = sum(school["consumables of a pool"]) * school["wells priced of a plate"]
    day, hands = runs_for(tubes, full) * priced, school["technicians"] * x["hours paid of a shift"] * wage
    return {
        "consumables of a plate": plate,
        "assay consumables of a pool": average_cost(pools, 0.0, 0.0, 1, plate, full, reagents),
        "collection of a pool": collection,
        "assay labour a day": labour,
        "assay labour of a pool": assay,
        "assay labour of a person": assay / x["persons of a pool"],
        "assay labour of a person of a large pool": assay / x["persons of a large pool"],
        "inactivation labour of a pool": inactivation,
        "total of a pool": total,
        "total of a pool at scale": at_scale,
        "total of a person": total / x["persons of a pool"],
        "total of a person at scale": at_scale / x["persons of a pool"],
        "school: plates a day": runs_for(tubes, full),
        "school: consumables of a plate": priced,
        "school: consumables a day": day,
        "school: labour a day": hands,
        "school: total a day": day + hands,
        "school: total a week": school["days a week"] * (day + hands),
    }


def saved(shape: str, positive: float, size: int) -> float:
    """Per cent saved per sample: one test a pool (a row and a column of the matrix) shared by ``size`` samples, then a
    single test of the samples of a positive pool (of a positive row and column)."""
    shared, again = (1, size * positive) if shape == "simple" else (2, (size * positive) ** 2)
    if again > 1:
        return float("-inf")
    return 100 * (1 - pathway(("all", shared / size, accuracy()), ("positive", 1.0, accuracy()), prevalence=again).cost)


def pooling(x: dict) -> dict[str, float]:
    ours = {}
    for shape in ("simple", "matrix"):
        for positive, size in x[shape]:
            name = f"{shape}, {100 * positive:g} % positive"
            ours[f"{name}, pools of {size}"] = saved(shape, positive, size)
            if size < 80:
                ours[f"{name}: best pool"] = max(range(2, x["largest pool"] + 1),
                                                 key=lambda n, s=shape, p=positive: saved(s, p, n))
    return ours


def labce(x: dict) -> dict[str, float]:
    price, each = x["revenue"] / x["tests"], x["variable"] / x["tests"]
    return {"variable cost of a test": each,
            "break-even, tests": break_even(lambda n: average_cost(n, x["fixed"], 0.0, 1, 0.0, 1, each),
                                            lambda n: price, x["tests"])}


MODELS = {
    "van_nimwegen_2016": van_nimwegen, "dunitz_2015": dunitz, "rice_2023": rice, "floodlamp_2022": floodlamp,
    "vinuesa_2018": vinuesa, "dendukuri_2007": dendukuri, "pooling_2022": pooling, "wordsworth_2007": wordsworth,
    "labce": labce,
}


@lru_cache
def read(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def computed(name: str) -> dict[str, float]:
    return MODELS[name](read(name)["inputs"])


@lru_cache
def figures() -> tuple[Figure, ...]:
    """Every printed figure of every source beside ours; half a unit of the last printed digit apart at most, or what
    the file says and why."""
    found = []
    for name in MODELS:
        file, ours = read(name), computed(name)
        for what, theirs in file["printed"].items():
            within, why = file.get("apart", {}).get(what, (None, ""))
            found.append(Figure(file["example"], what, theirs, ours[what], within, why))
    return tuple(found)


def sources() -> list[tuple[str, str, str, str, str]]:
    """(example, what kind of model, unit, source, what we had to assume) of each file."""
    return [tuple(read(name)[key] for key in ("example", "kind", "unit", "source", "assumed")) for name in MODELS]
