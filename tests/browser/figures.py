"""`python -m tests.browser.figures`: how soon after its answer a grant is seen on the page.

Both times are this machine's clock; the page notes when it changes with a MutationObserver.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from tests.browser import chromium
from tests.browser.hooks import live
from tests.browser.site import Site
from tests.browser.tabs import Tabs
from tests.realserver.report import fail_or_skip, say

if TYPE_CHECKING:
    from playwright.async_api import Page

GRANTS = 30
FEED, HEADER = '[data-testid="feed-item"]', '[data-testid="total-held"]'
NOTE = """([name, place, text]) => {
  window.moments ??= {};
  const look = () => {
    const places = [...document.querySelectorAll(place)];
    const found = places.some((one) => one.textContent.includes(text));
    if (found) window.moments[name] ??= Date.now() / 1000;
    return found;
  };
  const observer = new MutationObserver(() => look() && observer.disconnect());
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


async def measure(nodes: int) -> tuple[list[float], list[float]]:
    """Seconds until the stream, and the sums, show each of the grants."""
    found = chromium.find()
    assert found is not None
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        site = stack.enter_context(Site(nodes, Path(folder)))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await found.launch(playwright)
        stack.push_async_callback(browser.close)
        tabs = await stack.enter_async_context(Tabs(browser))
        page = await tabs.open(site.url)
        await live(page)
        took = [await _one(site, page, number) for number in range(GRANTS)]
    return [feed for feed, _ in took], [sums for _, sums in took]


async def _one(site: Site, page: Page, number: int) -> tuple[float, float]:
    room = [each.name for each in site.plan.nodes if _has_room(site, each.name)]
    node = room[number % len(room)]  # of one node the sums change once a second at most
    claim, held = f"newcomer-{number}", site.totals()["held"]
    await page.evaluate(NOTE, [f"feed-{number}", FEED, claim])
    await page.evaluate(NOTE, [f"sums-{number}", HEADER, str(held + 1)])
    site.granted(node, claim)
    answered = time.time()
    feed, sums = await _noted(page, f"feed-{number}"), await _noted(page, f"sums-{number}")
    site.release(node, claim)
    await page.wait_for_function(
        "([place, text]) => document.querySelector(place).textContent === text",
        arg=[HEADER, str(held)],
    )
    return feed - answered, sums - answered


def _has_room(site: Site, node: str) -> bool:
    told = site.node(node)
    return bool(told["held"] < told["limit"] and not told["hold"])


async def _noted(page: Page, name: str) -> float:
    found = await page.wait_for_function("name => window.moments[name]", arg=name)
    return float(await found.json_value())


def main() -> int:
    """Prints them; what comes back is the exit code."""
    if chromium.find() is None:
        return fail_or_skip("not fetched (make tools)", chromium.TITLE)
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for what, took in zip(("stream", "sums"), asyncio.run(measure(nodes)), strict=True):
        middle, worst = median(took) * 1000, max(took) * 1000
        say(f"{nodes} nodes, {GRANTS} grants: {what} median {middle:.0f} ms, worst {worst:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
