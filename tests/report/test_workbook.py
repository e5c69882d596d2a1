"""The workbook does not carry the clock."""

from __future__ import annotations

import time
from io import BytesIO

from planner.report.workbook import write_workbook


def test_two_workbooks_of_a_plan_are_the_same_bytes(plan, evidence):
    first, second = BytesIO(), BytesIO()
    write_workbook(plan, evidence, first)
    time.sleep(1.1)  # time stamps have whole seconds
    write_workbook(plan, evidence, second)
    assert first.getvalue() == second.getvalue()
