"""No lock at all: one conditional PUT of a Lease, the least that a durable hand-over costs."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from tests.bench.rivals.leases import leases
from tests.bench.rivals.passing import PAUSE

if TYPE_CHECKING:
    from tests.bench.rivals.leases import Leases
    from tests.bench.rivals.passing import Config


async def paced(config: Config) -> list[float]:
    """The seconds of `count` PUTs of each of `at_once` Leases, as far apart as hand-overs are."""
    return await _puts(config, PAUSE)


async def back_to_back(config: Config) -> list[float]:
    """The same without a pause: the servers never fall asleep."""
    return await _puts(config, 0.0)


async def _puts(config: Config, pause: float) -> list[float]:
    async with leases(config) as api:
        many = [_of_one(api, config["count"], pause) for _ in range(config["at_once"])]
        return [seconds for one in await asyncio.gather(*many) for seconds in one]


async def _of_one(api: Leases, count: int, pause: float) -> list[float]:
    written = await api.create(f"bare-{uuid.uuid4().hex[:12]}")
    seconds = []
    for number in range(count):
        await asyncio.sleep(pause)
        began = time.perf_counter()
        written = await api.write(written, f"holder-{number % 2}")
        seconds.append(time.perf_counter() - began)
    return seconds
