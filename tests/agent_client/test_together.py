"""Several slots: all or none, in whatever order they are named, without deadlock."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from agent_client.client import SlotClient
from agent_client.errors import Refused, SlotLost, SlotTimeout
from agent_client.messages import Reply
from agent_client.session import State
from agent_client.together import Several, several
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.scene import client_of, until
from tests.agent_client.virtual import in_virtual_time, now

if TYPE_CHECKING:
    from agent_client.slot import AsyncSlot
    from agent_client.together import Wanted


def on_node(fake: FakeCoordinator, node: str) -> SlotClient:
    return SlotClient("http://c:8443", namespace="velero", node=node, transport=fake, clock=now)


def test_slots_of_one_node_come_together_and_go_together() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        async with client_of(fake).slots(["b", "a"]) as [b, a]:
            assert (b.load, a.load) == ("b", "a"), "in the order of the arguments"
            assert (b.state, a.state) == (State.HELD, State.HELD)
            assert len(fake.holders) == 2
        assert fake.holders == {}

    in_virtual_time(scenario())


def test_slots_of_two_nodes_come_together() -> None:
    async def scenario() -> None:
        here, there = FakeCoordinator(), FakeCoordinator()
        wanted = (on_node(here, "n2").wanted(load="dump"), on_node(there, "n1").wanted(load="copy"))
        async with several(*wanted) as [dump, copy]:
            assert (dump.node, copy.node) == ("n2", "n1")
            assert len(here.holders) == len(there.holders) == 1
        assert (here.holders, there.holders) == ({}, {})

    in_virtual_time(scenario())


def test_no_part_is_held_while_another_is_waited_for() -> None:
    async def scenario() -> None:
        free, full = FakeCoordinator(), FakeCoordinator()
        async with on_node(full, "n2").slot(load="h", claim="h"):
            both = several(
                on_node(free, "n1").wanted(load="a"), on_node(full, "n2").wanted(load="b")
            )
            entering = asyncio.create_task(both.__aenter__())
            await until(lambda: free.holders)
            begun = now()
            await until(lambda: not free.holders)
            assert now() - begun < 2.0
            await until(lambda: full.queue)
            await asyncio.sleep(60)
            assert not free.holders, "it waits for the missing one with empty hands"
        await entering
        assert free.holders
        assert full.holders
        await both.__aexit__(None, None, None)

    in_virtual_time(scenario())


def test_each_attempt_has_claims_of_its_own() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        async with client_of(fake).slot(load="h"):
            client = client_of(fake)
            with pytest.raises(SlotTimeout):
                await client.slots(["a", "b"], timeout=30).__aenter__()
        seen = {c["claim"] for body in fake.bodies for c in body["claims"] if c["load"] != "h"}
        assert len(seen) > 4
        assert seen <= set(fake.released)

    in_virtual_time(scenario())


@pytest.mark.parametrize("timeout", [0.0, 10.0])
def test_the_timeout_is_for_the_whole_and_leaves_nothing_held(timeout: float) -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        async with client_of(fake).slot(load="h"):
            begun = now()
            with pytest.raises(SlotTimeout, match=r"2 slots .* within .* missing: load '[ab]'"):
                await client_of(fake).slots(["a", "b"], timeout=timeout).__aenter__()
            assert now() - begun < timeout + 4.0
            assert len(fake.holders) == 1
            assert fake.queue == []

    in_virtual_time(scenario())


def test_a_refusal_of_one_gives_back_the_others() -> None:
    async def scenario() -> None:
        fine, bad = FakeCoordinator(), FakeCoordinator()
        bad.problem = Reply(403, problem("forbidden", 403))
        with pytest.raises(Refused):
            await several(
                on_node(fine, "n1").wanted(load="a"), on_node(bad, "n2").wanted(load="b")
            ).__aenter__()
        assert len(fine.released) == 1
        assert fine.holders == {}

    in_virtual_time(scenario())


@pytest.mark.parametrize("stage", ["waiting", "trying", "holding"])
def test_a_cancellation_at_any_stage_leaves_nothing_held(stage: str) -> None:
    async def scenario() -> None:
        first, second = FakeCoordinator(), FakeCoordinator()
        if stage == "waiting":
            first.limit = 0
        if stage == "trying":
            second.limit = 0
        clients = on_node(first, "n1"), on_node(second, "n2")
        entered = asyncio.Event()

        async def body() -> None:
            async with several(*(client.wanted(load="l") for client in clients)):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(body())
        reached = {
            "waiting": lambda: first.queue,
            "trying": lambda: first.holders and second.queue,
            "holding": entered.is_set,
        }
        await until(reached[stage])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for fake in (first, second):
            assert (fake.holders, fake.queue) == ({}, [])

    in_virtual_time(scenario())


def test_cancel_on_lost_ends_the_body_of_all_and_gives_the_others_back() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)

        async def body() -> None:
            async with client_of(fake).slots(["a", "b"], cancel_on_lost=True) as [a, _]:
                fake.lose(a.claim)
                await asyncio.Event().wait()

        with pytest.raises(SlotLost, match="'a'"):
            await body()
        assert fake.holders == {}
        assert (task := asyncio.current_task()) is not None
        assert task.cancelling() == 0

    in_virtual_time(scenario())


def test_none_at_all_is_no_slot() -> None:
    async def scenario() -> None:
        async with several() as slots:
            assert slots == []

    in_virtual_time(scenario())


@pytest.mark.parametrize("policy", ["run", "fail"])
def test_where_a_coordinator_is_away_the_policy_of_each_decides(policy: str) -> None:
    async def scenario() -> None:
        here, away = FakeCoordinator(), FakeCoordinator()
        away.down = True
        wish: dict[str, object] = {"if_unavailable": policy, "unavailable_after": 20.0}
        wanted: list[Wanted[AsyncSlot]] = [
            on_node(fake, node).wanted(load="l", **wish)  # type: ignore[arg-type]
            for fake, node in ((here, "n1"), (away, "n2"))
        ]
        if policy == "fail":
            with pytest.raises(Exception, match="no answer from a coordinator"):
                await several(*wanted).__aenter__()
        else:
            async with several(*wanted) as [governed, free]:
                assert (governed.governed, free.governed) == (True, False)
                assert now() < 60
        assert here.holders == {}

    in_virtual_time(scenario())


@pytest.mark.parametrize("seed", range(12))
def test_many_callers_with_any_demands_all_finish_and_never_hold_a_part(seed: int) -> None:
    """Callers of 1 to 3 slots on three nodes with limits of 1 to 3, all at once."""
    rng = random.Random(seed)
    limits = [rng.randint(1, 3) for _ in range(3)]

    async def caller(fakes: list[FakeCoordinator], number: int) -> None:
        clients = [on_node(fake, f"n{i}") for i, fake in enumerate(fakes)]
        for _ in range(3):
            places = [i for i, limit in enumerate(limits) for _ in range(rng.randint(0, limit))]
            rng.shuffle(places)
            wanted = [clients[i].wanted(load=f"l{number}-{n}") for n, i in enumerate(places)]
            async with Several(wanted, jitter=rng.random) as slots:
                assert all(slot.state is State.HELD for slot in slots)
                assert [slot.node for slot in slots] == [f"n{i}" for i in places]
                await asyncio.sleep(rng.choice((0.0, 0.5, 5.0)))

    async def scenario() -> None:
        fakes = [FakeCoordinator(limit) for limit in limits]
        await asyncio.gather(*(caller(fakes, number) for number in range(6)))
        assert all(fake.holders == {} for fake in fakes)

    in_virtual_time(scenario())


def test_two_callers_that_want_both_of_two_slots_take_turns() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        running = [0]

        async def caller() -> None:
            async with client_of(fake).slots(["a", "b"]):
                running[0] += 1
                assert running == [1]
                await asyncio.sleep(3)
                running[0] -= 1

        await asyncio.gather(caller(), caller(), caller())
        assert now() < 120

    in_virtual_time(scenario())
