"""What a site looks like: its nodes, their limits and loads, the same for the same seed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL, CONFIG = "velero", "node-agent-config"
HOSTNAME, TYPE = "kubernetes.io/hostname", "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
TYPES = ("m6i.large", "m6i.large", "m6i.large", "r6i.2xlarge", "Standard_B4ms", "g5.xlarge")
KINDS = ("backup", "backup", "backup", "scan", "restore", "pull")
BUSY_AT_MOST = 600
"""Nodes with loads: of five thousand most have none."""


@dataclass(frozen=True)
class Load:
    """One load that some agent asks a slot for."""

    name: str
    claim: str
    priority: int = 0


@dataclass
class NodePlan:
    """A node, the loads that hold its slots, and those that wait; `mute`: one holder is silent."""

    name: str
    labels: dict[str, str]
    limit: int
    holding: list[Load] = field(default_factory=list)
    waiting: list[Load] = field(default_factory=list)
    mute: bool = False
    hold: str = ""


@dataclass
class Plan:
    """A pool: what its ConfigMap said when the loads began, and what it says now."""

    nodes: list[NodePlan]
    before: str
    now: str


class Loads:
    """Names of loads, each one once."""

    def __init__(self, chance: Random, first: int = 0) -> None:
        self._chance = chance
        self._count = first

    def new(self) -> Load:
        """The next one."""
        self._count += 1
        kind = self._chance.choice(KINDS)
        name = f"{kind}-{1 + self._count // 7}/pvc-{self._count}"
        return Load(name, f"{self._chance.getrandbits(64):016x}", 10 if kind == "restore" else 0)

    def some(self, count: int) -> list[Load]:
        """So many."""
        return [self.new() for _ in range(count)]


def plan(nodes: int, seed: int = 1) -> Plan:
    """Three nodes as in the demo, else workers of several types in three zones."""
    chance = Random(seed)
    return _three(Loads(chance)) if nodes == 3 else _many(nodes, chance)


def limits(number: int, *rules: tuple[dict[str, str], int]) -> str:
    """A ConfigMap's text."""
    made = [_rule(labels, count) for labels, count in rules]
    return json.dumps(
        {"loadConcurrency": {"globalConfig": number, "perNodeConfig": made}}, indent=2
    )


def _rule(labels: dict[str, str], number: int) -> dict[str, Any]:
    return {"nodeSelector": {"matchLabels": labels}, "number": number}


def _three(loads: Loads) -> Plan:
    """A full node with a queue, one above its new limit, one with room and a silent holder."""
    large = {TYPE: "Standard_B4ms"}
    first = NodePlan("node1", {}, 3, loads.some(3), loads.some(3))
    second = NodePlan("node2", large, 2, loads.some(4), loads.some(2))
    third = NodePlan("node3", {}, 2, loads.some(1), mute=True)
    rules = {HOSTNAME: "node1"}, 3
    return Plan([first, second, third], limits(2, rules, (large, 5)), limits(2, rules, (large, 2)))


def _many(count: int, chance: Random) -> Plan:
    loads = Loads(chance)
    nodes = [_worker(number, chance) for number in range(count)]
    busy = chance.sample(nodes, min(BUSY_AT_MOST, count))
    for place, node in enumerate(busy):
        _occupy(node, place, loads, chance)
    idle, quiet = (node for node in busy if not node.holding), _quiet(busy)
    next(idle).hold = "disk is being replaced, until Tuesday"
    next(quiet).mute = True
    return Plan(nodes, limits_of_many(6), limits_of_many(4))


def _quiet(nodes: list[NodePlan]) -> Iterator[NodePlan]:
    return (node for node in nodes if node.holding and not node.waiting)


def _worker(number: int, chance: Random) -> NodePlan:
    zone, kind = "abc"[number % 3], chance.choice(TYPES)
    labels = {ZONE: f"eu-west-1{zone}", TYPE: kind}
    return NodePlan(f"worker-{zone}{number:04d}", labels, LIMITS.get(kind, 2))


LIMITS = {"Standard_B4ms": 5, "r6i.2xlarge": 4, "g5.xlarge": 1}
"""What the rules of `limits_of_many` come to now, by type."""


def limits_of_many(large: int) -> str:
    """What the workers' ConfigMap says where large nodes have so many slots."""
    return limits(
        2,
        ({TYPE: "Standard_B4ms"}, 5),
        ({TYPE: "r6i.2xlarge"}, large),
        ({TYPE: "g5.xlarge"}, 1),
        ({TYPE: "m5.metal"}, 8),  # matches nothing
        ({ZONE: "eu-west-1d"}, 0),  # skipped with a warning
    )


def _occupy(node: NodePlan, place: int, loads: Loads, chance: Random) -> None:
    """Every fourth busy node is full with a queue, every eighth large one above its limit."""
    if place % 4 == 0:
        over = 1 if node.labels[TYPE] == "r6i.2xlarge" else 0
        node.holding = loads.some(node.limit + over)
        node.waiting = loads.some(chance.randint(1, 5))
    else:
        node.holding = loads.some(chance.randint(0, node.limit))
