"""Limits at work: the ConfigMap and the labels, edited, broken, deleted, missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.views import Queued
from coordinator.embedded.resources import CONFIG_MAPS
from tests.service.cluster import CONFIG, NODE, NS, Cluster, ask, granted
from tests.service.faults import any_request, forbidden

if TYPE_CHECKING:
    from coordinator.service.pool import Pool

BY_LABEL = """{"loadConcurrency": {"globalConfig": 1, "perNodeConfig": [
    {"nodeSelector": {"matchLabels": {"disk": "fast"}}, "number": 3}]}}"""


def limit(pool: Pool) -> int:
    return pool.node(NODE).limit


async def test_an_edited_config_map_moves_the_limit_and_grants_at_once(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        waits = cluster.start(pool.ask(NODE, ask("b"), 30))
        await cluster.jumps.turn()
        before = pool.config()
        cluster.limit(2)
        assert await cluster.jumps.until(waits.done) == 0
        after = pool.config()
        assert (after.accepted, after.error, after.global_limit) == (True, "", 2)
        assert int(after.version) > int(before.version)


async def test_a_smaller_limit_evicts_nobody_and_grants_nothing_until_enough_are_released(
    cluster: Cluster,
) -> None:
    cluster.limit(3)
    async with cluster.pool() as pool:
        for claim in "abc":
            await granted(pool, claim)
        cluster.limit(1)
        await cluster.jumps.until(lambda: limit(pool) == 1)
        for claim in "cb":
            await pool.leave(NODE, claim, 5)
            view = await pool.ask(NODE, ask("d"), 0)
            assert isinstance(view, Queued)
        assert cluster.holders() == {"node1-slot-0": "a"}
        await cluster.jumps.until(lambda: list(cluster.leases()) == ["node1-slot-0"])


async def test_a_label_edit_moves_the_limit_at_once(cluster: Cluster) -> None:
    cluster.config(BY_LABEL)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        assert limit(pool) == 1
        cluster.patch_node({"labels": {"disk": "fast"}})
        assert await cluster.jumps.until(lambda: limit(pool) == 3) == 0
        assert pool.node(NODE).decided_by == "perNodeConfig[0] disk=fast"
        await granted(pool, "b")


async def test_a_refused_config_map_leaves_the_last_good_limits_and_warns_on_the_object(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await cluster.jumps.turn()
        good = pool.config()
        cluster.config('{"loadConcurrency": {"globalConfig": "9"}}')
        await cluster.jumps.until(cluster.events)
        status = pool.config()
        assert (limit(pool), status.accepted, status.version) == (2, False, good.version)
        assert "globalConfig" in status.error
        assert "the last good limits stay in force" in status.error
        (event,) = cluster.events()
        uid = cluster.store.get(CONFIG_MAPS, NS, CONFIG)["metadata"]["uid"]
        assert (event["type"], event["reason"]) == ("Warning", "LimitsRefused")
        assert event["involvedObject"]["kind"] == "ConfigMap"
        assert event["involvedObject"]["uid"] == uid
        assert event["message"] == status.error


async def test_a_deleted_config_map_leaves_the_last_good_limits_and_a_new_one_is_taken(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        cluster.store.delete(CONFIG_MAPS, NS, CONFIG)
        await cluster.jumps.until(lambda: not pool.config().accepted)
        assert limit(pool) == 2
        assert "ConfigMap limits does not exist" in pool.config().error
        await cluster.jumps.until(cluster.events)
        cluster.limit(4)
        await cluster.jumps.until(lambda: pool.config().accepted)
        assert limit(pool) == 4


async def test_the_same_text_restored_is_accepted_again(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        cluster.config("{")
        await cluster.jumps.until(lambda: not pool.config().accepted)
        cluster.limit(2)
        await cluster.jumps.until(lambda: pool.config().accepted)
        assert (limit(pool), pool.config().error) == (2, "")


async def test_a_config_map_that_is_missing_at_the_start_means_one_loudly(
    cluster: Cluster,
) -> None:
    cluster.store.delete(CONFIG_MAPS, NS, CONFIG)
    async with cluster.pool() as pool:
        assert limit(pool) == 1
        status = pool.config()
        assert (status.accepted, status.version) == (False, "")
        assert "does not exist; every node has the default limit of 1" in status.error
        await cluster.jumps.until(cluster.events)
        assert cluster.events()[0]["type"] == "Warning"


async def test_a_config_map_that_is_broken_at_the_start_means_one_loudly(cluster: Cluster) -> None:
    cluster.config("[]")
    async with cluster.pool() as pool:
        assert limit(pool) == 1
        assert "every node has the default limit of 1" in pool.config().error


async def test_no_config_map_named_means_one_and_is_no_error(cluster: Cluster) -> None:
    async with cluster.pool(config_map=None) as pool:
        assert (limit(pool), pool.config().accepted, pool.config().error) == (1, True, "")


async def test_a_config_map_that_may_not_be_read_is_no_missing_one(cluster: Cluster) -> None:
    rule = cluster.faults.on(lambda request: "/configmaps" in request.path, forbidden, times=1e9)
    async with cluster.coordinator(ready=False) as coordinator:
        await cluster.jumps.advance(3)
        why = coordinator.ready()["velero"]
        assert "list configmaps" in why
        assert "in namespace velero" in why
        assert "Role" in why
        rule.times = 0
        await cluster.jumps.until(lambda: not coordinator.ready()["velero"])
        assert limit(coordinator.pool(NS)) == 2


async def test_a_coordinator_without_an_api_server_is_not_ready_and_says_why(
    cluster: Cluster,
) -> None:
    rule = cluster.faults.on(any_request, forbidden, times=1e9)
    async with cluster.coordinator(ready=False) as coordinator:
        await cluster.jumps.advance(2)
        assert "Nodes: could not list nodes" in coordinator.ready()["velero"]
        rule.times = 0
        await cluster.jumps.until(lambda: not coordinator.ready()["velero"])
