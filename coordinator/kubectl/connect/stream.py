"""One endless stream of events out of many connections, each of which the server ends at times."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

import aiohttp

from coordinator.kubectl.connect.answers import read
from coordinator.kubectl.connect.errors import Refused, Unreachable, brief
from coordinator.kubectl.connect.events import Event, Garbled, Parser

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from coordinator.kubectl.connect.coordinator import Coordinator

SILENCE = 40.0
"""Seconds without a byte after which the connection counts as lost; a comment comes every 15."""
LONGEST_PAUSE = 10.0
"""Seconds between two tries at most."""
_FINAL = frozenset((400, 401, 403, 404, 405))
"""What asking again does not change."""


class _Broken(Exception):
    """A connection ended otherwise than by the server's own wish; the text says how."""


async def follow(
    coordinator: Coordinator, path: str, query: Sequence[tuple[str, str]]
) -> AsyncGenerator[Event, None]:
    """See `Coordinator.events`."""
    parser, last, lost, pause = Parser(), "", False, 0.0
    while True:
        try:
            connection = _connection(coordinator, path, query, parser, last)
            async with aclosing(connection) as happened:
                async for event in happened:
                    if lost:
                        yield Event("back", {})
                    lost, pause, last = False, 0.0, event.id or last
                    yield event
        except _Broken as error:
            if not lost:
                lost = True
                yield Event("lost", {"why": str(error)})
            pause = min(max(parser.retry, 2 * pause), LONGEST_PAUSE)
        await asyncio.sleep(pause)
        pause = pause or parser.retry  # who ends each connection at once is not asked in a circle
        parser = Parser(parser.retry)


async def _connection(
    coordinator: Coordinator,
    path: str,
    query: Sequence[tuple[str, str]],
    parser: Parser,
    last: str,
) -> AsyncGenerator[Event, None]:
    """The events of one connection, until the server ends it. Raises `_Broken`, `Refused`."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    try:
        async with AsyncExitStack() as stack:
            opened = coordinator.open("GET", path, query, headers=headers, silence=SILENCE)
            async with asyncio.timeout(coordinator.timeout):
                answer = await stack.enter_async_context(opened)
                if answer.status != 200:
                    await _refuse(answer)
            async for piece in answer.content.iter_any():
                for event in parser.feed(piece):
                    yield event
    except (Unreachable, Garbled) as error:
        raise _Broken(str(error)) from None
    except TimeoutError:
        raise _Broken("the coordinator is silent") from None
    except (aiohttp.ClientError, OSError) as error:
        raise _Broken(f"the connection to the coordinator broke: {brief(error)}") from None


async def _refuse(answer: aiohttp.ClientResponse) -> None:
    try:
        await read(answer)
    except Refused as refused:
        if refused.status in _FINAL:
            raise
        raise _Broken(str(refused)) from None
    raise _Broken(f"the coordinator answered {answer.status} instead of events")
