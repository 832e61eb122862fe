"""TLS between a connection and its guard, within the same bounds as everything else.

asyncio's own listener lets a handshake take 60 s, counts nobody who has not finished it, and gives
each connection 256 KiB to read into: 5,000 agents would cost 1.3 GB. Here a handshake has
`HANDSHAKE_TIMEOUT`, counts as a connection, and makes room first; and all connections read into
one buffer, which is empty again before the next one reads.
"""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
from typing import TYPE_CHECKING, Protocol, cast

from coordinator.api.connections import Deadline

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from coordinator.api.connections import Connections, Guard

HANDSHAKE_TIMEOUT = 10
"""Seconds for a TLS handshake, as for a request's head."""
SHUTDOWN_TIMEOUT = 1
"""Seconds that the other side has to answer the end of TLS."""
RECORD = 16 * 1024
"""Bytes of the largest TLS record, and of what is read at a time."""
UNREAD = 2 * RECORD
"""Bytes that may wait for an application which reads no further."""


class Tls(Protocol):
    """Who has the present certificate."""

    @property
    def server(self) -> ssl.SSLContext:
        """For the next connection."""


def securing(
    connections: Connections, guard: Callable[[], Guard], tls: Tls
) -> Callable[[], Secured]:
    """What makes TLS in front of a guard for each new connection, with the present certificate."""
    buffer = bytearray(RECORD)
    return lambda: Secured(connections, guard(), tls.server, buffer)


class Secured(SSLProtocol):
    """TLS on one connection; `inner` sees it once the handshake is complete."""

    max_size = RECORD  # or asyncio would make room for more than the common buffer has

    def __init__(
        self, connections: Connections, inner: Guard, context: ssl.SSLContext, buffer: bytearray
    ) -> None:
        super().__init__(
            asyncio.get_running_loop(),
            inner,
            context,
            None,  # type: ignore[arg-type]  # nobody waits for the handshake but this
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
            ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
        )
        self._connections = connections
        self._guard = inner
        self._unread = Deadline(connections.write_timeout, inner.cut_off)
        self._ssl_buffer, self._ssl_buffer_view = buffer, memoryview(buffer)
        self._set_read_buffer_limits(UNREAD)  # type: ignore[attr-defined]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, if there is room for one more."""
        made = cast("asyncio.Transport", transport)
        if not self._connections.begin_handshake(self._guard, made):
            made.abort()
            return
        made.set_write_buffer_limits(high=0)  # then `pause_writing` tells of every unsent byte
        super().connection_made(made)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, perhaps before its handshake ended."""
        self._unread.lift()
        self._connections.end_handshake(self._guard)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Bytes are left that the other side does not take."""
        self._unread.set()
        super().pause_writing()

    def resume_writing(self) -> None:
        """All of them are gone."""
        self._unread.lift()
        super().resume_writing()
