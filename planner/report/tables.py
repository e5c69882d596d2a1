"""The tables of a plan, once for all documents: columns, units, kinds; CSV, JSON, printed table.

A column is (header, path into the row, kind). Kinds of numbers are those of
:mod:`planner.report.numbers`, besides ``text``, ``count`` and ``number`` (no unit of its own).
"""

from __future__ import annotations

import csv
import io
import json
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planner.report.numbers import MINUS, sentence, show
from planner.result.laboratory import told
from planner.result.priority import TIER_WORDS

FUNDED = {"full": "full", "part": "in part", "no": "no"}
TIERS = ("priority_tier", "robust_tier", "tier_before", "tier_after")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LIMITS_OF_USE = "Planning aid, not clinical advice. Figures are estimates for a whole population, not for a patient."
OWNERS = (
    "Cancer incidence: Ferlay J et al. Global Cancer Observatory: Cancer Today. Lyon: International Agency for "
    "Research on Cancer (IARC/WHO), GLOBOCAN 2022; non-commercial use under the terms of IARC/WHO.",
    "Life expectancy: United Nations, World Population Prospects 2024, CC BY 3.0 IGO.",
    "Income, prices and currencies: World Bank, World Development Indicators, CC BY 4.0.",
)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """header with its unit, dotted path into a row of the plan document, kind."""

    header: str
    path: str
    kind: str = "text"

    def value(self, row: Row):
        """The unrounded cell: number, text, or None where unknown."""
        value: Any = row
        for step in self.path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return cell(value, self.path)


def cell(value, path: str = ""):
    """A value as a cell: codes in words, lists joined, no infinite numbers."""
    if path in TIERS:
        return TIER_WORDS.get(value, value)
    if path == "funded" and value in FUNDED:
        return FUNDED[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return "; ".join(_words(v) for v in value)
    return value


def _words(item) -> str:
    if isinstance(item, Mapping):
        parts = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in item.values()]
        return " ".join(parts)
    return " to ".join(f"{v:.6g}" for v in item) if isinstance(item, list | tuple) else str(item)


def columns(*specs: str) -> tuple[Column, ...]:
    """Columns of ``"Header|path|kind"`` lines."""
    return tuple(Column(*spec.split("|")) for spec in specs)


LIST = columns(
    "Rank|rank|count", "Region|region", "Indication|indication", "Biomarker|biomarker", "Use case|use_case_id",
    "Priority|priority_tier", "Funded|funded", "Mandated|mandated", "Coverage (share)|coverage|share",
    "Attainable coverage (share)|attainable_coverage|share", "Coverage today (share)|coverage_today|share",
    "Tested (people a year)|patients_tested|people", "Positives found (people a year)|positives_found|people",
    "Treated with a matched drug (people a year)|patients_treated|people",
    "Healthy years gained (QALYs)|qalys|qalys", "Testing cost (USD a year)|testing_cost|usd",
    "Treatment cost (USD a year)|treatment_cost|usd", "Cost per QALY (USD)|cost_per_qaly|cost_per_qaly",
    "Cost per QALY, at most (USD)|cost_per_qaly_ceiling|cost_per_qaly",
    "Cost per QALY without drugs above the threshold (USD)|cost_per_qaly_where_it_pays|cost_per_qaly",
    "Course price that pays (USD)|price_that_pays.price|usd", "Enters at (USD a year)|entry_budget|usd",
    "Full from (USD a year)|full_budget|usd", "Lost if struck out (QALYs)|criticality|qalys",
    "Drug reachable today (share)|access_share|share", "Evidence level|gate.level|count",
    "Basis of the level|gate.level_basis", "ESCAT|gate.escat", "ESMO-MCBS|gate.mcbs",
    "WHO essential medicine|gate.who_eml", "Report class|report_class", "Reason|reason.text",
    "Services (share of the eligible)|services",
)
SOLVED = columns("How the solving ended|solver.status", "Health still possible (share)|solver.gap|number")
RESTS_ON = columns("Evidence version|evidence.version", "Evidence sha256|evidence.sha256",
                   "Model version|model_version")
BY_BIOMARKER = columns(
    "Biomarker|biomarker", "Best rank|best_rank|count", "Use cases|use_cases|count", "Funded|funded|count",
    "Tested (people a year)|patients_tested|people", "Positives found (people a year)|positives_found|people",
    "Treated with a matched drug (people a year)|patients_treated|people",
    "Healthy years gained (QALYs)|qalys|qalys", "Testing cost (USD a year)|testing_cost|usd",
    "Treatment cost (USD a year)|treatment_cost|usd",
)
BY_TEST = columns(
    "Test|name", "Id|assay", "Laboratory|laboratory", "Samples a year|samples|people", "Cost (USD a year)|cost|usd",
    "Technicians (minutes a year)|technician_minutes|number",
    "Pathologists (minutes a year)|pathologist_minutes|number",
)
CHAIN = columns(
    "Rank|rank|count", "Region|region", "Use case|use_case_id", "Basis|chain.basis",
    "New cases (people a year)|chain.incident|people", "Eligible|chain.eligible|people",
    "Worked up|chain.worked_up|people", "Sample adequate|chain.adequate|people", "Result in time|chain.in_time|people",
    "Called positive|chain.positive|people", "Drug reachable|chain.accessible|people", "Treated|chain.treated|people",
    "Most are lost before|chain.bottleneck",
)
DO_NOT_BUY = columns("Rank|rank|count", "Use case|use_case_id", "Name|name", "Priority|priority_tier",
                     "Why not now|text")
INPUTS = columns(
    "Parameter|parameter", "Key|key", "Value|value|number", "Unit|unit", "Low|low|number", "High|high|number",
    "Level|level", "Of|stratum", "Grade|quality", "Source|source_id", "Note|note",
)
SOURCES = columns("Source|source_id", "Citation|citation", "DOI|doi", "PubMed|pmid", "Address|url",
                  "Terms|licence", "How it was read|how_read")
PRINTED = (
    ("rank", 4), ("use case", 34), ("priority", 22), ("funded", 7), ("coverage", 8), ("treated", 8), ("QALYs", 8),
    ("tests, US$", 12), ("US$/QALY", 11), ("reason", 6),
)


def rows_of(document: Mapping[str, Any], part: str) -> list[dict]:
    """Rows of a part of the plan document, each with ``use_case_id`` where it has one; tests of hardly a sample left out."""
    rows = told(document[part]) if part in ("by_test", "home_tests") else document[part]
    return [{**row, "use_case_id": f"{row['indication_id']}/{row['biomarker_id']}"} if "indication_id" in row
            else dict(row) for row in rows]


# -- JSON and CSV -------------------------------------------------------------------------------------

def plan_json(document: Mapping[str, Any]) -> str:
    """The plan JSON: keys sorted, unrounded; equal plans give equal text but for solver.seconds."""
    return json.dumps(plain(document), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value):
    """Plain JSON values: numpy numbers become Python's, what is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def list_csv(document: Mapping[str, Any]) -> str:
    """The list as CSV (comma, UTF-8, header with units, unrounded); each row says what it rests on."""
    rests_on = {name: document[name] for name in ("evidence", "model_version", "solver")}
    rows = [{**row, **rests_on} for row in rows_of(document, "list")]
    return csv_text(LIST + RESTS_ON + SOLVED, rows)


def csv_text(wanted: Sequence[Column], rows: Iterable[Row]) -> str:
    """CSV text. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guarded(c.header) for c in wanted])
    for row in rows:
        writer.writerow([guarded(c.value(row)) for c in wanted])
    return out.getvalue()


def guarded(value):
    """The value, a text beginning like a formula with an apostrophe; numbers stay numbers, and what is
    not a number at all stays empty."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) or value.lstrip().startswith(FORMULA) else value
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else ""
    return value


# -- the printed table --------------------------------------------------------------------------------

def printed(document: Mapping[str, Any]) -> str:
    """The answer and the list for a terminal, numbers through :func:`numbers.show`."""
    several = len(document["place"]) > 1
    lines = [_line([name for name, _ in PRINTED]), _line(["-" * width for _, width in PRINTED])]
    for row in rows_of(document, "list"):
        name = f"{row['region']} {row['use_case_id']}" if several else row["use_case_id"]
        lines.append(_line([
            str(row["rank"]), name, TIER_WORDS[row["priority_tier"]], FUNDED[row["funded"]],
            show(row["coverage"], "share"), show(row["patients_treated"], "people"),
            show(row["qalys"], "qalys"), show(row["testing_cost"], "usd", unit=False),
            show(row["cost_per_qaly"], "cost_per_qaly", unit=False), (row["reason"] or {}).get("text", ""),
        ]))
    answer = textwrap.fill(sentence(document), 110)
    from planner.report.laboratory_tables import summary  # which describes its columns with this module

    laboratory = textwrap.fill(f"Laboratory: {' '.join(summary(document))}", 110)
    text = "\n".join([document["scenario"]["name"], "", answer, "", laboratory, "", *lines, "", footer(document)]) + "\n"
    return text.replace(MINUS, "-")  # terminals without Unicode


def _line(cells: Sequence[str]) -> str:
    out = []
    for text, (name, width) in zip(cells, PRINTED, strict=True):
        short = text if len(text) <= width or name == "reason" else f"{text[: width - 2]}.."
        left = name in ("use case", "priority", "funded", "reason")
        out.append(short.ljust(width) if left else short.rjust(width))
    return "  ".join(out).rstrip()


def footer(document: Mapping[str, Any]) -> str:
    """What the plan rests on: place, evidence, model, and what it is not."""
    evidence = document["evidence"]
    return (f"US$ of {document['base_year']}. Evidence {evidence['version']} ({evidence['sha256'][:12]}), "
            f"model {document['model_version']}. {LIMITS_OF_USE}")
