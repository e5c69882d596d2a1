"""Planning problems that are knapsacks: one indication per item, tests that cost its weight."""

from __future__ import annotations

from dataclasses import replace

from planner.pathway.problem import Problem
from tests.tiny import indication, service, therapy, tiny_problem, use_case


def knapsack(items: dict[str, tuple[float, float]]) -> Problem:
    """Items (weight, value): full coverage of an item costs its weight and is worth its value."""
    return replace(tiny_problem(), indications=tuple(_item(name, *numbers) for name, numbers in sorted(items.items())))


def _item(name: str, weight: float, value: float):
    """One person, whose test never fails, misses or errs, and whose drug everybody gets."""
    drug = therapy(f"drug_{name}", h=value, alpha=1.0, amax=1.0, fit=1.0, payers=(("public", 1.0),))
    line = use_case(name, "b", [drug], prevalence=1.0, prevalence_net=1.0, kap=1.0)
    return indication(name, [line], [service(f"test_{name}", ["b"], weight, eta=1.0, se=1.0, sp=1.0)], eligible=1.0)
