"""Each case runs twice: on the embedded API server and on a real one, with one expectation."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.contract.client import Api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.realserver.server import RealApiServer

SERVERS = ["embedded", pytest.param("real", marks=pytest.mark.real)]


@pytest.fixture(params=SERVERS)
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """A client of one of the two servers, with a namespace that nobody else uses."""
    if request.param == "real":
        connected = _real(request.getfixturevalue("real_server"))
    else:
        connected = _embedded()
    async with connected as one:
        await one.make("/api/v1/namespaces", {"metadata": {"name": one.namespace}})
        yield one


@asynccontextmanager
async def _real(server: RealApiServer) -> AsyncIterator[Api]:
    async def forget() -> None:
        # etcd forgets at once; the API server's own cache of the past ends with its process.
        await asyncio.to_thread(server.compact)
        await asyncio.to_thread(server.stop_apiserver)
        await asyncio.to_thread(server.start)

    trusted = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=server.ca_file))
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.url, connector=trusted, headers=headers) as session:
        yield Api(session, _own_namespace(), forget)


@asynccontextmanager
async def _embedded() -> AsyncIterator[Api]:
    from coordinator.embedded import server
    from coordinator.embedded.store import Store

    store = Store()

    async def forget() -> None:
        store.compact()

    running = await server.start(store)
    try:
        async with aiohttp.ClientSession(running.url) as session:
            yield Api(session, _own_namespace(), forget)
    finally:
        await running.stop()


def _own_namespace() -> str:
    return f"contract-{uuid.uuid4().hex[:10]}"
