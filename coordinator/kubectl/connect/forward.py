"""Port-forward through the API server: one TCP connection to a Pod's port, over one WebSocket.

The protocol is `v4.channel.k8s.io`, which the API server passes on to the node as it is, and which
kubelets and container runtimes of all supported versions speak (`k8s.io/cri-streaming`,
portforward/websocket.go). Each message begins with a byte: 0 is data, 1 is the node's error in
words. The first message of either is the port, two bytes. There is no half-closing: the end of
either side is the end. The newer tunnel (`v2.portforward.k8s.io`) is SPDY inside of a WebSocket.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TypeVar

import aiohttp

from coordinator.kube.credentials import CredentialsError
from coordinator.kubectl.connect.errors import Unreachable, brief
from coordinator.kubectl.connect.pods import forward_path

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from coordinator.kube.credentials import Access
    from coordinator.kubectl.connect.pods import Target

P = TypeVar("P", bound=asyncio.Protocol)

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1
HEARTBEAT = 20.0
"""Seconds between pings. Proxies before an API server cut silent connections off after a minute,
and a tunnel whose node is gone is noticed by nothing else."""
PIECE = 32 * 1024
"""Bytes of one message at most."""
_PORT_BYTES = 2
_RIGHTS = "you need the rights to get and create pods/portforward in namespace"


class Forwarder:
    """Opens tunnels to Pods; `async with` ends all of them with it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tunnels: list[Tunnel] = []
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._access.ssl_context or True),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        for tunnel in self._tunnels:
            await tunnel.close()
        await self._session.close()
        await asyncio.sleep(0)  # closed transports let go of their sockets a round later

    async def open(self, target: Target) -> Tunnel:
        """A tunnel to the Pod's port; the node may still find that nobody listens there.

        Raises `Unreachable`.
        """
        tunnel = Tunnel(await self._line(target))
        self._tunnels = [*(one for one in self._tunnels if not one.over), tunnel]
        return tunnel

    async def _line(self, target: Target) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._session.ws_connect(
                self._access.base_url + forward_path(target),
                protocols=(PROTOCOL,),
                headers=await self._access.headers(),
                server_hostname=self._access.server_name,
                proxy=self._access.proxy,
                heartbeat=HEARTBEAT,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 401:
                self._access.rejected()
            why = _refusal(error.status, target)
        except (aiohttp.ClientError, OSError, CredentialsError) as error:
            why = brief(error)
        raise Unreachable(why)  # outside of the handler: a cause may carry the request's headers


class Tunnel:
    """One TCP connection to a Pod's port, as long as neither side ends it."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line
        connection = line._response.connection  # aiohttp tells it nowhere else
        self._below = connection.transport if connection else None
        self._greeted: set[int] = set()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._transport: asyncio.Transport | None = None
        self.said = ""
        """What the node said went wrong."""
        self._task = asyncio.create_task(self._run())

    @property
    def over(self) -> bool:
        """Whether both sides have ended."""
        ended = self._transport is None or self._transport.is_closing()
        return self._task.done() and ended

    async def secure(
        self, factory: Callable[[], P], context: ssl.SSLContext, server_name: str
    ) -> P:
        """A new protocol, connected to the Pod by TLS. Raises `OSError`, TLS errors among them."""
        loop = asyncio.get_running_loop()
        raw, _ = await loop.create_connection(asyncio.Protocol, sock=self._near)
        self._transport, protocol = raw, factory()
        if raw.is_closing():
            raise ConnectionResetError("the connection was closed at once")
        secured = await loop.start_tls(raw, protocol, context, server_hostname=server_name)
        if secured is None:
            raise ConnectionResetError("the connection was closed during the TLS handshake")
        protocol.connection_made(secured)
        return protocol

    async def close(self) -> None:
        """Ends it, whatever is under way."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._transport is not None:
            self._transport.abort()
        else:
            self._near.close()

    async def _run(self) -> None:
        up, loop = asyncio.create_task(self._up()), asyncio.get_running_loop()
        try:
            await self._down()
        finally:
            up.cancel()  # it ends a round later, and by then its socket's number may be another's
            loop.remove_reader(self._far)
            self._far.close()
            await self._hang_up()
            with suppress(asyncio.CancelledError):
                await up

    async def _hang_up(self) -> None:
        try:
            with suppress(aiohttp.ClientError, OSError):
                await self._line.close()
        finally:  # also where `close` comes while the other side's goodbye is waited for
            if self._below is not None:
                self._below.abort()  # TLS would wait for the API server's goodbye

    async def _up(self) -> None:
        """From here to the Pod. The end of what is to be sent ends the tunnel."""
        loop = asyncio.get_running_loop()
        with suppress(aiohttp.ClientError, OSError):
            while piece := await loop.sock_recv(self._far, PIECE):
                await self._line.send_bytes(bytes([DATA]) + piece)
        await self._line.close()

    async def _down(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            async for message in self._line:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    return
                channel, piece = self._opened(message.data)
                if channel == DATA:
                    await loop.sock_sendall(self._far, piece)
                elif channel == ERROR:
                    self.said += piece.decode("utf-8", "replace")

    def _opened(self, message: bytes) -> tuple[int, bytes]:
        """The channel and its piece, without the port that begins each channel."""
        channel, piece = message[0] if message else -1, message[1:]
        if channel in self._greeted:
            return channel, piece
        self._greeted.add(channel)
        return channel, piece[_PORT_BYTES:]


def _refusal(status: int, target: Target) -> str:
    if status == 403:
        return f"{_RIGHTS} {target.namespace}"
    if status == 401:
        return "the API server does not accept your credentials"
    if status == 404:
        return "it is gone"
    return f"the API server answered {status} to the port-forward; does its node's kubelet run?"
