"""A coordinator that ends at any moment, and the next one on the same API server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.core.claims import Policy
from coordinator.core.views import Granted, Lost, Queued, Released
from coordinator.service.errors import Stopping
from tests.service.cluster import NODE, Watchdog, ask, granted, sync
from tests.service.faults import lease_write, lost_before

if TYPE_CHECKING:
    from tests.service.cluster import Cluster


async def test_a_restart_loses_no_holder_and_hands_nothing_out_twice(cluster: Cluster) -> None:
    dog = Watchdog(cluster, most=2)
    async with cluster.pool() as pool:
        first = [await granted(pool, claim) for claim in "ab"]
        await pool.ask(NODE, ask("c"), 0)
    async with cluster.pool() as pool:
        assert isinstance(await pool.ask(NODE, ask("c"), 0), Queued)
        again = [await granted(pool, view.claim, token=view.token) for view in first]
        assert again == first
        assert await granted(pool, "a") == first[0]
    assert cluster.holders() == {view.lease: view.claim for view in first}
    assert not dog.faults


async def test_tickets_keep_the_order_through_a_restart(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        tickets = {}
        for claim in "bcd":
            view = await pool.ask(NODE, ask(claim), 0)
            assert isinstance(view, Queued)
            tickets[claim] = view.ticket
    async with cluster.pool(policy=Policy(settling=1.0)) as pool:
        cluster.start(pool.leave(NODE, "a", 30))
        late = cluster.start(pool.ask(NODE, ask("new"), 50))
        await cluster.jumps.turn()
        for claim in "dcb":
            cluster.start(pool.ask(NODE, ask(claim, ticket=tickets[claim]), 50))
        await cluster.jumps.advance(1.5)
        order = []
        for _ in range(4):
            (holder,) = cluster.holders().values()
            order.append(holder)
            await pool.leave(NODE, holder, 5)
            await cluster.jumps.turn()
        assert order == ["b", "c", "d", "new"]
        assert isinstance(late.result(), Granted)


async def test_the_term_grows_with_every_start(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        first = pool.term
        await granted(pool, "a")
    async with cluster.pool() as pool:
        assert pool.term > first


async def test_a_new_leader_gives_every_holder_a_full_ttl(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=10)
        await cluster.jumps.advance(8)
    async with cluster.pool():
        await cluster.jumps.advance(9)
        assert list(cluster.holders().values()) == ["a"]
        await cluster.jumps.advance(3)
        assert cluster.holders() == {}


async def test_a_slot_that_is_gone_after_a_restart_is_told_lost_and_never_granted_anew(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a")
    cluster.clear_holder(view.lease)
    async with cluster.pool() as pool:
        waits = cluster.start(pool.ask(NODE, ask("a", token=view.token), 20))
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result(), Lost)
        assert cluster.holders() == {}


async def test_a_coordinator_that_ends_during_a_write_waits_for_its_outcome(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a")
        cluster.start(pool.leave(NODE, "a", 5))
        await asyncio.sleep(0)
        sent = len(cluster.faults.sent)
    assert len(cluster.faults.sent) > sent
    assert cluster.holders() == {}
    async with cluster.pool() as pool:
        second = await granted(pool, "b")
        assert second.token > view.token


async def test_a_write_that_outlives_its_coordinator_takes_no_slot_from_the_next_ones_holder(
    cluster: Cluster,
) -> None:
    dog = Watchdog(cluster, most=1)
    cluster.limit(1)
    rule = cluster.faults.on(lease_write("PUT"), cluster.faults.hold_back, times=1e9)
    async with cluster.pool() as pool:
        cluster.start(pool.ask(NODE, ask("a"), 1))
        await cluster.jumps.turn()
    rule.times = 0
    async with cluster.pool() as pool:
        assert (await granted(pool, "b")).lease == "node1-slot-0"
        assert await cluster.faults.deliver_late(cluster.server.url) == {409}
        assert list(cluster.holders().values()) == ["b"]
        assert isinstance(await pool.ask(NODE, ask("a"), 0), Queued)
    assert not dog.faults


async def test_a_late_grant_of_the_last_coordinator_is_that_claims_grant(cluster: Cluster) -> None:
    rule = cluster.faults.on(lease_write("PUT"), cluster.faults.hold_back, times=1e9)
    async with cluster.pool() as pool:
        cluster.start(pool.ask(NODE, ask("a"), 1))
        await cluster.jumps.turn()
    rule.times = 0
    async with cluster.pool() as pool:
        assert await cluster.faults.deliver_late(cluster.server.url) == {200, 409}
        await cluster.jumps.turn()
        view = await granted(pool, "a")
        assert cluster.holders() == {view.lease: "a"}
        assert await pool.leave(NODE, "a", 5) == Released("a")
    assert cluster.holders() == {}


async def test_stopping_answers_who_waits_and_takes_no_new_requests(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.coordinator() as coordinator:
        pool = coordinator.pool("velero")
        view = await granted(pool, "a")
        known = (ask("a", token=view.token),)
        waits = [
            cluster.start(pool.ask(NODE, ask("b"), 50)),
            cluster.start(pool.sync(NODE, sync(1, *known, wait=50))),
        ]
        await cluster.jumps.turn()
        coordinator.begin_stop()
        await cluster.jumps.turn()
        for wait in waits:
            assert isinstance(wait.exception(), Stopping)
        with pytest.raises(Stopping) as told:
            await pool.ask(NODE, ask("c"), 0)
        assert told.value.retry_after > 0
    assert list(cluster.holders().values()) == ["a"]


async def test_a_grant_that_is_known_when_the_stop_begins_is_still_answered(
    cluster: Cluster,
) -> None:
    async with cluster.coordinator() as coordinator:
        pool = coordinator.pool("velero")
        waits = cluster.start(pool.ask(NODE, ask("a"), 50))
        await cluster.jumps.until(cluster.holders)
        coordinator.begin_stop()
        await cluster.jumps.turn()
        assert isinstance(waits.result(), Granted)


@pytest.mark.parametrize("late", ["/api/v1/nodes", "/configmaps"])
async def test_a_limit_that_is_not_known_yet_removes_no_lease(cluster: Cluster, late: str) -> None:
    cluster.limit(3)
    async with cluster.pool() as pool:
        for claim in "abc":
            await granted(pool, claim)
        for claim in "bc":
            await pool.leave(NODE, claim, 5)
    before = cluster.leases()
    assert len(before) == 3
    cluster.faults.on(lambda request: request.path.endswith(late), lost_before, times=3)
    async with cluster.pool(ready=False) as pool:
        await cluster.jumps.advance(2)
        assert pool.ready()
        await cluster.jumps.until(lambda: not pool.ready(), within=30)
        await cluster.jumps.advance(2)
        assert pool.node(NODE).limit == 3
    assert cluster.leases() == before
