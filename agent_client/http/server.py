"""A small HTTP/1.1 server for neighbours: a Unix socket or a loopback port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_client.http.connection import Connection
from agent_client.http.messages import Handler, Request, Response, Stream, problem
from agent_client.http.unixsocket import ListenError, UnixListener

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Handler", "ListenError", "Request", "Response", "Server", "Stream", "problem"]

BACKLOG = 1024
"""Connections that wait to be accepted. A Unix socket refuses at once beyond that."""
REFUSED_AT_ONCE = 64
"""Connections above the bound that are told why; further ones are cut."""


class Server:
    """Serves `handler`. `async with Server(handler) as server:` closes it at the end."""

    def __init__(self, handler: Handler, *, most_connections: int = 2048) -> None:
        self._handler = handler
        self._most = most_connections
        self._connections: dict[Connection, None] = {}
        self._stopped = False
        self._listeners: list[asyncio.Server] = []
        self._files: list[UnixListener] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def listen_unix(self, path: str, mode: int = 0o600) -> None:
        """Listen at `path`; a socket that nobody serves any more is replaced.

        Raises:
            ListenError: somebody serves there, or no socket can be made.
        """
        listener = UnixListener(path, mode, BACKLOG)
        self._files.append(listener)
        loop = asyncio.get_running_loop()
        made = await loop.create_unix_server(self._client, sock=listener.socket, backlog=BACKLOG)
        self._listeners.append(made)

    async def listen_tcp(self, host: str, port: int) -> int:
        """Listen at `host`; returns the port, which for port 0 the system has chosen.

        Raises:
            ListenError: the address is taken, or none of this machine's.
        """
        loop = asyncio.get_running_loop()
        try:
            made = await loop.create_server(self._client, host, port, backlog=BACKLOG)
        except OSError as error:
            why = error.strerror or error
            raise ListenError(f"cannot listen on {host}:{port}: {why}") from error
        self._listeners.append(made)
        return int(made.sockets[0].getsockname()[1])

    def stop_accepting(self) -> None:
        """Take no more connections and requests. What is being answered goes on."""
        self._stopped = True
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()
        files, self._files = self._files, []
        for file in files:
            file.remove()
        for connection in list(self._connections):
            connection.retire()

    async def close(self) -> None:
        """Cancel what is left, and wait until it has cleaned up."""
        self.stop_accepting()
        connections = list(self._connections)
        for connection in connections:
            connection.end()
        await asyncio.gather(*(c.task for c in connections), return_exceptions=True)

    def _client(self) -> Connection:
        return Connection(self._handler, self._meet, self._forget)

    def _meet(self, connection: Connection) -> None:
        self._connections[connection] = None
        known = len(self._connections)
        if self._stopped or known > self._most + REFUSED_AT_ONCE:
            connection.end()
        elif known > self._most:
            detail = f"{self._most} connections are open already: try again later"
            after = (("Retry-After", "1"),)
            connection.refusal = problem(503, "too-many-connections", detail, headers=after)

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
