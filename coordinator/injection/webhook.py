"""The configuration by which the API server asks the coordinator about mover Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.injection.conditions import conditions, constraints
from coordinator.injection.naming import NAME, head

if TYPE_CHECKING:
    from coordinator.injection.source import Object

PATH = "/v1/admission/movers"
PORT = 8443
TIMEOUT = 5
"""Seconds. Velero's node-agent waits that long for its mover when no coordinator answers."""


def webhook(namespace: str, service: str, name: str = NAME) -> list[Object]:
    """A MutatingWebhookConfiguration for the movers of `namespace`.

    It has no caBundle: the coordinator publishes its authority there. An absent coordinator never
    stops a mover (failurePolicy Ignore). The conditions are in force from Kubernetes 1.28; an older
    API server asks about every Pod of the namespace, and the coordinator decides the same.
    """
    client = {"namespace": namespace, "name": service, "path": PATH, "port": PORT}
    hook: Object = {
        "name": "movers.nodeslots.io",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": client},
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "timeoutSeconds": TIMEOUT,
        "matchPolicy": "Equivalent",
        # What other webhooks add later does not matter to the sidecar.
        "reinvocationPolicy": "Never",
        **constraints(namespace),
        "matchConditions": conditions(),
    }
    return [head("MutatingWebhookConfiguration", name) | {"webhooks": [hook]}]
