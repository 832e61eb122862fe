"""Which claims name which Pod, over all nodes of a pool.

A cluster has far more Pods than claims: an event on one that no claim names costs one look here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.core.model import PodRef

Place = tuple[str, str]
"""A Pod's namespace and name; it may change its uid, which only a look can tell."""


class PodIndex:
    """Kept in step by each node's `Roll`."""

    __slots__ = ("_claims",)

    def __init__(self) -> None:
        self._claims: dict[Place, tuple[str, ...]] = {}
        """Node and claim, node and claim: hardly ever more than one, and there may be as many of
        these as there are claims."""

    def move(self, node: str, claim: str, before: PodRef | None, after: PodRef | None) -> None:
        """The claim named the Pod `before`, and names `after` from now on."""
        if before is not None:
            self._part((before.namespace, before.name), (node, claim))
        if after is not None:
            place = after.namespace, after.name
            self._claims[place] = (*self._claims.get(place, ()), node, claim)

    def _part(self, place: Place, claim: tuple[str, str]) -> None:
        left = [name for one in self.claims_of(place) if one != claim for name in one]
        if left:
            self._claims[place] = tuple(left)
        else:
            del self._claims[place]

    def claims_of(self, place: Place) -> list[tuple[str, str]]:
        """Every `(node, claim)` that names a Pod there, in the order in which they came."""
        names = self._claims.get(place, ())
        return list(zip(names[::2], names[1::2], strict=True))

    def __contains__(self, place: Place) -> bool:
        return place in self._claims

    def __iter__(self) -> Iterator[Place]:
        return iter(tuple(self._claims))

    def __len__(self) -> int:
        return len(self._claims)
