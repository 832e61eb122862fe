"""Our limits, Velero's own limit out of their way, and Velero's bound on movers that exist.

Velero's own limit is `loadConcurrency` in the node-agent's ConfigMap, 1 where nothing is said, read
once at the node-agent's start (`pkg/cmd/cli/nodeagent/server.go`). A mover that has our slot and
is held back by it waits in phase Prepared *with* the slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.limits import DEFAULT_RULES, ConfigRefused, LimitRules, read_config
from coordinator.core.words import names
from coordinator.velero.check_map import (
    OUT_OF_THE_WAY,
    QUEUE,
    Ruled,
    commands,
    length_of,
    limits_of,
    new_map,
    too_short,
    wanted,
)
from coordinator.velero.check_model import Finding, Level

if TYPE_CHECKING:
    from coordinator.velero.check_model import Own
    from coordinator.velero.world import NodeAgent, World

OURS, VELEROS = "limits", "Velero's own limit"


def ruled(world: World, own: Own) -> tuple[Ruled, list[Finding]]:
    """Our limits, and what is to be said of their ConfigMap."""
    rules, findings = _own_rules(world, own)
    if rules is None:
        return Ruled(None, {}), findings
    linux = [node for node in world.nodes if node.os == "linux"]
    per_node = {node.name: rules.resolve(node.labels).limit for node in linux}
    return Ruled(rules, per_node), findings


def veleros_limit(world: World, own: Own, ours: Ruled) -> list[Finding]:
    """One finding for each node-agent: whether its own limit would ever hold a mover back."""
    return [
        _same_map(world, agent)
        if agent.config_map and agent.config_map == own.config_map
        else _one_agent(world, agent, ours)
        for agent in world.node_agents
        if not agent.windows
    ]


def _own_rules(world: World, own: Own) -> tuple[LimitRules | None, list[Finding]]:
    name = f"ConfigMap {world.namespace}/{own.config_map}"
    if own.limits is None:
        return None, []
    if own.limits.data is None:
        return (None if own.coordinator is None else DEFAULT_RULES), [_no_map(own, name)]
    try:
        rules = read_config(own.limits.data)
    except ConfigRefused as refused:
        text = f"{name} is refused: {refused}"
        return None, [Finding(Level.ERROR, OURS, text, "correct it; `check` reads a file")]
    remarks = [Finding(Level.WARNING, OURS, f"{name}: {one}") for one in rules.warnings]
    return rules, [_accepted(world, rules, name), *remarks]


def _no_map(own: Own, name: str) -> Finding:
    if own.coordinator is None:
        return Finding(
            Level.NOTE,
            OURS,
            f"{name} is not there yet",
            "`slot-coordinator velero install` makes it",
        )
    return Finding(
        Level.ERROR,
        OURS,
        f"{name} is not there: the coordinator gives every node 1 slot, or the limit that it last"
        " saw",
        "make it from a file that `slot-coordinator check` accepts",
    )


def _accepted(world: World, rules: LimitRules, name: str) -> Finding:
    found = sorted({rules.resolve(n.labels).limit for n in world.nodes if n.os == "linux"})
    each = f"{found[0]}" if len(set(found)) == 1 else f"{found[0]} to {found[-1]}" if found else ""
    slots = f": {each} a node" if found else ""
    return Finding(Level.OK, OURS, f"{name}{slots}")


def _same_map(world: World, agent: NodeAgent) -> Finding:
    return Finding(
        Level.ERROR,
        VELEROS,
        f"{agent.name} reads ConfigMap {agent.config_map} too, the one with our limits. It reads it"
        " once, at its start: after a change of the limits two of them would hold",
        f"give {agent.name} a ConfigMap of its own, with globalConfig {OUT_OF_THE_WAY}",
        new_map(world, agent, "node-agent-config"),
    )


def _one_agent(world: World, agent: NodeAgent, ours: Ruled) -> Finding:
    found = limits_of(world, agent)
    if agent.config_map and found is None:
        text = f"{agent.name}: its ConfigMap {agent.config_map} could not be read"
        return Finding(Level.NOTE, VELEROS, text, "read it with an account that may")
    try:
        rules = read_config(found.data) if found and found.data is not None else DEFAULT_RULES
    except ConfigRefused as refused:
        text = f"{agent.name} refuses its ConfigMap {agent.config_map}, and does not start: "
        return Finding(Level.ERROR, VELEROS, f"{text}{refused}", "correct it")
    return _compared(world, agent, rules, ours)


def _compared(world: World, agent: NodeAgent, rules: LimitRules, ours: Ruled) -> Finding:
    linux = [node for node in world.nodes if node.os == "linux"]
    theirs = {node.name: rules.resolve(node.labels).limit for node in linux}
    lower = [name for name, number in theirs.items() if number < ours.per_node.get(name, 0)]
    least = min(theirs.values(), default=rules.limit)
    where = f"ConfigMap {agent.config_map}" if agent.config_map else "no --node-agent-configmap"
    if lower:
        pairs = [f"{name} ({theirs[name]} instead of {ours.per_node[name]})" for name in lower]
        text = (
            f"{agent.name} ({where}) allows less than our limits on {names(pairs)}: a mover would"
            " have a slot and stand still"
        )
        return _raised(world, agent, ours, Level.ERROR, text)
    if least < OUT_OF_THE_WAY:
        text = (
            f"{agent.name} ({where}) holds {least} a node itself. It reads this at its start only:"
            " a limit that is raised later would not be followed"
        )
        return _raised(world, agent, ours, Level.WARNING, text)
    return Finding(Level.OK, VELEROS, f"{agent.name} ({where}): {least} a node, out of the way")


def _raised(world: World, agent: NodeAgent, ours: Ruled, level: Level, text: str) -> Finding:
    windows = any(node.os == "windows" for node in world.nodes)
    rules = "rules for Windows nodes only" if windows else "no perNodeConfig"
    queue = ""
    if too_short(length_of(world, agent), ours):
        queue = f", {QUEUE} {wanted(world, ours)}"
    todo = f"set globalConfig {OUT_OF_THE_WAY}, {rules}{queue}, and restart the node-agent"
    return Finding(level, VELEROS, text, todo, commands(world, agent, ours))
