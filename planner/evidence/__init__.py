"""The evidence base: dictionary, reading, checks, strata."""

from planner.evidence.base import Evidence, load_evidence, validate
from planner.evidence.strata import Place, Resolved, StrataIndex, place

__all__ = ["Evidence", "Place", "Resolved", "StrataIndex", "load_evidence", "place", "validate"]
