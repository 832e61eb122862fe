"""When the next sync goes out: at once for news, after an answer at its own time, slower and slower
in an outage. Pure: the time and a source of jitter are passed in.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_PAUSE = 5.0
"""Seconds between two attempts, as long as no Retry-After asks for more."""
SHORTEST_PAUSE = 0.02
"""Seconds between two requests: what comes together goes together."""
FIRST_RETRY = (0.02, 0.3)
"""Seconds until the first retry after a coordinator that had been answering went away. Its
successor often listens already; all agents lose their connections in one instant: they spread."""


class Pace:
    """The times of one agent's requests. `jitter` returns numbers in [0, 1)."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self.open = False
        """Whether the newest request still waits for its answer."""
        self.sent_at = -inf
        self._jitter = jitter
        self._answered = False
        self._failing_since: float | None = None
        self._dirty = False
        self._next = -inf
        self._not_before = -inf

    def hurry(self) -> None:
        """There is something new to say; no request may wait in its way, a pause may."""
        self._dirty = True

    def last_words(self) -> None:
        """There is no time left for a pause that an outage or a Retry-After has begun."""
        self._dirty, self._failing_since, self._not_before = True, None, -inf

    def due(self, *, again: bool, soonest: float) -> float:
        """When the next request goes. `again`: a claim is to be asked for anew by now; `soonest`:
        when the next one is."""
        if self._dirty or again:
            return max(self._not_before, self.sent_at + SHORTEST_PAUSE)
        return soonest if self.open else min(soonest, self._next)

    def sent(self, now: float) -> None:
        """A request goes out."""
        self.sent_at, self._dirty, self.open = now, False, True

    def answered(self) -> None:
        """A coordinator answers: an outage is over."""
        self._answered, self._failing_since, self._not_before = True, None, -inf

    def rest(self, until: float, *, firm: bool) -> None:
        """Nothing is under way; the next request goes at `until`. `firm`: news wait for it too."""
        self.open, self._next = False, until
        if firm:
            self._not_before = until

    def failed(self, now: float, hint: float | None) -> None:
        """The newest request got no usable answer; `hint` is a Retry-After, in seconds."""
        self.rest(now + self.pause(now, hint), firm=True)

    def pause(self, now: float, hint: float | None) -> float:
        """Seconds to the next attempt.

        A restarted coordinator serves those first who come back within its settling second, so
        the first retry is quick, and the pause grows slowly with the outage: 0.1 to 0.5 s at
        first, at most 5 s.
        """
        first = self._failing_since is None and self._answered
        if self._failing_since is None:
            self._failing_since = now
        if hint:
            return hint * (1 + 0.25 * self._jitter())
        if first:
            return FIRST_RETRY[0] + (FIRST_RETRY[1] - FIRST_RETRY[0]) * self._jitter()
        longest = min(LONGEST_PAUSE, max(0.5, (now - self._failing_since) / 10))
        return longest * (0.2 + 0.8 * self._jitter())
