"""Long looks at thousands of nodes, so that nobody else waits for them."""

from __future__ import annotations

import asyncio

TURN = 0.005
"""Seconds of work before others get a turn."""


class Turns:
    """Those of one look, which begins now."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + TURN

    async def give(self) -> None:
        """Let others go on, if this look has had its turn."""
        if self._now() >= self._end:
            await asyncio.sleep(0)
            self._end = self._now() + TURN
