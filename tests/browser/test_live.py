"""The page follows what happens, also over a coordinator that dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.hooks import feed_item, live, row, shown

if TYPE_CHECKING:
    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
NODE = "node1"


async def test_a_grant_is_shown_without_a_reload(own: Site, tabs: Tabs) -> None:
    page = await tabs.open(own.url)
    await live(page)
    own.granted("node3", "newcomer")
    await expect(feed_item(page, "grant").first).to_contain_text("newcomer")
    await expect(row(page, "node3")).to_contain_text("2 of 2")


async def test_nodes_that_are_told_before_the_first_picture_is_complete_are_shown_with_it(
    three: Site, tabs: Tabs
) -> None:
    page = await tabs.open(three.url)
    seen = await page.evaluate(
        """async () => {
          const { Store } = await import("/page/store.js");
          const store = new Store();
          const names = () => [...store.nodes.keys()].join();
          store.beginLoading();
          store.tell({ node: "b", held: 1 });
          const early = names();
          store.loaded([{ node: "a" }, { node: "b", held: 0 }]);
          store.endLoading();
          const whole = names();
          store.beginLoading();
          store.tell({ node: "c" });
          return [early, whole, names(), store.nodes.get("b").held];
        }"""
    )
    assert seen == ["", "b,a", "b,a,c", 1]


async def test_an_answer_that_comes_after_its_pool_was_left_changes_nothing(
    three: Site, tabs: Tabs
) -> None:
    page = await tabs.open(three.url)
    heard = await page.evaluate(
        """async () => {
          const { Poll } = await import("/page/poll.js");
          const heard = [];
          const answers = [];
          const asked = () => new Promise((answer) => answers.push(answer));
          const told = (value) => heard.push(value);
          const [left, next] = [new Poll(asked, told), new Poll(asked, told)];
          left.end();
          answers[1]("the pool that is shown");
          answers[0]("the pool that was left");
          await new Promise((done) => setTimeout(done));
          next.end();
          return [...heard, left.value];
        }"""
    )
    assert heard == ["the pool that is shown", None]


async def test_a_hand_over_names_both_loads(own: Site, tabs: Tabs) -> None:
    first, second = own.plan.nodes[0].holding[0], own.plan.nodes[0].waiting
    page = await tabs.open(own.url)
    await live(page)
    own.release(NODE, first.claim)
    told = feed_item(page, "handover").first
    await expect(told).to_contain_text(first.name)
    next_ones = sorted(second, key=lambda load: -load.priority)
    await expect(told).to_contain_text(next_ones[0].name)
    await expect(shown(page, "total-queued")).to_have_text("4")


async def test_an_edited_limit_and_a_hold_are_followed(own: Site, tabs: Tabs) -> None:
    page = await tabs.open(own.url)
    await live(page)
    own.configure('{"loadConcurrency": {"globalConfig": 9}}')
    await expect(shown(page, "total-limit")).to_have_text("27")
    await expect(row(page, NODE)).to_contain_text("globalConfig")
    await expect(feed_item(page, "limit").first).to_contain_text("9")
    own.hold(NODE, "new disk")
    await expect(row(page, NODE)).to_contain_text("new disk")
    await expect(feed_item(page, "hold")).to_contain_text("new disk")


async def test_it_reconnects_to_a_coordinator_that_was_killed_and_reads_everything_anew(
    own: Site, tabs: Tabs
) -> None:
    tabs.excused |= {"net::ERR_", "status of 503"}
    page = await tabs.open(own.url)
    await live(page)
    await page.evaluate("window.stillThere = true")
    own.kill()
    await expect(shown(page, "connection")).to_have_attribute("data-state", "lost")
    await expect(row(page, NODE)).to_be_visible()  # what was known last stays
    own.configure('{"loadConcurrency": {"globalConfig": 9}}')  # nobody tells of it
    own.start()
    await live(page)
    await expect(shown(page, "total-limit")).to_have_text("27")
    await expect(shown(page, "total-held")).to_have_text("13")  # who waited has a slot now
    own.granted("node3", "after")
    await expect(feed_item(page, "grant").first).to_contain_text("after")
    assert await page.evaluate("window.stillThere")


async def test_a_page_opened_while_nobody_leads_begins_by_itself(own: Site, tabs: Tabs) -> None:
    tabs.excused |= {"net::ERR_", "status of 503"}
    page = await tabs.open(own.url)
    await live(page)
    own.kill()
    await expect(shown(page, "connection")).to_have_attribute("data-state", "lost")
    own.start()
    page = await tabs.open(own.url)
    await expect(row(page, NODE)).to_be_visible()
