"""A picture of one resource that keeps up: list, then watch, for as long as it is wanted.

Rules (client-go's reflector is the model, `tools/cache/reflector.go`):

1. A list is whole: all pages of one consistent read, from etcd's quorum (no resourceVersion).
2. A watch goes on where the last one ended. Only a 410, a version that the server cannot serve, a
   request that it refuses, silence (4.), or `relist_now` leads to a new list.
3. Whatever fails is waited for with backoff, and told. A watch that ends within a second failed.
4. Bookmarks keep the version young. A watch without a single line in all the time that a
   connection may be silent is dead, or waits for a version that will not come (etcd was restored,
   and counts from lower numbers): a new list tells.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coordinator.kube import errors
from coordinator.kube.answers import Json, lost, watch_failure
from coordinator.kube.backoff import Backoff
from coordinator.kube.calls import call_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from random import Random

    from coordinator.kube.calls import Call
    from coordinator.kube.client import KubeClient
    from coordinator.kube.lines import Lines

METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

WATCH_SECONDS = (300, 600)
"""The server is asked to end each watch after a time in between, so that they spread out."""

WATCH_MARGIN = 30.0
"""Seconds after which a server that does not end the watch itself is left."""

SILENCE = 150.0
"""Seconds without a byte after which a connection counts as dead: bookmarks come every minute."""

LIST_TIMEOUT = 60.0
"""Seconds for one page."""

AT_ONCE = 100
"""Objects of a page read before others get a turn: a millisecond."""

SHORT = 1.0
"""Seconds. A watch that ends sooner failed, and two lists are at least this far apart."""

_RESUMABLE = (errors.Unavailable, errors.Throttled, errors.Unauthorized, errors.Forbidden)
"""After these the version is as good as before."""


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects at `version`. The first page was sent at `started`, by the injected clock."""

    items: list[Any]
    """As the reflector's `read` made them."""
    version: str
    started: float


@dataclass(frozen=True, slots=True)
class Watching:
    """A watch is open: whatever happens from here on is told as it happens."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An object was made or changed, or entered the selection."""

    obj: Json


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object was deleted, or left the selection; `obj` is its last state."""

    obj: Json


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Everything up to `version` has been told."""

    version: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A list or a watch failed; the next attempt comes after `delay` seconds."""

    error: errors.ApiError
    delay: float


StreamEvent = Listed | Watching | Changed | Deleted | Bookmark | Broken


class Reflector:
    """Lists and watches one path; `run` tells a sink what it sees.

    `params` hold selectors. `read` makes of each listed object what the sink wants of it, page by
    page, so that a long list is no long block; it must not raise. `clock` gives `Listed.started`
    and measures how long watches live; `sleep` and `rng` are injected so that tests need no time.
    """

    def __init__(
        self,
        client: KubeClient,
        path: str,
        *,
        rng: Random,
        params: Mapping[str, str] | None = None,
        metadata_only: bool = False,
        page_size: int = 500,
        read: Callable[[Json], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        silence: float = SILENCE,
    ) -> None:
        self._client = client
        self._path = path
        self._params = dict(params or {})
        self._list_accept = METADATA_LIST if metadata_only else "application/json"
        self._watch_accept = METADATA if metadata_only else "application/json"
        self._page_size = page_size
        self._read = read
        self._rng = rng
        self._clock = clock
        self._sleep = sleep
        self._silence = silence
        self._backoff = Backoff(rng)
        self._version = ""
        """Where the next watch begins; "" asks for a list first."""
        self._lived = False
        """Whether a watch has lived since the last list: then a 410 is only its age."""
        self._heard = False
        """Whether the watch has said anything."""
        self._relist = False
        self._listed_at = float("-inf")
        self._lines: Lines | None = None

    def relist_now(self) -> None:
        """Asks for a list that is sent after this moment; several calls until then are one."""
        self._relist = True
        if self._lines is not None:
            self._lines.close()

    async def run(self, sink: Callable[[StreamEvent], None]) -> None:
        """Tells `sink` everything, until cancelled. What the sink raises ends it."""
        while True:
            try:
                if self._relist or not self._version:
                    sink(await self._list())
                if not self._relist:  # asked for again while the list was on its way
                    await self._watch(sink)
            except errors.ApiError as error:
                await self._failed(error, sink)

    async def _failed(self, error: errors.ApiError, sink: Callable[[StreamEvent], None]) -> None:
        if not isinstance(error, _RESUMABLE):
            self._version = ""
        if isinstance(error, errors.Expired) and self._lived:
            return
        delay = self._backoff.next(error.retry_after)
        sink(Broken(error, delay))
        await self._sleep(delay)

    async def _list(self) -> Listed:
        early = self._listed_at + SHORT - self._clock()
        if early > 0:
            await self._sleep(early)
        self._relist, self._version, self._lived = False, "", False
        try:
            listed = await self._pages(self._page_size)
        except errors.Expired:  # the pages outlived their snapshot: all at once, then
            listed = await self._pages(0)
        self._version = listed.version
        return listed

    async def _pages(self, size: int) -> Listed:
        items: list[Any] = []
        params = self._params | ({"limit": str(size)} if size else {})
        started = self._listed_at = self._clock()
        page = await self._ask(params)
        while True:
            found, version, onward = self._page(page)
            if not onward:
                return Listed(items + await self._taken(found), version, started)
            params["continue"] = onward
            page, taken = await asyncio.gather(self._ask(params), self._taken(found))
            items += taken

    async def _ask(self, params: Mapping[str, str]) -> Json:
        return await self._client.request(
            "GET", self._path, params=params, accept=self._list_accept, timeout=LIST_TIMEOUT
        )

    async def _taken(self, found: list[Json]) -> list[Any]:
        """The objects of a page as `read` makes them, while the next page is on its way."""
        if self._read is None:
            return found
        taken: list[Any] = []
        for first in range(0, len(found), AT_ONCE):
            await asyncio.sleep(0)
            taken += map(self._read, found[first : first + AT_ONCE])
        return taken

    def _page(self, page: Json) -> tuple[list[Json], str, str]:
        """A page's items, its version, and the token of the next one."""
        head, items = page.get("metadata"), page.get("items")
        version = _version_of(page)
        if not isinstance(head, dict) or not version or not isinstance(items or [], list):
            raise lost(call_of("GET", self._path), "the answer is no list")
        return items or [], version, str(head.get("continue") or "")

    async def _watch(self, sink: Callable[[StreamEvent], None]) -> None:
        begun, self._heard = self._clock(), False
        try:
            await self._follow(sink)
        finally:
            self._lines = None
            seconds = self._clock() - begun
            lived = seconds >= SHORT
            if lived:
                self._lived = True
                self._backoff.reset()
            if not self._heard and seconds >= self._silence:
                self._version = ""
        if not lived and not self._relist:
            raise lost(self._watch_call, "the watch ended within a second")

    async def _follow(self, sink: Callable[[StreamEvent], None]) -> None:
        seconds = self._rng.randint(*WATCH_SECONDS)
        params = self._params | {
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        async with self._client.watch(
            self._path,
            params,
            accept=self._watch_accept,
            timeout=seconds + WATCH_MARGIN,
            silence=self._silence,
        ) as lines:
            self._lines = lines
            if self._relist:  # asked for while the watch was being opened
                return
            sink(Watching())
            async for event in lines:
                self._take(event, sink)

    def _take(self, event: Json, sink: Callable[[StreamEvent], None]) -> None:
        self._heard = True
        kind, obj = event.get("type"), event.get("object")
        if kind == "ERROR" and isinstance(obj, dict):
            raise watch_failure(self._watch_call, obj)
        version = _version_of(obj)
        told = _typed(kind, obj, version) if version and isinstance(obj, dict) else None
        if told is None:
            self._version = ""  # what cannot be read cannot be stepped over
            raise lost(self._watch_call, f"an event of the watch cannot be read: type {kind!r}")
        self._version = version
        sink(told)

    @property
    def _watch_call(self) -> Call:
        return call_of("GET", self._path, {"watch": "1"})


def _typed(kind: object, obj: Json, version: str) -> StreamEvent | None:
    if kind == "BOOKMARK":
        return Bookmark(version)
    if kind == "DELETED":
        return Deleted(obj)
    return Changed(obj) if kind in {"ADDED", "MODIFIED"} else None


def _version_of(obj: object) -> str:
    head = obj.get("metadata") if isinstance(obj, dict) else None
    version = head.get("resourceVersion") if isinstance(head, dict) else None
    return version if isinstance(version, str) else ""
