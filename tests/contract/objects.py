"""The smallest objects that an API server accepts, for the contract cases to alter."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.client import Json


def lease(name: str, holder: str = "", **meta: Any) -> Json:
    """A Lease; more of its metadata by name, such as `labels={...}` or `uid="..."`."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, **meta},
        "spec": {"holderIdentity": holder} if holder else {},
    }


def config_map(name: str, data: dict[str, str] | None = None, **meta: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **meta},
        "data": data or {},
    }


def secret(name: str, **data: str) -> Json:
    """A Secret with these texts, by key; a `_` in a key stands for a dot."""
    coded = {
        key.replace("_", "."): base64.b64encode(text.encode()).decode()
        for key, text in data.items()
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": coded}


def pod(name: str, node: str = "", **meta: Any) -> Json:
    spec: Json = {"containers": [{"name": "main", "image": "example.org/load:1"}]}
    if node:
        spec["nodeName"] = node
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **meta}, "spec": spec}


def node(name: str, **labels: str) -> Json:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def event(name: str, namespace: str, about: str) -> Json:
    """A core Event of the kind that `kubectl describe` shows, about a ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "namespace": namespace,
            "name": about,
        },
        "reason": "ConfigRefused",
        "message": "more than one data key",
        "type": "Warning",
        "source": {"component": "slot-coordinator"},
        "firstTimestamp": "2026-01-02T03:04:05Z",
        "lastTimestamp": "2026-01-02T03:04:05Z",
        "count": 1,
    }
