"""PUT: the compare-and-swap that grants rest on (promise P3), and what goes wrong without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.objects import config_map, lease

if TYPE_CHECKING:
    from tests.contract.client import Answer, Api

OTHER_UID = "11111111-1111-4111-8111-111111111111"


async def _made(api: Api, holder: str = "first", **meta: Any) -> Answer:
    return await api.make(api.leases, lease("a", holder, **meta))


async def test_uid_and_resource_version_that_match_let_a_write_pass(api: Api) -> None:
    made = await _made(api)
    body = lease("a", "second", uid=made.uid, resourceVersion=made.version)
    answer = await api.put(f"{api.leases}/a", body)
    assert answer.status == 200
    assert answer.uid == made.uid
    assert int(answer.version) > int(made.version)
    assert answer.json["spec"]["holderIdentity"] == "second"
    created = made.json["metadata"]["creationTimestamp"]
    assert answer.json["metadata"]["creationTimestamp"] == created


async def test_a_stale_resource_version_is_a_conflict(api: Api) -> None:
    made = await _made(api)
    body = lease("a", "second", uid=made.uid, resourceVersion=made.version)
    await api.put(f"{api.leases}/a", body)
    answer = await api.put(f"{api.leases}/a", body | {"spec": {"holderIdentity": "third"}})
    assert answer.outcome == (409, "Conflict")
    assert answer.json["details"] == {
        "name": "a",
        "group": "coordination.k8s.io",
        "kind": "leases",
    }
    assert (await api.get(f"{api.leases}/a")).json["spec"]["holderIdentity"] == "second"


async def test_a_replayed_write_conflicts_with_its_own_success(api: Api) -> None:
    made = await _made(api)
    body = lease("a", "second", uid=made.uid, resourceVersion=made.version)
    assert (await api.put(f"{api.leases}/a", body)).status == 200
    assert (await api.put(f"{api.leases}/a", body)).outcome == (409, "Conflict")


async def test_another_uid_is_a_conflict(api: Api) -> None:
    made = await _made(api)
    body = lease("a", "second", uid=OTHER_UID, resourceVersion=made.version)
    assert (await api.put(f"{api.leases}/a", body)).outcome == (409, "Conflict")


@pytest.mark.parametrize("version", [{}, {"resourceVersion": ""}, {"resourceVersion": "0"}])
async def test_a_lease_that_exists_takes_no_write_without_a_resource_version(
    api: Api, version: dict[str, Any]
) -> None:
    made = await _made(api)
    for uid in ("", made.uid):
        answer = await api.put(f"{api.leases}/a", lease("a", "second", uid=uid, **version))
        assert answer.outcome == (422, "Invalid")
        assert answer.json["details"]["causes"][0]["field"] == "metadata.resourceVersion"


async def test_a_config_map_takes_a_write_without_a_resource_version(api: Api) -> None:
    await api.make(api.core("configmaps"), config_map("c", {"k": "v"}))
    answer = await api.put(api.core("configmaps/c"), config_map("c", {"k": "w"}))
    assert (answer.status, answer.json["data"]) == (200, {"k": "w"})


async def test_a_write_without_uid_creates_a_lease_that_was_deleted(api: Api) -> None:
    made = await _made(api)
    await api.delete(f"{api.leases}/a")
    answer = await api.put(f"{api.leases}/a", lease("a", "second"))
    assert answer.status == 201
    assert answer.uid != made.uid


async def test_a_write_with_the_old_uid_onto_a_deleted_lease_is_a_conflict(api: Api) -> None:
    made = await _made(api)
    await api.delete(f"{api.leases}/a")
    answer = await api.put(f"{api.leases}/a", lease("a", "second", uid=made.uid))
    assert answer.outcome == (409, "Conflict")
    both = lease("a", "second", uid=made.uid, resourceVersion=made.version)
    assert (await api.put(f"{api.leases}/a", both)).outcome == (409, "Conflict")
    assert (await api.get(f"{api.leases}/a")).status == 404


async def test_a_write_with_the_old_uid_never_reaches_the_successor(api: Api) -> None:
    made = await _made(api)
    await api.delete(f"{api.leases}/a")
    await _made(api, "successor")
    answer = await api.put(f"{api.leases}/a", lease("a", "late", uid=made.uid))
    assert answer.outcome == (409, "Conflict")
    assert (await api.get(f"{api.leases}/a")).json["spec"]["holderIdentity"] == "successor"


async def test_a_resource_version_alone_does_not_keep_a_deleted_lease_from_being_created(
    api: Api,
) -> None:
    """Why promise P3 asks for the uid too: by the resourceVersion alone this is no swap."""
    made = await _made(api)
    await api.delete(f"{api.leases}/a")
    answer = await api.put(f"{api.leases}/a", lease("a", "late", resourceVersion=made.version))
    assert answer.status == 201
    assert answer.uid != made.uid


async def test_a_missing_config_map_is_created_by_no_write(api: Api) -> None:
    answer = await api.put(api.core("configmaps/c"), config_map("c"))
    assert answer.outcome == (404, "NotFound")


async def test_a_terminating_lease_still_takes_writes(api: Api) -> None:
    """Which is why a terminating Lease is never handed over: it goes with its last finalizer."""
    made = await _made(api, finalizers=["example.org/wait"])
    terminating = await api.delete(f"{api.leases}/a")
    body = lease("a", "second", uid=made.uid, resourceVersion=terminating.version)
    body["metadata"]["finalizers"] = ["example.org/wait"]
    answer = await api.put(f"{api.leases}/a", body)
    assert (answer.status, answer.json["spec"]) == (200, {"holderIdentity": "second"})
    assert "deletionTimestamp" in answer.json["metadata"]


async def test_a_write_that_drops_the_last_finalizer_of_a_terminating_lease_removes_it(
    api: Api,
) -> None:
    made = await _made(api, finalizers=["example.org/wait"])
    terminating = await api.delete(f"{api.leases}/a")
    body = lease("a", "second", uid=made.uid, resourceVersion=terminating.version)
    answer = await api.put(f"{api.leases}/a", body)
    assert answer.status == 200
    assert (await api.get(f"{api.leases}/a")).status == 404


async def test_a_terminating_lease_takes_no_new_finalizer(api: Api) -> None:
    await _made(api, finalizers=["example.org/wait"])
    version = (await api.delete(f"{api.leases}/a")).version
    both = ["example.org/wait", "example.org/more"]
    body = lease("a", finalizers=both, resourceVersion=version)
    assert (await api.put(f"{api.leases}/a", body)).outcome == (422, "Invalid")


async def test_a_body_of_another_name_is_refused(api: Api) -> None:
    await _made(api)
    answer = await api.put(f"{api.leases}/a", lease("b"))
    assert answer.outcome == (400, "BadRequest")


async def test_a_body_of_another_namespace_is_refused(api: Api) -> None:
    await _made(api)
    answer = await api.put(f"{api.leases}/a", lease("a", namespace="default"))
    assert answer.outcome == (400, "BadRequest")


@pytest.mark.parametrize("name", ["A", "a_b"])
async def test_a_write_creates_no_invalid_name(api: Api, name: str) -> None:
    answer = await api.put(f"{api.leases}/{name}", lease(name))
    assert answer.outcome == (422, "Invalid")


@pytest.mark.parametrize("version", ["x", "-1", "1.5"])
async def test_a_resource_version_that_is_no_number_is_refused(api: Api, version: str) -> None:
    await _made(api)
    answer = await api.put(f"{api.leases}/a", lease("a", resourceVersion=version))
    # The API server takes this for a fault of its own: a Status without a reason.
    assert answer.outcome == (500, "")


async def test_a_write_that_changes_nothing_keeps_the_resource_version(api: Api) -> None:
    made = await _made(api)
    answer = await api.put(f"{api.leases}/a", made.json)
    assert (answer.status, answer.version) == (200, made.version)


async def test_what_a_write_leaves_out_is_gone(api: Api) -> None:
    made = await _made(api, labels={"a": "b"}, annotations={"c": "d"})
    answer = await api.put(f"{api.leases}/a", lease("a", resourceVersion=made.version))
    assert "labels" not in answer.json["metadata"]
    assert "annotations" not in answer.json["metadata"]
    assert answer.json["spec"] == {}


async def test_a_dry_run_changes_nothing(api: Api) -> None:
    made = await _made(api)
    body = lease("a", "second", resourceVersion=made.version)
    answer = await api.put(f"{api.leases}/a?dryRun=All", body)
    assert (answer.status, answer.json["spec"]) == (200, {"holderIdentity": "second"})
    assert (await api.get(f"{api.leases}/a")).version == made.version


async def test_an_immutable_config_map_stays_as_it_is(api: Api) -> None:
    await api.make(api.core("configmaps"), config_map("c", {"k": "v"}) | {"immutable": True})
    changed = config_map("c", {"k": "w"}) | {"immutable": True}
    answer = await api.put(api.core("configmaps/c"), changed)
    assert answer.outcome == (422, "Invalid")
