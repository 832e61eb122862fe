"""The forms an answer comes in: tables for people, metadata alone for watchers of many objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.objects import config_map, event, lease, node, pod

if TYPE_CHECKING:
    from tests.contract.client import Api, Json

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
# What kubectl sends: a table where the server can, else plain JSON.
KUBECTL = f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def _columns(table: Json) -> list[str]:
    """The columns that `kubectl get` shows without `-o wide`."""
    return [one["name"] for one in table["columnDefinitions"] if one["priority"] == 0]


def _shown(table: Json) -> list[dict[str, Any]]:
    names = [one["name"] for one in table["columnDefinitions"]]
    rows = [dict(zip(names, row["cells"], strict=True)) for row in table["rows"]]
    return [{name: row[name] for name in _columns(table)} for row in rows]


@pytest.mark.parametrize("accept", [TABLE, KUBECTL])
async def test_leases_as_a_table(api: Api, accept: str) -> None:
    await api.make(api.leases, lease("a", "pod-1 / backup-7"))
    await api.make(api.leases, lease("b"))
    answer = await api.get(api.leases, accept=accept)
    assert (answer.json["kind"], answer.json["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert _columns(answer.json) == ["Name", "Holder", "Age"]
    shown = [(row["Name"], row["Holder"]) for row in _shown(answer.json)]
    assert shown == [("a", "pod-1 / backup-7"), ("b", "")]
    assert int(answer.version) > 0


async def test_a_row_carries_the_metadata_of_its_object(api: Api) -> None:
    made = await api.make(api.leases, lease("a", labels={"x": "y"}))
    answer = await api.get(f"{api.leases}/a", accept=TABLE)
    row = answer.json["rows"][0]["object"]
    assert (row["kind"], row["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert row["metadata"]["uid"] == made.uid
    assert row["metadata"]["labels"] == {"x": "y"}


async def test_a_table_has_pages(api: Api) -> None:
    for name in "abc":
        await api.make(api.leases, lease(name))
    answer = await api.get(f"{api.leases}?limit=2", accept=TABLE)
    assert [row["Name"] for row in _shown(answer.json)] == ["a", "b"]
    assert answer.json["metadata"]["remainingItemCount"] == 1
    assert answer.json["metadata"]["continue"]


async def test_config_maps_as_a_table(api: Api) -> None:
    await api.make(api.core("configmaps"), config_map("c", {"a": "1", "b": "2"}))
    table = (await api.get(api.core("configmaps"), accept=TABLE)).json
    assert _columns(table) == ["Name", "Data", "Age"]
    assert [(row["Name"], row["Data"]) for row in _shown(table)] == [("c", 2)]


async def test_pods_as_a_table(api: Api) -> None:
    await api.make(api.core("pods"), pod("p"))
    table = (await api.get(api.core("pods"), accept=TABLE)).json
    assert _columns(table) == ["Name", "Ready", "Status", "Restarts", "Age"]
    shown = [(row["Name"], row["Ready"], row["Status"]) for row in _shown(table)]
    assert shown == [("p", "0/1", "Pending")]


async def test_nodes_as_a_table(api: Api) -> None:
    await api.make("/api/v1/nodes", node(api.namespace))
    table = (await api.get(f"/api/v1/nodes/{api.namespace}", accept=TABLE)).json
    assert _columns(table) == ["Name", "Status", "Roles", "Age", "Version"]
    shown = [(row["Name"], row["Status"], row["Roles"]) for row in _shown(table)]
    assert shown == [(api.namespace, "Unknown", "<none>")]


async def test_events_as_a_table(api: Api) -> None:
    await api.make(api.core("events"), event("e", api.namespace, "c"))
    table = (await api.get(api.core("events"), accept=TABLE)).json
    assert _columns(table) == ["Last Seen", "Type", "Reason", "Object", "Message"]
    told = {key: value for key, value in _shown(table)[0].items() if key != "Last Seen"}
    assert told == {
        "Type": "Warning",
        "Reason": "ConfigRefused",
        "Object": "configmap/c",
        "Message": "more than one data key",
    }


async def test_namespaces_as_a_table(api: Api) -> None:
    table = (await api.get(f"/api/v1/namespaces/{api.namespace}", accept=TABLE)).json
    assert _columns(table) == ["Name", "Status", "Age"]
    shown = [(row["Name"], row["Status"]) for row in _shown(table)]
    assert shown == [(api.namespace, "Active")]


async def test_a_watch_as_a_table_tells_its_columns_once(api: Api) -> None:
    """`kubectl get -w`."""
    start = (await api.get(api.leases)).version
    await api.make(api.leases, lease("a", "first"))
    await api.make(api.leases, lease("b", "second"))
    query = f"resourceVersion={start}"
    async with api.watch(api.leases, query, accept=TABLE) as stream:
        first, second = await stream.next(), await stream.next()
    assert (first["type"], first["object"]["kind"]) == ("ADDED", "Table")
    assert _columns(first["object"]) == ["Name", "Holder", "Age"]
    assert first["object"]["rows"][0]["cells"][:2] == ["a", "first"]
    assert not second["object"].get("columnDefinitions")
    assert second["object"]["rows"][0]["cells"][:2] == ["b", "second"]


async def test_one_object_as_metadata_alone(api: Api) -> None:
    made = await api.make(api.leases, lease("a", "me", labels={"x": "y"}))
    answer = await api.get(f"{api.leases}/a", accept=PARTIAL)
    assert answer.json == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": made.json["metadata"],
    }


@pytest.mark.parametrize("accept", [PARTIAL_LIST, f"{PARTIAL_LIST},application/json"])
async def test_a_list_as_metadata_alone(api: Api, accept: str) -> None:
    made = await api.make(api.core("pods"), pod("p", "node-1"))
    answer = await api.get(api.core("pods"), accept=accept)
    assert answer.json["kind"] == "PartialObjectMetadataList"
    assert answer.json["apiVersion"] == "meta.k8s.io/v1"
    assert int(answer.version) >= int(made.version)
    item = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    assert answer.json["items"] == [item | {"metadata": made.json["metadata"]}]


async def test_a_watch_as_metadata_alone(api: Api) -> None:
    made = await api.make(api.core("pods"), pod("p", "node-1"))
    await api.patch(api.core("pods/p/status"), {"status": {"phase": "Succeeded"}})
    query = f"resourceVersion={made.version}&fieldSelector=status.phase!%3DSucceeded"
    async with api.watch(api.core("pods"), query, accept=PARTIAL) as stream:
        told = await stream.next()
    assert told["type"] == "DELETED"
    assert told["object"]["kind"] == "PartialObjectMetadata"
    assert told["object"]["metadata"]["name"] == "p"
    assert set(told["object"]) == {"kind", "apiVersion", "metadata"}


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/json;q=0.9", ""])
async def test_plain_json_is_what_there_is_by_default(api: Api, accept: str) -> None:
    answer = await api.get(api.leases, accept=accept)
    assert (answer.status, answer.json["kind"]) == (200, "LeaseList")
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "accept", ["text/html", "application/*", "application/json;as=Nothing;g=meta.k8s.io;v=v1"]
)
async def test_a_form_that_the_server_has_not_is_not_acceptable(api: Api, accept: str) -> None:
    answer = await api.get(api.leases, accept=accept)
    assert answer.outcome == (406, "NotAcceptable")
