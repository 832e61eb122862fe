"""The bundle in a ConfigMap, for agents to mount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from coordinator.kube import errors
from coordinator.kube.calls import resource_path

if TYPE_CHECKING:
    from coordinator.kube.client import KubeClient

KEY = "ca.crt"
LABELS = {"app.kubernetes.io/name": "node-slots"}
"""Those that the manifests give it: a write takes the others away."""


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A `publisher.Place` that needs `update` on this name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"ConfigMap {self.name}"

    @property
    def again(self) -> float:
        """Seconds: an hour, since a hand seldom empties it."""
        return 3600.0

    def advice(self, error: errors.Refused) -> str:
        """What to do about this refusal; "" where it says so itself."""
        missing = isinstance(error, errors.NotFound)
        return f"create the ConfigMap {self.name} there, empty" if missing else ""

    async def write(self, client: KubeClient, bundle: bytes) -> None:
        """A PUT without resourceVersion. Raises `ApiError`."""
        head = {"name": self.name, "namespace": self.namespace, "labels": LABELS}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head}
        body["data"] = {KEY: bundle.decode("ascii")}
        path = resource_path("configmaps", self.namespace, self.name)
        await client.request("PUT", path, body=orjson.dumps(body))
