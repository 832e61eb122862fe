"""A line of questions to the API server: a few at a time, few that wait, one while it is away.

Strangers decide how many questions there are. So a line never grows, none of its questions takes
long, and what turns out to be worthless keeps its place taken for a moment (promises P12, P13).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from coordinator.kube import errors
from coordinator.kube.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from coordinator.service.reports import StreamReports

T = TypeVar("T")

PATIENCE = 8.0
"""Seconds that a caller waits at most, for its turn and for the answer."""
MOST_WAITING = 2_000
"""Questions that wait in one line."""
CROWDED = "too many questions wait for the API server"
AWAY = "the API server cannot be asked at the moment"
LATE = "the API server did not answer in time"


@dataclass(frozen=True, slots=True)
class Away:
    """No answer; ask again in so many seconds."""

    why: str
    retry_after: float = 1.0


class Outage:
    """Whether the API server answers one kind of question. While it does not, one at a time tries.

    A missing right (403) counts too: it is no answer, and asking more often does not help.
    """

    def __init__(
        self, resource: str, now: Callable[[], float], rng: Random, reports: StreamReports
    ) -> None:
        self._resource = resource
        self._now = now
        self._reports = reports
        self._backoff = Backoff(rng)
        self._until = 0.0
        self._failed = self._probing = False

    @property
    def delay(self) -> float:
        """Seconds until the next question may go."""
        return max(1.0, self._until - self._now())

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T | Away:
        """The answer to the question; `Away` at once while somebody else tries or has to wait."""
        probing = self._failed
        if probing and (self._probing or self._now() < self._until):
            return Away(AWAY, self.delay)
        self._probing = self._probing or probing
        try:
            answer = await question()
        except errors.ApiError as error:
            self._broken(error, again=probing)
        else:
            self._well()
            return answer
        finally:
            self._probing = self._probing and not probing
        return Away(AWAY, self.delay)

    def _broken(self, error: errors.ApiError, *, again: bool) -> None:
        if self._failed and not again:  # one of those that were sent before the first failed
            return
        self._failed = True
        wait = self._backoff.next(error.retry_after)
        self._until = self._now() + wait
        self._reports.broken(self._resource, error, wait)

    def _well(self) -> None:
        self._failed = False
        self._backoff.reset()
        self._reports.well(self._resource)


class Line:
    """Takes `lanes` questions at a time to an API server that may be away."""

    def __init__(self, outage: Outage, lanes: int) -> None:
        self._outage = outage
        self._lanes = asyncio.Semaphore(lanes)
        self._waiting = 0

    async def ask(
        self,
        question: Callable[[], Awaitable[T]],
        pause: Callable[[T | Away], float] = lambda _answer: 0.0,
    ) -> T | Away:
        """The answer, within `PATIENCE`; `pause(answer)` is how long the lane stays shut after."""
        if self._waiting >= MOST_WAITING:
            return Away(CROWDED, self._outage.delay)
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._lanes.acquire()
                return await self._in_lane(question, pause)
        except TimeoutError:
            return Away(LATE, self._outage.delay)
        finally:
            self._waiting -= 1

    async def _in_lane(
        self, question: Callable[[], Awaitable[T]], pause: Callable[[T | Away], float]
    ) -> T | Away:
        shut = 0.0
        try:
            answer = await self._outage.ask(question)
            shut = pause(answer)
        finally:
            asyncio.get_running_loop().call_later(shut, self._lanes.release)
        return answer
