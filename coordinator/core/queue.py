"""The claims of one node that wait, in their order."""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter
from typing import TYPE_CHECKING

from coordinator.core.movers import RESTORE_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from coordinator.core.claims import Claim

_KEY = attrgetter("key")


class Queue:
    """The claims of one node that wait, in the order of their keys. `claims` are all of the node's,
    each of which says whether it waits: there is no second index of them.
    """

    __slots__ = ("_claims", "_from", "_line", "urgent")

    def __init__(self, claims: Mapping[str, Claim], urgent_from: int = RESTORE_PRIORITY) -> None:
        self._claims = claims
        self._line: list[Claim] = []
        self._from = urgent_from
        self.urgent = 0
        """How many of them have that priority, or more."""

    def add(self, claim: Claim) -> None:
        """Put the claim into its place."""
        if not claim.waits:
            claim.waits = True
            insort(self._line, claim, key=_KEY)
            self.urgent += claim.terms.priority >= self._from

    def discard(self, claim: Claim) -> None:
        """Take the claim out, if it waits."""
        if claim.waits:
            claim.waits = False
            del self._line[self.position(claim) - 1]
            self.urgent -= claim.terms.priority >= self._from

    def position(self, claim: Claim) -> int:
        """Its place, counted from 1."""
        return bisect_left(self._line, claim.key, key=_KEY) + 1

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._line)

    def __len__(self) -> int:
        return len(self._line)

    def __contains__(self, claim: object) -> bool:
        record = self._claims.get(claim) if isinstance(claim, str) else None
        return record is not None and record.waits
