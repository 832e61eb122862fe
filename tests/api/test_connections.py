"""Callers that are slow, silent or too many are cut off; nobody else is."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from coordinator.api import app as apps
from coordinator.api import connections as guards
from coordinator.api.app import api_app, listen
from coordinator.api.connections import Connections, guarded
from coordinator.service.metrics import Metrics
from tests.api.conftest import CLAIM, Caller
from tests.api.leftovers import gone, standing, uncollected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import aiohttp

    from coordinator.service.coordinator import Coordinator
    from tests.api.fakes import FakePool
    from tests.service.jumps import Jumps

SHORT = 0.2
"""Seconds: a deadline that a test waits for, and before which it has nothing to do."""
WHOLE = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET /openapi.json HTTP/1.1\r\nHo"


class Client:
    """A connection that sends what a test tells it, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """The next answer's head, after its whole body was read."""
        async with asyncio.timeout(30):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await self.reader.readexactly(length)
        return head

    async def closed(self) -> bool:
        """Waits until the other side closes; whether it sent nothing before."""
        async with asyncio.timeout(30):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def connecting(url: str, receive: int | None = None) -> AsyncIterator[Client]:
    """A connection to that listener; `receive` is the size of its receive buffer."""
    host, port = url.removeprefix("http://").split(":")
    sock = socket.socket()
    sock.setblocking(False)
    if receive is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock, limit=receive or 2**16)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(app: web.Application, connections: Connections) -> AsyncIterator[str]:
    listener = await listen(app, "127.0.0.1", 0, connections)
    try:
        yield listener.url
    finally:
        await listener.close()


async def seen(look: Callable[[], bool]) -> None:
    """Waits until the listener has come so far, although time stands still."""
    while not look():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)


@pytest.fixture
def impatient() -> Connections:
    return Connections(head_timeout=SHORT)


@pytest.fixture
async def url(coordinator: Coordinator, impatient: Connections) -> AsyncIterator[str]:
    async with serving(api_app(coordinator, Metrics()), impatient) as url:
        yield url


@pytest.mark.parametrize("begin", [b"", HALF, b"\r\n"], ids=["nothing", "half", "a blank line"])
async def test_a_connection_without_a_whole_head_is_closed(
    url: str, impatient: Connections, begin: bytes
) -> None:
    async with connecting(url) as client:
        await client.send(begin)
        assert await client.closed()
    assert impatient.count == 0


async def test_dribbling_does_not_stretch_the_deadline(url: str) -> None:
    async with connecting(url) as client:

        async def dribble() -> None:
            await client.send(HALF + b"st: ")
            with suppress(ConnectionError):
                while True:
                    await client.send(b"x")
                    await asyncio.sleep(SHORT / 20)

        dribbling = asyncio.create_task(dribble())
        assert await client.closed()
        async with asyncio.timeout(30):
            await dribbling


async def test_a_second_head_on_a_kept_connection_has_the_same_deadline(
    jumps: Jumps, url: str, impatient: Connections
) -> None:
    async with connecting(url) as client:
        await client.send(WHOLE)
        await client.answer()
        await client.send(HALF)
        await seen(lambda: bool(impatient._headless))
        jumps.stall(SHORT)
        assert await client.closed()


async def test_a_kept_connection_owes_no_head_before_its_first_byte(
    jumps: Jumps, url: str, impatient: Connections
) -> None:
    async with connecting(url) as kept, connecting(url) as silent:
        await kept.send(WHOLE)
        await kept.answer()
        await seen(lambda: impatient.count == 2)
        jumps.stall(SHORT)
        assert await silent.closed()
        await kept.send(WHOLE)
        assert b"200 OK" in await kept.answer()


async def test_a_request_that_waits_owes_no_head(
    jumps: Jumps, url: str, impatient: Connections, pool: FakePool
) -> None:
    pool.forever = True
    body = b'{"load": "x"}'
    head = f"PUT {CLAIM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with connecting(url) as waiting, connecting(url) as silent:
        await waiting.send(head.encode() + b"Content-Length: 13\r\n\r\n" + body)
        await pool.waiting.wait()
        await seen(lambda: impatient.count == 2)
        jumps.stall(SHORT)
        assert await silent.closed()
        assert not pool.cancelled.is_set()


async def test_an_unused_connection_is_closed_after_the_keep_alive_time(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "KEEP_ALIVE", SHORT)
    async with (
        serving(api_app(coordinator, Metrics()), Connections()) as url,
        connecting(url) as client,
    ):
        await client.send(WHOLE)
        await client.answer()
        assert await client.closed()


async def test_with_all_connections_busy_a_new_one_is_closed_at_once(
    coordinator: Coordinator, pool: FakePool, session: aiohttp.ClientSession
) -> None:
    pool.forever = True
    async with serving(api_app(coordinator, Metrics()), Connections(1)) as url:
        waiting = asyncio.create_task(Caller(session, url)("PUT", CLAIM, {"load": "x"}))
        async with asyncio.timeout(30):
            await pool.waiting.wait()
        async with connecting(url) as late:
            assert await late.closed()
        assert not pool.cancelled.is_set()
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_a_connection_that_owes_its_head_makes_room_for_a_new_one(
    coordinator: Coordinator,
) -> None:
    async with (
        serving(api_app(coordinator, Metrics()), Connections(2)) as url,
        connecting(url) as good,
        connecting(url) as oldest,
    ):
        await good.send(WHOLE)
        await good.answer()
        await oldest.send(HALF)
        async with connecting(url) as newest:
            await newest.send(WHOLE)
            assert b"200 OK" in await newest.answer()
            assert await oldest.closed()
        await good.send(WHOLE)
        assert b"200 OK" in await good.answer()


async def test_unfinished_heads_are_bounded_in_all_and_the_largest_goes(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MOST_HEADS", 50_000)
    large = HALF + b"st: x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 4000) for n in range(10))
    async with (
        serving(api_app(coordinator, Metrics()), Connections()) as url,
        connecting(url) as first,
        connecting(url) as second,
    ):
        await first.send(WHOLE)
        await first.answer()
        await first.send(large)
        await second.send(large[:30_000])
        assert await first.closed()
        await second.send(large[30_000:] + b"\r\n")
        assert b"200 OK" in await second.answer()


async def test_a_large_body_is_no_large_head(
    coordinator: Coordinator, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MOST_HEADS", 2000)
    async with serving(api_app(coordinator, Metrics()), Connections()) as url:
        answer = await Caller(session, url)("PUT", CLAIM, {"load": "x" * 60_000})
        assert answer.problem == "out-of-range"


class Watched(Connections):
    """Tells when a connection is gone."""

    def __init__(self) -> None:
        super().__init__(write_timeout=SHORT)
        self.gone = asyncio.Event()

    def leave(self, guard: guards.Guard, transport: asyncio.BaseTransport) -> None:
        super().leave(guard, transport)
        self.gone.set()


async def large(_request: web.Request) -> web.Response:
    return web.Response(body=bytes(32 * 1024 * 1024))


async def test_who_does_not_read_the_answer_is_cut_off() -> None:
    app, connections = web.Application(middlewares=[guarded]), Watched()
    app.router.add_get("/", large)
    async with serving(app, connections) as url, connecting(url, receive=4096) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            await connections.gone.wait()
        assert connections.count == 0


async def test_who_reads_gets_the_whole_of_a_large_answer(session: aiohttp.ClientSession) -> None:
    app = web.Application(middlewares=[guarded])
    app.router.add_get("/", large)
    async with serving(app, Connections()) as url, session.get(url) as answer:
        assert len(await answer.read()) == 32 * 1024 * 1024


async def test_an_ended_connection_leaves_nothing_to_be_collected(url: str) -> None:
    with uncollected():
        before = standing()
        for _ in range(3):
            async with connecting(url) as client:
                await client.send(WHOLE)
                await client.answer()
                assert standing() > before
        assert await gone(before)
