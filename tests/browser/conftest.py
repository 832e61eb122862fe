"""One headless browser and three sites for all tests of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.browser import chromium
from tests.browser.site import Site
from tests.browser.tabs import DEADLINE_SECONDS, Tabs
from tests.realserver import report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from playwright.async_api import Browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = chromium.find()
    if found is None:
        why = report.without(chromium.TITLE, "not fetched (make tools)")
        if report.is_required():
            pytest.fail(why)
        pytest.skip(why)
    expect.set_options(timeout=DEADLINE_SECONDS * 1000)
    async with async_playwright() as playwright:
        started = await found.launch(playwright)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser) -> AsyncIterator[Tabs]:
    """Tabs of one test. What they complain of fails it: errors, violations, requests to others."""
    async with Tabs(browser) as opened:
        yield opened
    assert not opened.complaints


def _site(nodes: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(nodes, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three nodes, for tests that change nothing."""
    yield from _site(3, tmp_path_factory)


@pytest.fixture(scope="session")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Sixty nodes, for tests that change nothing."""
    yield from _site(60, tmp_path_factory)


@pytest.fixture(scope="session")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Five thousand nodes, for tests that change nothing."""
    yield from _site(5000, tmp_path_factory)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Site]:
    """Three nodes of the test's own. A test names it before `tabs`, so that it ends after them."""
    with Site(3, tmp_path) as site:
        yield site
