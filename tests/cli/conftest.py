"""The analyses on a handful of use cases, so that each takes a second: shipped numbers, fewer lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

import planner
from planner.evidence.base import Tables

KEPT = ("breast_early/er_pr", "breast_early/her2", "cml/bcr_abl1", "apl/pml_rara", "breast_metastatic/her2")


def fewer(evidence, kept=KEPT):
    """The evidence with some of its use cases."""
    frame = evidence.tables["use_cases"]
    wanted = [f"{i}/{b}" in kept for i, b in zip(frame["indication_id"], frame["biomarker_id"], strict=True)]
    tables = {name: evidence.tables[name] for name in evidence.tables} | {
        "use_cases": frame[wanted].reset_index(drop=True)}
    return replace(evidence, tables=Tables(tables), digest="f" * 64)


@pytest.fixture(scope="session")
def few():
    return fewer(planner.load_evidence())
