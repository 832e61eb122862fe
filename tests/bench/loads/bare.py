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

from tests.bench.lease import identity_of, lease
from tests.bench.loads.told import Window, main, tls

if TYPE_CHECKING:
    from tests.bench.lease import Json
    from tests.bench.scenario import Figures


async def bare(config: dict[str, Any]) -> Figures:
    """PUTs, or pairs of create and PUT, per second, and their latencies."""
    window = Window(config["warm_up"], config["seconds"])
    headers = {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(ssl=tls(config), limit=config["concurrency"])
    path = f"{config['server']}/apis/coordination.k8s.io/v1/namespaces/{config['namespace']}/leases"
    write = _pairs if config.get("create") else _puts
    extra: Json = {"managedFields": []} if config.get("untracked") else {}
    session = aiohttp.ClientSession(connector=connector, headers=headers)
    async with session, asyncio.TaskGroup() as group:
        for _ in range(config["concurrency"]):
            group.create_task(write(session, path, window, extra))
    return window.figures()


async def _puts(session: aiohttp.ClientSession, path: str, window: Window, extra: Json) -> None:
    name = f"bare-{uuid.uuid4().hex[:12]}"
    read = await _create(session, path, name)
    while not window.over:
        began = time.perf_counter()
        read = await _put(session, path, read, extra)
        window.done(began)
    async with session.delete(f"{path}/{name}") as answer:
        await answer.read()


async def _pairs(session: aiohttp.ClientSession, path: str, window: Window, extra: Json) -> None:
    while not window.over:
        began = time.perf_counter()
        read = await _create(session, path, f"bare-{uuid.uuid4().hex[:12]}")
        await _put(session, path, read, extra)
        window.done(began)


async def _create(session: aiohttp.ClientSession, path: str, name: str) -> Json:
    async with session.post(path, data=orjson.dumps(lease({"name": name}))) as answer:
        made: Json = orjson.loads(await answer.read())
        answer.raise_for_status()
        return made


async def _put(session: aiohttp.ClientSession, path: str, read: Json, extra: Json) -> Json:
    identity = identity_of(read) | extra
    body = orjson.dumps(lease(identity, uuid.uuid4().hex, read["spec"]["leaseTransitions"] + 1))
    async with session.put(f"{path}/{identity['name']}", data=body) as answer:
        written: Json = orjson.loads(await answer.read())
        answer.raise_for_status()
        return written


if __name__ == "__main__":
    main(bare)
