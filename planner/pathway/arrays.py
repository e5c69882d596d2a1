"""Arithmetic on one number or on many versions of it at once.

The builders of :mod:`planner.pathway` and the rows of the formulation work on plain numbers, or on
arrays with one entry per version of the problem (draws, levers). These few functions are all that
has to know the difference; for plain numbers they are the standard library's.
"""

from __future__ import annotations

import math

import numpy as np


def many(*values) -> bool:
    """Whether any of the values is an array of versions."""
    return any(isinstance(v, np.ndarray) for v in values)


def least(a, b):
    return np.minimum(a, b) if many(a, b) else min(a, b)


def most(a, b):
    return np.maximum(a, b) if many(a, b) else max(a, b)


def some(value) -> bool:
    """Whether the number is above zero, in any version."""
    return bool(np.any(value > 0)) if isinstance(value, np.ndarray) else value > 0


def exp(value):
    return np.exp(value) if many(value) else math.exp(value)


def expm1(value):
    return np.expm1(value) if many(value) else math.expm1(value)


def where_positive(value, then, other):
    """``then`` where the value is above zero, else ``other``; neither may divide by zero elsewhere."""
    if many(value, then):
        return np.where(np.asarray(value) > 0, then, other)
    return then if value > 0 else other
