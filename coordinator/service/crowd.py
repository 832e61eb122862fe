"""How many claims may wait on all nodes of all pools together.

The bound on one node's queue is the core's; this one keeps the memory of the whole process within
limits when callers ask on many nodes at once. Of both bounds guests have only the first half: Pods
of another namespace than the pool's cannot keep the pool's own from waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from coordinator.core.messages import Ask, QueueFull

if TYPE_CHECKING:
    from coordinator.core.messages import Command, Event
    from coordinator.core.slots import NodeTable

MOST_WAITING = 100_000
"""Ten on each of ten thousand nodes: some 150 MB of memory, which is what this bound is for."""


class Crowd:
    """Counts the claims that wait: every event of every table goes through `handle`."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.most = most
        self.waiting = 0

    def handle(self, table: NodeTable, event: Event, now: float, home: str = "") -> list[Command]:
        """The table's commands. Raises `QueueFull` for a new claim while as many wait as may.

        `home` is the pool's namespace.
        """
        if _is_new(event, table) and self._is_full(table, guest=_is_guest(event, home)):
            raise QueueFull(event.claim)
        queue = table.roll.queue
        before = len(queue)
        commands = table.handle(event, now)  # where it raises, it has changed nothing
        self.waiting += len(queue) - before
        return commands

    def _is_full(self, table: NodeTable, *, guest: bool) -> bool:
        if not guest:
            return self.waiting >= self.most
        here = 2 * len(table.roll.queue) >= table.policy.max_queue
        return here or 2 * self.waiting >= self.most


def _is_guest(ask: Ask, home: str) -> bool:
    owner = ask.terms.owner
    return bool(home and owner) and owner.partition("/")[0] != home


def _is_new(event: Event, table: NodeTable) -> TypeGuard[Ask]:
    """One that comes with a token believes that it holds: it is never queued."""
    return isinstance(event, Ask) and event.token is None and event.claim not in table.roll.claims
