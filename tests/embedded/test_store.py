"""The store without HTTP: what the contract cases, which run over HTTP, cannot see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.embedded import deletion, objects, resources
from coordinator.embedded.errors import ApiError
from coordinator.embedded.resources import CONFIG_MAPS, LEASES, NODES, PODS
from coordinator.embedded.store import Store, Write

if TYPE_CHECKING:
    from coordinator.embedded.history import Event

NOON = datetime(2026, 5, 4, 12, 0, 0, 654321, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    numbers = count(1)
    made = Store(now=lambda: NOON, uids=lambda: f"uid-{next(numbers)}")
    objects.put(made, objects.namespace("velero"))
    return made


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str]:
    return error.value.status, error.value.reason


def test_clock_and_uids_are_the_ones_passed_in(store: Store) -> None:
    meta = store.create(LEASES, "velero", objects.lease("velero", "a"))["metadata"]
    assert meta["creationTimestamp"] == "2026-05-04T12:00:00Z"
    assert meta["uid"] == "uid-6"


def test_two_stores_with_the_same_clock_and_uids_end_equal() -> None:
    def run() -> list[dict[str, Any]]:
        numbers = count(1)
        one = Store(now=lambda: NOON, uids=lambda: f"uid-{next(numbers)}")
        one.create(NODES, "", objects.node("n"))
        one.create(LEASES, "default", {"metadata": {"generateName": "g-"}})
        return one.list(NODES) + one.list(LEASES)

    assert run() == run()


def test_what_goes_in_is_not_shared_with_what_is_stored(store: Store) -> None:
    node = objects.node("n")
    store.create(NODES, "", node)
    node["status"]["conditions"][0]["status"] = "changed"
    node["metadata"]["labels"]["late"] = "yes"
    found = store.get(NODES, "", "n")
    assert found["status"]["conditions"][0]["status"] == "True"
    assert store.list(NODES, labels="late=yes") == []


def test_what_comes_out_is_not_shared_with_what_is_stored(store: Store) -> None:
    store.create(LEASES, "velero", objects.lease("velero", "a", "me"))
    store.get(LEASES, "velero", "a")["spec"]["holderIdentity"] = "thief"
    store.list(LEASES)[0]["spec"]["holderIdentity"] = "thief"
    assert store.get(LEASES, "velero", "a")["spec"]["holderIdentity"] == "me"


def test_every_commit_takes_exactly_one_version(store: Store) -> None:
    before = store.version
    made = store.create(LEASES, "velero", objects.lease("velero", "a"))
    store.update(LEASES, "velero", "a", {**made, "spec": {"holderIdentity": "me"}})
    store.delete(LEASES, "velero", "a")
    assert store.version == before + 3


def test_a_refused_write_changes_nothing(store: Store) -> None:
    made = store.create(LEASES, "velero", objects.lease("velero", "a"))
    before = store.version
    made["metadata"]["resourceVersion"] = "2"
    with pytest.raises(ApiError) as error:
        store.update(LEASES, "velero", "a", made)
    assert refusal(error) == (409, "Conflict")
    assert store.version == before


def test_a_subscriber_hears_of_a_commit_before_the_write_returns(store: Store) -> None:
    heard: list[Event] = []
    end = store.subscribe(heard.append)
    made = store.create(LEASES, "velero", objects.lease("velero", "a"))
    assert [(one.type, one.entry.copy(LEASES)) for one in heard] == [("ADDED", made)]
    end()
    store.delete(LEASES, "velero", "a")
    assert len(heard) == 1


def test_a_dry_run_answers_as_if_and_keeps_nothing(store: Store) -> None:
    before = store.version
    dry = Write(dry_run=True)
    made = store.create(LEASES, "velero", objects.lease("velero", "a"), dry)
    assert made["metadata"]["uid"]
    assert (store.list(LEASES), store.version) == ([], before)


def test_dropped_fields_are_told(store: Store) -> None:
    write = Write()
    body = {"metadata": {"name": "a"}, "spec": {"holder": "me"}, "more": 1}
    assert store.create(LEASES, "velero", body, write)["spec"] == {}
    assert write.unknown == ["spec.holder", "more"]


def test_the_history_stays_bounded() -> None:
    store = Store(history=5)
    for number in range(50):
        store.create(NODES, "", objects.node(f"n{number}"))
    assert len(store.history) <= 10
    with pytest.raises(ApiError) as error:
        store.history.since(2)
    assert refusal(error) == (410, "Expired")


def test_a_pod_is_put_with_its_phase(store: Store) -> None:
    made = objects.put(store, objects.pod("velero", "p", "n", phase="Succeeded"))
    assert made["status"]["phase"] == "Succeeded"
    assert store.list(PODS, fields="status.phase!=Succeeded,status.phase!=Failed") == []
    assert store.list(PODS, fields="spec.nodeName=n") == [made]


def test_a_pod_on_a_node_terminates_until_it_is_deleted_with_grace_zero(store: Store) -> None:
    objects.put(store, objects.pod("velero", "p", "n"))
    meta = store.delete(PODS, "velero", "p")["metadata"]
    ends = NOON + timedelta(seconds=30)
    assert meta["deletionTimestamp"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert meta["generation"] == 2
    store.delete(PODS, "velero", "p", deletion.Options(grace_seconds=0))
    assert store.list(PODS) == []


def test_a_finalizer_keeps_an_object_until_it_is_taken_off(store: Store) -> None:
    lease = objects.lease("velero", "a")
    lease["metadata"]["finalizers"] = ["example.org/wait"]
    store.create(LEASES, "velero", lease)
    assert store.delete(LEASES, "velero", "a")["metadata"]["deletionTimestamp"]
    store.patch(LEASES, "velero", "a", {"metadata": {"finalizers": None}})
    assert store.list(LEASES) == []


def test_every_kind_can_be_stored_and_read_back(store: Store) -> None:
    about = {"kind": "Node", "name": "n"}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": about,
    }
    builders = [
        objects.node("n", {"a": "b"}, ready=False),
        objects.pod("velero", "p", "n"),
        objects.config_map("velero", "c", {"k": "v"}),
        objects.lease("velero", "l", "me"),
        objects.namespace("other"),
        event,
    ]
    for built in builders:
        made = objects.put(store, built)
        assert (made["kind"], made["apiVersion"]) == (built["kind"], built["apiVersion"])
        for part in set(built) - {"metadata", "spec", "status"}:
            assert made[part] == built[part]


def test_a_config_map_is_written_without_a_version_but_a_lease_is_not(store: Store) -> None:
    store.create(CONFIG_MAPS, "velero", objects.config_map("velero", "c", {"k": "1"}))
    again = objects.config_map("velero", "c", {"k": "2"})
    assert store.update(CONFIG_MAPS, "velero", "c", again)[0]["data"] == {"k": "2"}
    store.create(LEASES, "velero", objects.lease("velero", "a"))
    with pytest.raises(ApiError) as error:
        store.update(LEASES, "velero", "a", objects.lease("velero", "a", "me"))
    assert refusal(error) == (422, "Invalid")


def test_no_two_resources_share_a_path() -> None:
    assert len(resources.BY_PATH) == len(resources.ALL)


def test_a_node_has_what_typed_clients_insist_on(store: Store) -> None:
    made = store.create(NODES, "", {"metadata": {"name": "bare"}})
    assert made["spec"] == {}
    assert made["status"]["nodeInfo"]["kubeletVersion"] == ""
    same = store.update(NODES, "", "bare", {"metadata": {"name": "bare"}})[0]
    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
