"""A restarted sidecar finds by name what it had; its state is the coordinator's, not a file's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.messages import Pod, Reply
from agent_client.sidecar.requests import Defaults
from tests.agent_client.fake import problem
from tests.agent_client.scene import until
from tests.agent_client.sidecar.node import NodeCoordinator
from tests.agent_client.sidecar.scene import Client, running
from tests.agent_client.virtual import in_virtual_time, now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Life = Callable[[Client, NodeCoordinator], Awaitable[None]]


def lives(*lives: Life, limit: int = 1, **plan: Any) -> None:
    """One sidecar after the other on one coordinator; each is killed at its end."""

    async def whole() -> None:
        fake = NodeCoordinator(limit)
        for life in lives:
            async with running(fake, **plan) as client:
                await life(client, fake)

    in_virtual_time(whole(), 8000)


async def put_a(client: Client, fake: NodeCoordinator) -> None:
    assert (await client.named("PUT", "a", {"priority": 3}, wait="10"))[0] == 200


async def put_a_of_a_mover(client: Client, fake: NodeCoordinator) -> None:
    """The same for a load that runs in a Pod of its own."""
    pod = {"namespace": "velero", "name": "mover-1", "uid": "uid-2"}
    body = {"priority": 3, "pod": pod}
    assert (await client.named("PUT", "a", body, wait="10"))[0] == 200


async def adopted(client: Client) -> dict[str, Any]:
    """The load that the sidecar has taken over, once it is confirmed."""
    async with asyncio.timeout(60):
        while True:
            slots = (await client.overview())["slots"]
            if slots and slots[0]["state"] == "granted":
                return dict(slots[0])
            await asyncio.sleep(0.1)


def test_a_named_slot_is_found_again() -> None:
    before: dict[str, Any] = {}

    async def first(client: Client, fake: NodeCoordinator) -> None:
        await put_a(client, fake)
        before.update((await client.named("GET", "a"))[1])

    async def second(client: Client, fake: NodeCoordinator) -> None:
        slot = await adopted(client)
        assert (slot["named"], slot["adopted"]) == (True, True)
        assert await client.named("PUT", "a", {"priority": 3}, wait="10") == (200, before)
        assert fake.bodies[-1]["claims"][0]["fencingToken"] == before["fencingToken"]
        assert await client.named("DELETE", "a") == (204, {})
        assert not fake.holders

    lives(first, second)


def test_a_put_that_comes_before_the_lookup_gets_the_slot_that_there_is() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        held, count = fake.holders[0], len(fake.bodies)
        status, slot = await client.named("PUT", "a", {"priority": 3}, wait="10")
        assert (status, slot["claim"], slot["state"]) == (200, held, "granted")
        assert fake.bodies[count]["claims"][0]["fencingToken"] == fake.tokens[held]

    lives(put_a, second)


def test_nobody_is_asked_for_a_name_until_it_is_known_what_there_was() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        fake.lookups = Reply(503, problem("not-ready", 503))
        status, body = await client.named("PUT", "a", {"priority": 3}, wait="20")
        assert status == 202
        assert body["reason"] == "looking up what this sidecar held before it was started"
        assert (await client.named("GET", "b"))[0] == 503
        assert (await client.named("DELETE", "a"))[0] == 503
        assert (await client.look("/readyz"))[0] == 503
        assert len(fake.claims_of("a")) == 1
        fake.lookups = None
        status, slot = await client.named("PUT", "a", {"priority": 3}, wait="20")
        assert (status, slot["claim"]) == (200, fake.holders[0])
        assert (await client.look("/readyz")) == (200, "ok\n")

    lives(put_a, second)


def test_who_is_refused_the_lookup_is_told_as_the_coordinator_says_it() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        fake.lookups = Reply(404, problem("unknown-node", 404))
        status, body = await client.named("PUT", "b", wait="20")
        assert (status, body["type"].rsplit("/", 1)[1]) == (404, "unknown-node")
        assert "unknown node" in (await client.look("/readyz"))[1]

    lives(put_a, second)


def test_a_connections_slot_is_not_taken_over() -> None:
    async def first(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("a")

    async def second(client: Client, fake: NodeCoordinator) -> None:
        count = len(fake.bodies)
        await asyncio.sleep(100)
        assert (await client.overview())["slots"] == []
        assert len(fake.bodies) == count
        assert len(fake.holders) == 1  # its Pod and its TTL decide

    lives(first, second)


def test_another_sidecars_slot_is_not_taken_over() -> None:
    async def whole() -> None:
        fake = NodeCoordinator()
        async with running(fake) as client:
            await put_a(client, fake)
        async with running(fake, name="other") as client:
            await asyncio.sleep(100)
            assert (await client.overview())["slots"] == []
            assert (await client.named("PUT", "a", wait="5"))[0] == 202
        assert len(fake.claims_of("a")) == 2

    in_virtual_time(whole())


def test_who_waited_keeps_its_claim_but_is_granted_nothing_until_it_is_named() -> None:
    async def first(client: Client, fake: NodeCoordinator) -> None:
        fake.limit = 0
        assert (await client.named("PUT", "a", wait="5"))[0] == 202

    async def second(client: Client, fake: NodeCoordinator) -> None:
        count = len(fake.bodies)
        await asyncio.sleep(100)
        assert (await client.overview())["slots"][0]["state"] == "dormant"
        assert len(fake.bodies) == count
        assert (await client.named("GET", "a"))[0] == 202
        fake.limit = 1
        fake.touch()
        status, slot = await client.named("GET", "a", wait="10")
        assert (status, slot["claim"]) == (200, fake.claims_of("a")[0])

    lives(first, second)


def test_who_waited_can_be_deleted_by_the_next_life() -> None:
    async def first(client: Client, fake: NodeCoordinator) -> None:
        fake.limit = 0
        assert (await client.named("PUT", "a", wait="5"))[0] == 202

    async def second(client: Client, fake: NodeCoordinator) -> None:
        await asyncio.sleep(5)
        assert await client.named("DELETE", "a") == (204, {})
        assert (fake.queue, fake.released) == ([], fake.claims_of("a"))

    lives(first, second)


def test_the_time_before_the_lookup_counts_as_waiting() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        fake.lookups = Reply(503, problem("not-ready", 503))
        began = now()
        assert (await client.named("PUT", "b", {"timeoutSeconds": 30}, wait="20"))[0] == 202
        fake.lookups = None
        assert (await client.named("PUT", "b", {"timeoutSeconds": 30}, wait="50"))[0] == 408
        assert now() - began == pytest.approx(30, abs=1)

    lives(put_a, second)


def test_what_no_client_asks_for_is_let_go_and_may_still_be_asked_for() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        await adopted(client)
        await asyncio.sleep(620)
        count = len(fake.bodies)
        await asyncio.sleep(100)
        assert len(fake.bodies) == count
        assert (await client.overview())["slots"][0]["state"] == "dormant"
        assert fake.held() == ["a"]
        assert fake.released == []
        assert (await client.named("GET", "a", wait="10"))[1]["claim"] == fake.holders[0]
        assert await client.named("DELETE", "a") == (204, {})
        assert not fake.holders

    lives(put_a_of_a_mover, second)


def test_what_no_client_asks_for_is_given_back_where_only_the_sidecars_own_pod_could_tell() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        (claim,) = fake.holders.values()
        await adopted(client)
        await asyncio.sleep(590)
        assert fake.held() == ["a"]
        await asyncio.sleep(30)
        assert (fake.held(), fake.released) == ([], [claim])
        assert (await client.overview())["slots"] == []

    lives(put_a, second)


def test_what_was_let_go_can_be_deleted() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        await asyncio.sleep(700)
        assert await client.named("DELETE", "a") == (204, {})
        assert not fake.holders

    lives(put_a_of_a_mover, second)


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_one_that_was_named_stays(method: str) -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        await adopted(client)
        await client.named(method, "a", {"priority": 3} if method == "PUT" else None)
        count = len(fake.bodies)
        await asyncio.sleep(1000)
        assert len(fake.bodies) > count + 20

    lives(put_a, second)


def test_a_slot_lost_meanwhile_is_told_as_lost_and_never_granted_anew() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        await adopted(client)
        fake.lose(fake.holders[0])
        await asyncio.sleep(700)
        assert (await client.named("PUT", "a", {"priority": 3}))[0] == 409
        status, slot = await client.named("PUT", "a", {"priority": 3}, wait="10")
        assert (status, slot["claim"][-2:]) == (200, ".1")

    lives(put_a, second)


def test_released_ids_of_an_earlier_life_are_passed_over() -> None:
    async def first(client: Client, fake: NodeCoordinator) -> None:
        for _ in range(3):
            await client.named("PUT", "a", wait="10")
            await client.named("DELETE", "a")

    async def second(client: Client, fake: NodeCoordinator) -> None:
        status, slot = await client.named("PUT", "a", wait="10")
        assert (status, slot["claim"][-2:]) == (200, ".3")

    lives(first, second)


def test_of_two_claims_of_one_name_the_older_is_given_back() -> None:
    """The sidecar was killed between a DELETE and its word to the coordinator."""

    async def first(client: Client, fake: NodeCoordinator) -> None:
        await client.named("PUT", "a", wait="10")
        fake.deaf_to_releases = True
        gone = asyncio.create_task(client.named("DELETE", "a"))
        await asyncio.sleep(0.1)
        await client.named("PUT", "a", wait="10")
        gone.cancel()

    async def second(client: Client, fake: NodeCoordinator) -> None:
        assert len(fake.holders) == 2
        fake.deaf_to_releases = False
        newer = fake.claims_of("a")[1]
        await until(lambda: list(fake.holders.values()) == [newer])
        assert (await client.named("GET", "a", wait="5"))[1]["claim"] == newer

    lives(first, second, limit=2)


def test_a_load_that_resumes_in_a_new_pod_tells_the_coordinator_of_it() -> None:
    async def whole() -> None:
        fake = NodeCoordinator()
        async with running(fake) as client:
            await client.named("PUT", "a", wait="10")
        new = Pod("velero", "node-agent-y", "uid-2")
        async with running(fake, defaults=Defaults(pod=new)) as client:
            await adopted(client)
            assert fake.elements[fake.holders[0]]["pod"]["name"] == "node-agent-x"
            await client.named("PUT", "a")
            await until(lambda: fake.elements[fake.holders[0]]["pod"] == new.body())

    in_virtual_time(whole())


def test_another_load_of_the_name_does_not_get_its_slot() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        early = asyncio.create_task(client.named("PUT", "a", {"priority": 3, "uid": "7"}, wait="5"))
        status, body = await early
        assert (status, body["errors"][0]["field"]) == (409, "uid")
        assert (await client.named("PUT", "a", {"priority": 3, "uid": "7"}))[0] == 409
        assert (await client.named("PUT", "a", {"priority": 3}))[0] == 200

    lives(put_a, second)


def test_a_coordinator_away_at_the_start_is_waited_for() -> None:
    async def second(client: Client, fake: NodeCoordinator) -> None:
        fake.down = True
        began = now()
        await asyncio.sleep(120)
        status, why = await client.look("/readyz")
        assert (status, why) == (503, f"no coordinator has answered for {now() - began:.0f} s\n")
        fake.down = False
        assert (await adopted(client))["claim"] == fake.holders[0]

    lives(put_a, second)
