"""The story that is played: nodes, limits, loads. Everything that a person might want to change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

NAMESPACE = "velero"
CONFIG_MAP = "node-agent-config"
CONFIG_KEY = "node-agent-config.json"

INSTANCE_TYPE = "beta.kubernetes.io/instance-type"
NODES: dict[str, dict[str, str]] = {
    "node1": {},
    "node2": {INSTANCE_TYPE: "Standard_B4ms"},
    "node3": {},
}
"""Labels by node, besides those that every node has."""

LIMITS = {"node1": 3, "node2": 5, "node3": 2}
EDITED_LIMITS = {"node1": 4, "node2": 2, "node3": 2}
"""One is raised, one is lowered while loads run on it, one stays."""
EDIT = "node1 3 -> 4, Standard_B4ms 5 -> 2"

QUEUE = 3
"""Claims that are kept waiting on each node, so that a slot is always handed over."""
SECONDS = (3.6, 5.0, 4.2, 5.4, 4.6, 5.2)
"""How long loads take, in turn: two begin each second, each with an agent's start-up."""
FULL_SECONDS = 20.0
"""How long the demo takes that these loads are made for."""
KINDS = ("backup", "backup", "scan", "backup", "restore", "pull")
PRIORITIES = {"restore": 10}


@dataclass(frozen=True, slots=True)
class Load:
    """One load to be run: how long it takes, and how much it matters."""

    name: str
    seconds: float
    priority: int


def load(number: int) -> Load:
    """The load of this number, from 1."""
    kind = KINDS[number % len(KINDS)]
    return Load(f"{kind}-{number}", SECONDS[number % len(SECONDS)], PRIORITIES.get(kind, 0))


def limits_text(node1: int, b4ms: int) -> str:
    """The ConfigMap's text: the sample of Velero's documentation with these two numbers."""
    return json.dumps(
        {
            "loadConcurrency": {
                "globalConfig": 2,
                "perNodeConfig": [
                    _rule("kubernetes.io/hostname", "node1", node1),
                    _rule(INSTANCE_TYPE, "Standard_B4ms", b4ms),
                ],
            }
        },
        indent=2,
    )


def _rule(label: str, value: str, number: int) -> dict[str, Any]:
    return {"nodeSelector": {"matchLabels": {label: value}}, "number": number}


SAMPLE = limits_text(LIMITS["node1"], LIMITS["node2"])
EDITED = limits_text(EDITED_LIMITS["node1"], EDITED_LIMITS["node2"])
