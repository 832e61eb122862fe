"""The manifests applied to a test's namespace, and the coordinator's rights under them: no more."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coordinator.install import Options, objects
from tests.e2e import tokens
from tests.e2e.cluster import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.cluster import Cluster

_APPLIED = {
    *("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
    *("Secret", "ConfigMap"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
}
"""What gives rights or has to exist; nothing here runs a Deployment or a Service."""


class Installation:
    """What `slot-coordinator install` prints for the namespace, under a name of this test alone.

    The ConfigMap of limits is the tests' own.
    """

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        self._cluster = cluster
        self._applied: list[dict[str, Any]] = []
        self.options = Options(
            namespace=cluster.namespace, name=cluster.namespace, config_map=CONFIG, **options
        )
        self.objects: list[dict[str, Any]] = objects(self.options)

    def apply(self) -> None:
        """What is new of them. The pools' and the clients' namespaces have to be there."""
        for one in self.objects:
            if one["kind"] in _APPLIED and one not in self._applied:
                self._cluster.apply(one)
                self._applied.append(one)

    @cached_property
    def _deployment(self) -> dict[str, Any]:
        (found,) = (one for one in self.objects if one["kind"] == "Deployment")
        return found

    @property
    def account(self) -> str:
        """The coordinator's service account."""
        return str(self._deployment["spec"]["template"]["spec"]["serviceAccountName"])

    def flags(self, config: str | None = CONFIG) -> list[str]:
        """The Deployment's own, as the kubelet fills them in; with another ConfigMap, or none."""
        (container,) = self._deployment["spec"]["template"]["spec"]["containers"]
        namespace, limits = self._cluster.namespace, "--node-agent-configmap="
        told = [flag.replace("$(POD_NAMESPACE)", namespace) for flag in container["args"]]
        kept = [flag for flag in told if not flag.startswith(limits)]
        return [*kept, f"{limits}{config}"] if config else kept

    @property
    def authority(self) -> str:
        """The ConfigMap of the authority's certificate."""
        return f"{self.options.name}-ca"

    @cached_property
    def token(self) -> str:
        """What the coordinator's Pod would find mounted."""
        return tokens.token(self._cluster.api, self._cluster.namespace, self.account)

    def kubeconfig(self, folder: Path, url: str = "") -> Path:
        """A file for the coordinator's account; `url` is where the API server is reached."""
        config = json.loads(self._cluster.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": self.token}
        if url:
            config["clusters"][0]["cluster"]["server"] = url
        path = folder / f"kubeconfig-{self.account}-{len(list(folder.glob('kubeconfig-*')))}"
        path.write_text(json.dumps(config))
        return path
