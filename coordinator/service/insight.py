"""Looks into a pool's tables for whoever asks what is there, and why. Changes nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coordinator.core.explain import MOST_STARVED, PoolWhy, explain_claim, explain_node
from coordinator.core.messages import SetHold, SetLimit
from coordinator.core.slots import NodeTable
from coordinator.core.surroundings import ConfigTrouble, Surroundings
from coordinator.core.waits import waiting_since
from coordinator.kube.microtime import elapsed
from coordinator.service.limits import GONE
from coordinator.service.status import counts, node_status
from coordinator.service.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coordinator.core.claims import Policy
    from coordinator.core.durations import Durations
    from coordinator.core.explain import ClaimWhy, NodeWhy
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
        self.tally = Tally(self._numbers, self._waiting_since, clock.now)
        """Is to be told of each node to whose table something happens."""

    def node(self, node: str) -> NodeStatus:
        """The node's limit and why, its slots and its queue. Raises `ServiceError`."""
        self._bring(node)
        table, cap = self.table(node), self._caps.use(node) if self._caps else None
        if table is None:
            self._limits.nodes.require(node)
        return node_status(node, table, self._limits, self._clock.now(), cap, self._policy.headroom)

    def count(self, node: str) -> NodeCounts:
        """The node in numbers."""
        return self.tally.count(node) or counts(node, None, self._limits)

    def _numbers(self, node: str) -> NodeCounts | None:
        table = self.table(node)
        if table is None and self._limits.nodes.get(node) is None:
            return None
        return counts(node, table, self._limits)

    def _waiting_since(self, node: str) -> float:
        table = self.table(node)
        return waiting_since(table, self._clock.now()) if table else math.inf

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
        totals = self.tally.totals()
        return PoolWhy(
            trouble,
            totals.queued,
            totals.waiting,
            self.tally.starved(MOST_STARVED),
            totals.unresponsive,
            self._config_trouble(),
        )

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
