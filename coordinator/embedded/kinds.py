"""What the server itself writes into an object of a kind (the real server's strategies).

Defaults are few: those that this project or ``kubectl`` reads. The real server fills in some thirty
more fields of a Pod.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coordinator.embedded.resources import Resource

Object = dict[str, Any]

_POD_DEFAULTS = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}


# Go writes these out even when empty, and typed clients insist on them.
_NODE_INFO = dict.fromkeys(
    (
        "architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion",
        "kubeletVersion", "machineID", "operatingSystem", "osImage", "systemUUID",
    ),
    "",
)  # fmt: skip


def _complete_node(obj: Object) -> None:
    status = obj.get("status", {})
    obj["spec"] = obj.get("spec", {})
    obj["status"] = {
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        **status,
        "nodeInfo": {**_NODE_INFO, **status.get("nodeInfo", {})},
    }


def _label_namespace(obj: Object) -> None:
    meta = obj["metadata"]
    meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta.get("name", "")


def _complete_secret(obj: Object) -> None:
    """Texts come in as `stringData` and stay as `data`."""
    texts = obj.pop("stringData", None) or {}
    if texts:
        coded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        obj["data"] = (obj.get("data") or {}) | coded
    obj["type"] = obj.get("type") or "Opaque"


def prepare_new(resource: Resource, obj: Object) -> None:
    """Fill in what the server decides at creation."""
    if resource.kind == "Namespace":
        _label_namespace(obj)
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}
    elif resource.kind == "Node":
        _complete_node(obj)
    elif resource.kind == "Secret":
        _complete_secret(obj)
    elif resource.kind == "Pod":
        obj["spec"] = {**_POD_DEFAULTS, **obj.get("spec", {})}
        obj["status"] = {"phase": "Pending"}
        obj["metadata"]["generation"] = 1


def prepare_update(resource: Resource, obj: Object, old: Object, subresource: str) -> None:
    """Keep what this way of writing may not change: status, or everything but status."""
    if resource.kind == "Secret":
        _complete_secret(obj)
    if not resource.has_status:
        return
    if resource.kind == "Namespace":
        _label_namespace(obj)
        obj["spec"] = old["spec"]
    if subresource == "status":
        for part in [name for name in (*obj, *old) if name not in {"metadata", "status"}]:
            obj.pop(part, None)
            if part in old:
                obj[part] = old[part]
    else:
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = old["status"]
        if resource.kind == "Pod" and obj.get("spec") != old.get("spec"):
            obj["metadata"]["generation"] += 1
    if resource.kind == "Node":
        _complete_node(obj)


def grace_seconds(resource: Resource, obj: Object, asked: int | None) -> int:
    """Return how long an object is terminating before it may go, in seconds.

    Only Pods that run on a node have one: their kubelet ends them, then deletes with 0.
    """
    if not resource.graceful:
        return 0
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in {"Succeeded", "Failed"}:
        return 0
    wanted = spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked
    return 1 if wanted < 0 else int(wanted)
