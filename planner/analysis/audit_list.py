"""The list's own rules, and the value of the plan against the frontier that the file shows.

What a rule needs and the file does not hold (coverage at half the budget, the price that pays) is judged only as
far as what it does hold decides it.
"""

from __future__ import annotations

from itertools import pairwise

from planner.analysis.audit_book import Book
from planner.analysis.audit_check import CENT, RELATIVE, SHARE, SMALL, Sheet
from planner.analysis.audit_rules import AXES, room, spent

TIERS = ("core", "expand", "lower_price", "when_drug", "research_only", "not_now")
REACHABLE = 0.005  # fewer than one in 200: the drug is not there
FULL = 1 - 1e-3  # share of the attainable coverage that is full (docs/method.md)


def check_list(book: Book, document: dict, sheet: Sheet) -> None:
    """Tiers by their published rules, ranks, what is funded, the do-not-buy list, the frontier."""
    rows = document["list"]
    for row in rows:
        where = f"list {row['region']} {row['indication_id']}/{row['biomarker_id']}"
        _funded(sheet, row, where)
        if (row["region"], row["indication_id"], row["biomarker_id"]) in book.cases:
            _gate(sheet, book, row, where)
            _tier(sheet, book, row, where)
            _core(sheet, book, document, row, where)
    _ranks(sheet, rows)
    _do_not_buy(sheet, document)
    _frontier(sheet, book, document)
    _prices(sheet, book, document)


def _funded(sheet: Sheet, row: dict, where: str) -> None:
    share, attainable = row["coverage"], row["attainable_coverage"]
    need = "no" if share <= SHARE else "full" if share >= attainable * FULL else "part"
    near = abs(share - attainable * FULL) <= 1e-4 and row["funded"] in ("full", "part")
    sheet.true("funded as covered", where, row["funded"] == need or near, row["funded"], need,
               f"coverage is {share:.6g} of {attainable:.6g}")


def _gate(sheet: Sheet, book: Book, row: dict, where: str) -> None:
    u = book.cases[row["region"], row["indication_id"], row["biomarker_id"]]
    sheet.true("list: gate", where, row["gate"]["passed"] == u.gated, row["gate"]["passed"], u.gated,
               "the file says otherwise of the evidence gate than the evidence")
    sheet.true("list: mandates", where, row["mandated"] == u.must_fund, row["mandated"], u.must_fund,
               "the file says otherwise of the mandate than the scenario")
    sheet.true("list: what is missing", where, bool(row["gap"]) == bool(u.gap), row["gap"] or "nothing", u.gap or "nothing",
               "the file says otherwise of what is missing than the evidence")


def within_threshold(row: dict, threshold: float) -> bool:
    """Whether a line pays: as planned, or with the drugs that are worth their cost."""
    ratios = [r for r in (row["cost_per_qaly_where_it_pays"], row["cost_per_qaly_ceiling"]) if r is not None]
    return any(r <= threshold * (1 + RELATIVE) for r in ratios)


def _tier(sheet: Sheet, book: Book, row: dict, where: str) -> None:
    u = book.cases[row["region"], row["indication_id"], row["biomarker_id"]]
    tier, pays = row["priority_tier"], within_threshold(row, book.problem.threshold)
    trial = bool(u.therapies) and all(t.report_class == "trial_only" for t in u.therapies)
    reached = max((t.alpha for t in u.therapies), default=0.0)
    loses = row["coverage"] > SHARE and (row["qalys"] or 0.0) < -SMALL
    if u.gap or not u.therapies or u.excluded:
        need = ("not_now",)
    elif trial or (not u.gated and not u.value_gated):
        need = ("research_only",)
    elif not u.gated:
        need = ("lower_price", "not_now")
    elif loses:
        need = ("not_now",)
    elif pays:
        need = ("core", "expand") if reached >= REACHABLE else TIERS
    elif row["coverage"] > SHARE:
        need = ("lower_price",) if reached >= REACHABLE else TIERS
    else:
        need = ("lower_price", "when_drug", "not_now")
    sheet.true("tiers by their rules", where, tier in need, tier, " or ".join(need),
               "the tier is not that of the line's own figures")


def _core(sheet: Sheet, book: Book, document: dict, row: dict, where: str) -> None:
    """Core: at least half of the attainable coverage at the budget, and at half of it."""
    if row["priority_tier"] not in ("core", "expand"):
        return
    enough = row["coverage"] >= row["attainable_coverage"] / 2 * FULL
    if row["priority_tier"] == "core":
        sheet.true("core is funded", where, enough, row["coverage"], row["attainable_coverage"] / 2,
                   "a core line has less than half of the attainable coverage")
    budget = reference_budget(book, document["frontier_axis"])
    if budget is None or row["entry_budget"] is None or book.scenario.budget.basis != "all":
        return
    # what untested patients are given is spent whatever the budget: below it all budgets are the same
    half = max(budget / 2, min((p["budget"] for p in document["frontier"]), default=0.0))
    inside = half >= row["entry_budget"] * (1 - RELATIVE) or any(a - CENT <= half <= b + CENT
                                                                 for a, b in row.get("earlier_spells") or ())
    if row["priority_tier"] == "core":
        sheet.true("core at half the budget", where, inside, half, row["entry_budget"],
                   "a core line has less than half of its final coverage at half the budget")


def reference_budget(book: Book, axis: str) -> float | None:
    """100 % of the budget: the limit, or the plan's own spending; None where years differ."""
    limits = {book.scenario.limit(axis, t) for t in book.years}
    if limits != {None}:
        return limits.pop() if len(limits) == 1 else None
    own = {round(spent(book, axis, t), 2) for t in book.years}
    rest = book.blind_spending() if axis != "testing" and book.scenario.budget.basis == "all" else 0.0
    return own.pop() + rest if len(own) == 1 else None


def _ranks(sheet: Sheet, rows: list[dict]) -> None:
    name = "ranks"
    for place, row in enumerate(rows, 1):
        sheet.true(name, f"list {row['indication_id']}/{row['biomarker_id']}", row["rank"] == place, row["rank"], place,
                   "the ranks are not 1, 2, 3 and so on")
    for before, after in pairwise(rows):
        first, second = before["entry_budget"], after["entry_budget"]
        ordered = second is None or (first is not None and first <= second * (1 + RELATIVE) + CENT)
        sheet.true(name, f"list {after['indication_id']}/{after['biomarker_id']}", ordered, first, second,
                   "a line that enters later stands before one that enters earlier")


def _do_not_buy(sheet: Sheet, document: dict) -> None:
    """The lines that are not funded and neither core nor to be expanded to."""
    need = {(r["indication_id"], r["biomarker_id"]): r["priority_tier"] for r in document["list"]
            if r["funded"] == "no" and r["priority_tier"] not in ("core", "expand")}
    have = {(r["indication_id"], r["biomarker_id"]): r["priority_tier"] for r in document["do_not_buy"]}
    for key in sorted(need.keys() | have.keys()):
        sheet.true("do-not-buy list", "/".join(key), have.get(key) == need.get(key), have.get(key, "not on it"),
                   need.get(key, "not on it"), "the do-not-buy list does not follow from the list")


# -- the objective ---------------------------------------------------------------------------------------


def objective(book: Book) -> float:
    """What the plan maximises, over its years, discounted to the first."""
    rate = book.scenario.discount_rate
    measure = "qalys" if book.scenario.objective == "net_health" else book.scenario.objective
    total = sum((r.gain(measure, known=True) or 0.0) / (1 + rate) ** r.key.year for r in book.readings)
    if book.scenario.objective == "net_health":
        for t in book.years:
            cost = book.testing(t) + sum(r.courses(d, x, v) * d.m for r in book.readings if r.key.year == t
                                         for d, x, v in r.given)
            total -= cost / book.problem.threshold / (1 + rate) ** t
    return total


def _frontier(sheet: Sheet, book: Book, document: dict) -> None:
    """The frontier rises, bends down, and holds the plan's value at its own budget (mandates cost value)."""
    points = [(p["budget"], p["value"]) for p in document["frontier"]]
    sheet.none("frontier", "the file shows none")
    for (a, low), (b, high) in pairwise(points):
        sheet.true("frontier", f"from {a:,.2f} to {b:,.2f} USD", a <= b and high >= low - SMALL, high, low,
                   "more money brings less")
    budget = reference_limit(book, document["frontier_axis"])
    if not points or budget is None or book.scenario.mode == "evaluate":
        return
    need, have = at(points, budget), objective(book)
    slack = SMALL + 1e-5 * abs(need)
    words = "the plan's value is not that of the frontier at its budget"
    sheet.at_most("value on the frontier", f"at {budget:,.2f} USD", have, need, words, slack)
    if not book.scenario.policy.must_fund and book.scenario.budget.basis == "all":  # floors cost value
        sheet.at_least("value on the frontier", f"at {budget:,.2f} USD", have, need, words, slack)


def reference_limit(book: Book, axis: str) -> float | None:
    """The budget of the frontier's axis; beyond all points where it is not limited."""
    limits = {book.scenario.limit(axis, t) for t in book.years}
    if limits == {None}:
        return float("inf")
    return limits.pop() if len(limits) == 1 else None


def at(points: list[tuple[float, float]], budget: float) -> float:
    """The value at a budget, linear between points, constant beyond them."""
    if budget <= points[0][0]:
        return points[0][1]
    for (a, low), (b, high) in pairwise(points):
        if a <= budget <= b:
            return low + (high - low) * ((budget - a) / (b - a) if b > a else 1.0)
    return points[-1][1]


def _prices(sheet: Sheet, book: Book, document: dict) -> None:
    """A limit that has a price is used up: what is left of it would have bought something."""
    name = "what has a price is used up"
    sheet.none(name, "no limit has a price")
    reference = document["reference"]["totals"]
    for axis in AXES:
        for t in book.years:
            price = document["shadow_prices"].get(f"budget_{axis}_{t + 1}")
            if price and price["value_per_unit"] > 1e-12 and book.scenario.limit(axis, t) is not None:
                limit = room(book, axis, t, reference)
                sheet.at_least(name, f"{axis} budget, year {t + 1}", spent(book, axis, t), limit,
                               "money is left of a limit that is said to bind", 1.0 + 1e-5 * abs(limit))
    for kind in ("technician_minutes", "pathologist_minutes"):
        for t in book.years:
            price, limit = document["shadow_prices"].get(f"people_{kind}_{t + 1}"), getattr(book.scenario.laboratory, kind)
            if price and price["value_per_unit"] > 1e-12 and limit is not None:
                sheet.at_least(name, f"{kind.replace('_', ' ')}, year {t + 1}", book.minutes(t, kind), limit,
                               "minutes are left of a limit that is said to bind", 1.0 + 1e-5 * limit)


def check_provenance(book: Book, document: dict, sheet: Sheet) -> None:
    """Every number that the problem rests on stands in the file, with its value, source and grade."""
    told = {(p["parameter"], p["key"]): p for p in document["provenance"]}
    for f in book.problem.facts:
        row = told.get((f.parameter, f.key))
        sheet.true("provenance", f"{f.parameter}, {f.key}", row is not None and row["quality"] == f.quality
                   and abs(row["value"] - f.value) <= RELATIVE * max(1.0, abs(f.value)),
                   row["value"] if row else "missing", f.value, "the file's number is not that of the evidence")
