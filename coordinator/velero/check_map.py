"""What the node-agents' ConfigMap should say, and the commands that make it so. Pure.

One patch says all of it: commands of two findings on one ConfigMap would undo each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from coordinator.core.gojson import JSONError
from coordinator.core.limits import DEFAULT_RULES, ConfigRefused, read_config
from coordinator.core.schema import read_load_concurrency
from coordinator.core.words import count
from coordinator.velero.check_text import add_argument, kubectl, minor
from coordinator.velero.check_versions import FILE_SYSTEM_MOVERS
from coordinator.velero.check_waits import largest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.core.limits import LimitRules
    from coordinator.velero.world import Limits, NodeAgent, World

OUT_OF_THE_WAY = 1000
"""More movers than any node runs."""
QUEUE = "prepareQueueLength"
OS = "kubernetes.io/os"


@dataclass(frozen=True, slots=True)
class Ruled:
    """Our limits as far as they are known."""

    rules: LimitRules | None
    """None: they could not be read, or are refused."""
    per_node: Mapping[str, int]
    """Of each node whose movers are governed; empty without rules."""

    @property
    def total(self) -> int:
        """Slots of all nodes together."""
        return sum(self.per_node.values())

    def __str__(self) -> str:
        return f"{count(self.total, 'slot')} on {count(len(self.per_node), 'node')}"


def limits_of(world: World, agent: NodeAgent) -> Limits | None:
    """The node-agent's ConfigMap; None: it names none, or it could not be read."""
    return next((one for one in world.limits if one.name == agent.config_map), None)


def prepare_queue(text: str) -> int:
    """The number in a node-agent's configuration; 0 where it is not set, or refused."""
    try:
        section, _ = read_load_concurrency(text)
    except JSONError:
        return 0
    number = cast("dict[str, object]", section).get(QUEUE, 0)
    return number if isinstance(number, int) and number > 0 else 0


def length_of(world: World, agent: NodeAgent) -> int:
    """The bound in the node-agent's ConfigMap that its version knows; 0: none."""
    found = limits_of(world, agent)
    version = minor(world.velero)
    if not found or not found.data or (version is not None and version < FILE_SYSTEM_MOVERS):
        return 0
    return prepare_queue(next(iter(found.data.values())))


def wanted(world: World, ours: Ruled) -> int:
    """The bound on movers that leaves no slot idle.

    For each slot the next mover is ready, and the largest backup that was seen fits in.
    """
    return max(ours.total, largest(world.works), 1)


def too_short(length: int, ours: Ruled) -> bool:
    """Whether a bound (0: none) is lower than the nodes, one waiting mover for each."""
    return 0 < length < len(ours.per_node)


def commands(world: World, agent: NodeAgent, ours: Ruled) -> tuple[str, ...]:
    """What puts Velero's own limit out of the way, and its bound where it is too small."""
    found = limits_of(world, agent)
    if found is None or found.data is None:
        return new_map(world, agent, agent.config_map or "node-agent-config")
    changes: dict[str, object] = {
        "globalConfig": OUT_OF_THE_WAY,
        "perNodeConfig": _kept(world, found.data),
    }
    if too_short(length_of(world, agent), ours):
        changes[QUEUE] = wanted(world, ours)
    return _change(world, found.name, found.data, changes), _restart(world, agent)


def windows_limit(world: World, data: Mapping[str, str] | None) -> int | None:
    """What Velero holds on the Windows nodes, the least of them; None without such nodes."""
    try:
        rules = read_config(data) if data else DEFAULT_RULES
    except ConfigRefused:
        rules = DEFAULT_RULES
    found = [rules.resolve(node.labels).limit for node in world.nodes if node.os == "windows"]
    return min(found, default=None)


def new_map(world: World, agent: NodeAgent, name: str) -> tuple[str, ...]:
    """Make a ConfigMap and have the node-agent read it; a new argument restarts it."""
    section: dict[str, object] = {"globalConfig": OUT_OF_THE_WAY}
    if kept := _kept(world, None):
        section["perNodeConfig"] = kept
    text = json.dumps({"loadConcurrency": section}, separators=(",", ":"))
    make = kubectl(
        world.namespace, "create", "configmap", name, f"--from-literal=config.json={text}"
    )
    if agent.config_map == name:
        return make, _restart(world, agent)
    flag = f"--node-agent-configmap={name}"
    return make, add_argument(world.namespace, "daemonset", agent.name, flag)


def _kept(world: World, data: Mapping[str, str] | None) -> list[object] | None:
    """The rule that keeps Velero's own limit where movers are not governed: on Windows."""
    number = windows_limit(world, data)
    if number is None:
        return None
    return [{"nodeSelector": {"matchLabels": {OS: "windows"}}, "number": number}]


def _change(world: World, name: str, data: Mapping[str, str], changes: Mapping[str, object]) -> str:
    patch = with_section(data, changes)
    if patch is None:
        return kubectl(world.namespace, "edit", "configmap", name)
    return kubectl(world.namespace, "patch", "configmap", name, "--type=merge", "-p", patch)


def _restart(world: World, agent: NodeAgent) -> str:
    return kubectl(world.namespace, "rollout", "restart", f"daemonset/{agent.name}")


def with_section(data: Mapping[str, str], changes: Mapping[str, object]) -> str | None:
    """The merge patch that sets fields of a ConfigMap's `loadConcurrency`, None removing one.

    Everything else of its text is kept. None where the text is not plain JSON.
    """
    try:
        key, text = next(iter(data.items()))
        config: Any = json.loads(text)
        spelled = next((k for k in config if k.lower() == "loadconcurrency"), "loadConcurrency")
        section = {**(config.get(spelled) or {})}
    except (StopIteration, ValueError, AttributeError, TypeError):
        return None
    lowered = {name.lower() for name in changes}
    section = {k: v for k, v in section.items() if k.lower() not in lowered}
    section |= {name: value for name, value in changes.items() if value is not None}
    changed = json.dumps(config | {spelled: section}, separators=(",", ":"))
    return json.dumps({"data": {key: changed}}, separators=(",", ":"))
