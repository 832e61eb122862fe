"""The asyncio client against a coordinator in memory, in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent_client.errors import ClientClosed, SlotLost, SlotTimeout
from agent_client.messages import Reply
from agent_client.session import State
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.scene import client_of, until
from tests.agent_client.virtual import in_virtual_time, now

if TYPE_CHECKING:
    from agent_client.client import SlotClient
    from agent_client.messages import Queued


def test_a_free_slot_is_granted_held_and_given_back() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="backup-7/pvc-3", claim="a") as slot:
            assert (slot.claim, slot.node, slot.ordinal, slot.lease, slot.state) == (
                *("a", "node1", 0, "node1-slot-0"),
                State.HELD,
            )
            assert slot.fencing_token == fake.tokens["a"]
            assert slot.governed
        assert slot.state is State.RELEASED
        assert fake.holders == {}
        assert fake.closed == 1

    in_virtual_time(scenario())


def test_all_claims_of_a_client_travel_in_one_request() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=50)
        client = client_of(fake)
        takings = [client.slot(load=f"load-{i}", claim=f"c{i}") for i in range(50)]
        await asyncio.gather(*(taking.__aenter__() for taking in takings))
        assert len(fake.bodies[0]["claims"]) == 50
        await asyncio.gather(*(taking.__aexit__(None, None, None) for taking in takings))
        assert fake.holders == {}

    in_virtual_time(scenario())


def test_a_new_claim_is_sent_at_once_although_an_older_request_waits() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="first", claim="a"):
            await asyncio.sleep(5)  # a long poll is under way
            asked = now()
            async with client.slot(load="second", claim="b", timeout=1) as slot:
                pytest.fail(f"granted beside a holder: {slot.ordinal}")
        assert any(abs(sent - asked) < 0.1 for sent in fake.times)

    with pytest.raises(SlotTimeout, match=r"'second' on node node1 .* 1 s \(position 1\)"):
        in_virtual_time(scenario())


def test_a_held_slot_stays_held_for_hours_and_is_asked_for_every_third_of_its_ttl() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", ttl=30) as slot:
            await asyncio.sleep(3000)
            assert slot.state is State.HELD
            assert not slot.unconfirmed.is_set()
        assert 290 <= len(fake.bodies) <= 320

    in_virtual_time(scenario())


def test_a_restarted_coordinator_finds_the_places_in_the_queue_and_the_holder_again() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        holder, first, second = (client_of(fake) for _ in range(3))
        order: list[str] = []

        async def load(client: SlotClient, claim: str) -> None:
            async with client.slot(load=claim, claim=claim):
                order.append(claim)

        async with holder.slot(load="h", claim="h") as held:
            tasks = [asyncio.create_task(load(first, "first"))]
            await until(lambda: "first" in fake.queue)
            tasks.append(asyncio.create_task(load(second, "second")))
            await until(lambda: "second" in fake.queue)
            token = held.fencing_token
            fake.stop()
            await asyncio.sleep(8)
            fake.start()
            back = now()
            await until(lambda: set(fake.queue) == {"first", "second"})
            assert now() - back < 1.0, "not within the new leader's settling time"
            assert (held.state, held.fencing_token) == (State.HELD, token)
        await asyncio.gather(*tasks)
        assert order == ["first", "second"]

    in_virtual_time(scenario())


def test_a_lost_slot_is_told_at_once_and_the_body_goes_on() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", claim="a") as slot:
            await asyncio.sleep(3)
            lost = now()
            fake.lose("a")
            await slot.lost.wait()
            assert now() - lost < 0.1
            assert slot.problem is not None
            assert slot.problem.name == "slot-lost"
            await asyncio.sleep(100)
        assert slot.state is State.LOST

    in_virtual_time(scenario())


def test_cancel_on_lost_ends_the_body_and_raises_slot_lost() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        asyncio.get_running_loop().call_later(1, fake.lose, "a")
        with pytest.raises(SlotLost):
            async with client_of(fake).slot(load="l", claim="a", cancel_on_lost=True):
                await asyncio.sleep(1000)
        assert now() < 1.1
        assert (task := asyncio.current_task()) is not None
        assert task.cancelling() == 0

    in_virtual_time(scenario())


def test_cancel_on_lost_leaves_an_outer_cancellation_alone() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()

        async def body() -> None:
            async with client_of(fake).slot(load="l", claim="a", cancel_on_lost=True):
                await asyncio.sleep(1000)

        task = asyncio.create_task(body())
        await until(lambda: fake.holders)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert fake.holders == {}

    in_virtual_time(scenario())


def test_a_cancelled_waiter_leaves_the_queue() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="h"):
            task = asyncio.create_task(client.slot(load="w", claim="w").__aenter__())
            await until(lambda: fake.queue == ["w"])
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert fake.queue == []
            assert "w" in fake.released

    in_virtual_time(scenario())


def test_a_claim_cancelled_while_its_first_request_is_out_is_taken_back() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.delay = 1.0
        task = asyncio.create_task(client_of(fake).slot(load="w", claim="w").__aenter__())
        await until(lambda: fake.holders)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (fake.queue, fake.holders) == ([], {})

    in_virtual_time(scenario())


def test_a_release_that_nobody_confirms_ends_at_its_deadline_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", claim="a", release_timeout=4):
            fake.keeps_releases = True
            left = now()
        assert 4 <= now() - left < 4.5

    in_virtual_time(scenario())
    assert "the release of claim a was not confirmed" in caplog.text


def test_a_process_whose_name_was_taken_goes_on_under_another() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", ttl=30) as slot:
            fake.problem = Reply(409, problem("stale-sync", 409))
            fake.touch()
            await until(lambda: fake.bodies[-1]["agent"] != fake.bodies[0]["agent"])
            fake.problem = None
            await asyncio.sleep(60)
            assert slot.state is State.HELD

    in_virtual_time(scenario())


def test_each_new_place_in_the_queue_is_told_once() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        places: list[Queued] = []
        async with client_of(fake).slot(load="h"):
            with pytest.raises(SlotTimeout):
                async with client_of(fake).slot(load="w", timeout=100, on_queued=places.append):
                    pass
        assert [(p.position, p.reason) for p in places] == [(1, "1 of 1 slots of node1 are held")]

    in_virtual_time(scenario())


def test_closing_the_client_ends_those_who_wait() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.down = True
        client = client_of(fake)
        task = asyncio.create_task(client.slot(load="l").__aenter__())
        await asyncio.sleep(1)
        await client.close()
        with pytest.raises(ClientClosed, match="client was closed"):
            await task

    in_virtual_time(scenario())


def test_an_inline_client_can_be_used_again() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        for _ in range(3):
            async with client.slot(load="l") as slot:
                assert slot.state is State.HELD
        assert fake.closed == 3

    in_virtual_time(scenario())
