"""How long to wait after a failure: capped, exponential, with jitter (promise P12). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

FIRST, CAP = 0.8, 30.0
"""Seconds. The waits double from the first until jitter would carry them over the cap."""

_JITTER = (1.25, 2.0)
"""It only lengthens, so the shortest wait is one second: one request a second in an outage."""


class Backoff:
    """The waits of one stream of requests: 1 to 1.6 s at first, at most 30 s, or as it was told."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._failures = 0

    def reset(self) -> None:
        """Something went well: the next failure waits the shortest time again."""
        self._failures = 0

    def next(self, retry_after: float | None = None) -> float:
        """Seconds to wait after one more failure; never less than `retry_after`."""
        base = min(FIRST * 2.0 ** min(self._failures, 10), CAP / _JITTER[1])
        self._failures += 1
        return max(base * self._rng.uniform(*_JITTER), retry_after or 0.0)
