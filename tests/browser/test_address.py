"""What is shown stands in the address: reload, the back button and a shared link show the same."""

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


async def _names(page: Page) -> list[str]:
    rows = page.get_by_test_id("node-row")
    return sorted(await rows.evaluate_all("rows => rows.map(row => row.dataset.node)"))


async def test_a_search_and_filters_survive_a_reload_and_can_be_shared(
    sixty: Site, tabs: Tabs
) -> None:
    page = await tabs.open(sixty.url)
    await live(page)
    await shown(page, "search").fill("worker-a")
    await shown(page, "filter-queued").click()
    wanted = [node.name for node in sixty.plan.nodes if node.waiting and "worker-a" in node.name]
    await expect(page.get_by_test_id("node-row")).to_have_count(len(wanted))
    found = await _names(page)
    assert found == sorted(wanted)
    await page.reload()
    await expect(page.get_by_test_id("node-row")).to_have_count(len(wanted))
    other = await tabs.open(page.url)
    await expect(other.get_by_test_id("node-row")).to_have_count(len(wanted))
    assert await _names(other) == found
    await expect(shown(other, "search")).to_have_value("worker-a")
    await expect(shown(other, "filter-queued")).to_have_attribute("aria-pressed", "true")


async def test_the_back_button_undoes_each_step(sixty: Site, tabs: Tabs) -> None:
    page = await tabs.open(sixty.url)
    await live(page)
    await shown(page, "filter-on-hold").click()
    held = next(node.name for node in sixty.plan.nodes if node.hold)
    await expect(page.get_by_test_id("node-row")).to_have_count(1)
    await row(page, held).get_by_role("link").click()
    await expect(shown(page, "node-view")).to_have_attribute("data-node", held)
    await page.go_back()
    await expect(page.get_by_test_id("node-row")).to_have_count(1)
    await expect(shown(page, "filter-on-hold")).to_have_attribute("aria-pressed", "true")
    await page.go_back()
    await expect(shown(page, "filter-on-hold")).to_have_attribute("aria-pressed", "false")
    await page.go_forward()
    await expect(page.get_by_test_id("node-row")).to_have_count(1)


async def test_a_node_has_an_address_of_its_own(sixty: Site, tabs: Tabs) -> None:
    name = sixty.plan.nodes[7].name
    page = await tabs.open(sixty.url)
    await live(page)
    await shown(page, "search").fill(name)
    await row(page, name).get_by_role("link").click()
    await expect(shown(page, "node-view")).to_have_attribute("data-node", name)
    await page.reload()
    await expect(shown(page, "node-view")).to_have_attribute("data-node", name)


async def test_a_load_is_found_by_its_name(sixty: Site, tabs: Tabs) -> None:
    node = next(node for node in sixty.plan.nodes if node.holding and not node.mute)
    page = await tabs.open(sixty.url)
    await live(page)
    await shown(page, "search").fill(node.holding[0].name)
    await expect(page.get_by_role("link", name=node.name).first).to_be_visible()
