"""How many claims may wait on all nodes of all pools together.

The bound on one node's queue is the core's; this one keeps the memory of the whole process within
limits when callers ask on many nodes at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from coordinator.core.messages import Ask, QueueFull

if TYPE_CHECKING:
    from coordinator.core.messages import Command, Event
    from coordinator.core.slots import NodeTable

MOST_WAITING = 20_000


class Crowd:
    """Counts the claims that wait: every event of every table goes through `handle`."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.most = most
        self.waiting = 0

    def handle(self, table: NodeTable, event: Event, now: float) -> list[Command]:
        """The table's commands. Raises `QueueFull` for a new claim while as many wait as may."""
        if self.waiting >= self.most and _is_new(event, table):
            raise QueueFull(event.claim)
        before = len(table.roll.queue)
        try:
            return table.handle(event, now)
        finally:
            self.waiting += len(table.roll.queue) - before


def _is_new(event: Event, table: NodeTable) -> TypeGuard[Ask]:
    """One that comes with a token believes that it holds: it is never queued."""
    return isinstance(event, Ask) and event.token is None and event.claim not in table.roll.claims
