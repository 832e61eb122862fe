"""What is true of the claims of one node at one time: what all of them share is looked up once.

Nothing here changes anything, and a survey is good for the moment in which it was made.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from coordinator.core import headroom
from coordinator.core.claims import Claim
from coordinator.core.owners import differ, owner_of
from coordinator.core.reasons import shared_reason, why_waiting
from coordinator.core.views import Granted, Lost, Queued, Released, Settling, holders

if TYPE_CHECKING:
    from coordinator.core.slots import NodeTable
    from coordinator.core.views import Held, View


def view_of(
    table: NodeTable, claim_id: str, now: float, token: int | None = None, owner: str = ""
) -> View | None:
    """The claim's state, as `Survey.view` has it."""
    return Survey(table, now).view(claim_id, token, owner)


class Survey:
    """One node's table at the time `now`."""

    __slots__ = ("_first", "_holders", "_now", "_shared", "_table")

    def __init__(self, table: NodeTable, now: float) -> None:
        self._table = table
        self._now = now
        self._holders: tuple[Held, ...] | None = None
        self._shared: str | None = None
        self._first: set[str] | None = None

    def view(self, claim_id: str, token: int | None = None, owner: str = "") -> View | None:
        """The claim's state, for a caller with this fencing token; None for an unknown id.

        What is known as another owner's claim is `Lost` for this one, whatever it waited for.
        """
        return self.told(self.standing(claim_id, token, owner))

    def told(self, standing: View | Claim | None) -> View | None:
        """What `standing` found, as it is told."""
        return self._queued(standing) if isinstance(standing, Claim) else standing

    def standing(
        self, claim_id: str, token: int | None = None, owner: str = ""
    ) -> View | Claim | None:
        """The same without the sentence for one that waits: of that, its record."""
        table = self._table
        claim = table.roll.claims.get(claim_id)
        known = claim.terms.owner if claim else owner_of(table, claim_id, self._now)
        if differ(known, owner):
            return Lost(claim_id, "the claim is another service account's")
        if claim is None:
            return self._ended(claim_id, owner)
        if token is not None and token in claim.refuted:
            told = f"no Lease of {table.node} names it with the fencing token {token}"
            return Lost(claim_id, told)
        if claim.leaving:
            return Settling(claim_id, "its slot is being given back")
        if claim.forfeited:
            return Lost(claim_id, "the grant that was answered was taken from it by another hand")
        if claim.doubt is not None and (token is not None or not table.picture.busy(claim_id)):
            return Settling(claim_id, "its fencing token is being looked up in a fresh list")
        slot = table.slot_of(claim)
        if slot is not None and (shown := slot.token) is not None:
            return Granted(claim_id, slot.ordinal, slot.name, shown, claim.terms.ttl)
        if claim_id in table.roll.queue or claim_id in table.picture.granting:
            return claim
        return Settling(claim_id, "its Lease is being read")

    def _ended(self, claim: str, owner: str) -> View | None:
        if claim in self._table.picture.named:
            return Settling(claim, "a Lease that still names it is being cleared")
        ended = self._table.roll.recall(claim, self._now, owner)
        if ended is None:
            return None
        return Released(claim) if ended.reason == "released" else Lost(claim, ended.detail)

    def _queued(self, claim: Claim) -> Queued:
        if self._holders is None:
            self._holders = holders(self._table)
        position, reason = self.place(claim)
        return Queued(claim.id, position, claim.ticket, reason, self._holders)

    def place(self, claim: Claim) -> tuple[int, str]:
        """The position, from 1, and the reason, of a claim that waits."""
        queue = self._table.roll.queue
        if claim.id not in queue:
            return 1, why_waiting(self._table, claim.id, self._now).text
        if self._shared is None:
            shared = shared_reason(self._table, self._now)
            self._shared = shared.text if shared else ""
        reason = self._shared or why_waiting(self._table, claim.id, self._now).text
        return queue.position(claim), reason

    @property
    def is_busy(self) -> bool:
        """Whether any write or read of the node's Leases is under way."""
        return self._table.picture.is_busy

    def is_imminent(self, claim: str) -> bool:
        """Whether a write under way decides about it: its grant, or the Lease made for it."""
        if claim not in self._table.roll.queue:
            return self._table.picture.busy(claim)
        if self._first is None:
            self._first = self._first_in_line()
        return claim in self._first

    def _first_in_line(self) -> set[str]:
        table = self._table
        made = sum(slot.reserved for slot in table.picture.slots.values())
        if not made:
            return set()
        return {one.id for one in islice(headroom.admitted(table, table.roll.queue), made)}

    def is_written(self, claim: str) -> bool:
        """Whether a write under way gives the claim a slot, or takes its slot to somebody else."""
        picture = self._table.picture
        if not picture.is_busy:
            return False
        if claim in self._table.roll.queue:
            return self.is_imminent(claim)
        return claim in picture.granting or any(
            slot.op is not None for slot in picture.slots_of(claim)
        )
