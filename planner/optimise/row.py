"""Rows of the programme as plain mappings: variable to coefficient."""

from __future__ import annotations

import numpy as np

Row = dict
NONE = "none"  # the base of patients whose biomarkers are all tested singly, or not at all


def add(row: Row, variable, coefficient: float) -> None:
    """Add a coefficient to a row, a number or one per version; exact zeros leave no trace."""
    if isinstance(coefficient, np.ndarray) or coefficient:
        row[variable] = row.get(variable, 0.0) + coefficient


def merge(*rows: Row) -> Row:
    """The sum of rows."""
    out: Row = {}
    for row in rows:
        for variable, coefficient in row.items():
            add(out, variable, coefficient)
    return out
