"""The task inside an `async with`, which a lost slot may cancel."""

from __future__ import annotations

import asyncio
import contextlib


class Body:
    """The current task, from here to the end of its block. It is cancelled at most once."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task else 0
        self._cancelled = False
        self._over = False

    def cancel(self) -> None:
        """End the body, unless it has ended."""
        if self._task is not None and not (self._over or self._cancelled):
            self._cancelled = True
            self._task.cancel()

    async def ended(self, kind: type[BaseException] | None) -> bool:
        """Whether the body ends with `kind` because of `cancel`, and of nobody else's cancellation.

        Ours is taken back, as asyncio asks of whoever swallows one.
        """
        self._over = True
        if not self._cancelled or self._task is None:
            return False
        if kind is None:  # the body ended before our cancellation reached it
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        ours = self._task.uncancel() <= self._before
        return ours and (kind is None or issubclass(kind, asyncio.CancelledError))
