"""Over TLS, too, who keeps a connection for nothing makes room for who comes."""

from __future__ import annotations

from contextlib import AsyncExitStack

from coordinator.api.connections import Connections
from tests.tls.listening import Present, connected, served
from tests.tls.test_making import material

FEW = 3


async def test_idle_connections_keep_nobody_out() -> None:
    present, connections = Present(material()), Connections(FEW)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(present, connections))
        lines = [
            await stack.enter_async_context(connected(url, present.client)) for _ in range(FEW)
        ]
        for line in lines:
            await line.asks()
        last = await stack.enter_async_context(connected(url, present.client))
        assert await last.asks()
        assert await lines[0].closed()
        assert await lines[1].asks()
        assert connections.count == FEW
