"""Time that a test moves on by hand, for the event loop's timers and the coordinator alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from coordinator.service.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = 0.25
"""Seconds that pass at once: less than anything in the service waits for on purpose."""
_TURNS = 80
"""Turns of the loop in which requests on loopback come to their end; one takes about 25."""
_EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Jumps:
    """Stands still until `advance` is called.

    The loop's own clock is this one too, so `asyncio.sleep`, timeouts and the reflectors' waits
    follow it, and no test waits for real.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time()
        self._begun = self._now
        monkeypatch.setattr(loop, "time", self.now)

    def now(self) -> float:
        return self._now

    def wall(self) -> datetime:
        return _EPOCH + timedelta(seconds=self._now - self._begun)

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.wall)

    async def turn(self) -> None:
        """Everything that needs no time happens."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """So many seconds pass, in small steps."""
        end = self._now + seconds
        await self.turn()
        while self._now < end:
            self._now = min(end, self._now + _STEP)
            await self.turn()

    def stall(self, seconds: float) -> None:
        """The whole process stands still: time passes, and nothing is done in it."""
        self._now += seconds

    async def until(self, what: Callable[[], object], within: float = 30.0) -> float:
        """Lets time pass until `what()` is true; how long it took. Fails after `within`."""
        begun = self._now
        await self.turn()
        while not what():
            if self._now - begun >= within:
                pytest.fail(f"not so within {within:g} s")
            await self.advance(_STEP)
        return self._now - begun
