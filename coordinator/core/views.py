"""What a node's table says of its slots and its queue, and how a claim's state is told: as data.

Nothing here changes anything; the table is read at the time `now`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from coordinator.core.listing import holder_state

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


class Granted(NamedTuple):
    """The claim holds this slot. A tuple, for a renewal makes two of them."""

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
