"""The constraints of the model, each checked on the decisions of a plan file.

One function for each rule of the specification; none of them knows how the planner writes its programme.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby

from planner.analysis.audit_book import Book, Reading, is_single
from planner.analysis.audit_check import CENT, RELATIVE, SHARE, Sheet
from planner.analysis.audit_types import check_types, of_base, required
from planner.pathway.problem import TherapyOption, UseCase

AXES = ("testing", "treatment", "total")


def check_rules(book: Book, sheet: Sheet, reference: dict | None) -> None:
    """All constraints. ``reference``: the file's own totals of today's practice, which a budget on top of
    today's needs; None where nothing is known of today."""
    _ = book.readings, book.work_ups  # reads every row, so that strangers and doubles are known
    for rule in (_known, _shares, _bases, _results, _offered, check_types, _prerequisites, _access, _first,
                 _blind, _decisions, _coverage, _policy, _ramp, _minutes, _supply):
        rule(book, sheet)
    _budgets(book, sheet, reference)


def _known(book: Book, sheet: Sheet) -> None:
    for name in ("place known", "service offered", "therapy offered"):
        sheet.none(name, "every row names what the problem has")
    for name, where, words in book.strangers:
        sheet.true(name, where, False, "unknown", "known", words)
    sheet.none("each decision once", "no decision stands twice")
    for where in book.doubled:
        sheet.true("each decision once", where, False, "twice", "once", "the same decision stands twice")


def _shares(book: Book, sheet: Sheet) -> None:
    name, words = "share between 0 and 1", "a share lies outside 0 to 1"
    sheet.none(name, "nothing is done")
    rows = [(str(w), v) for w in book.work_ups for v in (w.share, *w.bases.values())]
    rows += [(str(r.key), v) for r in book.readings for v in (r.share, r.access)]
    rows += [(f"{t.therapy}, {r.key}", v) for r in book.readings for t, *both in r.given for v in both]
    for where, value in rows:
        sheet.at_least(name, where, value, 0.0, words, 0.0)
        sheet.at_most(name, where, value, 1.0, words)


def _bases(book: Book, sheet: Sheet) -> None:
    """Bases exclude each other, and no more are worked up than the widest biomarker reaches."""
    sheet.none("bases sum to the work-up", "nobody is worked up")
    sheet.none("work-up within coverage", "nobody is worked up")
    for w in book.work_ups:
        sheet.equal("bases sum to the work-up", str(w), sum(w.bases.values()), w.share,
                    "the shares given each base do not sum to the share worked up", SHARE)
        reach = max((u.kap for u in w.indication.use_cases if u.active), default=0.0)
        sheet.at_most("work-up within coverage", str(w), w.share, reach,
                      "more are worked up than the widest biomarker can reach")


def _results(book: Book, sheet: Sheet) -> None:
    """A result comes from the base, or from singles within it; never both, never from more than get it."""
    sheet.none("results within their base", "no result is used")
    sheet.none("singles only where the base is silent", "no single is used")
    sums: dict[tuple, float] = {}
    for r in book.readings:
        k = r.key
        group = (k.region, k.indication, k.biomarker, k.base, k.year)
        sums[group] = sums.get(group, 0.0) + r.share
        own = book.options.get((k.region, k.indication, k.base))
        if is_single(r):
            sheet.true("singles only where the base is silent", str(k), not (own and own.result(k.biomarker)),
                       k.service, k.base, f"the base reads {k.biomarker} itself")
        sheet.true("service offered", str(k), r.option.kind == ("single" if is_single(r) else "base"), r.option.kind,
                   "single" if is_single(r) else "base", "a base is used as a single, or a single as a base")
    for (region, indication, biomarker, base, year), total in sums.items():
        y = book.base_share(region, indication, base, year)
        sheet.at_most("results within their base", f"{region} {indication}/{biomarker} within {base}, year {year + 1}",
                      total, y, "more results are used than patients are given the base")


def _offered(book: Book, sheet: Sheet) -> None:
    """Only services that say more than chance, and only lines and drugs that count."""
    for name in ("informative service", "evidence gate", "excluded lines"):
        sheet.none(name, "no result is used")
    for r in book.readings:
        sheet.at_least("informative service", str(r.key), r.result.se + r.result.sp, 1.0,
                       "sensitivity and specificity together say no more than chance", -1e-12)
        sheet.true("excluded lines", str(r.key), not (r.case.excluded and r.share > 0), "used", "excluded",
                   "the scenario excludes this line")
        fit = not r.case.gap and r.case.gated and bool(r.case.therapies)
        sheet.true("evidence gate", str(r.key), fit or r.share <= 0, r.case.level, book.scenario.evidence_gate.level,
                   r.case.gap or "no therapy of this line passes the gate")


def _prerequisites(book: Book, sheet: Sheet) -> None:
    name = "prerequisites"
    sheet.none(name, "no biomarker with a prerequisite is read")
    for w in book.work_ups:
        for base in w.bases:
            read: dict[str, float] = {}
            for r in of_base(book, w, base):
                read[r.key.biomarker] = read.get(r.key.biomarker, 0.0) + r.share
            for b, share in read.items():
                for first in required(book, w.indication.region, w.indication.indication, b):
                    sheet.at_most(name, f"{w}, {b} after {first} within {base}", share, read.get(first, 0.0),
                                  f"{b} is read in more patients than {first}, which it requires")


# -- drugs -------------------------------------------------------------------------------------------

Given = tuple[TherapyOption, float, float]


def groups(r: Reading) -> Iterator[tuple[str, list[Given]]]:
    """Therapies of a reading by line group."""
    ordered = sorted(r.given, key=lambda g: g[0].line_group)
    yield from ((name, list(mine)) for name, mine in groupby(ordered, key=lambda g: g[0].line_group))


def _access(book: Book, sheet: Sheet) -> None:
    """Access is nested within a line group: by today's access, by access bought, by both together."""
    for name in ("access nested", "bought access", "access ceiling"):
        sheet.none(name, "nobody is treated")
    for r in book.readings:
        for group, mine in groups(r):
            where, q = f"{r.key}, {group}", r.access / r.scale
            _nested(sheet, "access nested", where, q, [(t, x, t.alpha * t.sub) for t, x, _ in mine])
            _nested(sheet, "access ceiling", where, q, [(t, x + v, book.ceiling(t) * t.sub) for t, x, v in mine])
            for t, _, v in mine:
                sheet.at_most("bought access", f"{t.therapy}, {r.key}", v,
                              max(0.0, book.ceiling(t) - t.alpha) * t.sub * q,
                              "more access is bought than there is to buy")


def _nested(sheet: Sheet, name: str, where: str, q: float, rows: list[tuple[TherapyOption, float, float]]) -> None:
    ladder = sorted(rows, key=lambda row: (row[2], row[0].therapy))
    for (t, _, reach), total in zip(ladder, accumulate(given for _, given, _ in ladder), strict=True):
        sheet.at_most(name, f"{where}, up to {t.therapy}", total, q * reach,
                      "the scarcest drugs together serve more people than the commonest of them reaches")


def _first(book: Book, sheet: Sheet) -> None:
    """Whose result counts for drugs: all of it (random), or those with access first (selective)."""
    name = "who counts for access"
    sheet.none(name, "no result is used")
    selective = book.scenario.access.mode == "selective"
    sums: dict[tuple, float] = {}
    for r in book.readings:
        sheet.at_most(name, str(r.key), r.access, r.share, "more count for drugs than have the result")
        if not selective:
            sheet.at_least(name, str(r.key), r.access, r.share, "access is by lot: all with a result count")
        group = (r.case.region, r.case.id, r.key.year)
        sums[group] = sums.get(group, 0.0) + r.access
    for (region, case, year), total in sums.items():
        if selective:
            most = book.first_share(book.cases[(region, *case.split("/"))])
            sheet.at_most(name, f"{region} {case}, year {year + 1}", total, most,
                          "more are counted as reaching a drug than can reach any")


def _blind(book: Book, sheet: Sheet) -> None:
    """Nobody is denied, by being tested, what he would have got blind."""
    name = "nobody denied"
    sheet.none(name, "nobody is treated")
    for r in book.readings:
        for group, mine in groups(r):
            sheet.at_least(name, f"{r.key}, {group}", sum(x + v for _, x, v in mine),
                           sum(r.blind_share(t) for t, _, _ in mine),
                           "fewer positives are treated than would have been treated untested")


def _decisions(book: Book, sheet: Sheet) -> None:
    """Per treatment decision and base no more are given a matched drug than are worked up."""
    name = "treated within worked up"
    sheet.none(name, "nobody is treated")
    sums: dict[tuple, float] = {}
    for r in book.readings:
        for group, mine in groups(r):
            k = (r.key.region, r.key.indication, group, r.key.base, r.key.year)
            given = r.case.subgroup * r.result.eta * r.called * sum(x + v for _, x, v in mine)
            sums[k] = sums.get(k, 0.0) + given
    for (region, indication, group, base, year), total in sums.items():
        y = book.base_share(region, indication, base, year)
        sheet.at_most(name, f"{region} {indication} {group} within {base}, year {year + 1}", total, y,
                      "more people get a matched drug than are worked up")


# -- coverage and policy -------------------------------------------------------------------------------


def covered(book: Book) -> dict[tuple[str, str, str, int], float]:
    """Share of the asked whose result is used, by (region, indication, biomarker, year)."""
    out = {(u.region, u.indication, u.biomarker, t): 0.0 for u in book.problem.use_cases for t in book.years}
    for r in book.readings:
        out[r.key.region, r.key.indication, r.key.biomarker, r.key.year] += r.share
    return out


def attainable(book: Book, u: UseCase, year: int) -> float:
    """Highest coverage in a year: the ceiling, with selective access those who can get a drug, and what the
    ramp allows from today's coverage (unknown: from none)."""
    ramp, most = book.scenario.coverage.ramp_per_year, min(u.kap, book.first_share(u))
    return most if ramp is None else min(most, (u.kap0 or 0.0) + ramp * (year + 1))


def _coverage(book: Book, sheet: Sheet) -> None:
    for (region, indication, biomarker, t), share in covered(book).items():
        sheet.at_most("coverage within its ceiling", f"{region} {indication}/{biomarker}, year {t + 1}", share,
                      book.cases[region, indication, biomarker].kap, "more are covered than can be reached")


def _policy(book: Book, sheet: Sheet) -> None:
    """Floors: mandated lines, today's coverage where a budget is on top of today's, a list that is evaluated."""
    scenario = book.scenario
    for name in ("must-fund floors", "today's coverage kept", "the list that is evaluated"):
        sheet.none(name, "not asked for")
    for (region, indication, biomarker, t), share in covered(book).items():
        u, where = book.cases[region, indication, biomarker], f"{region} {indication}/{biomarker}, year {t + 1}"
        if u.id in scenario.policy.must_fund:
            sheet.at_least("must-fund floors", where, share, attainable(book, u, t), "a mandated line is not funded in full")
        if scenario.budget.basis == "additional" and u.active and u.kap0 is not None:
            sheet.at_least("today's coverage kept", where, share, min(u.kap0, u.kap), "less is tested than today")
        if scenario.mode == "evaluate":
            sheet.equal("the list that is evaluated", where, share, scenario.evaluate.get(u.id, 0.0),
                        "the coverage is not the one given", SHARE)


def before_plan(book: Book) -> dict[tuple[str, str, str], float]:
    """Today's coverage by line, known, or implied by a line tested today that requires it; else none."""
    out = {key: u.kap0 or 0.0 for key, u in book.cases.items()}
    for (region, indication, _), u in book.cases.items():
        for first in u.requires if u.active else ():
            if (region, indication, first) in out:
                out[region, indication, first] = max(out[region, indication, first], u.kap0 or 0.0)
    return out


def _ramp(book: Book, sheet: Sheet) -> None:
    name, ramp = "ramp", book.scenario.coverage.ramp_per_year
    sheet.none(name, "not limited")
    if ramp is None:
        return
    shares, before_all = covered(book), before_plan(book)
    for (region, indication, biomarker, t), share in shares.items():
        before = shares[region, indication, biomarker, t - 1] if t else before_all[region, indication, biomarker]
        sheet.at_most(name, f"{region} {indication}/{biomarker}, year {t + 1}", share, before + ramp,
                      "coverage grows faster than the ramp allows")


# -- people, supply, money -----------------------------------------------------------------------------


def _minutes(book: Book, sheet: Sheet) -> None:
    for kind in ("technician_minutes", "pathologist_minutes"):
        name, limit = kind.replace("_", " "), getattr(book.scenario.laboratory, kind)
        sheet.none(name, "not limited")
        if limit is not None:
            for t in book.years:
                sheet.at_most(name, f"year {t + 1}", book.minutes(t, kind), limit, "more minutes are needed than there are",
                              SHARE + RELATIVE * limit)


def _supply(book: Book, sheet: Sheet) -> None:
    """Reference people plus the difference, per drug with a fixed number of courses."""
    name = "fixed supplies"
    sheet.none(name, "no supply is fixed")
    supply = {drug: n for _, _, t in book.therapies() for drug, n in t.courses}
    for drug, courses in supply.items():
        untested = sum(u.asked(i.eligible) * t.fit * t.u0 for i, u, t in book.therapies() if drug in t.drugs)
        for year in book.years:
            more = sum(r.courses(t, x, v) for r in book.readings if r.key.year == year
                       for t, x, v in r.given if drug in t.drugs)
            sheet.at_most(name, f"{drug}, year {year + 1}", untested + more, courses,
                          "more courses are used than there are", SHARE + RELATIVE * courses)


def drug_money(book: Book, year: int) -> float:
    """D of the payers that the budget names; savings of a line count only if they are cashable."""
    budget = book.scenario.budget
    each = [by[z] for by in book.spending(year).values() for z in budget.payers]
    return sum(each) if budget.savings_cashable else sum(max(0.0, d) for d in each)


def spent(book: Book, axis: str, year: int) -> float:
    """What counts against a budget: money for tests, and for drugs against no test."""
    testing = book.testing(year) if axis != "treatment" else 0.0
    return testing + (drug_money(book, year) if axis != "testing" else 0.0)


def room(book: Book, axis: str, year: int, reference: dict | None) -> float:
    """The limit left for it: what untested patients are given is spent already (`all`), or today's tests, as
    the file states them, are paid for already (`additional`; drugs count against no test in either)."""
    limit = book.scenario.limit(axis, year)
    if book.scenario.budget.basis == "all":
        return limit if axis == "testing" else max(0.0, limit - book.blind_spending())
    return limit + (reference["testing_cost"] if reference and axis != "treatment" else 0.0)


def _budgets(book: Book, sheet: Sheet, reference: dict | None) -> None:
    for axis in AXES:
        name = f"{axis} budget"
        sheet.none(name, "not limited")
        for t in book.years:
            if book.scenario.limit(axis, t) is not None:
                limit = room(book, axis, t, reference)
                sheet.at_most(name, f"year {t + 1}", spent(book, axis, t), limit, "more money is spent than the limit allows",
                              CENT + RELATIVE * abs(limit))
