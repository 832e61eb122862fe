"""An event loop in a thread of its own: what a site does goes on while a test waits."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

ROUNDS = 10
"""Of the loop at its end: a connection that came last, from a process that was killed, takes some
until it is made, seen to be gone, and closed."""


class Background:
    """Runs coroutines, to their end or as long as it is open."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="site")
        self._going: list[asyncio.Task[Any]] = []
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; it runs over there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Start something that runs until this is closed."""

        async def begin() -> None:
            self._going.append(asyncio.create_task(work))

        self.run(begin())

    def close(self) -> None:
        """Cancel what goes on, and end the thread."""
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
