"""A node's limit and hold reach its table, and each change of them is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.happenings import ConfigChanged, HoldChanged, LimitChanged
from coordinator.embedded import objects
from coordinator.embedded.resources import NODES
from tests.service.cluster import NODE, NS, Cluster, granted

if TYPE_CHECKING:
    from coordinator.core.happenings import Happening
    from coordinator.service.pool import Pool

OTHER = "node2"
HOLD = {"annotations": {"nodeslots.io/hold": "new disks"}}


def listening(pool: Pool) -> list[Happening]:
    told: list[Happening] = []
    pool.reports.listen(told.append)
    return told


async def test_a_node_that_nobody_ever_asked_for_is_told_of_too(cluster: Cluster) -> None:
    objects.put(cluster.store, objects.node(OTHER))
    async with cluster.pool() as pool:
        await cluster.jumps.turn()
        told = listening(pool)
        cluster.patch_node(HOLD, OTHER)
        await cluster.jumps.until(lambda: told)
        assert told == [HoldChanged(OTHER, "new disks")]
        assert OTHER not in pool.desks


async def test_a_new_config_is_told_once_and_then_each_nodes_limit_by_name(
    cluster: Cluster,
) -> None:
    objects.put(cluster.store, objects.node(OTHER))
    async with cluster.pool() as pool:
        await granted(pool, "a")
        told = listening(pool)
        cluster.limit(5)
        await cluster.jumps.until(lambda: len(told) >= 3)
        assert told == [
            ConfigChanged(pool.config().version, ""),
            LimitChanged(NODE, 2, 5, "globalConfig"),
            LimitChanged(OTHER, 2, 5, "globalConfig"),
        ]


async def test_a_node_that_goes_loses_its_limit_and_one_that_comes_is_no_change(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await cluster.jumps.turn()
        told = listening(pool)
        cluster.store.create(NODES, "", objects.node(OTHER))
        await cluster.jumps.until(lambda: OTHER in pool.nodes())
        assert told == []
        cluster.store.delete(NODES, "", OTHER)
        await cluster.jumps.until(lambda: told)
        assert told == [LimitChanged(OTHER, 2, 0, "the node is gone")]


async def test_a_change_that_changes_nothing_is_not_told(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a")
        told = listening(pool)
        cluster.patch_node({"labels": {"colour": "red"}})
        cluster.patch_node(HOLD)
        await cluster.jumps.until(lambda: told)
        assert told == [HoldChanged(NODE, "new disks")]


async def test_who_listens_no_more_is_told_nothing(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        told: list[Happening] = []
        unlisten = pool.reports.listen(told.append)
        await granted(pool, "a")
        unlisten()
        await pool.leave(NODE, "a", 5)
        assert len(told) == 1


async def test_a_leader_that_lost_its_lead_hears_nothing_more(cluster: Cluster) -> None:
    """Its pools are gone; the next reign begins with none of what they heard."""
    async with cluster.coordinator() as running:
        pool = running.pool(NS)
        await granted(pool, "a")
        feed, before = pool.news.feed, pool.news.feed.last
        assert before
        running._end_reign()
        pool.reports.config_changed("1")
        assert (feed.last, feed.ended) == (before, True)
