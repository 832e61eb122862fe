"""What a running pool explains: from its own happenings, its ConfigMap and its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.estimate import Estimate, Unforeseen
from coordinator.core.sentences import claim_sentence, node_sentence, pool_sentence
from tests.service.cluster import NODE, Cluster, ask, granted

if TYPE_CHECKING:
    from coordinator.service.pool import Pool


async def hold(cluster: Cluster, pool: Pool, claim: str, seconds: float) -> None:
    """The claim holds a slot for so long."""
    await granted(pool, claim)
    for _ in range(int(seconds / 10)):
        await cluster.jumps.advance(10)
        await pool.ask(NODE, ask(claim), 0)
    await pool.leave(NODE, claim, 5)


async def test_the_wait_is_foreseen_from_the_loads_that_this_coordinator_saw_end(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        for number in range(4):
            await hold(cluster, pool, f"past-{number}", 100)
        await granted(pool, "holder")
        await pool.ask(NODE, ask("a"), 0)
        few = pool.insight.why_claim(NODE, "a").forecast
        assert isinstance(few, Unforeseen)
        assert few.why.startswith("too little to go by: 4 loads have ended on node1")
        await pool.leave(NODE, "a", 5)
        await pool.leave(NODE, "holder", 5)
        await hold(cluster, pool, "past-5", 100)
        await granted(pool, "holder-2")
        await pool.ask(NODE, ask("b"), 0)
        why = pool.insight.why_claim(NODE, "b")
        assert isinstance(why.forecast, Estimate)
        assert why.forecast.samples == 6
        assert 0 < why.forecast.seconds <= 101
        assert why.scene.holders[0].age is not None
        assert "likely" in claim_sentence(why)


async def test_how_long_a_load_held_is_learnt_when_it_ends(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await hold(cluster, pool, "a", 30)
        assert [round(one) for one in pool.reports.durations.of(NODE)] == [30]


async def test_a_refused_config_map_is_told_of_since_when_until_it_is_mended(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a")
        assert pool.insight.why_node(NODE).scene.config is None
        before = pool.wall()
        cluster.config("{")
        await cluster.jumps.until(lambda: not pool.config().accepted)
        trouble = pool.insight.why_node(NODE).scene.config
        assert trouble is not None
        assert trouble.since >= before.strftime("%Y-%m-%dT%H:%M:%S")
        assert "last good limits stay in force" in trouble.error
        await cluster.jumps.advance(60)
        cluster.config("{{")
        await cluster.jumps.turn()
        again = pool.insight.why_pool().config
        assert again is not None
        assert again.since == trouble.since
        assert f"refused since {trouble.since}" in pool_sentence(pool.insight.why_pool())
        cluster.limit(2)
        await cluster.jumps.until(lambda: pool.config().accepted)
        assert pool.insight.why_pool().config is None


async def test_a_node_that_nobody_asked_for_is_explained_too(cluster: Cluster) -> None:
    cluster.limit(2)
    async with cluster.pool() as pool:
        why = pool.insight.why_node(NODE)
        assert why.code == "free"
        assert node_sentence(why) == (
            "2 of 2 slots of node1 are free, limit 2 from globalConfig; nobody waits."
        )
        cluster.patch_node({"annotations": {"nodeslots.io/hold": "disk swap"}})
        await cluster.jumps.until(lambda: pool.node(NODE).hold == "disk swap")
        assert pool.insight.why_node(NODE).code == "on-hold"
        assert pool.desks == {}


async def test_a_pool_that_lost_its_lead_says_so(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        pool.begin_stop()
        why = pool.insight.why_pool(pool.ready())
        assert why.code == "not-ready"
        assert "shutting down" in pool_sentence(why)
