"""The node-agents that make the movers, and the nodes that are not governed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.words import count
from coordinator.velero.check_map import OS, OUT_OF_THE_WAY, limits_of, windows_limit
from coordinator.velero.check_model import Finding, Level
from coordinator.velero.check_text import kubectl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.velero.world import NodeAgent, World

ABOUT = "node-agent"


def nodes(world: World) -> list[Finding]:
    """Each node-agent, and the Windows nodes."""
    if not world.node_agents:
        return [_none(world), *_windows(world)]
    findings = [one for agent in world.node_agents for one in _agent(world, agent)]
    return [*findings, *_windows(world)]


def _none(world: World) -> Finding:
    return Finding(
        Level.ERROR,
        ABOUT,
        f"no node-agent in namespace {world.namespace}: Velero has no data movers without it",
        "install it (`velero install --use-node-agent`), or name Velero's namespace with -n",
    )


def _agent(world: World, agent: NodeAgent) -> list[Finding]:
    findings = [_readiness(world, agent)]
    if agent.containers != 1:
        findings.append(
            Finding(
                Level.ERROR,
                ABOUT,
                f"the template of {agent.name} has {count(agent.containers, 'container')}. Velero"
                " makes movers from a template with exactly one, and fails otherwise"
                " (`pkg/exposer/image.go`)",
                "take the other containers out; whatever injected them should leave"
                f" {agent.name} alone",
            )
        )
    return findings


def _readiness(world: World, agent: NodeAgent) -> Finding:
    text = f"{agent.name}: {agent.ready} of {agent.desired} ready"
    if agent.ready >= agent.desired:
        return Finding(Level.OK, ABOUT, text)
    find = kubectl(world.namespace, "get", "pods", "-o", "wide", "-l", f"name={agent.name}")
    return Finding(
        Level.WARNING,
        ABOUT,
        f"{text}. Volumes of the other nodes cannot be backed up",
        "see why",
        (find,),
    )


def _windows(world: World) -> list[Finding]:
    number = sum(node.os == "windows" for node in world.nodes)
    if not number:
        return []
    now = sum(mover.windows for mover in world.movers)
    text = f"{count(number, 'Windows node')}: movers there are not governed ({now} now)."
    least = min(
        (limit for data in _maps(world) if (limit := windows_limit(world, data)) is not None),
        default=1,
    )
    if least < OUT_OF_THE_WAY:
        return [Finding(Level.NOTE, "Windows", f"{text} Velero's own limit of {least} holds there")]
    return [
        Finding(
            Level.WARNING,
            "Windows",
            f"{text} Nothing limits them: Velero's own limit is out of the way there, too",
            f"give the node-agent's ConfigMap a rule in perNodeConfig that matches {OS}=windows",
        )
    ]


def _maps(world: World) -> list[Mapping[str, str] | None]:
    """The data that the node-agents of Windows nodes read; None: theirs is not there."""
    named = [agent for agent in world.node_agents if agent.windows] or list(world.node_agents)
    found = [limits_of(world, agent) for agent in named]
    return [one.data if one else None for one in found]
