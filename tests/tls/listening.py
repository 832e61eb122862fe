"""A listener with TLS in front of handlers that a test writes, and raw connections to it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.app import listen
from coordinator.api.connections import Connections, guarded
from coordinator.tls.contexts import Material, serving
from tests.tls.scene import DEADLINE
from tests.tls.test_making import strict

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def until(look: Callable[[], bool]) -> None:
    """Waits for what no event tells of."""
    async with asyncio.timeout(DEADLINE):
        while not look():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Present:
    """The present certificate, to be changed by a test."""

    def __init__(self, made: Material) -> None:
        self.client: ssl.SSLContext
        self.server: ssl.SSLContext
        self.take(made)

    def take(self, made: Material) -> None:
        self.server, self.client = serving(made), strict(made.bundle)


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.scheme} {request.remote}")


@asynccontextmanager
async def served(
    present: Present, connections: Connections | None = None, handler: Handler = hello
) -> AsyncIterator[str]:
    """What comes back is the URL."""
    app = web.Application(middlewares=[guarded])
    app.router.add_route("*", "/{all:.*}", handler)
    listener = await listen(app, "127.0.0.1", 0, connections, present)
    try:
        yield listener.url
    finally:
        await listener.close()


@dataclass
class Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def asks(self) -> str:
        """The body of the answer to one request."""
        self.writer.write(GET)
        head = await self._within(self.reader.readuntil(b"\r\n\r\n"))
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return (await self._within(self.reader.readexactly(length))).decode()

    async def closed(self) -> bool:
        """Waits until the other side has closed it."""
        with suppress(ConnectionError):
            await self._within(self.reader.read())
        return True

    async def _within(self, work: Awaitable[bytes]) -> bytes:
        async with asyncio.timeout(DEADLINE):
            return await work


@asynccontextmanager
async def connected(
    url: str, context: ssl.SSLContext | None, receive: int | None = None
) -> AsyncIterator[Line]:
    """A connection that has spoken TLS; without a context, one that has said nothing."""
    host, port = url.split("://")[1].rsplit(":", 1)
    sock = socket.socket()
    sock.setblocking(False)
    if receive is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    name = "localhost" if context else None
    reader, writer = await asyncio.open_connection(
        sock=sock, ssl=context, server_hostname=name, limit=receive or 2**16
    )
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


def asking(url: str, context: ssl.SSLContext, receive: int = 4096) -> ssl.SSLSocket:
    """A connection of no event loop that has sent a request, and takes no more than is read."""
    host, port = url.split("://")[1].rsplit(":", 1)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.settimeout(DEADLINE)
    sock.connect((host, int(port)))
    spoken = context.wrap_socket(sock, server_hostname="localhost")
    spoken.sendall(GET)
    return spoken
