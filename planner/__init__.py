"""Essential Biomarker Planner: which cancer biomarkers to test, in which order, for the money."""

from __future__ import annotations

__version__ = "0.1.0"
MODEL_VERSION = "2026.1"
