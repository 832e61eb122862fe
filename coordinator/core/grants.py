"""What a node's table does next: free, hand over, remove, make, grant. Pure decisions.

`operations(table, now)` starts what can be started; it is called after every event that may have
changed something. `stands_by` tells whether that would still be right when it is at last sent.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from coordinator.core import headroom
from coordinator.core.messages import Free, Grant, HandOver, Make, Refresh, Remove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.core.claims import Claim
    from coordinator.core.messages import Courtesy, Operation
    from coordinator.core.model import Holder, Lease
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable


def operations(table: NodeTable, now: float) -> None:
    """Tend every idle slot, then give free ones to the first claims of the queue."""
    if now < table.paused_until or not table.limit_known:
        return
    for slot in tuple(table.picture.slots.values()):
        if slot.op is None and slot.lease is not None and not slot.lease.foreign:
            op = _tend(table, slot, slot.lease, now)
            if op is not None:
                table.start(slot, op)
    _assign(table, now)


def stands_by(table: NodeTable, op: Operation, now: float) -> bool:
    """Whether an operation that is about to be sent for the first time would still be decided.

    P1 and P8 speak of the moment when a grant's write is sent; until then its limit may have
    shrunk, its node be on hold, or its client gone. Everything else may be sent at any time.
    """
    if not isinstance(op, Grant | HandOver):
        return True
    claim = table.roll.claims[op.claim]
    fits = op.ordinal < table.limit and table.picture.taken <= table.limit
    fits = fits and headroom.fits(table, op) and (table.share is None or table.share.fits())
    wanted = not claim.leaving and claim.present(now, table.policy.presence)
    return fits and wanted and table.may_grant(now)


def courtesy(table: NodeTable, e: Courtesy, now: float) -> bool:
    """Write a holder's renewal into its Lease, where nothing else is to be done with it."""
    claim = table.roll.claims.get(e.claim)
    slot = table.slot_of(claim) if claim and not claim.leaving else None
    if claim is None or slot is None or slot.lease is None or slot.lease.foreign:
        return False
    if slot.op is None and now >= table.paused_until:
        op = table.picture.next_op()
        table.start(slot, Refresh(op, slot.ordinal, slot.lease, claim.id, claim.terms))
    return False


def shows_too_little(table: NodeTable, since: float) -> list[str]:
    """The claims whose Leases were written no later than that, and that were renewed after it."""
    named = [(slot.holder.claim, slot) for slot in table.picture.in_order if slot.holder]
    return [
        name
        for name, slot in named
        if slot.learnt <= since and (claim := table.roll.claims.get(name))
        if claim.renewed > slot.learnt and not claim.leaving
    ]


def _tend(table: NodeTable, slot: Slot, lease: Lease, now: float) -> Operation | None:
    if lease.holder is None:
        surplus = slot.ordinal >= table.limit and not lease.terminating
        return Remove(table.picture.next_op(), slot.ordinal, lease) if surplus else None
    claim = table.roll.claims.get(lease.holder.claim)
    if claim is None or _is_stray(table, lease.holder, claim):
        return Free(table.picture.next_op(), slot.ordinal, lease)
    if _came_back(table, claim):
        claim.leaving = ""
    if claim.leaving:
        return _let_go(table, slot, lease, claim, now)
    if (claim.terms.pod, claim.terms.owner) != (lease.holder.terms.pod, lease.holder.terms.owner):
        return Refresh(table.picture.next_op(), slot.ordinal, lease, claim.id, claim.terms)
    return None


def _came_back(table: NodeTable, claim: Claim) -> bool:
    """Whether an expired claim was heard of before anything was sent that takes a slot of it."""
    late = claim.leaving == "expired" and claim.renewed >= claim.left
    return late and all(slot.op is None for slot in table.picture.slots_of(claim.id))


def _is_stray(table: NodeTable, holder: Holder, claim: Claim) -> bool:
    """Whether the agent showed the token of another Lease, and that one stands (P6)."""
    token = claim.chosen
    if not claim.presented or token is None or holder.token == token:
        return False
    return table.picture.shows(claim.id, token)


def _let_go(table: NodeTable, slot: Slot, lease: Lease, claim: Claim, now: float) -> Operation:
    heir = _heir(table, slot, lease, now)
    op = table.picture.next_op()
    if heir is None:
        return Free(op, slot.ordinal, lease)
    return HandOver(op, slot.ordinal, lease, heir.id, heir.terms, claim.left)


def _heir(table: NodeTable, slot: Slot, lease: Lease, now: float) -> Claim | None:
    fits = slot.ordinal < table.limit and not lease.terminating
    if not (fits and table.may_grant(now) and table.picture.taken <= table.limit):
        return None
    if table.share is not None and not table.share.turns(parting=slot):
        return None
    return next(eligible(table, now, slot), None)


def eligible(table: NodeTable, now: float, parting: Slot | None = None) -> Iterator[Claim]:
    """The waiting claims whose client is still there, in their order (P8, P9).

    Claims that the headroom holds back are left out, and others pass them: so many may go on one
    after the other once the slot `parting`, if any, is let go of.
    """
    presence = table.policy.presence
    waiting = (claim for claim in table.roll.queue if claim.present(now, presence))
    return headroom.admitted(table, waiting, parting)


def _assign(table: NodeTable, now: float) -> None:
    """Give the lowest free ordinals to the first claims of the queue, up to the limit (P1).

    An ordinal without a Lease is made ready first; whoever is first by then gets it, so that a
    slow create lets nobody pass (P9).
    """
    room = table.limit - table.picture.taken
    if room <= 0 or not len(table.roll.queue) or not table.may_grant(now):
        return
    if table.share is not None:
        room = min(room, table.share.turns())
    waiting = list(islice(eligible(table, now), room))
    ordinals = islice(usable(table), len(waiting))
    heirs = iter(waiting)
    for slot in [table.picture.slot(ordinal) for ordinal in ordinals]:
        if slot.lease is not None:
            table.start(slot, _grant(table, slot, slot.lease, next(heirs)))
        elif slot.op is None:
            table.start(slot, Make(table.picture.next_op(), slot.ordinal, slot.name))


def usable(table: NodeTable) -> Iterator[int]:
    """The ordinals that are free, absent, or just being made for whoever comes first."""
    return filter(partial(_usable, table), range(table.limit))


def _usable(table: NodeTable, ordinal: int) -> bool:
    slot = table.picture.slots.get(ordinal)
    return slot is None or slot.reserved or not (slot.op or slot.taken)


def _grant(table: NodeTable, slot: Slot, lease: Lease, claim: Claim) -> Grant:
    return Grant(table.picture.next_op(), slot.ordinal, lease, claim.id, claim.terms)
