"""What a pool says of itself: its nodes and its ConfigMap, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from coordinator.core.headroom import kept
from coordinator.core.listing import count_draining, count_held, unresponsive
from coordinator.core.views import slot_views, waiting
from coordinator.service.limits import GONE

if TYPE_CHECKING:
    from coordinator.core.cap import CapUse
    from coordinator.core.model import PodRef
    from coordinator.core.movers import Kind
    from coordinator.core.slots import NodeTable
    from coordinator.core.views import SlotView, Waiting
    from coordinator.service.config import ConfigState
    from coordinator.service.limits import NodeLimits


VERSION = version("node-slots")
"""Of the program. Read once: it is looked for in files."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node in one pool: its limit and why, its slots, its queue."""

    node: str
    limit: int
    decided_by: str
    matched: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    """Rules that had no say, each with the reason."""
    hold: str
    held: int
    slots: tuple[SlotView, ...]
    queue: tuple[Waiting, ...]
    cap: CapUse | None = None
    """The cap on the node's slots in all pools together, where there is one."""
    headroom: int = 0
    """How many of the slots only restores may have."""


@dataclass(frozen=True, slots=True)
class ConfigStatus:
    """The pool's ConfigMap: what is in force, and what is wrong with the newest text."""

    namespace: str
    config_map: str | None
    accepted: bool
    error: str
    warnings: tuple[str, ...]
    version: str
    since: str
    rules: tuple[str, ...]
    global_limit: int


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """One node in numbers."""

    node: str
    limit: int
    held: int
    queued: int
    hold: str
    unresponsive: int = 0
    """Slots whose holder is silent past its TTL and cannot be shown to have ended."""
    longest_wait: float = field(default=0.0, compare=False)
    """Seconds that the claim waits that came first, of those that somebody still asks for."""
    decided_by: str = ""
    """What made the limit."""
    draining: int = 0
    """Held slots past the limit: they are not granted again once they are given back."""


NOTHING = NodeCounts("", 0, 0, 0, "")
"""Of a node that is not there."""


@dataclass(frozen=True, slots=True)
class MoversStatus:
    """Velero's data movers in the pool's namespace that have not finished."""

    governed: int = 0
    ungoverned: int = 0
    ungoverned_seen: int = 0
    """How many this leader has seen since it took over."""
    ungoverned_pods: tuple[tuple[PodRef, Kind], ...] = ()
    """Some of those that are there."""
    near_timeout: int = 0
    """Movers that wait for a slot and soon run into Velero's prepare timeout."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a pool's nodes."""

    nodes: int
    limit: int
    held: int
    queued: int
    unresponsive: int = 0
    waiting: int = 0
    """Nodes where somebody waits."""


def node_status(
    node: str,
    table: NodeTable | None,
    limits: NodeLimits,
    now: float,
    cap: CapUse | None = None,
    headroom: int = 0,
) -> NodeStatus:
    """What is true of the node at `now`; without a table nobody has asked for it yet."""
    found = limits.resolution(node)
    return NodeStatus(
        node=node,
        limit=found.limit if found else 0,
        decided_by=found.why if found else GONE,
        matched=tuple(str(rule) for rule in found.matched) if found else (),
        skipped=tuple((str(s.rule), s.reason) for s in limits.skipped(node)),
        hold=limits.hold(node),
        held=count_held(table) if table else 0,
        slots=slot_views(table, now) if table else (),
        queue=waiting(table, now) if table else (),
        cap=cap,
        headroom=kept(headroom, found.limit) if found else 0,
    )


def counts(node: str, table: NodeTable | None, limits: NodeLimits) -> NodeCounts:
    """The node in numbers, without its longest wait."""
    limit, why = limits.limit(node)
    hold = limits.hold(node)
    if table is None:
        return NodeCounts(node, limit, 0, 0, hold, decided_by=why)
    return NodeCounts(
        node,
        limit,
        count_held(table),
        len(table.roll.queue),
        hold,
        unresponsive=len(unresponsive(table)),
        decided_by=why,
        draining=count_draining(table),
    )


def config_status(namespace: str, state: ConfigState) -> ConfigStatus:
    """What is in force in the pool."""
    return ConfigStatus(
        namespace,
        state.config_map,
        state.accepted,
        state.error,
        tuple(str(warning) for warning in state.rules.warnings),
        state.version,
        state.since,
        tuple(f"{rule}: {rule.number}" for rule in state.rules.rules),
        state.rules.limit,
    )
