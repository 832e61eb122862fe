"""On the real API server: the Pods of holders, seen through its own watch and its own Events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import limits
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real


def add_pod(cluster: Cluster, node: str, name: str) -> dict[str, str]:
    """A Pod that runs on the node, as a claim names it."""
    pod = cluster.add_pod(node, name)
    cluster.tell(name, {"phase": "Running"})
    return pod


def reclaims(cluster: Cluster) -> dict[str, str]:
    """The messages of the Events about reclaims, by what they are about."""
    path = f"/api/v1/namespaces/{cluster.namespace}/events?fieldSelector=reason=SlotReclaimed"
    events = cluster.api.get(path).json["items"]
    return {event["involvedObject"]["kind"]: event["message"] for event in events}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_finished_frees_its_slot_long_before_its_ttl_and_an_event_says_why(
    site: Site, cluster: Cluster, phase: str
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    pod = add_pod(cluster, node, "load")
    site.granted(node, "first", ttlSeconds=3600, pod=pod)
    assert site.ask(node, "second").status == 202

    cluster.tell("load", {"phase": phase})

    assert site.granted(node, "second")["slot"] == 0
    until(lambda: len(reclaims(cluster)) == 2, "both Events")
    assert set(reclaims(cluster)) == {"Lease", "Pod"}
    assert all(said.endswith("its Pod has finished") for said in reclaims(cluster).values())


def test_a_container_that_ended_for_good_is_seen_before_its_pods_phase_says_so(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    pod = add_pod(cluster, node, "load")
    site.granted(node, "first", ttlSeconds=3600, pod=pod)
    end = {"exitCode": 3, "reason": "Error", "containerID": "cri-o://none"}
    container = {
        "name": "main",
        "state": {"terminated": end},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": "example.org/none",
        "imageID": "",
    }
    cluster.tell("load", {"phase": "Running", "containerStatuses": [container]})
    assert site.granted(node, "second")["slot"] == 0


def test_a_pod_that_vanishes_keeps_its_slot_while_its_agent_renews(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    pod = add_pod(cluster, node, "load")
    grant = site.granted(node, "first", ttlSeconds=3600, pod=pod)
    cluster.delete_pod("load")
    again = {"ttlSeconds": 3600, "pod": pod, "fencingToken": grant["fencingToken"]}
    assert site.ask(node, "second", waitSeconds=3).status == 202
    assert site.ask(node, "first", **again).status == 200
