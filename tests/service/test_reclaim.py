"""Dead holders: expiry by the coordinator's own clock, and what a claim's Pod shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core.claims import Policy
from coordinator.core.model import PodRef
from coordinator.core.views import Granted, Lost
from coordinator.embedded import objects
from coordinator.embedded.resources import NODES
from tests.service.cluster import NODE, NS, Cluster, ask, granted, with_pod
from tests.service.faults import any_request, lost_before
from tests.service.pods import ENDED, job_pod

if TYPE_CHECKING:
    from coordinator.service.pool import Pool

TTL = 10


async def test_a_silent_holder_without_a_pod_is_freed_after_its_ttl_and_not_before(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=TTL)
        await cluster.jumps.advance(6)
        await granted(pool, "a", ttl=TTL, token=view.token)
        await cluster.jumps.advance(TTL - 0.5)
        assert cluster.holders() == {view.lease: "a"}
        await cluster.jumps.advance(2)
        assert cluster.holders() == {}
        lost = await pool.ask(NODE, ask("a", ttl=TTL, token=view.token), 0)
        assert isinstance(lost, Lost)
        assert "not renewed" in lost.detail or "expired" in lost.detail


async def test_a_wait_that_goes_on_is_a_renewal_only_at_its_begin(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=TTL)
        waits = cluster.start(pool.ask(NODE, ask("b", ttl=TTL), 50))
        took = await cluster.jumps.until(waits.done)
        assert TTL <= took <= TTL + 2
        assert isinstance(waits.result(), Granted)


async def held_by_pod(cluster: Cluster, pool: Pool, *, confirmed: bool = True) -> PodRef:
    """A claim `a` whose load runs in a Pod; its agent falls silent from here on."""
    pod = PodRef(NS, "load", cluster.pod("load"))
    view = await granted(pool, "a", ttl=TTL, pod=pod)
    if confirmed:
        await granted(pool, "a", ttl=TTL, pod=pod, token=view.token)
    await cluster.jumps.turn()  # its Pod has been seen
    return pod


@pytest.mark.parametrize("ready", ["True", "False"])
async def test_a_finished_pod_frees_its_slot_whatever_its_node(
    cluster: Cluster, ready: str
) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool)
        cluster.node_status(ready)
        cluster.pod_status("load", {"phase": "Succeeded"})
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= TTL + 2


async def test_a_pod_whose_own_containers_all_ended_for_good_is_finished(cluster: Cluster) -> None:
    pod = job_pod(cluster, "load")
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=TTL, pod=pod)
        await granted(pool, "a", ttl=TTL, pod=pod, token=view.token)
        cluster.pod_status("load", ENDED)
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= TTL + 2


async def test_a_pod_that_is_gone_frees_its_slot_at_the_ttl_if_its_node_is_ready(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool)
        cluster.delete_pod("load")
        await cluster.jumps.advance(TTL - 1)
        assert cluster.holders()
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 3


async def test_a_pod_of_the_same_name_and_another_uid_is_not_the_claims(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool)
        cluster.delete_pod("load")
        cluster.pod("load")
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= TTL + 2


@pytest.mark.parametrize("node", ["not ready", "gone"])
@pytest.mark.parametrize("pod", ["gone", "there"])
async def test_a_pod_on_a_node_that_does_not_answer_keeps_its_slot_and_is_shown(
    cluster: Cluster, node: str, pod: str
) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool)
        if pod == "gone":
            cluster.delete_pod("load")
        if node == "gone":
            cluster.store.delete(NODES, "", NODE)
        else:
            cluster.node_status("Unknown")
        await cluster.jumps.advance(2 * TTL)
        assert list(cluster.holders().values()) == ["a"]
        assert pool.node(NODE).slots[0].state == "unresponsive"


async def test_the_node_that_must_be_ready_is_the_one_on_which_the_pod_runs(
    cluster: Cluster,
) -> None:
    objects.put(cluster.store, objects.node("other", ready=False))
    made = objects.put(cluster.store, objects.pod(NS, "load", "other", phase="Running"))
    pod = PodRef(NS, "load", made["metadata"]["uid"])
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=TTL, pod=pod)  # never confirmed: freed if its Pod runs
        await cluster.jumps.advance(2 * TTL)
        assert list(cluster.holders().values()) == ["a"]
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        cluster.store.patch(NODES, "", "other", {"status": ready}, subresource="status")
        await cluster.jumps.until(lambda: not cluster.holders(), within=40)


async def test_a_running_pod_keeps_its_slot_until_it_is_seen_to_end(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool)
        await cluster.jumps.advance(5 * TTL)
        assert pool.node(NODE).slots[0].state == "unresponsive"
        cluster.pod_status("load", {"phase": "Failed"})
        assert await cluster.jumps.until(lambda: not cluster.holders(), within=40) <= 32


async def test_a_running_pod_whose_grant_was_never_confirmed_is_freed_at_the_ttl(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool, confirmed=False)
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= TTL + 2


async def test_an_unresponsive_holder_that_comes_back_keeps_its_slot(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        pod = await held_by_pod(cluster, pool)
        await cluster.jumps.advance(2 * TTL)
        view = await pool.ask(NODE, with_pod("a", pod, TTL), 0)
        assert isinstance(view, Granted)
        assert pool.node(NODE).slots[0].state == "held"


async def test_an_unresponsive_holder_is_freed_when_its_own_time_out_is_over(
    cluster: Cluster,
) -> None:
    policy = Policy(settling=0.0, unresponsive_timeout=40.0)
    async with cluster.pool(policy=policy) as pool:
        await held_by_pod(cluster, pool)
        await cluster.jumps.advance(TTL + 38)
        assert cluster.holders()
        await cluster.jumps.advance(4)
        assert not cluster.holders()


async def test_a_pod_that_no_get_could_show_is_no_evidence(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await held_by_pod(cluster, pool)
        cluster.delete_pod("load")
        rule = cluster.faults.on(lambda request: "/pods/" in request.path, lost_before, times=1e9)
        await cluster.jumps.advance(3 * TTL)
        assert list(cluster.holders().values()) == ["a"]
        rule.times = 0
        assert await cluster.jumps.until(lambda: not cluster.holders(), within=40) <= 31


async def test_no_holder_expires_sooner_because_the_api_server_is_away(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=TTL)
        rule = cluster.faults.on(any_request, lost_before, times=1e9)
        for _ in range(4):
            await cluster.jumps.advance(6)
            assert await pool.ask(NODE, ask("a", ttl=TTL, token=view.token), 0) == view
        rule.times = 0
        await cluster.jumps.advance(6)
        assert await granted(pool, "a", ttl=TTL, token=view.token) == view
