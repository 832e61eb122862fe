"""Every reclaim says why: in the log, in a counter, and in Events on the Lease and the Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from coordinator.core.model import PodRef
from tests.service.cluster import NS, Cluster, granted

if TYPE_CHECKING:
    from coordinator.service.coordinator import Coordinator


def reclaims(running: Coordinator) -> dict[str, str]:
    """The counter's value by reason, where it is not 0."""
    lines = running.pool(NS).reports._metrics.render().decode().splitlines()
    found = [line for line in lines if line.startswith("nodeslots_reclaims_total{")]
    told = {line.split('reason="')[1].split('"')[0]: line.rsplit(" ", 1)[1] for line in found}
    return {reason: count for reason, count in told.items() if count != "0.0"}


def told(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The Events about reclaims, by the kind of what they are about."""
    events = [one for one in cluster.events() if one["reason"] == "SlotReclaimed"]
    return {one["involvedObject"]["kind"]: one for one in events}


async def test_a_reclaim_is_told_on_the_lease_and_on_the_pod_with_its_reason(
    cluster: Cluster,
) -> None:
    pod = PodRef(NS, "load", cluster.pod("load"))
    async with cluster.coordinator() as running:
        view = await granted(running.pool(NS), "a", load="backup-7", pod=pod)
        with capture_logs() as logs:
            await cluster.jumps.advance(2)
            assert logs == [], "a look that shows nothing of note is not told"
            cluster.pod_status("load", {"phase": "Failed"})
            await cluster.jumps.until(lambda: len(told(cluster)) == 2)
        found = told(cluster)
        assert found["Lease"]["involvedObject"]["name"] == view.lease
        assert found["Pod"]["involvedObject"]["uid"] == pod.uid
        for event in found.values():
            assert (event["type"], event["count"]) == ("Normal", 1), "it is how loads end"
            assert event["message"] == "backup-7: its Pod has finished"
        (line,) = [line for line in logs if line["event"] == "reclaim"]
        assert (line["cause"], line["reason"]) == ("finished", "its Pod has finished")


async def test_a_reclaim_of_a_claim_without_a_pod_is_told_on_the_lease_alone(
    cluster: Cluster,
) -> None:
    async with cluster.coordinator() as running:
        await granted(running.pool(NS), "a", ttl=10)
        await cluster.jumps.until(lambda: told(cluster))
        await cluster.jumps.advance(2)
        assert list(told(cluster)) == ["Lease"]
        assert told(cluster)["Lease"]["message"] == "load-a: not renewed for 10 s"
        assert told(cluster)["Lease"]["type"] == "Warning"


async def test_reclaims_are_counted_by_their_reason(cluster: Cluster) -> None:
    pod = PodRef(NS, "load", cluster.pod("load"))
    async with cluster.coordinator() as running:
        await granted(running.pool(NS), "a", pod=pod)
        await granted(running.pool(NS), "b", ttl=10)
        await cluster.jumps.advance(1)
        cluster.pod_status("load", {"phase": "Succeeded"})
        await cluster.jumps.until(lambda: not cluster.holders())
        assert reclaims(running) == {"finished": "1.0", "expired": "1.0"}
