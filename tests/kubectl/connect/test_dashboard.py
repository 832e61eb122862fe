"""The dashboard shows the coordinator's page to one browser, and shows nobody the user's token."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from coordinator.kubectl.connect import Unreachable
from coordinator.kubectl.connect.dashboard import dashboard
from tests.kubectl.connect.stub import POOL, Keys, asking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.kubectl.connect.cluster import Cluster
    from coordinator.kubectl.connect.coordinator import Coordinator
    from coordinator.kubectl.connect.dashboard import Dashboard

PAGE = "<h1>node-slots</h1>"
POLICY = {"Content-Security-Policy": "default-src 'none'", "Set-Cookie": "theirs=1"}


@dataclass
class Behind:
    """The coordinator that is asked: a page, a stream, and what it was asked with."""

    heads: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    next: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.heads.append(dict(request.headers))
        self.asked.append(f"{request.method} {request.raw_path}")
        if request.path.endswith("/events"):
            return await self._stream(request)
        if request.path.startswith("/v1/"):
            return web.json_response({"echo": (await request.read()).decode()})
        return web.Response(text=PAGE, content_type="text/html", headers=POLICY)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await response.write(b"data: 1\n\n")
            await self.next.wait()
            await response.write(b"data: 2\n\n")
            await asyncio.Event().wait()
        finally:
            self.left.set()
        return response


@dataclass
class Around:
    """The cluster as far as a dashboard needs it."""

    found: Coordinator
    namespace: str = "velero"

    async def coordinator(self) -> Coordinator:
        return self.found


class Browser:
    """Keeps cookies, and follows nothing by itself."""

    def __init__(self, session: aiohttp.ClientSession, running: Dashboard) -> None:
        self._session = session
        self.running = running
        self.own = {"Origin": running.url, "Sec-Fetch-Site": "same-origin"}

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.asking("GET", path, headers=self.own | headers) as answer:
            return answer.status, await answer.text()

    def asking(self, method: str, path: str, **options: Any) -> Any:
        url = path if path.startswith("http") else self.running.url + path
        return self._session.request(method, url, allow_redirects=False, **options)

    async def enter(self) -> str:
        """Opens a new link; what comes back is where it leads."""
        async with self.asking("GET", self.running.link()) as answer:
            assert answer.status == 303, await answer.text()
            return str(answer.headers["Location"])


@asynccontextmanager
async def browsing(behind: Behind) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # an address is no name, but has cookies in a browser, too
    async with (
        asking(behind, Keys()) as coordinator,
        dashboard(cast("Cluster", Around(coordinator))) as running,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Browser(session, running)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
async def browser(behind: Behind) -> AsyncIterator[Browser]:
    async with browsing(behind) as made:
        yield made


async def test_the_link_leads_to_the_page_without_its_code(browser: Browser) -> None:
    assert await browser.enter() == "/?pool=velero"
    assert await browser.get("/?pool=velero") == (200, PAGE)


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(browser: Browser) -> None:
    async with browser.asking("GET", browser.running.link()) as answer:
        (cookie,) = answer.cookies.values()
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        assert (cookie["domain"], cookie["max-age"]) == ("", "")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_a_link_that_was_used_lets_no_second_browser_in(
    browser: Browser, behind: Behind
) -> None:
    link = browser.running.link()
    async with browser.asking("GET", link) as first:
        assert first.status == 303
    async with aiohttp.ClientSession() as other, other.get(link) as second:
        assert (second.status, "Set-Cookie" in second.headers) == (403, False)
        assert "run `kubectl node-slots dashboard` again" in await second.text()
    assert (await browser.asking("GET", link)).status == 303, "a reload of the first one is let be"
    assert not behind.asked


async def test_what_is_asked_has_the_users_token_and_nothing_of_the_browsers(
    browser: Browser, behind: Behind
) -> None:
    await browser.enter()
    headers = {"Authorization": "Bearer theirs", "Last-Event-ID": "7.1"}
    status, _ = await browser.get(f"{POOL}/nodes?state=queued&node=a%26b", **headers)
    assert status == 200
    assert behind.asked == [f"GET {POOL}/nodes?state=queued&node=a%26b"]
    (head,) = behind.heads
    assert head["Authorization"] == "Bearer s3cret-1"
    assert head["Last-Event-ID"] == "7.1"
    assert not {"Cookie", "Origin"} & set(head)


async def test_the_answer_keeps_its_policy_and_sets_no_cookies(browser: Browser) -> None:
    async with browser.asking("GET", "/page/app.js", headers=browser.own) as answer:
        assert answer.headers["Content-Security-Policy"] == POLICY["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers


async def test_without_the_cookie_there_is_the_page_and_no_data(
    browser: Browser, behind: Behind
) -> None:
    assert (await browser.get("/"))[0] == 200
    status, text = await browser.get("/v1/status")
    assert status == 401
    assert "kubectl node-slots dashboard" in text
    assert behind.asked == ["GET /"]


@pytest.mark.parametrize("up", ["..", "%2e%2e", "..%2f..", "%2e%2e%2f."])
async def test_no_path_leads_from_the_page_to_the_data(
    up: str, browser: Browser, behind: Behind
) -> None:
    """A proxy on the way may make `/v1/status` of it, and it would have the user's token."""
    url = URL(f"{browser.running.url}/page/{up}/v1/status", encoded=True)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404
    assert not behind.asked


async def test_what_no_browser_sends_writes_nothing_to_the_terminal(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """aiohttp's own error has pieces of the headers, and the cookie is one."""
    port = int(browser.running.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nCookie: s3cret\x01\r\n\r\n")
    async with asyncio.timeout(30):
        assert b" 400 " in await reader.readline()
    writer.close()
    assert not caplog.records


async def test_a_preview_goes_along_and_nothing_else_that_is_sent(
    browser: Browser, behind: Behind
) -> None:
    await browser.enter()
    async with browser.asking("POST", f"{POOL}/preview", data=b"{}", headers=browser.own) as good:
        assert await good.json() == {"echo": "{}"}
    refused = [("POST", f"{POOL}/nodes/a/sync"), ("PUT", f"{POOL}/preview"), ("DELETE", POOL)]
    refused += [("GET", "/metrics"), ("POST", "/"), ("HEAD", "/"), ("OPTIONS", POOL)]
    for method, path in refused:
        async with browser.asking(method, path, headers=browser.own) as answer:
            assert answer.status == 404, (method, path)
    assert behind.asked == [f"POST {POOL}/preview"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_page_gets_nothing_even_with_the_cookie(
    headers: dict[str, str], browser: Browser, behind: Behind
) -> None:
    await browser.enter()
    status, text = await browser.get("/v1/status", **headers)
    assert (status, "s3cret" in text) == (403, False)
    async with browser.asking("GET", browser.running.link(), headers=headers) as answer:
        assert answer.status == 403
    assert not behind.asked


async def test_events_come_as_they_happen_and_end_with_the_browser(
    browser: Browser, behind: Behind
) -> None:
    await browser.enter()
    async with asyncio.timeout(30):
        async with browser.asking("GET", f"{POOL}/events", headers=browser.own) as answer:
            assert await answer.content.readany() == b"data: 1\n\n"
            behind.next.set()
            assert await answer.content.readany() == b"data: 2\n\n"
            answer.close()
        await behind.left.wait()


async def test_a_coordinator_that_is_away_is_a_problem_that_says_so(behind: Behind) -> None:
    async with browsing(behind) as browser:
        await browser.enter()
    async with (
        asking(behind) as coordinator,
        dashboard(cast("Cluster", Around(coordinator))) as running,
        aiohttp.ClientSession() as session,
    ):
        coordinator.url = "http://127.0.0.1:1"
        status, text = await Browser(session, running).get("/")
        assert (status, "does not answer" in text) == (503, True)


async def test_a_port_that_is_taken_is_told(behind: Behind, browser: Browser) -> None:
    taken = int(browser.running.url.rpartition(":")[2])
    async with asking(behind) as coordinator:
        around = cast("Cluster", Around(coordinator))
        with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{taken}: .*--port"):
            async with dashboard(around, port=taken):
                pass
