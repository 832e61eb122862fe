"""A cluster where loads run already: nodes with labels, and Leases that name a holder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coordinator.core.model import Lease, Terms
from coordinator.kube import records
from tests.bench import fleet
from tests.bench.rig import NAMESPACE

if TYPE_CHECKING:
    from tests.bench.rig import Rig

ACQUIRED = "2026-01-05T10:00:00.000000Z"
TTL = 3600
"""Seconds: nobody renews, and nobody is to be judged while something else is measured."""
LEASES = f"apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"


def occupy(rig: Rig, nodes: int, slots: int) -> None:
    """Make the nodes, and on each of them so many slots with a holder."""
    rig.bulk(
        ("api/v1/nodes", {"metadata": {"name": f"n{number}", "labels": fleet.labels(number)}})
        for number in range(nodes)
    )
    rig.bulk((LEASES, _held(f"n{number}", n)) for number in range(nodes) for n in range(slots))


def limits(more: int) -> str:
    """The ConfigMap's text: a hundred rules, each number so much larger than `fleet` has it."""
    rules = [rule | {"number": rule["number"] + more} for rule in fleet.rules()]
    return json.dumps({"loadConcurrency": {"globalConfig": 10 + more, "perNodeConfig": rules}})


def _held(node: str, ordinal: int) -> dict[str, Any]:
    terms = Terms(f"backup-{ordinal}/pvc-{node}", ttl=TTL)
    base = Lease(f"{node}-slot-{ordinal}", "", 1)
    claim = f"{node}-{ordinal}"
    made: dict[str, Any] = json.loads(records.render_grant(base, node, claim, terms, ACQUIRED))
    for field in ("uid", "resourceVersion"):
        del made["metadata"][field]
    return made
