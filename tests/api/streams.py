"""Reads server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from tests.api.living import DEADLINE, POOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tests.api.conftest import Caller


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str = ""


@dataclass
class Stream:
    """One stream, as far as it was read."""

    answer: aiohttp.ClientResponse
    seen: list[Event] = field(default_factory=list)
    comments: int = 0
    retry: str = ""

    async def next(self, *names: str) -> Event:
        """The next event, or the next of these names."""
        async with asyncio.timeout(DEADLINE):
            while True:
                event = await self._next()
                assert event is not None, f"the stream ended after {self.seen}"
                self.seen.append(event)
                if not names or event.name in names:
                    return event

    async def comment(self) -> None:
        """Returns when a comment has come."""
        before = self.comments
        async with asyncio.timeout(DEADLINE):
            async for line in self.answer.content:
                self.comments += line.startswith(b":")
                if self.comments > before:
                    return

    async def rest(self) -> list[Event]:
        """All that comes until the stream ends by itself."""
        found = []
        async with asyncio.timeout(DEADLINE):
            while event := await self._next():
                found.append(event)
        return found

    async def _next(self) -> Event | None:
        fields: dict[str, str] = {}
        async for line in self.answer.content:
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                self.comments += 1
            elif text.startswith("retry: "):
                self.retry = text.removeprefix("retry: ")
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif fields:
                return Event(fields["event"], orjson.loads(fields["data"]), fields.get("id", ""))
        return None


@asynccontextmanager
async def following(
    caller: Caller, query: str = "", pool: str = POOL, **headers: str
) -> AsyncIterator[Stream]:
    """A stream of the pool's events. `last_event_id` is where to go on."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with caller.session.get(f"{caller.url}{pool}/events{query}", headers=sent) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield Stream(answer)
