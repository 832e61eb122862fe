"""The last words of a process that goes: what waits leaves, what is held is only marked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_client.errors import ClientClosed
from agent_client.session import State
from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.scene import client_of, until
from tests.agent_client.virtual import in_virtual_time, now


def claims_of(body: dict[str, Any]) -> dict[str, bool]:
    """Each claim of a sync, and whether it is marked as ending."""
    return {element["claim"]: element.get("ending", False) for element in body["claims"]}


def test_what_is_held_is_marked_as_ending_and_stays_held() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        client = client_of(fake)
        async with client.slot(load="a", claim="a") as slot, client.slot(load="b", claim="b"):
            assert not any("ending" in str(body) for body in fake.bodies)
            assert await client.depart()
            assert claims_of(fake.bodies[-1]) == {"a": True, "b": True}
            assert (fake.bodies[-1]["releases"], fake.bodies[-1]["waitSeconds"]) == ([], 0)
            said = len(fake.bodies)
            assert slot.state is State.HELD
        assert len(fake.bodies) == said, "leaving after the last words says nothing"
        assert sorted(fake.holders.values()) == ["a", "b"]
        assert fake.released == []

    in_virtual_time(scenario())


def test_what_waits_leaves_the_queue_and_its_owner_is_told() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="h", claim="h"):
            waiter = asyncio.create_task(client.slot(load="w", claim="w").__aenter__())
            await until(lambda: fake.queue == ["w"])
            assert await client.depart()
            with pytest.raises(ClientClosed):
                await waiter
        assert (fake.queue, fake.released) == ([], ["w"])
        assert claims_of(fake.bodies[-1]) == {"h": True}
        assert fake.bodies[-1]["releases"] == ["w"]

    in_virtual_time(scenario())


@pytest.mark.parametrize("within", [0.0, 0.3, 2.0])
def test_without_a_coordinator_it_ends_in_time_and_says_so(within: float) -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="l"):
            fake.stop()
            await asyncio.sleep(300)  # the pauses are long by now
            begun = now()
            assert not await client.depart(within=within)
            assert now() - begun == pytest.approx(within, abs=0.001)
            assert fake.times[-1] >= begun or within == 0, "no pause keeps the last words back"

    in_virtual_time(scenario())


def test_a_coordinator_that_comes_back_within_the_time_still_hears_it() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="l", claim="a"):
            fake.stop()
            asyncio.get_running_loop().call_later(0.4, fake.start)
            assert await client.depart(within=3)
            assert claims_of(fake.bodies[-1]) == {"a": True}

    in_virtual_time(scenario())


def test_a_hanging_coordinator_does_not_hold_it_up() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="l"):
            fake.delay = 100.0
            begun = now()
            assert not await client.depart(within=1.0)
            assert now() - begun == pytest.approx(1.0, abs=0.001)

    in_virtual_time(scenario())


def test_with_nothing_to_speak_of_nothing_is_sent() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        assert await client_of(fake).depart()
        assert fake.bodies == []

    in_virtual_time(scenario())


def test_a_client_that_departed_takes_no_more_slots_and_may_be_told_twice() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="l"):
            assert await client.depart()
            said = len(fake.bodies)
            assert await client.depart()
            assert len(fake.bodies) == said
            with pytest.raises(ClientClosed, match="last words"):
                await client.slot(load="more").__aenter__()

    in_virtual_time(scenario())


def test_the_answer_to_an_older_request_is_no_answer_to_the_last_words() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="l") as slot:
            await asyncio.sleep(5)  # a long poll is under way
            fake.touch()
            assert await client.depart()
            assert claims_of(fake.bodies[-1]) == {slot.claim: True}

    in_virtual_time(scenario())
