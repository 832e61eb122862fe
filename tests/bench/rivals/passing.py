"""A hand-over, measured: from the holder's release being sent to the next one being told.

Both are in one process and go by one clock. Everything that a rival has to bring is a contender:
somebody who can wait for a place, and give it back.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    Config = dict[str, Any]
    Contest = Callable[[Config, int, int], AbstractAsyncContextManager[list[list["Contender"]]]]

PAUSE = 0.02
"""Seconds that the next one waits before the release, so that its waiting has reached the server.
Between two writes for comparison it is the same: both meet servers that were idle so long."""


class Contender(Protocol):
    """One who wants the place; never two calls at once."""

    async def acquire(self) -> None:
        """Returns as soon as the place is known to be its own."""

    async def release(self) -> None:
        """Gives the place back. The release is sent before anything is waited for."""


class NotExclusive(Exception):
    """Two had the same place at once: what is measured is no lock."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A way to pass places.

    `contest(config, places, each)` brings `each` contenders for each of so many places.
    """

    contest: Contest
    period: float = 0.0
    """Seconds between two looks of one who waits; 0 where it is told."""
    settles: float = PAUSE
    """Seconds until a waiting that has reached the server is what it will stay."""

    async def latencies(self, config: Config) -> list[float]:
        """The seconds of `count` hand-overs, one after the other, of each of `at_once` places."""
        async with self.contest(config, config["at_once"], 2) as places:
            pairs = places
            await asyncio.gather(*(holder.acquire() for holder, _ in pairs))
            seconds: list[float] = []
            for _ in range(config["count"]):
                seconds += await self._together(pairs)
                pairs = [[successor, holder] for holder, successor in pairs]
            await asyncio.gather(*(holder.release() for holder, _ in pairs))
            return seconds

    async def _together(self, pairs: Sequence[Sequence[Contender]]) -> list[float]:
        """One hand-over of each place, at the same moment where nobody has a period."""
        return await asyncio.gather(*(self._pass_on(*pair) for pair in pairs))

    async def _pass_on(self, holder: Contender, successor: Contender) -> float:
        told = asyncio.create_task(_told(successor))
        # Whoever looks now and then is released to at any moment between two of its looks.
        await asyncio.sleep(self.settles + random.uniform(0.0, self.period))
        if told.done():
            raise NotExclusive(f"{successor} was told before {holder} had released")
        began = time.perf_counter()
        await holder.release()
        return await told - began


async def _told(contender: Contender) -> float:
    await contender.acquire()
    return time.perf_counter()
