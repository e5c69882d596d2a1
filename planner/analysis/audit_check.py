"""What an audit says: one row per check passed, one per place where a check fails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

SHARE = 1e-6  # of shares and fractions
RELATIVE = 1e-6  # of money, people and health
SMALL = 1e-4  # people, QALYs
CENT = 0.01


@dataclass(frozen=True)
class Check:
    """A check: ``have`` is what the plan says or does, ``need`` the limit or the figure recomputed.

    A passed check stands for all its places and shows the one nearest to its limit; a failed one is told
    for each place.
    """

    name: str
    passed: bool
    have: float | str | None
    need: float | str | None
    where: str
    words: str


@dataclass
class Sheet:
    """Gathers checks by name. All comparisons allow the rounding of the solver."""

    failed: dict[str, list[Check]] = field(default_factory=dict)
    tightest: dict[str, tuple[float, Check]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def at_most(self, name: str, where: str, have: float, need: float, words: str, slack: float = SHARE) -> None:
        """A limit: ``have`` <= ``need``."""
        self._add(name, where, have, need, words, have - need, slack)

    def at_least(self, name: str, where: str, have: float, need: float, words: str, slack: float = SHARE) -> None:
        self._add(name, where, have, need, words, need - have, slack)

    def equal(self, name: str, where: str, have: float | None, need: float | None, words: str,
              slack: float = SMALL) -> None:
        """A figure of the file against the same figure recomputed; None only equals None."""
        if have is None or need is None:
            self.true(name, where, have is need, have, need, words)
            return
        self._add(name, where, have, need, words, abs(have - need), slack + RELATIVE * abs(need))

    def true(self, name: str, where: str, ok: bool, have, need, words: str) -> None:
        self._add(name, where, have, need, words, 0.0 if ok else math.inf, 0.0)

    def _add(self, name: str, where: str, have, need, words: str, over: float, slack: float) -> None:
        self.places[name] = self.places.get(name, 0) + 1
        ok = over <= slack
        check = Check(name, ok, have, need, where, words)
        if not ok:
            self.failed.setdefault(name, []).append(check)
        elif name not in self.tightest or over > self.tightest[name][0]:
            self.tightest[name] = (over, check)

    def none(self, name: str, words: str) -> None:
        """A check that had nothing to look at in this plan is told as passed, with that word."""
        if name not in self.places:
            self.places[name] = 0
            self.tightest[name] = (-math.inf, Check(name, True, None, None, "", words))

    def checks(self) -> tuple[Check, ...]:
        out: list[Check] = []
        for name, places in self.places.items():
            if name in self.failed:
                out += self.failed[name]
            else:
                best = self.tightest[name][1]
                where = f"{places} places, nearest: {best.where}" if places > 1 else best.where or best.words
                out.append(Check(name, True, best.have, best.need, where, best.words))
        return tuple(out)


def shown(value) -> str:
    """A figure for the table: short, but never rounded to what it is not."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"


def printed(checks: Iterable[Check], most: int = 20) -> str:
    """The table of an audit; of one check at most ``most`` failures are written out."""
    lines, told = [], {}
    for c in checks:
        told[c.name] = told.get(c.name, 0) + 1
        if told[c.name] > most:
            continue
        mark = "ok  " if c.passed else "FAIL"
        lines.append(f"{mark}  {c.name:34}  {shown(c.have):>16}  {shown(c.need):>16}  {c.where}")
        if not c.passed:
            lines.append(f"      {c.words}")
    lines += [f"      {name}: {n - most} further places fail" for name, n in told.items() if n > most]
    head = f"      {'check':34}  {'have':>16}  {'need':>16}  where"
    return "\n".join([head, *lines])
