"""PATCH: merge patch, JSON patch, and strategic merge patch for what the project sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from tests.contract.objects import lease

if TYPE_CHECKING:
    from tests.contract.client import Answer, Api


async def _made(api: Api) -> Answer:
    meta = {"labels": {"keep": "1", "drop": "1"}, "annotations": {"example.org/x": "1"}}
    return await api.make(api.leases, lease("a", "me", **meta))


async def test_a_merge_patch_sets_keeps_and_removes(api: Api) -> None:
    made = await _made(api)
    patch = {"metadata": {"labels": {"drop": None, "new": "2"}}, "spec": {"leaseTransitions": 3}}
    answer = await api.patch(f"{api.leases}/a", patch)
    assert answer.status == 200
    assert answer.json["metadata"]["labels"] == {"keep": "1", "new": "2"}
    assert answer.json["spec"] == {"holderIdentity": "me", "leaseTransitions": 3}
    assert int(answer.version) > int(made.version)


async def test_a_strategic_merge_patch_does_the_same_to_maps(api: Api) -> None:
    await _made(api)
    patch = {"metadata": {"labels": {"drop": None, "new": "2"}}}
    answer = await api.patch(f"{api.leases}/a", patch, STRATEGIC_PATCH)
    assert answer.status == 200
    assert answer.json["metadata"]["labels"] == {"keep": "1", "new": "2"}


async def test_a_json_patch_applies_its_operations_in_order(api: Api) -> None:
    await _made(api)
    patch = [
        {"op": "test", "path": "/spec/holderIdentity", "value": "me"},
        {"op": "replace", "path": "/spec/holderIdentity", "value": "you"},
        {"op": "add", "path": "/spec/leaseTransitions", "value": 1},
        {"op": "remove", "path": "/metadata/annotations/example.org~1x"},
    ]
    answer = await api.patch(f"{api.leases}/a", patch, JSON_PATCH)
    assert answer.status == 200
    assert answer.json["spec"] == {"holderIdentity": "you", "leaseTransitions": 1}
    assert "annotations" not in answer.json["metadata"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/holderIdentity", "value": "other"},
        {"op": "remove", "path": "/spec/leaseTransitions"},
        {"op": "replace", "path": "/nowhere/at/all", "value": 1},
    ],
)
async def test_a_json_patch_that_does_not_apply_changes_nothing(
    api: Api, operation: dict[str, Any]
) -> None:
    made = await _made(api)
    first = {"op": "add", "path": "/metadata/labels/x", "value": "y"}
    answer = await api.patch(f"{api.leases}/a", [first, operation], JSON_PATCH)
    assert answer.outcome == (422, "Invalid")
    assert (await api.get(f"{api.leases}/a")).version == made.version


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (MERGE_PATCH, b"{"),
        (MERGE_PATCH, b"[]"),
        (JSON_PATCH, b"{}"),
        (JSON_PATCH, b"["),
    ],
)
async def test_a_patch_that_is_none_is_refused(api: Api, kind: str, raw: bytes) -> None:
    await _made(api)
    assert (await api.patch(f"{api.leases}/a", raw, kind)).outcome == (400, "BadRequest")


async def test_a_stale_resource_version_in_a_patch_is_a_conflict(api: Api) -> None:
    made = await _made(api)
    patch = {"metadata": {"resourceVersion": made.version}, "spec": {"holderIdentity": "b"}}
    assert (await api.patch(f"{api.leases}/a", patch)).status == 200
    again = await api.patch(f"{api.leases}/a", patch | {"spec": {"holderIdentity": "c"}})
    assert again.outcome == (409, "Conflict")


async def test_a_patch_cannot_change_the_uid(api: Api) -> None:
    await _made(api)
    patch = {"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}}
    assert (await api.patch(f"{api.leases}/a", patch)).outcome == (422, "Invalid")


async def test_a_patch_creates_nothing(api: Api) -> None:
    answer = await api.patch(f"{api.leases}/a", {"spec": {"holderIdentity": "me"}})
    assert answer.outcome == (404, "NotFound")


async def test_a_patch_cannot_rename(api: Api) -> None:
    await _made(api)
    answer = await api.patch(f"{api.leases}/a", {"metadata": {"name": "b"}})
    assert answer.outcome == (400, "BadRequest")


async def test_a_patch_to_an_invalid_object_is_refused(api: Api) -> None:
    await _made(api)
    answer = await api.patch(f"{api.leases}/a", {"metadata": {"labels": {"a": "not valid"}}})
    assert answer.outcome == (422, "Invalid")


@pytest.mark.parametrize(
    "spec", [{"holderIdentity": 3}, {"renewTime": "2026-01-02T03:04:05Z"}, "text"]
)
async def test_a_patch_to_a_wrong_type_is_refused(api: Api, spec: Any) -> None:
    await _made(api)
    answer = await api.patch(f"{api.leases}/a", {"spec": spec})
    assert answer.outcome == (422, "Invalid")


async def test_an_empty_patch_keeps_the_resource_version(api: Api) -> None:
    made = await _made(api)
    answer = await api.patch(f"{api.leases}/a", {})
    assert (answer.status, answer.version) == (200, made.version)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_an_unknown_patch_type_is_refused(api: Api, kind: str) -> None:
    await _made(api)
    answer = await api.patch(f"{api.leases}/a", {"spec": {}}, kind)
    assert answer.outcome == (415, "UnsupportedMediaType")


async def test_a_dry_run_changes_nothing(api: Api) -> None:
    made = await _made(api)
    answer = await api.patch(f"{api.leases}/a?dryRun=All", {"spec": {"holderIdentity": "you"}})
    assert (answer.status, answer.json["spec"]["holderIdentity"]) == (200, "you")
    assert (await api.get(f"{api.leases}/a")).version == made.version
