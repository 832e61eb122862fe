"""The last happenings of a pool, for those who follow them: kept once, read by everybody.

Nobody has a queue of its own: a reader remembers how far it came, and who falls behind by more than
is kept learns that it missed something. So taking a happening in costs the same for no reader and
for many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from coordinator.core.happenings import Happening

KEPT = 1000
"""Happenings that a reader may be behind."""


@dataclass(eq=False, slots=True)
class Entry:
    """One happening, in the order of `number`s from 1, and when it was."""

    number: int
    at: datetime
    happening: Happening
    numbers: int
    """How far the nodes' summaries had come by then (`Summaries.version`)."""
    text: bytes = b""
    """As it is sent. Whoever shows it first writes it here."""


class Feed:
    """That of one pool in one reign. `version` tells how far the nodes' summaries have come."""

    def __init__(self, wall: Callable[[], datetime], version: Callable[[], int]) -> None:
        self.last = 0
        """The number of the newest happening."""
        self.ended = False
        """Whether nothing more will come: this replica leads no longer, or stops."""
        self._wall = wall
        self._version = version
        self._kept: deque[Entry] = deque(maxlen=KEPT)
        self._news = asyncio.Event()

    def take(self, happening: Happening) -> None:
        """Something happened."""
        self.last += 1
        self._kept.append(Entry(self.last, self._wall(), happening, self._version()))
        self.wake()

    def since(self, number: int) -> list[Entry] | None:
        """What happened after that one; None where some of it is kept no more, or never was."""
        missed = self.last - number
        if not 0 <= missed <= len(self._kept):
            return None
        return list(islice(self._kept, len(self._kept) - missed, None))

    def entry(self, number: int) -> Entry | None:
        """That happening, if it is still kept."""
        found = self.since(number - 1)
        return found[0] if found else None

    async def news(self, seconds: float) -> None:
        """Return when there is something new, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def wake(self) -> None:
        """Have everybody look who waits for news."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self.wake()
