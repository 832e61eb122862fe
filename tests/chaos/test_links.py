"""The bad connection, and the API server's front that can answer 503."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.front import Front, stream_of
from tests.chaos.links import Link
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SOON, NEVER = 60.0, 0.05
"""Seconds: until what must come has come, and after which what may not come counts as absent."""


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def echoes() -> tuple[int, asyncio.Server]:
    """A server that sends everything back."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
        except ConnectionError:
            pass  # the link was cut
        finally:  # also where the loop ends before it has heard of that
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1], server


async def linked(stack: AsyncExitStack, *more: int) -> Link:
    """A link to such a server; `more` are further targets."""
    port, server = await echoes()
    link = Link("test", [port, *more], Random(1))
    await link.open()
    stack.callback(server.close)
    stack.push_async_callback(link.close)
    return link


@asynccontextmanager
async def caller(link: Link) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def said_back(streams: Streams, word: bytes) -> bytes:
    reader, writer = streams
    writer.write(word)
    async with asyncio.timeout(SOON):
        return await reader.readexactly(len(word))


async def test_what_is_said_comes_through_slow_or_not(stack: AsyncExitStack) -> None:
    link = await linked(stack)
    async with caller(link) as streams:
        assert await said_back(streams, b"quick") == b"quick"
        link.lag = 0.01
        assert await said_back(streams, b"slow") == b"slow"


async def test_a_stall_holds_everything_back_and_loses_nothing(stack: AsyncExitStack) -> None:
    link = await linked(stack)
    async with caller(link) as (reader, writer):
        link.stall()
        writer.write(b"late")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(NEVER):
                await reader.read(4)
        link.heal()
        async with asyncio.timeout(SOON):
            assert await reader.readexactly(4) == b"late"


async def test_a_cut_ends_the_connections_there_are_and_lets_new_ones_in(
    stack: AsyncExitStack,
) -> None:
    link = await linked(stack)
    async with caller(link) as streams:
        await said_back(streams, b"here")
        link.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said_back(streams, b"gone")
    async with caller(link) as streams:
        assert await said_back(streams, b"back") == b"back"


async def test_a_link_that_refuses_lets_nobody_in_until_it_is_healed(
    stack: AsyncExitStack,
) -> None:
    link = await linked(stack)
    link.refuses = True
    async with caller(link) as streams:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said_back(streams, b"no")
    link.heal()
    async with caller(link) as streams:
        assert await said_back(streams, b"yes") == b"yes"


async def test_a_target_where_nobody_listens_is_passed_over(stack: AsyncExitStack) -> None:
    link = await linked(stack, free_port(), free_port())
    for _ in range(10):
        async with caller(link) as streams:
            assert await said_back(streams, b"there") == b"there"


ASKED = b"GET /api/v1/nodes?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n"
WRITTEN = b"PUT /apis/x/namespaces/n/leases/a-slot-0 HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"


async def test_a_front_that_is_away_answers_503_and_counts(stack: AsyncExitStack) -> None:
    front = Front("front", free_port(), Random(1), ca_file=None)
    await front.open()
    stack.push_async_callback(front.close)
    front.go_away()
    async with caller(front) as (reader, writer):
        for request in (ASKED, WRITTEN, ASKED):
            writer.write(request)
            async with asyncio.timeout(SOON):
                assert (await reader.readuntil(b"away")).startswith(b"HTTP/1.1 503 ")
        front.come_back()
        async with asyncio.timeout(SOON):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
    assert front.asked == {"nodes, watch": 2, "slots' Leases, writes": 1}


@pytest.mark.parametrize(
    ("method", "target", "stream"),
    [
        ("GET", "/n/leases?limit=500", "leases, watch"),
        ("GET", "/n/leases/a-slot-0", "slots' Leases, writes"),
        ("POST", "/n/leases", "slots' Leases, writes"),
        ("PUT", "/n/leases/node-slots-coordinator", "election Lease, reads and writes"),
        (
            "GET",
            "/n/leases?fieldSelector=metadata.name%3Dnode-slots-coordinator&watch=1",
            "election Lease, watch",
        ),
        ("POST", "/n/events", "events, writes"),
    ],
)
def test_requests_are_told_apart_by_their_stream(method: str, target: str, stream: str) -> None:
    assert stream_of(method, target) == stream
