"""One tunnel at its end; on the real API server it is in test_real_forward."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

from coordinator.kubectl.connect.forward import Tunnel

DEADLINE = 60.0


class Mute:
    """A WebSocket that has ended on this side, and whose other side says no goodbye."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self.dropped = False
        below = SimpleNamespace(transport=SimpleNamespace(abort=self._drop))
        self._response = SimpleNamespace(connection=below)

    def __aiter__(self) -> Mute:
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration

    async def close(self) -> None:
        self.closing.set()
        await asyncio.Event().wait()

    def _drop(self) -> None:
        self.dropped = True


class Reusing(Mute):
    """When it is closed, somebody else is given the number of the socket that was closed before,
    as any file or connection that is opened then may be.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""
        self._ended = asyncio.Event()

    def end(self) -> None:
        """As a Pod that goes away."""
        self._ended.set()

    async def __anext__(self) -> Any:
        await self._ended.wait()
        raise StopAsyncIteration

    async def close(self) -> None:
        near, far = socket.socketpair()
        loop = asyncio.get_running_loop()
        with near, far:
            near.setblocking(False)
            loop.call_later(0.01, far.send, b"word")  # later, so that it has to be waited for
            self.heard = await loop.sock_recv(near, 4)
        self.closing.set()


async def test_closed_while_it_waits_for_a_goodbye_a_tunnel_drops_its_connection() -> None:
    line = Mute()
    tunnel = Tunnel(cast("Any", line))
    async with asyncio.timeout(DEADLINE):
        await line.closing.wait()
        await tunnel.close()
    assert line.dropped


async def test_a_tunnel_that_ends_is_done_with_its_socket_before_another_one_has_its_number() -> (
    None
):
    line = Reusing()
    tunnel = Tunnel(cast("Any", line))
    async with asyncio.timeout(DEADLINE):
        await asyncio.sleep(0)  # it listens on its socket from its first round on
        await asyncio.sleep(0)
        line.end()
        await line.closing.wait()
        await tunnel.close()
    assert line.heard == b"word"
