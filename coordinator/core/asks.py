"""What a node's table makes of those who speak for claims: they ask, renew, poll and leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coordinator.core.holders import hear, look_at
from coordinator.core.messages import Answer, Refused, Relist
from coordinator.core.owners import adopt_owner, require_owner
from coordinator.core.refusals import Refusal

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.messages import Ask, Asks, Leave, PollEnded
    from coordinator.core.slots import NodeTable


def ask_all(table: NodeTable, e: Asks, now: float) -> bool:
    """All claims of one request, each judged by itself."""
    changed = False
    for one in e.asks:
        try:
            changed |= ask(table, one, now)
        except Refusal as refusal:
            table.say(Refused(one.claim, refusal))
    return changed


def ask(table: NodeTable, e: Ask, now: float) -> bool:
    """A claim is new, keeps its place in the queue, or renews what it holds. Raises `Refusal`."""
    known = table.roll.claims.get(e.claim)
    if known is not None and _only_renews(table, known, e):
        known.renewed = known.seen = now
        known.speaker, known.deserted = e.speaker, math.inf
        return False
    require_owner(table, e.claim, e.terms.owner, now)
    table.roll.check(e, now)
    claim = known or _new(table, e, now)
    return claim is not None and _heard(table, claim, e, now)


def _only_renews(table: NodeTable, claim: Claim, e: Ask) -> bool:
    """Whether the request tells nothing but that a holder is alive, as nearly every one does."""
    same = e.terms is claim.terms or e.terms == claim.terms
    if e.token is None or not same or e.ending or claim.ending:
        return False
    return claim.renews_with(e.token) and table.picture.stands(claim.id, e.token)


def _new(table: NodeTable, e: Ask, now: float) -> Claim | None:
    """A record for the claim; None where what is known of it is its answer."""
    if e.claim in table.picture.named:
        return None  # a stray that is being cleared first
    if e.token is not None and table.roll.recall(e.claim, now, e.terms.owner):
        return None  # it is remembered as lost
    return table.roll.admit(e, now)


def _heard(table: NodeTable, claim: Claim, e: Ask, now: float) -> bool:
    was_there = claim.present(now, table.policy.presence)
    table.roll.touch(claim, e, now)
    if e.token is not None and not table.picture.stands(claim.id, e.token):
        _believer(table, claim, e.token, now)
        return True
    known = adopt_owner(claim, e.terms.owner)
    moved = table.roll.adopt_pod(claim, e.terms.pod)
    if claim.id in table.picture.named:
        hear(claim, now, ending=e.ending)
        if moved or e.ending:
            look_at(table, claim, now)
        routine = claim.renews_with(e.token) and known and not moved
        if e.token is not None or not claim.forfeited:
            _renew(claim, e.token, now)
        return not routine
    if claim.id in table.roll.queue:
        return not was_there  # it keeps its place, and is in nobody's way
    if claim.doubt is None and claim.id not in table.picture.granting:
        table.roll.queue.add(claim)
    return True


def _believer(table: NodeTable, claim: Claim, token: int, now: float) -> None:
    """It shows the token of a grant that is not in the picture: a fresh list shows it, or none.

    Such a caller is never queued, and takes nothing from who holds under the same id.
    """
    if claim.leaving and claim.chosen == token:
        claim.renewed = now  # its slot is just being taken back: perhaps in time
        return
    if not table.picture.busy(claim.id):
        table.roll.queue.discard(claim)
    if token not in claim.refuted and (not claim.doubt or claim.doubt[1] == math.inf):
        claim.doubt = (token, now)
        table.say(Relist())


def _renew(claim: Claim, token: int | None, now: float) -> None:
    claim.renewed = now
    claim.unresponsive = False
    if token is None:
        claim.answered = True
    else:
        claim.present_token(token)


def poll_ended(table: NodeTable, e: PollEnded, now: float) -> bool:
    """Whoever waits is there for a while yet (P8)."""
    for name in e.claims:
        claim = table.roll.claims.get(name)
        if claim is not None and e.poll in claim.polls:
            claim.polls = tuple(poll for poll in claim.polls if poll != e.poll)
            claim.seen = now
    return False


def leave(table: NodeTable, e: Leave, now: float) -> bool:
    """The claim is over once no Lease names it; until then its slot is its own.

    Raises `OthersClaim`.
    """
    require_owner(table, e.claim, e.owner, now)
    claim = table.roll.claims.get(e.claim)
    if claim is not None and table.picture.busy(claim.id):
        table.roll.part(claim, "released", now)
    elif claim is not None:
        table.end(claim, "released", "", now)
    else:
        table.roll.remember_hearsay(e.claim, e.owner, now)
        table.say(Answer(e.claim))
    return True
