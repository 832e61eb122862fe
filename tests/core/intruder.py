"""Somebody who comes to a `World` with the ids, and perhaps the tokens, of others' claims."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.owners import owner_of
from coordinator.core.refusals import OthersClaim

if TYPE_CHECKING:
    from coordinator.core.model import Lease
    from tests.core.sites import Site
    from tests.core.world import World

INTRUDER = "ns/intruder"


def intrude(world: World, n: int, claim: int, *, ending: bool) -> None:
    """Ask for the claim, or end it: refused where its owner is known, and nothing is changed.

    Where nobody knows the id, whoever asks first would be its owner; so it is only let go of.
    """
    name, terms = list(world.claims.items())[claim % len(world.claims)]
    site, token = world.site(n), world.agents[name].token
    ask = m.Ask(name, replace(terms, owner=INTRUDER), token=token, poll=-1)
    event = m.Leave(name, INTRUDER) if ending else ask
    if owner_of(site.table, name, world.now):
        before = site.state
        assert _is_refused(site, event, world.now), f"{event} was taken for the owner's"
        assert site.state == before, f"{event} was refused and changed something"
    elif ending and terms.owner and not site.knows(name, world.now):
        world.feed(site, event)


def _is_refused(site: Site, event: m.Event, now: float) -> bool:
    try:
        site.table.handle(event, now)
    except OthersClaim:
        return True
    return False


def ownerless(lease: Lease) -> Lease:
    """The Lease after somebody took its owner out of it."""
    if lease.holder is None:
        return lease
    holder = replace(lease.holder, terms=replace(lease.holder.terms, owner=""))
    return replace(lease, holder=holder)
