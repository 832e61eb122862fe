"""The operator's hand: Leases deleted, holders cleared, names that somebody else took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.views import Granted, Lost, Queued
from coordinator.embedded import objects
from coordinator.embedded.resources import LEASES
from tests.service.cluster import NODE, NS, Watchdog, ask, granted, sync
from tests.service.faults import Sent, lease_write, lost_before

if TYPE_CHECKING:
    from tests.service.cluster import Cluster


def reads_of(sent: list[Sent], lease: str) -> list[Sent]:
    return [one for one in sent if one.method == "GET" and one.path.endswith(lease)]


async def test_a_deleted_lease_frees_its_slot_and_its_claim_is_told_after_a_fresh_get(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        holds = cluster.start(pool.sync(NODE, sync(1, ask("a", token=first.token), wait=50)))
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        sent = len(cluster.faults.sent)
        cluster.delete_lease(first.lease)
        await cluster.jumps.turn()
        assert reads_of(cluster.faults.sent[sent:], first.lease)
        assert isinstance(holds.result().claims[0], Lost)
        second = waits.result()
        assert isinstance(second, Granted)
        assert second.token > first.token


async def test_a_cleared_holder_frees_its_slot_and_its_claim_is_told_after_a_fresh_get(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        sent = len(cluster.faults.sent)
        cluster.clear_holder(first.lease)
        await cluster.jumps.turn()
        assert reads_of(cluster.faults.sent[sent:], first.lease)
        lost = await pool.ask(NODE, ask("a", token=first.token), 0)
        assert isinstance(lost, Lost)
        assert first.lease in lost.detail
        assert isinstance(waits.result(), Granted)


async def test_nothing_is_told_lost_while_the_fresh_get_fails(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        first = await granted(pool, "a")

        def reads_lease(request: object) -> bool:
            return str(getattr(request, "path", "")).endswith(first.lease)

        rule = cluster.faults.on(reads_lease, lost_before, times=1e9)
        cluster.delete_lease(first.lease)
        await cluster.jumps.advance(5)
        assert await pool.ask(NODE, ask("a", token=first.token), 0) == first
        rule.times = 0
        waits = cluster.start(pool.sync(NODE, sync(1, ask("a", token=first.token), wait=50)))
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result().claims[0], Lost)


async def test_a_free_lease_that_is_deleted_is_made_again(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        await pool.leave(NODE, "a", 5)
        cluster.delete_lease(first.lease)
        second = await granted(pool, "b")
        assert second.lease == first.lease
        assert second.token > first.token


async def test_a_foreign_lease_on_a_slots_name_is_counted_shown_and_never_touched(
    cluster: Cluster,
) -> None:
    objects.put(cluster.store, objects.lease(NS, "node1-slot-0", "somebody"))
    before = cluster.store.get(LEASES, NS, "node1-slot-0")
    async with cluster.pool() as pool:
        assert (await granted(pool, "a")).slot == 1
        assert isinstance(await pool.ask(NODE, ask("b"), 0), Queued)
        (blocked, _) = pool.node(NODE).slots
        assert blocked.state == "blocked"
        assert "did not make" in blocked.detail
        cluster.limit(1)
        await cluster.jumps.advance(5)
        assert cluster.store.get(LEASES, NS, "node1-slot-0") == before
        cluster.limit(2)
        waits = cluster.start(pool.ask(NODE, ask("b"), 30))
        cluster.delete_lease("node1-slot-0")
        await cluster.jumps.until(waits.done)
        assert waits.result().slot == 0


async def test_a_foreign_lease_that_comes_between_is_met_and_gone_around(cluster: Cluster) -> None:
    dog = Watchdog(cluster, most=2)
    async with cluster.pool() as pool:
        cluster.faults.on(lease_write("POST"), lost_before)
        waits = cluster.start(pool.ask(NODE, ask("a"), 30))
        await cluster.jumps.turn()
        objects.put(cluster.store, objects.lease(NS, "node1-slot-0", "somebody"))
        await cluster.jumps.until(waits.done)
        assert waits.result().slot == 1
        assert not dog.faults


async def test_an_unreadable_holder_is_counted_and_never_touched(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        torn = {"metadata": {"annotations": {"nodeslots.io/claim": None}}}
        cluster.store.patch(LEASES, NS, first.lease, torn)
        await cluster.jumps.turn()
        before = cluster.store.get(LEASES, NS, first.lease)
        await granted(pool, "b")
        assert isinstance(await pool.ask(NODE, ask("c"), 0), Queued)
        assert pool.node(NODE).slots[0].state == "blocked"
        assert cluster.store.get(LEASES, NS, first.lease) == before


async def test_a_terminating_lease_is_neither_free_nor_handed_over(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        first = await granted(pool, "a")
        kept = {"metadata": {"finalizers": ["example.com/keep"]}}
        cluster.store.patch(LEASES, NS, first.lease, kept)
        cluster.delete_lease(first.lease)
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        await pool.leave(NODE, "a", 5)
        await cluster.jumps.advance(3)
        assert cluster.holders() == {}
        assert not waits.done()
        cluster.store.patch(LEASES, NS, first.lease, {"metadata": {"finalizers": None}})
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result(), Granted)
