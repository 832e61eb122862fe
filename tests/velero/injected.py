"""What governs this cluster's Velero: the objects that `slot-coordinator velero install` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coordinator.core.movers import Kind, is_governed
from coordinator.velero.install import POLICY, Governing
from tests.velero.velero import NAMESPACE

if TYPE_CHECKING:
    from tests.kubelet.kubectl import Kubectl

NAME = "node-slots"
"""Of the sidecar's container."""
SERVICE_IP = "10.0.0.77"
"""The Service's address, chosen beforehand: Pods have no DNS here, and the certificate names it."""
URL = f"https://{SERVICE_IP}:8443"
LONG_WAIT, PREPARE_TIMEOUT = 3, 12
"""Seconds. Velero's own timeout is hours; the coordinator is told less, so that it warns soon."""


def governing(injection: str) -> Governing:
    """By `install.POLICY` or `install.WEBHOOK`."""
    return Governing(
        namespace=NAMESPACE,
        injection=injection,
        url=URL,
        prepare_timeout=PREPARE_TIMEOUT,
        flags=(f"--tls-name={SERVICE_IP}", f"--long-wait={LONG_WAIT}"),
    )


def installed(injection: str) -> list[dict[str, Any]]:
    """All objects."""
    return [_at_known_address(one) for one in governing(injection).installed()]


def by_policy() -> list[dict[str, Any]]:
    """The MutatingAdmissionPolicy with its binding."""
    return governing(POLICY).injecting()


def governs(kubectl: Kubectl) -> bool:
    """Whether a mover made now would get the sidecar: asked by a dry run."""
    main = {"name": "main", "image": "localhost/none:1"}
    head = {"name": "probe", "labels": {Kind.POD_VOLUME_BACKUP.label: "probe"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": {"containers": [main]}}
    words = ("create", "--dry-run=server", "--output=json", "-f", "-")
    made = json.loads(kubectl(*words, text=json.dumps(pod)))
    return is_governed(made["metadata"]["labels"])


def _at_known_address(one: dict[str, Any]) -> dict[str, Any]:
    if one["kind"] == "Service":
        one["spec"]["clusterIP"] = SERVICE_IP
    return one
