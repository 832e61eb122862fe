"""Bare conditional PUTs of Leases by aiohttp and orjson: what the API server gives at best.

Each writer has a Lease of its own, shaped as a slot's, and puts it again as soon as the last PUT
is answered, with the resourceVersion of that answer. `concurrency` writers, for `seconds` after
`warm_up`; with `create`, each time a new Lease: a POST and a PUT, counted as a pair. With
`untracked`, the API server is told to keep no managedFields, as the coordinator tells it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from tests.bench.loads.told import Window, main, tls

if TYPE_CHECKING:
    from tests.bench.scenario import Figures

Head = dict[str, Any]
ACQUIRED = "2026-01-05T10:00:00.000000Z"


async def bare(config: dict[str, Any]) -> Figures:
    """PUTs, or pairs of create and PUT, per second, and their latencies."""
    window = Window(config["warm_up"], config["seconds"])
    headers = {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(ssl=tls(config), limit=config["concurrency"])
    path = f"{config['server']}/apis/coordination.k8s.io/v1/namespaces/{config['namespace']}/leases"
    write = _pairs if config.get("create") else _puts
    extra: Head = {"managedFields": []} if config.get("untracked") else {}
    session = aiohttp.ClientSession(connector=connector, headers=headers)
    async with session, asyncio.TaskGroup() as group:
        for _ in range(config["concurrency"]):
            group.create_task(write(session, path, window, extra))
    return window.figures()


async def _puts(session: aiohttp.ClientSession, path: str, window: Window, extra: Head) -> None:
    name = f"bare-{uuid.uuid4().hex[:12]}"
    lease = await _create(session, path, name)
    while not window.over:
        began = time.perf_counter()
        lease = await _put(session, path, lease, extra)
        window.done(began)
    async with session.delete(f"{path}/{name}") as answer:
        await answer.read()


async def _pairs(session: aiohttp.ClientSession, path: str, window: Window, extra: Head) -> None:
    while not window.over:
        began = time.perf_counter()
        lease = await _create(session, path, f"bare-{uuid.uuid4().hex[:12]}")
        await _put(session, path, lease, extra)
        window.done(began)


async def _create(session: aiohttp.ClientSession, path: str, name: str) -> dict[str, Any]:
    async with session.post(path, data=orjson.dumps(_lease({"name": name}))) as answer:
        made: dict[str, Any] = orjson.loads(await answer.read())
        answer.raise_for_status()
        return made


async def _put(session: aiohttp.ClientSession, path: str, lease: Head, extra: Head) -> Head:
    head = lease["metadata"]
    identity = {key: head[key] for key in ("name", "uid", "resourceVersion")} | extra
    body = orjson.dumps(_lease(identity, lease["spec"].get("leaseTransitions", 0) + 1))
    async with session.put(f"{path}/{head['name']}", data=body) as answer:
        written: dict[str, Any] = orjson.loads(await answer.read())
        answer.raise_for_status()
        return written


def _lease(identity: dict[str, Any], transitions: int = 0) -> dict[str, Any]:
    """A slot's Lease as the coordinator writes it; foreign to it by its label."""
    notes = {
        "nodeslots.io/node": "bare",
        "nodeslots.io/claim": uuid.uuid4().hex,
        "nodeslots.io/load": "backup-7/pvc-3",
        "nodeslots.io/priority": "0",
        "nodeslots.io/ttl-seconds": "60",
        "nodeslots.io/fencing-token": identity.get("resourceVersion", "0"),
    }
    labels = {"app.kubernetes.io/managed-by": "bench", "velero.io/exclude-from-backup": "true"}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": identity | {"labels": labels, "annotations": notes},
        "spec": {
            "holderIdentity": "backup-7/pvc-3",
            "leaseDurationSeconds": 60,
            "acquireTime": ACQUIRED,
            "renewTime": ACQUIRED,
            "leaseTransitions": transitions,
        },
    }


if __name__ == "__main__":
    main(bare)
