"""What alerts are made of: how long somebody waits, who is silent, who is turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coordinator.core.claims import Policy
from coordinator.core.model import Cause, PodRef
from coordinator.core.refusals import QueueFull
from coordinator.core.views import Granted
from coordinator.service.metrics import Metrics
from tests.service.cluster import NODE, NS, Cluster, ask, granted, with_pod

if TYPE_CHECKING:
    from coordinator.service.pool import Pool

TTL = 10
ONE_WAITS = Policy(settling=0.0, max_queue=1)


def shown(metrics: Metrics, name: str, **labels: str) -> float:
    """The value of the only such sample of a scrape."""
    found = text_string_to_metric_families(metrics.render().decode())
    (value,) = (
        sample.value
        for family in found
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return value


def counted(pool: Pool, name: str, **labels: str) -> float:
    """A counter of this pool's coordinator."""
    return shown(pool.reports._metrics, name, **labels)


def gauge(pool: Pool, name: str) -> float:
    """What a scrape would say of the pool's only node."""
    metrics = Metrics()
    metrics.watch(lambda: [pool])
    return shown(metrics, name, namespace=NS, node=NODE)


async def test_the_longest_wait_is_that_of_who_came_first_until_it_is_granted(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=3600)
        await pool.ask(NODE, ask("b"), 0)
        for _ in range(2):
            await cluster.jumps.advance(10)
            for claim in ("b", "c"):
                await pool.ask(NODE, ask(claim), 0)
        assert gauge(pool, "nodeslots_queue_length") == 2
        assert gauge(pool, "nodeslots_longest_wait_seconds") == pytest.approx(20, abs=1)
        await pool.leave(NODE, "a", 5)
        assert isinstance(await pool.ask(NODE, ask("b"), 5), Granted)
        assert gauge(pool, "nodeslots_queue_length") == 1
        assert gauge(pool, "nodeslots_longest_wait_seconds") == pytest.approx(10, abs=1)


async def test_nobody_waits_who_does_not_ask_any_more(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=3600)
        assert pool.count(NODE).longest_wait == 0
        await pool.ask(NODE, ask("b", ttl=3600), 0)
        await cluster.jumps.advance(10)
        assert pool.count(NODE).longest_wait == pytest.approx(10, abs=1)
        await cluster.jumps.advance(10)
        assert (pool.count(NODE).queued, pool.count(NODE).longest_wait) == (1, 0)


async def test_a_silent_holder_is_counted_until_it_speaks_again(cluster: Cluster) -> None:
    pod = PodRef(NS, "load", cluster.pod("load"))
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=TTL, pod=pod)
        assert gauge(pool, "nodeslots_slots_unresponsive") == 0
        await pool.ask(NODE, ask("a", ttl=TTL, pod=pod, token=view.token), 0)
        await cluster.jumps.advance(3 * TTL)
        assert pool.node(NODE).slots[0].state == "unresponsive"
        assert gauge(pool, "nodeslots_slots_unresponsive") == 1
        await pool.ask(NODE, with_pod("a", pod, TTL), 0)
        assert gauge(pool, "nodeslots_slots_unresponsive") == 0


async def test_who_is_turned_away_is_counted(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool(policy=ONE_WAITS) as pool:
        await granted(pool, "a")
        await pool.ask(NODE, ask("b"), 0)
        for _ in range(2):
            with pytest.raises(QueueFull):
                await pool.ask(NODE, ask("c"), 0)
        assert counted(pool, "nodeslots_claims_turned_away_total") == 2


async def test_counts_are_there_before_anything_happens(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        for cause in Cause:
            assert counted(pool, "nodeslots_reclaims_total", reason=cause.value) == 0
