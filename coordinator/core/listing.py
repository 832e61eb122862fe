"""Every claim of a node in one order: those that hold by slot, then those that wait by position.

A claim's place in that order is a key that does not change while it waits, so that whoever lists
page by page sees each claim that stays exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.core.claims import Claim
    from coordinator.core.model import Terms
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable

HolderState = Literal["held", "draining", "releasing", "unresponsive"]
ClaimState = Literal["queued"] | HolderState
STATES: tuple[ClaimState, ...] = ("queued", "held", "draining", "releasing", "unresponsive")
"""`draining` holds a slot past the limit: it is not granted again once it is given back."""

Place = tuple[int, int, int, int, str]
"""Where a claim stands among those of its node."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim. What does not apply is None; times in seconds."""

    claim: str
    node: str
    state: ClaimState
    terms: Terms
    place: Place
    position: int | None = None
    present: bool | None = None
    waited: float | None = None
    slot: int | None = None
    lease: str | None = None
    token: int | None = None
    acquired: str = ""
    """When the slot was granted, as its Lease tells it."""
    silent: float | None = None
    """Since it was last heard of."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which claims are asked for; what is empty lets everything through."""

    nodes: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    pod: str = ""
    """NAME or NAMESPACE/NAME."""
    load: str = ""
    claim: str = ""

    def may_be_on(self, table: NodeTable) -> bool:
        """Whether a look at the node's claims may find one: cheap, for thousands of nodes."""
        return (
            not self.claim or self.claim in table.roll.claims or self.claim in table.picture.named
        )

    def takes(self, claim: str, terms: Terms) -> bool:
        """Whether the claim is one of them, whatever its state."""
        if self.claim not in ("", claim) or self.load not in ("", terms.load):
            return False
        pod = terms.pod
        return not self.pod or (pod is not None and self.pod in (pod.name, str(pod)))

    def takes_state(self, state: ClaimState) -> bool:
        """Whether claims in that state are asked for."""
        return not self.states or state in self.states


def rows(table: NodeTable, wanted: Wanted, now: float) -> Iterator[ClaimRow]:
    """The node's claims that are wanted, in their order."""
    if not wanted.may_be_on(table):
        return
    if not wanted.states or wanted.states - {"queued"}:
        yield from _holding(table, wanted, now)
    if wanted.takes_state("queued"):
        yield from _waiting(table, wanted, now)


def _holding(table: NodeTable, wanted: Wanted, now: float) -> Iterator[ClaimRow]:
    for slot in table.picture.in_order:
        holder = slot.holder
        if holder is None or not wanted.takes(holder.claim, holder.terms):
            continue
        claim = table.roll.claims.get(holder.claim)
        state = holder_state(table, slot, claim)
        if wanted.takes_state(state):
            yield ClaimRow(
                holder.claim,
                table.node,
                state,
                claim.terms if claim else holder.terms,
                (0, slot.ordinal, 0, 0, holder.claim),
                slot=slot.ordinal,
                lease=slot.name,
                token=holder.token,
                acquired=holder.acquired,
                silent=now - claim.renewed if claim else None,
            )


def holder_state(table: NodeTable, slot: Slot, claim: Claim | None) -> HolderState:
    """The state of the claim that a slot's Lease names; `claim` is its record, if there is one."""
    if claim is None or claim.leaving:
        return "releasing"
    if claim.unresponsive:
        return "unresponsive"
    return "held" if slot.ordinal < table.limit else "draining"


def count_held(table: NodeTable) -> int:
    """Slots of the node with a holder."""
    return sum(map(len, table.picture.named.values()))


def count_draining(table: NodeTable) -> int:
    """Slots with a holder past the limit."""
    slots, limit = table.picture.slots, table.limit
    return sum([slots[ordinal].holder is not None for ordinal in slots if ordinal >= limit])


def unresponsive(table: NodeTable) -> list[Claim]:
    """Claims of the node that are silent past their TTL and cannot be shown to have ended."""
    claims = table.roll.claims.values()
    return [claim for claim in claims if claim.unresponsive and not claim.leaving]


def _waiting(table: NodeTable, wanted: Wanted, now: float) -> Iterator[ClaimRow]:
    """Whose slot is just being written comes first: it is in no Lease and in no queue."""
    for name in table.picture.granting:
        claim = table.roll.claims[name]
        if not claim.leaving and wanted.takes(name, claim.terms):
            yield _queued(table, claim, 1, 1, now)
    for position, claim in enumerate(table.roll.queue, start=1):
        if wanted.takes(claim.id, claim.terms):
            yield _queued(table, claim, 2, position, now)


def _queued(table: NodeTable, claim: Claim, kind: int, position: int, now: float) -> ClaimRow:
    return ClaimRow(
        claim.id,
        table.node,
        "queued",
        claim.terms,
        (kind, *claim.key),
        position=position,
        present=claim.present(now, table.policy.presence),
        waited=now - claim.since,
    )
