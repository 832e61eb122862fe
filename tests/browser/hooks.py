"""How tests find things on the page: by the names that it keeps for them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page


def shown(page: Page, name: str) -> Locator:
    """What the page calls so."""
    return page.get_by_test_id(name)


def row(page: Page, node: str) -> Locator:
    """A node's row."""
    return page.locator(f'[data-testid="node-row"][data-node="{node}"]')


def feed_item(page: Page, event: str) -> Locator:
    """What the stream told of one kind."""
    return page.locator(f'[data-testid="feed-item"][data-event="{event}"]')


async def live(page: Page) -> None:
    """Waits until the page follows the coordinator, its picture complete."""
    await expect(shown(page, "connection")).to_have_attribute("data-state", "live")


async def expect_states(place: Locator, states: list[str]) -> None:
    """Waits until the slots' boxes in there are as many, of these states."""
    await expect(place.get_by_test_id("slot")).to_have_count(len(states))
    for state, count in Counter(states).items():
        told = place.locator(f'[data-testid="slot"][data-state="{state}"]')
        await expect(told).to_have_count(count)
