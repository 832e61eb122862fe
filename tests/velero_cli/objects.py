"""A Velero as its own `velero install` makes it, and rights to look at it."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

NODE_AGENT = "node-agent-config"
_READS = ["get", "list"]
_WAYS = [
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhookconfigurations",
]
INSIDE = {"apiGroups": ["", "apps", "velero.io"], "resources": ["*"], "verbs": _READS}
"""What somebody may who looks at Velero's namespace."""
EVERYWHERE = (
    {"apiGroups": [""], "resources": ["nodes"], "verbs": _READS},
    {"apiGroups": ["admissionregistration.k8s.io"], "resources": _WAYS, "verbs": ["get"]},
)
"""And in the whole cluster."""


def config_map(namespace: str, name: str, text: str) -> Object:
    head = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": {"c.json": text}}


def velero(namespace: str, *flags: str) -> Object:
    """The server's Deployment."""
    container = {"name": "velero", "image": "velero/velero:v1.18.0", "command": ["/velero"]}
    return _workload("Deployment", namespace, "velero", {**container, "args": ["server", *flags]})


def node_agent(namespace: str, *flags: str) -> Object:
    container = {"name": "node-agent", "image": "velero/velero:v1.18.0", "command": ["/velero"]}
    args = ["node-agent", "server", f"--node-agent-configmap={NODE_AGENT}", *flags]
    return _workload("DaemonSet", namespace, "node-agent", {**container, "args": args})


def _workload(kind: str, namespace: str, name: str, container: Object) -> Object:
    labels = {"name": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }
