"""The system's Chromium, driven by Playwright, for tests marked `browser`.

    @pytest.mark.browser
    async def test_the_form_says_thank_you(page: Page) -> None: ...

Where there is no Chromium these tests are skipped, and the last lines of the run say so.
"""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PHONE: ViewportSize = {"width": 390, "height": 844}
_SKIPPED = pytest.StashKey[int]()


def find_chromium() -> str | None:
    """The path of the browser: STILLWATER_CHROMIUM, or the first of the usual names on the path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("STILLWATER_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the run, with a profile of its own that is thrown away."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh page without cookies or history."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if find_chromium():
        return
    affected = [item for item in items if item.get_closest_marker("browser")]
    for item in affected:
        item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
    config.stash[_SKIPPED] = len(affected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped := config.stash.get(_SKIPPED, 0):
        terminalreporter.write_line(
            f"{skipped} tests in a real browser were skipped: there is no Chromium here. "
            "To run them: apt install chromium, or point STILLWATER_CHROMIUM at one.",
            yellow=True,
        )
