"""A server that plays a script on each connection, to be right or wrong in any way."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    Script = Callable[["Visit"], Awaitable[None]]

OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Visit:
    """One connection: `asked` reads a request and returns its head, `say` answers."""

    def __init__(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer

    async def asked(self) -> str:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await self.reader.readexactly(int(length[1]) if length else 0)
        return head

    def say(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)


class Scripted:
    """Counts its visits and keeps the heads of what it was asked."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._visits: list[asyncio.Task[None]] = []
        self.url = ""
        self.visits = 0

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._visits.append(task)
        self.visits += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._script(Visit(self.visits, reader, writer))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def end(self) -> None:
        for visit in self._visits:
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)


@asynccontextmanager
async def scripted(
    script: Script,
    *,
    tls: ssl.SSLContext | None = None,
    listening: socket.socket | None = None,
) -> AsyncIterator[Scripted]:
    """Play `script` on every connection to the server's `url`.

    `listening` is left open, so that a successor has the same port whatever else wants one.
    """
    played = Scripted(script)
    own = listening.dup() if listening else socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(played.visited, sock=own, ssl=tls)
    scheme = "https" if tls else "http"
    played.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield played
    finally:
        server.close()
        await played.end()
        await server.wait_closed()


async def answering(visit: Visit) -> None:
    """Every request gets the same good answer."""
    while await visit.asked():
        visit.say(OK)


def saying(*answers: str | bytes) -> Script:
    """Every connection gets these answers, one per request, and is then closed."""

    async def script(visit: Visit) -> None:
        for answer in answers:
            await visit.asked()
            visit.say(answer)

    return script
