"""Builders of small objects, and ``put`` that stores one as it is meant, status and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.embedded import resources

if TYPE_CHECKING:
    from coordinator.embedded.store import Store

Object = dict[str, Any]
_BY_KIND = {one.kind: one for one in resources.ALL if one is not resources.NEW_EVENTS}


def namespace(name: str) -> Object:
    """Return a Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def node(name: str, labels: dict[str, str] | None = None, *, ready: bool = True) -> Object:
    """Return a Node that is Ready or not, with the labels and its hostname label."""
    status = "True" if ready else "False"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                **(labels or {}),
            },
        },
        "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": status, "reason": "Kubelet"}],
            "addresses": [{"type": "Hostname", "address": name}],
            "nodeInfo": {"kubeletVersion": "v1.36.0", "operatingSystem": "linux"},
        },
    }


def config_map(ns: str, name: str, data: dict[str, str]) -> Object:
    """Return a ConfigMap."""
    meta = {"name": name, "namespace": ns}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def lease(ns: str, name: str, holder: str | None = None) -> Object:
    """Return a Lease, held by somebody or empty."""
    spec = {} if holder is None else {"holderIdentity": holder}
    meta = {"name": name, "namespace": ns}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}


def pod(
    ns: str,
    name: str,
    node_name: str = "",
    *,
    phase: str = "Running",
    labels: dict[str, str] | None = None,
) -> Object:
    """Return a Pod of one container in a phase, on a node or (empty) on none."""
    spec: Object = {"containers": [{"name": "main", "image": "example/none"}]}
    if node_name:
        spec["nodeName"] = node_name
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": ns, "labels": labels or {}},
        "spec": spec,
        "status": {"phase": phase},
    }


def put(store: Store, obj: Object) -> Object:
    """Create an object, and write its status where creating dropped it; return it as stored."""
    resource = _BY_KIND[obj["kind"]]
    meta = obj["metadata"]
    place = meta.get("namespace", "")
    made = store.create(resource, place, obj)
    if resource.kind != "Pod" or "status" not in obj:
        return made
    return store.update(resource, place, meta["name"], obj, subresource="status")[0]
