"""Watches over HTTP: one JSON event a line, until the time is up or the server stops."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from coordinator.embedded.errors import ApiError
from coordinator.embedded.views import View, framed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.embedded.history import Entry, Event
    from coordinator.embedded.requests import WatchOptions
    from coordinator.embedded.store import Store
    from coordinator.embedded.watching import Watch

_LONGEST = 1800
_BEFORE_THE_END = 2.0


class Bells:
    """Wakes every stream at each commit, and for good when the server stops."""

    def __init__(self, store: Store) -> None:
        self._ringing: set[asyncio.Event] = set()
        self._unsubscribe = store.subscribe(self._commit)
        self.stopped = False

    def _commit(self, _event: Event) -> None:
        for bell in self._ringing:
            bell.set()

    def add(self) -> asyncio.Event:
        """Return a new bell."""
        bell = asyncio.Event()
        self._ringing.add(bell)
        return bell

    def drop(self, bell: asyncio.Event) -> None:
        """Forget a bell."""
        self._ringing.discard(bell)

    def stop(self) -> None:
        """End every stream."""
        self._unsubscribe()
        self.stopped = True
        for bell in self._ringing:
            bell.set()


class Stream:
    """One watch on its connection."""

    def __init__(
        self, watch: Watch, view: View, options: WatchOptions, bookmark_seconds: float
    ) -> None:
        self._watch = watch
        self._view = view
        self._options = options
        self._every = bookmark_seconds
        self._first = True
        self._length = float(options.seconds or _LONGEST)
        self._end = self._due = 0.0

    def _lines(self, changes: Iterable[tuple[str, Entry]]) -> bytes:
        lines = []
        for kind, entry in changes:
            lines.append(self._view.event(kind, entry, first=self._first))
            self._first = False
        return b"".join(lines)

    def _opening(self) -> bytes:
        if not self._options.initial:
            self._watch.version = self._options.start or self._watch.store.version
            return b""
        lines = self._lines(self._watch.initial())
        if self._options.announce_end and self._options.bookmarks:
            lines += self._view.bookmark(self._watch.version, initial_end=True)
        return lines

    def _schedule(self, now: float) -> float:
        """Return when the next bookmark is due: every few seconds, and once before the end."""
        last = self._end - min(_BEFORE_THE_END, self._length / 2)
        return min(now + self._every, last) if now < last else math.inf

    def _bookmark(self, now: float) -> bytes:
        if not self._options.bookmarks or now < self._due:
            return b""
        self._due = self._schedule(now)
        # A watch from a version that is yet to come has nothing to say.
        come = self._watch.version <= self._watch.store.version
        return self._view.bookmark(self._watch.version) if come else b""

    async def run(self, request: web.Request, bells: Bells) -> web.StreamResponse:
        """Send events until the end; a compacted version ends it with an ERROR event."""
        loop = asyncio.get_running_loop()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        bell = bells.add()
        self._end = loop.time() + self._length
        self._due = self._schedule(loop.time())
        try:
            lines = self._opening()
            await response.prepare(request)
            while not bells.stopped:
                bell.clear()
                lines += self._lines(self._watch.changes()) + self._bookmark(loop.time())
                if lines:
                    await response.write(lines)
                lines = b""
                if loop.time() >= self._end:
                    break
                await self._wait(bell, loop.time())
        except ApiError as exc:
            await response.write(framed("ERROR", orjson.dumps(exc.render())))
        finally:
            bells.drop(bell)
        return response

    async def _wait(self, bell: asyncio.Event, now: float) -> None:
        until = min(self._end, self._due) if self._options.bookmarks else self._end
        try:
            async with asyncio.timeout(max(0.0, until - now)):
                await bell.wait()
        except TimeoutError:
            return
