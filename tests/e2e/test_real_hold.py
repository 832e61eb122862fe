"""On the real API server: Pods with `slot-agent hold`; the test plays their kubelet."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import limits
from tests.e2e.kubelet import HeldPod, be_ready
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real

LONG = ("--ttl", "3600")
"""Where a slot comes free within the test, it is not by its TTL."""
SHORT = ("--ttl", "10")


@pytest.fixture
def node(site: Site, cluster: Cluster) -> str:
    """A node with one slot, and a coordinator."""
    name = cluster.add_node()
    be_ready(cluster, name)
    cluster.configure(limits(1))
    site.start()
    return name


def test_pods_start_one_after_the_other_in_order_and_each_frees_its_slot_at_its_end(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    second = HeldPod(site, node, "second", *LONG).start().wait_queued(1)
    third = HeldPod(site, node, "third", *LONG).start().wait_queued(2)
    assert second.record["holders"] == ["first"]
    assert [pod.may_start for pod in (first, second, third)] == [True, False, False]

    for done, following in ((first, second), (second, third)):
        done.ends()
        done.terminate()
        following.wait_held().starts()

    third.ends(code=3)
    third.terminate()
    until(lambda: cluster.holders() == {}, "all slots free")
    assert [one["load"] for one in site.node(node)["queue"]] == []


def test_a_hold_that_ends_before_its_load_frees_nothing_until_the_load_has_ended(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    second = HeldPod(site, node, "second", *LONG).start().wait_queued(1)
    first.terminate()

    assert site.ask(node, "third", waitSeconds=5).status == 202, "it was looked at, and it runs"
    assert [*cluster.holders()] == [f"{node}-slot-0"]
    assert not second.may_start
    first.ends()
    second.wait_held()


def test_a_restarted_hold_finds_its_slot_and_its_place(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held()
    second = HeldPod(site, node, "second", *LONG).start().wait_queued(1)
    third = HeldPod(site, node, "third", *LONG).start().wait_queued(2)
    token = first.record["fencingToken"]

    first.kill()  # granted, its load not yet started
    second.kill()  # waiting, before somebody else
    second.start()  # at once: nobody keeps the place of who is away for 15 s
    first.start().wait_held().starts()
    second.wait_queued(1)
    first.kill()  # running
    first.start().wait_held()

    assert first.record["fencingToken"] == token
    assert cluster.lease(first.record["lease"])["spec"]["leaseTransitions"] == 1
    site.wait_queue(node, "second", "third")
    third.wait_queued(2)
    assert "LOST" not in first.hold.output
    for done, following in ((first, second), (second, third)):
        done.ends()
        done.terminate()
        following.wait_held().starts()


def test_a_load_that_ends_after_its_hold_was_killed_frees_its_slot_all_the_same(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    second = HeldPod(site, node, "second", *LONG).start().wait_queued(1)
    first.kill()
    first.ends(code=1)
    second.wait_held()
    assert [*cluster.holders()] == [second.record["lease"]]


def test_the_slot_of_a_pod_that_is_gone_with_its_hold_is_free_at_the_ttl(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *SHORT).start().wait_held().starts()
    second = HeldPod(site, node, "second", *SHORT).start().wait_queued(1)
    first.delete_now()
    first.kill()
    second.wait_held()


def test_a_pod_that_vanishes_while_its_hold_waits_leaves_nothing_behind(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    second = HeldPod(site, node, "second", *SHORT).start().wait_queued(1)
    third = HeldPod(site, node, "third", *SHORT).start().wait_queued(2)
    second.kill()
    second.delete_now()
    first.ends()
    first.terminate()

    third.wait_held()  # the dead one may have got the slot first, and loses it by its TTL
    assert [*cluster.holders()] == [third.record["lease"]]
    until(lambda: site.node(node)["queue"] == [], "nobody is left in the queue")


def test_who_leaves_the_queue_at_sigterm_is_not_in_it_any_more(site: Site, node: str) -> None:
    HeldPod(site, node, "first", *LONG).start().wait_held()
    second = HeldPod(site, node, "second", *LONG).start().wait_queued(1)
    third = HeldPod(site, node, "third", *LONG).start().wait_queued(2)
    second.terminate()
    if "no coordinator heard it in time" not in second.hold.output:  # it has less than a second
        assert site.queue(node) == ["third"]
    third.wait_queued(1)
    second.start()
    site.wait_queue(node, "third", "second")


def test_an_operator_who_takes_the_slot_away_is_heard_and_the_load_is_counted_again(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    token = first.record["fencingToken"]
    cluster.clear_holder(first.record["lease"])
    first.hold.wait_said("HAS LOST ITS SLOT")
    first.wait_held()
    assert first.record["fencingToken"] > token


def test_a_hold_that_asks_for_a_pod_that_has_finished_is_refused_and_waits_for_its_own_end(
    site: Site, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    second = HeldPod(site, node, "second", *LONG).start()
    first.ends()
    first.terminate()
    second.wait_held()
    first.start()
    until(lambda: first.record.get("state") == "refused", "first is refused")
    first.hold.wait_said("has finished")
    assert not first.may_start
    first.terminate()


def test_a_coordinator_killed_and_started_again_changes_nothing_for_hold(
    site: Site, cluster: Cluster, node: str
) -> None:
    first = HeldPod(site, node, "first", *LONG).start().wait_held().starts()
    second = HeldPod(site, node, "second", *LONG).start().wait_queued(1)
    token = first.record["fencingToken"]
    site.stop(signal.SIGKILL)
    site.start()
    site.wait_queue(node, "second")
    assert first.record["state"] == "held"
    assert first.record["fencingToken"] == token
    first.ends()
    first.terminate()
    second.wait_held()
