"""What is read from the API server's objects, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.core.movers import GOVERNED, PREPARE_TIMEOUT, Kind
from coordinator.velero import objects

SOON, LATER = "2026-11-22T10:00:00Z", "2026-11-22T10:05:00Z"


def pod(state: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A mover with a sidecar, whose own state says nothing of the mover's."""
    labels = {"velero.io/data-upload": "du-1", GOVERNED: "true"}
    statuses = [
        {"name": "other", "state": {"running": {"startedAt": LATER}}},
        {"name": "own", "state": state},
    ]
    head = {"name": "du-1", "uid": "u1", "labels": labels, "creationTimestamp": SOON}
    whole = {"nodeName": "node1", "containers": [{"name": "own"}, {"name": "other"}], **spec}
    return {"metadata": head, "spec": whole, "status": {"containerStatuses": statuses}}


def resource(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "w", "creationTimestamp": SOON}, "spec": {}, "status": status}


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        ({"waiting": {}}, (None, None)),
        ({"running": {"startedAt": LATER}}, (300.0, None)),
        ({"terminated": {"startedAt": SOON, "finishedAt": LATER}}, (0.0, 300.0)),
    ],
)
def test_a_movers_times_are_those_of_its_own_container(
    state: dict[str, Any], seconds: tuple[float | None, float | None]
) -> None:
    found = objects.mover(pod(state))
    assert found is not None
    times = [None if at is None else at - found.created for at in (found.started, found.ended)]
    assert tuple(times) == seconds
    assert (found.kind, found.node, found.governed) == (Kind.DATA_UPLOAD, "node1", True)


def test_a_pod_without_a_movers_label_is_none() -> None:
    assert objects.mover({"metadata": {"name": "p", "labels": {"velero.io/other": "x"}}}) is None


@pytest.mark.parametrize(
    "spec", [{"os": {"name": "windows"}}, {"nodeSelector": {"kubernetes.io/os": "windows"}}]
)
def test_a_windows_mover_is_known_by_its_spec(spec: dict[str, Any]) -> None:
    found = objects.mover(pod({}, **spec))
    assert found is not None
    assert found.windows


def test_the_node_is_where_velero_writes_it() -> None:
    told = resource(node="status-node") | {"spec": {"node": "spec-node"}}
    backup = objects.work(told, Kind.POD_VOLUME_BACKUP)
    restore = objects.work(told, Kind.POD_VOLUME_RESTORE)
    assert backup is not None
    assert restore is not None
    assert (backup.node, restore.node) == ("spec-node", "status-node")


def test_the_owner_is_named_whole_where_its_label_is_cut() -> None:
    told = resource()
    told["metadata"]["labels"] = {"velero.io/backup-name": "a-long-name-1234ab"}
    found = objects.work(told, Kind.DATA_UPLOAD)
    assert found is not None
    assert found.owner == "a-long-name-1234ab"
    told["metadata"]["ownerReferences"] = [{"kind": "Backup", "name": "a-long-name-in-full"}]
    found = objects.work(told, Kind.DATA_UPLOAD)
    assert found is not None
    assert found.owner == "a-long-name-in-full"


def test_a_copy_from_another_cluster_is_no_work_of_this_one() -> None:
    early = "2026-11-21T10:00:00Z"
    assert objects.work(resource(completionTimestamp=early), Kind.POD_VOLUME_BACKUP) is None
    assert objects.work(resource(completionTimestamp=LATER), Kind.POD_VOLUME_BACKUP)


def test_another_programs_data_mover_is_left_alone() -> None:
    told = resource() | {"spec": {"datamover": "vendor"}}
    assert objects.work(told, Kind.DATA_UPLOAD) is None
    assert objects.work(resource() | {"spec": {"datamover": "velero"}}, Kind.DATA_UPLOAD)


def test_nulls_and_odd_types_are_taken_as_empty() -> None:
    told = {"metadata": {"name": "w", "labels": None}, "spec": None, "status": {"phase": 3}}
    found = objects.work(told, Kind.POD_VOLUME_BACKUP)
    assert found is not None
    assert (found.phase, found.node, found.accepted) == ("", "", None)


def workload(*args: str, image: str = "velero/velero:v1.18.0") -> dict[str, Any]:
    own = {"name": "x", "image": image, "command": ["/velero"], "args": list(args)}
    pod_spec = {"containers": [{"name": "log", "image": "shipper"}, own]}
    return {
        "metadata": {"name": "node-agent", "labels": {"app.kubernetes.io/version": "1.17.2"}},
        "spec": {"template": {"spec": pod_spec}},
        "status": {"desiredNumberScheduled": 3, "numberReady": 2},
    }


def test_a_node_agent_is_known_by_what_it_runs_and_read_by_its_flags() -> None:
    told = workload(
        *("node-agent", "server", "--node-agent-configmap", "limits"),
        "--data-mover-prepare-timeout=12h",
    )
    found = objects.node_agent(told)
    assert found is not None
    assert (found.config_map, found.prepare_timeout) == ("limits", 12 * 3600.0)
    assert (found.containers, found.desired, found.ready) == (2, 3, 2)
    assert objects.node_agent(workload("server")) is None


def test_without_flags_veleros_defaults_hold() -> None:
    found = objects.node_agent(workload("node-agent", "server"))
    assert found is not None
    assert (found.config_map, found.prepare_timeout) == ("", PREPARE_TIMEOUT)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("velero/velero:v1.18.0", "v1.18.0"),
        ("registry:5000/velero:v1.15.2-rc.1@sha256:00", "v1.15.2-rc.1"),
        ("velero/velero@sha256:00", "1.17.2"),
        ("velero/velero:main", "1.17.2"),
        ("registry:5000/velero", "1.17.2"),
    ],
)
def test_the_version_is_the_images_tag_else_the_label(image: str, version: str) -> None:
    assert objects.version_of(workload("server"), image) == version
