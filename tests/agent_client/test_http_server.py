"""The agent's own server: requests, answers and streams over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from agent_client.http.server import Request, Response, Server, Stream
from tests.agent_client.rawhttp import DEADLINE, Raw, connected, talking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


async def echo(request: Request) -> Response:
    return Response(200, f"{request.method} {request.path}".encode(), "text/plain")


async def test_requests_of_one_connection_are_answered_one_after_the_other() -> None:
    async with talking(echo) as (_, raw):
        for number in range(3):
            raw.get(f"/{number}")
            answer = await raw.answer()
            assert (answer.status, answer.body) == (200, f"GET /{number}".encode())
            assert answer.headers["content-type"] == "text/plain"


async def test_requests_sent_together_are_answered_in_order() -> None:
    async with talking(echo) as (_, raw):
        for number in range(5):
            raw.get(f"/{number}")
        bodies = [(await raw.answer()).body for _ in range(5)]
        assert bodies == [f"GET /{number}".encode() for number in range(5)]


async def test_the_handler_sees_path_query_headers_and_body() -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    async with talking(handler) as (_, raw):
        raw.ask("PUT", "/v1/slots/a%2Fb?wait=5&x=&wait=6", "X-A: 1", "x-a: 2", body="{}")
        answer = await raw.answer()
    assert (answer.status, "content-length" in answer.headers) == (204, False)
    (request,) = seen
    assert (request.method, request.path, request.body) == ("PUT", "/v1/slots/a%2Fb", b"{}")
    assert request.query == {"wait": "6", "x": ""}
    assert (request.headers["x-a"], request.headers["host"]) == ("1, 2", "here")


@pytest.mark.parametrize("target", ["http://elsewhere/p?q=1", "/p?q=1"])
async def test_a_whole_url_is_taken_as_its_path(target: str) -> None:
    async with talking(echo) as (_, raw):
        raw.get(target)
        assert (await raw.answer()).body == b"GET /p"


async def test_head_is_a_get_without_the_body() -> None:
    async with talking(echo) as (_, raw):
        raw.ask("HEAD", "/x")
        answer = await raw.answer(bodiless=True)
        assert answer.headers["content-length"] == str(len("GET /x"))
        raw.get("/y")
        assert (await raw.answer()).body == b"GET /y"


async def test_a_client_of_http_1_0_is_answered_and_closed() -> None:
    async with talking(echo) as (_, raw):
        raw.send("GET /old HTTP/1.0\r\n\r\n")
        assert (await raw.answer()).body == b"GET /old"
        assert await raw.rest() == b""


async def test_a_client_that_asks_whether_to_go_on_is_told_so() -> None:
    async with talking(echo) as (_, raw):
        raw.send("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await raw.head()).status == 100
        raw.send("{}")
        assert (await raw.answer()).body == b"POST /b"


async def test_each_line_of_a_stream_is_there_before_the_next_is_made() -> None:
    more = asyncio.Event()

    async def handler(_: Request) -> Stream:
        async def lines() -> AsyncGenerator[bytes, None]:
            yield b"one\n"
            await more.wait()
            yield b"two\n"

        return Stream(lines())

    async with talking(handler) as (_, raw):
        raw.ask("POST", "/v1/slots")
        head = await raw.head()
        assert (head.status, head.headers["content-type"]) == (200, "application/x-ndjson")
        assert await raw.chunk() == b"one\n"
        more.set()
        assert [await raw.chunk(), await raw.chunk()] == [b"two\n", b""]
        raw.get("/again")
        assert (await raw.head()).status == 200


class Holding:
    """A handler that holds something for as long as its client is there."""

    def __init__(self, *, streams: bool) -> None:
        self.streams = streams
        self.held = asyncio.Event()
        self.freed = asyncio.Event()

    async def __call__(self, _: Request) -> Response | Stream:
        if self.streams:
            return Stream(self.lines())
        async with contextlib.aclosing(self.lines()) as lines:
            return Response(200, b"".join([line async for line in lines]))

    async def lines(self) -> AsyncGenerator[bytes, None]:
        self.held.set()
        try:
            yield b"granted\n"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # freeing takes its time, and is not cut short
            self.freed.set()


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("way", ["close", "half", "reset"])
async def test_what_is_held_for_a_client_is_freed_when_it_closes(way: str, streams: bool) -> None:
    holding = Holding(streams=streams)
    async with talking(holding) as (_, raw), asyncio.timeout(DEADLINE):
        raw.ask("POST", "/v1/slots")
        await holding.held.wait()
        assert not holding.freed.is_set()
        end(raw, way)
        await holding.freed.wait()


def end(raw: Raw, way: str) -> None:
    if way == "half":
        raw.writer.write_eof()
    elif way == "reset":
        raw.writer.transport.abort()
    else:
        raw.close()


async def test_a_client_that_closes_right_after_its_request_leaves_nothing_behind() -> None:
    holding = Holding(streams=True)
    async with talking(holding) as (server, raw), asyncio.timeout(DEADLINE):
        raw.ask("POST", "/v1/slots")
        raw.writer.write_eof()
        await raw.rest()
        await server.close()
        assert holding.freed.is_set() == holding.held.is_set()


async def test_stopping_lets_the_open_exchange_end_and_takes_no_other() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        if request.path == "/long":
            asked.set()
            await go.wait()
        return Response(200, b"done")

    async with Server(handler) as server, asyncio.timeout(DEADLINE):
        port = await server.listen_tcp("127.0.0.1", 0)
        async with connected(server, port) as busy, connected(server, port) as idle:
            idle.get("/short")
            await idle.answer()
            busy.get("/long")
            await asked.wait()
            server.stop_accepting()
            assert await idle.rest() == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            go.set()
            answer = await busy.answer()
            assert (answer.body, answer.headers["connection"]) == (b"done", "close")
            assert await busy.rest() == b""


async def test_stopping_ends_a_connection_with_its_stream() -> None:
    more = asyncio.Event()

    async def handler(_: Request) -> Stream:
        async def lines() -> AsyncGenerator[bytes, None]:
            yield b"one\n"
            await more.wait()

        return Stream(lines())

    async with talking(handler) as (server, raw):
        raw.ask("POST", "/v1/slots")
        await raw.head()
        assert await raw.chunk() == b"one\n"
        server.stop_accepting()
        more.set()
        assert await raw.chunk() == b""
        assert await raw.rest() == b""


async def test_closing_cancels_what_is_left_and_waits_for_its_end() -> None:
    holding = Holding(streams=True)
    async with Server(holding) as server:
        port = await server.listen_tcp("127.0.0.1", 0)
        async with connected(server, port) as raw, asyncio.timeout(DEADLINE):
            raw.ask("POST", "/v1/slots")
            await holding.held.wait()
            await server.close()
            assert holding.freed.is_set()
            assert server.connections == 0
