"""A node that is deleted, with those who wait there and those who hold; and its return."""

from __future__ import annotations

import pytest

from coordinator.core.model import PodRef
from coordinator.core.views import Granted, Lost, Queued
from coordinator.embedded import objects
from coordinator.service.errors import NodeNotSeen, NodeUnknown
from tests.service.cluster import NODE, NS, Cluster, ask, granted, sync

TTL = 10


async def test_whoever_waits_is_told_at_once_why_it_is_no_use(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        (first,) = (await pool.sync(NODE, sync(1, ask("c")))).claims
        assert isinstance(first, Queued)
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        syncs = cluster.start(pool.sync(NODE, sync(2, ask("c", ticket=first.ticket), wait=50)))
        await cluster.jumps.advance(1)
        cluster.remove_node()
        assert await cluster.jumps.until(lambda: waits.done() and syncs.done()) <= 1
        for view in (waits.result(), syncs.result().claims[0]):
            assert isinstance(view, Queued)
            assert view.reason == f"{NODE} has no slots: the node is gone"


async def test_who_waited_on_a_node_that_is_gone_keeps_its_place_and_is_told_the_reason(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=60)
        first = await pool.ask(NODE, ask("b"), 0)
        cluster.remove_node()
        await cluster.jumps.advance(2)
        waits = cluster.start(pool.ask(NODE, ask("b"), 20))
        await cluster.jumps.until(waits.done)
        again = waits.result()
        assert isinstance(first, Queued)
        assert isinstance(again, Queued)
        assert (again.ticket, again.reason) == (
            first.ticket,
            f"{NODE} has no slots: the node is gone",
        )
        assert await pool.ask(NODE, ask("a", token=view.token), 0) == view


async def test_a_new_claim_on_a_node_that_is_gone_is_refused_also_while_others_hold_there(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=120)
        cluster.remove_node()
        await cluster.jumps.advance(1)
        with pytest.raises(NodeNotSeen):
            await pool.ask(NODE, ask("new"), 0)
        with pytest.raises(NodeNotSeen):
            await pool.sync(NODE, sync(1, ask("new"), agent="other"))
        await cluster.jumps.advance(31)
        with pytest.raises(NodeUnknown, match="the cluster has no node node1"):
            await pool.ask(NODE, ask("new"), 0)
        answer = await pool.sync(NODE, sync(1, ask("a", token=view.token, ttl=120), ask("new")))
        assert answer.claims[0] == view
        assert isinstance(answer.claims[1], Queued)


async def test_what_is_held_without_a_pod_is_freed_at_the_ttl_and_then_its_leases_are_removed(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=TTL)
        cluster.remove_node()
        await cluster.jumps.advance(TTL - 1)
        assert list(cluster.holders().values()) == ["a"]
        await cluster.jumps.until(lambda: not cluster.leases(), within=4)
        lost = await pool.ask(NODE, ask("a", ttl=TTL, token=view.token), 0)
        assert isinstance(lost, Lost)


async def test_what_its_pods_hold_is_kept_until_one_is_seen_finished(cluster: Cluster) -> None:
    pods = {name: PodRef(NS, name, cluster.pod(name)) for name in ("one", "two")}
    async with cluster.pool() as pool:
        for name, pod in pods.items():
            view = await granted(pool, name, ttl=TTL, pod=pod)
            await granted(pool, name, ttl=TTL, pod=pod, token=view.token)
        await cluster.jumps.turn()
        cluster.remove_node()
        await cluster.jumps.advance(5 * TTL)
        assert sorted(cluster.holders().values()) == ["one", "two"]
        assert [slot.state for slot in pool.node(NODE).slots] == ["unresponsive"] * 2
        cluster.pod_status("one", {"phase": "Failed"})
        await cluster.jumps.until(lambda: len(cluster.leases()) == 1, within=3)
        assert list(cluster.holders().values()) == ["two"]


async def test_a_node_that_comes_back_under_its_name_finds_its_holders_counted(
    cluster: Cluster,
) -> None:
    cluster.limit(2)
    pod = PodRef(NS, "load", cluster.pod("load"))
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=TTL, pod=pod)
        await granted(pool, "a", ttl=TTL, pod=pod, token=view.token)
        await cluster.jumps.turn()
        cluster.remove_node()
        await cluster.jumps.advance(3 * TTL)
        objects.put(cluster.store, objects.node(NODE))
        await cluster.jumps.advance(1)
        await granted(pool, "b")
        waits = await pool.ask(NODE, ask("c"), 0)
        assert isinstance(waits, Queued)
        assert waits.reason == f"2 of 2 slots of {NODE} are held"
        assert sorted(cluster.holders().values()) == ["a", "b"]


async def test_leases_of_a_node_that_went_while_nobody_led_are_kept_and_then_removed(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=TTL)
    cluster.remove_node()
    async with cluster.pool() as pool:
        assert pool.nodes() == [NODE]
        assert pool.count(NODE).limit == 0
        await cluster.jumps.advance(TTL - 1)
        assert cluster.holders()
        await cluster.jumps.until(lambda: not cluster.leases(), within=4)
        await cluster.jumps.until(lambda: not pool.nodes(), within=200)


async def test_who_waits_gets_its_slot_when_the_node_is_back_in_time(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        await pool.ask(NODE, ask("b"), 0)
        cluster.remove_node()
        await cluster.jumps.advance(1)
        waits = cluster.start(pool.ask(NODE, ask("b"), 30))
        await cluster.jumps.advance(1)
        await pool.leave(NODE, "a", 5)
        assert not waits.done()
        objects.put(cluster.store, objects.node(NODE))
        await cluster.jumps.until(waits.done, within=3)
        assert isinstance(waits.result(), Granted)


async def test_who_believes_to_hold_on_a_node_that_is_gone_gets_a_definite_answer(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=120)
        cluster.remove_node()
        await cluster.jumps.advance(1)
        waits = cluster.start(pool.ask(NODE, ask("b", token=3), 20))
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result(), Lost)
