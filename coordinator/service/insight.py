"""Looks into a pool's tables for whoever asks what is there, and why. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.explain import explain_claim, explain_node, explain_pool
from coordinator.core.messages import SetHold, SetLimit
from coordinator.core.slots import NodeTable
from coordinator.core.surroundings import ConfigTrouble, Surroundings
from coordinator.kube.microtime import elapsed
from coordinator.service.limits import GONE
from coordinator.service.status import counts, node_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coordinator.core.claims import Policy
    from coordinator.core.durations import Durations
    from coordinator.core.explain import ClaimWhy, NodeWhy, PoolWhy
    from coordinator.service.caps import Caps
    from coordinator.service.clock import Clock
    from coordinator.service.desk import Desk
    from coordinator.service.limits import NodeLimits
    from coordinator.service.status import NodeCounts, NodeStatus


class Insight:
    """That of one pool, while it is ready; `durations` tells how long loads held lately, `bring`
    sees to it that a node's table knows all that is known.
    """

    def __init__(
        self,
        desks: Mapping[str, Desk],
        limits: NodeLimits,
        durations: Durations,
        clock: Clock,
        policy: Policy,
        caps: Caps | None,
        bring: Callable[[str], None],
    ) -> None:
        self._desks = desks
        self._limits = limits
        self._durations = durations
        self._clock = clock
        self._policy = policy
        self._caps = caps
        self._bring = bring

    def node(self, node: str) -> NodeStatus:
        """The node's limit and why, its slots and its queue. Raises `ServiceError`."""
        self._bring(node)
        table, cap = self.table(node), self._caps.use(node) if self._caps else None
        if table is None:
            self._limits.nodes.require(node)
        return node_status(node, table, self._limits, self._clock.now(), cap, self._policy.headroom)

    def count(self, node: str) -> NodeCounts:
        """The node in numbers."""
        return counts(node, self.table(node), self._limits, self._clock.now())

    def why_claim(self, node: str, claim: str) -> ClaimWhy:
        """What is true of the claim, and why."""
        self._bring(node)
        table = self.table(node) or self._unused(node)
        return explain_claim(table, claim, self._clock.now(), self._surroundings(node))

    def why_node(self, node: str) -> NodeWhy:
        """Whether the node grants, why not, and when it may."""
        self._bring(node)
        table = self.table(node) or self._unused(node)
        return explain_node(table, self._clock.now(), self._surroundings(node))

    def why_pool(self, trouble: str = "") -> PoolWhy:
        """Where claims wait. `trouble` is why the pool serves nobody yet."""
        tables = [desk.table for desk in self._desks.values()]
        return explain_pool(tables, self._clock.now(), self._config_trouble(), trouble)

    def table(self, node: str) -> NodeTable | None:
        """What is known of the node's slots; None where nobody has asked for one."""
        desk = self._desks.get(node)
        return desk.table if desk else None

    def _unused(self, node: str) -> NodeTable:
        """What is true of a node that nobody has asked for yet."""
        table = NodeTable(node, 0, self._clock.now() - self._policy.settling, self._policy)
        table.handle(SetLimit(*self._limits.limit(node)), self._clock.now())
        table.handle(SetHold(self._limits.hold(node)), self._clock.now())
        return table

    def _surroundings(self, node: str) -> Surroundings:
        wall, found = self._clock.wall(), self._limits.resolution(node)
        return Surroundings(
            found.why if found else GONE,
            self._durations.of(node),
            self._config_trouble(),
            self._caps.use(node) if self._caps else None,
            lambda acquired: elapsed(acquired, wall),
        )

    def _config_trouble(self) -> ConfigTrouble | None:
        state = self._limits.keeper.state
        if state.accepted or not state.error:
            return None
        return ConfigTrouble(state.refused_since, state.error)
