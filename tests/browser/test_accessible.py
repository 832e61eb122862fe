"""Everybody can use it: axe finds nothing serious, a keyboard is enough, a phone is wide enough."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.hooks import live, row, shown
from tests.browser.plan import POOL
from tests.browser.tabs import PHONE, WIDE

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VIEWS = {
    "nodes": "",
    "node": "&view=node&node=node1",
    "silent": "&view=node&node=node3",
    "config": "&view=config",
    "events": "&view=events",
    "nothing": "&q=nobody-is-called-so",
}
GRAVE = {"serious", "critical"}
ACTIVE = "aria-activedescendant"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _grave(violations: list[dict[str, Any]]) -> list[str]:
    found = [each for each in violations if each["impact"] in GRAVE]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


async def _judge(page: Page) -> list[str]:
    result = await Axe().run(page)
    return _grave(result.response["violations"])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, WIDE])
@pytest.mark.parametrize("view", VIEWS)
async def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(
    three: Site, tabs: Tabs, view: str, width: int, dark: bool
) -> None:
    page = await tabs.open(f"{three.url}/?pool={POOL}{VIEWS[view]}", width, dark=dark)
    await live(page)
    assert await _judge(page) == []
    assert await page.evaluate(WIDER) == 0


async def test_axe_finds_nothing_serious_in_a_preview_and_in_the_dialog_of_keys(
    three: Site, tabs: Tabs
) -> None:
    page = await tabs.open(f"{three.url}/?pool={POOL}&view=config", PHONE)
    await shown(page, "preview-text").fill('{"loadConcurrency": {"globalConfig": 1}}')
    await shown(page, "preview-run").click()
    await expect(shown(page, "preview-result")).to_contain_text("change")
    assert await _judge(page) == []
    assert await page.evaluate(WIDER) == 0
    await shown(page, "preview-run").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await _judge(page) == []


async def test_axe_is_there_and_would_find_something(three: Site, tabs: Tabs) -> None:
    page = await tabs.open(three.url)
    await live(page)
    await page.evaluate("document.body.append(document.createElement('button'))")
    assert [found.split(":")[0] for found in await _judge(page)] == ["button-name"]


async def test_the_keyboard_alone_searches_moves_opens_and_goes_back(
    three: Site, tabs: Tabs
) -> None:
    page = await tabs.open(f"{three.url}/?sort=name")
    await live(page)
    await page.keyboard.press("/")
    await expect(shown(page, "search")).to_be_focused()
    await page.keyboard.type("node")
    await expect(page).to_have_url(re.compile("q=node"))
    await _focus_the_list(page)
    await page.keyboard.press("End")
    await expect(page.get_by_role("grid")).to_have_attribute(ACTIVE, "row-node3")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("grid")).to_have_attribute(ACTIVE, "row-node2")
    await page.keyboard.press("Enter")
    await expect(shown(page, "node-view")).to_have_attribute("data-node", "node2")
    await page.keyboard.press("Escape")
    await expect(row(page, "node2")).to_be_visible()
    await page.keyboard.press("c")
    await expect(shown(page, "config-view")).to_be_visible()


async def _focus_the_list(page: Page) -> None:
    """By Tab, as who has no mouse."""
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.getAttribute('role')") == "grid":
            return
    pytest.fail("Tab never comes to the list of nodes")


async def test_where_the_keyboard_is_can_be_seen(three: Site, tabs: Tabs) -> None:
    page = await tabs.open(three.url)
    await live(page)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(outline) not in {"none", ""}
