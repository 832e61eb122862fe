"""What must hold of the slots that are kept for urgent claims, judged like `promises`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.model import Lease
    from tests.core.sites import Site
    from tests.core.world import World

URGENT = 5
"""The priority from which on a claim of a `World` is urgent."""


def within_headroom(world: World, site: Site, command: m.Grant | m.HandOver) -> None:
    """Claims that are not urgent have at most the rest, by what this table was told and does."""
    if command.terms.priority < URGENT:
        slots = site.table.picture.slots.values()
        told = {slot.ordinal for slot in slots if slot.lease and ordinary(slot.lease)}
        count = len(told | _under_way(world, site) | {command.ordinal})
        assert count <= most(world, site), f"headroom: {count} of {most(world, site)}"
    if len(world.sites) == 1 and not world.orphans and site.cursor == len(world.server.history):
        _truly(world, site, command)


def _truly(world: World, site: Site, command: m.Grant | m.HandOver) -> None:
    """The same by what the server knows to be true."""
    if command.terms.priority < URGENT:
        truly = {o for o, lease in world.server.leases.items() if ordinary(lease)}
        count = len(truly | _under_way(world, site) | {command.ordinal})
        assert count <= most(world, site), "headroom by the server's truth"


def most(world: World, site: Site) -> int:
    """How many slots all claims that are not urgent may have together."""
    return world.limit - min(site.table.policy.headroom, max(world.limit - 1, 0))


def ordinary(lease: Lease) -> bool:
    """Whether somebody has the slot who is not known to be urgent."""
    if lease.holder is None or lease.foreign:
        return lease.terminating or bool(lease.foreign)
    return lease.holder.terms.priority < URGENT


def _under_way(world: World, site: Site) -> set[int]:
    going = [a.op for a in site.wire if a.awaited or world.server.could_apply(a.op)]
    grants = [op for op in going if isinstance(op, m.Grant | m.HandOver)]
    return {op.ordinal for op in grants if op.terms.priority < URGENT}


def is_urgent(claim: Claim) -> bool:
    return claim.terms.priority >= URGENT


def may_pass(site: Site, one: Claim, other: Claim) -> bool:
    """Whether an urgent claim may go before one that came first: that one is held back."""
    held_back = is_urgent(one) and not is_urgent(other)
    return held_back and site.table.policy.headroom > 0
