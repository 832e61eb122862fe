"""Watch streams: each with its own delay, so that events come ahead of or behind answers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import requests
from coordinator.embedded.errors import ApiError as Refusal
from coordinator.embedded.listing import Query
from coordinator.embedded.views import View, shape
from coordinator.embedded.watching import Watch
from coordinator.kube.answers import lost
from coordinator.kube.lines import Lines

if TYPE_CHECKING:
    import asyncio

    from coordinator.embedded.history import Event
    from coordinator.kube import errors
    from tests.simulation.api import ApiServer, Sent

Json = dict[str, Any]

BOOKMARKS = 60.0
"""Seconds between two bookmarks, as the API server has it."""


class SimLines(Lines):
    """The events of one watch, on their way to the process that opened it."""

    def __init__(
        self, api: ApiServer, sent: Sent, watch: Watch, view: View, silence: float
    ) -> None:
        self.sent = sent
        self._api = api
        self._loop = api.loop
        self._watch = watch
        self._view = view
        self._silence = silence
        self._under_way: deque[Json] = deque()
        self._due: deque[Json] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: errors.ApiError | None = None
        self._ended = False
        self._stalled = False
        self._last = 0.0
        self._spoke = api.loop.time()

    def __hash__(self) -> int:
        return self.sent.number

    def __eq__(self, other: object) -> bool:
        return self is other

    # --- the server's side --------------------------------------------------------------------

    def begin(self, seconds: float) -> None:
        """Tell what happened since the version that the watch begins at, and go on."""
        self.hear()
        self._loop.in_world(seconds, self.end)
        self._loop.in_world(BOOKMARKS, self._bookmark)
        self._listen()
        faults, rng = self._api.watch_faults, self._api.rng
        if rng.random() < faults.breaks:
            self._loop.in_world(rng.expovariate(1 / 20), self.cut)
        if rng.random() < faults.stalls:
            self._loop.in_world(rng.expovariate(1 / 20), self.stall)

    def hear(self, event: Event | None = None) -> None:
        """Something was committed."""
        if self._ended or (event is not None and event.resource != self._watch.resource):
            return
        try:
            for kind, entry in self._watch.changes():
                self._push({"type": kind, "object": orjson.loads(self._view.item(entry))})
        except Refusal as refusal:
            self._push({"type": "ERROR", "object": refusal.render()})
            self._loop.in_world(max(0.0, self._last - self._loop.time()), self.end)

    def _push(self, line: Json) -> None:
        delay = self._api.rng.uniform(0.001, 0.012)
        if self._api.rng.random() < self._api.watch_faults.late:
            delay = self._api.rng.choice((0.1, 1.0, 6.0)) * self._api.rng.random()
        self._last = max(self._last, self._loop.time() + delay)
        self._under_way.append(line)
        self._loop.in_world(self._last - self._loop.time(), self._deliver)

    def _deliver(self) -> None:
        """The next one comes: timers of one moment have no order of their own."""
        line = self._under_way.popleft()
        if not (self._stalled or self._ended):
            self._spoke = self._loop.time()
            self._due.append(line)
            self._wake()

    def _bookmark(self) -> None:
        self.hear()
        if not self._ended:
            if self._watch.version <= self._watch.store.version:
                head = {"resourceVersion": str(self._watch.version)}
                self._push({"type": "BOOKMARK", "object": {"metadata": head}})
            self._loop.in_world(BOOKMARKS, self._bookmark)

    # --- how it ends --------------------------------------------------------------------------

    def stall(self) -> None:
        """Nothing comes any more."""
        self._stalled = True

    def _listen(self) -> None:
        """The client leaves a watch that has not said a word for its time of silence."""
        left = self._spoke + self._silence - self._loop.time()
        if left <= 0:
            self.end()
        elif not self._ended:
            self._loop.in_world(left, self._listen)

    def cut(self) -> None:
        """The connection breaks."""
        self._error = self._error or lost(self.sent.call, "the stream broke")
        self.end()

    def end(self) -> None:
        """The server ends it, or the client's patience."""
        self._ended = True
        self._api.streams.pop(self, None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- the client's side --------------------------------------------------------------------

    def close(self) -> None:
        self._due.clear()
        self._error = None
        self.end()

    async def __anext__(self) -> Json:
        while not self._due and not self._ended:
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._due:
            line = self._due.popleft()
            self._api.watcher.told(self.sent, line)
            head = line["object"]["metadata"]
            what = f"{line['type']} {head.get('name', '')} v{head.get('resourceVersion')}"
            self._api.log(self.sent.process.name, f"watch #{self.sent.number} says {what}")
            return line
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration


def open_stream(api: ApiServer, sent: Sent, silence: float) -> SimLines:
    """The watch that a request asks for, beginning now."""
    what = requests.target(sent.path)
    assert what is not None
    asked = requests.list_query(what, sent.params)
    query = Query(namespace=asked.namespace, field_selector=asked.field_selector)
    options = requests.watch_options(sent.params)
    watch = Watch(api.store, what.resource, query, options.start)
    view = View(what.resource, shape(sent.accept), api.store.now)
    lines = SimLines(api, sent, watch, view, silence)
    lines.begin(float(options.seconds))
    return lines
