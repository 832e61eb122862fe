"""The same arrivals and durations under node-slots: who would have moved data when. Pure.

The order is the core's own (`coordinator.core.claims.Policy.key`), the limit is the one of the
moment, and a lowered limit evicts nobody.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from coordinator.core.claims import Policy
from coordinator.core.movers import BACKUP_PRIORITY, RESTORE_PRIORITY
from coordinator.observe.measure import limit_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core.claims import Key
    from coordinator.observe.measure import Spell, Steps

START = 2.0
"""Seconds from a grant until data moves: the sidecar's probe (once a second), the container, and
Velero noticing it (measured on Velero 1.18)."""
FREEING = 1.0
"""Seconds from a mover's end until the kubelet has told it and the slot is given on."""
_TERM = 1


def replay(
    spells: Sequence[Spell], steps: Steps, startup: float = START, policy: Policy | None = None
) -> list[Spell]:
    """The spells of one node as node-slots would have let them go, in the order of their ends.

    `startup` is how many seconds a mover takes from being ready to moving data when nothing holds
    it up: it asks for its slot that much later, less what comes after the grant.
    """
    node = _Node(spells, steps, max(0.0, startup - START), policy or Policy())
    while node.moments:
        node.go_on(heappop(node.moments))
    return sorted(node.done, key=lambda one: (one.done, one.id))


class _Node:
    """One node's queue and slots while time goes on."""

    def __init__(
        self, spells: Sequence[Spell], steps: Steps, before_asking: float, policy: Policy
    ) -> None:
        self._steps, self._policy = steps, policy
        self._spells = {one.id: one for one in spells}
        self._arrivals = deque(sorted((one.ready + before_asking, one.id) for one in spells))
        self._began = self._arrivals[0][0] if spells else 0.0
        self._waiting: list[Key] = []
        self._ends: list[float] = []
        """When each slot that is held is free again."""
        self.moments = sorted({at for at, _ in (*self._arrivals, *steps)})
        """When anything may happen."""
        self.done: list[Spell] = []

    def go_on(self, now: float) -> None:
        """Whatever happens at that moment: ends first, then arrivals, then grants."""
        while self._ends and self._ends[0] <= now:
            heappop(self._ends)
        while self._arrivals and self._arrivals[0][0] <= now:
            insort(self._waiting, self._key(*self._arrivals.popleft()))
        room = max(0, limit_at(self._steps, now) - len(self._ends))
        first, self._waiting = self._waiting[:room], self._waiting[room:]
        for *_, name in first:
            self._grant(self._spells[name], now)

    def _grant(self, one: Spell, now: float) -> None:
        moving = now + START
        ends = moving + max(0.0, one.done - one.moving)
        self.done.append(replace(one, moving=moving, done=ends))
        heappush(self._ends, ends + FREEING)
        heappush(self.moments, ends + FREEING)

    def _key(self, at: float, name: str) -> Key:
        priority = RESTORE_PRIORITY if self._spells[name].restores else BACKUP_PRIORITY
        arrived = round((at - self._began) * 1000)
        return self._policy.key(name, priority, (_TERM, arrived), _TERM)
