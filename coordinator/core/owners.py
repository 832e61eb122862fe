"""Whose claim it is: only its owner may ask for it or end it.

An owner is "NAMESPACE/SERVICEACCOUNT", as the API server vouched for it. It stands in the claim's
terms, and so in its Lease. Where one of the two is not known ("": no authentication, a person who
may free anybody's slot, a Lease written before there were owners), nothing is checked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coordinator.core.refusals import OthersClaim

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.model import Holder
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable


def differ(one: str, other: str) -> bool:
    """Whether these are two owners; an unknown one ("") may be either."""
    return bool(one and other and one != other)


def owner_of(table: NodeTable, claim_id: str, now: float) -> str:
    """Whose the claim is, by its record, its Lease, or its end; "" where unknown."""
    claim = table.roll.claims.get(claim_id)
    if claim is not None:
        return claim.terms.owner
    held = (slot.holder for slot in table.picture.slots_of(claim_id))
    ended = table.roll.recall(claim_id, now)
    told = ended.owner if ended and not ended.hearsay else ""
    return next((holder.terms.owner for holder in held if holder), told)


def require_owner(table: NodeTable, claim_id: str, owner: str, now: float) -> None:
    """Raise `OthersClaim` where the claim is known as somebody else's."""
    known = owner_of(table, claim_id, now)
    if differ(known, owner):
        raise OthersClaim(claim_id, known)


def adopt_owner(claim: Claim, owner: str) -> bool:
    """Whoever asks for a claim without an owner is its owner; its Lease is told with a refresh.

    Returns whether the claim had one, or has none still.
    """
    if not owner or claim.terms.owner:
        return True
    claim.terms = replace(claim.terms, owner=owner)
    return False


def edited(claim: Claim | None, before: Holder, after: Holder) -> None:
    """Another owner stands in the Lease of the same grant: another hand wrote it, and it counts."""
    if claim is None or claim.chosen != after.token:
        return
    if before.terms.owner != after.terms.owner:
        claim.terms = replace(claim.terms, owner=after.terms.owner)


def usurped(table: NodeTable, slot: Slot, claim: Claim, holder: Holder) -> bool:
    """Whether a Lease gives the claim's id to another owner, and this claim has nothing yet.

    Then the Lease is the truth: the record is of somebody who came with another's claim id while
    its Lease was not known.
    """
    alone = table.picture.named.get(claim.id) == (slot.ordinal,)
    return differ(claim.terms.owner, holder.terms.owner) and (
        alone and claim.id not in table.picture.granting
    )
