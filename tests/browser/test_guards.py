"""The tests' own guards: what a tab must not do is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.site import Site
    from tests.browser.tabs import Tabs

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("setTimeout(() => { throw new Error('broken') })", "uncaught: broken"),
        ("console.error('bad')", "console error: bad"),
        ("console.warn('odd')", "console warning: odd"),
        ("fetch('http://example.org/').catch(() => null)", "asked for http://example.org/"),
    ],
)
async def test_what_goes_wrong_in_a_tab_is_noticed(tabs: Tabs, script: str, complaint: str) -> None:
    tabs.excused.add("ERR_NAME_NOT_RESOLVED")
    page = await tabs.blank()
    await page.evaluate(f"() => {{ {script} }}")
    await tabs.expect_complaint(complaint)


async def test_what_the_policy_forbids_is_noticed_and_does_not_run(tabs: Tabs, three: Site) -> None:
    page = await tabs.open(three.url)
    await page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.owned = true";
      document.body.append(script);
    }""")
    await tabs.expect_complaint("policy violated: script-src-elem inline")
    assert await page.evaluate("window.owned") is None
