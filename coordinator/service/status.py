"""What a pool says of itself: its nodes and its ConfigMap, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core.views import slot_views, waiting
from coordinator.service.limits import GONE

if TYPE_CHECKING:
    from collections.abc import Collection

    from coordinator.core.slots import NodeTable
    from coordinator.core.views import SlotView, Waiting
    from coordinator.service.config import ConfigState
    from coordinator.service.limits import NodeLimits


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


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a pool's nodes."""

    nodes: int
    limit: int
    held: int
    queued: int


def node_status(node: str, table: NodeTable | None, limits: NodeLimits, now: float) -> NodeStatus:
    """What is true of the node at `now`; without a table nobody has asked for it yet."""
    found = limits.resolution(node)
    return NodeStatus(
        node=node,
        limit=found.limit if found else 0,
        decided_by=found.why if found else GONE,
        matched=tuple(str(rule) for rule in found.matched) if found else (),
        skipped=tuple((str(s.rule), s.reason) for s in found.skipped) if found else (),
        hold=limits.hold(node),
        held=_held(table) if table else 0,
        slots=slot_views(table, now) if table else (),
        queue=waiting(table, now) if table else (),
    )


def counts(node: str, table: NodeTable | None, limits: NodeLimits) -> NodeCounts:
    """The node in numbers; cheap enough for every node at every scrape."""
    limit, _ = limits.limit(node)
    held, queued = (_held(table), len(table.roll.queue)) if table else (0, 0)
    return NodeCounts(node, limit, held, queued, limits.hold(node))


def totals(nodes: Collection[NodeCounts]) -> Totals:
    """Sums over the nodes."""
    return Totals(
        nodes=len(nodes),
        limit=sum(one.limit for one in nodes),
        held=sum(one.held for one in nodes),
        queued=sum(one.queued for one in nodes),
    )


def _held(table: NodeTable) -> int:
    return sum(slot.holder is not None for slot in table.picture.slots.values())


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
