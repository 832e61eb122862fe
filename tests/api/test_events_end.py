"""How a stream ends: after its time, with its leader, with its reader, with the reader's right."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from coordinator.api import events as streams
from coordinator.api.app import api_app, listen
from coordinator.api.connections import Connections
from coordinator.core.happenings import HoldChanged
from coordinator.service.metrics import Metrics
from tests.api.callers import READER, FakeCallers
from tests.api.conftest import Caller
from tests.api.living import DEADLINE, POOL, until
from tests.api.streams import following
from tests.api.test_connections import connecting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.api.places import Places
    from coordinator.service.callers import Callers
    from tests.api.living import Living


async def test_a_stream_ends_after_its_time(alive: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST", 0.05)
    async with following(alive.api) as stream:
        assert [one.name for one in await stream.rest()] == ["hello"]


async def test_a_stop_ends_every_stream_at_once(alive: Living) -> None:
    async with following(alive.api) as stream, following(alive.api) as other:
        await stream.next()
        alive.coordinator.begin_stop()
        assert await stream.rest() == []
        await other.rest()


async def test_who_leads_no_longer_tells_nothing_more(alive: Living) -> None:
    """What still happens here, or seems to, is for the next leader to tell."""
    async with following(alive.api) as stream:
        await stream.next()
        reign = alive.coordinator._reign
        assert reign is not None
        news = alive.pool.news
        reign.end()
        news.take(HoldChanged("node1", "too late"))
        assert await stream.rest() == []


async def test_a_leader_past_its_deadline_says_nothing_although_nobody_told_it(
    alive: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(alive.api) as stream:
        await stream.next()
        pool = alive.pool
        monkeypatch.setattr(pool, "ready", lambda: "this replica does not lead any more")
        pool.news.take(HoldChanged("node1", "too late"))
        assert await stream.rest() == []


async def test_a_reader_that_goes_away_leaves_its_place(alive: Living) -> None:
    places = alive.app[streams.STREAMS]
    async with following(alive.api, "?summaries=1") as stream:
        await stream.next()
        assert (places.taken, alive.pool.news.followers) == (1, 1)
    await until(lambda: (places.taken, alive.pool.news.followers) == (0, 0))


@asynccontextmanager
async def another(alive: Living, write_timeout: float) -> AsyncIterator[tuple[Caller, Places]]:
    """A listener that has less patience with those who do not read, and its streams."""
    app = api_app(alive.coordinator, Metrics())
    listener = await listen(app, "127.0.0.1", 0, Connections(write_timeout=write_timeout))
    try:
        yield Caller(alive.api.session, listener.url), app[streams.STREAMS]
    finally:
        alive.pool.news.end()
        await listener.close()


async def test_a_reader_that_does_not_read_is_cut_off_and_the_others_are_not(
    alive: Living,
) -> None:
    text = f"GET {POOL}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    async with (
        another(alive, 0.3) as (caller, places),
        following(alive.api) as stream,
        connecting(caller.url, receive=4096) as deaf,
        asyncio.timeout(DEADLINE),
    ):
        await deaf.send(text)
        await deaf.reader.readuntil(b"event: hello")
        while places.taken:
            alive.pool.news.take(HoldChanged("node1", "x" * 100_000))
            await stream.next("hold")


async def test_a_living_stream_outlives_the_time_that_an_answer_has(alive: Living) -> None:
    """The guard counts from bytes that nobody reads, not from the answer's begin."""
    now = asyncio.get_running_loop().time
    async with another(alive, 0.05) as (caller, _), following(caller) as stream:
        end = now() + 0.3
        while now() < end:
            alive.pool.news.take(HoldChanged("node1", "x"))
            assert (await stream.next("hold")).data["reason"] == "x"


@pytest.fixture
def judged(alive: Living, monkeypatch: pytest.MonkeyPatch) -> FakeCallers:
    """Callers are asked who they are, again and again while they read."""
    monkeypatch.setattr(streams, "ASK_AGAIN", 0.02)
    fake = FakeCallers()
    alive.coordinator.callers = cast("Callers", fake)
    return fake


async def test_who_may_still_see_the_pool_is_asked_again_and_goes_on(
    alive: Living, judged: FakeCallers
) -> None:
    async with following(alive.api, Authorization=f"Bearer {READER}") as stream:
        await stream.next()
        await until(lambda: len(judged.asked) > 3)
        await alive.grant("node1", "a")
        assert (await stream.next()).name == "grant"


async def test_who_stops_leading_while_its_reader_is_asked_about_tells_nothing_more(
    alive: Living, judged: FakeCallers
) -> None:
    reign, news = alive.coordinator._reign, alive.pool.news
    assert reign is not None

    def lose() -> None:
        reign.end()
        news.take(HoldChanged("node1", "too late"))

    async with following(alive.api, Authorization=f"Bearer {READER}") as stream:
        await stream.next()
        judged.meanwhile = lose
        assert await stream.rest() == []


@pytest.mark.parametrize("how", ["right", "token", "nobody can tell"])
async def test_who_may_not_any_more_is_told_nothing_more(
    alive: Living, judged: FakeCallers, how: str
) -> None:
    async with following(alive.api, Authorization=f"Bearer {READER}") as stream:
        await stream.next()
        if how == "right":
            judged.may.clear()
        elif how == "token":
            del judged.known[READER]
        else:
            judged.away = True
        assert await stream.rest() == []
    refused = await alive.api("GET", f"{POOL}/events", headers={"Authorization": "Bearer x"})
    assert refused.problem == "unauthenticated"


def test_the_caller_is_asked_again_often_enough() -> None:
    assert streams.ASK_AGAIN <= 120
    assert streams.HEARTBEAT <= 15
    assert streams.LONGEST <= 300
