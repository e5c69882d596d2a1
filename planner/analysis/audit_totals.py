"""Every total of a plan file against the same total recomputed from its decisions.

A plan of several years shows its mean year. What several biomarkers share is split so that the parts sum: a
base by the health that each biomarker read from it brings, a work-up by the coverage of the lines read in it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from math import fsum

from planner.analysis.audit_alone import Alone
from planner.analysis.audit_book import Book, Reading, is_single
from planner.analysis.audit_check import CENT, SHARE, SMALL, Sheet
from planner.analysis.audit_file import HEALTH
from planner.analysis.audit_rules import attainable
from planner.pathway.problem import MEASURES, TherapyOption, UseCase
from planner.scenario.model import PAYERS

Line = tuple[str, str, str]  # region, indication, biomarker


class Sums:
    """The mean year of a plan, by line; money in USD, people and health a year."""

    def __init__(self, book: Book):
        self.book, self.years = book, book.problem.years
        self.by_line: dict[Line, list[Reading]] = defaultdict(list)
        for r in book.readings:
            self.by_line[r.key.region, r.key.indication, r.key.biomarker].append(r)

    def mean(self, values) -> float:
        return fsum(values) / self.years

    def share(self, line: Line) -> float:
        return self.mean(r.share for r in self.by_line[line])

    def tested(self, line: Line) -> float:
        return self.mean(r.tested for r in self.by_line[line])

    def positive(self, line: Line) -> float:
        """Results that call for the drug."""
        return self.mean(r.found for r in self.by_line[line])

    def found(self, line: Line) -> float:
        """Positives in the laboratory's own wording: with a result that spares patients a drug, those who
        are spared it."""
        return self.mean(r.tested * r.result.eta * (1 - r.called) if r.case.role == "spares" else r.found
                         for r in self.by_line[line])

    def health(self, line: Line, measure: str) -> float | None:
        case = self.book.cases[line]
        if any(t.effects.pair(measure) is None for t in case.therapies):
            return None
        return self.mean(r.gain(measure) or 0.0 for r in self.by_line[line])

    def treated(self, line: Line) -> dict[str, float]:
        out: dict[str, float] = defaultdict(float)
        for r in self.by_line[line]:
            for t, x, v in r.given:
                out[t.therapy] += r.people(t, x + v) / self.years
        return out

    def treated_by_payer(self, line: Line) -> dict[str, float]:
        out = dict.fromkeys(PAYERS, 0.0)
        for r in self.by_line[line]:
            for t, x, v in r.given:
                for z, n in self.book.by_payer(r, t, x, v).items():
                    out[z] += n / self.years
        return out

    def by_group(self, line: Line, fit: bool) -> float:
        """People of the line of treatment that reaches most: treated, or able to get the drug (fit or not)."""
        out: dict[str, float] = defaultdict(float)
        for r in self.by_line[line]:
            for t, x, v in r.given:
                out[t.line_group] += r.people(t, x + v) / (1.0 if fit else t.fit or 1.0) / self.years
        return max(out.values(), default=0.0)

    def blind(self, line: Line) -> float:
        return self.mean(r.blind(t) for r in self.by_line[line] for t, _, _ in r.given)

    def incremental(self, line: Line) -> float:
        """Discounted cost against the comparator, all payers."""
        return self.mean(r.courses(t, x, v) * t.m for r in self.by_line[line] for t, x, v in r.given)

    def bounded(self, line: Line) -> bool:
        """Whether a drug that is used replaces a treatment without a price, so that its cost is an upper bound."""
        return any(t.m_kind != "incremental" and abs(r.courses(t, x, v)) > SHARE
                   for r in self.by_line[line] for t, x, v in r.given)

    @cached_property
    def spending(self) -> dict[tuple[str, str], dict[str, float]]:
        """Cash for drugs by (region, use case) and payer."""
        out: dict = {}
        for t in self.book.years:
            for case, by in self.book.spending(t).items():
                mine = out.setdefault(case, dict.fromkeys(PAYERS, 0.0))
                for z, cash in by.items():
                    mine[z] += cash / self.years
        return out

    def cash(self, line: Line) -> dict[str, float]:
        return self.spending.get((line[0], f"{line[1]}/{line[2]}"), dict.fromkeys(PAYERS, 0.0))

    @cached_property
    def testing(self) -> dict[Line, float]:
        """Money for tests by line."""
        out: dict[Line, float] = defaultdict(float)
        for line, mine in self.by_line.items():
            out[line] += fsum(r.tested * self.book.price(r.option) for r in mine if is_single(r))
        groups: dict[tuple, list] = defaultdict(list)
        for w in self.book.work_ups:
            i = w.indication
            groups[i.region, i.indication, ""].append(i.eligible * w.share * i.workup_cost)
            for base, y in w.bases.items():
                if (option := self.book.options.get((i.region, i.indication, base))) is not None:
                    groups[i.region, i.indication, base].append(i.eligible * y * self.book.price(option))
        for (region, indication, base), costs in groups.items():
            self._split(out, fsum(costs), region, indication, base)
        return {line: total / self.years for line, total in out.items()}

    def _split(self, out: dict, cost: float, region: str, indication: str, base: str) -> None:
        """A base by health brought, a work-up (no base named) by coverage; in equal parts where nothing is."""
        weights: dict[Line, float] = {}
        for line, mine in self.by_line.items():
            read = [r for r in mine if not base or (r.key.base == base and not is_single(r))]
            if line[:2] == (region, indication) and fsum(r.share for r in read) > 0:
                weights[line] = max(0.0, fsum(r.gain("qalys") or 0.0 for r in read)) if base else \
                    fsum(r.share for r in read)
        total = fsum(weights.values())
        for line, weight in weights.items():
            out[line] += cost * (weight / total if total else 1 / len(weights))

    def assays(self) -> dict[str, list[float]]:
        """(samples, cost, technician minutes, pathologist minutes) by assay."""
        out: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
        for t in self.book.years:
            for people, option in self.book.services(t):
                for a in option.assays:
                    for n, per in enumerate((a.runs, a.cost, a.technician_minutes, a.pathologist_minutes)):
                        out[a.assay][n] += people * per / self.years
        return out


def check_totals(book: Book, document: dict, sheet: Sheet) -> None:
    """Every number of the list, the views and the totals."""
    sums = Sums(book)
    lines = {(row["region"], row["indication_id"], row["biomarker_id"]): row for row in document["list"]}
    sheet.true("one row per use case", "list", lines.keys() == book.cases.keys() and len(lines) == len(document["list"]),
               len(document["list"]), len(book.cases), "the list does not have every use case once")
    for line in lines.keys() & book.cases.keys():
        _line(sheet, sums, line, lines[line])
    _totals(sheet, sums, document)
    for view in (_by_biomarker, _by_region, _by_year):  # by test: audit_laboratory.py
        view(sheet, sums, document)


def _line(sheet: Sheet, sums: Sums, line: Line, row: dict) -> None:
    u, where = sums.book.cases[line], f"list {line[0]} {line[1]}/{line[2]}"

    def same(name: str, have, need, slack: float = SMALL, part: str = "") -> None:
        sheet.equal(f"line: {name}", f"{where}{part}", have, need, "the file's figure is not that of its decisions", slack)

    cash, treated, payers = sums.cash(line), sums.treated(line), sums.treated_by_payer(line)
    same("coverage", row["coverage"], sums.share(line), SHARE)
    reach = fsum(attainable(sums.book, u, t) for t in sums.book.years) / sums.years
    same("attainable coverage", row["attainable_coverage"], reach, SHARE)
    same("subgroup", row["subgroup"], u.subgroup, SHARE)
    same("patients tested", row["patients_tested"], sums.tested(line))
    same("positives found", row["positives_found"], sums.found(line))
    same("patients treated", row["patients_treated"], fsum(treated.values()))
    same("treated blind", row["treated_blind"], sums.blind(line))
    for z in PAYERS:
        same("treated by payer", row["treated_by_payer"][z], payers[z], SMALL, f", {z}")
        same("cost by payer", row["cost_by_payer"][z], cash[z], CENT, f", {z}")
    same("treatment cost", row["treatment_cost"], fsum(cash.values()), CENT)
    same("testing cost", row["testing_cost"], sums.testing.get(line, 0.0), CENT)
    same("incremental cost", row["incremental_cost"], sums.incremental(line), CENT)
    same("qalys", row["qalys"] or 0.0, sums.health(line, "qalys") or 0.0)
    for m in HEALTH:
        same("health", row["health"][m], sums.health(line, m), SMALL, f", {m}")
    _shares_of_line(same, sums, line, row, treated)
    _given(same, sums, line, row)
    _by_itself(sheet, sums, line, row, where)
    _ratio(sheet, sums, line, row, where)
    _chain(sheet, same, sums, line, row, where)


def _given(same, sums: Sums, line: Line, row: dict) -> None:
    """What is not decided but read: prevalence, today's coverage, access; and how many of how many are reached."""
    u, i = sums.book.cases[line], sums.book.indications[line[:2]]
    same("prevalence", row["prevalence"], u.prevalence, SHARE)
    same("prevalence", row["prevalence_net"], u.prevalence_net, SHARE, ", net of what others decide first")
    same("coverage today", row["coverage_today"], u.kap0, SHARE)
    same("access", row["access_share"], max((t.alpha for t in u.therapies), default=None), SHARE)
    same("evidence level", row["gate"]["level"], u.level, 0.0)
    same("chain", row["chain"].get("reaches_care"), dict(i.steps).get("reaches_care"), SHARE, ", reaches care")
    told = {d["drug"]: d for d in row["drugs"]}
    reach: dict[str, TherapyOption] = {}
    for t in u.therapies:
        for drug in t.drugs:
            reach[drug] = t if drug not in reach or t.alpha > reach[drug].alpha else reach[drug]
    for drug in sorted(told.keys() | reach.keys()):
        have, need = told.get(drug, {"share": None, "payers": {}}), reach.get(drug)
        same("access", have["share"], need.alpha if need else None, SHARE, f", {drug}")
        paid = dict(need.payers) if need else {}
        for z in sorted(have["payers"].keys() | paid.keys()):
            same("access", have["payers"].get(z), paid.get(z), SHARE, f", {drug}, {z}")
    same("reaches", row["reaches"]["people"], sums.tested(line), SMALL, ", people")
    most = fsum(attainable(sums.book, u, t) for t in sums.book.years) / sums.years
    same("reaches", row["reaches"]["of"], u.asked(i.eligible) * most, SMALL, ", of")


def _by_itself(sheet: Sheet, sums: Sums, line: Line, row: dict, where: str) -> None:
    """What the line could bring by itself: its potential, the ratio and the price at which it pays."""
    u, i = sums.book.cases[line], sums.book.indications[line[:2]]
    alone = Alone(u, i, sums.book.problem.threshold)
    most = fsum(attainable(sums.book, u, t) for t in sums.book.years) / sums.years
    share, health = sums.share(line), sums.health(line, "qalys") or 0.0
    there = alone.potential() * u.asked(i.eligible) * u.kap
    if u.therapies and not u.gap and alone.services and alone.drugs:
        there = max(there, health * most / share if share > SHARE else 0.0)
    words = "the file's figure is not that of the line by itself"
    sheet.equal("line: potential", where, row["qalys_potential"], there, words)
    sheet.equal("line: cost per QALY where it pays", where, row["cost_per_qaly_where_it_pays"], alone.where_it_pays(), words,
                CENT)
    price = alone.price() if row["priority_tier"] in ("lower_price", "when_drug") else None
    told = row["price_that_pays"]
    sheet.true("line: price that pays", f"{where}, therapy", (told or {}).get("therapy") == (price or (None,))[0],
               (told or {}).get("therapy", "none"), (price or ("none",))[0], words)
    if told and price:
        t = next(t for t in u.therapies if t.therapy == price[0])
        sheet.equal("line: price that pays", where, told["price"], price[1], words, CENT)
        sheet.equal("line: price that pays", f"{where}, course today", told["course_cost"], t.course_cost, words, CENT)


def _shares_of_line(same, sums: Sums, line: Line, row: dict, treated: dict) -> None:
    services: dict[str, float] = defaultdict(float)
    for r in sums.by_line[line]:
        services[r.key.service] += r.share / sums.years
    for said, mine, name, key, figure, slack in (
            (row["services"], services, "services", "service", "share", SHARE),
            (row["therapies"], treated, "therapies", "therapy", "treated", SMALL)):
        told: dict[str, float] = defaultdict(float)
        for entry in said:
            told[entry[key]] += entry[figure]
        for one in sorted(told.keys() | mine.keys()):
            same(name, told.get(one, 0.0), mine.get(one, 0.0), slack, f", {one}")


def _ratio(sheet: Sheet, sums: Sums, line: Line, row: dict, where: str) -> None:
    """All-in cost per QALY: tests and incremental cost over health; where only a bound is known no ratio is shown."""
    health = sums.health(line, "qalys") or 0.0
    if sums.share(line) <= SHARE or abs(health) <= SMALL:
        return  # what it would cost if it were funded, or a ratio to next to nothing
    need = (sums.testing.get(line, 0.0) + sums.incremental(line)) / health if health > 0 else None
    words = "not tests and incremental cost over QALYs"
    sheet.equal("line: cost per QALY, bound", where, row["cost_per_qaly_ceiling"], need, words, CENT)
    sheet.equal("line: cost per QALY", where, row["cost_per_qaly"], None if sums.bounded(line) else need, words, CENT)


def _chain(sheet: Sheet, same, sums: Sums, line: Line, row: dict, where: str) -> None:
    """People at each link; several lines of treatment count the one that reaches most. ``accessible`` is held
    between those treated and those who would be if all were fit."""
    i, u, chain = sums.book.indications[line[:2]], sums.book.cases[line], row["chain"]
    same("chain", chain["incident"], i.incident, SMALL, ", incident")
    same("chain", chain["eligible"], u.asked(i.eligible), SMALL, ", eligible")
    if chain.get("basis") != "plan":
        return  # what it could be, not what is decided
    mine = sums.by_line[line]
    treated, reach = sums.by_group(line, fit=True), sums.by_group(line, fit=False)
    steps = {"worked_up": sums.tested(line), "adequate": sums.mean(r.tested * r.result.usable for r in mine),
             "in_time": sums.mean(r.tested * r.result.eta for r in mine), "positive": sums.positive(line),
             "treated": min(treated, sums.positive(line))}
    for step, need in steps.items():
        same("chain", chain[step], need, SMALL, f", {step}")
    words = "not between the people treated and those who can reach a drug"
    have = chain["accessible"] if chain["accessible"] is not None else -1.0
    sheet.at_least("line: chain", f"{where}, accessible", have, min(treated, sums.positive(line)), words, SMALL)
    sheet.at_most("line: chain", f"{where}, accessible", have, min(reach, sums.positive(line)), words, SMALL)


def _totals(sheet: Sheet, sums: Sums, document: dict) -> None:
    book, totals, lines = sums.book, document["totals"], list(sums.book.cases)

    def same(name: str, have, need, slack: float = SMALL) -> None:
        sheet.equal(f"total: {name}", "totals", have, need, "the file's total is not that of its decisions", slack)

    testing = sums.mean(book.testing(t) for t in book.years)
    incremental = fsum(map(sums.incremental, lines))
    cash = {z: fsum(sums.cash(line)[z] for line in lines) for z in PAYERS}
    qalys = fsum(sums.health(line, "qalys") or 0.0 for line in lines)
    same("testing cost", totals["testing_cost"], testing, CENT)
    sheet.equal("shared costs sum to the whole", "testing cost of all lines", fsum(sums.testing.values()), testing,
                "the parts of what lines share do not sum to the whole", CENT)
    same("treatment cost", totals["treatment_cost"], fsum(cash.values()), CENT)
    for z in PAYERS:
        sheet.equal("total: cost by payer", f"totals, {z}", totals["cost_by_payer"][z], cash[z],
                    "the file's total is not that of its decisions", CENT)
    same("incremental cost", totals["incremental_cost"], incremental, CENT)
    for m in MEASURES[:4]:
        same(m.replace("_", " "), totals[m], fsum(sums.health(line, m) or 0.0 for line in lines))
    same("patients eligible", totals["patients_eligible"],
         fsum(i.eligible for i in book.problem.indications if any(not u.gap for u in i.use_cases)))
    same("patients tested", totals["patients_tested"], sums.mean(w.indication.eligible * w.share for w in book.work_ups))
    same("positives found", totals["positives_found"], fsum(map(sums.found, lines)))
    same("patients treated", totals["patients_treated"], fsum(fsum(sums.treated(line).values()) for line in lines))
    same("treated blind", totals["treated_blind"], fsum(map(sums.blind, lines)))
    same("tests done", totals["tests_done"], fsum(n for n, *_ in sums.assays().values()))
    cost = testing + incremental
    same("net health", totals["net_health"], qalys - cost / book.problem.threshold)
    same("cost per QALY", totals["cost_per_qaly"], cost / qalys if qalys > 0 else None, CENT)
    same("upper bound", float(totals["cost_is_upper_bound"]), float(any(map(sums.bounded, lines))), 0.0)
    same("threshold", document["threshold"]["value"], book.problem.threshold, CENT)
    same("blind spending", document["blind_spending"], book.blind_spending(), CENT)
    done = [line for line in lines if sums.share(line) > SHARE]
    same("lines funded", totals["lines_funded"], float(len(done)), 0.5)
    same("biomarkers funded", totals["biomarkers_funded"], float(len({b for _, _, b in done})), 0.5)
    same("indications funded", totals["indications_funded"], float(len({i for _, i, _ in done})), 0.5)
    for m in MEASURES:
        missing = sorted({u.id for u in book.problem.use_cases if _numberless(u, m)})
        sheet.true("total: lines without a number", f"totals, {m}", sorted(totals["without_number"].get(m, [])) == missing,
                   len(totals["without_number"].get(m, [])), len(missing), f"lines without a number: {', '.join(missing)}")


def _numberless(u: UseCase, measure: str) -> bool:
    return any(t.effects.pair(measure) is None for t in u.therapies)


# -- views ---------------------------------------------------------------------------------------------


def _view(sheet: Sheet, view: str, rows: list[dict], key: str, need: dict[str, dict[str, float]]) -> None:
    """Rows of a view against the figures recomputed, by the name in ``key``."""
    told = {row[key]: row for row in rows}
    sheet.true(view, view, told.keys() == need.keys() and len(told) == len(rows), len(rows), len(need),
               f"not one row for each: {', '.join(sorted(map(str, told.keys() ^ need.keys())))}")
    for name in told.keys() & need.keys():
        for figure, value in need[name].items():
            sheet.equal(view, f"{view} {name}, {figure}", told[name][figure] or 0.0, value,
                        "the view's figure is not that of the decisions", CENT if "cost" in figure else SMALL)


def _figures(sums: Sums, lines: list[Line]) -> dict[str, float]:
    return {"testing_cost": fsum(sums.testing.get(line, 0.0) for line in lines),
            "treatment_cost": fsum(fsum(sums.cash(line).values()) for line in lines),
            "qalys": fsum(sums.health(line, "qalys") or 0.0 for line in lines),
            "patients_treated": fsum(fsum(sums.treated(line).values()) for line in lines)}


def _by_biomarker(sheet: Sheet, sums: Sums, document: dict) -> None:
    mine: dict[str, list[Line]] = defaultdict(list)
    for line in sums.book.cases:
        mine[line[2]].append(line)
    need = {b: _figures(sums, lines) | {
        "patients_tested": fsum(map(sums.tested, lines)), "positives_found": fsum(map(sums.found, lines)),
        "incremental_cost": fsum(map(sums.incremental, lines)), "use_cases": float(len(lines)),
        "funded": float(sum(sums.share(line) > SHARE for line in lines)), "best_rank": float(_best(document, b))}
        for b, lines in mine.items()}
    _view(sheet, "by biomarker", document["by_biomarker"], "biomarker_id", need)


def _best(document: dict, biomarker: str) -> int:
    """The first rank at which a biomarker stands in the list."""
    return min((n for n, row in enumerate(document["list"], 1) if row["biomarker_id"] == biomarker), default=0)


def _by_region(sheet: Sheet, sums: Sums, document: dict) -> None:
    need = {code: _figures(sums, [line for line in sums.book.cases if line[0] == code])
            for code, _ in sums.book.problem.places}
    _view(sheet, "by region", document["by_region"], "region", need)


def _by_year(sheet: Sheet, sums: Sums, document: dict) -> None:
    book = sums.book
    need = {t + 1: {"testing_cost": book.testing(t),
                    "treatment_cost": fsum(fsum(by.values()) for by in book.spending(t).values())} for t in book.years}
    _view(sheet, "by year", document["by_year"], "year", need)
