"""The watch of Pods: it wakes a look at a claim's Pod, and costs nothing for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core.model import PodRef
from coordinator.core.pods import PodIndex
from coordinator.embedded import objects
from coordinator.embedded.resources import NAMESPACES, PODS
from coordinator.kube.reflector import Changed, Deleted, Listed
from coordinator.service.pods import PodWatch
from tests.service.cluster import NODE, NS, Cluster, granted
from tests.service.door import ADMISSIONS, CLIENTS
from tests.service.faults import any_request, lost_before
from tests.service.pods import ENDED, job_pod

if TYPE_CHECKING:
    from coordinator.core.views import Granted
    from coordinator.service.pool import Pool


async def held(cluster: Cluster, pool: Pool, claim: str = "a", pod: str = "load") -> Granted:
    """A claim whose load runs in that Pod, confirmed, its Pod seen."""
    ref = PodRef(NS, pod, cluster.pod(pod))
    view = await granted(pool, claim, pod=ref)
    await granted(pool, claim, pod=ref, token=view.token)
    await cluster.jumps.turn()
    return view


def gets(cluster: Cluster, path: str) -> int:
    asked = [one.path for one in cluster.faults.sent if one.method == "GET"]
    return sum(one.startswith(path) for one in asked)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_the_slot_of_a_pod_that_finished_is_free_within_two_seconds_though_its_agent_renews(
    cluster: Cluster, phase: str
) -> None:
    async with cluster.pool() as pool:
        view = await held(cluster, pool)
        for _ in range(3):
            await cluster.jumps.advance(15)
            await granted(pool, "a", pod=PodRef(NS, "load", ""), token=view.token)
        assert cluster.holders()
        cluster.pod_status("load", {"phase": phase})
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 2


async def test_containers_that_ended_before_the_phase_says_so_are_seen_too(
    cluster: Cluster,
) -> None:
    pod = job_pod(cluster, "load")
    async with cluster.pool() as pool:
        await granted(pool, "a", pod=pod)
        await cluster.jumps.advance(3)
        cluster.pod_status("load", ENDED)
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 2


async def test_a_pod_that_finished_while_the_api_server_was_away_is_seen_once_it_is_back(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await held(cluster, pool)
        rule = cluster.faults.on(any_request, lost_before, times=1e9)
        cluster.faults.cut_all()
        await cluster.jumps.advance(4)
        cluster.pod_status("load", {"phase": "Succeeded"})
        await cluster.jumps.advance(4)
        assert cluster.holders()
        rule.times = 0
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 12


@pytest.mark.parametrize("slow", ["/leases", "/pods"])
async def test_a_pod_that_finished_while_nobody_led_is_seen_by_the_next_leader(
    cluster: Cluster, slow: str
) -> None:
    async with cluster.pool() as pool:
        await held(cluster, pool)
    cluster.pod_status("load", {"phase": "Succeeded"})
    assert cluster.holders()
    cluster.faults.on(lambda request: request.path.endswith(slow), lost_before)
    async with cluster.pool():
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 4


async def test_a_pod_is_asked_for_once_after_the_grant_and_no_node_while_the_agent_renews(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        view = await held(cluster, pool)
        for _ in range(4):
            await cluster.jumps.advance(15)
            await granted(pool, "a", pod=PodRef(NS, "load", cluster_uid(cluster)), token=view.token)
        assert gets(cluster, f"/api/v1/namespaces/{NS}/pods/") == 1
        assert gets(cluster, f"/api/v1/nodes/{NODE}") == 0


def cluster_uid(cluster: Cluster) -> str:
    return str(cluster.store.get(PODS, NS, "load")["metadata"]["uid"])


async def test_a_busy_pod_is_looked_at_once_a_second_and_the_others_never(
    cluster: Cluster,
) -> None:
    cluster.pod("other")
    async with cluster.pool() as pool:
        await held(cluster, pool)
        await cluster.jumps.advance(2)
        before = len(cluster.faults.sent)
        for n in range(40):
            for name in ("load", "other"):
                cluster.store.patch(PODS, NS, name, {"metadata": {"labels": {"n": str(n)}}})
            await cluster.jumps.advance(0.25)
        paths = [one.path for one in cluster.faults.sent[before:]]
        assert paths.count(f"/api/v1/namespaces/{NS}/pods/other") == 0
        assert 10 <= paths.count(f"/api/v1/namespaces/{NS}/pods/load") <= 12


async def test_a_pod_that_no_look_ever_found_is_no_pod_even_if_its_node_does_not_answer(
    cluster: Cluster,
) -> None:
    cluster.node_status("Unknown")
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=10, pod=PodRef(NS, "never-made"))
        await granted(pool, "a", ttl=10, pod=PodRef(NS, "never-made"), token=view.token)
        await cluster.jumps.advance(9)
        assert cluster.holders()
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 3


async def test_pods_are_watched_in_each_namespace_that_may_claim_and_in_no_other(
    cluster: Cluster,
) -> None:
    cluster.store.create(NAMESPACES, "", {"metadata": {"name": CLIENTS}})
    made = objects.put(cluster.store, objects.pod(CLIENTS, "load", NODE))
    async with cluster.coordinator(admissions=ADMISSIONS) as running:
        pool = running.pool(NS)
        ref = PodRef(CLIENTS, "load", made["metadata"]["uid"])
        view = await granted(pool, "a", pod=ref)
        await granted(pool, "a", pod=ref, token=view.token)
        await cluster.jumps.advance(2)
        cluster.store.patch(
            PODS, CLIENTS, "load", {"status": {"phase": "Succeeded"}}, subresource="status"
        )
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 2
    lists = {one.path for one in cluster.faults.sent if one.path.endswith("/pods")}
    assert lists == {f"/api/v1/namespaces/{name}/pods" for name in (NS, CLIENTS)}


# --- the watch alone ------------------------------------------------------------------------------


class Heard:
    """A `PodWatch` on an index with one claim, and whom it called."""

    def __init__(self) -> None:
        self.index = PodIndex()
        self.index.move(NODE, "a", None, PodRef(NS, "load"))
        self.calls: list[tuple[str, str]] = []
        self.gone: list[bool] = []
        self.watch = PodWatch(self.index, self._hear)

    def _hear(self, node: str, claim: str, gone: bool) -> None:
        self.calls.append((node, claim))
        self.gone.append(gone)

    def take(self, event: Listed | Changed | Deleted) -> int:
        """How many calls the event led to."""
        before = len(self.calls)
        self.watch.take(NS, event)
        return len(self.calls) - before


def pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": NS, "name": name, "resourceVersion": str(version)}}


def listed(*pods: dict[str, Any]) -> Listed:
    return Listed(list(pods), "99", 0.0)


def test_each_event_of_a_named_pod_is_told_to_each_claim_that_names_it() -> None:
    heard = Heard()
    heard.index.move("node2", "b", None, PodRef(NS, "load", "uid"))
    assert heard.take(Changed(pod("load", 5))) == 2
    assert heard.take(Deleted(pod("load", 6))) == 2
    assert heard.watch._versions == {}
    assert heard.gone == [False, False, True, True]
    assert heard.calls[:2] == [(NODE, "a"), ("node2", "b")]


def test_a_list_tells_of_named_pods_that_are_missing_or_changed_and_of_no_others() -> None:
    heard = Heard()
    assert heard.take(listed(pod("load", 5), pod("other", 4))) == 0
    assert heard.take(listed(pod("load", 5), pod("other", 8))) == 0
    assert heard.take(listed(pod("load", 7))) == 1
    assert heard.take(listed(pod("other", 8))) == 1
    assert heard.gone == [False, True]
    assert heard.take(listed(pod("load", 9))) == 0


def test_what_the_watch_told_is_not_told_again_by_the_next_list() -> None:
    heard = Heard()
    heard.take(listed(pod("load", 5)))
    heard.take(Changed(pod("load", 6)))
    assert heard.take(listed(pod("load", 6))) == 0


def test_a_list_of_one_namespace_says_nothing_of_another() -> None:
    heard = Heard()
    heard.index.move(NODE, "b", None, PodRef("jobs", "load"))
    heard.take(listed(pod("load", 5)))
    heard.watch.take("jobs", listed())
    assert heard.calls == [(NODE, "b")]
    assert heard.take(listed(pod("load", 6))) == 1


def test_a_hundred_thousand_events_of_other_pods_leave_nothing_behind() -> None:
    heard = Heard()
    for n in range(100_000):
        heard.watch.take(NS, Changed(pod(f"other-{n}", n)))
    assert heard.calls == []
    assert heard.watch._versions == {}
