"""A Velero that is ready in every respect, to be spoiled in one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coordinator.core.movers import Kind
from coordinator.velero import check
from coordinator.velero.check_model import Coordinator, Finding, Injected, Level, Own, Served, Way
from coordinator.velero.world import Limits, Node, NodeAgent, Server, Work, World

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_790_000_000.0
HOUR = 3600.0

LINUX = tuple(
    Node(
        name,
        {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        True,
        "linux",
        "v1.36.3",
    )
    for name in ("node1", "node2")
)
WINDOWS = Node("win1", {"kubernetes.io/os": "windows"}, True, "windows", "v1.36.3")


def limits(name: str = "node-slots", *, number: int = 2, **more: Any) -> Limits:
    """A ConfigMap with one limit for all nodes."""
    section = {"globalConfig": number, **more}
    return Limits(name, {"config.json": json.dumps({"loadConcurrency": section})})


AGENT = NodeAgent(
    name="node-agent",
    image="velero/velero:v1.18.0",
    config_map="node-agent-config",
    prepare_timeout=24 * HOUR,
    containers=1,
    desired=2,
    ready=2,
)
LONG = {"fs-backup-timeout": "48h", "default-item-operation-timeout": "48h"}
SERVER = Server("velero", "velero/velero:v1.18.0", 1, {**LONG, "item-block-worker-count": "4"})
WORLD = World(
    namespace="velero",
    taken=NOW,
    kubernetes="v1.36.3",
    velero="v1.18.0",
    server=SERVER,
    node_agents=(AGENT,),
    limits=(limits("node-agent-config", number=1000, prepareQueueLength=50),),
    nodes=LINUX,
)
OWN = Own(
    limits=limits(),
    served=Served(policy="v1"),
    injected=(Injected(Way.POLICY, "node-slots-movers"),),
    coordinator=Coordinator("node-slots-coordinator", 2, 2, {"prepare-timeout": "86400"}),
)


def agent(**changes: Any) -> World:
    """The world with another node-agent."""
    return replace(WORLD, node_agents=(replace(AGENT, **changes),))


def server(flags: Mapping[str, str]) -> World:
    """The world with other flags of the server."""
    return replace(WORLD, server=replace(SERVER, flags={**SERVER.flags, **flags}))


def works(
    number: int,
    seconds: float,
    *,
    node: str = "node1",
    kind: Kind = Kind.POD_VOLUME_BACKUP,
    owner: str = "nightly",
    phase: str = "Completed",
    ago: float = HOUR,
) -> tuple[Work, ...]:
    """Volumes of one backup on one node, each with a run of so many seconds."""
    begun = NOW - ago - seconds
    ended = NOW - ago if phase == "Completed" else None
    return tuple(
        Work(f"{owner}-{at}", kind, node, phase, owner, begun, begun, begun, ended)
        for at in range(number)
    )


def found(about: str, world: World = WORLD, own: Own = OWN) -> list[Finding]:
    """The findings of one topic."""
    return [one for one in check.findings(world, own) if one.about == about]


def only(about: str, world: World = WORLD, own: Own = OWN) -> Finding:
    """The one finding of a topic."""
    (one,) = found(about, world, own)
    return one


def worst(world: World = WORLD, own: Own = OWN) -> list[tuple[Level, str]]:
    """The topics that are not as they should be."""
    bad = (Level.WARNING, Level.ERROR)
    return [(one.level, one.about) for one in check.findings(world, own) if one.level in bad]
