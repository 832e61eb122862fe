"""A kubelet that knows one thing: to forward a Pod's port, as the API server asks it to.

It speaks what `k8s.io/cri-streaming` does (portforward/websocket.go): both channels begin with the
port; the error channel says in words what went wrong; the end of either side is the end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web

from coordinator.kubectl.connect.forward import DATA, ERROR, PROTOCOL
from tests.agent_client.certificates import Authority, serving_with

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOOPBACK = "127.0.0.1"


class FakeKubelet:
    """Listens on loopback from entering to leaving.

    `ports` says where the program of a Pod really listens; a Pod that is not there has none.
    """

    def __init__(self, folder: Path) -> None:
        self._context = serving_with(Authority("kubelet").server(folder))
        self.ports: dict[str, int] = {}
        self.mute: set[str] = set()
        """Pods whose port lets everybody in and says nothing."""
        self.asked: list[tuple[str, str]] = []
        """The Pod and the port of each request, in order."""
        self.heads: list[Mapping[str, str]] = []
        """The headers that came with them."""
        self._lines: list[web.WebSocketResponse] = []
        self._below: list[asyncio.Transport] = []
        """The transports below TLS: closed twice, one of TLS can no more be aborted."""
        self._busy = 0
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/portForward/{namespace}/{pod}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, 0, ssl_context=self._context)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """From now on nobody is there. Idempotent."""
        await self.cut()
        await self.wait_idle()
        for transport in self._below:
            transport.abort()  # TLS would wait for the API server's goodbye
        await self._runner.cleanup()
        await asyncio.sleep(0)

    async def cut(self) -> None:
        """Ends every tunnel, as a node does that goes away."""
        for line in self._lines:
            await line.close()

    async def wait_idle(self) -> None:
        """Returns when there is no tunnel."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._busy)

    async def _forward(self, request: web.Request) -> web.WebSocketResponse:
        self._busy += 1
        try:
            return await self._answer(request, request.match_info["pod"], request.query["port"])
        finally:
            self._busy -= 1
            async with self._changed:
                self._changed.notify_all()

    async def _answer(self, request: web.Request, pod: str, port: str) -> web.WebSocketResponse:
        self.asked.append((pod, port))
        self.heads.append(request.headers)
        line = web.WebSocketResponse(protocols=(PROTOCOL,), timeout=0.1)
        await line.prepare(request)
        self._lines.append(line)
        secured: Any = request.transport
        if secured is not None:
            self._below.append(secured._ssl_protocol._transport)
        with suppress(ConnectionError):
            for channel in (DATA, ERROR):
                await line.send_bytes(bytes([channel]) + int(port).to_bytes(2, "little"))
            await self._serve(line, pod, port)
        await line.close()
        return line

    async def _serve(self, line: web.WebSocketResponse, pod: str, port: str) -> None:
        if pod in self.mute:
            await line.receive()
            while not line.closed:
                await line.receive()
            return
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.ports.get(pod, 1))
        except OSError as error:
            why = f"error forwarding port {port} to pod {pod}: {error.strerror}"
            await line.send_bytes(bytes([ERROR]) + why.encode())
            return
        down = asyncio.create_task(_down(reader, line))
        try:
            async for message in line:
                if message.type is aiohttp.WSMsgType.BINARY:
                    writer.write(message.data[1:])
                    await writer.drain()
        finally:
            writer.transport.abort()
            await down


async def _down(reader: asyncio.StreamReader, line: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(32 * 1024):
            await line.send_bytes(bytes([DATA]) + piece)
    await line.close()
