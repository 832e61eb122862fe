"""What a pool tells those who follow it: its happenings, and the nodes whose numbers changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.service.feed import Feed
from coordinator.service.summaries import Summaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.happenings import Happening
    from coordinator.core.slots import NodeTable
    from coordinator.service.clock import Clock
    from coordinator.service.status import NodeCounts

_QUIET = (m.Tick, m.Courtesy, m.PollEnded)


def is_quiet(event: m.Event, table: NodeTable) -> bool:
    """Whether the event that the table has just handled is no reason to count its node anew, unless
    something followed from it.
    """
    return isinstance(event, _QUIET) or (isinstance(event, m.Ask | m.Asks) and not table.changed)


class News:
    """That of one pool in one reign; `tally` is told of each node that is touched."""

    def __init__(
        self,
        count: Callable[[str], NodeCounts],
        size: Callable[[], int],
        clock: Clock,
        tally: Callable[[str], None],
    ) -> None:
        self._tally = tally
        self.summaries = Summaries(count, size, clock.now)
        self.feed = Feed(clock.wall, lambda: self.summaries.version)
        self.followers = 0
        """How many follow the summaries now."""

    def take(self, happening: Happening) -> None:
        """Something happened."""
        self.feed.take(happening)

    def touch(self, node: str) -> None:
        """The node's numbers may be others."""
        self._tally(node)
        if self.summaries.touch(node) and self.followers:
            self.feed.wake()

    def end(self) -> None:
        """Nothing more will come."""
        self.feed.end()
