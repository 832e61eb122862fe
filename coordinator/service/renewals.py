"""Which held claims' `renewTime` to write next: a courtesy to whoever reads Leases.

Renewals live in memory; the Lease shows them now and then, the oldest first, never more than so
many writes a second, and only while nothing else is to be written (design section 5).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERVAL = 30.0
"""Seconds between two writes for the same claim."""
MOST = 50
"""Writes per sweep, that is, per second."""


class Renewals:
    """Every held claim once, in the order in which its turn comes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._line: deque[tuple[float, str, str]] = deque()

    def add(self, node: str, claim: str) -> None:
        """The claim's Lease was written just now."""
        self._line.append((self._now() + INTERVAL, node, claim))

    def due(self) -> Iterator[tuple[str, str]]:
        """The next `(node, claim)` pairs to write; each leaves the line."""
        for _ in range(MOST):
            if not self._line or self._line[0][0] > self._now():
                return
            _, node, claim = self._line.popleft()
            yield node, claim
