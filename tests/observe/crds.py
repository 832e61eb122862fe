"""Velero's custom resources on the real API server, as far as names go: any content is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.movers import Kind
from coordinator.velero.reading import RESOURCES
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def add(cluster: Cluster) -> None:
    """All four kinds, served when this returns. They belong to no namespace: `remove` them."""
    for kind in Kind:
        cluster.make(_PATH, _definition(kind))
    _wait(cluster, 200)


def remove(cluster: Cluster) -> None:
    """Gone when this returns."""
    for kind in Kind:
        cluster.api.delete(f"{_PATH}/{RESOURCES[kind][0]}.velero.io")
    _wait(cluster, 404)


def _wait(cluster: Cluster, status: int) -> None:
    paths = [place(kind, cluster.namespace) for kind in Kind]
    until(
        lambda: all(cluster.api.get(path).status == status for path in paths),
        f"all of {paths} answer {status}",
    )


def place(kind: Kind, namespace: str) -> str:
    resource, api = RESOURCES[kind]
    return f"/{api}/namespaces/{namespace}/{resource}"


def work(kind: Kind, name: str, node: str, phase: str, owner: str, **times: str) -> dict[str, Any]:
    """A custom resource as Velero writes it; times are such as startTimestamp."""
    _, api = RESOURCES[kind]
    head = {"name": name, "labels": {"velero.io/backup-name": owner}}
    body: dict[str, Any] = {"apiVersion": api.removeprefix("apis/"), "kind": kind.value}
    body |= {"metadata": head, "spec": {}, "status": {"phase": phase, **times}}
    body["spec" if kind is Kind.POD_VOLUME_BACKUP else "status"]["node"] = node
    return body


def _definition(kind: Kind) -> dict[str, Any]:
    resource, api = RESOURCES[kind]
    group, version = api.removeprefix("apis/").split("/")
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True}
    names = {"plural": resource, "singular": kind.value.lower(), "kind": kind.value}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names | {"listKind": f"{kind.value}List"},
            "versions": [served | {"schema": {"openAPIV3Schema": anything}}],
        },
    }
