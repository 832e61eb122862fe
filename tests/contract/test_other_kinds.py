"""Namespaces, Nodes, Pods, Events and reviews, as far as the project uses them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.contract.client import STRATEGIC_PATCH
from tests.contract.objects import config_map, event, lease, node, pod

if TYPE_CHECKING:
    from tests.contract.client import Api, Json

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


async def test_a_namespace_is_active_and_labelled_with_its_name(api: Api) -> None:
    answer = await api.get(f"/api/v1/namespaces/{api.namespace}")
    assert answer.json["status"] == {"phase": "Active"}
    assert answer.json["spec"] == {"finalizers": ["kubernetes"]}
    labels = answer.json["metadata"]["labels"]
    assert labels == {"kubernetes.io/metadata.name": api.namespace}


@pytest.mark.parametrize("name", ["default", "kube-system"])
async def test_the_namespaces_of_every_cluster_are_there(api: Api, name: str) -> None:
    assert (await api.get(f"/api/v1/namespaces/{name}")).status == 200


@pytest.mark.parametrize("name", ["a.b", "x" * 64, "A"])
async def test_a_namespace_is_a_dns_label(api: Api, name: str) -> None:
    answer = await api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    assert answer.outcome == (422, "Invalid")


async def test_a_terminating_namespace_takes_nothing_new(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    ended = await api.delete(f"/api/v1/namespaces/{api.namespace}")
    assert (ended.status, ended.json["status"]["phase"]) == (200, "Terminating")
    answer = await api.post(api.leases, lease("b"))
    assert answer.outcome == (403, "Forbidden")
    assert answer.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"


async def test_a_node_is_relabelled_by_a_patch(api: Api) -> None:
    path = f"/api/v1/nodes/{api.namespace}"
    made = await api.make("/api/v1/nodes", node(api.namespace, zone="1", disk="ssd"))
    patch = {"metadata": {"labels": {"zone": "2", "disk": None}}}
    answer = await api.patch(path, patch, STRATEGIC_PATCH)
    assert answer.json["metadata"]["labels"] == {"zone": "2"}
    assert answer.uid == made.uid
    assert (await api.delete(path)).status == 200
    assert (await api.get(path)).outcome == (404, "NotFound")


async def test_a_node_lives_in_no_namespace(api: Api) -> None:
    made = await api.make("/api/v1/nodes", node(api.namespace))
    assert "namespace" not in made.json["metadata"]
    assert (await api.get(api.core("nodes"))).outcome == (404, "NotFound")


async def test_a_node_is_held_by_an_annotation(api: Api) -> None:
    await api.make("/api/v1/nodes", node(api.namespace))
    patch = {"metadata": {"annotations": {"nodeslots.io/hold": "firmware update"}}}
    answer = await api.patch(f"/api/v1/nodes/{api.namespace}", patch)
    assert answer.json["metadata"]["annotations"]["nodeslots.io/hold"] == "firmware update"


async def test_a_new_pod_is_pending(api: Api) -> None:
    made = await api.make(api.core("pods"), pod("p"))
    assert made.json["status"]["phase"] == "Pending"
    assert made.json["spec"]["restartPolicy"] == "Always"
    assert made.json["metadata"]["generation"] == 1


async def test_a_pod_without_containers_is_refused(api: Api) -> None:
    body = pod("p") | {"spec": {"containers": []}}
    assert (await api.post(api.core("pods"), body)).outcome == (422, "Invalid")


async def test_the_status_of_a_pod_is_written_apart(api: Api) -> None:
    await api.make(api.core("pods"), pod("p"))
    main = {"status": {"phase": "Failed"}}
    assert (await api.patch(api.core("pods/p"), main)).json["status"]["phase"] == "Pending"
    answer = await api.patch(api.core("pods/p/status"), main)
    assert answer.json["status"]["phase"] == "Failed"
    assert answer.json["metadata"]["generation"] == 1


async def test_a_pod_on_no_node_is_gone_at_once(api: Api) -> None:
    await api.make(api.core("pods"), pod("p"))
    assert (await api.delete(api.core("pods/p"))).status == 200
    assert (await api.get(api.core("pods/p"))).status == 404


async def test_a_pod_on_a_node_terminates_until_its_kubelet_is_done(api: Api) -> None:
    await api.make(api.core("pods"), pod("p", "node-1"))
    assert (await api.delete(api.core("pods/p"))).status == 200
    meta = (await api.get(api.core("pods/p"))).json["metadata"]
    assert meta["deletionTimestamp"]
    assert meta["deletionGracePeriodSeconds"] == 30
    done = await api.delete(api.core("pods/p"), {"gracePeriodSeconds": 0})
    assert done.status == 200
    assert (await api.get(api.core("pods/p"))).status == 404


async def test_an_event_is_created_and_counted_up(api: Api) -> None:
    made = await api.make(api.core("events"), event("e", api.namespace, "c"))
    assert made.json["count"] == 1
    patch = {"count": 2, "lastTimestamp": "2026-01-02T03:05:05Z"}
    answer = await api.patch(api.core("events/e"), patch)
    assert (answer.json["count"], answer.json["firstTimestamp"]) == (2, "2026-01-02T03:04:05Z")


async def test_an_event_lies_in_the_namespace_of_what_it_is_about(api: Api) -> None:
    answer = await api.post(api.core("events"), event("e", "default", "c"))
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"] == "involvedObject.namespace"


async def test_an_event_of_the_newer_group_is_the_same_object(api: Api) -> None:
    body = {
        "metadata": {"name": "e"},
        "eventTime": "2026-01-02T03:04:05.123456Z",
        "reportingController": "nodeslots.io/coordinator",
        "reportingInstance": "coordinator-0",
        "action": "Grant",
        "reason": "Granted",
        "note": "slot 0",
        "type": "Normal",
        "regarding": {"kind": "ConfigMap", "namespace": api.namespace, "name": "c"},
    }
    path = f"/apis/events.k8s.io/v1/namespaces/{api.namespace}/events"
    assert (await api.make(path, body)).json["note"] == "slot 0"
    core = (await api.get(api.core("events/e"))).json
    assert (core["message"], core["involvedObject"]["name"]) == ("slot 0", "c")
    assert core["eventTime"] == "2026-01-02T03:04:05.123456Z"


@pytest.mark.parametrize("value", ["limits", {"a": 1}])
async def test_config_map_data_is_a_map_of_strings(api: Api, value: object) -> None:
    body = config_map("c") | {"data": value}
    assert (await api.post(api.core("configmaps"), body)).outcome == (400, "BadRequest")


async def test_an_unknown_token_is_reviewed_as_not_authenticated(api: Api) -> None:
    answer = await api.post(TOKEN_REVIEWS, {"spec": {"token": f"garbage-{uuid.uuid4()}"}})
    assert answer.status == 201
    assert not answer.json["status"].get("authenticated", False)
    assert "invalid bearer token" in answer.json["status"]["error"]


async def test_no_token_cannot_be_reviewed(api: Api) -> None:
    assert (await api.post(TOKEN_REVIEWS, {"spec": {}})).outcome == (400, "BadRequest")


async def test_a_review_is_not_kept(api: Api) -> None:
    assert (await api.get(TOKEN_REVIEWS)).outcome == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    "attributes",
    [
        {"resourceAttributes": {"verb": "get", "resource": "nodes"}},
        {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}},
    ],
)
async def test_the_administrators_may_do_everything(api: Api, attributes: Json) -> None:
    spec = {"user": "root", "groups": ["system:masters"], **attributes}
    answer = await api.post(ACCESS_REVIEWS, {"spec": spec})
    assert (answer.status, answer.json["status"]["allowed"]) == (201, True)


@pytest.mark.parametrize(
    "spec",
    [
        {"user": "x"},
        {"resourceAttributes": {"verb": "get", "resource": "nodes"}},
    ],
)
async def test_an_access_review_needs_a_subject_and_a_wish(api: Api, spec: Json) -> None:
    answer = await api.post(ACCESS_REVIEWS, {"spec": spec})
    assert answer.status == 422
