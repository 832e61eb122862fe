"""On the real API server: the library for tasks and for threads, through a restart."""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from agent_client.blocking import BlockingSlotClient
from agent_client.client import SlotClient
from agent_client.errors import ClientClosed, Refused, SlotLost, SlotTimeout
from tests.e2e.cluster import limits
from tests.e2e.waiting import DEADLINE, until

if TYPE_CHECKING:
    from agent_client.messages import Queued
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real


def _client(site: Site, node: str, agent: str = "library") -> SlotClient:
    return SlotClient(site.url, agent=agent, **site.client_settings(node))


def _restart(site: Site) -> None:
    assert site.stop(signal.SIGTERM) == 0
    site.start()


async def test_tasks_keep_slot_and_place_through_a_restart(
    site: Site, cluster: Cluster, node: str
) -> None:
    queued, places = asyncio.Event(), []

    def on_queued(place: Queued) -> None:
        places.append(place.position)
        queued.set()

    async def wait_for_a_slot(client: SlotClient) -> int | None:
        async with client.slot(load="second", on_queued=on_queued) as slot:
            return slot.fencing_token

    async with _client(site, node) as client, asyncio.timeout(DEADLINE):
        async with client.slot(load="first") as slot:
            token = slot.fencing_token
            second = asyncio.create_task(wait_for_a_slot(client))
            await queued.wait()
            await asyncio.to_thread(_restart, site)
            await asyncio.to_thread(site.wait_queue, node, "second")
            assert (slot.fencing_token, slot.lease) == (token, f"{node}-slot-0")
            assert slot.governed
            assert not slot.lost.is_set()
            assert not slot.unconfirmed.is_set()
            assert not second.done()
            assert list(cluster.holders().values()) == ["first"]
        next_token = await second
    assert token is not None
    assert next_token is not None
    assert next_token > token
    assert set(places) == {1}
    assert cluster.holders() == {}


async def test_a_slot_lost_by_an_operators_hand_cancels_the_body_that_asked_for_it(
    site: Site, cluster: Cluster, node: str
) -> None:
    async def hold_for_ever(client: SlotClient) -> None:
        async with client.slot(load="first", cancel_on_lost=True) as slot:
            await asyncio.to_thread(cluster.delete_lease, str(slot.lease))
            await asyncio.Event().wait()

    async with _client(site, node) as client, asyncio.timeout(DEADLINE):
        with pytest.raises(SlotLost, match="first"):
            await hold_for_ever(client)
        async with client.slot(load="second"):
            assert list(cluster.holders().values()) == ["second"]


async def test_no_slot_in_time_is_a_timeout_that_leaves_the_queue_and_other_content_is_refused(
    site: Site, cluster: Cluster, node: str
) -> None:
    site.granted(node, "holder")
    async with _client(site, node) as client, asyncio.timeout(DEADLINE):
        with pytest.raises(SlotTimeout, match="late"):
            async with client.slot(load="late", timeout=0):
                pytest.fail("there is no slot")
        assert site.node(node)["queue"] == []
        with pytest.raises(Refused) as refused:
            async with client.slot(load="another", claim="holder"):
                pytest.fail("the claim is somebody else's")
    assert refused.value.problem.name == "claim-mismatch"
    assert list(cluster.holders().values()) == ["holder"]


async def test_one_claim_id_is_one_slot_for_a_process_that_comes_back_for_it(
    site: Site, cluster: Cluster, node: str
) -> None:
    grant = site.granted(node, "nightly")
    async with (
        asyncio.timeout(DEADLINE),
        _client(site, node) as client,
        client.slot(load="nightly", claim="nightly") as slot,
    ):
        assert slot.fencing_token == grant["fencingToken"]
    assert cluster.holders() == {}


def test_threads_keep_slot_and_place_through_a_restart(
    site: Site, cluster: Cluster, node: str
) -> None:
    queued = threading.Event()
    client = BlockingSlotClient(site.url, agent="library", **site.client_settings(node))

    def wait_for_a_slot() -> int | None:
        with client.slot(load="second", on_queued=lambda _: queued.set()) as slot:
            return slot.fencing_token

    with ThreadPoolExecutor(1) as threads:
        with client.slot(load="first") as slot:
            token = slot.fencing_token
            second = threads.submit(wait_for_a_slot)
            assert queued.wait(DEADLINE)
            _restart(site)
            site.wait_queue(node, "second")
            assert (slot.fencing_token, slot.lost.is_set()) == (token, False)
            assert list(cluster.holders().values()) == ["first"]
        next_token = second.result(DEADLINE)
    assert token is not None
    assert next_token is not None
    assert next_token > token
    until(lambda: cluster.holders() == {}, "both gave it back")


async def test_a_client_that_departs_leaves_its_slot_held_and_frees_its_place_in_the_queue(
    site: Site, cluster: Cluster, node: str
) -> None:
    queued = asyncio.Event()
    client = _client(site, node)
    async with asyncio.timeout(DEADLINE), client.slot(load="first", claim="first") as slot:
        waiting = client.slot(load="second", on_queued=lambda _: queued.set())
        second = asyncio.create_task(waiting.__aenter__())
        await queued.wait()
        assert await client.depart(within=DEADLINE)
        with pytest.raises(ClientClosed):
            await second
    assert site.queue(node) == []
    assert list(cluster.holders().values()) == ["first"]
    async with _client(site, node).slot(load="first", claim="first") as again:
        assert again.fencing_token == slot.fencing_token, "it is the same claim, never released"
    assert cluster.holders() == {}


async def test_callers_that_want_both_of_two_slots_take_turns(site: Site, cluster: Cluster) -> None:
    node = cluster.add_node(2)
    cluster.configure(limits(2))
    site.start()
    running: list[str] = []

    async def caller(name: str) -> None:
        async with _client(site, node, name).slots([f"{name}-1", f"{name}-2"]) as slots:
            running.append(name)
            assert len({slot.lease for slot in slots}) == 2
            assert running == [name]
            assert sorted(cluster.holders().values()) == [f"{name}-1", f"{name}-2"]
            running.remove(name)

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(caller(name) for name in ("a", "b", "c")))
    assert cluster.holders() == {}
