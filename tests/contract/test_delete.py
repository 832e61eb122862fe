"""DELETE: its preconditions, and finalizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.client import JSON_PATCH
from tests.contract.objects import config_map, lease

if TYPE_CHECKING:
    from tests.contract.client import Api, Json

OTHER_UID = "11111111-1111-4111-8111-111111111111"


def _only_if(**preconditions: str) -> Json:
    return {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}


async def test_a_deleted_object_is_told_of_by_a_status(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    answer = await api.delete(f"{api.leases}/a")
    assert (answer.status, answer.json["status"]) == (200, "Success")
    assert answer.json["details"] == {
        "name": "a",
        "group": "coordination.k8s.io",
        "kind": "leases",
        "uid": made.uid,
    }
    assert (await api.get(f"{api.leases}/a")).outcome == (404, "NotFound")


async def test_what_is_not_there_cannot_be_deleted(api: Api) -> None:
    answer = await api.delete(f"{api.leases}/a")
    assert answer.outcome == (404, "NotFound")
    assert answer.message == 'leases.coordination.k8s.io "a" not found'
    assert (await api.delete(f"{api.leases}/a", _only_if(uid=OTHER_UID))).status == 404


async def test_both_preconditions_that_match_let_it_pass(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    body = _only_if(uid=made.uid, resourceVersion=made.version)
    assert (await api.delete(f"{api.leases}/a", body)).status == 200


async def test_the_uid_alone_deletes_a_lease_that_has_a_new_holder(api: Api) -> None:
    """Why promise P3 asks for both preconditions: this one frees the successor's slot."""
    made = await api.make(api.leases, lease("a", "first"))
    await api.put(f"{api.leases}/a", lease("a", "successor", resourceVersion=made.version))
    assert (await api.delete(f"{api.leases}/a", _only_if(uid=made.uid))).status == 200


async def test_with_both_preconditions_a_new_holder_is_safe(api: Api) -> None:
    made = await api.make(api.leases, lease("a", "first"))
    await api.put(f"{api.leases}/a", lease("a", "successor", resourceVersion=made.version))
    body = _only_if(uid=made.uid, resourceVersion=made.version)
    answer = await api.delete(f"{api.leases}/a", body)
    assert answer.outcome == (409, "Conflict")
    assert (await api.get(f"{api.leases}/a")).json["spec"]["holderIdentity"] == "successor"


@pytest.mark.parametrize("which", ["uid", "resourceVersion"])
async def test_a_precondition_that_differs_is_a_conflict(api: Api, which: str) -> None:
    await api.make(api.leases, lease("a"))
    body = _only_if(**{which: {"uid": OTHER_UID, "resourceVersion": "1"}[which]})
    answer = await api.delete(f"{api.leases}/a", body)
    assert answer.outcome == (409, "Conflict")
    details = {"name": "a", "group": "coordination.k8s.io", "kind": "Lease"}
    assert answer.json["details"] == details
    assert (await api.get(f"{api.leases}/a")).status == 200


async def test_the_old_uid_never_deletes_a_successor(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    await api.delete(f"{api.leases}/a")
    await api.make(api.leases, lease("a", "successor"))
    answer = await api.delete(f"{api.leases}/a", _only_if(uid=made.uid))
    assert answer.outcome == (409, "Conflict")


async def test_a_finalizer_keeps_the_object_as_terminating(api: Api) -> None:
    made = await api.make(api.leases, lease("a", "me", finalizers=["example.org/wait"]))
    answer = await api.delete(f"{api.leases}/a")
    assert (answer.status, answer.json["kind"]) == (200, "Lease")
    seen = await api.get(f"{api.leases}/a")
    assert seen.json["metadata"]["deletionTimestamp"]
    assert seen.json["metadata"]["deletionGracePeriodSeconds"] == 0
    assert seen.json["spec"]["holderIdentity"] == "me"
    assert int(seen.version) > int(made.version)


async def test_deleting_what_is_terminating_changes_nothing(api: Api) -> None:
    await api.make(api.leases, lease("a", finalizers=["example.org/wait"]))
    await api.delete(f"{api.leases}/a")
    before = await api.get(f"{api.leases}/a")
    assert (await api.delete(f"{api.leases}/a")).status == 200
    assert (await api.get(f"{api.leases}/a")).version == before.version


async def test_creating_over_what_is_terminating_is_refused(api: Api) -> None:
    await api.make(api.leases, lease("a", finalizers=["example.org/wait"]))
    await api.delete(f"{api.leases}/a")
    assert (await api.post(api.leases, lease("a"))).outcome == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("application/merge-patch+json", {"metadata": {"finalizers": None}}),
        (JSON_PATCH, [{"op": "remove", "path": "/metadata/finalizers"}]),
    ],
)
async def test_the_last_finalizer_takes_a_terminating_object_with_it(
    api: Api, kind: str, patch: Any
) -> None:
    await api.make(api.leases, lease("a", finalizers=["example.org/wait"]))
    await api.delete(f"{api.leases}/a")
    assert (await api.patch(f"{api.leases}/a", patch, kind)).status == 200
    assert (await api.get(f"{api.leases}/a")).status == 404


async def test_one_finalizer_of_two_keeps_it(api: Api) -> None:
    both = ["example.org/one", "example.org/two"]
    await api.make(api.leases, lease("a", finalizers=both))
    await api.delete(f"{api.leases}/a")
    await api.patch(f"{api.leases}/a", {"metadata": {"finalizers": both[1:]}})
    assert (await api.get(f"{api.leases}/a")).json["metadata"]["finalizers"] == both[1:]


async def test_a_finalizer_holds_nothing_before_the_delete(api: Api) -> None:
    await api.make(api.leases, lease("a", finalizers=["example.org/wait"]))
    await api.patch(f"{api.leases}/a", {"metadata": {"finalizers": None}})
    assert (await api.get(f"{api.leases}/a")).status == 200


async def test_a_dry_run_deletes_nothing(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    assert (await api.delete(f"{api.leases}/a?dryRun=All")).status == 200
    assert (await api.get(f"{api.leases}/a")).status == 200


async def test_a_body_that_is_no_delete_options_is_refused(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    assert (await api.delete(f"{api.leases}/a", b"{")).outcome == (400, "BadRequest")
    assert (await api.get(f"{api.leases}/a")).status == 200


async def test_a_collection_is_deleted_by_its_selector(api: Api) -> None:
    await api.make(api.leases, lease("a", labels={"team": "red"}))
    await api.make(api.leases, lease("b", labels={"team": "blue"}))
    answer = await api.delete(f"{api.leases}?labelSelector=team%3Dred")
    assert answer.status == 200
    assert (await api.get(api.leases)).names == ["b"]


async def test_a_grace_period_means_nothing_to_a_config_map(api: Api) -> None:
    await api.make(api.core("configmaps"), config_map("c"))
    body = {"gracePeriodSeconds": 0}
    assert (await api.delete(api.core("configmaps/c"), body)).status == 200
    assert (await api.get(api.core("configmaps/c"))).status == 404
