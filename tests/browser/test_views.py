"""The page of one node with its why, the config with its preview, and the colours."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.hooks import live, shown
from tests.browser.plan import HOSTNAME, POOL, limits

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


async def _background(page: Page) -> str:
    return str(await page.evaluate(BACKGROUND))


async def test_a_nodes_page_says_why_its_claims_wait_and_who_holds(three: Site, tabs: Tabs) -> None:
    page = await tabs.open(f"{three.url}/?pool={POOL}&view=node&node=node1")
    why = three.node("node1")["why"]
    await expect(shown(page, "why")).to_have_attribute("data-code", why["code"])
    await expect(shown(page, "why")).to_contain_text("3")
    view, planned = shown(page, "node-view"), three.plan.nodes[0]
    for load in planned.holding:
        await expect(view).to_contain_text(load.name)
    for load in planned.waiting:
        await expect(shown(page, "queue")).to_contain_text(load.name)
    await expect(view).to_contain_text(f"{HOSTNAME}=node1")


async def test_a_node_that_is_not_there_is_said_to_be_unknown(three: Site, tabs: Tabs) -> None:
    tabs.excused |= {"status of 404", "status of 503"}  # the latter while it may have just joined
    page = await tabs.open(f"{three.url}/?pool={POOL}&view=node&node=node99")
    told = re.compile("No such node|not been seen yet")
    await expect(shown(page, "node-view")).to_contain_text(told)


async def test_the_config_page_tells_each_rule_and_what_it_matches(sixty: Site, tabs: Tabs) -> None:
    page = await tabs.open(f"{sixty.url}/?pool={POOL}&view=config")
    view = shown(page, "config-view")
    in_force = sixty.api.get(f"/v1/namespaces/{POOL}/config").json
    assert in_force["unmatched"], "the site has a rule that matches nothing"
    for rule in in_force["rules"]:
        line = view.get_by_role("row").filter(has_text=rule["rule"])
        await expect(line).to_contain_text(rule["selector"])
        await expect(line).to_contain_text(str(rule["matches"] or "no node"))
    await expect(view).to_contain_text("this rule is skipped")


async def test_a_preview_tells_what_would_change_and_changes_nothing(
    three: Site, tabs: Tabs
) -> None:
    page = await tabs.open(f"{three.url}/?pool={POOL}&view=config")
    await live(page)
    text = limits(2, ({HOSTNAME: "node1"}, 1), ({HOSTNAME: "nowhere"}, 4))
    await shown(page, "preview-text").fill(text)
    await shown(page, "preview-run").click()
    result = shown(page, "preview-result")
    line = result.get_by_role("row").filter(has=page.get_by_role("link", name="node1"))
    await expect(line).to_contain_text("3")
    await expect(line).to_contain_text("1")
    await expect(result).to_contain_text("no node")  # the rule that matches nothing
    await expect(result).to_contain_text("over the limit")
    assert three.node("node1")["limit"] == 3


async def test_a_preview_of_a_text_that_would_be_refused_says_why(three: Site, tabs: Tabs) -> None:
    page = await tabs.open(f"{three.url}/?pool={POOL}&view=config")
    await shown(page, "preview-text").fill(json.dumps({"loadConcurrency": {"globalConfig": "2"}}))
    await shown(page, "preview-run").click()
    await expect(shown(page, "preview-result")).to_contain_text("refused")
    await expect(shown(page, "preview-result")).to_contain_text("globalConfig")


async def test_of_two_previews_the_later_text_is_shown_whichever_is_answered_first(
    three: Site, tabs: Tabs
) -> None:
    page = await tabs.open(f"{three.url}/?pool={POOL}&view=config")
    result, later = shown(page, "preview-result"), asyncio.Event()

    async def hold_the_first_back(route: Route) -> None:
        if "first" in (route.request.post_data or ""):
            await later.wait()
        await route.continue_()

    await page.route("**/preview", hold_the_first_back)
    await shown(page, "preview-text").fill("first")
    await shown(page, "preview-run").click()
    await shown(page, "preview-text").fill(limits(2))
    await shown(page, "preview-run").click()
    await expect(result).to_contain_text("would change")
    async with page.expect_response(lambda answer: "first" in (answer.request.post_data or "")):
        later.set()
    await page.evaluate("() => new Promise((done) => setTimeout(done))")
    await expect(result).to_contain_text("would change")


async def test_a_refused_config_is_told_on_every_view(own: Site, tabs: Tabs) -> None:
    page = await tabs.open(own.url)
    await live(page)
    own.configure("{broken")
    await expect(page.locator("#banner")).to_contain_text("refused")
    await page.goto(f"{own.url}/?pool={POOL}&view=config")
    await expect(shown(page, "config-view")).to_contain_text("refused")
    own.configure(own.plan.now)
    await expect(page.locator("#banner")).to_be_empty()


async def test_it_is_dark_or_light_as_the_system_is_or_as_chosen(three: Site, tabs: Tabs) -> None:
    light = await tabs.open(three.url)
    dark = await tabs.open(three.url, dark=True)
    colours = await _background(light), await _background(dark)
    assert colours[0] != colours[1]
    await live(dark)
    await shown(dark, "theme-toggle").click()  # from the system's to light
    assert await _background(dark) == colours[0]
    await dark.reload()
    assert await _background(dark) == colours[0]
