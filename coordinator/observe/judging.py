"""The limits to judge by: what the node-agents' ConfigMaps say, or a file in their place. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core.limits import DEFAULT_RULES, ConfigRefused, LimitRules, read_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from coordinator.core.limits import Resolution
    from coordinator.velero.world import Limits, Node, NodeAgent, World


@dataclass(frozen=True, slots=True)
class Judge:
    """Says each node's limit and why."""

    source: str
    """Where the limits come from, for a person."""
    linux: LimitRules
    windows: LimitRules
    findings: tuple[str, ...] = ()
    """What is wrong or odd about them, a sentence each."""

    def resolve(self, node: Node) -> Resolution:
        """The node's limit, as node-slots and Velero's node-agent work it out."""
        rules = self.windows if node.os == "windows" else self.linux
        return rules.resolve(node.labels)


def given(data: Mapping[str, str] | None, source: str) -> Judge:
    """A judge by one ConfigMap's data. Raises ConfigRefused where Velero would refuse it."""
    rules = read_config(data)
    return Judge(source, rules, rules, tuple(_warnings(source, rules)))


def of_world(world: World) -> Judge:
    """A judge by what the node-agents read: each has its own flag.

    Where nothing can be read of it, one slot a node, as Velero has it without a ConfigMap.
    """
    findings: list[str] = []
    read = {one.name: _rules(one, findings) for one in world.limits}
    linux = _agent(world.node_agents, windows=False)
    windows = _agent(world.node_agents, windows=True) or linux
    findings += _about_agents(world)
    return Judge(
        source=_source(world),
        linux=read.get(linux.config_map, DEFAULT_RULES) if linux else DEFAULT_RULES,
        windows=read.get(windows.config_map, DEFAULT_RULES) if windows else DEFAULT_RULES,
        findings=tuple(findings),
    )


def _agent(agents: Iterable[NodeAgent], *, windows: bool) -> NodeAgent | None:
    return next((one for one in agents if one.windows is windows), None)


def _source(world: World) -> str:
    named = [f"ConfigMap {agent.config_map} of {agent.name}" for agent in world.node_agents]
    named = [text for agent, text in zip(world.node_agents, named, strict=True) if agent.config_map]
    return ", ".join(named) or "no ConfigMap: one slot a node"


def _rules(found: Limits, findings: list[str]) -> LimitRules:
    name = f"ConfigMap {found.name}"
    if found.data is None:
        findings.append(
            f"{name} is named by a node-agent and is not there: no node-agent starts without it;"
            " limits of 1 are shown"
        )
        return DEFAULT_RULES
    try:
        rules = read_config(found.data)
    except ConfigRefused as refused:
        findings.append(
            f"{name} is refused, and no node-agent starts with it: {refused}; limits of 1 are shown"
        )
        return DEFAULT_RULES
    findings += _warnings(name, rules)
    return rules


def _warnings(name: str, rules: LimitRules) -> Iterator[str]:
    for warning in rules.warnings:
        yield f"{name}: {warning}"


def unused_rules(judge: Judge, nodes: Sequence[Node]) -> Iterator[str]:
    """Rules that match no node of these, a sentence each."""
    matched = {rule for node in nodes for rule in judge.resolve(node).matched}
    known = {rule.name: rule for rules in (judge.linux, judge.windows) for rule in rules.rules}
    for rule in known.values() if nodes else ():
        if not rule.void and rule not in matched:
            yield f"{rule} ({rule.number}) matches no node here"


def _about_agents(world: World) -> Iterator[str]:
    agents = world.node_agents
    if not agents:
        yield (
            f"no DaemonSet in namespace {world.namespace} runs `velero node-agent server`: is"
            " Velero elsewhere (--namespace), or without a node-agent?"
        )
    if len({agent.config_map for agent in agents}) > 1:
        told = ", ".join(f"{one.name}: {one.config_map or 'none'}" for one in agents)
        yield f"the node-agents read different ConfigMaps ({told}); node-slots has one for all"
    for agent in agents:
        if agent.ready < agent.desired:
            away = agent.desired - agent.ready
            yield f"{agent.name} is not ready on {away} of its {agent.desired} nodes"
