"""What a pool tells those who follow it: its happenings, and the nodes whose numbers changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.service.feed import Feed
from coordinator.service.summaries import Summaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.happenings import Happening
    from coordinator.service.clock import Clock
    from coordinator.service.status import NodeCounts

QUIET = (m.Tick, m.Courtesy, m.PollEnded)
"""Events that are no reason to count a node anew, unless something follows from them."""


class News:
    """That of one pool in one reign."""

    def __init__(
        self, count: Callable[[str], NodeCounts], size: Callable[[], int], clock: Clock
    ) -> None:
        self.summaries = Summaries(count, size, clock.now)
        self.feed = Feed(clock.wall, lambda: self.summaries.version)
        self.followers = 0
        """How many follow the summaries now."""

    def take(self, happening: Happening) -> None:
        """Something happened."""
        self.feed.take(happening)

    def touch(self, node: str) -> None:
        """The node's numbers may be others."""
        if self.summaries.touch(node) and self.followers:
            self.feed.wake()

    def end(self) -> None:
        """Nothing more will come."""
        self.feed.end()
