"""What stands in the way of a grant, as a stable code and as a phrase. One place knows it.

In the order in which it stops a grant: what holds for the whole node comes first, then what holds
for this claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from coordinator.core import headroom

if TYPE_CHECKING:
    from coordinator.core.slots import NodeTable

Code = Literal[
    "granted",
    "granting",
    "on-hold",
    "starting",
    "no-slots",
    "write-refused",
    "over-limit",
    "slots-held",
    "headroom",
    "node-cap",
    "preparing",
    "not-present",
    "settling",
    "lost",
    "released",
    "unknown",
    "free",
]
"""What is true of a claim, or of a node (`free`: whoever comes next gets a slot at once).

The codes are stable; the phrases are for people and may change.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a claim waits."""

    code: Code
    text: str
    """What those who wait are told; it names the node."""


def why_waiting(table: NodeTable, claim: str, now: float) -> Reason:
    """What stands in the way of a claim that waits, or whose slot is being written."""
    if claim in table.picture.granting:
        return Reason("granting", "its slot is being written")
    if found := _of_all(table, now):
        return found
    if text := headroom.why(table, table.roll.claims[claim]):
        return Reason("headroom", text)
    return _last(table)


def shared_reason(table: NodeTable, now: float) -> Reason | None:
    """What stands in the way of all that wait and whose slot is not being written; None where one
    waits for another reason than the next.
    """
    if found := _of_all(table, now):
        return found
    return None if table.policy.headroom else _last(table)


def node_reason(table: NodeTable, now: float) -> Reason:
    """What stands in the way of the node's next claim, unless that is an urgent one."""
    if found := _of_all(table, now):
        return found
    if text := headroom.kept_text(table):
        return Reason("headroom", text)
    free, limit = table.limit - table.picture.taken, table.limit
    return _cap(table) or Reason("free", f"{free} of {limit} slots of {table.node} are free")


def taken_text(taken: int, limit: int, of: str = "") -> str:
    """That the slots are held, as many as may be or more; `of` says of what."""
    if taken > limit:
        return f"{taken} slots{of} are held, more than {'its' if of else 'the'} limit of {limit}"
    return f"{taken} of {limit} slots{of} are held"


def _of_all(table: NodeTable, now: float) -> Reason | None:
    """What stands in the way of every claim of the node; None while a slot is free."""
    return _closed(table, now) or _full(table)


def _last(table: NodeTable) -> Reason:
    return _cap(table) or Reason("preparing", f"a slot of {table.node} is being prepared")


def _cap(table: NodeTable) -> Reason | None:
    text = table.share.why() if table.share is not None else ""
    return Reason("node-cap", text) if text else None


def _closed(table: NodeTable, now: float) -> Reason | None:
    node = table.node
    if table.on_hold:
        return Reason("on-hold", f"{node} is on hold: {table.on_hold}")
    if now < table.grants_from:
        text = "the coordinator has just started and gathers who was waiting"
        return Reason("starting", text)
    if not table.limit_known:
        return Reason("starting", f"the limit of {node} is not known yet")
    if table.limit == 0:
        text = f"{node} has no slots: {table.limit_reason or 'its limit is 0'}"
        return Reason("no-slots", text)
    if now < table.paused_until:
        text = f"the API server did not take the last write: {table.paused_why}"
        return Reason("write-refused", text)
    return None


def _full(table: NodeTable) -> Reason | None:
    taken, limit = table.picture.taken, table.limit
    if taken < limit:
        return None
    text = taken_text(taken, limit, f" of {table.node}")
    return Reason("over-limit" if taken > limit else "slots-held", text)
