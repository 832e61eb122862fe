"""Reads from a node's table what an estimate of a wait rests on, and whether there can be one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from coordinator.core import headroom
from coordinator.core.estimate import FEWEST, Busy, Line, Unforeseen, estimate, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.core.cap import CapUse
    from coordinator.core.claims import Claim
    from coordinator.core.estimate import Estimate
    from coordinator.core.picture import Slot
    from coordinator.core.reasons import Code
    from coordinator.core.slots import NodeTable
    from coordinator.core.surroundings import Surroundings

    Age = Callable[[str], float | None]

_HINDERED: dict[Code, str] = {
    "not-present": "nothing is granted to it while nobody asks for it",
    "starting": "the coordinator first gathers who was waiting",
    "on-hold": "nobody can foresee for how long the node is on hold",
    "no-slots": "the node has no slots",
    "write-refused": "nobody can foresee when the API server takes writes again",
    "node-cap": "it depends on what other pools have of the node",
    "granting": "its grant is under way",
    "preparing": "its grant is under way",
    "free": "a slot is free",
}
"""By the code of what stands in the way: why no duration tells when that is over."""


@dataclass(frozen=True, slots=True)
class Typical:
    """For how long loads lately held a slot: the median, and the 10th and 90th percentile."""

    seconds: float
    low: float
    high: float
    samples: int


def typical(durations: Sequence[float]) -> Typical | None:
    """What is usual on the node, in seconds; None with too few durations to go by."""
    if len(durations) < FEWEST:
        return None
    curve = spread(durations)
    low, middle, high = (curve[int(part * len(curve))] for part in (0.1, 0.5, 0.9))
    return Typical(middle, low, high, len(durations))


def forecast(
    table: NodeTable, claim: Claim | None, code: Code, now: float, around: Surroundings
) -> Estimate | Unforeseen:
    """The wait of the claim; of None: of the first who waits, or of whoever comes next.

    `code` is what stands in the way now.
    """
    if code in _HINDERED:
        return Unforeseen(_HINDERED[code])
    if _may_bind(table, around.cap):
        return Unforeseen(_HINDERED["node-cap"])
    return estimate(line_of(table, claim, now, around.age), around.durations, table.node)


def line_of(table: NodeTable, claim: Claim | None, now: float, age: Age) -> Line:
    """The node's slots and those of its queue who can be granted something, for this claim."""
    waiting = [one for one in table.roll.queue if one.present(now, table.policy.presence)]
    limit = table.limit
    return Line(
        limit,
        limit - headroom.kept(table.policy.headroom, limit),
        tuple(_busy(table, slot, age) for slot in table.picture.in_order if slot.taken),
        tuple(headroom.is_urgent(table, one.terms) for one in waiting) or (False,),
        waiting.index(claim) if claim is not None else 0,
    )


def _busy(table: NodeTable, slot: Slot, age: Age) -> Busy:
    if slot.heir is not None:
        return Busy(0.0, headroom.is_urgent(table, table.roll.claims[slot.heir].terms))
    holder = next((lease.holder for lease in slot.told if lease.holder), None)
    if holder is None or any(lease.foreign for lease in slot.told):
        return Busy(inf)
    claim, urgent = table.roll.claims.get(holder.claim), headroom.is_urgent(table, holder.terms)
    if claim is None or claim.leaving:
        return Busy(0.0, urgent, parting=True)
    return Busy(inf if claim.unresponsive else age(holder.acquired) or 0.0, urgent)


def _may_bind(table: NodeTable, cap: CapUse | None) -> bool:
    """Whether a cap may stand in the way as long as other pools keep what they have."""
    if cap is None:
        return False
    total = sum(taken for _, taken in cap.taken)
    return cap.cap < table.limit + total - table.picture.taken
