"""Pods of DataUploads and DataDownloads as Velero's exposers make them, without a CSI driver.

Followed line by line: `createBackupPod` in pkg/exposer/csi_snapshot.go, `createRestorePod` in
pkg/exposer/generic_restore.go and `getInheritedPodInfo` in pkg/exposer/image.go of Velero 1.18.
Two things are not Velero's: in place of the snapshot's PersistentVolumeClaim stands a folder, and
the program is one that ends when it is told to, by a file in that folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.movers import Kind
from tests.velero import images
from tests.velero.velero import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OTHER_MOVER = "stand-in"
"""The CR's data mover. Velero's node-agent leaves the CRs of a mover that is not built in to that
one, in every phase (`IsBuiltInUploader` in pkg/datamover); the rest of its work it still does: the
phase Prepared for an Accepted CR whose Pod runs."""
END = "end"
"""The file that ends the program."""
_API = "velero.io/v2alpha1"
_GROUP_LABEL = "velero.io/exposer-pod-group"
_GROUPS = {Kind.DATA_UPLOAD: "snapshot-exposer", Kind.DATA_DOWNLOAD: "generic-restore-exposer"}
_ARGUMENTS = {Kind.DATA_UPLOAD: "--data-upload", Kind.DATA_DOWNLOAD: "--data-download"}
_OWNERS = {Kind.DATA_UPLOAD: "backup", Kind.DATA_DOWNLOAD: "restore"}
_PROGRAM = """\
import os, sys, time
volume = sys.argv[1].partition("=")[2]
while not os.path.exists(f"{volume}/end"):
    time.sleep(0.02)
"""
"""As its container's first process it does not hear SIGTERM: it is there until SIGKILL."""


def resource(kind: Kind, name: str, owner: str) -> dict[str, Any]:
    """The CR of a mover that is being prepared, of that Backup or Restore."""
    specs = {Kind.DATA_UPLOAD: _upload, Kind.DATA_DOWNLOAD: _download}
    labels = {f"velero.io/{_OWNERS[kind]}-name": owner}
    return {
        "apiVersion": _API,
        "kind": kind.value,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": specs[kind](name),
        # There from the first moment: nobody sees it New, which the node-agent would take up.
        "status": {"phase": "Accepted"},
    }


def pod(made: Any, agent: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The Pod of a CR that the API server has made; `agent` is the node-agent's Pod spec."""
    kind, head = Kind(made["kind"]), made["metadata"]
    group = {_GROUP_LABEL: _GROUPS[kind]}
    owner = {key: made[key] for key in ("apiVersion", "kind")}
    owner |= {"name": head["name"], "uid": head["uid"], "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": head["name"],
            "namespace": NAMESPACE,
            "labels": {kind.label: head["name"]} | group,
            "ownerReferences": [owner],
        },
        "spec": _spec(kind, head, agent, folder) | _placing(group),
    }


def _spec(kind: Kind, head: Any, agent: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    inherited = {key: agent[key] for key in ("dnsPolicy", "dnsConfig") if key in agent}
    volume = {"name": head["uid"], "hostPath": {"path": str(folder), "type": "Directory"}}
    return inherited | {
        "containers": [_container(kind, head, agent)],
        "volumes": [volume, *agent["volumes"]],
        "serviceAccountName": agent["serviceAccountName"],
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 0},
    }


def _container(kind: Kind, head: Any, agent: Mapping[str, Any]) -> dict[str, Any]:
    (its,) = agent["containers"]
    place = f"/{head['uid']}"
    args = [f"--volume-path={place}", "--volume-mode=Filesystem"]
    args += [f"{_ARGUMENTS[kind]}={head['name']}", "--resource-timeout=10m0s"]
    args += ["--cache-volume-path="] if kind.restores else []
    return {
        "name": head["uid"],
        "image": images.PROJECT,
        "imagePullPolicy": "Never",
        "command": ["python3.11", "-c", _PROGRAM],
        "args": args,
        "volumeMounts": [{"name": head["uid"], "mountPath": place}, *its["volumeMounts"]],
        "env": its["env"],
    }


def _placing(group: Mapping[str, str]) -> dict[str, Any]:
    """The scheduler is to find a node: none is named."""
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname"}
    spread |= {"whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": group}}
    system = {"nodeSelector": {"kubernetes.io/os": "linux"}, "os": {"name": "linux"}}
    return system | {"topologySpreadConstraints": [spread]}


def _upload(name: str) -> dict[str, Any]:
    snapshot = {"volumeSnapshot": name, "storageClass": "csi"}
    return _common() | {"snapshotType": "CSI", "csiSnapshot": snapshot, "sourcePVC": name}


def _download(name: str) -> dict[str, Any]:
    volume = {"pvc": name, "pv": "", "namespace": "source"}
    return _common() | {"targetVolume": volume, "snapshotID": "0"}


def _common() -> dict[str, Any]:
    return {
        "datamover": OTHER_MOVER,
        "backupStorageLocation": "default",
        "sourceNamespace": "source",
        "operationTimeout": "10m0s",
    }
