"""Slots of a node that only urgent claims may have (`--restore-headroom`): restores, for Velero.

Of a node with the limit L and H = min(headroom, L - 1), claims of a priority below
`Policy.urgent_from` hold at most L - H slots; urgent ones may use all. Like the limit itself (P1)
this counts when a grant is sent: what is held, what is being written, and what may have been. Who
holds a Lease that is not ours to read counts as not urgent. A lower limit and a larger headroom
evict nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coordinator.core.claims import Claim
    from coordinator.core.messages import Grant, HandOver
    from coordinator.core.model import Lease, Terms
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable


def kept(headroom: int, limit: int) -> int:
    """How many slots of a node with that limit are for urgent claims alone; one is left always."""
    return max(0, min(headroom, limit - 1))


def left(table: NodeTable, parting: Slot | None = None) -> int:
    """How many more slots claims that are not urgent may have; below 0 where they have too many.

    The slot `parting` is about to change hands: who has it does not count.
    """
    ordinary = sum(_is_ordinary(table, slot) for slot in table.picture.slots.values())
    spare = parting is not None and _is_ordinary(table, parting)
    return table.limit - kept(table.policy.headroom, table.limit) - ordinary + spare


def admitted(
    table: NodeTable, claims: Iterable[Claim], parting: Slot | None = None
) -> Iterator[Claim]:
    """Those of the claims that the headroom lets go on if they go one after the other.

    The rest wait where they are. There is always a slot for somebody: without headroom, all.
    """
    if not table.policy.headroom:
        yield from claims
        return
    places = left(table, parting)
    for claim in claims:
        if places <= 0 and not table.roll.queue.urgent:
            return  # a thousand that are held back cost no more than one
        urgent = is_urgent(table, claim.terms)
        if urgent or places > 0:
            yield claim
        places -= not urgent


def fits(table: NodeTable, grant: Grant | HandOver) -> bool:
    """Whether a grant that is under way keeps the headroom, when it is about to be sent."""
    free = not table.policy.headroom or is_urgent(table, grant.terms)
    return free or left(table) >= 0


def why(table: NodeTable, claim: Claim) -> str:
    """That the slots which are free are kept for others; "" where they are not, or none is."""
    return "" if is_urgent(table, claim.terms) else kept_text(table)


def kept_text(table: NodeTable) -> str:
    """The same for whoever is not urgent."""
    if not table.policy.headroom or left(table) > 0:
        return ""
    taken, limit = table.picture.taken, table.limit
    free = limit - taken
    are = "is" if free == 1 else "are"
    held = f"{taken} of {limit} slots of {table.node} are held"
    return f"{held}, and {free} {are} kept for restores"


def is_urgent(table: NodeTable, terms: Terms) -> bool:
    """Whether these terms give a right to what is kept."""
    return terms.priority >= table.policy.urgent_from


def _is_ordinary(table: NodeTable, slot: Slot) -> bool:
    """Whether the slot is taken, and not by urgent claims alone as far as is known.

    A write under way may or may not have taken effect: both who had the slot and who is to have it
    count, and so does whoever an event showed meanwhile.
    """
    if slot.heir is not None and not is_urgent(table, table.roll.claims[slot.heir].terms):
        return True
    return any(lease.taken and not _is_urgently_held(table, lease) for lease in slot.told)


def _is_urgently_held(table: NodeTable, lease: Lease) -> bool:
    return bool(lease.holder and not lease.foreign and is_urgent(table, lease.holder.terms))
