"""Where the coordinator asks who looks, so does the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.hooks import live, row, shown
from tests.e2e.cluster import Cluster, limits
from tests.e2e.people import on_leases, person
from tests.e2e.processes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Page

    from tests.browser.tabs import Tabs
    from tests.realserver.server import RealApiServer

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def site(real_server: RealApiServer, tmp_path: Path) -> Iterator[Site]:
    """A coordinator over TLS on the real API server, and one node."""
    cluster = Cluster(real_server)
    made = Site(cluster, tmp_path)
    try:
        cluster.add_node()
        cluster.configure(limits(2))
        made.start()
        yield made
    finally:
        made.close()
        cluster.close()


def _viewer(site: Site) -> str:
    """The token of somebody who may look."""
    return person(site.cluster, "viewer", on_leases("list"))


async def _asked(site: Site, tabs: Tabs) -> Page:
    """A tab that shows the form. The authority is the coordinator's own, which no browser knows."""
    tabs.excused |= {"status of 401", "status of 403"}
    page = await tabs.blank(loose=True)
    await page.goto(site.url)
    await expect(shown(page, "login")).to_be_visible()
    return page


async def _log_in(page: Page, token: str) -> None:
    await shown(page, "login-token").fill(token)
    await shown(page, "login-submit").click()


async def test_a_token_is_asked_for_a_wrong_one_is_told_and_a_right_one_opens_the_pool(
    site: Site, tabs: Tabs
) -> None:
    page = await _asked(site, tabs)
    await expect(shown(page, "login-error")).to_have_count(0)
    await _log_in(page, "wrong")
    await expect(shown(page, "login-error")).not_to_be_empty()
    await expect(row(page, site.cluster.node_name())).to_have_count(0)
    await _log_in(page, _viewer(site))
    await live(page)
    await expect(row(page, site.cluster.node_name())).to_be_visible()
    await expect(shown(page, "pool-select")).to_have_value(site.cluster.namespace)


async def test_the_token_stays_in_its_tab_and_goes_with_log_out(site: Site, tabs: Tabs) -> None:
    token = _viewer(site)
    page = await _asked(site, tabs)
    await _log_in(page, token)
    await live(page)
    await page.reload()
    await live(page)
    other = await page.context.new_page()
    await other.goto(site.url)
    await expect(shown(other, "login")).to_be_visible()
    assert token not in page.url
    assert await page.context.cookies() == []
    await page.get_by_role("button", name="Log out").click()
    await expect(shown(page, "login")).to_be_visible()
    assert token not in str(await page.evaluate("[{...sessionStorage}, {...localStorage}]"))


async def test_who_may_not_list_leases_is_told_so(site: Site, tabs: Tabs) -> None:
    page = await _asked(site, tabs)
    await _log_in(page, person(site.cluster, "stranger"))
    await expect(page.get_by_role("main")).to_contain_text("may")
    await expect(row(page, site.cluster.node_name())).to_have_count(0)
