"""The app on a free port and a headless browser that may ask nobody else."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-default-apps", "--disable-extensions", "--disable-sync", "--no-first-run"]


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Address of a running app; its log is shown if it does not start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with log.open("w") as out:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
                   "--server.headless", "true"]
        server = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait(port, server, log)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(20)


def _wait(port: int, server, log: Path) -> None:
    for _ in range(150):
        if server.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser():
    path = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    if path is None:
        pytest.skip("NO BROWSER TESTS WERE RUN: none of " + ", ".join(BROWSERS) + " is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=path, args=QUIET)
        yield found
        found.close()


class Visit:
    """A page with what it asked of others (all of it refused)."""

    def __init__(self, browser, address: str, width: int, height: int, scheme: str = "light"):
        self.foreign: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                           accept_downloads=True)
        self.context.route("**/*", lambda route: self._only(route, address))
        self.page = self.context.new_page()
        self.page.on("websocket", lambda ws: self._note(ws.url.replace("ws://", "http://"), address))
        self.page.set_default_timeout(60_000)

    def _note(self, url: str, address: str) -> bool:
        own = url.startswith((address, "data:", "blob:", "about:"))
        if not own:
            self.foreign.append(url)
        return own

    def _only(self, route, address: str) -> None:
        route.continue_() if self._note(route.request.url, address) else route.abort()

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate(
            "() => { const m = document.querySelector('[data-testid=stMain]');"
            " return Math.max(m.scrollWidth - m.clientWidth,"
            " document.documentElement.scrollWidth - window.innerWidth) }")

    def drawn(self) -> None:
        """Wait until nothing is a placeholder any more."""
        self.page.wait_for_timeout(1500)
        self.page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
        self.page.wait_for_timeout(1500)

    def whole(self, file: Path) -> None:
        """A picture of the whole page."""
        self.drawn()
        size = self.page.viewport_size
        tall = self.page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": min(tall + 20, 7000)})
        self.drawn()
        self.page.screenshot(path=str(file))
        self.page.set_viewport_size(size)


@pytest.fixture
def visit(browser, address):
    made = []

    def open_at(width: int, height: int, scheme: str = "light") -> Visit:
        made.append(Visit(browser, address, width, height, scheme))
        return made[-1]

    yield open_at
    for each in made:
        each.context.close()
