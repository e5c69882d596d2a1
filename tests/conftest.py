"""Shared builders of tiny problems: one country, a few use cases, every number by hand."""

from __future__ import annotations

import pytest

from tests.tiny import tiny_problem, tiny_scenario


@pytest.fixture
def problem():
    return tiny_problem()


@pytest.fixture
def scenario():
    return tiny_scenario()
