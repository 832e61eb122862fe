"""`python -m tests.browser.screenshots [FOLDER]`: the pictures of docs/images, by default there.

The nodes and loads are the same each time, what has happened to them and when is not quite.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright, expect

from tests.browser import chromium
from tests.browser.hooks import feed_item, live, shown
from tests.browser.plan import POOL, TYPE, limits, limits_of_many
from tests.browser.png import smaller
from tests.browser.site import Site
from tests.browser.tabs import PHONE, Tabs
from tests.e2e.waiting import until
from tests.realserver.report import fail_or_skip, say

if TYPE_CHECKING:
    from playwright.async_api import Page

NODES = 60
EVERY = 0.3
"""Seconds from load to load until the pictures are taken."""
TURNS = 120
"""So many loads come and go first: there has to be something to tell, and to estimate from."""
SEEN = 5
"""Hand-overs that the dashboard has to show."""
PATIENCE = 180.0
"""Seconds for that."""
WIDTH, HEIGHT, CONFIG_HEIGHT, PHONE_HEIGHT = 1440, 900, 1250, 780
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SHRUNK = limits_of_many(3)
"""What the limits become just before: some nodes are above them then."""
PREVIEWED = limits(2, ({TYPE: "Standard_B4ms"}, 3), ({TYPE: "r6i.2xlarge"}, 6))


@dataclass(frozen=True)
class Picture:
    """One file: what of the page, how wide, how dark."""

    name: str
    query: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    dark: bool = False


Taken = tuple[Picture, bytes]


def _pictures(node: str) -> list[Picture]:
    return [
        Picture("dashboard"),
        Picture("dashboard-dark", dark=True),
        Picture("node", f"&view=node&node={node}"),
        Picture("config", "&view=config", height=CONFIG_HEIGHT),
        Picture("phone", width=PHONE, height=PHONE_HEIGHT),
    ]


async def take() -> list[Taken]:
    """All of them. Raises AssertionError where the page does not come to show what it is to show,
    or complains.
    """
    found = chromium.find()
    assert found is not None
    async with AsyncExitStack() as stack:
        site = stack.enter_context(Site(NODES, Path(stack.enter_context(_scratch()))))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await found.launch(playwright)
        stack.push_async_callback(browser.close)
        tabs = await stack.enter_async_context(Tabs(browser))
        site.live(EVERY)
        until(lambda: site.turns >= TURNS, f"{TURNS} loads have come and gone", PATIENCE)
        site.configure(SHRUNK)
        busy = max(site.plan.nodes, key=lambda node: len(node.waiting))
        taken = [await _take(tabs, site, picture) for picture in _pictures(busy.name)]
        assert not tabs.complaints
    return taken


def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


async def _take(tabs: Tabs, site: Site, picture: Picture) -> Taken:
    page = await tabs.blank(picture.width, height=picture.height, dark=picture.dark)
    await page.goto(f"{site.url}/?pool={POOL}{picture.query}")
    await live(page)
    if "config" in picture.query:
        await _preview(page)
    else:
        await expect(shown(page, "slot").first).to_be_visible()
    if not picture.query:
        await expect(feed_item(page, "handover").nth(SEEN)).to_be_attached()
    return picture, await page.screenshot()


async def _preview(page: Page) -> None:
    await shown(page, "preview-text").fill(PREVIEWED)
    await shown(page, "preview-run").click()
    await expect(shown(page, "preview-result")).to_contain_text("would change")


def main() -> int:
    """Takes them; what comes back is the exit code."""
    if chromium.find() is None:
        return fail_or_skip("not fetched (make tools)", chromium.TITLE)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    for picture, image in asyncio.run(take()):
        file = folder / f"{picture.name}.png"
        file.write_bytes(smaller(image))
        say(f"== {file}: {file.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
