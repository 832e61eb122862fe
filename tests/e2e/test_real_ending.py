"""On the real API server: agents that go, Pods that have finished, and waits that take long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.cluster import limits
from tests.e2e.test_real_evidence import add_pod, reclaims
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real

PROBLEMS = "https://nodeslots.io/problems/"


def long_waits(cluster: Cluster) -> list[dict[str, Any]]:
    path = f"/api/v1/namespaces/{cluster.namespace}/events?fieldSelector=reason=SlotWaiting"
    found: list[dict[str, Any]] = cluster.api.get(path).json["items"]
    return found


def begun(site: Site, cluster: Cluster, *flags: str) -> str:
    """A coordinator, and a node with one slot."""
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start(*flags)
    return node


def test_a_holder_that_says_it_goes_is_free_when_its_pod_has_ended_and_nobody_is_warned(
    site: Site, cluster: Cluster
) -> None:
    node = begun(site, cluster)
    pod = add_pod(cluster, node, "load")
    grant = site.granted(node, "first", ttlSeconds=3600, pod=pod)
    last = {"pod": pod, "ttlSeconds": 3600, "fencingToken": grant["fencingToken"], "ending": True}
    assert site.ask(node, "first", **last).status == 200
    assert site.ask(node, "second", waitSeconds=2).status == 202

    cluster.tell("load", {"phase": "Succeeded"})

    assert site.granted(node, "second")["slot"] == 0
    assert reclaims(cluster) == {}


def test_a_claim_of_a_finished_pod_is_refused_and_another_pods_is_not(
    site: Site, cluster: Cluster
) -> None:
    node = begun(site, cluster)
    pod = add_pod(cluster, node, "load")
    site.granted(node, "first", ttlSeconds=3600, pod=pod)
    cluster.tell("load", {"phase": "Failed"})
    until(lambda: site.ask(node, "first", ttlSeconds=3600, pod=pod).status == 410, "the refusal")
    told = site.ask(node, "first", ttlSeconds=3600, pod=pod).json
    assert told["type"] == PROBLEMS + "pod-finished"
    assert f"its Pod {cluster.namespace}/load has finished" in told["detail"]
    site.granted(node, "first", ttlSeconds=3600, pod=add_pod(cluster, node, "another"))


def test_a_long_wait_is_told_on_the_pod_that_waits(site: Site, cluster: Cluster) -> None:
    node = begun(site, cluster, "--long-wait", "1.5")
    site.granted(node, "first", ttlSeconds=3600)
    pod = add_pod(cluster, node, "load")
    body = {"load": "second", "pod": pod, "ttlSeconds": 3600}
    until(lambda: site.ask(node, "second", **body) and long_waits(cluster), "the Event")
    [event] = long_waits(cluster)
    about = event["involvedObject"]
    assert (event["type"], about["kind"], about["uid"]) == ("Warning", "Pod", pod["uid"])
    assert "position 1 of 1, 1 of 1 slots of" in event["message"]


def test_a_node_shows_what_an_agent_needs_to_take_up_its_claims_again(
    site: Site, cluster: Cluster
) -> None:
    node = begun(site, cluster)
    pod = add_pod(cluster, node, "load")
    grant = site.granted(node, "first", ttlSeconds=90, pod=pod)
    site.ask(node, "second", ttlSeconds=30, priority=2)
    site.stop()
    site.start()  # who holds, the Leases say; who waits must ask again
    [slot] = site.node(node)["slots"]
    holder = slot["holder"]
    assert (slot["state"], slot["fencingToken"]) == ("held", grant["fencingToken"])
    assert (holder["claim"], holder["ttlSeconds"], holder["podUid"]) == ("first", 90, pod["uid"])
    assert site.node(node)["queue"] == []
    site.ask(node, "second", ttlSeconds=30, priority=2)
    [waiting] = site.node(node)["queue"]
    assert (waiting["claim"], waiting["ttlSeconds"], waiting["podUid"]) == ("second", 30, None)
