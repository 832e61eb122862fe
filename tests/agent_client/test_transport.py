"""HTTP to the coordinator, over a real socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.client import SlotClient
from agent_client.errors import NoAnswer
from agent_client.messages import Reply
from agent_client.session import State
from agent_client.settings import Settings
from agent_client.transport import HttpTransport
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.rawhttp import DEADLINE
from tests.agent_client.scripted import Visit, saying, scripted
from tests.agent_client.server import HEADERS, serving, url_of

if TYPE_CHECKING:
    from pathlib import Path

NOBODY: dict[str, Any] = {
    "agent": "a",
    "boot": "b",
    "sequence": 1,
    "waitSeconds": 0,
    "claims": [],
    "releases": [],
}


def settings(url: str, token_file: str | None = None) -> Settings:
    return Settings.resolve(
        url=url, namespace="velero", node="node1", token_file=token_file, environ={}
    )


async def synced(url: str) -> Reply:
    """One sync by a transport of its own, which leaves no connection behind."""
    transport = HttpTransport(settings(url))
    try:
        return await transport.sync(NOBODY, DEADLINE)
    finally:
        await transport.close()


async def test_a_slot_is_taken_and_given_back_over_http() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:
        client = SlotClient(url_of(server), namespace="velero", node="node1")
        async with client.slot(load="l", claim="a") as slot:
            assert slot.state is State.HELD
            assert list(fake.holders.values()) == ["a"]
        assert fake.holders == {}


async def test_a_waiter_gets_the_slot_when_the_holder_leaves() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server, asyncio.timeout(DEADLINE):
        client = SlotClient(url_of(server), namespace="velero", node="node1")
        async with client.slot(load="h", claim="h"):
            queued = asyncio.Event()
            waiter = client.slot(load="w", claim="w", on_queued=lambda _: queued.set())
            entering = asyncio.create_task(waiter.__aenter__())
            await queued.wait()
        assert (await entering).state is State.HELD
        await waiter.__aexit__(None, None, None)


async def test_nobody_at_the_address_is_no_answer() -> None:
    with pytest.raises(
        NoAnswer, match=r"no connection to http://127\.0\.0\.1:1: Connection refused"
    ):
        await synced("http://127.0.0.1:1")


async def test_a_silent_server_is_no_answer_after_the_timeout() -> None:
    fake = FakeCoordinator()
    fake.delay = 30.0
    async with serving(fake) as server:
        transport = HttpTransport(settings(url_of(server)))
        with pytest.raises(NoAnswer, match="did not answer within"):
            await transport.sync(NOBODY, 0.05)
        await transport.close()


async def test_the_token_is_read_anew_for_every_request(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with serving(FakeCoordinator()) as server:
        transport = HttpTransport(settings(url_of(server), str(token)))
        for text in ("one\n", "two\n"):
            token.write_text(text)
            await transport.sync(NOBODY, DEADLINE)
        await transport.close()
        assert [h["Authorization"] for h in server.app[HEADERS]] == ["Bearer one", "Bearer two"]


async def test_the_state_of_the_node_can_be_read(tmp_path: Path) -> None:
    heads: list[str] = []

    async def script(visit: Visit) -> None:
        heads.append(await visit.asked())
        visit.say('HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"limit":1}')

    (tmp_path / "token").write_text("one")
    async with scripted(script) as server:
        transport = HttpTransport(settings(server.url + "/prefix/", str(tmp_path / "token")))
        reply = await transport.get("v1/namespaces/velero/nodes/node1", DEADLINE)
        await transport.close()
    assert reply == Reply(200, {"limit": 1})
    assert heads[0].startswith("GET /prefix/v1/namespaces/velero/nodes/node1 HTTP/1.1\r\n")
    assert "Authorization: Bearer one\r\n" in heads[0]


async def test_status_and_retry_after_come_through() -> None:
    fake = FakeCoordinator()
    fake.problem = Reply(503, problem("stopping", 503), 4.0)
    async with serving(fake) as server:
        reply = await synced(url_of(server))
    assert (reply.status, reply.retry_after) == (503, 4.0)


async def test_the_machine_s_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(FakeCoordinator()) as server:
        assert (await synced(url_of(server))).status == 200


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    to = "Location: http://127.0.0.1:1/elsewhere"
    answer = f"HTTP/1.1 {status} Moved\r\n{to}\r\nContent-Length: 0\r\n\r\n"
    async with scripted(saying(answer)) as server:
        with pytest.raises(NoAnswer, match=r"redirects to http://127\.0\.0\.1:1/elsewhere: give"):
            await synced(server.url)


@pytest.mark.parametrize(
    "body",
    [
        "<html>Bad Gateway</html>",
        '{"term": 1',
        '{"term": NaN}',
        '{"retryAfter": 1e999}',
        '{"term": ' + "9" * 400 + "}",
        "[" * 100_000,
        '"\xff"',
    ],
)
async def test_a_body_that_is_no_usable_json_is_no_answer(body: str) -> None:
    content = body.encode("latin-1")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)
    async with scripted(saying(answer)) as server:
        with pytest.raises(NoAnswer, match=f"{server.url} answered 200 and no usable JSON"):
            await synced(server.url)


async def test_an_answer_without_a_body_has_no_payload() -> None:
    async with scripted(saying("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) as server:
        assert await synced(server.url) == Reply(503, None)
