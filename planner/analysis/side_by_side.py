"""Ways to test or to run a laboratory beside each other: what they are compared with, and what is said of them.

The reference is today's practice where it is known for every line that can be planned, else no testing. Where today is
known for some lines only, it is no way of its own: the others are compared with it on these lines alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.analysis.dominance import STATUS, ladder
from planner.analysis.study import figure, money
from planner.optimise.resolve import Engine
from planner.result.readout import Readout

NOTHING, TODAY, APART = "no testing", "today, where known", "apart"
Key = tuple[str, str]


@dataclass(frozen=True)
class Known:
    """Lines whose testing today is known, of those that can be planned; people a year who stand at their decisions."""

    lines: frozenset[Key]
    of: int
    people: float
    people_of: float

    @property
    def whole(self) -> bool:
        return bool(self.lines) and len(self.lines) == self.of

    @property
    def words(self) -> str:
        return f"{len(self.lines)} of {self.of} lines, {figure(self.people)} of {figure(self.people_of)} people a year"


def known_today(engine: Engine) -> Known:
    """What is known of today among the lines of an engine."""
    _, shares = engine.today()

    def people(keys) -> float:
        return sum(i.eligible for i in engine.problem.indications
                   if any((u.region, u.id) in keys for u in i.use_cases))

    return Known(frozenset(shares), len(engine.keys), people(set(shares)), people(set(engine.keys)))


def on_known_lines(out: Readout, known: Known, dearer: float = 1.0) -> dict[str, float | None]:
    """Health and cost of a way on the lines alone whose testing today is known; ``dearer``: full over marginal cost."""
    if not known.lines:
        return {"qalys_known": None, "cost_known": None}
    lines = [line for key, line in out.lines.items() if key in known.lines]
    return {"qalys_known": sum(line.health["qalys"] or 0.0 for line in lines),
            "cost_known": sum(dearer * line.testing_cost + line.incremental_cost for line in lines)}


def compared(rows: list[dict], known: Known, threshold: float) -> None:
    """Into each row: incremental ratios, what is dominated, the difference to the reference, and to today on the lines
    where it is known. ``rows`` hold no testing, and today's practice where any is known."""
    today = next((r for r in rows if r["strategy"] == TODAY), None)
    placed = [r for r in rows if r is not today or known.whole]
    steps = ladder([r["strategy"] for r in placed], [r["total_cost"] for r in placed], [r["qalys"] for r in placed])
    reference = today if today is not None and known.whole else next(r for r in rows if r["strategy"] == NOTHING)
    best = steps.best(threshold)
    for r in rows:
        r |= _placed(steps.row(r["strategy"]), r, reference, best) if r in placed else _apart(known)
        r["cost_per_qaly"] = r["total_cost"] / r["qalys"] if r["qalys"] > 1e-9 and r["total_cost"] > 0 else None
        for what in ("qalys", "cost"):
            mine, theirs = r[f"{what}_known"], today and today[f"{what}_known"]
            r[f"{what}_to_today"] = None if today is None or mine is None or r is today else mine - theirs


def _placed(found, r: Mapping, reference: Mapping, best: str) -> dict:
    gained, added = r["qalys"] - reference["qalys"], r["total_cost"] - reference["total_cost"]
    return {"status": found.status, "status_words": STATUS[found.status], "against": found.against, "icer": found.icer,
            "reference": reference["strategy"], "qalys_to_reference": gained, "cost_to_reference": added,
            "icer_to_reference": added / gained if gained > 1e-9 and added > 0 else None,
            "best_at_threshold": r["strategy"] == best}


def _apart(known: Known) -> dict:
    """Today's practice where only a part of it is known."""
    return {"status": APART, "status_words": f"known for {len(known.lines)} of {known.of} lines only: compared on these",
            "best_at_threshold": False} | dict.fromkeys(
                ("against", "icer", "reference", "qalys_to_reference", "cost_to_reference", "icer_to_reference"))


# -- in words ------------------------------------------------------------------------------------------------


def best_of(rows: list[dict]) -> dict:
    """The way of the highest net health at the threshold."""
    return next(r for r in rows if r["best_at_threshold"])


def cheapest_health(rows: list[dict]) -> dict | None:
    """The way of the lowest cost per QALY against no testing; None where every way saves money or brings nothing."""
    found = [r for r in rows if r["cost_per_qaly"] is not None and r["status"] != APART]
    return min(found, key=lambda r: (r["cost_per_qaly"], r["strategy"]), default=None)


def value_words(rows: list[dict], threshold: float) -> list[str]:
    """Two answers, each named as what it is: the highest net health, and the lowest cost per healthy year."""
    best, least, worth = best_of(rows), cheapest_health(rows), f"{money(threshold)} per healthy year"
    if best["strategy"] == NOTHING:
        words = [f"At {worth} no way is worth its money, tests and treatment together: not testing leaves the most health."]
    else:
        words = [f"Best value at {worth} (highest net health): {best['strategy']}, {money(best['testing_cost'])} a year for "
                 f"tests, {figure(best['qalys'])} healthy years a year."]
    saving = max((r for r in rows if r["qalys"] > 1e-9 and r["total_cost"] <= 0 and r["status"] != APART),
                 key=lambda r: r["qalys"], default=None)
    if saving is not None:
        words.append(f"Brings health and saves money, against no testing: {saving['strategy']}, {figure(saving['qalys'])} "
                     f"healthy years a year and {money(-saving['total_cost'])} saved, tests and treatment together.")
    if least is not None and saving is None:
        words.append(f"Lowest cost per healthy year, against no testing: {least['strategy']}, {money(least['cost_per_qaly'])} "
                     f"for each of {figure(least['qalys'])} healthy years.")
    return words


def today_words(rows: list[dict], known: Known, name: str) -> str:
    """What the ways are compared with, and the way of this name beside today on the lines where it is known."""
    mine = next((r for r in rows if r["strategy"] == name), None)
    if not known.lines:
        return "Nothing is known of today's testing here: the ways are compared with no testing."
    if known.whole:
        return f"Today's testing is known for all {known.of} lines: the ways are compared with it."
    words = f"Today's testing is known for {known.words}. Nothing is assumed of the others: the ways are compared with no testing"
    if mine is None or mine["qalys_to_today"] is None:
        return words + "."
    return (f"{words}, and with today on the known lines alone: there {name} brings {_more(mine['qalys_to_today'])} healthy "
            f"years a year, at {_more(mine['cost_to_today'], money)} a year for tests and treatment.")


def _more(value: float, show=figure) -> str:
    return f"{show(abs(value))} {'more' if value >= 0 else 'less'}"
