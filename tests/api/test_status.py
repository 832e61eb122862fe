"""Looking: the coordinator, a pool, its nodes, one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core.model import PodRef
from coordinator.core.movers import Kind
from coordinator.service.errors import NodeUnknown
from coordinator.service.status import MoversStatus
from tests.api.conftest import NODE

if TYPE_CHECKING:
    from tests.api.conftest import Caller
    from tests.api.fakes import FakePool

NODES = "/v1/namespaces/velero/nodes"
TOTALS = {"nodes": 3, "limit": 3, "held": 3, "queued": 3}


async def test_the_status_shows_version_readiness_and_pools(api: Caller) -> None:
    body = (await api("GET", "/v1/status")).json
    assert body["version"]
    assert (body["ready"], body["checks"]) == (True, {"velero": ""})
    [pool] = body["pools"]
    assert (pool["namespace"], pool["term"], pool["totals"]) == ("velero", 1234, TOTALS)


async def test_a_pool_shows_what_rules_it(api: Caller) -> None:
    body = (await api("GET", "/v1/namespaces/velero")).json
    assert body["config"] == {
        "configMap": "limits",
        "accepted": True,
        "error": "",
        "warnings": ["a warning"],
        "version": "911",
        "since": "then",
        "rules": ["rule: 1"],
        "globalLimit": 2,
    }


async def test_a_pool_without_a_picture_says_why_and_counts_nothing(
    api: Caller, pool: FakePool
) -> None:
    pool.trouble = "the list of Leases failed"
    body = (await api("GET", "/v1/namespaces/velero")).json
    assert (body["ready"], body["reason"], body["totals"]) == (False, pool.trouble, None)
    assert not (await api("GET", "/v1/status")).json["ready"]
    assert (await api("GET", NODES)).problem == "not-ready"
    assert (await api("GET", NODE)).problem == "not-ready"


async def test_a_pool_shows_the_movers_and_names_those_that_take_no_slot(
    api: Caller, pool: FakePool
) -> None:
    pod = PodRef("velero", "b-1", "uid")
    pool.moving = MoversStatus(3, 1, 7, ((pod, Kind.DATA_UPLOAD),), 2)
    body = (await api("GET", "/v1/namespaces/velero")).json
    assert body["movers"] == {
        "governed": 3,
        "ungoverned": 1,
        "ungovernedSeen": 7,
        "ungovernedPods": [{"pod": "velero/b-1", "kind": "DataUpload"}],
        "nearTimeout": 2,
    }


async def test_a_node_shows_limit_rule_slots_and_queue(api: Caller) -> None:
    body = (await api("GET", NODE)).json
    assert (body["limit"], body["decidedBy"], body["matched"]) == (1, "globalConfig", ["rule"])
    assert body["skipped"] == [{"rule": "other", "reason": "why"}]
    [slot], [waiting] = body["slots"], body["queue"]
    assert (slot["slot"], slot["state"], slot["silentSeconds"]) == (0, "held", 3.2)
    assert slot["holder"] == {
        "claim": "c0",
        "load": "backup-1/pvc-0",
        "lease": "node1-slot-0",
        "priority": 5,
        "pod": None,
        "heldSeconds": 741,
        "podUid": None,
        "ttlSeconds": 30,
    }
    assert waiting == {
        "claim": "c2",
        "load": "backup-1/pvc-2",
        "priority": 0,
        "position": 1,
        "present": True,
        "pod": "velero/load-2",
        "podUid": "uid-2",
        "ttlSeconds": 60,
    }


async def test_a_node_that_nobody_knows_is_404(api: Caller, pool: FakePool) -> None:
    pool.answer = NodeUnknown("the cluster has no node node1")
    assert (await api("GET", NODE)).problem == "unknown-node"


async def test_pages_of_nodes_show_each_node_once(api: Caller, pool: FakePool) -> None:
    pool.names = [f"node{number}" for number in range(5)]
    found: list[str] = []
    path = f"{NODES}?limit=2"
    for _ in range(3):
        body = (await api("GET", path)).json
        found += [node["node"] for node in body["nodes"]]
        path = f"{NODES}?limit=2&continue={body.get('continue', '')}"
    assert found == pool.names
    assert "continue" not in body


async def test_a_page_goes_on_where_a_node_went_away(api: Caller, pool: FakePool) -> None:
    token = (await api("GET", f"{NODES}?limit=2")).json["continue"]
    pool.names.remove("node2")
    body = (await api("GET", f"{NODES}?continue={token}")).json
    assert [node["node"] for node in body["nodes"]] == ["node3"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("limit=0", 422, "query.limit"),
        ("limit=501", 422, "query.limit"),
        ("limit=99999999999999999999", 422, "query.limit"),
        ("limit=-1", 400, "query.limit"),
        ("limit=ten", 400, "query.limit"),
        ("limit=", 400, "query.limit"),
        ("continue=%21%21", 400, "query.continue"),
        ("continue=_w==", 400, "query.continue"),
    ],
)
async def test_a_bad_page_is_refused(api: Caller, query: str, status: int, field: str) -> None:
    answer = await api("GET", f"{NODES}?{query}")
    assert (answer.status, answer.json["errors"][0]["field"]) == (status, field)
