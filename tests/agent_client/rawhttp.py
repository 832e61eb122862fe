"""A client that writes bytes and reads answers, to see what the server really does."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_client.http.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_client.http.server import Handler

DEADLINE = 20.0
"""Seconds that only a fault takes."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        told: dict[str, Any] = json.loads(self.body)
        assert self.headers["content-type"] == "application/problem+json"
        assert told["status"] == self.status
        assert told["title"]
        assert told["detail"]
        return str(told["type"]).removeprefix("https://nodeslots.io/problems/")


class Raw:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)

    def get(self, target: str, *headers: str) -> None:
        self.ask("GET", target, *headers)

    def ask(self, method: str, target: str, *headers: str, body: str = "") -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: here", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", body]))

    async def head(self) -> Answer:
        async with asyncio.timeout(DEADLINE):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = text.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in rest)
        return Answer(int(first.split()[1]), headers, b"")

    async def answer(self, *, bodiless: bool = False) -> Answer:
        answer = await self.head()
        if not bodiless:
            length = int(answer.headers.get("content-length", 0))
            async with asyncio.timeout(DEADLINE):
                answer.body = await self.reader.readexactly(length)
        return answer

    async def chunk(self) -> bytes:
        async with asyncio.timeout(DEADLINE):
            length = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(length + 2))[:-2]

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(DEADLINE):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        self.writer.close()


@asynccontextmanager
async def connected(server: Server, port: int) -> AsyncIterator[Raw]:
    raw = Raw(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield raw
    finally:
        raw.close()


@asynccontextmanager
async def talking(handler: Handler, **options: Any) -> AsyncIterator[tuple[Server, Raw]]:
    """A server with `handler`, and one client of it."""
    async with Server(handler, **options) as server:
        port = await server.listen_tcp("127.0.0.1", 0)
        async with connected(server, port) as raw:
            yield server, raw
