"""What a pool's tables command to be done with Leases: performed one by one, each outcome fed back.

Also the courtesy writes of renewals, which go only while nothing else is to be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.grants import stands_by
from coordinator.core.witness import Witness
from coordinator.service.renewals import Renewals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coordinator.core.slots import NodeTable
    from coordinator.service.desk import Desk
    from coordinator.service.reports import PoolReports
    from coordinator.service.writer import Writer

    Apply = Callable[[Desk, m.Event], object]


class Operations:
    """Those of one pool; `apply` feeds an event to a desk's table, `bring` sees to it that a node's
    table knows all that is known. `desks` are the pool's.
    """

    def __init__(
        self,
        writer: Writer,
        reports: PoolReports,
        now: Callable[[], float],
        apply: Apply,
        bring: Callable[[str], None],
        desks: Mapping[str, Desk],
    ) -> None:
        self._writer = writer
        self._reports = reports
        self._now = now
        self._apply = apply
        self._bring = bring
        self._renewals = Renewals(desks, now)
        self._witness = Witness()

    async def perform(self, desk: Desk, op: m.Operation) -> None:
        """Send the operation, and tell its table how it ended."""
        node, table = desk.table.node, desk.table
        outcome = await self._writer.perform(
            node, op, self._silence_of(desk, op), still=lambda: self._stands_by(table, op)
        )
        self._reports.outcome(node, op, outcome)
        if (happening := self._witness.ended(table, op, outcome, self._now())) is not None:
            self._reports.happened(happening)
        self._apply(desk, outcome)

    def _stands_by(self, table: NodeTable, op: m.Operation) -> bool:
        self._bring(table.node)  # a limit that was seen counts (P1), told to the table or not
        return stands_by(table, op, self._now())

    def _silence_of(self, desk: Desk, op: m.Operation) -> float:
        """Seconds since the renewal that a `Refresh` writes down."""
        claim = desk.table.roll.claims.get(op.claim) if isinstance(op, m.Refresh) else None
        return self._now() - claim.renewed if claim else 0.0

    def write_renewals(self) -> None:
        """Some of the renewals that are due go into their Leases, if nothing else is under way."""
        if self._writer.idle:
            for desk, claim in self._renewals.due():
                self._apply(desk, m.Courtesy(claim))
