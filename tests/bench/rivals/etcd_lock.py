"""etcd's own lock (v3lock), through the JSON gateway of the API server's etcd.

Who waits is told by etcd. A lock is one key in etcd and no object of the API server: nobody is
asked who may take it, nothing is admitted or audited, and `kubectl` shows nothing.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from tests.bench.rivals.passing import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.rivals.passing import Config, Contender

SETTLES = 0.15
"""Seconds. etcd brings a watch that began in the past, as that of who waits, up to the present only
every 0.1 s; from then on it tells at once. A release before that would look 0.1 s slow.
"""
_TTL = 600
"""Seconds, so that nobody needs to keep a lease of etcd alive meanwhile."""


class Gateway:
    """etcd's API as JSON over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def call(self, path: str, **body: Any) -> dict[str, Any]:
        """Raises `aiohttp.ClientResponseError`."""
        async with self._session.post(f"{self._url}/v3/{path}", data=orjson.dumps(body)) as answer:
            answer.raise_for_status()
            told: dict[str, Any] = orjson.loads(await answer.read())
            return told


class Owner:
    """One with a lease of etcd's kind, which owns the lock."""

    def __init__(self, etcd: Gateway, name: str, lease: str) -> None:
        self._etcd = etcd
        self._name = base64.b64encode(name.encode()).decode()
        self._lease = lease

    async def acquire(self) -> None:
        told = await self._etcd.call("lock/lock", name=self._name, lease=self._lease)
        self._key = told["key"]

    async def release(self) -> None:
        await self._etcd.call("lock/unlock", key=self._key)


@asynccontextmanager
async def contest(config: Config, places: int, each: int) -> AsyncIterator[list[list[Contender]]]:
    """A lock for each place."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        etcd = Gateway(session, config["etcd"])
        names = [f"bench-{uuid.uuid4().hex}" for _ in range(places)]
        yield [list(await asyncio.gather(*(_owner(etcd, n) for _ in range(each)))) for n in names]


async def _owner(etcd: Gateway, name: str) -> Owner:
    return Owner(etcd, name, (await etcd.call("lease/grant", TTL=_TTL))["ID"])


LOCK = Lock(contest, settles=SETTLES)
