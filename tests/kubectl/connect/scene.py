"""A coordinator that runs as a Pod does, and people who get to it by port-forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kubectl.connect import Options
from tests.e2e.people import on_leases, person
from tests.kubectl.connect.fake_kubelet import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.processes import Site
    from tests.kubectl.connect.fake_kubelet import FakeKubelet

FORWARDING: tuple[dict[str, Any], ...] = (
    {"apiGroups": [""], "resources": ["services", "configmaps"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get", "create"]},
)
"""The rights that the way to the coordinator takes."""
LOOKING = (*FORWARDING, on_leases("get", "list"))
TIMEOUT = 60.0
"""Seconds for one request; only a fault, or a machine that stands still, takes that long."""


def printed(table: str) -> dict[str, dict[str, str]]:
    """A printed table's rows by their first cell, each with its cells by their header, as far as
    cells are one word.
    """
    head, *rows = (line.split() for line in table.splitlines())
    return {row[0]: dict(zip(head, row, strict=False)) for row in rows}


class Scene:
    """The Service of the installation and its Pods, on a node whose kubelet forwards."""

    def __init__(self, site: Site, kubelet: FakeKubelet) -> None:
        self.site = site
        self.cluster = site.cluster
        self.kubelet = kubelet
        self.node = self._add_node()
        (service,) = (one for one in site.installation.objects if one["kind"] == "Service")
        self.cluster.apply(service)
        self.labels: dict[str, str] = service["spec"]["selector"]

    @property
    def port(self) -> int:
        """Where the coordinator's process listens."""
        return int(self.site.url.rpartition(":")[2])

    def add_pod(self, name: str, port: int | None = None, *, ready: bool = True) -> None:
        """A Pod of the coordinator, whose port 8443 is that one of this machine."""
        container = {"name": "coordinator", "image": "example.org/none"}
        ports = [{"name": "https", "containerPort": 8443}]
        head = {"name": name, "labels": self.labels}
        spec = {"nodeName": self.node, "containers": [{**container, "ports": ports}]}
        self.cluster.make(self.cluster.pod_path(), {"metadata": head, "spec": spec})
        self.set_ready(name, ready=ready)
        if port is not None:
            self.kubelet.ports[name] = port

    def set_ready(self, pod: str, *, ready: bool) -> None:
        condition = {"type": "Ready", "status": "True" if ready else "False"}
        self.cluster.tell(pod, {"phase": "Running", "conditions": [condition]})

    def person(self, folder: Path, name: str, *rules: dict[str, Any], **more: Any) -> Options:
        """The options of somebody with these rights, LOOKING by default."""
        return self.options(folder, person(self.cluster, name, *rules or LOOKING), **more)

    def options(self, folder: Path, token: str, **more: Any) -> Options:
        """Those of whoever has this token for the API server."""
        file = folder / f"kubeconfig-{len(list(folder.iterdir()))}"
        file.write_text(self.cluster.server.config_of(token))
        service = self.site.installation.options.name
        return Options(
            kubeconfig=str(file),
            namespace=self.cluster.namespace,
            service=service,
            timeout=TIMEOUT,
            **more,
        )

    def _add_node(self) -> str:
        """A node where the API server finds the kubelet."""
        name = self.cluster.add_node(9)
        status = {
            "addresses": [{"type": "InternalIP", "address": LOOPBACK}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.kubelet.port}},
        }
        answer = self.cluster.api.merge(f"/api/v1/nodes/{name}/status", {"status": status})
        assert answer.status == 200, answer.raw
        return name
