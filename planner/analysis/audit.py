"""The audit of a plan file: separate code checks every constraint and recomputes every total.

It reads the decisions from the file, the numbers from the evidence, and the rules from the specification; it
knows neither the solver nor the programme that the planner writes. It answers whether the plan is what it says
it is, not whether a better plan exists: the value is only held against the frontier that the file shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from planner.analysis.audit_book import Book
from planner.analysis.audit_check import Check, Sheet, printed
from planner.analysis.audit_file import PlanFile, read_plan
from planner.analysis.audit_laboratory import AtHome, check_laboratory
from planner.analysis.audit_list import check_list, check_provenance
from planner.analysis.audit_rules import check_rules
from planner.analysis.audit_totals import check_totals
from planner.analysis.audit_types import PatientType, patient_types
from planner.errors import BadInput, Issue
from planner.evidence.base import Evidence, load_evidence
from planner.pathway.build import build_problem
from planner.pathway.problem import Problem

# What the audit does not recompute, by place in the file: it would have to plan again, or it is words.
NOT_AUDITED = {
    "list.entry_budget": "entry budgets (only that ranks follow them)", "list.earlier_spells": "earlier spells of funding",
    "list.full_budget": "budgets at which a line is full", "list.criticality": "criticality",
    "list.price_of_mandate": "the price of a mandate", "shadow_prices": "shadow prices (only that what has one is used up)",
    "binding": "shadow prices of what binds",
    "frontier": "points of the frontier (only that they rise, and hold the plan's own value)",
    "reference": "today's practice", "ties": "ties", "solver": "the solver's own report",
    "list.reason": "reasons, names, warnings and other texts",
}
DIGITS = 12  # of a digest in a message


@dataclass(frozen=True)
class Audit:
    """What an audit found: one row per check passed, one per place where a check fails; and the mix of
    patients that the plan's fractions stand for (weights are shares of the eligible)."""

    name: str
    checks: tuple[Check, ...]
    patients: tuple[PatientType, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if not c.passed)

    @property
    def passed(self) -> bool:
        return not self.failed

    def text(self) -> str:
        """The table for a terminal, with a sentence at the end."""
        names = {c.name for c in self.checks}
        wrong = sorted({c.name for c in self.failed})
        last = f"{self.name}: all {len(names)} checks passed; the plan is a mix of {len(self.patients)} types of patient."
        if wrong:
            last = f"{self.name}: {len(wrong)} of {len(names)} checks failed: {', '.join(wrong)}."
        return f"{printed(self.checks)}\n\n{last}\nNot audited: {'; '.join(NOT_AUDITED.values())}.\n"


def audit(path: str | Path, overlays: Iterable[str | Path] = (), evidence: Evidence | None = None,
          model_version: str | None = None) -> Audit:
    """The audit of a plan file, on the evidence that it was made with.

    ``evidence``: the shipped one, with ``overlays`` laid over it, where none is given. ``model_version``: that
    of this planner; a plan of another is refused. Raises :class:`BadInput` with every fault of a file that is
    no plan, and where the evidence is not the plan's.
    """
    file = read_plan(path)
    evidence = evidence or load_evidence(overlays=overlays)
    _same_evidence(file, evidence, Path(path).name, model_version)
    return judge(file, evidence, Path(path).name)


def judge(file: PlanFile, evidence: Evidence, name: str = "plan", problem: Problem | None = None) -> Audit:
    """The audit of a plan that was read, on the numbers of its own problem where that is not built already. Raises
    :class:`BadInput` where its scenario does not fit the evidence."""
    problem = problem or build_problem(evidence, file.scenario)
    book = Book(problem, file.scenario, file.document["solution"], AtHome.of(problem.laboratory, file.document))
    sheet = Sheet()
    check_rules(book, sheet, _reference(file.document))
    check_totals(book, file.document, sheet)
    check_laboratory(book, file.document, sheet)
    check_list(book, file.document, sheet)
    check_provenance(book, file.document, sheet)
    return Audit(name, sheet.checks(), patient_types(book))


def _same_evidence(file: PlanFile, evidence: Evidence, name: str, model_version: str | None) -> None:
    said, issues = file.document["evidence"], []
    if said["sha256"] != evidence.digest:
        issues.append(Issue(
            f"{name}, evidence", f"the plan was made with version {said['version'][:40]} ({said['sha256'][:DIGITS]}...), "
            f"here is {evidence.version} ({evidence.digest[:DIGITS]}...)",
            "lay the same rows over the shipped evidence with --evidence, or plan the scenario again", "evidence"))
    made = file.document["model_version"]
    if model_version is not None and made != model_version:
        issues.append(Issue(f"{name}, model_version", f"the plan was made by model {made[:40]}, this is {model_version}",
                            "audit it with that version, or plan the scenario again", "model_version"))
    if issues:
        raise BadInput(issues)


def _reference(document: dict) -> dict | None:
    """Today's totals as the file states them, where it has them."""
    totals = document["reference"]["totals"]
    return totals if totals and "testing_cost" in totals else None
