"""A server on loopback in the coordinator's place, which answers as the test says."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from coordinator.kubectl.connect.coordinator import Coordinator
from coordinator.kubectl.connect.tokens import NoToken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from coordinator.kubectl.connect.tokens import Tokens

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POOL = "/v1/namespaces/velero"
LOOPBACK = "127.0.0.1"


@dataclass
class Keys:
    """Tokens that are there one after the other; a rejected one gives way to the next."""

    left: list[str] = field(default_factory=lambda: ["s3cret-1", "s3cret-2"])

    async def header(self) -> str:
        return f"Bearer {self.left[0]}"

    def rejected(self) -> None:
        if len(self.left) > 1:
            del self.left[0]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server with this handler for everything."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)  # closed transports let go of their sockets a round later


@asynccontextmanager
async def asking(
    handler: Handler, tokens: Tokens | None = None, timeout: float = 30.0
) -> AsyncIterator[Coordinator]:
    """A coordinator to ask, which this handler plays."""
    async with serving(handler) as url, aiohttp.ClientSession() as session:
        yield Coordinator(session, url, tokens or NoToken(), timeout)
