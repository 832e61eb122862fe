"""A pool's happenings as they happen: server-sent events (the HTML standard, section 9.2).

A stream goes on where its reader was, by `Last-Event-ID`, as long as what it missed is kept; else
it begins with `reset`. It ends after `LONGEST` seconds, when this replica leads no longer, when it
stops, and when its caller may not see the pool any more. A reader that does not read is cut off by
the connection's guard.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from coordinator.api.access import still_admitted
from coordinator.api.happenings import HelloJson, ResetJson, entry_text, event_text, summary_text
from coordinator.api.places import Places
from coordinator.api.pools import ready_pool
from coordinator.api.queries import flag, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.service.feed import Entry
    from coordinator.service.pool import Pool

MEDIA = "text/event-stream"
MOST_STREAMS = 64
"""Streams of one replica at a time."""
LONGEST = 300.0
"""Seconds until a stream ends and its reader comes again."""
HEARTBEAT = 15.0
"""Seconds after which a comment shows that the stream is alive."""
ASK_AGAIN = 60.0
"""Seconds after which it is asked again who reads, and what that one may see."""
PACE = 0.05
"""Seconds between two writes: what happens meanwhile goes in one."""
RETRY = b"retry: 1000\n"
"""Milliseconds after which a browser comes back."""
BEAT = b":\n\n"

_ID = re.compile(r"([0-9]{1,20})\.([0-9]{1,15})", re.ASCII)


STREAMS: web.AppKey[Places] = web.AppKey("streams", Places)


async def get_events(request: web.Request) -> web.StreamResponse:
    """What happens in the pool, as server-sent events from now on."""
    pool = ready_pool(request)
    nodes, summaries = names(request.query, "node"), flag(request.query, "summaries")
    with request.app[STREAMS].one(), _following(pool, summaries):
        reader = Reader(pool, nodes, summaries=summaries)
        return await _stream(request, reader, reader.begin(request.headers.get("Last-Event-ID")))


@contextmanager
def _following(pool: Pool, summaries: bool) -> Iterator[None]:
    pool.news.followers += summaries
    try:
        yield
    finally:
        pool.news.followers -= summaries


class Reader:
    """How far one stream has come, and what it is to be sent next."""

    def __init__(self, pool: Pool, nodes: frozenset[str], *, summaries: bool) -> None:
        self._pool = pool
        self._news = pool.news
        self._nodes = nodes
        self._summaries = summaries
        self._number = self._news.feed.last
        self._version = self._news.summaries.version

    @property
    def over(self) -> bool:
        """Whether nothing may be said any more."""
        return self._news.feed.ended or bool(self._pool.ready())

    def begin(self, last: str | None) -> bytes:
        """The stream's first words, for a reader that saw the event `last` before."""
        missed = not (last is None or self._resume(last))
        number = f"{self._pool.term}.{self._number}"
        hello = HelloJson(term=self._pool.term, namespace=self._pool.namespace)
        text = RETRY + event_text("hello", hello, number)
        return text + self._reset("what happened meanwhile is not kept") if missed else text

    def _resume(self, last: str) -> bool:
        """Go on after that event, if all that came later is kept."""
        found = _ID.fullmatch(last)
        if found is None or int(found[1]) != self._pool.term:
            return False
        number, feed = int(found[2]), self._news.feed
        entry = feed.entry(number)
        if entry is None and (number or feed.since(0) is None):
            return False
        self._number = number
        self._version = entry.numbers if entry else 0
        return True

    def take(self) -> bytes:
        """What is new. The numbers go first: who has seen an event has seen those before it."""
        numbers = self._numbers() if self._summaries else []
        entries = self._news.feed.since(self._number)
        self._number = self._news.feed.last
        if entries is None:
            return b"".join([*numbers, self._reset("more happened at once than is kept")])
        term = self._pool.term
        return b"".join([*numbers, *(entry_text(one, term) for one in entries if self._wants(one))])

    def _numbers(self) -> list[bytes]:
        found = self._news.summaries.since(self._version)
        if found:
            self._version = found[-1].version
        return [
            summary_text(one) for one in found if not self._nodes or one.counts.node in self._nodes
        ]

    def _wants(self, entry: Entry) -> bool:
        """Whether it is about one of the nodes; what is about all of them has no node."""
        node: str | None = getattr(entry.happening, "node", None)
        return not self._nodes or node is None or node in self._nodes

    def _reset(self, why: str) -> bytes:
        number = f"{self._pool.term}.{self._number}"
        return event_text("reset", ResetJson(reason=why), number)

    async def news(self, seconds: float) -> None:
        """Return when there may be more to take, or after so many seconds."""
        due = self._news.summaries.due() if self._summaries else None
        if due is not None:
            seconds = min(seconds, due)
        if self._news.feed.last == self._number and not self.over:
            await self._news.feed.news(seconds)


async def _stream(request: web.Request, reader: Reader, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": MEDIA, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    now = asyncio.get_running_loop().time
    end = now() + LONGEST
    try:
        await response.prepare(request)
        await response.write(text)
        spoke = asked = now()
        while not reader.over and now() < end:
            if now() >= asked + ASK_AGAIN:
                admitted = await still_admitted(request)
                if not admitted or reader.over:  # another one may lead by now
                    break
                asked = now()
            text = reader.take() or (BEAT if now() >= spoke + HEARTBEAT else b"")
            if text:
                await response.write(text)
                spoke = now()
            await asyncio.sleep(PACE)
            await reader.news(min(spoke + HEARTBEAT, asked + ASK_AGAIN, end) - now())
        await response.write_eof()
    except (ConnectionError, aiohttp.ClientError):
        pass  # the reader went away
    return response
