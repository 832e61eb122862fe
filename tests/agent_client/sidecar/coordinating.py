"""The coordinator in memory behind real HTTP, for sidecars that are processes of their own."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent_client.errors import NoAnswer
from agent_client.http.messages import Request, Response
from agent_client.http.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_client.messages import Reply
    from tests.agent_client.sidecar.node import NodeCoordinator


@asynccontextmanager
async def coordinating(fake: NodeCoordinator) -> AsyncIterator[str]:
    """Serve `fake`; the URL to reach it."""

    async def handler(request: Request) -> Response:
        try:
            reply = await _asked(fake, request)
        except NoAnswer:  # as near as a server comes to not being there
            return Response(500, b"no coordinator", "text/plain")
        return Response(reply.status, json.dumps(reply.payload).encode())

    async with Server(handler) as server:
        yield f"http://127.0.0.1:{await server.listen_tcp('127.0.0.1', 0)}"


async def _asked(fake: NodeCoordinator, request: Request) -> Reply:
    if request.method == "POST":
        return await fake.sync(json.loads(request.body), 60)
    return await fake.get(request.path, 60)
