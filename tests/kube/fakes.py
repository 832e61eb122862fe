"""A server that answers byte for byte as told, and a clock that tests move by hand."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Ending = Literal["keep", "close", "hang"]
DEADLINE = 60.0
"""Seconds that nothing here takes; a machine under load may make it look so."""


@dataclass(frozen=True)
class Reply:
    """Bytes, and what becomes of the connection; `before` runs when the request has come."""

    data: bytes
    then: Ending = "keep"
    before: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str = ""
    """Path and query as they came."""


@dataclass
class FakeServer:
    """Answers requests in order of arrival from `replies`; without any left it stays silent."""

    replies: deque[Reply] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    connections: int = 0
    """How many were ever made."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def then(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    async def has_been_asked(self, times: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.asked) < times:
                self._news.clear()
                await self._news.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._open.discard(writer)

    def end(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(await _read(reader))
        self._news.set()
        reply = self.replies.popleft() if self.replies else Reply(b"", "hang")
        reply.before()
        writer.write(reply.data)
        await writer.drain()
        if reply.then == "hang":
            await reader.read()  # until the client goes
        return reply.then == "keep"


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (x.partition(":") for x in head[1:])
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Asked(method, url.path, dict(parse_qsl(url.query)), headers, body, target)


@asynccontextmanager
async def fake_server(*replies: Reply) -> AsyncIterator[FakeServer]:
    fake = FakeServer(deque(replies))
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        server.close()
        fake.end()
        await asyncio.sleep(0)  # closed transports let go of their sockets a round later


def answer(status: int, body: object = None, then: Ending = "keep", **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else orjson.dumps(body if body is not None else {})
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(raw)}\r\n{extra}"
    return Reply(f"{head}\r\n".encode() + raw, then)


def status(code: int, reason: str, message: str = "told so", **more: Any) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "reason": reason, "message": message, **more}


def stream(
    *events: object,
    end: Literal["clean", "cut", "hang"] = "clean",
    before: Callable[[], object] = lambda: None,
) -> Reply:
    """A watch's answer; objects become lines, bytes go out as they are, a chunk each."""
    lines = [x if isinstance(x, bytes) else orjson.dumps(x) + b"\n" for x in events]
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    data += b"".join(f"{len(line):x}\r\n".encode() + line + b"\r\n" for line in lines)
    if end == "clean":
        return Reply(data + b"0\r\n\r\n", "keep", before)
    return Reply(data, "close" if end == "cut" else "hang", before)


@dataclass
class Clock:
    """Time that passes only by `advance` and by what is slept."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
