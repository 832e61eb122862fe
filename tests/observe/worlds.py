"""A small Velero, put together thing by thing; times are seconds after `T`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from coordinator.core.movers import Kind
from coordinator.velero.world import Limits, Mover, Node, NodeAgent, Work, World

T = 1_790_000_000.0
BACKUP, RESTORE = Kind.POD_VOLUME_BACKUP, Kind.POD_VOLUME_RESTORE
HOST = "kubernetes.io/hostname"
CONFIG = "node-agent-config"


def config(number: int, *rules: tuple[str, str, int], name: str = CONFIG) -> Limits:
    """A ConfigMap: the global limit, and rules of a label, its value and a number."""
    per_node = [{"nodeSelector": {"matchLabels": {k: v}}, "number": n} for k, v, n in rules]
    whole = {"loadConcurrency": {"globalConfig": number, "perNodeConfig": per_node}}
    return Limits(name, {"c.json": json.dumps(whole)})


def node(name: str, **changes: Any) -> Node:
    return replace(Node(name, {HOST: name}, ready=True), **changes)


def agent(name: str = "node-agent", **changes: Any) -> NodeAgent:
    base = NodeAgent(name, "velero/velero:v1.18.0", CONFIG, 1800.0, 1, desired=2, ready=2)
    return replace(base, **changes)


def mover(name: str, on: str, up: float | None = None, down: float | None = None) -> Mover:
    """The Pod of a PodVolumeBackup, made at 1."""
    phase = "Pending" if up is None else "Running" if down is None else "Succeeded"
    ends = [None if at is None else T + at for at in (up, down)]
    return Mover(name, f"uid-{name}", BACKUP, on, phase, False, False, T + 1, *ends)


def work(
    name: str,
    on: str,
    phase: str = "Accepted",
    moving: float | None = None,
    done: float | None = None,
    *,
    asked: float = 0.0,
    kind: Kind = BACKUP,
) -> Work:
    """A work of the backup `nightly`."""
    began, ended = (None if at is None else T + at for at in (moving, done))
    return Work(name, kind, on, phase, "nightly", T + asked, T + asked, began, ended)


WORLD = World(
    namespace="velero",
    taken=T + 60,
    kubernetes="v1.36.3",
    velero="v1.18.0",
    node_agents=(agent(),),
    limits=(config(2, (HOST, "node1", 1)),),
    nodes=(node("node1"), node("node2")),
    movers=(
        mover("a", "node1", up=4),
        mover("b", "node1", up=4),
        mover("c", "node1", up=4),
        mover("d", "node1"),
    ),
    works=(
        work("a", "node1", "InProgress", 5),
        work("b", "node1", "InProgress", 5),
        work("c", "node1", "Prepared"),
        work("d", "node1"),
        work("e", "", "New", kind=Kind.DATA_UPLOAD),
        work("f", "node2", "Completed", 5, 50),
    ),
)
"""Limits 1 and 2: two movers move data on node1, one is up, one waits; one has no node yet."""
