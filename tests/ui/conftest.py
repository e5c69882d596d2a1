"""What the tests of the pages share."""

from __future__ import annotations

import pytest

from planner.ui import cache
from planner.ui.jobs import Board


@pytest.fixture
def board(monkeypatch):
    """AppTest runs are one session: what another test began must not be seen here."""
    mine = Board()
    monkeypatch.setattr(cache, "board", lambda: mine)
    yield mine
    mine.stop_all()
