"""One tunnel at its end; on the real API server it is in test_real_forward."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from coordinator.kubectl.connect.forward import Tunnel

DEADLINE = 20.0


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


async def test_closed_while_it_waits_for_a_goodbye_a_tunnel_drops_its_connection() -> None:
    line = Mute()
    tunnel = Tunnel(cast("Any", line))
    async with asyncio.timeout(DEADLINE):
        await line.closing.wait()
        await tunnel.close()
    assert line.dropped
