"""Events go on through every end of a connection, and what cannot go on is said."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from coordinator.kubectl.connect import Refused, stream
from tests.kubectl.connect.stub import POOL, Keys, asking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coordinator.kubectl.connect.coordinator import Coordinator
    from coordinator.kubectl.connect.events import Event
    from coordinator.kubectl.connect.tokens import Tokens

DEADLINE = 60.0
QUICK = b"retry: 10\n\n"


class Script:
    """What the server does at its first connection, its second, and so on; the last one goes on."""

    def __init__(self, *steps: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        self._steps = list(steps)
        self.asked: list[tuple[str, str]] = []
        """Path with query, and the Last-Event-ID, of each connection."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.raw_path, request.headers.get("Last-Event-ID", "")))
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        return await step(request)


def says(
    *texts: bytes, goes_on: bool = False, breaks: bool = False
) -> Callable[..., Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for text in (QUICK, *texts):
            await response.write(text)
        if goes_on:
            await asyncio.Event().wait()
        if breaks:
            assert request.transport is not None
            request.transport.abort()
        return response

    return answer


def problem(status: int, detail: str) -> Callable[..., Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"detail": detail}, status=status)

    return answer


def grant(number: int) -> bytes:
    return b'id: 7.%d\nevent: grant\ndata: {"number": %d}\n\n' % (number, number)


async def told(script: Script, count: int, tokens: Tokens | None = None) -> list[Event]:
    """The first events that a caller gets."""
    async with asking(script, tokens) as coordinator:
        return await first(coordinator, count)


async def first(coordinator: Coordinator, count: int) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(DEADLINE), aclosing(coordinator.events("velero")) as happened:
        async for event in happened:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_a_stream_that_the_server_ends_goes_on_where_it_was() -> None:
    script = Script(says(grant(1), grant(2)), says(grant(3), goes_on=True))
    found = await told(script, 3)
    assert [event.data["number"] for event in found] == [1, 2, 3]
    assert script.asked == [(f"{POOL}/events", ""), (f"{POOL}/events", "7.2")]


async def test_a_connection_that_breaks_is_told_and_so_is_its_return() -> None:
    script = Script(says(grant(1), breaks=True), says(grant(2), goes_on=True))
    found = await told(script, 4)
    assert [event.name for event in found] == ["grant", "lost", "back", "grant"]
    assert "broke" in found[1].data["why"]
    assert script.asked[1][1] == "7.1"


async def test_a_coordinator_without_a_leader_is_asked_again_and_told_once() -> None:
    away = problem(503, "nobody leads")
    script = Script(away, away, says(grant(1), goes_on=True))
    found = await told(script, 3)
    assert [event.name for event in found] == ["lost", "back", "grant"]
    assert found[0].data == {"why": "nobody leads"}
    assert len(script.asked) == 3


async def test_a_silent_connection_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SILENCE", 0.1)
    async with (
        asking(Script(says(grant(1), goes_on=True))) as coordinator,
        asyncio.timeout(DEADLINE),
        aclosing(coordinator.events("velero")) as happened,
    ):
        # A machine that stands still makes any connection silent, also one before its grant.
        while (await anext(happened)).name != "grant":
            pass
        found = [await anext(happened) for _ in range(3)]
    assert [event.name for event in found] == ["lost", "back", "grant"]
    assert "silent" in found[0].data["why"]


async def test_a_token_that_expires_between_two_connections_is_replaced() -> None:
    script = Script(says(grant(1)), problem(401, "expired"), says(grant(2), goes_on=True))
    found = await told(script, 2, Keys())
    assert [event.name for event in found] == ["grant", "grant"]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_asking_again_does_not_change_is_refused(status: int) -> None:
    with pytest.raises(Refused, match="no use") as caught:
        await told(Script(problem(status, "no use")), 1)
    assert caught.value.status == status


async def test_nodes_and_summaries_are_asked_for() -> None:
    script = Script(says(grant(1), goes_on=True))
    async with asking(script) as coordinator:
        chosen = coordinator.events("a b", nodes=["n1", "n2"], summaries=True)
        async with asyncio.timeout(DEADLINE), aclosing(chosen) as happened:
            await anext(happened)
    assert script.asked[0][0] == "/v1/namespaces/a%20b/events?node=n1&node=n2&summaries=1"
