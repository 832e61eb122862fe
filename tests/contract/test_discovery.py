"""What a client asks before it asks for anything, and requests that lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.objects import lease

if TYPE_CHECKING:
    from tests.contract.client import Api

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


async def test_the_core_group_has_one_version(api: Api) -> None:
    answer = await api.get("/api")
    assert (answer.json["kind"], answer.json["versions"]) == ("APIVersions", ["v1"])


async def test_the_groups_name_their_preferred_version(api: Api) -> None:
    answer = await api.get("/apis")
    assert (answer.json["kind"], answer.json["apiVersion"]) == ("APIGroupList", "v1")
    preferred = {one["name"]: one["preferredVersion"] for one in answer.json["groups"]}
    for group in ("coordination.k8s.io", "authentication.k8s.io", "authorization.k8s.io"):
        assert preferred[group] == {"groupVersion": f"{group}/v1", "version": "v1"}


async def test_one_group(api: Api) -> None:
    answer = await api.get("/apis/coordination.k8s.io")
    assert (answer.json["kind"], answer.json["name"]) == ("APIGroup", "coordination.k8s.io")
    assert answer.json["preferredVersion"]["version"] == "v1"


async def test_the_resources_of_the_lease_group(api: Api) -> None:
    answer = await api.get("/apis/coordination.k8s.io/v1")
    assert answer.json["kind"] == "APIResourceList"
    assert answer.json["groupVersion"] == "coordination.k8s.io/v1"
    (leases,) = [one for one in answer.json["resources"] if one["name"] == "leases"]
    assert leases["singularName"] == "lease"
    assert (leases["kind"], leases["namespaced"]) == ("Lease", True)
    assert leases["verbs"] == VERBS


@pytest.mark.parametrize(
    ("name", "kind", "namespaced", "short"),
    [
        ("configmaps", "ConfigMap", True, ["cm"]),
        ("secrets", "Secret", True, []),
        ("pods", "Pod", True, ["po"]),
        ("events", "Event", True, ["ev"]),
        ("nodes", "Node", False, ["no"]),
        ("namespaces", "Namespace", False, ["ns"]),
    ],
)
async def test_the_resources_of_the_core_group(
    api: Api, name: str, kind: str, namespaced: bool, short: list[str]
) -> None:
    answer = await api.get("/api/v1")
    assert answer.json["groupVersion"] == "v1"
    (found,) = [one for one in answer.json["resources"] if one["name"] == name]
    assert (found["kind"], found["namespaced"]) == (kind, namespaced)
    assert found.get("shortNames", []) == short
    assert {"create", "get", "list", "watch", "patch", "delete"} <= set(found["verbs"])


async def test_the_version_is_told_with_its_parts(api: Api) -> None:
    told = (await api.get("/version")).json
    assert told["major"] == "1"
    assert told["gitVersion"].startswith(f"v1.{told['minor']}.")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_health_is_plain_text(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status, answer.raw) == (200, b"ok")


@pytest.mark.parametrize("path", ["/nowhere", "/apis/example.org/v1/things", "/apis/example.org"])
async def test_a_path_outside_every_group_is_not_found_in_plain_text(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert answer.status == 404
    assert answer.raw.strip() == b"404 page not found"


@pytest.mark.parametrize(
    "path",
    [
        "/apis/coordination.k8s.io/v1/things",
        "/apis/coordination.k8s.io/v1/namespaces/default/things",
        "/api/v1/things/a",
    ],
)
async def test_a_resource_that_the_group_has_not_is_not_found(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert answer.outcome == (404, "NotFound")
    assert answer.message == "the server could not find the requested resource"


@pytest.mark.parametrize(("method", "tail"), [("POST", "/a"), ("PUT", ""), ("PATCH", "")])
async def test_a_method_that_the_path_has_not_is_not_allowed(
    api: Api, method: str, tail: str
) -> None:
    answer = await api.call(method, f"{api.leases}{tail}", lease("a"))
    assert answer.outcome == (405, "MethodNotAllowed")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_of_an_unknown_media_type_is_refused(api: Api, method: str) -> None:
    path = api.leases if method == "POST" else f"{api.leases}/a"
    answer = await api.call(method, path, b"name: a", content_type="text/plain")
    assert answer.outcome == (415, "UnsupportedMediaType")


async def test_yaml_is_understood(api: Api) -> None:
    raw = b"metadata:\n  name: a\nspec:\n  holderIdentity: me\n"
    answer = await api.post(api.leases, raw, content_type="application/yaml")
    assert (answer.status, answer.json["spec"]) == (201, {"holderIdentity": "me"})


async def test_a_missing_object_is_told_by_name(api: Api) -> None:
    answer = await api.get(f"{api.leases}/a")
    assert answer.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'leases.coordination.k8s.io "a" not found',
        "reason": "NotFound",
        "details": {"name": "a", "group": "coordination.k8s.io", "kind": "leases"},
        "code": 404,
    }


@pytest.mark.parametrize("resource", ["configmaps", "pods"])
async def test_the_core_group_has_no_name_in_a_status(api: Api, resource: str) -> None:
    answer = await api.get(api.core(f"{resource}/a"))
    assert answer.message == f'{resource} "a" not found'
    assert answer.json["details"] == {"name": "a", "kind": resource}
