"""The bundle in a MutatingWebhookConfiguration, for the API server that calls the webhook."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.kube.client import JSON_PATCH

if TYPE_CHECKING:
    from coordinator.kube.client import KubeClient

MOVERS = "movers.nodeslots.io"
"""The webhook that injects the sidecar, as deploy/velero/mutating-webhook.yaml names it."""

_APPLY = (
    "apply it (`slot-coordinator velero install --injection webhook` prints it), or leave"
    " --inject-image out"
)
_API = "apis/admissionregistration.k8s.io/v1"
_FIRST = "/webhooks/0"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A `publisher.Place` that needs `patch` on this name: the first webhook of a configuration.

    `webhook` is the name that this one must have, so that no other's authority is replaced.
    Failures are counted in the coordinator's own namespace: a configuration is in none.
    """

    namespace: str
    configuration: str
    webhook: str = MOVERS

    def __str__(self) -> str:
        return f"MutatingWebhookConfiguration {self.configuration}"

    @property
    def again(self) -> float:
        """Seconds. Who deletes and applies the configuration anew, or writes all of it as a tool
        for deployments does, empties it; until it is filled, no mover gets the sidecar.
        """
        return 60.0

    def advice(self, error: errors.Refused) -> str:
        """What to do about this refusal; "" where it says so itself."""
        if isinstance(error, errors.NotFound):
            return _APPLY
        if isinstance(error, errors.Invalid):
            return f"its first webhook has to be {self.webhook}; --webhook-configuration says which"
        return ""

    async def write(self, client: KubeClient, bundle: bytes) -> None:
        """A JSON patch (RFC 6902) of `caBundle` alone. Raises `ApiError`."""
        text = base64.b64encode(bundle).decode()
        patch = [
            {"op": "test", "path": f"{_FIRST}/name", "value": self.webhook},
            {"op": "add", "path": f"{_FIRST}/clientConfig/caBundle", "value": text},
        ]
        path = resource_path("mutatingwebhookconfigurations", "", self.configuration, api=_API)
        await client.request("PATCH", path, body=orjson.dumps(patch), content_type=JSON_PATCH)
