"""Sees the operations on Leases end, and says what happened by them: each happening once.

A happening is told when its write stands: answered with 2xx, or shown by the read after a 409 that
came from the write's own success (P2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.happenings import Granted, HandedOver, Party, Reclaimed, Released

if TYPE_CHECKING:
    from coordinator.core.model import Holder, Lease
    from coordinator.core.slots import NodeTable

Change = Granted | HandedOver | Released
"""A slot has another holder, or none."""
_Told = m.Grant | m.HandOver | m.Free


class Witness:
    """That of one pool, for one time of leading."""

    def __init__(self) -> None:
        self._granted: dict[str, tuple[int, float]] = {}
        """Each Lease's last grant that was seen: its fencing token, and when."""
        self._in_doubt: dict[tuple[str, int], _Told] = {}
        """Writes that got a 409, by node and ordinal: the read that follows shows who won."""

    def ended(
        self, table: NodeTable, op: m.Operation, outcome: m.Outcome, now: float
    ) -> Change | None:
        """What happened by this operation, if anything did; asked before the table hears of it."""
        place = table.node, op.ordinal
        if isinstance(outcome, m.Conflict) and isinstance(op, _Told):
            self._in_doubt[place] = op
        elif isinstance(outcome, m.Written):
            return self._stands(table, op, now)
        elif isinstance(outcome, m.Read):
            write = self._in_doubt.pop(place, None)
            if write is not None and _shows(outcome.lease, write):
                return self._stands(table, write, now)
        return None

    def _stands(self, table: NodeTable, op: m.Operation, now: float) -> Change | None:
        match op:
            case m.Grant():
                return self._grant(table, op, now)
            case m.HandOver():
                return self._hand_over(table, op, now)
            case m.Free():
                return self._release(table, op, now)
            case m.Remove():
                self._granted.pop(op.base.name, None)
        return None

    def _grant(self, table: NodeTable, op: m.Grant, now: float) -> Granted:
        name, token = op.base.name, op.base.version
        self._granted[name] = token, now
        to = Party(op.claim, op.terms.load, op.terms.pod)
        return Granted(table.node, name, op.ordinal, to, token, _waited(table, op.claim, now))

    def _hand_over(self, table: NodeTable, op: m.HandOver, now: float) -> HandedOver | None:
        name, token, holder = op.base.name, op.base.version, op.base.holder
        if holder is None:
            return None
        held = self._held(name, holder, op.since)
        self._granted[name] = token, now
        return HandedOver(
            table.node,
            name,
            op.ordinal,
            party(holder),
            Party(op.claim, op.terms.load, op.terms.pod),
            token,
            _waited(table, op.claim, now),
            held,
            now - op.since,
        )

    def _release(self, table: NodeTable, op: m.Free, now: float) -> Released | None:
        name, holder = op.base.name, op.base.holder
        if holder is None:
            return None
        claim = table.roll.claims.get(holder.claim)
        left = claim.left if claim is not None and claim.leaving else now
        held = self._held(name, holder, left)
        self._granted.pop(name, None)
        return Released(table.node, name, op.ordinal, party(holder), held)

    def _held(self, lease: str, holder: Holder, left: float) -> float | None:
        token, since = self._granted.get(lease, (None, 0.0))
        return left - since if token == holder.token else None


def reclaimed(table: NodeTable, command: m.Reclaimed) -> Reclaimed:
    """The happening that the command tells of."""
    return Reclaimed(
        table.node,
        command.lease.name,
        table.picture.slots_of(command.claim)[0].ordinal,
        Party(command.claim, command.load, command.pod),
        command.cause,
        command.reason,
    )


def party(holder: Holder) -> Party:
    """Who a Lease names."""
    return Party(holder.claim, holder.terms.load, holder.terms.pod)


def _waited(table: NodeTable, claim: str, now: float) -> float:
    record = table.roll.claims.get(claim)
    return now - record.since if record is not None else 0.0


def _shows(lease: Lease | None, write: _Told) -> bool:
    """Whether the Lease is as the write would have left it."""
    holder = lease.holder if lease is not None else None
    if isinstance(write, m.Free):
        return holder is None
    return holder is not None and (holder.claim, holder.token) == (write.claim, write.base.version)
