"""A Lease as bare writers and rivals write it: all that a slot's has, but foreign to node-slots."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_WHEN = "2026-01-05T10:00:00.000000Z"


def lease(identity: Json, holder: str = "", transitions: int = 0) -> Json:
    """The whole object; `identity` is its name and, for a PUT, its uid and resourceVersion."""
    notes = {
        "nodeslots.io/node": "bare",
        "nodeslots.io/claim": "0194f2a2-6f5b-7c30-9a52-3e8f6f0e2b11",
        "nodeslots.io/load": "backup-7/pvc-3",
        "nodeslots.io/priority": "0",
        "nodeslots.io/ttl-seconds": "60",
        "nodeslots.io/fencing-token": identity.get("resourceVersion", "0"),
    }
    labels = {"app.kubernetes.io/managed-by": "bench", "velero.io/exclude-from-backup": "true"}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": identity | {"labels": labels, "annotations": notes},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": 60,
            "acquireTime": _WHEN,
            "renewTime": _WHEN,
            "leaseTransitions": transitions,
        },
    }


def identity_of(read: Json) -> Json:
    """What a PUT says of the Lease that was read."""
    return {key: read["metadata"][key] for key in ("name", "uid", "resourceVersion")}
