"""The claims of one node that wait, in their order."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from coordinator.core.movers import RESTORE_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coordinator.core.claims import Claim, Key


class Queue:
    """The claims of one node that wait, in the order of their keys."""

    __slots__ = ("_claims", "_from", "_keys", "urgent")

    def __init__(self, urgent_from: int = RESTORE_PRIORITY) -> None:
        self._keys: list[Key] = []
        self._claims: dict[str, Claim] = {}
        self._from = urgent_from
        self.urgent = 0
        """How many of them have that priority, or more."""

    def add(self, claim: Claim) -> None:
        """Put the claim into its place."""
        if claim.id not in self._claims:
            self._claims[claim.id] = claim
            insort(self._keys, claim.key)
            self.urgent += claim.terms.priority >= self._from

    def discard(self, claim: Claim) -> None:
        """Take the claim out, if it waits."""
        if self._claims.pop(claim.id, None) is not None:
            del self._keys[bisect_left(self._keys, claim.key)]
            self.urgent -= claim.terms.priority >= self._from

    def position(self, claim: Claim) -> int:
        """Its place, counted from 1."""
        return bisect_left(self._keys, claim.key) + 1

    @property
    def anyhow(self) -> Iterable[Claim]:
        """All of them, in no order."""
        return self._claims.values()

    def __iter__(self) -> Iterator[Claim]:
        return (self._claims[claim] for _, _, claim in self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, claim: object) -> bool:
        return claim in self._claims
