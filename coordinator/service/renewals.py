"""Which held claims' `renewTime` to write next: a courtesy to whoever reads Leases.

Renewals live in memory; the Lease shows them now and then, one node after the other, never more
than so many writes a second, and only while nothing else is to be written (design section 5).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from coordinator.core.grants import shows_too_little

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from coordinator.service.desk import Desk

INTERVAL = 30.0
"""Seconds between two writes for the same claim, at least."""
MOST = 45
"""Writes per sweep, that is, per second: below fifty with those of the election."""


class Renewals:
    """Goes round all nodes again and again; there is no list of claims to be kept in step."""

    def __init__(self, desks: Mapping[str, Desk], now: Callable[[], float]) -> None:
        self._desks = desks
        self._now = now
        self._round = self._rounds()

    def due(self) -> Iterator[tuple[Desk, str]]:
        """The next claims to write, each with its node's desk.

        At most so many nodes are looked at that one round takes as long as the interval.
        """
        nodes, writes = ceil(len(self._desks) / INTERVAL), MOST
        while nodes and writes:
            found = next(self._round)
            if found is None:
                nodes -= 1
            else:
                writes -= 1
                yield found

    def _rounds(self) -> Iterator[tuple[Desk, str] | None]:
        """Without an end: what is due on each node, and None after each."""
        while True:
            for desk in tuple(self._desks.values()):
                for claim in shows_too_little(desk.table, self._now() - INTERVAL):
                    yield desk, claim
                yield None
