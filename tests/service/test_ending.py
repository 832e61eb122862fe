"""An agent that goes says so: its slot is free as soon as a look shows that its Pod has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from coordinator.core.refusals import PodFinished
from coordinator.core.views import Granted, Lost
from tests.service.cluster import NODE, NS, Cluster, granted, sync, with_pod
from tests.service.pods import ENDED, job_pod
from tests.service.test_pod_watch import gets

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler

    from coordinator.core.messages import Ask
    from coordinator.core.model import PodRef
    from coordinator.service.pool import Pool

PODS = f"/api/v1/namespaces/{NS}/pods/"


async def held(cluster: Cluster, pool: Pool) -> tuple[PodRef, Ask]:
    """A claim `a` of a Pod whose containers are not started again, and its last request."""
    pod = job_pod(cluster, "load")
    view = await granted(pool, "a", ttl=60, pod=pod)
    last = with_pod("a", pod, 60)._replace(token=view.token, ending=True)
    await pool.ask(NODE, last._replace(ending=False), 0)
    await cluster.jumps.advance(2)
    return pod, last


def deaf(cluster: Cluster) -> None:
    """No watch of Pods tells of anything any more."""

    async def silence(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await cluster.faults.swallow(request, handler)

    cluster.faults.on(lambda request: request.path == PODS.rstrip("/"), silence, times=1e9)
    cluster.faults.cut_all()


async def test_the_kubelets_status_that_comes_after_the_word_is_seen_within_a_second(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        _, last = await held(cluster, pool)
        deaf(cluster)
        await cluster.jumps.advance(3)
        await pool.sync(NODE, sync(1, last))
        await cluster.jumps.advance(4)
        assert cluster.holders()
        cluster.pod_status("load", ENDED)
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 1.5


async def test_a_deleted_pod_that_shows_its_end_for_a_moment_only_frees_its_slot(
    cluster: Cluster,
) -> None:
    """A kubelet tells of the end of a Pod that is deleted 0.3 s before the Pod is gone."""
    async with cluster.pool() as pool:
        _, last = await held(cluster, pool)
        await pool.sync(NODE, sync(1, last))
        await cluster.jumps.advance(2.2)
        cluster.pod_status("load", {"phase": "Failed"})
        await cluster.jumps.advance(0.3)
        cluster.delete_pod("load")
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 0.5


async def test_a_pod_that_goes_on_keeps_its_slot_and_costs_a_dozen_looks(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        _, last = await held(cluster, pool)
        before = gets(cluster, PODS)
        assert isinstance(await pool.ask(NODE, last, 0), Granted)
        await cluster.jumps.advance(40)
        assert 8 <= gets(cluster, PODS) - before <= 12
        assert cluster.holders()


async def test_a_slot_given_back_that_way_warns_nobody(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        _, last = await held(cluster, pool)
        await pool.ask(NODE, last, 0)
        with capture_logs() as logs:
            cluster.pod_status("load", ENDED)
            await cluster.jumps.until(lambda: not cluster.holders())
        assert cluster.events() == []
        [line] = [line for line in logs if line["event"] == "reclaim"]
        assert (line["log_level"], line["cause"]) == ("info", "finished")


async def test_a_claim_of_a_finished_pod_that_asks_on_is_refused_and_not_granted_each_second(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        pod, last = await held(cluster, pool)
        cluster.pod_status("load", {"phase": "Succeeded"})
        await cluster.jumps.until(lambda: not cluster.holders())
        writes = len([one for one in cluster.faults.sent if one.writes_lease])
        for number in range(1, 6):
            plain = with_pod("a", pod, 60)
            with pytest.raises(PodFinished):
                await pool.ask(NODE, plain, 0)
            answer = await pool.sync(NODE, sync(number, plain))
            assert isinstance(answer.claims[0], PodFinished)
            assert answer.news
            await cluster.jumps.advance(2)
        assert len([one for one in cluster.faults.sent if one.writes_lease]) == writes
        lost = await pool.ask(NODE, last, 0)
        assert isinstance(lost, Lost)
        assert "its Pod has finished" in lost.detail
