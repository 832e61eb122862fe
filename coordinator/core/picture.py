"""What is known of a node's Leases, and the one thing that is under way on each.

`Picture.put` is the only place where a Lease, and with it who holds, changes. `named` and
`granting` are indexes of what the slots say, kept in step there and in `start`/`finish`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core.messages import Free, Gone, Grant, HandOver, Make, ReadBack, Seen
from coordinator.core.names import lease_name

if TYPE_CHECKING:
    from coordinator.core.messages import Operation
    from coordinator.core.model import Holder, Lease

News = Seen | Gone
_CLEARING = (Free, HandOver)
_PREPARING = (Make, ReadBack)


def version_of(news: News) -> int:
    """The resourceVersion at which the watch event happened."""
    return news.lease.version if isinstance(news, Seen) else news.version


@dataclass(slots=True)
class Slot:
    """One ordinal of the node: the Lease as last known, and what is being done to it."""

    ordinal: int
    name: str
    lease: Lease | None = None
    learnt: float = -math.inf
    floor: int = 0
    """While there is no Lease: the version at or below which an event is old news."""
    op: Operation | None = None
    unknown: bool = False
    """Whether some attempt of the write under way may have taken effect."""
    heir: str | None = None
    """The claim that the write under way (or its read-back) gives the slot to."""
    pending: News | None = None
    """The newest watch event that came while something was under way."""
    stale: bool = False
    """Whether a list showed something else meanwhile: it is read again afterwards."""

    @property
    def version(self) -> int:
        """Events at or below this resourceVersion tell nothing new."""
        return self.lease.version if self.lease else self.floor

    @property
    def holder(self) -> Holder | None:
        """Whom the Lease names."""
        return self.lease.holder if self.lease is not None else None

    @property
    def token(self) -> int | None:
        """The fencing token of the grant that stands."""
        holder = self.holder
        return holder.token if holder is not None else None

    @property
    def taken(self) -> bool:
        """Whether it counts against the limit (P1)."""
        lease, told = self.lease, self.pending
        return (
            self.heir is not None
            or (lease is not None and lease.taken)
            or (isinstance(told, Seen) and told.lease.taken)
        )

    @property
    def told(self) -> list[Lease]:
        """Its Lease as last known, and as an event showed it while something was under way."""
        told = self.pending.lease if isinstance(self.pending, Seen) else None
        return [lease for lease in (self.lease, told) if lease is not None]

    @property
    def reserved(self) -> bool:
        """Whether its Lease is just being made, for the next claim in the queue."""
        return self.lease is None and isinstance(self.op, _PREPARING)

    @property
    def unused(self) -> bool:
        """Whether nothing would be forgotten with it: no Lease, no write, no old news to drop."""
        return self.lease is None and self.op is None and self.floor == 0

    def knows(self, lease: Lease | None) -> bool:
        """Whether this very state of the Lease is the one known."""
        if lease is None or self.lease is None:
            return lease is self.lease
        return (lease.uid, lease.version) == (self.lease.uid, self.lease.version)

    def defer(self, news: News) -> None:
        """Keep the newest event until the thing under way is settled."""
        if self.pending is None or version_of(news) > version_of(self.pending):
            self.pending = news


class Picture:
    """The slots of one node, by ordinal."""

    __slots__ = ("_by_op", "_last_op", "granting", "named", "node", "slots")

    def __init__(self, node: str) -> None:
        self.node = node
        self.slots: dict[int, Slot] = {}
        self.named: dict[str, tuple[int, ...]] = {}
        """Claim to the ordinals whose Lease names it; more than one only for a moment (P6)."""
        self.granting: dict[str, int] = {}
        """Claim to the ordinal that is being written to it."""
        self._by_op: dict[int, Slot] = {}
        self._last_op = 0

    def slot(self, ordinal: int) -> Slot:
        """The slot of that ordinal, known from now on."""
        slot = self.slots.get(ordinal)
        if slot is None:
            slot = self.slots[ordinal] = Slot(ordinal, lease_name(self.node, ordinal))
        return slot

    @property
    def in_order(self) -> list[Slot]:
        """The slots by ordinal."""
        return [slot for _, slot in sorted(self.slots.items())]

    @property
    def taken(self) -> int:
        """Slots that count against the limit: held, being granted, blocked, terminating."""
        return sum([slot.taken for slot in self.slots.values()])

    def slots_of(self, claim: str) -> list[Slot]:
        """The slots whose Lease names the claim, the oldest grant first."""
        named = [self.slots[ordinal] for ordinal in self.named.get(claim, ())]
        if len(named) > 1:
            named.sort(key=lambda slot: slot.token or 0)
        return named

    def slot_with(self, claim: str, token: int) -> Slot | None:
        """The slot whose Lease names the claim with that fencing token."""
        for ordinal in self.named.get(claim, ()):
            slot = self.slots[ordinal]
            lease = slot.lease
            if lease is not None and lease.holder is not None and lease.holder.token == token:
                return slot
        return None

    def shows(self, claim: str, token: int) -> bool:
        """Whether a Lease names the claim with that fencing token."""
        return self.slot_with(claim, token) is not None

    def stands(self, claim: str, token: int) -> bool:
        """Whether a Lease names the claim with that token, and is not just being cleared."""
        slot = self.slot_with(claim, token)
        return slot is not None and not isinstance(slot.op, _CLEARING)

    def busy(self, claim: str) -> bool:
        """Whether a Lease names the claim, or is being written to it."""
        return claim in self.named or claim in self.granting

    def put(self, slot: Slot, lease: Lease | None, floor: int, now: float) -> None:
        """Take `lease` (None: there is none, and news up to `floor` are old) as the truth."""
        before, after = slot.holder, lease.holder if lease else None
        slot.lease, slot.floor, slot.learnt = lease, 0 if lease else floor, now
        if lease is not None:
            slot.name = lease.name  # the same, kept once
        if before is not None:
            self._unname(before.claim, slot.ordinal)
        if after is not None:
            self.named[after.claim] = (*self.named.get(after.claim, ()), slot.ordinal)

    def _unname(self, claim: str, ordinal: int) -> None:
        left = tuple(one for one in self.named[claim] if one != ordinal)
        if left:
            self.named[claim] = left
        else:
            del self.named[claim]

    def forget_unused(self) -> None:
        """Let go of ordinals that were used once."""
        for ordinal in [slot.ordinal for slot in self.slots.values() if slot.unused]:
            del self.slots[ordinal]

    def next_op(self) -> int:
        """A number for the next operation."""
        self._last_op += 1
        return self._last_op

    def start(self, slot: Slot, op: Operation) -> None:
        """The operation is under way from now on; a slot does one thing at a time."""
        slot.op, slot.unknown = op, False
        self._by_op[op.op] = slot
        if isinstance(op, Grant | HandOver):
            slot.heir = op.claim
            self.granting[op.claim] = slot.ordinal

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way on any slot."""
        return bool(self._by_op)

    def under_way(self, op: int) -> Slot | None:
        """The slot on which operation `op` is under way."""
        return self._by_op.get(op)

    def finish(self, slot: Slot) -> Operation | None:
        """Nothing is under way any more; returns what was."""
        op, slot.op = slot.op, None
        if op is not None:
            del self._by_op[op.op]
        return op

    def take_heir(self, slot: Slot) -> str | None:
        """The claim that the settled write was for, if it was for one."""
        heir, slot.heir = slot.heir, None
        if heir is not None:
            del self.granting[heir]
        return heir
