"""Five thousand nodes stay usable: only what is visible is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.hooks import live, row, shown

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MOST_ROWS = 150
STEPS = 40


async def _rows(page: Page) -> int:
    return await page.get_by_test_id("node-row").count()


async def test_few_rows_are_drawn_all_the_way_to_the_last_node(thousands: Site, tabs: Tabs) -> None:
    page = await tabs.open(f"{thousands.url}/?sort=name")
    await live(page)
    await expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "5001")
    drawn = [await _rows(page)]
    whole = await page.evaluate("document.documentElement.scrollHeight")
    for step in range(1, STEPS + 1):
        await page.evaluate("to => scrollTo(0, to)", whole * step / STEPS)
        await page.evaluate("() => new Promise(drawn => requestAnimationFrame(drawn))")
        drawn.append(await _rows(page))
    await expect(page.locator('[aria-rowindex="5001"]')).to_be_visible()
    assert min(drawn) > 10
    assert max(drawn) < MOST_ROWS


async def test_a_search_finds_the_one_and_filters_leave_the_waiting_ones(
    thousands: Site, tabs: Tabs
) -> None:
    page = await tabs.open(thousands.url)
    await live(page)
    name = thousands.plan.nodes[4321].name
    await shown(page, "search").fill(name)
    await expect(row(page, name)).to_be_visible()
    await expect(page.get_by_test_id("node-row")).to_have_count(1)
    await shown(page, "search").fill("")
    waiting = sum(bool(node.waiting) for node in thousands.plan.nodes)
    await shown(page, "filter-queued").click()
    rows = str(waiting + 1)
    await expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", rows)


async def test_the_end_key_goes_to_the_last_node_and_a_grant_there_is_shown(
    thousands: Site, tabs: Tabs
) -> None:
    page = await tabs.open(f"{thousands.url}/?sort=name")
    await live(page)
    last = max(node.name for node in thousands.plan.nodes)
    await page.get_by_role("grid").focus()
    await page.keyboard.press("End")
    await expect(row(page, last)).to_be_visible()
    held = thousands.node(last)["held"]
    thousands.granted(last, "far-away")
    await expect(row(page, last)).to_contain_text(f"{held + 1} of")
    thousands.release(last, "far-away")
