"""Leases on the API server, by aiohttp and orjson: what a lock of one's own is made of."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
import orjson

from tests.bench.lease import identity_of, lease
from tests.bench.loads.told import tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.lease import Json
    from tests.bench.rivals.passing import Config


class Conflict(Exception):
    """Somebody wrote the Lease since it was read."""


class Leases:
    """Those of one namespace. Each call raises `aiohttp.ClientResponseError` when refused."""

    def __init__(self, session: aiohttp.ClientSession, path: str) -> None:
        self._session = session
        self._path = path

    async def create(self, name: str) -> Json:
        """An empty one."""
        return await self._call("POST", "", lease({"name": name}))

    async def read(self, name: str) -> Json:
        """The Lease as it is."""
        return await self._call("GET", f"/{name}")

    async def write(self, read: Json, holder: str) -> Json:
        """The Lease with this holder, if nobody wrote it since. Raises `Conflict`."""
        identity = identity_of(read)
        return await self._call("PUT", f"/{identity['name']}", lease(identity, holder))

    async def _call(self, method: str, name: str, body: Json | None = None) -> Json:
        data = orjson.dumps(body) if body else None
        async with self._session.request(method, self._path + name, data=data) as answer:
            told: Json = orjson.loads(await answer.read())
            if answer.status == HTTPStatus.CONFLICT:
                raise Conflict
            answer.raise_for_status()
            return told


@asynccontextmanager
async def leases(config: Config) -> AsyncIterator[Leases]:
    """Those of the bench's namespace."""
    head = {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"}
    path = f"{config['server']}/apis/coordination.k8s.io/v1/namespaces/{config['namespace']}/leases"
    connector = aiohttp.TCPConnector(ssl=tls(config), limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=head) as session:
        yield Leases(session, path)
