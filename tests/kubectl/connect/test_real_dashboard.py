"""The dashboard works through the real API server, and outlives the coordinator's restart."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import aiohttp
import pytest

from coordinator.kubectl.connect import connect, serve_dashboard
from coordinator.kubectl.connect.dashboard import dashboard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubectl.connect.scene import Scene

pytestmark = pytest.mark.real
DEADLINE = 60.0


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_the_page_its_data_and_its_events_come_through(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    async with (
        connect(scene.person(tmp_path, "jane")) as cluster,
        dashboard(cluster) as running,
        browser() as session,
        asyncio.timeout(DEADLINE),
    ):
        async with session.get(running.link()) as page:
            assert page.status == 200
            assert page.url.query == {"pool": cluster.namespace}
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        pool = f"{running.url}/v1/namespaces/{cluster.namespace}"
        async with session.get(f"{pool}/nodes") as nodes:
            assert scene.node in [one["node"] for one in (await nodes.json())["nodes"]]
        async with session.get(f"{pool}/events") as events:
            seen = b""
            while b"event: hello" not in seen:
                seen += await events.content.readany()


async def test_a_coordinator_that_restarts_is_found_again(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    async with (
        connect(scene.person(tmp_path, "jane")) as cluster,
        dashboard(cluster) as running,
        browser() as session,
    ):
        await (await session.get(running.link(), allow_redirects=False)).read()
        codes = [await status(session, running.url)]
        scene.site.stop()
        codes.append(await status(session, running.url))
        scene.site.start()
        codes.append(await status(session, running.url))
    assert codes == [200, 503, 200]


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(f"{url}/v1/status") as answer:
        return answer.status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_runs_until_it_is_told_to_end(
    number: signal.Signals, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    opened: list[str] = []
    told: list[str] = []

    def opens(link: str) -> None:
        opened.append(link)
        os.kill(os.getpid(), number)

    monkeypatch.setenv("BROWSER", "anything")
    monkeypatch.setattr("webbrowser.open", opens)
    async with connect(scene.person(tmp_path, "jane")) as cluster, asyncio.timeout(DEADLINE):
        await serve_dashboard(cluster, tell=told.append)
    assert opened[0] in told[0]
    assert not any("s3cret" in line or "eyJ" in line for line in told), "no token is told"
