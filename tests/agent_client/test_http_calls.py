"""Calls over a kept connection: what is used again, what is sent again, what is no answer."""

from __future__ import annotations

import asyncio
import select
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent_client.errors import NoAnswer
from agent_client.http import calls
from agent_client.http.calls import Answer, Caller
from tests.agent_client.rawhttp import DEADLINE
from tests.agent_client.scripted import OK, Visit, answering, saying, scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def calling(url: str) -> AsyncIterator[Caller]:
    caller = Caller(url)
    try:
        yield caller
    finally:
        await caller.close()


async def post(caller: Caller, within: float = DEADLINE) -> Answer:
    return await caller.call("POST", "sync", {}, b"{}", within=within)


async def get(caller: Caller) -> Answer:
    return await caller.call("GET", "state", {}, within=DEADLINE)


async def test_calls_one_after_the_other_use_one_connection() -> None:
    async with scripted(answering) as server, calling(server.url) as caller:
        for _ in range(3):
            assert (await post(caller)).body == b"{}"
        assert server.visits == 1


async def test_each_call_is_sent_with_its_own_headers_and_its_own_length() -> None:
    asked: list[str] = []

    async def script(visit: Visit) -> None:
        while True:
            asked.append(await visit.asked())
            visit.say(OK)

    said = [("1", b"{}"), ("1", b"{}"), ("2", b"{}"), ("2", b'{"a": 1}')]
    async with scripted(script) as server, calling(server.url) as caller:
        for token, body in said:
            headers = {"Authorization": f"Bearer {token}"}
            await caller.call("POST", "sync", headers, body, within=DEADLINE)
    for (token, body), told in zip(said, asked, strict=True):
        assert f"Authorization: Bearer {token}\r\n" in told
        assert f"Content-Length: {len(body)}\r\n" in told


async def test_a_second_connection_is_there_only_while_a_call_waits() -> None:
    go = asyncio.Event()
    left = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.asked()
        if visit.number == 1:
            await go.wait()
        visit.say(OK)
        await visit.reader.read(1)
        left.set()

    async with scripted(script) as server, calling(server.url) as caller:
        async with asyncio.timeout(DEADLINE):
            older = asyncio.create_task(post(caller))
            while not server.visits:
                await asyncio.wait({older}, timeout=0.01)
            assert (await post(caller)).status == 200
            assert (server.visits, left.is_set()) == (2, False)
            go.set()
            assert (await older).status == 200
            await left.wait()


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_every_form_of_answer_is_read(answer: str) -> None:
    async with scripted(saying(answer)) as server, calling(server.url) as caller:
        assert await post(caller) == Answer(200, (await get(caller)).headers, b"{}")


async def test_a_path_of_the_url_stands_before_that_of_the_call() -> None:
    heads: list[str] = []

    async def script(visit: Visit) -> None:
        heads.append(await visit.asked())
        visit.say(OK)

    async with scripted(script) as server, calling(server.url + "/a/b") as caller:
        await post(caller)
    assert heads[0].startswith("POST /a/b/sync HTTP/1.1\r\n")
    assert f"Host: {server.url.removeprefix('http://')}\r\n" in heads[0]


async def test_a_server_that_closes_between_calls_costs_no_call() -> None:
    async with scripted(saying(OK)) as server, calling(server.url) as caller:
        for _ in range(5):
            assert (await post(caller)).status == 200
        assert server.visits == 5


async def test_a_restart_of_the_server_between_calls_costs_no_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with scripted(answering, listening=listening) as server:
            caller = Caller(server.url)
            await post(caller)
        async with scripted(answering, listening=listening) as successor:
            assert (await post(caller)).status == 200
            await caller.close()
            assert successor.visits == 1


async def test_an_end_that_the_loop_has_not_heard_of_is_seen() -> None:
    """The peer is a plain socket: between its close and the next call the loop does not run."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        async with calling(f"http://127.0.0.1:{server.getsockname()[1]}") as caller:
            for _ in range(3):
                first = asyncio.create_task(post(caller))
                peer, _ = await loop.sock_accept(server)
                await loop.sock_recv(peer, 65536)
                await loop.sock_sendall(peer, OK.encode())
                assert (await first).status == 200
                peer.close()
                assert caller._resting is not None
                ours = caller._resting.transport.get_extra_info("socket")
                assert select.select([ours], [], [], DEADLINE)[0], "the kernel has heard of it"


async def hang_up_on_the_second(visit: Visit) -> None:
    await visit.asked()
    visit.say(OK)
    await visit.asked()


async def test_a_sync_is_not_sent_twice() -> None:
    async with scripted(hang_up_on_the_second) as server, calling(server.url) as caller:
        await post(caller)
        with pytest.raises(NoAnswer, match=f"{server.url} hung up without an answer"):
            await post(caller)
        assert server.visits == 1


async def test_a_get_on_a_kept_connection_is_sent_again_when_the_server_hangs_up() -> None:
    async with scripted(hang_up_on_the_second) as server, calling(server.url) as caller:
        await get(caller)
        assert (await get(caller)).status == 200
        assert server.visits == 2


async def test_a_get_on_a_new_connection_is_sent_once() -> None:
    async with scripted(saying()) as server, calling(server.url) as caller:
        with pytest.raises(NoAnswer, match="hung up"):
            await get(caller)
        assert server.visits == 1


async def test_a_cancelled_call_closes_its_connection() -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.asked()
        asked.set()
        assert await visit.reader.read() == b""
        closed.set()

    async with scripted(script) as server, calling(server.url) as caller:
        async with asyncio.timeout(DEADLINE):
            call = asyncio.create_task(post(caller))
            await asked.wait()
            call.cancel()
            await asyncio.wait({call})
            await closed.wait()


async def test_silence_is_no_answer_and_ends_the_connection() -> None:
    """On a kept connection: a new one might take all of that time to come to stand."""
    closed = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.asked()
        visit.say(OK)
        await visit.asked()
        assert await visit.reader.read() == b""
        closed.set()

    async with scripted(script) as server, calling(server.url) as caller:
        await post(caller)
        with pytest.raises(NoAnswer, match=rf"{server.url} did not answer within 0\.05 s"):
            await post(caller, within=0.05)
        async with asyncio.timeout(DEADLINE):
            await closed.wait()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("SSH-2.0-OpenSSH_9.9\r\n", "no proper HTTP answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "without sending complete"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "no proper HTTP"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + "x" * 3000, "more than 2000 bytes"),
        ("HTTP/1.1 200 OK\r\n\r\n" + "x" * 3000, "more than 2000 bytes"),
        ("HTTP/1.1 200 OK\r\nX: " + "x" * 100_000, "no proper HTTP"),
    ],
)
async def test_a_broken_or_boundless_answer_is_none(
    monkeypatch: pytest.MonkeyPatch, answer: str, why: str
) -> None:
    monkeypatch.setattr(calls, "LARGEST_ANSWER", 2000)
    async with scripted(saying(answer)) as server, calling(server.url) as caller:
        with pytest.raises(NoAnswer, match=why):
            await post(caller)


async def test_what_nobody_asked_for_ends_a_kept_connection() -> None:
    """Else it would be taken for the answer to the next request."""
    async with scripted(saying(OK + OK)) as server, calling(server.url) as caller:
        await post(caller)
        await post(caller)
        assert server.visits == 2
