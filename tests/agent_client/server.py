"""The coordinator in memory behind real HTTP, on a free port of the loopback."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent_client.errors import NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.agent_client.fake import FakeCoordinator

HEADERS = web.AppKey("headers", list[dict[str, str]])


@asynccontextmanager
async def serving(fake: FakeCoordinator) -> AsyncIterator[TestServer]:
    """Serve `fake`; `server.app[HEADERS]` collects the requests' headers."""

    async def sync(request: web.Request) -> web.Response:
        request.app[HEADERS].append(dict(request.headers))
        assert request.match_info["ns"] == "velero"
        assert request.match_info["node"] == "node1"
        try:
            reply = await fake.sync(orjson.loads(await request.read()), 60)
        except NoAnswer:
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        headers = {"Content-Type": "application/json"}
        if reply.retry_after is not None:
            headers["Retry-After"] = str(int(reply.retry_after))
        return web.Response(status=reply.status, body=orjson.dumps(reply.payload), headers=headers)

    app = web.Application()
    app[HEADERS] = []
    app.router.add_post("/v1/namespaces/{ns}/nodes/{node}/sync", sync)
    server = TestServer(app, host="127.0.0.1")
    async with server:
        yield server


def url_of(server: TestServer) -> str:
    return str(server.make_url("")).rstrip("/")
