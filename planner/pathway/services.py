"""Testing services: expected cost, minutes, usable results and accuracy of ordered assays at their laboratories.

What happens to a sample is :mod:`planner.pathway.branches`; where it happens :mod:`planner.pathway.laboratories`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby

from planner.evidence.base import Evidence
from planner.pathway.arrays import some
from planner.pathway.branches import Biopsy, Outline, Step, WorkUp, over
from planner.pathway.laboratories import CADRES, Laboratories, Tariffs, Variant
from planner.pathway.outlines import outlines
from planner.pathway.performance import performance
from planner.pathway.problem import AssayUse, ServiceOption, ServiceResult
from planner.pathway.resolve_values import Values, present

MINUTES = ("technician", "pathologist", "scientist", "board")  # in the order of AssayUse
AGAIN = "rebiopsy"  # the step works on a second biopsy


def answers(evidence: Evidence, step: dict, biomarker: str, indication: str) -> bool:
    """Whether a step of a pathway answers a biomarker of the indication."""
    return step.get("biomarker_id", "*") in ("*", biomarker) and any(
        evidence.record("assay_performance", assay_id=step["assay_id"], biomarker_id=biomarker, indication_id=scope)
        for scope in (indication, "*"))


def steps_for(evidence: Evidence, service: dict, steps: list[dict], biomarker: str, indication: str) -> list[dict]:
    """The steps of a service that answer a biomarker here: of a single all of them must, of a base some."""
    mine = [s for s in steps if answers(evidence, s, biomarker, indication)]
    return mine if service["kind"] == "base" or len(mine) == len(steps) else []


class ServiceBuilder:
    """The services of one indication. ``prevalence``: carriers among those asked, by biomarker."""

    def __init__(self, values: Values, laboratories: Laboratories | Tariffs, indication: dict, prevalence: dict[str, float]):
        self.values, self.laboratories, self.indication, self.prevalence = values, laboratories, indication, prevalence
        self.name = indication["indication_id"]

    def build(self, service: dict, rows: list[dict]) -> tuple[list[ServiceOption], dict[str, list[str]]]:
        """(options of a service, biomarker -> what is missing)."""
        if service["kind"] == "base":
            options, missing = self._base(service, rows)
            return options, dict.fromkeys(missing and self.prevalence, missing)
        out, lacking = [], {}
        asked = [b for b in sorted(self.prevalence) if steps_for(self.values.evidence, service, rows, b, self.name)]
        for b in asked:
            options, missing = self._options(service, rows, [b], "" if len(asked) == 1 else f"__{b}")
            out += options
            if missing:
                lacking[b] = missing
        return out, lacking

    def _base(self, service: dict, rows: list[dict]) -> tuple[list[ServiceOption], list[str]]:
        """A service that answers several biomarkers; without two of them here it is none."""
        answered = sorted({b for b in self.prevalence for r in rows if self._answers(r, b)})
        idle = [r for r in rows if not any(self._answers(r, b) for b in answered)]
        if len(answered) < 2 or idle:
            return [], []
        return self._options(service, rows, answered, "")

    def _answers(self, row: dict, biomarker: str) -> bool:
        return answers(self.values.evidence, row, biomarker, self.name)

    def _options(self, service: dict, rows: list[dict], biomarkers: list[str], suffix: str):
        steps = [list(mine) for _, mine in groupby(sorted(rows, key=lambda r: r["step"]), key=lambda r: r["step"])]
        assays = [self._assay(mine[0]["assay_id"]) for mine in steps]
        biopsy = self._biopsy() if any(mine[0].get("sample") == AGAIN for mine in steps) else None
        if biopsy is None and any(mine[0].get("sample") == AGAIN for mine in steps):
            return [], ["feasibility and cost of a second biopsy"]
        variants, missing = self.laboratories.variants(assays)
        work = self._work_up(service, steps, assays, biopsy, biomarkers)
        found = outlines(work, biomarkers) if variants else {}
        made = [self._option(service, work, found, assays, biopsy, suffix, v) for v in variants]
        out = [m for m in made if m is not None]
        return out, missing or ([] if out else ["a usable result"])

    def _assay(self, name: str) -> dict:
        """An assay with its failure and turnaround here."""
        assay = dict(self.values.evidence.record("assays", assay_id=name))
        for column, unit in (("failure", "share"), ("turnaround_days", "days")):
            assay[column] = self.values.row_fact("assays", assay, column, column.replace("_", " "), unit,
                                                 assay_id=name).value
        return assay

    def _biopsy(self) -> Biopsy | None:
        key = {"indication_id": self.name}
        shares = [self.values.share("rebiopsy", c, words, pool=False, **key)
                  for c, words in (("feasible", "second biopsy feasible"), ("successful", "second biopsy successful"))]
        days = self.values.number("rebiopsy", "days", "days to a second biopsy", "days", **key)
        cost = self.values.local_money("rebiopsy", "second biopsy", "USD per biopsy", **key)
        if None in (*shares, days, cost):
            return None
        return Biopsy(shares[0].value, shares[1].value, cost.value, days.value)

    def _tissue(self) -> tuple[tuple[float, float], ...]:
        rows = self.values.evidence.records("tissue", indication_id=self.name)
        return tuple(sorted((r["slides"], self.values.row_fact(
            "tissue", r, "share_with_at_least", f"samples with {r['slides']} slides", "share",
            indication_id=self.name, slides=str(r["slides"])).value) for r in rows))

    def _work_up(self, service, steps, assays, biopsy, biomarkers: list[str]) -> WorkUp:
        """The pathway here, whatever the laboratory."""
        made = tuple(self._step(mine, assay, biopsy, biomarkers) for mine, assay in zip(steps, assays, strict=True))
        shared = sum(s.slides > 0 for s in made) > 1
        return WorkUp(
            made, {b: self.prevalence[b] for b in biomarkers}, bool(service.get("exclusive")),
            self.indication["attrition_per_day"], self._tissue() if shared else (), self.values.scenario.services.correlation,
        )

    def _option(self, service, work: WorkUp, outlined: Mapping[str, Outline], assays, biopsy, suffix,
                variant: Variant) -> ServiceOption | None:
        steps = tuple(replace(s, days=t.days, interval=t.interval) for s, t in zip(work.steps, variant.tests, strict=True))
        results = []
        for b, found in outlined.items():
            told = found.expected(steps, work.attrition)
            results.append(ServiceResult(
                b, told.in_time, over(told.in_time_carriers * told.sensitivity, told.in_time),
                1 - over(told.in_time_others * (1 - told.specificity), told.in_time), told.days, told.usable,
                told.sensitivity, told.specificity,
            ))
        if not any(some(r.usable) for r in results):
            return None
        return self._written(service, suffix, variant, assays, steps, results, found.runs, found.biopsies, biopsy)

    def _step(self, rows: list[dict], assay: dict, biopsy, biomarkers: list[str]) -> Step:
        mine = tuple(b for b in biomarkers if any(self._answers(r, b) for r in rows))
        tissue = assay["slides"] if assay["sample"] == "tissue" and present(assay.get("slides")) else 0.0
        return Step(
            assay["assay_id"], mine, rows[0]["on"], assay["failure"], assay["turnaround_days"],
            {b: performance(self.values, assay["assay_id"], b, self.name) for b in mine}, 0.0, tissue,
            biopsy if rows[0].get("sample") == AGAIN else None,
        )

    def _written(self, service, suffix, variant, assays, steps, results, runs, biopsies, biopsy) -> ServiceOption:
        uses = tuple(
            AssayUse(a["assay_id"], n, n * t.cost, *(n * t.minutes[c] for c in MINUTES),
                     t.place, t.home, t.runs_a_year, t.days + t.interval / 2)
            for n, a, t in zip(runs, assays, variant.tests, strict=True)
        )
        procedure = biopsies * biopsy.cost if biopsy else 0.0
        total = {c: sum(getattr(u, f"{c}_minutes") for u in uses) for c in CADRES}
        family = service["service_id"] + suffix
        return ServiceOption(
            family + (f"__{variant.key}" if variant.key else ""),
            service["name"] + (f" ({variant.words})" if variant.words else ""), service["kind"],
            sum(u.cost for u in uses) + procedure, total["technician"], total["pathologist"], tuple(results), uses,
            total["scientist"], total["board"], sum(n * s.slides for n, s in zip(runs, steps, strict=True) if not s.again),
            biopsies, procedure, family if variant.key else "", variant.tests[0].place,
        )
