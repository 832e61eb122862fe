"""A slot that is kept for a silent holder is told of, once, on its Lease and on its Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.model import PodRef
from coordinator.service.waits import MOST
from tests.service.cluster import NODE, NS, Cluster, ask, granted, with_pod
from tests.service.faults import any_request, lost_before

if TYPE_CHECKING:
    from coordinator.service.pool import Pool

TTL = 10


def told(cluster: Cluster) -> list[dict[str, Any]]:
    return [one for one in cluster.events() if one["reason"] == "HolderUnresponsive"]


async def silent(cluster: Cluster, pool: Pool, number: int = 1) -> list[PodRef]:
    """So many holders whose Pods run, and who have confirmed their grants; then nothing."""
    cluster.limit(number)
    await cluster.jumps.advance(1)
    pods = [PodRef(NS, f"pod-{one}", cluster.pod(f"pod-{one}")) for one in range(number)]
    for one, pod in enumerate(pods):
        view = await granted(pool, f"c-{one}", ttl=TTL, pod=pod)
        await pool.ask(NODE, ask(f"c-{one}", ttl=TTL, pod=pod, token=view.token), 0)
    return pods


async def test_a_silent_holder_is_told_of_on_its_lease_and_its_pod_with_what_to_do(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        [pod] = await silent(cluster, pool)
        await cluster.jumps.advance(TTL - 2)
        assert told(cluster) == []
        await cluster.jumps.until(lambda: len(told(cluster)) == 2)
        await cluster.jumps.advance(6 * TTL)
        events = {one["involvedObject"]["kind"]: one for one in told(cluster)}
        assert events["Lease"]["involvedObject"]["name"] == f"{NODE}-slot-0"
        assert events["Pod"]["involvedObject"]["uid"] == pod.uid
        for event in events.values():
            assert (event["type"], event["count"]) == ("Warning", 1)
            assert "its Pod velero/pod-0 cannot be shown to have ended" in event["message"]
            assert event["message"].endswith("kubectl delete lease node1-slot-0 -n velero")


async def test_who_speaks_again_and_falls_silent_is_told_of_anew(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        [pod] = await silent(cluster, pool)
        await cluster.jumps.until(lambda: len(told(cluster)) == 2)
        await pool.ask(NODE, with_pod("c-0", pod, TTL), 0)
        await cluster.jumps.advance(2)
        await cluster.jumps.until(lambda: sum(one["count"] for one in told(cluster)) == 4)


async def test_many_silent_holders_are_told_of_a_few_a_second_and_all_of_them(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await silent(cluster, pool, 12)
        await cluster.jumps.until(lambda: told(cluster))
        assert len(told(cluster)) <= 2 * MOST
        await cluster.jumps.until(lambda: len(told(cluster)) == 24)


async def test_while_the_api_server_is_away_nothing_is_told_and_nothing_is_lost(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await silent(cluster, pool)
        rule = cluster.faults.on(any_request, lost_before, times=1e9)
        cluster.faults.cut_all()
        await cluster.jumps.advance(3 * TTL)
        assert not any(one.path.endswith("/events") for one in cluster.faults.sent)
        rule.times = 0
        await cluster.jumps.until(lambda: len(told(cluster)) == 2, within=120)
