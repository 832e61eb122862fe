"""Edits the ConfigMap of limits, and watches how the coordinator takes it.

`text` is put in; it is in force on every node once the coordinator's log (`log`) says so. Meanwhile
a request for its health (`host`, `port`) follows the other: the longest answer bounds for how long
its event loop did nothing else. (It is rather more: a connection and its answer take some turns.)
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from tests.bench.loads.told import main, tls
from tests.bench.story import said

if TYPE_CHECKING:
    from tests.bench.scenario import Figures

PACE = 0.001
"""Seconds between two looks at the health."""
BEFORE = 1.0
"""Seconds of looks before the edit, to tell what the machine itself adds."""
TOLD = "more limits changed"


async def edit(config: dict[str, Any]) -> Figures:
    """Times in milliseconds: until in force, and the longest block before and during that."""
    looks: list[tuple[float, float]] = []
    looking = asyncio.create_task(_look(config, looks))
    await asyncio.sleep(BEFORE)
    began = time.time()
    await _put(config)
    answered = time.time()
    last = await asyncio.to_thread(said, Path(config["log"]), TOLD, began)
    await asyncio.sleep(0.05)
    looking.cancel()
    return {
        "in force ms": 1000 * (last - began),
        "after the answer ms": 1000 * (last - answered),
        "block ms": 1000 * max(took for at, took in looks if at + took >= began),
        "block before ms": 1000 * max(took for at, took in looks if at + took < began),
    }


async def _put(config: dict[str, Any]) -> None:
    path = f"{config['server']}/api/v1/namespaces/{config['namespace']}/configmaps/{config['name']}"
    head = {"name": config["name"], "namespace": config["namespace"]}
    body = orjson.dumps({"metadata": head, "data": {"limits": config["text"]}})
    headers = {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(ssl=tls(config))
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        async with session.get(path) as answer:  # the connection is open before the clock runs
            await answer.read()
        async with session.put(path, data=body) as answer:
            await answer.read()
            answer.raise_for_status()


async def _look(config: dict[str, Any], looks: list[tuple[float, float]]) -> None:
    """One `GET /livez` after the other on one connection: when it was sent, how long it took."""
    while True:
        reader, writer = await asyncio.open_connection(config["host"], config["port"])
        began = time.time()
        writer.write(b"GET /livez HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n")
        await reader.read()
        looks.append((began, time.time() - began))
        writer.close()
        await asyncio.sleep(PACE)


if __name__ == "__main__":
    main(edit)
