"""Slots that are held when the coordinator comes: Leases as it writes them, made in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from coordinator.core.model import DEFAULT_TTL, Lease, Terms
from coordinator.core.names import lease_name
from coordinator.kube import records
from coordinator.kube.leases import leases_path
from tests.bench.rig import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.bench.rig import Rig

TOKEN = 1
"""The fencing token of all of them."""
GRANTED = "2026-01-05T10:00:00.000000Z"


def hold(rig: Rig, nodes: Iterable[str], slots: int, ttl: int = DEFAULT_TTL) -> None:
    """Make the Leases of so many held slots on each node; `ttl` in seconds."""
    places = ((node, ordinal) for node in nodes for ordinal in range(slots))
    path = leases_path(NAMESPACE).lstrip("/")
    rig.bulk((path, _held(node, ordinal, ttl)) for node, ordinal in places)


def claim_of(node: str, ordinal: int) -> str:
    """Who holds that slot."""
    return f"{node}-{ordinal}-0f8e6a5c"


def load_of(node: str, ordinal: int) -> str:
    """What runs in it."""
    return f"backup-{node}/pvc-{ordinal}"


def _held(node: str, ordinal: int, ttl: int) -> dict[str, Any]:
    terms = Terms(load_of(node, ordinal), ttl=ttl)
    base = Lease(lease_name(node, ordinal), "", TOKEN)
    body = records.render_grant(base, node, claim_of(node, ordinal), terms, GRANTED)
    made: dict[str, Any] = orjson.loads(body)
    for field in ("uid", "resourceVersion"):
        del made["metadata"][field]
    return made
