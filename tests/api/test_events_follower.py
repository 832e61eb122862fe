"""A follower passes a stream on as it comes, and ends it with its leader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.api import proxy
from coordinator.kube.election import Leader
from tests.api.conftest import Caller
from tests.api.fakes import FakeCoordinator, FakePool
from tests.api.living import until
from tests.api.streams import following
from tests.api.test_follower import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.api.living import Living


@pytest.fixture
def follower(alive: Living) -> FakeCoordinator:
    made = FakeCoordinator(FakePool(trouble="follows"), "replica-2")
    made.leading = False
    made.leader = Leader("replica-1", alive.api.url)
    return made


@pytest.fixture
async def passed(alive: Living, follower: FakeCoordinator) -> AsyncIterator[Caller]:
    """Asks the follower; the living one leads."""
    async with serving(follower) as url:
        yield Caller(alive.api.session, url)


async def test_each_event_comes_as_it_happens(alive: Living, passed: Caller) -> None:
    async with following(passed) as stream:
        assert (await stream.next()).name == "hello"
        for claim in "ab":
            await alive.grant("node1" if claim == "a" else "node2", claim)
            assert (await stream.next("grant")).data["claim"] == claim
    assert stream.answer.headers["Cache-Control"] == "no-store"


async def test_it_goes_on_where_its_reader_was(alive: Living, passed: Caller) -> None:
    async with following(passed) as stream:
        last = await stream.next()
    await alive.grant("node1", "a")
    async with following(passed, last_event_id=last.id) as stream:
        assert [(await stream.next()).name for _ in range(2)] == ["hello", "grant"]


async def test_it_outlives_the_time_that_an_answer_has(
    alive: Living, passed: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "BODY_TIMEOUT", 0.05)
    async with following(passed) as stream:
        await stream.next()
        await asyncio.sleep(0.2)  # four times that; there is nothing to wait for
        await alive.grant("node1", "a")
        assert (await stream.next()).name == "grant"


async def test_it_ends_when_another_one_leads(passed: Caller, follower: FakeCoordinator) -> None:
    async with following(passed) as stream:
        await stream.next()
        follower.leader = None
        assert await stream.rest() == []


async def test_it_ends_when_the_leader_stops(alive: Living, passed: Caller) -> None:
    async with following(passed) as stream:
        await stream.next()
        alive.coordinator.begin_stop()
        assert await stream.rest() == []


async def test_it_ends_when_the_leader_says_nothing_for_too_long(
    alive: Living, passed: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(passed) as stream:
        await stream.next()
        monkeypatch.setattr(proxy, "STREAM_SILENCE", 0.05)  # after this next word
        await alive.grant("node1", "a")
        await stream.next("grant")
        assert await stream.rest() == []


async def test_a_reader_that_goes_away_leaves_the_leader_too(alive: Living, passed: Caller) -> None:
    async with following(passed, "?summaries=1") as stream:
        await stream.next()
        assert alive.pool.news.followers == 1
    await until(lambda: alive.pool.news.followers == 0)


async def test_what_the_leader_refuses_is_passed_on(alive: Living, passed: Caller) -> None:
    answer = await passed("GET", "/v1/namespaces/velero/events?summaries=7")
    assert answer.problem == "malformed"
