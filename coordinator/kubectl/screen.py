"""The terminal of `watch`: drawn anew a few times a second where something changed."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live as Drawing
from rich.text import Text

if TYPE_CHECKING:
    from coordinator.kubectl.live import Live

EVERY = 0.25
"""Seconds between two drawings; ages go on by themselves."""


class Screen:
    """Draws the picture while `async with` lasts; its last state stays on the terminal."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._console = Console(highlight=False)
        self._drawing = Drawing(console=self._console, auto_refresh=False)
        self._task: asyncio.Task[None] | None = None
        self._last: list[str] = []

    async def __aenter__(self) -> Self:
        self._drawing.start()
        self._task = asyncio.create_task(self._redraw())
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._drawing.stop()

    async def _redraw(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(EVERY)

    def _draw(self) -> None:
        size = self._console.size
        clock = time.strftime("%H:%M:%S")
        lines = self._live.lines(clock, time.monotonic(), size.width, size.height - 1)
        if lines != self._last:
            self._last = lines
            head, *rest = lines
            text = Text(head, "bold red" if self._live.lost else "bold").append("\n", "default")
            self._drawing.update(text.append("\n".join(rest), "not bold default"), refresh=True)
