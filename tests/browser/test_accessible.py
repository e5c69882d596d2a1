"""Every page under an accessibility engine (axe): nothing serious, in the light and in the dark, wide and on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.test_journey import BUDGET, FOOT, PHONE, WIDE

pytestmark = pytest.mark.browser
PAGES = ("", "plan", "strategies", "hospital", "budget", "drug_access", "uncertainty", "compare", "evidence", "report", "method")
SERIOUS = ("serious", "critical")


def opened(seen, address: str, name: str):
    """A page with a place, once nothing is computed any more."""
    seen.page.goto(f"{address}{name}" + (f"?country=UGA&testing={BUDGET // 4}" if name else ""))
    seen.page.locator(FOOT).first.wait_for()
    seen.page.locator("[class*='_running']").first.wait_for(state="detached", timeout=300_000)
    seen.drawn()
    return seen.page


def found(page) -> list[str]:
    """Serious faults in words: rule, place, what is wrong."""
    result = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [f"{v['id']} ({v['impact']}): {n['target']} {n['html'][:160]} {(n.get('failureSummary') or '')[:240]}"
            for v in result["violations"] if v["impact"] in SERIOUS for n in v["nodes"]]


UNNAMED = """() => [...document.querySelectorAll('input, select, textarea, iframe, [data-testid=stPlotlyChart]')]
    .filter(e => e.offsetParent !== null && !e.closest('[aria-hidden=true]'))
    .filter(e => !(e.getAttribute('aria-label') || e.getAttribute('title') || e.getAttribute('aria-labelledby')
        || (e.labels && e.labels.length) || e.closest('[aria-label]') || e.querySelector('[aria-label]')
        || e.closest('label')))
    .map(e => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide-light", "phone-dark"])
def test_no_serious_fault_and_everything_has_a_name(visit, address, name, size, scheme):
    seen = visit(*size, scheme)
    page = opened(seen, address, name)
    assert found(page) == []
    assert page.evaluate(UNNAMED) == []
    assert seen.sideways() <= 0
    assert seen.foreign == []
