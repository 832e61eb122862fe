"""After the faults: everybody who asks is served, everybody who leaves is gone, nothing is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.survey import view_of
from coordinator.core.views import Granted
from tests.core.kept import URGENT, most, ordinary
from tests.core.world import CLAIMS, NAMES, OPERATOR

if TYPE_CHECKING:
    from tests.core.sites import Site
    from tests.core.world import World

ROUNDS = 12


def heal(world: World) -> None:
    """End all faults, then let the world run to its end, which is an empty one."""
    site = end_faults(world)
    world.set_limit(3)
    for _ in range(ROUNDS):
        everybody_asks(world)
        pump(world, site)
    served(world, site)
    world.set_limit(len(NAMES))
    for _ in range(ROUNDS):
        everybody_asks(world)
        pump(world, site)
    served(world, site)
    empty(world, site)


def end_faults(world: World) -> Site:
    while len(world.sites) > 1 or world.orphans or any(not a.awaited for a in world.sites[0].wire):
        if len(world.sites) > 1:
            world.zombie_until = 0.0
            world.tick(0)
        world.arrive_late(0)
    for ordinal, lease in list(world.server.leases.items()):
        if lease.foreign or lease.terminating:
            world.server.commit(ordinal, None, OPERATOR)
    site = world.sites[0]
    world.set_hold(0, "")
    return site


def pump(world: World, site: Site) -> None:
    """A second in which every write, event, list and look at a Pod gets through."""
    world.tick(1)
    for _ in range(50):
        while site.listing is not None or site.wants_list:
            world.advance_list(0)
        world.watch(0, 1000)
        while site.examines:
            world.evidence(0, 1)  # gone, or nothing of note
        busy = [attempt for attempt in site.wire if attempt.awaited]
        if not busy:
            break
        world.deliver(0, 0, 0)
    else:
        raise AssertionError("writes without end")


def everybody_asks(world: World) -> None:
    for claim in range(len(NAMES)):
        world.ask(0, claim)


def served(world: World, site: Site) -> None:
    """As many hold as may, and the table, the server and the agents agree."""
    held = [lease for lease in world.server.leases.values() if lease.holder]
    views = [view_of(site.table, name, world.now) for name in NAMES]
    granted = [view for view in views if isinstance(view, Granted)]
    claims = site.table.roll.claims
    live = [CLAIMS[name].priority >= URGENT for name in NAMES if name in claims]
    late = sum(map(ordinary, held))  # a late write of another leader may have added one
    rest = max(late, min(live.count(False), most(world, site)))
    may = min(world.limit, sum(live) + rest)
    kept = sum(claim.forfeited for claim in claims.values())  # until its token is shown, or its TTL
    assert len(granted) + kept == may == len(held), f"{views} {held}"


def empty(world: World, site: Site) -> None:
    for claim in range(len(NAMES)):
        world.leave(0, claim)
    for _ in range(ROUNDS):
        pump(world, site)
    assert not any(lease.holder for lease in world.server.leases.values())
    world.set_limit(0)
    pump(world, site)
    assert not world.server.leases, f"left behind: {world.server.leases}"
    world.tick(6)
    assert site.table.empty
    world.advance_list(0)
    world.advance_list(0)
    world.advance_list(0)
    assert not site.table.picture.slots
