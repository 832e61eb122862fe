"""The nodes of a pool whose numbers changed: the newest numbers of each, twice a second at most.

Only the newest summary of a node is kept, so that it does not matter how slow a reader is. Nothing
is counted while nobody looks.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.service.status import NodeCounts

SPACING = 0.5
"""Seconds between two summaries of one node: a grant that follows its claim at once is to be seen
within a second."""
LOOK = 0.1
"""Seconds between two looks at what changed, however many readers there are."""
AT_ONCE = 500
"""Nodes counted in one look: a change of rules may be one of thousands."""
SPARE = 1000
"""Nodes beyond those that there are which may be kept: some are gone."""


@dataclass(eq=False, slots=True)
class Summary:
    """A node's numbers as of `at`; `version` grows with each one that differs from the last."""

    counts: NodeCounts
    version: int
    at: float
    text: bytes = b""
    """As it is sent. Whoever shows it first writes it here."""


class Summaries:
    """Those of one pool. `count` counts a node, `size` is how many there are."""

    def __init__(
        self,
        count: Callable[[str], NodeCounts],
        size: Callable[[], int],
        now: Callable[[], float],
    ) -> None:
        self.version = 0
        """That of the newest summary."""
        self._count = count
        self._size = size
        self._now = now
        self._touched: dict[str, None] = {}
        self._kept: OrderedDict[str, Summary] = OrderedDict()
        """By node, the newest version last."""
        self._next_look = -math.inf

    def touch(self, node: str) -> bool:
        """The node's numbers may be others. Returns whether that is news."""
        if node in self._touched:
            return False
        self._touched[node] = None
        return True

    def since(self, version: int) -> list[Summary]:
        """The nodes that differ since that version, the latest change last."""
        self._look()
        found = []
        for summary in reversed(self._kept.values()):
            if summary.version <= version:
                break
            found.append(summary)
        return found[::-1]

    def due(self) -> float | None:
        """Seconds until the next look at what was touched; None while nothing was."""
        return max(LOOK, self._next_look - self._now()) if self._touched else None

    def _look(self) -> None:
        now = self._now()
        if now < self._next_look:
            return
        self._next_look = now + LOOK
        counted = 0
        for node in list(self._touched):
            before = self._kept.get(node)
            if before is not None and now < before.at + SPACING:
                continue
            del self._touched[node]
            self._renew(node, before, now)
            counted += 1
            if counted == AT_ONCE:
                break
        self._forget()

    def _renew(self, node: str, before: Summary | None, now: float) -> None:
        counts = self._count(node)
        if before is not None and before.counts == counts:  # a wait grows, everybody can see that
            return
        self.version += 1
        self._kept[node] = Summary(counts, self.version, now)
        self._kept.move_to_end(node)

    def _forget(self) -> None:
        most = self._size() + SPARE
        while len(self._kept) > most:
            self._kept.popitem(last=False)
