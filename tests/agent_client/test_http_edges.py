"""The agent's own server and clients that are slow, wrong, too many, or too loud."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from agent_client.http import connection
from agent_client.http.server import Request, Response, Server, Stream
from tests.agent_client.rawhttp import DEADLINE, connected, talking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

SHORT = 0.05
"""Seconds, where a test is about a deadline that passes."""


async def fine(request: Request) -> Response:
    return Response(200, b"fine")


@pytest.mark.parametrize(
    "text",
    [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: many\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_told_so_and_closed(text: str) -> None:
    async with talking(fine) as (_, raw):
        raw.send(text)
        answer = await raw.answer()
        assert (answer.status, answer.problem) == (400, "malformed")
        assert answer.headers["connection"] == "close"
        assert await raw.rest() == b""


async def test_a_head_without_end_is_refused() -> None:
    async with talking(fine) as (_, raw):
        raw.send("GET / HTTP/1.1\r\nX: " + "x" * 100_000)
        assert (await raw.answer()).status == 431


@pytest.mark.parametrize("size", [65_537, 400_000, 10_000_000])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_that_is_too_large_is_refused(size: int, chunked: bool) -> None:
    async with talking(fine) as (_, raw):
        how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        raw.send(f"POST / HTTP/1.1\r\nHost: h\r\n{how}\r\n\r\n")
        raw.send((f"{size:x}\r\n" if chunked else "") + "x" * min(size, 400_000))
        answer = await raw.answer()
        assert (answer.status, answer.problem) == (413, "too-large")


async def test_a_body_announced_too_large_is_refused_before_it_is_sent() -> None:
    async with talking(fine) as (_, raw):
        raw.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n")
        raw.send("Expect: 100-continue\r\n\r\n")
        assert (await raw.answer()).problem == "too-large"


@pytest.mark.parametrize("chunked", [True, False])
async def test_the_largest_body_is_taken(chunked: bool) -> None:
    async with talking(fine) as (_, raw):
        how = "Transfer-Encoding: chunked" if chunked else "Content-Length: 65536"
        raw.send(f"POST / HTTP/1.1\r\nHost: h\r\n{how}\r\n\r\n")
        body = "x" * 65_536
        raw.send(f"10000\r\n{body}\r\n0\r\n\r\n" if chunked else body)
        assert (await raw.answer()).status == 200


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("HEAD_WITHIN", "GET / HTTP/1.1\r\n"),
        ("BODY_WITHIN", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"),
    ],
)
async def test_a_request_that_stops_half_way_is_told_so_and_closed(
    monkeypatch: pytest.MonkeyPatch, part: str, text: str
) -> None:
    async with talking(fine) as (_, raw):
        raw.get("/")  # else the same time is running for the request's first byte, too
        await raw.answer()
        monkeypatch.setattr(connection, part, SHORT)
        raw.send(text)
        answer = await raw.answer()
        assert (answer.status, answer.problem) == (408, "request-timeout")
        assert await raw.rest() == b""


async def test_a_client_that_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", SHORT)
    async with talking(fine) as (_, raw):
        assert await raw.rest() == b""


async def test_a_client_that_says_no_more_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEPT_FOR", SHORT)
    async with talking(fine) as (_, raw):
        raw.get("/")
        assert (await raw.answer()).status == 200
        assert await raw.rest() == b""


async def test_a_client_that_does_not_read_is_cut_and_fills_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "READ_WITHIN", SHORT)
    made, freed = 0, asyncio.Event()

    async def handler(_: Request) -> Stream:
        async def lines() -> AsyncGenerator[bytes, None]:
            nonlocal made
            try:
                while True:
                    made += 1
                    yield b"x" * 65_536
            finally:
                freed.set()

        return Stream(lines())

    async with talking(handler) as (_, raw), asyncio.timeout(DEADLINE):
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        raw.get("/")
        await freed.wait()
    assert made * 65_536 < 32 * 1024 * 1024, "what the sockets' own buffers take, no more"


async def test_a_client_that_talks_on_while_it_is_answered_is_cut() -> None:
    cancelled = asyncio.Event()

    async def handler(_: Request) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Response(200)

    async with talking(handler) as (_, raw), asyncio.timeout(DEADLINE):
        raw.get("/")
        raw.send("x" * 200_000)
        await cancelled.wait()


async def test_one_connection_too_many_is_told_so_until_another_ends() -> None:
    async with talking(fine, most_connections=1) as (server, first):
        first.get("/")
        await first.answer()
        port = first.writer.get_extra_info("peername")[1]
        async with connected(server, port) as second:
            second.get("/")
            answer = await second.answer()
            assert (answer.status, answer.problem) == (503, "too-many-connections")
            assert answer.headers["retry-after"] == "1"
            assert await second.rest() == b""
        first.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        await first.rest()
        async with connected(server, port) as third:
            third.get("/")
            assert (await third.answer()).status == 200


async def test_a_handler_that_fails_is_a_500_and_the_connection_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/bad":
            raise LookupError("a fault")
        return Response(200)

    async with talking(handler) as (_, raw):
        raw.get("/bad")
        answer = await raw.answer()
        assert (answer.status, answer.problem) == (500, "internal")
        assert "fault of the server" in answer.body.decode()
        assert "LookupError" not in answer.body.decode()
        raw.get("/good")
        assert (await raw.answer()).status == 200
    assert [r.getMessage() for r in caplog.records] == ["GET /bad failed"]


async def test_a_stream_that_fails_ends_without_its_last_chunk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(_: Request) -> Stream:
        async def lines() -> AsyncGenerator[bytes, None]:
            yield b"one\n"
            raise LookupError("a fault")

        return Stream(lines())

    async with talking(handler) as (_, raw):
        raw.get("/")
        await raw.head()
        assert await raw.chunk() == b"one\n"
        assert await raw.rest() == b""
    assert [r.levelno for r in caplog.records] == [logging.ERROR]


async def test_a_port_that_is_taken_is_named() -> None:
    async with Server(fine) as first, Server(fine) as second:
        port = await first.listen_tcp("127.0.0.1", 0)
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: .*in use"):
            await second.listen_tcp("127.0.0.1", port)
