"""The demo's page shows the demo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.hooks import feed_item, row
from tests.e2e.processes import SCRIPTS
from tests.e2e.waiting import until
from tests.realserver.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """A demo that goes on; what comes is the address that it tells."""
    log = tmp_path / "demo.log"
    process = Process([str(SCRIPTS / "slot-coordinator"), "demo", "--forever"], log)
    try:
        told = until(
            lambda: re.search(r"^page +(\S+)\n", log.read_text(), re.MULTILINE), "the page"
        )
        assert told
        yield told[1]
    finally:
        process.end(10.0)


async def test_the_demos_three_nodes_are_alive(demo: str, tabs: Tabs) -> None:
    page = await tabs.open(demo)
    for node in ("node1", "node2", "node3"):
        await expect(row(page, node)).to_be_visible()
        await expect(row(page, node).locator('[data-state="held"]')).not_to_have_count(0)
    await expect(feed_item(page, "handover")).not_to_have_count(0)
    await expect(feed_item(page, "limit")).not_to_have_count(0)
