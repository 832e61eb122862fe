"""The numbers of a pool's nodes and their sums, kept: a node is counted anew when it was touched.

The tables know the truth, and whatever happens to one is told here (`touch`). So a reader finds the
sums made, however many nodes there are, and `MOST_OWED` nodes at most that are still to be counted.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import replace
from typing import TYPE_CHECKING

from coordinator.core.explain import Starved
from coordinator.service.status import NOTHING, Totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.service.status import NodeCounts

MOST_OWED = 100
"""Nodes that were touched and are not counted yet: what else happens to one of them costs nothing,
and to count them all takes less than a millisecond."""


class Tally:
    """That of one pool.

    `count` gives a node's numbers, None for one that is not there any more; `since` tells since
    when the first of those who still ask for a slot of it waits, infinity where nobody does.
    """

    def __init__(
        self,
        count: Callable[[str], NodeCounts | None],
        since: Callable[[str], float],
        now: Callable[[], float],
    ) -> None:
        self._count = count
        self._since = since
        self._now = now
        self._touched: set[str] = set()
        self._counts: dict[str, NodeCounts] = {}
        self._limit = self._held = self._queued = self._unresponsive = 0
        self._waits: dict[str, float] = {}
        """Since when somebody waits, by node: then, or later, for nothing tells of who asks no
        more."""
        self._order: list[tuple[float, str]] = []
        """The same, the longest wait first."""

    def touch(self, node: str) -> None:
        """The node's numbers may be others."""
        self._touched.add(node)
        if len(self._touched) > MOST_OWED:
            self._settle()

    def count(self, node: str) -> NodeCounts | None:
        """The node in numbers as of now; None for one that is not there."""
        counts = self.of(node)
        if counts is None or not counts.queued:
            return counts
        return replace(counts, longest_wait=self.longest_wait(node))

    def longest_wait(self, node: str) -> float:
        """Seconds that whoever came first of those who still ask for a slot of it waits."""
        return max(0.0, self._now() - self._since(node)) if node in self._waits else 0.0

    def of(self, node: str) -> NodeCounts | None:
        """The same without its longest wait, for whoever looks at thousands."""
        if node in self._touched:
            self._touched.discard(node)
            self._renew(node)
        return self._counts.get(node)

    def totals(self) -> Totals:
        """The sums over all nodes."""
        self._settle()
        return Totals(
            nodes=len(self._counts),
            limit=self._limit,
            held=self._held,
            queued=self._queued,
            unresponsive=self._unresponsive,
            waiting=len(self._order),
        )

    def longest_queue(self) -> int:
        """Claims that wait where most do."""
        self._settle()
        return max([self._counts[node].queued for node in self._waits], default=0)

    def starved(self, most: int) -> tuple[Starved, ...]:
        """The nodes where somebody waits for longest, that one first."""
        self._settle()
        while late := self._late(most):
            for node, since in late.items():
                self._place(node, since)
        now = self._now()
        return tuple(
            Starved(node, self._counts[node].queued, max(0.0, now - since))
            for since, node in self._order[:most]
        )

    def _late(self, most: int) -> dict[str, float]:
        """Those of the first nodes where the first asks no more, and since when another waits."""
        first = [(node, since, self._since(node)) for since, node in self._order[:most]]
        return {node: found for node, since, found in first if found != since}

    def _settle(self) -> None:
        """Count whatever was touched."""
        touched, self._touched = self._touched, set()
        for node in touched:
            self._renew(node)

    def _renew(self, node: str) -> None:
        now = self._count(node) or NOTHING
        before = self._counts.pop(node, NOTHING)
        if now is not NOTHING:
            self._counts[node] = now
        self._limit += now.limit - before.limit
        self._held += now.held - before.held
        self._queued += now.queued - before.queued
        self._unresponsive += now.unresponsive - before.unresponsive
        self._place(node, self._since(node) if now.queued else None)

    def _place(self, node: str, since: float | None) -> None:
        """Where the node stands among those where somebody waits; None: not among them."""
        before = self._waits.get(node)
        if before == since:
            return
        if before is not None:
            del self._waits[node], self._order[bisect_left(self._order, (before, node))]
        if since is not None:
            self._waits[node] = since
            insort(self._order, (since, node))
