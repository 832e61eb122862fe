"""Slots that are held when the coordinator comes: Leases as it writes them, made in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.bench.rig import Rig

TOKEN = 1
"""The fencing token of all of them."""
GRANTED = "2026-01-05T10:00:00.000000Z"


def hold(rig: Rig, namespace: str, nodes: Iterable[str], slots: int) -> None:
    """Make the Leases of so many held slots on each node."""
    path = f"apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    rig.bulk((path, lease) for node in nodes for lease in _leases(node, slots))


def claim_of(node: str, ordinal: int) -> str:
    """Who holds that slot."""
    return f"{node}-{ordinal}-0f8e6a5c"


def load_of(node: str, ordinal: int) -> str:
    """What runs in it."""
    return f"backup-{node}/pvc-{ordinal}"


def _leases(node: str, slots: int) -> Iterator[dict[str, Any]]:
    for ordinal in range(slots):
        notes = {
            "node": node,
            "claim": claim_of(node, ordinal),
            "load": load_of(node, ordinal),
            "priority": "0",
            "ttl-seconds": "60",
            "fencing-token": str(TOKEN),
        }
        labels = {"app.kubernetes.io/managed-by": "node-slots", "nodeslots.io/node": node}
        yield {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": f"{node}-slot-{ordinal}",
                "labels": labels | {"velero.io/exclude-from-backup": "true"},
                "annotations": {f"nodeslots.io/{name}": note for name, note in notes.items()},
            },
            "spec": {
                "holderIdentity": load_of(node, ordinal),
                "acquireTime": GRANTED,
                "renewTime": GRANTED,
                "leaseTransitions": 1,
            },
        }
