"""On the real API server: Leases deleted, cleared and taken by hand, the operator's way out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import limits
from tests.e2e.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site
    from tests.e2e.wire import Answer

pytestmark = pytest.mark.real

LOST = 74


def _delete(cluster: Cluster, lease: str) -> None:
    cluster.delete_lease(lease)


def _clear(cluster: Cluster, lease: str) -> None:
    cluster.clear_holder(lease)


@pytest.mark.parametrize("free", [_delete, _clear], ids=["lease deleted", "holder cleared"])
def test_a_slot_freed_by_hand_ends_its_load_and_goes_to_the_next(
    site: Site, cluster: Cluster, free: Callable[[Cluster, str], None]
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    lease = f"{node}-slot-0"
    agent = site.agent("unlucky", node)
    site.journal.wait_started("unlucky")
    before = cluster.lease(lease)["metadata"]["annotations"]["nodeslots.io/fencing-token"]
    with ThreadPoolExecutor(1) as threads:
        next_one = threads.submit(site.ask, node, "next", waitSeconds=55)
        site.wait_queue(node, "next")
        free(cluster, lease)
        grant = next_one.result(DEADLINE)

    assert (grant.status, grant.json["lease"]) == (200, lease)
    assert grant.json["fencingToken"] > int(before)
    assert agent.exit_code() == LOST
    assert site.journal.terminated == {"unlucky"}
    assert f"slot {lease} is lost" in agent.output
    assert cluster.printed_leases() == {lease: "next"}


def test_a_holder_whose_lease_was_deleted_is_told_slot_lost_and_never_granted_anew(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    grant = site.granted(node, "holder")
    cluster.delete_lease(grant["lease"])

    def definite() -> Answer | None:
        answer = site.ask(node, "holder", fencingToken=grant["fencingToken"])
        return answer if answer.status not in {200, 503} else None

    answer = until(definite, "a definite answer")
    assert answer is not None
    assert answer.problem == (409, "slot-lost")
    assert "stop its load" in answer.detail
    assert cluster.holders() == {}


def test_a_strangers_lease_under_a_slots_name_counts_as_held_is_shown_and_never_touched(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    name = f"{node}-slot-0"
    body = {"metadata": {"name": name}, "spec": {"holderIdentity": "somebody else"}}
    strangers = cluster.make(cluster.lease_path, body)
    cluster.configure(limits(2))
    site.start()

    assert site.granted(node, "first")["slot"] == 1
    waiting = site.ask(node, "second").json
    assert waiting["reason"] == f"2 of 2 slots of {node} are held"
    blocked = site.node(node)["slots"][0]
    assert (blocked["lease"], blocked["state"]) == (name, "blocked")
    assert "did not make" in blocked["detail"]
    assert cluster.lease(name) == strangers

    cluster.delete_lease(name)
    assert site.granted(node, "second")["slot"] == 0


def test_deleting_a_free_lease_does_no_harm_and_its_next_token_is_higher(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    before = site.granted(node, "first")
    site.release(node, "first")

    cluster.delete_lease(before["lease"])

    after = site.granted(node, "second")
    assert after["lease"] == before["lease"]
    assert after["fencingToken"] > before["fencingToken"]
    assert cluster.printed_leases() == {after["lease"]: "second"}


def test_a_lease_that_is_being_deleted_is_neither_free_nor_handed_over(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    lease = site.granted(node, "first")["lease"]
    path = f"{cluster.lease_path}/{lease}"
    cluster.api.merge(path, {"metadata": {"finalizers": ["example.org/keep"]}})
    cluster.delete_lease(lease)
    until(lambda: site.node(node)["slots"][0]["state"] == "blocked", "seen as being deleted")

    assert site.ask(node, "second", waitSeconds=1).status == 202
    assert cluster.lease(lease)["spec"]["holderIdentity"] == "first"

    cluster.api.merge(path, {"metadata": {"finalizers": None}})
    assert site.granted(node, "second")["lease"] == lease
