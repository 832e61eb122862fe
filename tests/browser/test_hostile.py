"""Names that would like to be markup are shown as the text that they are, and run nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.browser.agents import LONG
from tests.browser.hooks import feed_item, live, row, shown
from tests.browser.plan import POOL, limits

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCRIPT = "<script>window.owned = true</script>"
IMAGE = '"><img src=x onerror="window.owned = true">'
LOADS = [
    SCRIPT,
    IMAGE,
    "</textarea></title><svg onload=window.owned=true>",
    "javascript:window.owned=true",
    "${window.owned=true} {{constructor.constructor('window.owned=true')()}}",
    "نسخة احتياطية שלום",
    "x" * 256,
]
REVERSED = "\u202egnp.exe\u2066 <b>bold</b>"
"""With marks that turn the direction of text around; names may not have them, reasons may."""


async def _nothing_ran(page: Page) -> None:
    assert await page.evaluate("window.owned") is None
    for tag in ("img", 'b:text-is("bold")', "script:not([src])", "svg[onload]"):
        await expect(page.locator(tag)).to_have_count(0)


async def test_loads_of_any_name_are_shown_as_they_are(own: Site, tabs: Tabs) -> None:
    own.configure(limits(1 + len(LOADS)))  # one is held already
    page = await tabs.open(own.url)
    await expect(row(page, "node3")).to_contain_text("of 8")
    for number, load in enumerate(LOADS):
        own.granted("node3", f"holds-{number}", load=load)
        await expect(feed_item(page, "grant").filter(has_text=load)).to_have_count(1)
    own.configure(limits(1))
    for number, load in enumerate(LOADS):
        own.ask("node3", f"waits-{number}", load=load, ttlSeconds=LONG)
    await page.goto(f"{own.url}/?pool={POOL}&view=node&node=node3")
    for load in LOADS:
        await expect(shown(page, "queue")).to_contain_text(load)
        await expect(shown(page, "node-view").get_by_text(load, exact=True)).not_to_have_count(0)
    await _nothing_ran(page)


async def test_the_longest_names_that_kubernetes_allows_fit_on_a_phone(
    own: Site, tabs: Tabs
) -> None:
    name = ".".join(["n" * 63] * 3 + ["n" * 61])
    assert len(name) == 253
    own.add_node(name)
    pod = {"namespace": "p" * 63, "name": "d" * 253}
    page = await tabs.open(own.url, 360)
    await live(page)
    await expect(row(page, name)).to_be_attached()
    own.granted(name, "c" * 128, load="l" * 256, pod=pod)
    for address in ("", f"&view=node&node={name}", "&view=events"):
        await page.goto(f"{own.url}/?pool={POOL}{address}")
        await live(page)
        await expect(page.get_by_text("n" * 20).first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, address


async def test_the_reason_of_a_hold_is_text(own: Site, tabs: Tabs) -> None:
    reasons = {"node1": SCRIPT, "node2": IMAGE, "node3": REVERSED}
    for node, reason in reasons.items():
        own.hold(node, reason)
    page = await tabs.open(own.url)
    await live(page)
    for node, reason in reasons.items():
        await expect(row(page, node)).to_contain_text(reason)
    for node, reason in reasons.items():
        await page.goto(f"{own.url}/?pool={POOL}&view=node&node={node}")
        await expect(shown(page, "why")).to_contain_text(reason)
        await _nothing_ran(page)


async def test_a_refused_config_and_its_error_are_text(own: Site, tabs: Tabs) -> None:
    page = await tabs.open(f"{own.url}/?pool={POOL}&view=config")
    for text in (SCRIPT, f'{{"loadConcurrency": {{"globalConfig": "{SCRIPT}"}}}}'):
        own.configure(text)
        await expect(shown(page, "config-view")).to_contain_text("refused")
        await shown(page, "preview-text").fill(text)
        await shown(page, "preview-run").click()
        await expect(shown(page, "preview-result")).to_contain_text("refused")
    await _nothing_ran(page)


async def test_a_foreign_holder_of_a_slots_lease_is_text(own: Site, tabs: Tabs) -> None:
    own.take_lease("node3-slot-1", IMAGE)
    page = await tabs.open(f"{own.url}/?pool={POOL}&view=node&node=node3")
    await expect(shown(page, "node-view")).to_contain_text("node3-slot-1")
    await _nothing_ran(page)


@pytest.mark.parametrize("text", [SCRIPT, IMAGE, "../../admin", "%00", REVERSED])
async def test_an_address_that_somebody_made_up_runs_nothing(
    tabs: Tabs, three: Site, text: str
) -> None:
    tabs.excused |= {"status of 400", "status of 404", "status of 422"}
    made_up = quote(text)
    for query in (
        f"pool={made_up}&q={made_up}&state={made_up}&sort={made_up}",
        f"pool={POOL}&view=node&node={made_up}",
        f"pool={POOL}&view={made_up}",
    ):
        page = await tabs.open(f"{three.url}/?{query}")
        await live(page)
        await _nothing_ran(page)
