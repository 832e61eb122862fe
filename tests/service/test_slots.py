"""Slots through the pool: granted, handed over, given back, refused, and waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.core.claims import Policy
from coordinator.core.refusals import ClaimMismatch, ClaimReleased, QueueFull
from coordinator.core.views import Granted, Queued, Released
from coordinator.service.errors import NodeNotSeen, NodeUnknown, PoolUnknown
from coordinator.service.nodes import PATIENCE
from tests.service.cluster import NODE, ask, granted

if TYPE_CHECKING:
    from tests.service.cluster import Cluster


async def test_a_granted_answer_stands_in_the_api_server(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a", load="backup/1")
        lease = cluster.leases()[view.lease]
        assert lease.holder is not None
        assert (view.slot, view.lease) == (0, "node1-slot-0")
        assert (lease.holder.claim, lease.holder.token) == ("a", view.token)
        assert lease.holder.terms.load == "backup/1"


async def test_the_same_claim_gets_the_same_answer_however_often_it_asks(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        first, again = await asyncio.gather(granted(pool, "a"), granted(pool, "a"))
        third = await granted(pool, "a", token=first.token)
        assert first == again == third
        assert len(cluster.holders()) == 1


async def test_the_next_claim_is_written_over_the_releasing_one_in_one_put(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        waits = cluster.start(pool.ask(NODE, ask("b"), 30))
        await cluster.jumps.turn()
        sent = len(cluster.faults.sent)
        assert isinstance(await pool.leave(NODE, "a", 5), Released)
        second = await waits
        writes = [one for one in cluster.faults.sent[sent:] if one.writes_lease]
        assert [one.method for one in writes] == ["PUT"]
        assert second.lease == first.lease
        assert second.token > first.token


async def test_released_is_said_when_no_lease_names_the_claim_and_the_id_is_spent(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a")
        assert await pool.leave(NODE, "a", 5) == Released("a")
        assert cluster.holders() == {}
        assert await pool.leave(NODE, "a", 5) == Released("a")
        with pytest.raises(ClaimReleased):
            await pool.ask(NODE, ask("a"), 0)
        await cluster.jumps.advance(121)
        assert isinstance(await pool.ask(NODE, ask("a"), 5), Granted)


async def test_a_full_node_says_who_holds_and_the_queue_is_first_come_first_served(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        views = [await pool.ask(NODE, ask(claim), 0) for claim in ("b", "c")]
        urgent = await pool.ask(NODE, ask("d", priority=5), 0)
        assert [view.position for view in [*views, urgent] if isinstance(view, Queued)] == [1, 2, 1]
        assert isinstance(urgent, Queued)
        assert urgent.reason == "1 of 1 slots of node1 are held"
        assert [held.claim for held in urgent.holders] == ["a"]
        order = []
        for claim in "abcd":
            cluster.start(pool.ask(NODE, ask(claim, priority=5 * (claim == "d")), 60))
        holder = "a"
        for _ in range(3):
            await pool.leave(NODE, holder, 5)
            await cluster.jumps.turn()
            (holder,) = cluster.holders().values()
            order.append(holder)
        assert order == ["d", "b", "c"]


async def test_a_wait_ends_by_its_deadline(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=60)
        waits = cluster.start(pool.ask(NODE, ask("b"), 7))
        await cluster.jumps.advance(6.5)
        assert not waits.done()
        await cluster.jumps.advance(0.5)
        assert isinstance(waits.result(), Queued)


async def test_a_claim_whose_client_went_away_gets_nothing(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool(policy=Policy(settling=0.0, presence=3.0)) as pool:
        await granted(pool, "a")
        gone = cluster.start(pool.ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        gone.cancel()
        await cluster.jumps.advance(3.5)
        await pool.leave(NODE, "a", 5)
        assert cluster.holders() == {}
        (waiting,) = pool.node(NODE).queue
        assert (waiting.claim, waiting.present) == ("b", False)
        assert isinstance(await pool.ask(NODE, ask("b"), 5), Granted)


async def test_refusals_change_nothing(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool(policy=Policy(settling=0.0, max_queue=1)) as pool:
        await granted(pool, "a")
        await pool.ask(NODE, ask("b"), 0)
        before = pool.node(NODE)
        with pytest.raises(ClaimMismatch):
            await pool.ask(NODE, ask("a", priority=3), 0)
        with pytest.raises(QueueFull):
            await pool.ask(NODE, ask("c"), 0)
        assert pool.node(NODE) == before
        assert pool.look(NODE, "c") is None


async def test_an_unknown_node_may_only_be_young_for_half_a_minute(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        with pytest.raises(NodeNotSeen, match="node9 has not been seen yet") as told:
            await pool.ask("node9", ask("a"), 0)
        assert told.value.retry_after > 0
        await cluster.jumps.advance(PATIENCE + 1)
        with pytest.raises(NodeUnknown, match="no node node9"):
            await pool.ask("node9", ask("a"), 0)


async def test_a_pool_that_is_not_served_is_named_with_those_that_are(cluster: Cluster) -> None:
    async with cluster.coordinator() as coordinator:
        with pytest.raises(PoolUnknown, match="namespace apps; this coordinator serves velero"):
            coordinator.pool("apps")


async def test_a_node_on_hold_grants_nothing_and_says_why_and_who_holds_keeps(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        cluster.patch_node({"annotations": {"nodeslots.io/hold": "disk swap"}})
        await cluster.jumps.until(lambda: pool.node(NODE).hold == "disk swap")
        view = await pool.ask(NODE, ask("b"), 0)
        assert isinstance(view, Queued)
        assert view.reason == "node1 is on hold: disk swap"
        assert await granted(pool, "a") == first
        waits = cluster.start(pool.ask(NODE, ask("b"), 30))
        cluster.patch_node({"annotations": {"nodeslots.io/hold": None}})
        assert await cluster.jumps.until(waits.done) == 0


async def test_a_node_that_is_gone_keeps_its_holders_and_loses_its_free_leases(
    cluster: Cluster,
) -> None:
    from coordinator.embedded.resources import NODES

    async with cluster.pool() as pool:
        await granted(pool, "a")
        cluster.store.delete(NODES, "", NODE)
        await cluster.jumps.until(lambda: pool.node(NODE).limit == 0)
        assert cluster.holders() == {"node1-slot-0": "a"}
        assert isinstance(await granted(pool, "a"), Granted)
        assert await pool.leave(NODE, "a", 5) == Released("a")
        await cluster.jumps.until(lambda: not cluster.leases())
