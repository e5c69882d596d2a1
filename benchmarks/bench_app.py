"""How long the page makes a planner wait: server time of a moved budget and of a moved access share, and the first page of
a new process. Called by the benchmark; also by itself:

    python benchmarks/bench_app.py
"""

from __future__ import annotations

import logging
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUDGET, MOVES = 400_000.0, 7
COLD = """
import time
start = time.perf_counter()
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({app!r}, default_timeout=120).run()
assert not at.exception
print(time.perf_counter() - start)
"""


def opened(page: str = "planner/ui/pages/plan.py"):
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.query_params["country"], at.query_params["testing"] = "KEN", str(int(BUDGET))
    return at.run().switch_page(page).run()


def moved(set_to, values) -> float:
    """Median seconds of processor time of a whole run of the page after a change."""
    seconds = []
    for value in values:
        start = time.process_time()
        set_to(value)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def planned(changes) -> float:
    """Median seconds until the new plan is there, without the page."""
    from planner.ui import cache

    seconds = []
    for scenario in changes:
        start = time.process_time()
        cache.plan(scenario, private=False)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def cold() -> float:
    """Seconds by the wall clock from a new process to its first page."""
    command = [sys.executable, "-c", COLD.format(app=str(ROOT / "app.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def report() -> None:
    """Print what a planner waits for."""
    from planner.scenario.scenario import loads
    from planner.ui import changes

    logging.disable(logging.WARNING)  # of a script that is run without a browser
    base = loads("parent = 'defaults'", "bench", {"setting": {"country": "KEN"}, "budget": {"testing": BUDGET}})
    at = opened()
    budgets = [BUDGET + 10_000 * n for n in range(1, MOVES + 1)]
    shares = [n / 100 for n in range(11, 11 + MOVES)]
    page = moved(lambda v: at.number_input(key="budget_testing").set_value(v).run(), budgets)
    plans = planned(changes.put(base, ("budget", "testing"), v + 5_000.0) for v in budgets)
    access = planned(changes.put(base, ("access", "drugs", "trastuzumab"), v) for v in shares)
    print(f"new list after a moved budget {plans * 1e3:.0f} ms, with its page drawn {page * 1e3:.0f} ms; after a moved access "
          f"share {access * 1e3:.0f} ms (aim 300 ms)")
    print(f"first page of a new process {cold():.1f} s by the wall clock (aim 5 s)")


if __name__ == "__main__":
    report()
