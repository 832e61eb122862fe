"""A client on the sidecar's socket, byte for byte, as `curl -N --unix-socket` is one."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 60.0


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def ask(self, method: str, target: str, body: Any = None) -> None:
        content = "" if body is None else json.dumps(body)
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}"
        self._writer.write(f"{head}\r\n\r\n{content}".encode())

    async def reaches(self, state: str) -> dict[str, Any]:
        """The next line of this state."""
        async with asyncio.timeout(DEADLINE):
            while line := await self._reader.readline():
                if line.startswith(b"{") and (told := json.loads(line))["state"] == state:
                    return dict(told)
        raise AssertionError(f"the stream ended before {state}")

    async def answer(self) -> tuple[int, Any]:
        """Status and body of an answer that has a length."""
        async with asyncio.timeout(DEADLINE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = dict(field.lower().split(": ", 1) for field in head[1:] if field)
            body = await self._reader.readexactly(int(fields.get("content-length", 0)))
        return int(head[0].split()[1]), json.loads(body) if body else None

    def cut(self) -> None:
        """Go like a killed process: the kernel closes the socket."""
        self._writer.transport.abort()

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._writer.write_eof()

    def stop_reading(self) -> None:
        """Read nothing any more."""
        self._reader._transport.pause_reading()  # type: ignore[attr-defined]

    async def closed(self) -> None:
        self.cut()
        with suppress(OSError):
            await self._writer.wait_closed()


class Lines:
    """The connections of a test to the socket `path`; all are closed at its end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._open: list[Line] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._open:
            await line.closed()

    async def ask(self, method: str, target: str, body: Any = None) -> Line:
        """A new connection with its first request."""
        line = Line(*await asyncio.open_unix_connection(self.path))
        self._open.append(line)
        line.ask(method, target, body)
        return line

    async def post(self, load: str) -> Line:
        """A new connection that asks for a slot."""
        return await self.ask("POST", "/v1/slots", {"load": load})


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition()` holds."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - what is looked at has no event for it
            await asyncio.sleep(0.01)
