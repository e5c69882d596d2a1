"""Every fractional plan as a mix of real patients, constructed.

Per indication, year and base the patients stand in a row, numbered from 0 to the share given the base. Each
biomarker is read in those from 0 up to its share, its services one after the other. Where the row breaks,
a new type of patient begins: a base and one single for some of the biomarkers that the base does not read,
with the share of such patients. A prerequisite that is read in at least as many is then read in all who need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.analysis.audit_book import Book, Reading, WorkUp
from planner.analysis.audit_check import SHARE, Sheet


@dataclass(frozen=True)
class PatientType:
    """Patients of one indication and year who get the same work-up.

    ``services``: (biomarker, service) read, of the base and of singles; ``weight``: their share of the
    eligible (a biomarker of a subgroup is read in those of them who are asked).
    """

    region: str
    indication: str
    year: int
    base: str
    services: tuple[tuple[str, str], ...]
    weight: float


def patient_types(book: Book) -> tuple[PatientType, ...]:
    """The mix of patients of a plan; their weights sum to the share worked up where the plan is sound."""
    return tuple(t for w in book.work_ups for base in w.bases for t in _of_base(book, w, base))


def _of_base(book: Book, w: WorkUp, base: str) -> Iterator[PatientType]:
    height = w.bases[base]
    spans: list[tuple[str, str, float, float]] = []
    reached: dict[str, float] = {}
    for r in sorted(of_base(book, w, base), key=lambda r: r.key.service):
        start = reached.get(r.key.biomarker, 0.0)
        reached[r.key.biomarker] = start + r.share
        spans.append((r.key.biomarker, r.key.service, start, start + r.share))
    cuts = sorted({0.0, height, *(min(height, c) for *_, a, b in spans for c in (a, b))})
    for low, high in zip(cuts, cuts[1:], strict=False):
        middle = (low + high) / 2
        services = tuple(sorted((b, s) for b, s, start, end in spans if start <= middle < end))
        yield PatientType(w.indication.region, w.indication.indication, w.year, base, services, high - low)


def of_base(book: Book, w: WorkUp, base: str) -> list[Reading]:
    return book.within.get((w.indication.region, w.indication.indication, w.year, base), [])


def check_types(book: Book, sheet: Sheet) -> None:
    """The types of patient give back the plan: weights, shares worked up, results, prerequisites."""
    name, types = "mix of real patients", patient_types(book)
    by_place: dict[tuple, list[PatientType]] = {}
    for t in types:
        by_place.setdefault((t.region, t.indication, t.year), []).append(t)
    for w in book.work_ups:
        mine = by_place.get((w.indication.region, w.indication.indication, w.year), [])
        sheet.equal(name, str(w), sum(t.weight for t in mine), w.share,
                    "the types of patient do not sum to the share worked up", SHARE)
        for t in mine:
            sheet.at_least(name, f"{w}, base {t.base}", t.weight, 0.0, "a type of patient has a negative weight")
            _one_patient(book, sheet, t, str(w))
    read: dict[tuple, float] = {}
    for t in types:
        for b, s in t.services:
            key = (t.region, t.indication, b, t.base, s, t.year)
            read[key] = read.get(key, 0.0) + t.weight
    for r in book.readings:
        k = r.key
        sheet.equal(name, str(k), read.get((k.region, k.indication, k.biomarker, k.base, k.service, k.year), 0.0),
                    r.share, "no mix of patients gives this share of results", SHARE)


def _one_patient(book: Book, sheet: Sheet, t: PatientType, where: str) -> None:
    """What holds for one patient: a result once, what it requires before it, no single for what the base reads."""
    if t.weight <= SHARE:
        return
    names = [b for b, _ in t.services]
    base = book.options.get((t.region, t.indication, t.base))
    doubled = sorted({b for b in names if names.count(b) > 1}
                     | {b for b, s in t.services if s != t.base and base and base.result(b)})
    lacking = sorted({f"{b} without {need}" for b in names for need in required(book, t.region, t.indication, b)
                      if need not in names})
    sheet.true("mix of real patients", f"{where}, base {t.base}", not doubled and not lacking,
               ", ".join(doubled + lacking) or "sound", "sound",
               f"{t.weight:.4g} of the eligible would be read {', '.join(doubled + lacking)}")


def required(book: Book, region: str, indication: str, biomarker: str) -> tuple[str, ...]:
    """Prerequisites of a biomarker among the lines that may be funded here."""
    case = book.cases[region, indication, biomarker]
    return tuple(b for b in case.requires
                 if (first := book.cases.get((region, indication, b))) is not None and first.active)
