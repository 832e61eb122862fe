"""All claims of a pool, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.listing import rows
from coordinator.service.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coordinator.core.listing import ClaimRow, Place, Wanted
    from coordinator.service.desk import Desk


class Listing:
    """That of one pool."""

    def __init__(self, desks: Mapping[str, Desk], now: Callable[[], float]) -> None:
        self._desks = desks
        self._now = now

    async def claims(
        self, wanted: Wanted, after: tuple[str, Place] | None, most: int
    ) -> tuple[list[ClaimRow], bool]:
        """The wanted claims by node, slot and position, and whether there are more than `most`.

        They begin `after` the last one of an earlier page.
        """
        found: list[ClaimRow] = []
        turns = Turns()
        for node in self._nodes(wanted, after):
            await turns.give()
            desk = self._desks.get(node)
            for row in rows(desk.table, wanted, self._now()) if desk else ():
                if after is not None and (node, row.place) <= after:
                    continue
                if len(found) == most:
                    return found, True
                found.append(row)
        return found, False

    def _nodes(self, wanted: Wanted, after: tuple[str, Place] | None) -> list[str]:
        nodes = self._desks.keys() & wanted.nodes if wanted.nodes else self._desks.keys()
        first = after[0] if after else ""
        return sorted(node for node in nodes if node >= first)
