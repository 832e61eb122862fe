"""Pods for tests of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.model import PodRef
from coordinator.embedded.resources import PODS
from tests.service.cluster import NODE, NS

if TYPE_CHECKING:
    from tests.service.cluster import Cluster

ENDED: dict[str, Any] = {
    "phase": "Running",
    "containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 0}}}],
}
"""The status of a Pod whose only container has ended, before the phase says so."""


def job_pod(cluster: Cluster, name: str) -> PodRef:
    """A Pod on the node whose containers are not started again."""
    spec = {
        "containers": [{"name": "main", "image": "example/none"}],
        "restartPolicy": "Never",
        "nodeName": NODE,
    }
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    return PodRef(NS, name, cluster.store.create(PODS, NS, body)["metadata"]["uid"])
