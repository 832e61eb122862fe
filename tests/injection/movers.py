"""Mover Pods to the letter of Velero 1.18's exposers (`pkg/exposer` of its Go module).

`csi_snapshot.go` makes the one of a DataUpload, `generic_restore.go` of a DataDownload,
`pod_volume.go` those of a PodVolumeBackup and a PodVolumeRestore. What they inherit is what `velero
install` gives the node-agent.
"""

from __future__ import annotations

from typing import Any

from coordinator.core.movers import Kind

Pod = dict[str, Any]

UID = "0d9f5c6e-6f0e-4c1c-9d0f-3b6a1f6f2a11"
"""Of the custom resource: its container and its volume are called so."""
_GROUP = "velero.io/exposer-pod-group"
_COMMANDS = {
    Kind.POD_VOLUME_BACKUP: ["pod-volume", "backup"],
    Kind.POD_VOLUME_RESTORE: ["pod-volume", "restore"],
    Kind.DATA_UPLOAD: ["data-mover", "backup"],
    Kind.DATA_DOWNLOAD: ["data-mover", "restore"],
}
_GROUPS = {Kind.DATA_UPLOAD: "snapshot-exposer", Kind.DATA_DOWNLOAD: "generic-restore-exposer"}
_INHERITED_VOLUMES = [
    {"name": "host-pods", "hostPath": {"path": "/var/lib/kubelet/pods"}},
    {"name": "host-plugins", "hostPath": {"path": "/var/lib/kubelet/plugins"}},
    {"name": "scratch", "emptyDir": {}},
    {"name": "cloud-credentials", "secret": {"secretName": "cloud-credentials"}},
]
_INHERITED_MOUNTS = [
    {"name": "host-pods", "mountPath": "/host_pods", "mountPropagation": "HostToContainer"},
    {"name": "scratch", "mountPath": "/scratch"},
    {"name": "cloud-credentials", "mountPath": "/credentials"},
]
_INHERITED_ENV = [
    {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    {"name": "VELERO_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    {"name": "VELERO_SCRATCH_DIR", "value": "/scratch"},
]
_TOLERATIONS = [
    {"key": "os", "operator": "Equal", "effect": effect, "value": "windows"}
    for effect in ("NoSchedule", "NoExecute")
]


def mover(
    kind: Kind,
    namespace: str = "velero",
    name: str = "nightly-7-x2k4f",
    node: str = "node1",
    *,
    windows: bool = False,
) -> Pod:
    """The Pod that Velero makes for its custom resource `name`, as it is sent."""
    head = {
        "name": name,
        "namespace": namespace,
        "labels": {kind.label: name, **_group(kind)},
        "ownerReferences": [
            {
                "apiVersion": "velero.io/v1" if kind in _PLAIN else "velero.io/v2alpha1",
                "kind": kind.value,
                "name": name,
                "uid": UID,
                "controller": True,
            }
        ],
    }
    spec = {
        "nodeSelector": {"kubernetes.io/os": "windows" if windows else "linux"},
        "os": {"name": "windows" if windows else "linux"},
        "containers": [_container(kind, name)],
        "serviceAccountName": "velero",
        "terminationGracePeriodSeconds": 0,
        "volumes": [_volume(kind, name), *_INHERITED_VOLUMES],
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 0},
        "dnsPolicy": "ClusterFirst",
        **_placed(kind, node),
    }
    if windows:
        options = {"runAsUserName": "ContainerAdministrator"}
        spec |= {"securityContext": {"windowsOptions": options}, "tolerations": _TOLERATIONS}
        spec["containers"][0].pop("securityContext", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": spec}


_PLAIN = (Kind.POD_VOLUME_BACKUP, Kind.POD_VOLUME_RESTORE)


def _group(kind: Kind) -> dict[str, str]:
    return {_GROUP: _GROUPS[kind]} if kind in _GROUPS else {}


def _placed(kind: Kind, node: str) -> dict[str, Any]:
    """An upload is scheduled, the others have their node."""
    placed: dict[str, Any] = {} if kind is Kind.DATA_UPLOAD else {"nodeName": node}
    if kind in _GROUPS:
        placed["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _group(kind)},
            }
        ]
    return placed


def _container(kind: Kind, name: str) -> dict[str, Any]:
    flag = kind.label.removeprefix("velero.io/")
    mount = {"name": UID, "mountPath": f"/{UID}"}
    container: dict[str, Any] = {
        "name": UID,
        "image": "velero/velero:v1.18.0",
        "imagePullPolicy": "Never",
        "command": ["/velero", *_COMMANDS[kind]],
        "args": [f"--volume-path=/{UID}", f"--{flag}={name}", "--resource-timeout=10m0s"],
        "env": _INHERITED_ENV,
        "volumeMounts": [mount, *_INHERITED_MOUNTS],
    }
    if kind in _PLAIN:
        mount["mountPropagation"] = "HostToContainer"
        container["securityContext"] = {"privileged": False}
    return container


def _volume(kind: Kind, name: str) -> dict[str, Any]:
    if kind in _PLAIN:
        return {"name": UID, "hostPath": {"path": "/var/lib/kubelet/pods/1/volumes/x/pvc-1/mount"}}
    return {"name": UID, "persistentVolumeClaim": {"claimName": name}}
