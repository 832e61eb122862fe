"""Which claims name which Pod: the index that keeps a cluster's other Pods cheap."""

from __future__ import annotations

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.model import PodRef
from coordinator.core.pods import PodIndex
from coordinator.core.slots import NodeTable
from tests.core.play import POD, ask, held_lease

PLACE = (POD.namespace, POD.name)
MOVED = PodRef("velero", "pod-b", "uid-b")


def table(node: str, pods: PodIndex) -> NodeTable:
    made = NodeTable(node, 1, 0.0, Policy(), pods)
    made.handle(m.SetLimit(1), 5.0)
    return made


def test_a_pod_is_known_while_a_claim_names_it_and_no_longer() -> None:
    pods = PodIndex()
    one, two = table("node1", pods), table("node2", pods)
    one.handle(ask("a", pod=POD), 5.0)
    one.handle(ask("plain"), 5.0)
    two.handle(ask("b", pod=POD), 5.0)
    assert pods.claims_of(PLACE) == [("node1", "a"), ("node2", "b")]
    assert list(pods) == [PLACE]
    one.handle(m.Leave("a"), 6.0)
    two.handle(ask("b", pod=MOVED), 6.0)
    assert PLACE not in pods
    assert pods.claims_of(("velero", "pod-b")) == [("node2", "b")]
    two.handle(m.Leave("b"), 6.0)
    assert len(pods) == 0


def test_the_pod_of_a_holder_that_another_leader_granted_is_known_too() -> None:
    pods = PodIndex()
    one = table("node1", pods)
    one.handle(m.Relisted({0: held_lease(0, "a", 5, pod=POD)}, 5.0), 5.0)
    assert pods.claims_of(PLACE) == [("node1", "a")]
    one.handle(m.Gone(0, 99), 6.0)
    assert pods.claims_of(PLACE) == [("node1", "a")]


def test_a_claim_that_is_given_up_takes_its_pod_along() -> None:
    pods = PodIndex()
    one = table("node1", pods)
    one.handle(m.SetHold("upgrade"), 5.0)
    one.handle(ask("a", pod=POD), 5.0)
    one.handle(m.PollEnded(("a",)), 5.0)
    one.handle(m.Tick(), 500.0)
    assert len(pods) == 0
