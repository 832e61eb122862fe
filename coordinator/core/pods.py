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
        self._claims: dict[str, dict[str, tuple[str, ...]]] = {}
        """By namespace and name: node and claim, node and claim. Hardly ever more than one, and
        there may be as many of these as there are claims."""

    def move(self, node: str, claim: str, before: PodRef | None, after: PodRef | None) -> None:
        """The claim named the Pod `before`, and names `after` from now on."""
        if before is not None:
            self._part(before, (node, claim))
        if after is not None:
            here = self._claims.setdefault(after.namespace, {})
            here[after.name] = (*here.get(after.name, ()), node, claim)

    def _part(self, pod: PodRef, claim: tuple[str, str]) -> None:
        here = self._claims[pod.namespace]
        left = [one for one in _pairs(here[pod.name]) if one != claim]
        if left:
            here[pod.name] = tuple(name for one in left for name in one)
            return
        del here[pod.name]
        if not here:
            del self._claims[pod.namespace]

    def claims_of(self, place: Place) -> list[tuple[str, str]]:
        """Every `(node, claim)` that names a Pod there, in the order in which they came."""
        namespace, name = place
        return _pairs(self._claims.get(namespace, {}).get(name, ()))

    def __contains__(self, place: Place) -> bool:
        namespace, name = place
        return name in self._claims.get(namespace, ())

    def __iter__(self) -> Iterator[Place]:
        return iter(
            [(namespace, name) for namespace, here in self._claims.items() for name in here]
        )

    def __len__(self) -> int:
        return sum(map(len, self._claims.values()))


def _pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(names[::2], names[1::2], strict=True))
