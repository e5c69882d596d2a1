"""Testing services: expected cost, minutes, usable results and accuracy of ordered assays.

Expectations run over the branches of a pathway: who gets a later step is decided by the result of
the step before (``positive``, ``equivocal``, ``negative``, ``failed``), with the setting's prevalence.
"""

from __future__ import annotations

from planner.pathway.arrays import exp, most, some
from planner.pathway.problem import AssayUse, ServiceOption, ServiceResult
from planner.pathway.resolve_values import Values, present


class Performance:
    """How an assay answers one biomarker, for carriers and non-carriers."""

    def __init__(self, row: dict):
        carrier = row.get("equivocal_carrier")
        other = row.get("equivocal_noncarrier")
        self.positive = {True: row["sensitivity"], False: None}
        self.equivocal = {True: carrier if present(carrier) else 0.0,
                          False: other if present(other) else 0.0}
        self.negative_noncarrier = row["specificity"]
        self.positive[False] = most(0.0, 1 - row["specificity"] - self.equivocal[False])

    def outcome(self, carrier: bool) -> tuple[float, float, float]:
        """(positive, equivocal, negative) shares of usable results."""
        positive, equivocal = self.positive[carrier], self.equivocal[carrier]
        return positive, equivocal, most(0.0, 1 - positive - equivocal)


def performance(values: Values, assay: str, biomarker: str, indication: str) -> Performance | None:
    """Accuracy of an assay for a biomarker; a row of the indication beats one for all."""
    for scope in (indication, "*"):
        row = values.evidence.record("assay_performance", assay_id=assay, biomarker_id=biomarker,
                                     indication_id=scope)
        if row:
            key = {"assay_id": assay, "biomarker_id": biomarker, "indication_id": scope}
            row = dict(row)
            for name in ("sensitivity", "specificity"):
                row[name] = values.row_fact("assay_performance", row, name, name, "share", **key).value
            return Performance(row)
    return None


def branches(steps: list[tuple[str, float, Performance]], carrier: bool):
    """Enumerate a pathway for one kind of patient.

    ``steps``: (rule, failure, performance). Yields (probability, path of steps done, called
    positive or not, usable). A failed step without a following ``failed`` step ends unusable; an
    equivocal result that nothing resolves counts as negative.
    """
    def walk(n, probability, done):
        rule_after = steps[n + 1][0] if n + 1 < len(steps) else None
        _, failure, accuracy = steps[n]
        done = (*done, n)
        if some(failure):
            if rule_after == "failed":
                yield from walk(n + 1, probability * failure, done)
            else:
                yield probability * failure, done, False, False
        usable = probability * (1 - failure)
        for share, rule in zip(accuracy.outcome(carrier), ("positive", "equivocal", "negative"), strict=True):
            if not some(share):
                continue
            if rule_after == rule:
                yield from walk(n + 1, usable * share, done)
            else:
                yield usable * share, done, rule == "positive", True

    yield from walk(0, 1.0, ())


def single(values: Values, service: dict, steps: list[dict], biomarker: str, indication: dict,
           prevalence: float) -> tuple[ServiceOption | None, tuple[str, ...]]:
    """A service that answers one biomarker by ordered assays, or what is missing for it."""
    ready, missing = _ready(values, steps, indication)
    accuracies = [performance(values, s["assay_id"], biomarker, indication["indication_id"]) for s in steps]
    if missing or None in accuracies:
        return None, tuple(missing)
    plan = [(s["on"], a["failure"], p) for s, a, p in zip(steps, ready, accuracies, strict=True)]
    runs = [0.0] * len(steps)
    usable = {True: 0.0, False: 0.0}
    positive = {True: 0.0, False: 0.0}
    in_time = 0.0
    days = 0.0
    for carrier, share in ((True, prevalence), (False, 1 - prevalence)):
        for probability, done, called, good in branches(plan, carrier):
            for n in done:
                runs[n] += share * probability
            wait = sum(ready[n]["turnaround_days"] for n in done)
            timely = exp(-indication["attrition_per_day"] * wait)
            if good:
                usable[carrier] += probability
                positive[carrier] += probability * called
                in_time += share * probability * timely
                days += share * probability * wait
    overall = prevalence * usable[True] + (1 - prevalence) * usable[False]
    if not some(overall):
        return None, ("a usable result",)
    result = ServiceResult(
        biomarker, in_time, positive[True] / usable[True], 1 - positive[False] / usable[False],
        days / overall, overall,
    )
    return _option(service, "single", ready, runs, (result,)), ()


def panel(values: Values, service: dict, steps: list[dict], biomarkers: list[str], indication: dict,
          ) -> tuple[ServiceOption | None, tuple[str, ...]]:
    """A base: one assay that answers several biomarkers of the indication."""
    ready, missing = _ready(values, steps[:1], indication)
    if missing:
        return None, tuple(missing)
    assay = ready[0]
    timely = exp(-indication["attrition_per_day"] * assay["turnaround_days"])
    results = []
    for b in biomarkers:
        accuracy = performance(values, assay["assay_id"], b, indication["indication_id"])
        if accuracy:
            results.append(ServiceResult(
                b, (1 - assay["failure"]) * timely, accuracy.positive[True],
                1 - accuracy.positive[False], assay["turnaround_days"],
                1 - assay["failure"],
            ))
    if len(results) < 2:
        return None, ("two biomarkers that it answers here",)
    return _option(service, "base", ready, [1.0], tuple(results)), ()


def _ready(values: Values, steps: list[dict], indication: dict) -> tuple[list[dict], list[str]]:
    """Assays of the steps with their cost here, and what is missing."""
    ready, missing = [], []
    for step in steps:
        assay = dict(values.evidence.record("assays", assay_id=step["assay_id"]))
        key = {"assay_id": step["assay_id"]}
        for name, unit in (("failure", "share"), ("turnaround_days", "days")):
            assay[name] = values.row_fact("assays", assay, name, name.replace("_", " "), unit, **key).value
        cost = values.local_money("assay_costs", "cost of the assay", "USD per test", **key)
        if cost is None:
            missing.append(f"cost of {step['assay_id']}")
        else:
            assay["cost"] = cost.value
        ready.append(assay)
    return ready, missing


def _option(service, kind, ready, runs, results) -> ServiceOption:
    def total(name):
        return sum(n * a[name] for n, a in zip(runs, ready, strict=True))

    return ServiceOption(
        service["service_id"], service["name"], kind, total("cost"), total("technician_minutes"),
        total("pathologist_minutes"), results,
        tuple(
            AssayUse(a["assay_id"], n, n * a["cost"], n * a["technician_minutes"],
                     n * a["pathologist_minutes"])
            for n, a in zip(runs, ready, strict=True)
        ),
    )
