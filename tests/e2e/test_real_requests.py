"""On the real API server: bad requests get a clear problem, and nothing held is lost by them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.cluster import Cluster, limits
from tests.e2e.processes import Site
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def served(real_server: RealApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One coordinator for the whole file: bad requests must not harm it."""
    cluster = Cluster(real_server)
    site = Site(cluster, tmp_path_factory.mktemp("requests"))
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    site.granted(node, "bystander", ttlSeconds=3600)
    yield site
    site.close()
    cluster.close()


@pytest.fixture
def node(served: Site) -> Iterator[str]:
    """The node. Whatever a test sends, its one holder stays as it is and no fault is logged."""
    node = served.cluster.node_name()
    held = _looked_at(served, node)
    yield node
    assert _looked_at(served, node) == held
    assert served.cluster.printed_leases() == {held["lease"]: "bystander"}
    assert served.cluster.lease(held["lease"])["spec"]["leaseTransitions"] == 1
    assert served.queue(node) == []
    assert served.coordinator.logged("request failed") == []


def _looked_at(served: Site, node: str) -> dict[str, Any]:
    """The holder's state, without the explanation: ages grow."""
    seen: dict[str, Any] = served.api.get(served.claim_path(node, "bystander")).json
    return {key: value for key, value in seen.items() if key != "why"}


BIG_LOAD = b'{"load": "x", "pad": "' + b"x" * 65536 + b'"}'
DEEP = b'{"load":' + b"[" * 20_000 + b"]" * 20_000 + b"}"

BODIES: dict[str, tuple[Any, int, str, str]] = {
    "not JSON": (b"{load: x}", 400, "malformed", "the body is not JSON"),
    "nothing": (b"", 400, "malformed", "the body is not JSON"),
    "no UTF-8": (b'{"load": "\xff"}', 400, "malformed", "the body is not JSON"),
    "nested too deep": (DEEP, 400, "malformed", "the body is not JSON"),
    "no object": ([], 400, "malformed", "the body: "),
    "no load": ({}, 400, "malformed", "load: "),
    "a number as text": ({"load": "x", "ttlSeconds": "60"}, 400, "malformed", "ttlSeconds: "),
    "a truth as number": ({"load": "x", "priority": True}, 400, "malformed", "priority: "),
    "no ticket of ours": ({"load": "x", "ticket": "first!"}, 400, "malformed", "ticket: "),
    "unprintable load": ({"load": "a\nb"}, 400, "malformed", "load: must have printable"),
    "no Pod name": ({"load": "x", "pod": {"namespace": "a"}}, 400, "malformed", "pod.name: "),
    "TTL too short": ({"load": "x", "ttlSeconds": 9}, 422, "out-of-range", "ttlSeconds: "),
    "TTL too long": ({"load": "x", "ttlSeconds": 3601}, 422, "out-of-range", "ttlSeconds: "),
    "wait too long": ({"load": "x", "waitSeconds": 56}, 422, "out-of-range", "waitSeconds: "),
    "priority too high": ({"load": "x", "priority": 10**6 + 1}, 422, "out-of-range", "priority: "),
    "load too long": ({"load": "x" * 257}, 422, "out-of-range", "load: "),
    "body too large": (BIG_LOAD, 413, "too-large", "larger than 65536 bytes"),
}


@pytest.mark.parametrize(("body", "status", "name", "detail"), BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be_taken_is_a_problem_that_says_what_is_wrong(
    served: Site, node: str, body: Any, status: int, name: str, detail: str
) -> None:
    answer = served.as_agent(node).put(served.claim_path(node, "bad"), body)

    assert answer.problem == (status, name)
    assert detail in answer.detail
    assert answer.json["instance"] == served.claim_path(node, "bad")
    assert served.api.get(served.claim_path(node, "bad")).problem == (404, "unknown-claim")


@pytest.mark.parametrize("change", [{"load": "another"}, {"priority": 1}, {"ttlSeconds": 61}])
def test_other_content_under_the_id_of_a_holder_is_a_mismatch_and_the_holder_stays(
    served: Site, node: str, change: dict[str, Any]
) -> None:
    answer = served.ask(node, "bystander", **{"ttlSeconds": 3600} | change)
    assert answer.problem == (409, "claim-mismatch")
    assert "another claim id" in answer.detail


def test_other_content_under_the_id_of_a_waiting_claim_is_a_mismatch_and_its_place_stays(
    served: Site, node: str
) -> None:
    assert served.ask(node, "waiting").json["position"] == 1
    assert served.ask(node, "waiting", load="another").problem == (409, "claim-mismatch")
    assert [one["load"] for one in served.node(node)["queue"]] == ["waiting"]
    served.release(node, "waiting")


def test_only_plain_json_is_taken(served: Site, node: str) -> None:
    path, api = served.claim_path(node, "bad"), served.as_agent(node)
    form = api.put(path, b"load=x", content_type="application/x-www-form-urlencoded")
    packed = api.put(path, b"\x1f\x8b", content_encoding="gzip")
    assert form.problem == packed.problem == (415, "unsupported-media-type")
    assert "application/json" in form.detail


def test_an_unknown_field_is_ignored_and_named(served: Site, node: str) -> None:
    answer = served.ask(node, "newer", colour="red")
    assert answer.status == 202
    assert answer.headers["warning"] == '299 - "unknown field: colour"'
    served.release(node, "newer")


def test_unknown_pools_routes_methods_and_names_are_told_apart(served: Site, node: str) -> None:
    body, api = {"load": "x"}, served.as_agent(node)
    foreign = served.api.get(f"/v1/namespaces/elsewhere/nodes/{node}")
    assert foreign.problem == (404, "unknown-pool")
    assert "GET /v1/status lists the pools" in foreign.detail
    claims = f"/v1/namespaces/elsewhere/nodes/{node}/claims/bad"
    assert api.put(claims, body).problem == (403, "forbidden"), "an agent learns of no pools"
    assert api.get("/v2/status").problem == (404, "not-found")
    wrong = api.post(served.claim_path(node, "bad"), body)
    assert wrong.problem == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "DELETE, GET, PUT"
    assert api.put(served.claim_path(node, "-bad"), body).problem == (400, "malformed")
    assert api.put(served.claim_path("Node_1", "bad"), body).problem == (400, "malformed")
    long = api.put(served.claim_path(node, "b" * 129), body)
    assert long.problem == (422, "out-of-range")


def test_a_node_younger_than_the_watch_is_503_until_it_is_seen(served: Site, node: str) -> None:
    young = served.cluster.node_name(2)
    answer = served.ask(young, "early", waitSeconds=5)
    assert answer.problem == (503, "node-not-seen")
    assert int(answer.headers["retry-after"]) == answer.json["retryAfter"] >= 1
    assert young in answer.detail

    served.cluster.add_node(2)

    grant = served.granted(young, "early")
    assert grant["lease"] == f"{young}-slot-0"
    served.release(young, "early")
    served.cluster.delete_lease(grant["lease"])


@pytest.mark.slow
def test_a_node_that_never_comes_is_unknown_after_half_a_minute(served: Site, node: str) -> None:
    never = served.cluster.node_name(9)
    first = time.monotonic()
    assert served.ask(never, "lost").problem == (503, "node-not-seen")

    answer = until(
        lambda: (told := served.ask(never, "lost")).status != 503 and told, "a definite answer"
    )

    assert time.monotonic() - first > 29, "a new node's watch has that long"
    assert answer
    assert answer.problem == (404, "unknown-node")
    assert never in answer.detail
