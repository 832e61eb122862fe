"""When time alone may change something on a node, and what it then changes.

A table whose `due` lies ahead needs no `Tick`: of five thousand nodes whose agents all renew hardly
one is looked at in a second. Only the earliest moment counts, and a renewal moves it later; so
nothing is reckoned anew while all goes well, and a look that comes too early does no harm.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coordinator.core.holders import judge
from coordinator.core.model import MIN_TTL

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.messages import Tick
    from coordinator.core.slots import NodeTable


def tick(table: NodeTable, _e: Tick, now: float) -> bool:
    """Time has passed: judge who is silent, forget who is not heard of, and what is over."""
    for claim in tuple(table.roll.claims.values()):
        if claim.id in table.picture.named:
            judge(table, claim, now)
        elif claim.abandoned(now, table.policy.presence) and not table.picture.busy(claim.id):
            table.roll.drop(claim)
    table.roll.forget_old(now)
    return True


def after_tick(table: NodeTable, now: float) -> float:
    """From when the next `Tick` may change something."""
    claims = [_of(table, claim, now) for claim in table.roll.claims.values()]
    return min([_of_grants(table, now), table.roll.forgets_at, *claims])


def after_event(table: NodeTable, now: float) -> float:
    """The same after anything else, without a look at each claim.

    What has just begun, a grant or a wait, ends by itself no sooner than the shortest TTL; what
    began before was reckoned with.
    """
    begun = now + min(MIN_TTL, table.policy.long_wait or MIN_TTL)
    return min(table.due, begun, table.roll.forgets_at, _of_grants(table, now))


def _of(table: NodeTable, claim: Claim, now: float) -> float:
    if claim.id in table.picture.named:
        return math.inf if claim.leaving else claim.renewed + claim.terms.ttl
    heard = now if claim.polls else claim.seen
    given_up = heard + max(table.policy.presence, claim.terms.ttl)
    return min(given_up, _late(table, claim, now))


def _late(table: NodeTable, claim: Claim, now: float) -> float:
    """When its wait will have been long (`waits`)."""
    long = table.policy.long_wait
    is_late = not long or claim.terms.pod is None or now >= claim.since + long
    return math.inf if is_late else claim.since + long


def _of_grants(table: NodeTable, now: float) -> float:
    """When something that is put off may be done: after a pause, or the settling time.

    A queue beside a free slot, or under a cap, depends on who is still there and on other pools.
    """
    if now < table.paused_until:
        return table.paused_until
    if not len(table.roll.queue) or table.on_hold or not table.limit_known:
        return math.inf
    if now < table.grants_from:
        return table.grants_from
    if table.share is not None:
        return now
    made = sum(slot.reserved for slot in table.picture.slots.values())
    return now if table.picture.taken + made < table.limit else math.inf
