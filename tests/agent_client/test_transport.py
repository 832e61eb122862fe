"""HTTP to the coordinator, over a real socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent_client.client import SlotClient
from agent_client.errors import NoAnswer
from agent_client.messages import Reply
from agent_client.session import State
from agent_client.settings import Settings
from agent_client.transport import HttpTransport
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.server import HEADERS, serving, url_of

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = {"agent": "a", "boot": "b", "sequence": 1, "waitSeconds": 0, "claims": [], "releases": []}


def settings(url: str, token_file: str | None = None) -> Settings:
    return Settings.resolve(
        url=url, namespace="velero", node="node1", token_file=token_file, environ={}
    )


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
    async with serving(fake) as server, asyncio.timeout(20):
        client = SlotClient(url_of(server), namespace="velero", node="node1")
        async with client.slot(load="h", claim="h"):
            queued = asyncio.Event()
            waiter = client.slot(load="w", claim="w", on_queued=lambda _: queued.set())
            entering = asyncio.create_task(waiter.__aenter__())
            await queued.wait()
        assert (await entering).state is State.HELD
        await waiter.__aexit__(None, None, None)


async def test_nobody_at_the_address_is_no_answer() -> None:
    transport = HttpTransport(settings("http://127.0.0.1:1"))
    with pytest.raises(NoAnswer):
        await transport.sync(NOBODY, 5.0)
    await transport.close()


async def test_a_silent_server_is_no_answer_after_the_timeout() -> None:
    fake = FakeCoordinator()
    fake.delay = 30.0
    async with serving(fake) as server:
        transport = HttpTransport(settings(url_of(server)))
        with pytest.raises(NoAnswer, match="TimeoutError"):
            await transport.sync(NOBODY, 0.05)
        await transport.close()


async def test_the_token_is_read_anew_for_every_request(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with serving(FakeCoordinator()) as server:
        transport = HttpTransport(settings(url_of(server), str(token)))
        for text in ("one\n", "two\n"):
            token.write_text(text)
            await transport.sync(NOBODY, 5.0)
        await transport.close()
        assert [h["Authorization"] for h in server.app[HEADERS]] == ["Bearer one", "Bearer two"]


async def test_a_missing_token_file_is_no_answer_and_names_the_file(tmp_path: Path) -> None:
    transport = HttpTransport(settings("http://127.0.0.1:1", str(tmp_path / "gone")))
    with pytest.raises(NoAnswer, match="gone"):
        await transport.sync(NOBODY, 5.0)


async def test_status_and_retry_after_come_through() -> None:
    fake = FakeCoordinator()
    fake.problem = Reply(503, problem("stopping", 503), 4.0)
    async with serving(fake) as server:
        transport = HttpTransport(settings(url_of(server)))
        reply = await transport.sync(NOBODY, 5.0)
        await transport.close()
    assert (reply.status, reply.retry_after) == (503, 4.0)
