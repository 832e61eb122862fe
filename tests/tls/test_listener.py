"""The API's listener with TLS: as bounded as without, and no connection dropped by a change."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import tracemalloc
from contextlib import ExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import coordinator
from coordinator.api import secured
from coordinator.api.app import listen
from coordinator.api.connections import Connections, guarded
from tests.api.leftovers import gone, standing, uncollected
from tests.tls.listening import GET, Present, asking, connected, hello, served, until
from tests.tls.scene import DEADLINE
from tests.tls.test_making import material

SHORT = 0.2
"""Seconds of a deadline that a test waits for."""


@pytest.fixture
def present() -> Present:
    return Present(material())


async def test_the_api_speaks_tls(present: Present) -> None:
    async with served(present) as url:
        assert url.startswith("https://127.0.0.1:")
        async with connected(url, present.client) as line:
            assert await line.asks() == "https 127.0.0.1"


async def test_a_new_certificate_drops_no_connection_and_is_shown_to_new_ones(
    present: Present,
) -> None:
    async with served(present) as url, connected(url, present.client) as before:
        await before.asks()
        old = present.client
        present.take(material())
        assert await before.asks() == "https 127.0.0.1"
        async with connected(url, present.client) as after:
            await after.asks()
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connected(url, old):
                pass
        assert await before.asks() == "https 127.0.0.1"


async def test_a_session_is_resumed_within_one_certificate(present: Present) -> None:
    """Tickets go on working; after a change they are simply not taken."""
    async with served(present) as url, connected(url, present.client) as line:
        await line.asks()
        spoken = line.writer.get_extra_info("ssl_object")
        assert spoken.session.has_ticket


async def test_a_handshake_that_hangs_is_cut_off(
    present: Present, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secured, "HANDSHAKE_TIMEOUT", SHORT)
    connections = Connections()
    async with served(present, connections) as url:
        async with connected(url, None) as silent, connected(url, None) as half:
            half.writer.write(b"\x16\x03\x01\x02\x00\x01")
            assert await silent.closed()
            assert await half.closed()
        assert connections.count == 0


async def test_a_handshake_that_is_under_way_ends_with_the_listener(present: Present) -> None:
    connections, app = Connections(), web.Application(middlewares=[guarded])
    listener = await listen(app, "127.0.0.1", 0, connections, present)
    async with connected(listener.url, None) as silent:
        await until(lambda: connections.count == 1)
        await listener.close()
        assert connections.count == 0
        assert await silent.closed()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 100])
async def test_what_is_no_tls_is_closed_at_once(present: Present, said: bytes) -> None:
    connections = Connections()
    async with served(present, connections) as url:
        async with connected(url, None) as line:
            line.writer.write(said)
            assert await line.closed()
        assert connections.count == 0


async def test_who_owes_a_handshake_counts_and_makes_room_first(present: Present) -> None:
    connections = Connections(3)
    async with served(present, connections) as url, connected(url, present.client) as kept:
        await kept.asks()
        async with connected(url, None) as first, connected(url, None) as second:
            await until(lambda: connections.count == 3)
            async with connected(url, present.client) as line:
                await line.asks()
                assert await first.closed()
            second.writer.write(b"no TLS")
            assert await second.closed()
        await kept.asks()


async def test_where_all_have_their_place_one_more_is_closed(present: Present) -> None:
    busy, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        busy.set()
        await release.wait()
        return web.Response()

    async with (
        served(present, Connections(1), slow) as url,
        connected(url, present.client) as kept,
    ):
        kept.writer.write(GET)
        await asyncio.wait_for(busy.wait(), DEADLINE)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with connected(url, present.client):
                pass


@pytest.mark.parametrize("size", [200_000, 8_000_000])
async def test_who_does_not_read_is_cut_off(present: Present, size: int) -> None:
    """The smaller one is all with the socket's transport: TLS itself would not know of it."""

    async def tell(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        sock = request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return web.Response(body=b"x" * size)

    connections = Connections(write_timeout=SHORT)
    async with served(present, connections, tell) as url:
        with await asyncio.to_thread(asking, url, present.client):
            await until(lambda: connections.count == 0)


async def test_who_has_read_everything_owes_nothing(present: Present) -> None:
    """Or a caller that waits for its answer would be cut off for one that it has."""
    connections, owing = Connections(), []

    async def look(request: web.Request) -> web.Response:
        guard = connections.guard_of(request)
        assert guard is not None
        owing.append(guard._write_deadline._timer)
        return await hello(request)

    async with (
        served(present, connections, look) as url,
        connected(url, present.client) as line,
    ):
        for _ in range(4):
            await line.asks()
    assert owing == [None] * 4


async def test_who_reads_slowly_is_served(present: Present) -> None:
    async def much(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 3_000_000)

    async with (
        served(present, handler=much) as url,
        connected(url, present.client, receive=4096) as line,
    ):
        assert len(await line.asks()) == 3_000_000


async def test_a_body_that_nobody_takes_is_not_piled_up(present: Present) -> None:
    """What a caller sends beyond the buffers stays with it."""
    release, begun = asyncio.Event(), asyncio.Event()

    async def deaf(_request: web.Request) -> web.Response:
        begun.set()
        await release.wait()
        return web.Response()

    async with served(present, handler=deaf) as url, connected(url, present.client) as line:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n"
        line.writer.write(head)
        async with asyncio.timeout(DEADLINE):
            await begun.wait()
        sent = await _sent_until_stuck(line.writer)
        assert sent < 16_000_000, "the kernel's buffers, and little of ours"
        release.set()


async def _sent_until_stuck(writer: asyncio.StreamWriter) -> int:
    sent = 0
    while True:
        writer.write(b"x" * 100_000)
        try:
            async with asyncio.timeout(1.0):
                await writer.drain()
        except TimeoutError:
            return sent
        sent += 100_000


def held(snapshot: tracemalloc.Snapshot) -> int:
    """Bytes of connections: whatever else the process does in the meantime is not theirs."""
    theirs = [ssl.__file__, *(f"{one.__path__[0]}/*" for one in (asyncio, aiohttp, coordinator))]
    made = snapshot.filter_traces([tracemalloc.Filter(True, name) for name in theirs])
    return sum(trace.size for trace in made.traces)


async def test_a_connection_costs_little_memory(present: Present) -> None:
    """asyncio's own TLS takes 256 KiB for each connection: 5,000 would be 1.3 GB."""
    async with served(present) as url:
        tracemalloc.start()
        try:
            before = tracemalloc.take_snapshot()
            with ExitStack() as stack:
                for _ in range(10):
                    caller = await asyncio.to_thread(asking, url, present.client)
                    stack.enter_context(caller)
                    assert await asyncio.to_thread(caller.recv, 1)
                grown = held(tracemalloc.take_snapshot()) - held(before)
        finally:
            tracemalloc.stop()
    assert grown < 10 * 100_000


async def on_all() -> list[str]:
    """What `listen` on `all` answers, asked by 127.0.0.1 and, where there is IPv6, by ::1."""
    app = web.Application(middlewares=[guarded])
    app.router.add_get("/", hello)
    listener = await listen(app, "all", 0)
    port = int(listener.url.rsplit(":", 1)[1])
    answers = []
    try:
        for host in ("127.0.0.1", "::1"):
            try:
                reader, writer = await asyncio.open_connection(host, port)
            except OSError:
                continue
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            answers.append((await reader.read()).decode().splitlines()[-1])
            writer.close()
            await writer.wait_closed()
    finally:
        await listener.close()
    return answers


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


async def test_all_is_every_address_on_one_port() -> None:
    answers = await on_all()
    assert answers[0] in {"http 127.0.0.1", "http ::ffff:127.0.0.1"}
    assert answers[1:] == (["http ::1"] if _has_ipv6() else [])


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
async def test_all_works_where_ipv6_is_off(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = socket.create_server

    def without(address: Any, *, family: int = socket.AF_INET, **options: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(number, "no IPv6 here")
        return real(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", without)
    assert await on_all() == ["http 127.0.0.1"]


async def test_a_port_that_is_taken_is_no_reason_to_do_without_ipv6() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken, pytest.raises(OSError, match="in use"):
        await listen(web.Application(), "all", taken.getsockname()[1])


async def test_an_ended_connection_leaves_nothing_to_be_collected(present: Present) -> None:
    async with served(present) as url:
        with uncollected():
            before = standing()
            for _ in range(3):
                async with connected(url, present.client) as line:
                    await line.asks()
                    assert standing() > before
            assert await gone(before)
