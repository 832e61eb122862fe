"""Who releases one claim and asks for the next is answered once: tickets wait for a write."""

from __future__ import annotations

from coordinator.core.views import Granted, Queued
from coordinator.service.asking import TOGETHER
from tests.service.cluster import NODE, Cluster, ask, granted, sync
from tests.service.faults import lease_write


async def test_a_new_claims_ticket_comes_with_the_grant_that_is_being_written(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        first = await pool.sync(NODE, sync(1, ask("b")))
        (b,) = first.claims
        assert isinstance(b, Queued)
        asks = ask("b", ticket=b.ticket), ask("c")
        answer = await pool.sync(NODE, sync(2, *asks, releases=("a",), wait=50))
        assert [type(view) for view in answer.claims] == [Granted, Queued]
        assert answer.released == ("a",)


async def test_a_ticket_does_not_wait_for_ever_for_a_write(cluster: Cluster) -> None:
    """A place has to be told while its coordinator lives, however slow the API server is."""
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        rule = cluster.faults.on(lease_write("PUT"), cluster.faults.swallow)
        answer = cluster.start(
            pool.sync(NODE, sync(1, ask("b"), ask("c"), releases=("a",), wait=50))
        )
        await cluster.jumps.until(lambda: rule.met)
        assert not answer.done()
        assert await cluster.jumps.until(answer.done) <= TOGETHER + 5
        assert isinstance(answer.result().claims[1], Queued)


async def test_a_ticket_is_told_at_once_while_no_write_is_under_way(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        held = await granted(pool, "a")
        known = ask("a", token=held.token)
        answer = cluster.start(pool.sync(NODE, sync(1, known, ask("b"), wait=50)))
        await cluster.jumps.turn()
        assert [type(view) for view in answer.result().claims] == [Granted, Queued]


async def test_what_is_refused_or_released_is_told_at_once_all_the_same(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        cluster.faults.on(lease_write("PUT"), cluster.faults.swallow)
        together = sync(1, ask("b"), ask("c"), releases=("a", "never-was"), wait=50)
        answer = cluster.start(pool.sync(NODE, together))
        await cluster.jumps.turn()
        assert answer.result().released == ("never-was",)
