"""Checkpoints of a long loop, and callbacks: a load learns in time that its slot is in doubt."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.client import SlotClient
from agent_client.errors import ClientClosed, SlotError, SlotLost, SlotUnconfirmed
from agent_client.messages import Reply
from agent_client.session import State
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.scene import client_of, until
from tests.agent_client.virtual import VirtualLoop, in_virtual_time, now

if TYPE_CHECKING:
    from agent_client.slot import Slot

TTL = 30


def work(seconds: float) -> None:
    """A step that lets nothing else of this process run."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._jumping.skipped += seconds


class Sleeper:
    """A machine that can sleep: its boot clock goes on, the event loop's timers stand still."""

    def __init__(self, fake: FakeCoordinator) -> None:
        self.slept = 0.0
        self.client = SlotClient(
            "http://coordinator:8443",
            namespace="velero",
            node="node1",
            transport=fake,
            clock=lambda: now() + self.slept,
        )


def test_a_held_slot_passes_and_lets_the_renewals_through() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", claim="a", ttl=TTL) as slot:
            begun, asked = now(), len(fake.bodies)
            while now() < begun + 5 * TTL:
                work(0.2)
                await slot.checkpoint()
            assert slot.state is State.HELD
            assert len(fake.bodies) > asked + 10

    in_virtual_time(scenario())


def test_after_a_machine_slept_the_coordinator_is_asked_at_once_and_says_go_on() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        sleeper = Sleeper(fake)
        async with sleeper.client.slot(load="l", claim="a", ttl=TTL) as slot:
            await asyncio.sleep(1)  # a long poll is under way
            asked, woke = len(fake.bodies), now()
            sleeper.slept += 1000
            assert slot.state is not State.HELD
            await slot.checkpoint()
            assert slot.certain
            assert len(fake.bodies) > asked, "it went on without asking"
            assert now() - woke < 0.1, "it waited for an old timer"
            assert fake.bodies[-1]["claims"][0]["fencingToken"] == slot.fencing_token

    in_virtual_time(scenario())


def test_after_a_machine_slept_a_slot_that_another_got_meanwhile_is_lost_before_the_next_step() -> (
    None
):
    async def scenario() -> None:
        fake = FakeCoordinator()
        sleeper = Sleeper(fake)
        steps = 0

        async def load() -> None:
            nonlocal steps
            async with sleeper.client.slot(load="l", claim="a", ttl=TTL) as slot:
                while True:
                    await slot.checkpoint()
                    steps += 1
                    if steps == 3:
                        sleeper.slept += 1000
                        fake.holders.clear()
                        fake.lost.add("a")

        with pytest.raises(SlotLost, match="do not go on"):
            await load()
        assert steps == 3

    in_virtual_time(scenario())


def test_the_sync_after_a_sleep_does_not_wait_for_a_checkpoint_either() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        sleeper = Sleeper(fake)
        async with sleeper.client.slot(load="l", claim="a", ttl=TTL) as slot:
            await asyncio.sleep(1)
            woke = now()
            sleeper.slept += 1000
            fake.lost.add("a")
            fake.holders.clear()
            await slot.lost.wait()
            assert now() - woke <= 5.1, "the clock is looked at every five seconds"

    in_virtual_time(scenario())


def test_in_an_outage_a_checkpoint_waits_for_the_coordinators_word() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", ttl=TTL) as slot:
            fake.stop()
            await slot.unconfirmed.wait()
            with pytest.raises(SlotUnconfirmed, match="within 3 s"):
                await slot.checkpoint(timeout=3)
            sent = len(fake.bodies)
            for _ in range(100):
                with pytest.raises(SlotUnconfirmed):
                    await slot.checkpoint(timeout=0)
            assert len(fake.bodies) <= sent + 1, "checkpoints do not make a storm"
            asyncio.get_running_loop().call_later(20, fake.start)
            await slot.checkpoint()
            assert slot.state is State.HELD

    in_virtual_time(scenario())


def test_a_load_that_runs_without_a_slot_passes() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.down = True
        taking = client_of(fake).slot(load="l", if_unavailable="run", unavailable_after=1)
        async with taking as slot:
            assert not slot.governed
            await slot.checkpoint(timeout=0)

    in_virtual_time(scenario())


@pytest.mark.parametrize("departs", [True, False])
def test_a_checkpoint_on_a_client_that_speaks_no_more_never_waits(departs: bool) -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        sleeper = Sleeper(fake)
        async with sleeper.client.slot(load="l", ttl=TTL) as slot:
            await (sleeper.client.depart() if departs else sleeper.client.close())
            await slot.checkpoint()  # still held, by the clock
            sleeper.slept += TTL
            with pytest.raises(ClientClosed):
                await slot.checkpoint()

    in_virtual_time(scenario())


def test_a_checkpoint_that_waits_while_the_client_departs_is_told() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        client = client_of(fake)
        async with client.slot(load="l", ttl=TTL) as slot:
            fake.stop()
            await slot.unconfirmed.wait()
            waiting = asyncio.create_task(slot.checkpoint())
            await asyncio.sleep(0.1)
            await client.depart()
            with pytest.raises(ClientClosed):
                await waiting

    in_virtual_time(scenario())


def test_a_slot_that_was_given_back_lets_no_stray_task_go_on() -> None:
    async def scenario() -> None:
        async with client_of(FakeCoordinator()).slot(load="l") as slot:
            await slot.checkpoint()
        with pytest.raises(SlotLost, match="released"):
            await slot.checkpoint()

    in_virtual_time(scenario())


def test_each_change_is_told_once_with_the_slot() -> None:
    told: list[tuple[str, State]] = []

    def lost(slot: Slot[Any]) -> None:
        told.append(("lost", slot.state))

    def unconfirmed(slot: Slot[Any]) -> None:
        told.append(("unconfirmed", slot.state))

    async def scenario() -> None:
        fake = FakeCoordinator()
        asking: Any = {"on_lost": lost, "on_unconfirmed": unconfirmed}
        async with client_of(fake).slot(load="l", claim="a", ttl=TTL, **asking) as slot:
            for _ in range(2):
                fake.stop()
                await slot.unconfirmed.wait()
                await asyncio.sleep(30)
                fake.start()
                await until(lambda: slot.state is State.HELD)
            fake.lose("a")
            await slot.lost.wait()
            await asyncio.sleep(100)
        assert told == [
            ("unconfirmed", State.UNCONFIRMED),
            ("unconfirmed", State.UNCONFIRMED),
            ("lost", State.LOST),
        ]

    in_virtual_time(scenario())


def test_an_exception_in_a_callback_is_logged_and_hurts_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks(_: object) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        client = client_of(fake)
        broken: Any = {"on_lost": breaks, "on_unconfirmed": breaks, "on_queued": breaks}
        async with (
            client.slot(load="a", claim="a", ttl=TTL, **broken) as slot,
            client.slot(load="b", claim="b", ttl=TTL) as other,
        ):
            fake.lose("a")
            await slot.lost.wait()
            await asyncio.sleep(100)
            assert other.state is State.HELD

    in_virtual_time(scenario())
    assert "on_lost failed for claim a" in caplog.text


def test_a_slot_lost_in_the_moment_of_its_grant_is_not_called_a_timeout() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        granted = {"slot": 0, "lease": "node1-slot-0", "ttlSeconds": TTL, "fencingToken": 5}
        replies = iter(({"state": "granted", **granted}, {"state": "lost"}))

        def judge(body: Any) -> Reply:
            state = {**next(replies), "claim": "a", "problem": problem("slot-lost", 409)}
            return Reply(200, {"term": 7, "claims": [state], "released": []})

        fake.judge = judge
        taking = client_of(fake).slot(load="l", claim="a", ttl=TTL)
        speaker = taking._speaker
        entering = asyncio.create_task(taking.enter())
        await asyncio.sleep(0)
        runner = speaker._runner
        assert runner is not None
        # both answers come before the owner gets its turn
        for _ in range(2):
            request = speaker._agent.request(now())
            speaker._agent.replied(request, judge(request.body), now())
        speaker._look()
        with pytest.raises(SlotError) as caught:
            await entering
        assert isinstance(caught.value, SlotLost)
        await speaker.close()

    in_virtual_time(scenario())
