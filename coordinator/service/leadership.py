"""Until when this process may answer (promise P10).

Leadership is a deadline, not a flag that somebody has to clear: after a stall of the whole process
the first look at the clock says that it is over, whatever the tasks were about to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.service.errors import NotLeading

if TYPE_CHECKING:
    from collections.abc import Callable

LOST = "this replica does not lead any more; ask again, another one answers"


class Leadership:
    """One time of leading: `deadline` is read at each look; once ended it never holds again."""

    def __init__(self, now: Callable[[], float], deadline: Callable[[], float]) -> None:
        self._now = now
        self._deadline = deadline
        self._ended = False

    @property
    def holds(self) -> bool:
        """Whether this process leads right now."""
        return not self._ended and self._now() < self._deadline()

    def end(self) -> None:
        """It is over, even if the election is won again."""
        self._ended = True

    def require(self) -> None:
        """Raises `NotLeading` past the deadline. To be called right before every answer."""
        if not self.holds:
            raise NotLeading(LOST)
