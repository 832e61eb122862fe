"""A Lease that whoever waits looks at every two seconds, as client-go's leader election does.

Its RetryPeriod is 2 s by default. client-go adds up to 120 % of jitter to it; here there is none,
which is in its favour. Who holds gives the Lease back by writing an empty holder (ReleaseOnCancel).
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.bench.rivals.leases import Conflict, leases
from tests.bench.rivals.passing import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.rivals.leases import Leases
    from tests.bench.rivals.passing import Config, Contender

RETRY_PERIOD = 2.0


class Elected:
    """One who would hold the Lease."""

    def __init__(self, api: Leases, name: str, period: float) -> None:
        self._api = api
        self._name = name
        self._period = period
        self._identity = uuid.uuid4().hex

    async def acquire(self) -> None:
        while not await self._try():  # noqa: ASYNC110 - looking now and then is what it is
            await asyncio.sleep(self._period)

    async def _try(self) -> bool:
        read = await self._api.read(self._name)
        if read["spec"].get("holderIdentity"):
            return False
        try:
            self._held = await self._api.write(read, self._identity)
        except Conflict:
            return False
        return True

    async def release(self) -> None:
        await self._api.write(self._held, "")


@asynccontextmanager
async def contest(
    config: Config, places: int, each: int, period: float = RETRY_PERIOD
) -> AsyncIterator[list[list[Contender]]]:
    """A Lease for each place."""
    async with leases(config) as api:
        names = [f"retried-{uuid.uuid4().hex[:12]}" for _ in range(places)]
        await asyncio.gather(*map(api.create, names))
        yield [[Elected(api, name, period) for _ in range(each)] for name in names]


LOCK = Lock(contest, RETRY_PERIOD)
