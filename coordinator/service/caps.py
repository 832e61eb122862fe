"""The cap on a node's slots in all pools of one reign: joins their tables, decides nothing.

A table asks its `NodeShare` each time it decides, so that what it hears is true at that moment:
everything happens in one thread, and a grant counts from when it is decided. The cap is blind, and
nobody grants, until every pool's Leases are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import cap
from coordinator.core.messages import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable
    from coordinator.service.pool import Pool


class Caps:
    """Of `cap` slots on each node. The reign puts its pools in, by namespace, in their order."""

    def __init__(self, cap: int, now: Callable[[], float]) -> None:
        self.cap = cap
        self.now = now
        self.began = now()
        self.pools: dict[str, Pool] = {}

    def tables(self, node: str) -> Iterator[tuple[str, NodeTable]]:
        """The node's table in each pool that has one."""
        for name, pool in self.pools.items():
            if (desk := pool.desks.get(node)) is not None:
                yield name, desk.table

    def left(self, node: str) -> int:
        """The places of the node that nobody has; below 0 where more is held than may be."""
        return self.cap - sum(table.picture.taken for _, table in self.tables(node))

    def parts(
        self, node: str, most: int, pool: str = "", parting: Slot | None = None
    ) -> list[cap.Part]:
        """What each pool has of the node and wants; `pool` is about to let go of `parting`."""
        now = self.now()
        return [
            cap.part_of(name, table, now, most, self.began, parting if name == pool else None)
            for name, table in self.tables(node)
        ]

    def blind(self) -> str:
        """Which pool's slots are not known yet, and why; "" once all are."""
        for name, pool in self.pools.items():
            if why := pool.gathering():
                return f"the node cap counts the slots of pool {name}, which are not known: {why}"
        return ""

    def pass_on(self, pool: str, node: str) -> None:
        """Something happened to that pool's table: the others decide anew where a place is left."""
        others = [(self.pools[name], table) for name, table in self.tables(node) if name != pool]
        if any(len(table.roll.queue) for _, table in others) and self.left(node) > 0:
            for other, _ in others:
                other.apply(other.desks[node], Turn())

    def use(self, node: str) -> cap.CapUse:
        """The cap and what each pool has of it."""
        taken = {name: table.picture.taken for name, table in self.tables(node)}
        return cap.CapUse(self.cap, tuple((name, taken.get(name, 0)) for name in self.pools))


class NodeShare:
    """What the cap leaves to one pool's table of one node (`cap.Share`)."""

    def __init__(self, caps: Caps, pool: str, node: str) -> None:
        self._caps = caps
        self._pool = pool
        self._node = node

    def blind(self) -> str:
        """Why it is not known yet what all pools have."""
        return self._caps.blind()

    def fits(self) -> bool:
        """Whether no more is taken than may be."""
        return self._caps.left(self._node) >= 0

    def turns(self, parting: Slot | None = None) -> int:
        """How many of this table's next claims come before everybody else's."""
        places = self._caps.left(self._node) + (parting is not None)
        if places <= 0:
            return 0
        parts = self._caps.parts(self._node, places, self._pool, parting)
        return cap.turns(parts, self._pool, places)

    def why(self) -> str:
        """What about the cap this table's claims wait for."""
        parts = self._caps.parts(self._node, max(self._caps.left(self._node), 0))
        return self.blind() or cap.why(self._caps.cap, self._node, parts, self._pool)
