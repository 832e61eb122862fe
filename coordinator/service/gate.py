"""One request a second at most while the API server is away (promise P12).

While all is well everybody passes. After a failure the gate is closed: one request at a time may
try, after a growing wait, and the first that is answered opens the gate for all.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from coordinator.kube import errors
from coordinator.kube.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

T = TypeVar("T")

_ILL = (errors.UnknownOutcome, errors.Unavailable, errors.NotSent, errors.Throttled)
"""Ends of a request that say that the API server is away or overloaded."""


class Gate:
    """What all requests of one kind of one pool pass through: its writes, its looks at Pods."""

    def __init__(
        self, rng: Random, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._backoff = Backoff(rng)
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self.delay = 0.0
        """Seconds that whoever tries next waits, while the gate is closed."""
        self.open = True
        """Whether the last request was answered."""

    async def run(self, request: Callable[[], Awaitable[T]]) -> T:
        """Send the request as soon as it may go. Raises what it raises."""
        while not self.open:
            async with self._turn:
                if not self.open:
                    await self._sleep(self.delay)
                    return await self._watched(request, probing=True)
        return await self._watched(request)

    async def _watched(self, request: Callable[[], Awaitable[T]], *, probing: bool = False) -> T:
        try:
            result = await request()
        except _ILL as error:
            if self.open or probing:  # not once more for each that was sent before it closed
                self.delay = self._backoff.next(error.retry_after)
            self.open = False
            raise
        except errors.ApiError:
            self._well()
            raise
        self._well()
        return result

    def _well(self) -> None:
        self.open = True
        self._backoff.reset()
