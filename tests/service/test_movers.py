"""Velero's movers in a pool: counted, and told of where they take no slot or wait too long."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core.claims import Policy
from coordinator.core.model import PodRef
from coordinator.core.movers import GOVERNED, Kind
from coordinator.core.views import Queued
from coordinator.embedded.resources import PODS
from coordinator.kube.reflector import Listed
from coordinator.service.movers import MOST, SHOWN
from coordinator.service.status import MoversStatus
from tests.service.cluster import NODE, NS, Cluster, ask, granted, sync
from tests.service.faults import any_request, lost_before
from tests.service.test_metrics import counted

if TYPE_CHECKING:
    from coordinator.core.messages import Ask
    from coordinator.service.pool import Pool

SOON = Policy(settling=0.0, long_wait=20.0, prepare_timeout=60.0)


def mover(
    cluster: Cluster,
    name: str,
    kind: Kind = Kind.POD_VOLUME_BACKUP,
    *,
    governed: bool = False,
    node: str = NODE,
    **spec: Any,
) -> PodRef:
    labels = {kind.label: name} | ({GOVERNED: "true"} if governed else {})
    whole = {"containers": [{"name": "uid", "image": "example/none"}], "nodeName": node} | spec
    head = {"name": name, "labels": labels}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": whole}
    return PodRef(NS, name, cluster.store.create(PODS, NS, body)["metadata"]["uid"])


def told(cluster: Cluster, reason: str = "MoverUngoverned") -> list[dict[str, Any]]:
    return [one for one in cluster.events() if one["reason"] == reason]


def gets(cluster: Cluster) -> list[str]:
    asked = [one.path for one in cluster.faults.sent if one.method == "GET"]
    return [path for path in asked if f"/{NS}/pods/" in path]


async def test_movers_are_counted_by_whether_they_are_governed(cluster: Cluster) -> None:
    mover(cluster, "before")
    async with cluster.pool() as pool:
        await cluster.jumps.advance(1)
        mover(cluster, "up", Kind.DATA_UPLOAD, governed=True)
        down = mover(cluster, "down", Kind.DATA_DOWNLOAD)
        cluster.pod("something-else")
        await cluster.jumps.advance(1)
        status = pool.movers.status()
        assert (status.governed, status.ungoverned, status.ungoverned_seen) == (1, 2, 2)
        assert [(one.name, kind) for one, kind in status.ungoverned_pods] == [
            ("before", Kind.POD_VOLUME_BACKUP),
            ("down", Kind.DATA_DOWNLOAD),
        ]
        assert status.ungoverned_pods[1][0] == down


async def test_a_mover_that_finished_or_is_deleted_is_there_no_more_but_was_seen(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        for name in "ab":
            mover(cluster, name)
        mover(cluster, "c", governed=True)
        await cluster.jumps.advance(1)
        cluster.pod_status("a", {"phase": "Succeeded"})
        cluster.delete_pod("b")
        cluster.delete_pod("c")
        await cluster.jumps.advance(1)
        assert pool.movers.status() == MoversStatus(ungoverned_seen=2)
        assert counted(pool, "nodeslots_movers_ungoverned_total", namespace=NS) == 2


async def test_an_ungoverned_mover_is_told_of_once_with_its_node(cluster: Cluster) -> None:
    async with cluster.pool():
        pod = mover(cluster, "b-1")
        await cluster.jumps.advance(3)
        cluster.store.patch(PODS, NS, "b-1", {"metadata": {"annotations": {"a": "b"}}})
        await cluster.jumps.advance(3)
        [event] = told(cluster)
        assert (event["type"], event["count"]) == ("Warning", 1)
        about = event["involvedObject"]
        assert (about["kind"], about["name"], about["uid"]) == ("Pod", "b-1", pod.uid)
        assert event["message"] == (
            "the mover of PodVolumeBackup b-1 takes no slot, so node node1 may run more loads than"
            " its limit: no injection was in force when it was made; slot-coordinator velero check"
            " looks for the reason"
        )


@pytest.mark.parametrize(
    "spec", [{"os": {"name": "windows"}}, {"nodeSelector": {"kubernetes.io/os": "windows"}}]
)
async def test_of_a_windows_mover_it_is_said_that_those_are_not_governed(
    cluster: Cluster, spec: dict[str, Any]
) -> None:
    async with cluster.pool():
        mover(cluster, "b-1", **spec)
        await cluster.jumps.advance(2)
        [event] = told(cluster)
        assert event["message"].endswith("its limit: Windows movers are not governed")


async def test_after_a_relist_nobody_is_counted_or_told_of_again(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        mover(cluster, "a")
        await cluster.jumps.advance(2)
        cluster.faults.cut_all()
        mover(cluster, "b")
        await cluster.jumps.until(lambda: pool.movers.status().ungoverned == 2)
        await cluster.jumps.advance(3)
        assert pool.movers.status().ungoverned_seen == 2
        assert [one["count"] for one in told(cluster)] == [1, 1]


async def test_a_new_leader_counts_from_zero_and_finds_who_is_there(cluster: Cluster) -> None:
    async with cluster.pool():
        for name in "ab":
            mover(cluster, name)
        await cluster.jumps.advance(3)
        cluster.delete_pod("a")
    async with cluster.pool() as pool:
        await cluster.jumps.advance(1)
        assert pool.movers.status().ungoverned_seen == 1


async def test_many_are_looked_at_one_a_second_and_only_some_are_named(cluster: Cluster) -> None:
    number = SHOWN + 5
    async with cluster.pool() as pool:
        for one in range(number):
            mover(cluster, f"m-{one:02}")
        await cluster.jumps.until(lambda: told(cluster))
        for _ in range(5):
            before = len(gets(cluster))
            await cluster.jumps.advance(1)
            assert 0 < len(gets(cluster)) - before <= 1
        assert len(pool.movers.status().ungoverned_pods) == SHOWN
        await cluster.jumps.advance(number)
        assert len(told(cluster)) == len(set(gets(cluster))) == number


async def test_those_that_are_gone_are_told_of_without_a_look(cluster: Cluster) -> None:
    async with cluster.pool():
        for one in range(12):
            mover(cluster, f"m-{one:02}")
        await cluster.jumps.until(lambda: told(cluster))
        for one in range(12):
            cluster.delete_pod(f"m-{one:02}")
        await cluster.jumps.turn()
        before, looked = len(told(cluster)), len(gets(cluster))
        await cluster.jumps.advance(1)
        assert 1 < len(told(cluster)) - before <= MOST
        await cluster.jumps.advance(3)
        assert (len(told(cluster)), len(gets(cluster))) == (12, looked)


async def test_a_look_that_fails_leaves_out_the_node(cluster: Cluster) -> None:
    async with cluster.pool():
        cluster.faults.on(lambda request: request.path.endswith("/pods/b-1"), lost_before, 1e9)
        mover(cluster, "b-1")
        await cluster.jumps.until(lambda: told(cluster), within=60)
        assert "so its node may run more" in told(cluster)[0]["message"]


async def test_while_the_api_server_is_away_nothing_is_told_and_nothing_is_lost(
    cluster: Cluster,
) -> None:
    async with cluster.pool():
        for name in "abc":
            mover(cluster, name)
        await cluster.jumps.until(lambda: told(cluster))
        rule = cluster.faults.on(any_request, lost_before, times=1e9)
        cluster.faults.cut_all()
        await cluster.jumps.advance(30)
        rule.times = 0
        await cluster.jumps.until(lambda: len(told(cluster)) == 3, within=90)


# --- the prepare timeout ------------------------------------------------------------------------


async def waits(cluster: Cluster, pool: Pool, name: str = "r-1") -> PodRef:
    """A full node, and a mover whose sidecar waits for it."""
    cluster.limit(1)
    await cluster.jumps.advance(1)
    await granted(pool, "holder", ttl=3600)
    pod = mover(cluster, name, Kind.POD_VOLUME_RESTORE, governed=True)
    asked = ask(pod.uid, load=name, priority=100, pod=pod)
    first = (await pool.sync(NODE, sync(1, asked))).claims[0]
    assert isinstance(first, Queued)
    cluster.start(_goes_on(pool, asked._replace(ticket=first.ticket)))
    return pod


async def _goes_on(pool: Pool, asked: Ask) -> None:
    for sequence in count(2):
        if (await pool.sync(NODE, sync(sequence, asked, wait=5))).news:
            return  # it has its slot


async def test_a_mover_that_waits_is_told_of_before_velero_fails_it_with_all_numbers(
    cluster: Cluster,
) -> None:
    async with cluster.pool(policy=SOON) as pool:
        pod = await waits(cluster, pool)
        await cluster.jumps.advance(43)
        assert told(cluster, "PrepareTimeoutNear") == []
        assert pool.movers.status().near_timeout == 0
        await cluster.jumps.until(lambda: told(cluster, "PrepareTimeoutNear"), within=4)
        assert pool.movers.status().near_timeout == 1
        await cluster.jumps.advance(30)
        [event] = told(cluster, "PrepareTimeoutNear")
        assert (event["type"], event["count"]) == ("Warning", 1)
        assert event["involvedObject"]["uid"] == pod.uid
        assert event["message"] == (
            "the mover of PodVolumeRestore r-1 waits for a slot of node node1 in pool velero and"
            " was made 45 s ago: position 1 of 1, 1 of 1 slots of node1 are held; held by"
            " load-holder. Velero fails it in about 15 s, when its prepare timeout of 60 s is over:"
            " raise --data-mover-prepare-timeout of the node-agent, and --prepare-timeout of the"
            " coordinator with it, to the longest wait, or give the node more slots"
        )
        assert len(told(cluster, "SlotWaiting")) == 1, "and as a long wait it is told of, too"


async def test_a_mover_that_got_its_slot_is_not_near_its_timeout(cluster: Cluster) -> None:
    async with cluster.pool(policy=SOON) as pool:
        pod = await waits(cluster, pool)
        await cluster.jumps.advance(10)
        cluster.limit(2)
        await cluster.jumps.until(lambda: pod.uid in cluster.holders().values())
        await cluster.jumps.advance(50)
        assert told(cluster, "PrepareTimeoutNear") == []


@pytest.mark.parametrize(("age", "near"), [(-30, 0), (0, 0), (40, 0), (50, 1), (70, 1)], ids=str)
async def test_a_new_leader_counts_from_the_pods_creation(
    cluster: Cluster, age: float, near: int
) -> None:
    """A Pod that was made in the future, as another clock tells it, is a new one."""
    async with cluster.pool(policy=SOON) as pool:
        pod = await waits(cluster, pool)
        made = (pool.wall() - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
        shown = cluster.store.get(PODS, NS, pod.name)
        shown["metadata"]["creationTimestamp"] = made
        pool.movers.take(Listed([], "1", 0.0))
        pool.movers.take(Listed([shown], "2", 0.0))
        assert pool.movers.status().near_timeout == near
