"""Leases on the API server, by aiohttp and orjson: what a lock of one's own is made of."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from tests.bench.loads.told import tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.rivals.passing import Config

    Json = dict[str, Any]

_WHEN = "2026-01-05T10:00:00.000000Z"


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
        head = read["metadata"]
        identity = {key: head[key] for key in ("name", "uid", "resourceVersion")}
        return await self._call("PUT", f"/{head['name']}", lease(identity, holder))

    async def _call(self, method: str, name: str, body: Json | None = None) -> Json:
        data = orjson.dumps(body) if body else None
        async with self._session.request(method, self._path + name, data=data) as answer:
            told: Json = orjson.loads(await answer.read())
            if answer.status == HTTPStatus.CONFLICT:
                raise Conflict
            answer.raise_for_status()
            return told


def lease(identity: Json, holder: str = "") -> Json:
    """A Lease with all that a slot's Lease has."""
    notes = {
        "nodeslots.io/node": "bare",
        "nodeslots.io/claim": "0194f2a2-6f5b-7c30-9a52-3e8f6f0e2b11",
        "nodeslots.io/load": "backup-7/pvc-3",
        "nodeslots.io/priority": "0",
        "nodeslots.io/ttl-seconds": "600",
        "nodeslots.io/fencing-token": identity.get("resourceVersion", "0"),
    }
    labels = {"app.kubernetes.io/managed-by": "bench", "velero.io/exclude-from-backup": "true"}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": identity | {"labels": labels, "annotations": notes},
        "spec": {"holderIdentity": holder, "acquireTime": _WHEN, "renewTime": _WHEN},
    }


@asynccontextmanager
async def leases(config: Config) -> AsyncIterator[Leases]:
    """Those of the bench's namespace."""
    head = {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"}
    path = f"{config['server']}/apis/coordination.k8s.io/v1/namespaces/{config['namespace']}/leases"
    connector = aiohttp.TCPConnector(ssl=tls(config), limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=head) as session:
        yield Leases(session, path)
