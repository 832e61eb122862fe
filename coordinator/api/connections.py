"""The bound on connections, and the deadlines that the HTTP library does not know.

A guard sits between a connection and its HTTP protocol. It sees what no handler can: a head that
never gets complete, an answer that is never read, and one connection too many. Everything else
passes through.

- A head has `HEAD_TIMEOUT` from the connection, or from its first byte on one that was kept.
- What was written has `WRITE_TIMEOUT` to leave; whoever reads no faster is cut off.
- When all connections are taken, the one that has owed its head for longest makes room, else the
  one that has been idle for longest; where every one is busy, the new connection is closed at once.
- All unfinished heads together have `MOST_HEADS` bytes; beyond, the largest is cut off.
- Who is not done with TLS yet is counted, too, and makes room first (`coordinator.api.secured`).

Idle connections are the HTTP library's to close, after its `keepalive_timeout`.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import TYPE_CHECKING, cast

import structlog
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEAD_TIMEOUT = 10.0
"""Seconds for a request's head."""
WRITE_TIMEOUT = 30.0
"""Seconds for an answer to leave this process once the other side has stopped to read."""
MOST_CONNECTIONS = 6000
"""5,000 agents are 5,000 connections, and some more while they move from one replica to another."""
MOST_HEADS = 16 * 1024 * 1024
"""Bytes of unfinished heads. A caller needs about a thousand."""
READ_SIZE = 8 * 1024
"""Bytes that are read from a connection at a time: the usual request as a whole, and not much of
the large ones of a thousand callers that send them all at once."""
OTHER_FILES = 500
"""Open files that are no callers': the API server's connections, logs, libraries."""
FEW_FILES = "some callers are not served: raise the open files' limit, or lower --max-connections"
_COMPLAIN_AGAIN = 60.0
"""Seconds between two warnings."""

log = structlog.get_logger("coordinator.api")


class Connections:
    """All connections of one listener, `most` at a time; timeouts in seconds."""

    def __init__(
        self,
        most: int = MOST_CONNECTIONS,
        *,
        head_timeout: float = HEAD_TIMEOUT,
        write_timeout: float = WRITE_TIMEOUT,
    ) -> None:
        self.most = most
        self.head_timeout = head_timeout
        self.write_timeout = write_timeout
        self._guards: dict[asyncio.BaseTransport, Guard] = {}
        self._handshakes: dict[Guard, asyncio.Transport] = {}
        """Those that TLS has not let through yet, in the order in which they came."""
        self._headless: dict[Guard, int] = {}
        """Those that owe the head of a request, in the order in which they began to, each with the
        bytes of it that are there."""
        self._head_bytes = 0
        self._idle: dict[Guard, None] = {}
        """Those that were answered and have sent nothing since, the longest idle one first. Any
        stranger may keep some: who is refused is answered, too."""
        self.buffer = memoryview(bytearray(READ_SIZE))
        self._complained = -_COMPLAIN_AGAIN
        self._closed = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._guards) + len(self._handshakes)

    def allow(self) -> None:
        """Let this process open as many files as it may need, as far as its hard limit goes.

        Two for each caller: a follower has a connection to the leader for each request.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * self.most + OTHER_FILES
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            log.warning("open files limited", limit=allowed, wanted=wanted, detail=FEW_FILES)

    def close(self) -> None:
        """Let nobody in any more, and cut off whoever the HTTP library did not know of: who has not
        spoken TLS yet, or came while it closed the others. Those say goodbye in their own time.
        """
        self._closed = True
        for unspoken in self._handshakes.values():
            unspoken.abort()
        self._handshakes.clear()
        for transport, guard in tuple(self._guards.items()):
            if not transport.is_closing():
                guard.cut_off()

    def guarding(self, server: Callable[[], asyncio.BaseProtocol]) -> Callable[[], Guard]:
        """What makes a protocol for each new connection, to be handed to the event loop."""
        return lambda: Guard(self, cast("asyncio.Protocol", server()))

    def guard_of(self, request: web.BaseRequest) -> Guard | None:
        """The guard of the connection that this request came in on; None once it is gone."""
        return self._guards.get(request.transport) if request.transport else None

    def begin_handshake(self, guard: Guard, transport: asyncio.Transport) -> bool:
        """Whether there is room for one more connection, which has to speak TLS first."""
        if not self._make_room():
            return False
        self._handshakes[guard] = transport
        return True

    def end_handshake(self, guard: Guard) -> None:
        """It is over, one way or the other."""
        self._handshakes.pop(guard, None)

    def enter(self, guard: Guard, transport: asyncio.BaseTransport) -> bool:
        """Whether there is room for one more connection."""
        self.end_handshake(guard)
        if not self._make_room():
            return False
        self._guards[transport] = guard
        return True

    def _make_room(self) -> bool:
        if self._closed or self.count < self.most:
            return not self._closed
        self._complain()
        if self._handshakes:
            guard, transport = next(iter(self._handshakes.items()))
            self.end_handshake(guard)
            transport.abort()
        elif self._headless:
            next(iter(self._headless)).cut_off()
        elif idle := next((one for one in self._idle if not one.writing), None):
            idle.cut_off()
        return self.count < self.most

    def leave(self, guard: Guard, transport: asyncio.BaseTransport) -> None:
        """The connection is gone, or as good as gone."""
        self._guards.pop(transport, None)
        self._idle.pop(guard, None)
        self.head_complete(guard)

    def answered(self, guard: Guard) -> None:
        """Nothing is under way on the connection any more."""
        self._idle[guard] = None

    def head_grew(self, guard: Guard, size: int) -> None:
        """So many bytes more of a head that is not complete."""
        self._idle.pop(guard, None)
        self._headless[guard] = self._headless.get(guard, 0) + size
        self._head_bytes += size
        while self._head_bytes > MOST_HEADS:
            max(self._headless, key=self._headless.__getitem__).cut_off()

    def head_complete(self, guard: Guard) -> None:
        """The connection owes no head any more."""
        self._idle.pop(guard, None)
        self._head_bytes -= self._headless.pop(guard, 0)

    def _complain(self) -> None:
        if time.monotonic() - self._complained >= _COMPLAIN_AGAIN:
            self._complained = time.monotonic()
            log.warning(
                "connections full",
                most=self.most,
                detail="some are closed at once; look for callers that leave connections open,"
                " or raise --max-connections",
            )


class Guard(asyncio.BufferedProtocol):
    """One connection, on its way to the HTTP protocol `inner`.

    All of them read into one buffer, which is empty again before the next one reads: a thousand
    callers that all send at once cost no memory of their own.
    """

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections = connections
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._busy = False
        self._head_seen = False
        self._head_deadline = Deadline(connections.head_timeout, self.cut_off)
        self._write_deadline = Deadline(connections.write_timeout, self.cut_off)

    # --- what the event loop says -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, and wait for a first head; or close it."""
        made = cast("asyncio.Transport", transport)
        if not self._connections.enter(self, made):
            made.abort()
            return
        self._transport = made
        # `pause_writing` is to tell of every unsent byte; with 0, TLS would pause for none.
        made.set_write_buffer_limits(high=1 if made.get_extra_info("sslcontext") else 0, low=0)
        self._inner.connection_made(made)
        self._head_grows(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._transport is not None:
            self._leave(self._transport)
            self._inner.connection_lost(exc)
            self._transport = None
        # Else a ring of references is left until cyclic garbage is looked for, which is seldom.
        self._head_deadline.drop()
        self._write_deadline.drop()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._connections.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Some bytes: of a head, unless a request is under way."""
        data = bytes(self._connections.buffer[:nbytes])
        if not self._busy:
            self._head_grows(data)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """The other side sends nothing more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Bytes are left that the other side does not take."""
        self._write_deadline.set()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """All of them are gone."""
        self._write_deadline.lift()
        self._inner.resume_writing()

    # --- what the application says ------------------------------------------------------------

    def begin(self) -> None:
        """A request's head is complete."""
        self._busy = True
        self._head_deadline.lift()
        self._connections.head_complete(self)

    def end(self) -> None:
        """The request is answered: what comes next is another head."""
        self._busy = self._head_seen = False
        if self._transport is not None and not self._transport.is_closing():
            self._connections.answered(self)

    @property
    def writing(self) -> bool:
        """Whether the other side has yet to take some of an answer."""
        return self._write_deadline.runs

    def cut_off(self) -> None:
        """Close the connection without another word, and make room at once."""
        if self._transport is not None:
            self._leave(self._transport)
            self._transport.abort()

    def _head_grows(self, data: bytes) -> None:
        """Bytes of a body may come before `begin`: they are not counted."""
        self._head_deadline.set()
        end = data.find(b"\r\n\r\n")
        if not self._head_seen:
            self._connections.head_grew(self, len(data) if end < 0 else end)
        self._head_seen = self._head_seen or end >= 0

    def _leave(self, transport: asyncio.Transport) -> None:
        self._head_deadline.lift()
        self._write_deadline.lift()
        self._connections.leave(self, transport)


class Deadline:
    """Calls `then` after so many seconds, unless it is lifted before."""

    __slots__ = ("_seconds", "_then", "_timer")

    def __init__(self, seconds: float, then: Callable[[], None]) -> None:
        self._seconds = seconds
        self._then = then
        self._timer: asyncio.TimerHandle | None = None

    def set(self) -> None:
        """From now on, unless it runs already."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._then)

    @property
    def runs(self) -> bool:
        """Whether it was set and not lifted."""
        return self._timer is not None

    def lift(self) -> None:
        """It does not run any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def drop(self) -> None:
        """It never runs again."""
        self.lift()
        self._then = _nothing


def _nothing() -> None:
    """What there is to do once a connection is gone."""


CONNECTIONS: web.AppKey[Connections] = web.AppKey("connections", Connections)


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the connection's guard when a request begins and when it is answered."""
    guard = request.app[CONNECTIONS].guard_of(request)
    if guard is None:  # the caller is gone already
        return await handler(request)
    guard.begin()
    try:
        return await handler(request)
    finally:
        guard.end()
