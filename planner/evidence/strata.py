"""Which rows hold for a place: the one function that resolves every stratified table.

A value may be given for a region, a country, a UN sub-region or region, a WHO region, an income
group and the world. :meth:`StrataIndex.nearest` takes the most specific level that has rows;
:meth:`StrataIndex.pooled` combines all levels, each with its information capped.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from planner.errors import BadInput, Issue

if TYPE_CHECKING:
    import pandas as pd

    from planner.evidence.base import Evidence

LEVELS = ("region", "country", "un_subregion", "un_region", "who_region", "income_group", "world")
# People that a level may count for at most: between-study variation bounds what even a large study
# elsewhere says about this place (a power prior with capped weight; Ibrahim & Chen 2000).
CAPS = {"region": 200, "country": 200, "un_subregion": 50, "un_region": 40, "who_region": 30,
        "income_group": 30, "world": 20}
BORROWED = tuple(level for level in CAPS if level not in ("region", "country"))
DEFAULT_N = 30  # what a study that does not state its size counts for
GRADES = "ABCD"
# The best grade a value can have if its most specific level is this one: a value of the same UN
# region is B, one borrowed from further away is C, whatever its grade at home.
BEST_GRADE = {"un_subregion": "B", "un_region": "B", "who_region": "C", "income_group": "C", "world": "C"}


@dataclass(frozen=True)
class Place:
    """A country or one of its regions. ``levels``: (stratum_type, stratum), most specific first."""

    iso3: str
    region: str | None
    name: str
    levels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Resolved:
    """A value for a place, with its origin.

    ``value``, ``low``, ``high`` in the column's unit; ``n_effective`` in people (None where the
    rows state none); ``level`` and ``stratum`` of the most specific rows; ``quality`` A to D;
    ``rows``: how many rows were used; ``key``: (column, value) pairs asked for.
    """

    value: float
    low: float | None
    high: float | None
    n_effective: float | None
    level: str
    stratum: str
    quality: str
    source_ids: tuple[str, ...]
    rows: int
    key: tuple[tuple[str, str], ...]


def place(evidence: Evidence, country: str, region: str | None = None) -> Place:
    """The place of a country (ISO 3166-1 alpha-3 code or English name, any case) and region.

    A region is an ISO 3166-2 code or a name within the country. Raises :class:`BadInput` that
    names the nearest known ones.
    """
    row = _find(evidence.records("countries"), country, "iso3", "country")
    name, levels = row["name"], [("country", row["iso3"])]
    code = None
    if region is not None:
        found = _find(evidence.records("regions", iso3=row["iso3"]), region, "region",
                      f"region of {row['name']}")
        code, name = found["region"], f"{found['name']}, {row['name']}"
        levels.insert(0, ("region", code))
    # A territory without a WHO region or income group simply has no such level.
    levels += [(level, row[level]) for level in LEVELS[2:-1] if row.get(level)]
    return Place(row["iso3"], code, name, (*levels, ("world", "world")))


def _find(rows: list[dict], wanted: str, code: str, what: str) -> dict:
    needle = str(wanted).strip().casefold()
    for column in (code, "name"):
        for row in rows:
            if row[column].casefold() == needle:
                return row
    known = {r[c].casefold(): f"{r['name']} ({r[code]})" for r in rows for c in (code, "name")}
    inside = [k for k in sorted(known) if len(k) > 3 and k in needle]  # "Republic of Kenya"
    close = dict.fromkeys(known[k] for k in inside + difflib.get_close_matches(needle, sorted(known), 4, 0.5))
    remedy = f"did you mean {' or '.join(list(close)[:3])}" if close else \
        "`python -m planner places` lists them"
    raise BadInput([Issue(f"place {wanted!r}", f"unknown {what}", remedy, "unknown_place")])


class StrataIndex:
    """Rows of one table grouped by stratum and key, for fast look-up.

    ``frame`` has the columns stratum_type and stratum; ``key_columns`` are those a value may be
    asked by. A question may name some of them only. The answer does not depend on row order.
    """

    def __init__(self, frame: pd.DataFrame, key_columns: Iterable[str], name: str = "table"):
        self.name, self.key_columns = name, tuple(key_columns)
        missing = {"stratum_type", "stratum", *self.key_columns} - set(frame.columns)
        if missing:
            raise ValueError(f"{name} has no column {', '.join(sorted(missing))}: it has no strata")
        self._rows = sorted(rows_of(frame), key=lambda row: str(tuple(row.values())))
        self._columns = list(frame.columns)
        self._groups: dict[tuple, dict[tuple, list[dict]]] = {}
        self._answers: dict[tuple, Resolved | None] = {}

    def rows(self, place: Place, key: Mapping[str, str], column: str | None = None) -> list[dict]:
        """Rows of the most specific level that has any (with a value in ``column``, if given)."""
        return next((found for _, _, found in self._levels(place, key, column)), [])

    def nearest(self, place: Place, column: str, key: Mapping[str, str]) -> Resolved | None:
        """The value of the most specific level with rows; None where no level has one.

        Several rows at that level: the mean, weighted by n where all state it. low and high are
        the widest stated bounds. A row for the very key beats a ``*`` row of the same level.
        """
        return self._cached(self._nearest, "nearest", place, column, key)

    def pooled(self, place: Place, column: str, key: Mapping[str, str]) -> Resolved | None:
        """A share combined over all levels that have rows; None where no level has one.

        Within a level studies weigh min(n, cap), with n = 30 where not stated; a level weighs
        min(sum of n, cap), see :data:`CAPS`. The levels form a chain: what the vaguer ones say together is
        the prior of the next. A prior of n people counts there with the power n / (n + own): in full where
        the level has little of its own, hardly where it has much. So local counts lead as they grow, one
        small outlier does not override a region, and a large study elsewhere does not drown a country.
        n_effective is what remains; low and high are the 95 % interval of Beta(value n, (1 - value) n).
        """
        return self._cached(self._pooled, "pooled", place, column, key)

    def _cached(self, resolve, kind: str, place: Place, column: str, key: Mapping) -> Resolved | None:
        question = (kind, place.levels, column, tuple(key.items()))
        if question not in self._answers:
            self._answers[question] = resolve(place, column, key)
        return self._answers[question]

    def _nearest(self, place: Place, column: str, key: Mapping[str, str]) -> Resolved | None:
        for level, stratum, rows in self._levels(place, key, column):
            ns = [row.get("n") for row in rows]
            counted = all(ns)
            weights = ns if counted else [1.0] * len(rows)
            low, high = self._range(rows, column)
            worst = max(row.get("quality") or "D" for row in rows)
            return Resolved(
                _mean([row[column] for row in rows], weights), low, high,
                float(sum(ns)) if counted else None, level, stratum,
                max(worst, BEST_GRADE.get(level, "A")), _sources(rows), len(rows), tuple(key.items()),
            )
        return None

    def _range(self, rows: list[dict], column: str) -> tuple[float | None, float | None]:
        """Widest stated bounds; for several studies also their own spread."""
        names = self._bounds(column)
        lows = [row[names[0]] for row in rows if names and row[names[0]] is not None]
        highs = [row[names[1]] for row in rows if names and row[names[1]] is not None]
        if len(rows) > 1:
            lows += [row[column] for row in rows]
            highs += [row[column] for row in rows]
        return min(lows, default=None), max(highs, default=None)

    def _bounds(self, column: str) -> tuple[str, str] | None:
        """As :meth:`planner.evidence.dictionary.Table.bounds`, from the frame's own columns."""
        names = self._columns
        if f"{column}_low" in names and f"{column}_high" in names:
            return f"{column}_low", f"{column}_high"
        own = "low" in names[1:] and "high" in names and names[names.index("low") - 1] == column
        return ("low", "high") if own else None

    def _pooled(self, place: Place, column: str, key: Mapping[str, str]) -> Resolved | None:
        levels = list(self._levels(place, key, column))
        if not levels:
            return None
        first = levels[0][:2]
        weighted: list[tuple[float, dict]] = []
        for level, _, rows in reversed(levels):  # from the world inwards: each level is the prior of the next
            own = _capped(rows, CAPS[level])
            weighted = _within(own + _as_prior(weighted, own), CAPS[level] if level in BORROWED else None)
        rows = [row for _, row in weighted]
        total = sum(w for w, _ in weighted)
        value = _mean([row[column] for row in rows], [w for w, _ in weighted])
        low, high = beta_interval(value, total)
        quality = max(_weighty_grade(weighted, total), BEST_GRADE.get(first[0], "A"))
        return Resolved(value, low, high, total, *first, quality, _sources(rows), len(rows),
                        tuple(key.items()))

    def _levels(self, place: Place, key: Mapping[str, str], column: str | None):
        """(level, stratum, rows) of every level with rows, most specific level first."""
        groups = self._grouped(tuple(key))
        asked = list(_with_wildcards(tuple(key.values())))
        for level, stratum in place.levels:
            for values in asked:
                rows = groups.get((level, stratum, *values), ())
                rows = [r for r in rows if column is None or r[column] is not None]
                if rows:
                    yield level, stratum, rows
                    break

    def _grouped(self, names: tuple[str, ...]) -> dict[tuple, list[dict]]:
        if names not in self._groups:
            unknown = set(names) - set(self._columns)
            if unknown:
                raise ValueError(f"{self.name} has no column {', '.join(sorted(unknown))}")
            groups: dict[tuple, list[dict]] = {}
            for row in self._rows:
                groups.setdefault((row["stratum_type"], row["stratum"], *(row[n] for n in names)), []).append(row)
            self._groups[names] = groups
        return self._groups[names]


def nearest(frame: pd.DataFrame, place: Place, column: str, **key: str) -> Resolved | None:
    """:meth:`StrataIndex.nearest` for one question; builds an index, so not for hot paths."""
    return StrataIndex(frame, key).nearest(place, column, key)


def pooled(frame: pd.DataFrame, place: Place, column: str, **key: str) -> Resolved | None:
    """:meth:`StrataIndex.pooled` for one question; builds an index, so not for hot paths."""
    return StrataIndex(frame, key).pooled(place, column, key)


def rows_of(frame: pd.DataFrame) -> list[dict]:
    """Rows as dictionaries of Python values, None for a missing cell."""
    columns = []
    for name in frame.columns:
        series = frame[name]
        columns.append([None if gone else value
                        for value, gone in zip(series.tolist(), series.isna().tolist(), strict=True)])
    return [dict(zip(frame.columns, values, strict=True)) for values in zip(*columns, strict=True)]


@lru_cache(maxsize=4096)
def _with_wildcards(values: tuple) -> tuple[tuple, ...]:
    """The key itself, then with ever more of its values replaced by ``*``."""
    options = itertools.product(*((v, "*") for v in values))
    return tuple(sorted(options, key=lambda o: sum(x == "*" for x in o)))


def _mean(values: list[float], weights: list[float]) -> float:
    return math.fsum(v * w for v, w in zip(values, weights, strict=True)) / math.fsum(weights)


def _capped(rows: list[dict], cap: float) -> list[tuple[float, dict]]:
    """Rows of one level with weights that sum to min(total n, cap)."""
    ns = [max(row.get("n") or DEFAULT_N, 1) for row in rows]
    weights = [min(n, cap) for n in ns]
    scale = min(sum(ns), cap) / sum(weights)
    return [(w * scale, row) for w, row in zip(weights, rows, strict=True)]


def _as_prior(weighted: list[tuple[float, dict]], own: list[tuple[float, dict]]) -> list[tuple[float, dict]]:
    """What vaguer levels say, as a power prior beside rows of a level's own."""
    total, mine = sum(w for w, _ in weighted), sum(w for w, _ in own)
    return [(w * total / (total + mine), row) for w, row in weighted]


def _within(weighted: list[tuple[float, dict]], cap: float | None) -> list[tuple[float, dict]]:
    """Weights scaled down so that they sum to the cap at most."""
    total = sum(w for w, _ in weighted)
    if cap is None or total <= cap:
        return weighted
    return [(w * cap / total, row) for w, row in weighted]


def _weighty_grade(weighted: list[tuple[float, dict]], total: float) -> str:
    """The worst grade such that rows of it or worse carry at least a quarter of the weight."""
    for grade in reversed(GRADES):
        if sum(w for w, row in weighted if (row.get("quality") or "D") >= grade) >= total / 4:
            return grade
    return GRADES[0]


def _sources(rows: list[dict]) -> tuple[str, ...]:
    """Sources in the order of the rows, most specific first, each once."""
    return tuple(dict.fromkeys(row["source_id"] for row in rows if row.get("source_id")))


@lru_cache(maxsize=65536)
def beta_interval(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Central interval of Beta(share n, (1 - share) n), numpy-free.

    At a share of 0 or 1, where that is degenerate, the exact (Clopper-Pearson) one-sided bound.
    """
    if not 0 <= share <= 1 or n <= 0:
        raise ValueError(f"a share of {share} from {n} people has no interval")
    tail = (1 - level) / 2
    if share == 0:
        return 0.0, 1 - tail ** (1 / n)
    if share == 1:
        return tail ** (1 / n), 1.0
    a, b = share * n, (1 - share) * n
    return beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The p-quantile of Beta(a, b): bisection guards Newton steps on the incomplete beta."""
    lower, upper, x = 0.0, 1.0, a / (a + b)
    norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(200):
        error = beta_cdf(x, a, b) - p
        lower, upper = (lower, x) if error > 0 else (x, upper)
        slope = math.exp(norm + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)) if 0 < x < 1 else 0.0
        step = x - error / slope if slope > 0 else -1.0
        new = step if lower < step < upper else (lower + upper) / 2
        if abs(new - x) <= 1e-13:
            return new
        x = new
    return x


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta I_x(a, b) by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, the mirror does not
        return 1 - beta_cdf(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
                     + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    fraction = d
    for m in range(1, 1000):
        for step in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                     -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / ((1 + step * d) or tiny)
            c = (1 + step / c) or tiny
            fraction *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * fraction
