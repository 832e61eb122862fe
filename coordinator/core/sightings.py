"""What a watch event, a list or an outcome says of a Lease, taken into a node's table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coordinator.core.holders import look_at
from coordinator.core.messages import Answer, Gone, Relisted, Seen
from coordinator.core.owners import adopt_owner, differ, edited, usurped
from coordinator.core.picture import version_of

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.model import Holder, Lease
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable


def seen(table: NodeTable, e: Seen | Gone, now: float) -> bool:
    """What the watch tells of one Lease."""
    return notice(table, table.picture.slot(e.ordinal), e, now)


def notice(table: NodeTable, slot: Slot, e: Seen | Gone, now: float) -> bool:
    """A watch event: old news is dropped, and one that costs a claim its slot is checked."""
    if version_of(e) <= slot.version:
        return False
    if slot.op is not None:
        slot.defer(e)
        return False
    lease = e.lease if isinstance(e, Seen) else None
    if _drops_a_grant(table, slot, lease):
        table.read(slot)
        return False
    put(table, slot, lease, version_of(e), now)
    return True


def _drops_a_grant(table: NodeTable, slot: Slot, lease: Lease | None) -> bool:
    """Whether a live claim would lose this slot: said only after a fresh GET."""
    holder = slot.holder
    claim = table.roll.claims.get(holder.claim) if holder else None
    if holder is None or claim is None or claim.leaving:
        return False
    after = lease.holder if lease else None
    return after is None or (after.claim, after.token) != (holder.claim, holder.token)


def relisted(table: NodeTable, e: Relisted, now: float) -> bool:
    """A consistent list replaces what was known before it was sent, whatever its numbers.

    The oldest grant comes first: of two Leases of one claim that one is its answer (P6).
    """
    for ordinal in e.leases:
        table.picture.slot(ordinal)
    for slot in sorted(table.picture.slots.values(), key=lambda slot: _token(e, slot)):
        _compare(table, slot, e.leases.get(slot.ordinal), e.started, now)
    for claim in tuple(table.roll.claims.values()):
        if claim.doubt is not None and claim.doubt[1] <= e.started:
            _resolve(table, claim, claim.doubt[0], e, now)
    table.picture.forget_unused()
    return True


def _token(e: Relisted, slot: Slot) -> int:
    lease = e.leases.get(slot.ordinal)
    return lease.holder.token if lease and lease.holder else 0


def _compare(table: NodeTable, slot: Slot, lease: Lease | None, started: float, now: float) -> None:
    """Take the listed state, unless ours may be newer: the watch goes on after the list, so
    what the list alone shows would never be told again. Then a fresh GET decides.
    """
    if slot.op is None and slot.learnt < started:
        put(table, slot, lease, 0, now)
        return
    if slot.op is not None:
        slot.stale = lease is None or not slot.knows(lease)
    elif not slot.knows(lease):
        table.read(slot)
    # Until it is read, a holder in the list counts against the limit (P1).
    slot.pending = Seen(slot.ordinal, lease) if lease and slot.op else None


def _resolve(table: NodeTable, claim: Claim, token: int, e: Relisted, now: float) -> None:
    """The fresh list is there: either it shows the presented token, or the slot is lost."""
    held = (lease.holder for lease in e.leases.values() if lease.holder)
    if table.picture.stands(claim.id, token):
        claim.present_token(token)
        table.say(Answer(claim.id))
    elif (claim.id, token) in {(holder.claim, holder.token) for holder in held}:
        claim.doubt = (token, math.inf)
    elif table.picture.busy(claim.id):
        claim.doubt = None
        claim.refuted |= {token}
        table.say(Answer(claim.id))
    else:
        detail = f"no Lease of {table.node} names it with the fencing token {token}"
        table.end(claim, claim.leaving or "lost", detail, now)


def put(table: NodeTable, slot: Slot, lease: Lease | None, floor: int, now: float) -> None:
    """Take `lease` as the truth about the slot; `floor` as in `Picture.put`."""
    before = slot.holder
    table.picture.put(slot, lease, floor, now)
    after = slot.holder
    same = before and after and (before.claim, before.token) == (after.claim, after.token)
    if after is not None and not same:
        _held(table, slot, after, now)
    elif before is not None and after is not None:
        edited(table.roll.claims.get(after.claim), before, after)
    if after is not None:
        _share_terms(table.roll.claims.get(after.claim), after)
    if before is not None and not same:
        _unheld(table, before.claim, slot.name, now)


def _share_terms(claim: Claim | None, holder: Holder) -> None:
    """One copy of fifty thousand is enough: each answer of the API server brings another."""
    if claim is not None and claim.terms == holder.terms:
        claim.terms = holder.terms


def _held(table: NodeTable, slot: Slot, holder: Holder, now: float) -> None:
    """A Lease names the claim: that is its grant, also if it still waits (P6)."""
    claim = table.roll.claims.get(holder.claim)
    if claim is not None and usurped(table, slot, claim, holder):
        table.roll.drop(claim)
        claim = None
        table.say(Answer(holder.claim))
    if claim is None:
        _adopt(table, holder, now)
        return
    adopt_owner(claim, holder.terms.owner)
    table.roll.queue.discard(claim)
    if not claim.leaving:
        claim.renewed = now
    if claim.doubt is not None and claim.doubt[0] == holder.token:
        claim.present_token(holder.token)
    if claim.chosen is None:
        claim.chosen = holder.token
    claim.answered = claim.answered or (bool(claim.polls) and claim.doubt is None)
    table.say(Answer(claim.id))
    if slot.heir != claim.id:
        claim.pod_found = True  # another leader's grant: it may have seen the Pod
    elif not claim.leaving:
        look_at(table, claim, now)


def _adopt(table: NodeTable, holder: Holder, now: float) -> None:
    """It holds unknown to this leader; one that ended is a stray, unless another owner's did."""
    ended = table.roll.recall(holder.claim, now)
    if ended is None or differ(ended.owner, holder.terms.owner):
        table.roll.adopt(holder, now)


def _unheld(table: NodeTable, name: str, lease: str, now: float) -> None:
    """A Lease names the claim no more, or with another grant."""
    claim = table.roll.claims.get(name)
    if claim is None:
        table.say(Answer(name))
    elif not table.picture.busy(name):
        why = claim.left_why or claim.leaving or "taken from it by another hand"
        table.end(claim, claim.leaving or "lost", f"Lease {lease}: {why}", now)
    elif claim.chosen is not None and not table.picture.shows(name, claim.chosen):
        _lose_answer(table, claim, now)


def _lose_answer(table: NodeTable, claim: Claim, now: float) -> None:
    """Its grant is gone and another Lease names it: no claim is answered with two (P6)."""
    if claim.presented:
        table.roll.part(claim, "lost", now)
        return
    if claim.answered:
        claim.forfeited = True
        table.say(Answer(claim.id))
        return
    named = table.picture.slots_of(claim.id)
    claim.chosen = named[0].token if named else None
