"""How many slots of one node all pools together may have (`--node-cap`), and whose turn it is.

The bound is the one of P1, over all pools: when a grant is sent, what is held or being granted is
at most the cap. It bounds how many, not which ordinals; a cap that is lower than what is held
evicts nobody.

The order between pools is the one within a pool: effective priority, then arrival. A pool takes
part with the claims that it could give a slot now, so that one which cannot go on (its own limit,
a hold, a pause after a failure, a write that does not end, slots that are kept for urgent claims)
keeps no place from the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from coordinator.core.grants import eligible, usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core.claims import Claim
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable

Rank = tuple[int, int, bool, int, str, str]
"""A claim's place among those of all pools; the smallest is first."""


class Share(Protocol):
    """What one table asks about the cap; its answers change whenever another pool's table does."""

    def blind(self) -> str:
        """Why it is not known yet what all pools have; "" once it is. Until then nobody grants."""

    def fits(self) -> bool:
        """Whether no more is taken than may be."""

    def turns(self, parting: Slot | None = None) -> int:
        """How many of this table's next claims come before everybody else's.

        They get the places that are left, and that of the slot `parting`, which this table is about
        to let go of.
        """

    def why(self) -> str:
        """What about the cap this table's claims wait for; "" for nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one pool has of the node, and who of its queue could go on at once, in order."""

    pool: str
    taken: int
    waiting: tuple[Rank, ...] = ()


@dataclass(frozen=True, slots=True)
class CapUse:
    """The cap and what each pool has of it, for status."""

    cap: int
    taken: tuple[tuple[str, int], ...]


def left(cap: int, parts: Sequence[Part]) -> int:
    """The places that nobody has; below 0 where the cap is lower than what is held."""
    return cap - sum(part.taken for part in parts)


def turns(parts: Sequence[Part], pool: str, places: int) -> int:
    """How many of so many places go to that pool.

    One after the other goes to the pool whose next claim comes first; within a pool the order is
    its own.
    """
    queues = {part.pool: list(reversed(part.waiting)) for part in parts if part.waiting}
    won = 0
    for _ in range(places):
        if not queues:
            break
        first = min(queues, key=lambda name: queues[name][-1])
        won += first == pool
        queues[first].pop()
        if not queues[first]:
            del queues[first]
    return won


def why(cap: int, node: str, parts: Sequence[Part], pool: str) -> str:
    """What stands in the way of that pool's next claim, as far as it is the cap; "" if nothing."""
    places = left(cap, parts)
    if places <= 0:
        taken = ", ".join(f"{part.pool} {part.taken}" for part in parts if part.taken)
        more = ", more than it allows" if places < 0 else ""
        return f"node cap {cap} of {node} is used up{more}: {taken}"
    if turns(parts, pool, places):
        return ""
    ahead = ", ".join(part.pool for part in parts if turns(parts, part.pool, places))
    return f"node cap {cap} of {node}: claims of {ahead} come first" if ahead else ""


def part_of(
    pool: str, table: NodeTable, now: float, most: int, began: float, parting: Slot | None = None
) -> Part:
    """The pool's part as its table shows it, with `most` waiting claims at most.

    The leader began to lead at `began`; the table is about to let go of the slot `parting`.
    """
    able = table.limit_known and table.may_grant(now)
    room = min(most, _room(table, most) + (parting is not None)) if able else 0
    first = islice(eligible(table, now, parting), max(room, 0))
    return Part(pool, table.picture.taken, tuple(_rank(table, one, began, pool) for one in first))


def _room(table: NodeTable, most: int) -> int:
    """How many grants could begin or are being prepared, but for writes that may never end."""
    slots = table.picture.slots
    going = (o for o in usable(table) if not ((slot := slots.get(o)) and slot.unknown))
    free = sum(1 for _ in islice(going, most))
    return min(free, table.limit - table.picture.taken)


def _rank(table: NodeTable, claim: Claim, began: float, pool: str) -> Rank:
    """Where the pools' keys tell the arrival since their own takeover, this tells the time.

    Milliseconds. Claims of an earlier leader came before this one began, in the order in which
    they came to that one.
    """
    (term, since), priority, policy = claim.ticket, claim.terms.priority, table.policy
    own = term == table.roll.term
    arrived = round(table.roll.takeover * 1000) + since if own else round(began * 1000)
    aging = round(policy.aging * 1000)
    first = arrived - priority * aging if aging else -priority
    return first, arrived, own, since, pool, claim.id
