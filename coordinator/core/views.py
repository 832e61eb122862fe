"""What a node's table says of a claim and of itself: frozen data, and the sentence that explains.

Nothing here changes anything; the table is read at the time `now`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from coordinator.core import headroom
from coordinator.core.listing import holder_state
from coordinator.core.owners import differ, owner_of
from coordinator.core.reasons import why_waiting

if TYPE_CHECKING:
    from coordinator.core.claims import Claim, Ticket
    from coordinator.core.model import PodRef
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable

SlotState = Literal["absent", "free", "held", "releasing", "unresponsive", "blocked"]


@dataclass(frozen=True, slots=True)
class Held:
    """A slot and who has it."""

    claim: str
    load: str
    lease: str
    priority: int
    pod: PodRef | None
    ttl: int
    """Seconds."""
    acquired: str = ""
    """When the slot was granted, as its Lease tells it."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim holds this slot."""

    claim: str
    slot: int
    lease: str
    token: int
    ttl: int


@dataclass(frozen=True, slots=True)
class Queued:
    """The claim waits: at `position` (from 1), for `reason`, behind `holders`."""

    claim: str
    position: int
    ticket: Ticket
    reason: str
    holders: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Settling:
    """The outcome of a write or a read is not known yet; ask again."""

    claim: str
    detail: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The claim has no slot any more; a fresh read showed it."""

    claim: str
    detail: str


@dataclass(frozen=True, slots=True)
class Released:
    """No Lease names the claim, and none will for it."""

    claim: str


View = Granted | Queued | Settling | Lost | Released


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot of the node, for status."""

    slot: int
    lease: str
    state: SlotState
    detail: str
    held: Held | None
    token: int | None
    silent_seconds: float | None
    """How long ago the holder was last heard of, in seconds."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One claim that waits, for status; `ttl` in seconds."""

    claim: str
    load: str
    priority: int
    position: int
    present: bool
    pod: PodRef | None
    ttl: int


def view_of(
    table: NodeTable, claim_id: str, now: float, token: int | None = None, owner: str = ""
) -> View | None:
    """The claim's state, for a caller with this fencing token; None for an unknown id.

    What is known as another owner's claim is `Lost` for this one, whatever it waited for.
    """
    if owner and differ(owner_of(table, claim_id, now), owner):
        return Lost(claim_id, "the claim is another service account's")
    claim = table.roll.claims.get(claim_id)
    if claim is None:
        return _ended(table, claim_id, now, owner)
    if token is not None and token in claim.refuted:
        return Lost(claim_id, f"no Lease of {table.node} names it with the fencing token {token}")
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
        return _queued(table, claim, now)
    return Settling(claim_id, "its Lease is being read")


def _ended(table: NodeTable, claim: str, now: float, owner: str) -> View | None:
    if claim in table.picture.named:
        return Settling(claim, "a Lease that still names it is being cleared")
    ended = table.roll.recall(claim, now, owner)
    if ended is None:
        return None
    return Released(claim) if ended.reason == "released" else Lost(claim, ended.detail)


def _queued(table: NodeTable, claim: Claim, now: float) -> Queued:
    position = 1
    if claim.id in table.roll.queue:
        position = table.roll.queue.position(claim)
    reason = why_waiting(table, claim.id, now).text
    return Queued(claim.id, position, claim.ticket, reason, holders(table))


def holders(table: NodeTable) -> tuple[Held, ...]:
    """Who has the node's slots, by ordinal."""
    return tuple(held for slot in table.picture.in_order if (held := _held(slot)) is not None)


def _held(slot: Slot) -> Held | None:
    if (holder := slot.holder) is None:
        return None
    terms = holder.terms
    return Held(
        holder.claim,
        terms.load,
        slot.name,
        terms.priority,
        terms.pod,
        terms.ttl,
        holder.acquired,
    )


def is_imminent(table: NodeTable, claim: str) -> bool:
    """Whether a write under way decides about the claim: its grant, or the Lease made for it."""
    waits = table.roll.claims.get(claim)
    if waits is None or claim not in table.roll.queue:
        return table.picture.busy(claim)
    made = sum(slot.reserved for slot in table.picture.slots.values())
    first = islice(headroom.admitted(table, table.roll.queue), made)
    return any(one is waits for one in first)


def is_written(table: NodeTable, claim: str) -> bool:
    """Whether a write under way gives the claim a slot, or takes its slot to somebody else."""
    if claim in table.roll.queue:
        return is_imminent(table, claim)
    slots = table.picture.slots_of(claim)
    return claim in table.picture.granting or any(slot.op is not None for slot in slots)


def slot_views(table: NodeTable, now: float) -> tuple[SlotView, ...]:
    """Every slot that has a Lease or is about to; the others have never been needed."""
    shown = [
        slot for slot in table.picture.in_order if slot.lease is not None or slot.op is not None
    ]
    return tuple(_slot_view(table, slot, now) for slot in shown)


def _slot_view(table: NodeTable, slot: Slot, now: float) -> SlotView:
    claim = table.roll.claims.get(slot.holder.claim) if slot.holder else None
    state, detail = _slot_state(table, slot, claim)
    return SlotView(
        slot.ordinal,
        slot.name,
        state,
        detail,
        _held(slot),
        slot.token,
        now - claim.renewed if claim else None,
    )


def _slot_state(table: NodeTable, slot: Slot, claim: Claim | None) -> tuple[SlotState, str]:
    if slot.lease is None:
        return "absent", ""
    if slot.lease.foreign or slot.lease.terminating:
        return "blocked", slot.lease.foreign or "its Lease is being deleted"
    if slot.holder is None:
        return "free", ""
    match holder_state(table, slot, claim):
        case "draining":
            return "held", "over the limit"
        case "unresponsive":
            return "unresponsive", "its agent is silent and its Pod cannot be shown to have ended"
        case state:
            return state, ""


def waiting(table: NodeTable, now: float) -> tuple[Waiting, ...]:
    """Whose slot is just being written, and then the queue, in order.

    The former are in no Lease yet and in the queue no more: whoever asks what there is of it must
    find them all the same.
    """
    granting = [table.roll.claims[name] for name in table.picture.granting]
    first = [(1, claim) for claim in granting if not claim.leaving]
    queue = enumerate(table.roll.queue, start=1)
    return tuple(_waiting(table, claim, place, now) for place, claim in [*first, *queue])


def _waiting(table: NodeTable, claim: Claim, position: int, now: float) -> Waiting:
    terms, present = claim.terms, claim.present(now, table.policy.presence)
    return Waiting(claim.id, terms.load, terms.priority, position, present, terms.pod, terms.ttl)
