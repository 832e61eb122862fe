"""A bare list of all Leases, in pages of 500, parsed by orjson: what a new leader cannot go below.

The reading is measured, from the first page's request to the last page's last object.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from tests.bench.loads.told import main, tls

if TYPE_CHECKING:
    from tests.bench.scenario import Figures


async def listing(config: dict[str, Any]) -> Figures:
    """How long it took, this process's CPU time, and how many there are."""
    path = f"{config['server']}/apis/coordination.k8s.io/v1/namespaces/{config['namespace']}/leases"
    params, items = {"limit": "500"}, []
    connector = aiohttp.TCPConnector(ssl=tls(config))
    headers = {"Authorization": f"Bearer {config['token']}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        began, cpu = time.perf_counter(), time.process_time()
        while True:
            async with session.get(path, params=params) as answer:
                answer.raise_for_status()
                page = orjson.loads(await answer.read())
            items += page["items"]
            if not (onward := page["metadata"].get("continue")):
                break
            params["continue"] = onward
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"whole s": took, "CPU s": cpu, "leases": len(items)}


if __name__ == "__main__":
    main(listing)
