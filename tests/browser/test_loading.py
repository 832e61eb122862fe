"""The page comes up, says what the API says, and asks nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.hooks import expect_states, row, shown
from tests.browser.plan import POOL
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
WATCH_FOR_NONE = """
const look = () => { if (document.body?.textContent.includes("No nodes")) window.saidNone = true; };
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""
OPENED = 5
"""Pages: what is seen for a moment only is not seen each time."""
CSP = "content-security-policy"
STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


async def test_it_shows_every_node_and_the_sums_that_the_api_tells(tabs: Tabs, three: Site) -> None:
    page = await tabs.open(three.url)
    for node in three.plan.nodes:
        await expect(row(page, node.name)).to_be_visible()
    totals = three.totals()
    assert (totals["held"], totals["limit"], totals["queued"]) == (8, 7, 5)
    await expect(shown(page, "total-held")).to_have_text("8")
    await expect(shown(page, "total-limit")).to_have_text("7")
    await expect(shown(page, "total-queued")).to_have_text("5")
    await expect(shown(page, "connection")).to_have_attribute("data-state", "live")
    await expect(shown(page, "pool-select")).to_have_value(POOL)


async def test_each_slot_is_a_box_of_its_state(tabs: Tabs, three: Site) -> None:
    until(lambda: three.states("node3") == ["unresponsive"], "node3's holder is silent")
    page = await tabs.open(three.url)
    boxes = {
        "node1": ["held", "held", "held"],
        "node2": ["draining", "draining", "held", "held"],
        "node3": ["free", "unresponsive"],
    }
    for node, states in boxes.items():
        await expect_states(row(page, node), states)
    await expect(row(page, "node1").get_by_test_id("queue")).to_contain_text("3")


async def test_what_needs_attention_comes_first(tabs: Tabs, three: Site) -> None:
    until(lambda: three.states("node3") == ["unresponsive"], "node3's holder is silent")
    page = await tabs.open(three.url)
    await expect(page.get_by_test_id("node-row")).to_have_count(3)
    order = "rows => rows.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map(r => r.dataset.node)"
    names = await page.get_by_test_id("node-row").evaluate_all(order)
    assert names == ["node3", "node2", "node1"]


async def test_the_policy_is_strict_and_everything_comes_from_the_coordinator(
    tabs: Tabs, three: Site
) -> None:
    page = await tabs.blank()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = await page.goto(three.url)
    assert answer is not None
    policy = dict(part.strip().split(" ", 1) for part in answer.headers[CSP].split(";"))
    assert policy == STRICT
    await expect(shown(page, "connection")).to_have_attribute("data-state", "live")
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(three.url + "/")] == []


async def test_it_never_says_that_there_are_no_nodes_where_there_are(
    sixty: Site, tabs: Tabs
) -> None:
    for _ in range(OPENED):
        page = await tabs.blank()
        await page.add_init_script(WATCH_FOR_NONE)
        await page.goto(sixty.url)
        await expect(shown(page, "slot").first).to_be_visible()
        assert await page.evaluate("window.saidNone") is None
