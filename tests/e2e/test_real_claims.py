"""On the real API server: claims by plain HTTP, one by one and in syncs, as curl sends them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.cluster import limits
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real


def test_a_claim_waits_gets_its_slot_keeps_it_gives_it_back_and_does_not_come_back(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    terms = {"priority": 2, "ttlSeconds": 120}
    path, lease = site.claim_path(node, "mine"), f"{node}-slot-0"

    first = site.ask(node, "mine", waitSeconds=30, **terms)
    assert first.status == 200
    grant = first.json
    changing = {key: grant[key] for key in ("term", "fencingToken")}
    told = {"claim": "mine", "state": "granted", "slot": 0, "lease": lease, "ttlSeconds": 120}
    assert grant == told | changing
    looked = site.api.get(path).json
    assert looked.pop("why")["sentence"].startswith(f"mine holds slot 0 of {node}")
    assert looked == grant
    again = site.ask(node, "mine", **terms)
    assert (again.status, again.json) == (200, grant)
    assert cluster.printed_leases() == {lease: "mine"}
    assert cluster.lease(lease)["spec"]["leaseTransitions"] == 1

    assert site.api.delete(path).status == 204
    assert cluster.printed_leases() == {lease: ""}
    assert site.api.delete(path).status == 204
    late = site.ask(node, "mine", **terms)
    assert late.problem == (410, "released")
    assert "new claim id" in late.detail
    assert cluster.printed_leases() == {lease: ""}


def test_who_waits_sees_place_reason_and_holders_and_leaves_the_queue_by_delete(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    pod = cluster.add_pod(node, "uploader")
    lease = site.granted(node, "holder", pod=pod)["lease"]

    site.ask(node, "second")
    answer = site.ask(node, "third")
    urgent = site.ask(node, "urgent", priority=1)

    assert (answer.status, answer.json["position"]) == (202, 2)
    assert (urgent.status, urgent.json["position"]) == (202, 1)
    assert answer.json["reason"] == f"1 of 1 slots of {node} are held"
    holder = {"claim": "holder", "load": "holder", "lease": lease, "priority": 0}
    (told,) = answer.json["holders"]
    assert told.pop("heldSeconds") >= 0
    assert told == holder | {"pod": f"{cluster.namespace}/uploader"}
    why = site.api.get(site.claim_path(node, "third")).json["why"]
    assert (why["code"], why["position"], why["queued"]) == ("slots-held", 3, 3)
    assert [one["claim"] for one in why["ahead"]] == ["urgent", "second"]
    assert [one["load"] for one in why["holders"]] == ["holder"]
    assert why["sentence"].startswith(f"third waits on {node}"), why["sentence"]
    assert why["estimate"] is None, "nothing has ended on this node yet"
    site.release(node, "second")
    assert site.queue(node) == ["urgent", "third"]
    site.release(node, "holder")
    assert site.granted(node, "urgent", priority=1)["lease"] == lease, "one PUT hands it over"
    assert cluster.lease(lease)["spec"]["leaseTransitions"] == 2


class _Agent:
    """The sync calls of one agent, numbered as they go."""

    def __init__(self, site: Site, node: str) -> None:
        self._api = site.as_agent(node)
        self._path = f"{site.node_path(node)}/sync"
        self._numbers = count(1)

    def sync(self, claims: list[dict[str, Any]], *releases: str) -> Any:
        told = {"agent": "agent-1", "boot": "boot-1", "sequence": next(self._numbers)}
        asked = [{"load": claim["claim"], **claim} for claim in claims]
        body = {**told, "waitSeconds": 1, "claims": asked, "releases": list(releases)}
        answer = self._api.post(self._path, body)
        assert answer.status == 200, answer.raw
        return answer.json

    def states(self, claims: list[dict[str, Any]]) -> dict[str, str]:
        return {one["claim"]: one["state"] for one in self.sync(claims)["claims"]}

    def sync_late(self, sequence: int) -> tuple[int, str]:
        """A sync that comes after newer ones."""
        body = {"agent": "agent-1", "boot": "boot-1", "sequence": sequence}
        return self._api.post(self._path, body | {"claims": [], "releases": ["two"]}).problem


def test_one_sync_speaks_for_all_claims_of_an_agent_and_an_older_one_changes_nothing(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    agent, one, two = _Agent(site, node), {"claim": "one"}, {"claim": "two"}

    def both_told() -> bool:
        return agent.states([one, two]) == {"one": "granted", "two": "queued"}

    until(both_told, "a grant for the first, a place for the second")
    until(lambda: agent.sync([two], "one")["released"] == ["one"], "release")
    until(lambda: agent.states([two]) == {"two": "granted"}, "hand-over")
    assert cluster.printed_leases() == {f"{node}-slot-0": "two"}

    assert agent.sync_late(1) == (409, "stale-sync")
    assert cluster.printed_leases() == {f"{node}-slot-0": "two"}


def test_a_claim_of_a_sync_that_cannot_be_taken_is_refused_alone_and_the_others_live_on(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    site.granted(node, "mine")
    agent = _Agent(site, node)

    short: dict[str, Any] = {"claim": "short", "ttlSeconds": 9}
    other = {"claim": "mine", "load": "another"}
    told = agent.sync([{"claim": "good"}, short, other])["claims"]

    assert [(one["claim"], one["state"]) for one in told[1:]] == [
        ("short", "refused"),
        ("mine", "refused"),
    ]
    names = [one["problem"]["type"].rpartition("/")[2] for one in told[1:]]
    assert names == ["out-of-range", "claim-mismatch"]
    assert told[1]["problem"]["errors"][0]["field"] == "claims[1].ttlSeconds"
    until(lambda: agent.states([{"claim": "good"}]) == {"good": "granted"}, "the good one's grant")
