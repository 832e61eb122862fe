"""How many claims may wait on all nodes of all pools together.

The bound on one node's queue is the core's; this one keeps the memory of the whole process within
limits when callers ask on many nodes at once. Of both bounds guests have only the first half: Pods
of another namespace than the pool's cannot keep the pool's own from waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.messages import Ask, Asks, Refused
from coordinator.core.refusals import QueueFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core.messages import Command, Event
    from coordinator.core.slots import NodeTable

MOST_WAITING = 100_000
"""Ten on each of ten thousand nodes: some 150 MB of memory, which is what this bound is for."""


class Crowd:
    """Counts the claims that wait: every event of every table goes through `handle`."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.most = most
        self.waiting = 0

    def handle(
        self, table: NodeTable, event: Event, now: float, home: str = ""
    ) -> Sequence[Command]:
        """The table's commands. Raises `QueueFull` for a new claim while as many wait as may; of
        several, each one for which there is no room is `Refused`. `home` is the pool's namespace.
        """
        refused: list[Command] = []
        if isinstance(event, Asks):
            event, refused = self._sorted_out(table, event, home)
        elif isinstance(event, Ask) and not self._has_room(table, event, home):
            raise QueueFull(event.claim)
        queue = table.roll.queue
        before = len(queue)
        commands = table.handle(event, now)  # where it raises, it has changed nothing
        self.waiting += len(queue) - before
        return [*refused, *commands] if refused else commands

    def _sorted_out(self, table: NodeTable, event: Asks, home: str) -> tuple[Asks, list[Command]]:
        """Those that may be asked for, and the others' refusals."""
        if self._is_empty_enough(table, len(event.asks)):
            return event, []
        let_in: list[Ask] = []
        refused: list[Command] = []
        ahead = 0
        for ask in event.asks:
            if not self._has_room(table, ask, home, ahead):
                refused.append(Refused(ask.claim, QueueFull(ask.claim)))
                continue
            let_in.append(ask)
            ahead += _is_new(ask, table)
        return Asks(let_in), refused

    def _is_empty_enough(self, table: NodeTable, more: int) -> bool:
        """Whether so many new claims fit, whoever's they are, as nearly always."""
        here = 2 * (len(table.roll.queue) + more) < table.policy.max_queue
        return here and 2 * (self.waiting + more) < self.most

    def _has_room(self, table: NodeTable, ask: Ask, home: str, ahead: int = 0) -> bool:
        """Whether the claim is no new one, or one more may wait behind the `ahead` before it."""
        if not _is_new(ask, table):
            return True
        waiting = self.waiting + ahead
        if not _is_guest(ask, home):
            return waiting < self.most
        here = 2 * (len(table.roll.queue) + ahead) < table.policy.max_queue
        return here and 2 * waiting < self.most


def _is_guest(ask: Ask, home: str) -> bool:
    owner = ask.terms.owner
    return bool(home and owner) and owner.partition("/")[0] != home


def _is_new(ask: Ask, table: NodeTable) -> bool:
    """One that comes with a token believes that it holds: it is never queued."""
    return ask.token is None and ask.claim not in table.roll.claims
