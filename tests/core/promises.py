"""What must hold after every step of a `World`: the promises P1 to P9, and the table's own order.

Each check is written from the world's records (what was asked, sent and committed), not from the
table's, wherever the two could differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.model import Cause, Verdict
from coordinator.core.survey import view_of
from coordinator.core.views import Granted, Released
from tests.core.explained import explained
from tests.core.kept import is_urgent, may_pass, within_headroom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core.claims import Claim
    from coordinator.core.slots import NodeTable
    from tests.core.sites import Site
    from tests.core.world import World


AGING = 40.0
"""Seconds for one step of priority in a `World`."""


def judge(world: World, site: Site, event: m.Event, commands: Sequence[m.Command]) -> None:
    """Check one step of one table, and the server's whole history."""
    for command in commands:
        if isinstance(command, m.Make | m.Grant | m.HandOver | m.Free | m.Remove | m.Refresh):
            same_bytes(site, command, event)
            untouched(command)
        if isinstance(command, m.Grant | m.HandOver) and not repeats(command, event):
            within_limit(world, site, command)
            within_headroom(world, site, command)
            present(world, site, command)
        if isinstance(command, m.Free | m.HandOver) and not repeats(command, event):
            let_go(world, site, command)
        if isinstance(command, m.Reclaimed):
            dead(world, site, command, event)
        if isinstance(command, m.Examine):
            looked_at_once(site, command)
    in_order(world, site, [c for c in commands if not repeats(c, event)])
    in_step(site.table)
    tokens_grow(world)
    for claim in set(site.table.roll.claims) | set(site.table.roll.ended):
        judge_view(world, site, claim)
    met = world.last_poll + len(world.server.history)
    if met % 8 == 5:  # now and then: it costs more than all else
        explained(site.table, world.now, foreseen=met % 80 == 45 and int(world.now) % 8 == 3)


def repeats(command: m.Command, event: m.Event) -> bool:
    """Whether this is the write of which the event told that its outcome is not known."""
    return getattr(event, "op", None) == getattr(command, "op", 0)


def same_bytes(site: Site, command: m.Write, event: m.Event) -> None:
    """P2: what is repeated is the same write; what is new has a new number."""
    first = site.first_sent.setdefault(command.op, command)
    assert first is command, f"P2: {command} repeats {first}"


def untouched(command: m.Write) -> None:
    if not isinstance(command, m.Make):
        assert not command.base.foreign, f"a foreign Lease is touched: {command}"
        granting = isinstance(command, m.Grant | m.HandOver | m.Remove)
        assert not (granting and command.base.terminating), f"a terminating Lease: {command}"


def within_limit(world: World, site: Site, command: m.Grant | m.HandOver) -> None:
    """P1, by what this table was told and by what it has under way."""
    slots = site.table.picture.slots.values()
    told = {slot.ordinal for slot in slots if slot.lease and slot.lease.taken}
    grants = [a for a in site.wire if isinstance(a.op, m.Grant | m.HandOver)]
    sent = {a.op.ordinal for a in grants if a.awaited or world.server.could_apply(a.op)}
    count = len(told | sent | {command.ordinal})
    assert command.ordinal < world.limit, f"P1: ordinal {command.ordinal} of {world.limit}"
    assert count <= world.limit, f"P1: {count} of {world.limit}"
    if len(world.sites) == 1 and not world.orphans and site.cursor == len(world.server.history):
        truly = {o for o, lease in world.server.leases.items() if lease.taken}
        late = {a.op.ordinal for a in site.wire if world.server.could_apply(a.op)}
        assert len(truly | late | {command.ordinal}) <= world.limit, "P1 by the server's truth"


def present(world: World, site: Site, command: m.Grant | m.HandOver) -> None:
    """P8: its client asks now, or has until a moment ago; and it did not leave."""
    name = command.claim
    asks = bool(site.polls.get(name))
    assert asks or world.now - site.heard[name] <= 15.0, f"P8: {name} was not heard of"
    assert name not in site.left or site.table.roll.claims[name].leaving == "", "P8: it left"
    assert name not in site.presented, f"P6: a new grant for {name}, which shows a token"
    pod, since = site.barred.get(name, (None, 0.0))
    barred = pod is not None and pod == command.terms.pod and world.now < since + 600.0
    assert not barred, f"{name} is granted again, though its Pod has finished"


def let_go(world: World, site: Site, command: m.Free | m.HandOver) -> None:
    """P3, P4, P10: nobody loses a slot but by release, expiry, evidence, or as a stray (P6)."""
    holder = command.base.holder
    assert holder is not None
    name, record = holder.claim, site.table.roll.claims.get(holder.claim)
    if record is None or name in site.left or site.finished.get(name) is record:
        return
    stray = site.table.picture.shows(name, record.chosen or -1) and record.chosen != holder.token
    renewed = max(site.asked.get(name, 0.0), site.born)
    if record.forfeited:  # who asks without the token is told "lost", and renews nothing
        renewed = record.renewed
    expired = world.now - renewed >= record.terms.ttl
    assert stray or expired or record.leaving == "lost", f"P4: {name} loses its slot"


def dead(world: World, site: Site, told: m.Reclaimed, event: m.Event) -> None:
    """P4: a holder is dead by what the table in section 7 of the design lists, and by no more."""
    name, record = told.claim, site.table.roll.claims[told.claim]
    renewed = max(site.asked.get(name, 0.0), site.born)
    if record.forfeited:
        renewed = record.renewed
    silence, pod = world.now - renewed - record.terms.ttl, record.terms.pod
    if not isinstance(event, m.Evidence):
        assert silence >= (100 if pod else 0), f"P4: {told} after {event}"
        return
    assert event.pod == pod, f"P4: {told} by a Pod that is not its own: {event}"
    fresh = site.found.get(name) != (record, pod) and not record.pod_found
    reasons = {
        Cause.FINISHED: event.verdict is Verdict.FINISHED,
        Cause.EXPIRED: silence >= 0 and fresh,
        Cause.POD_GONE: silence >= 0 and event.verdict is Verdict.ABSENT,
        Cause.UNCONFIRMED: silence >= 0 and event.verdict is Verdict.RUNNING,
        Cause.DESERTED: silence >= 0 and name in site.deserted,
    }
    assert reasons.get(told.cause), f"P4: {told} after {event}"


def looked_at_once(site: Site, command: m.Examine) -> None:
    """One look at a time for each record of a claim, and one a second."""
    record = site.table.roll.claims[command.claim]
    before = site.looks.get(command.claim)
    if before is not None and before[0] is record:
        assert command.at >= before[1].at + 1.0, f"too soon: {command} after {before[1]}"
        assert not any(other is before[1] for other in site.examines), f"two at once: {command}"
    site.looks[command.claim] = record, command


def in_order(world: World, site: Site, commands: Sequence[m.Command]) -> None:
    """P9: nobody who is there and comes first is passed over."""
    given = [c.claim for c in commands if isinstance(c, m.Grant | m.HandOver)]
    waiting = [c for c in site.table.roll.queue if c.present(world.now, 15.0)]
    for name in given:
        claim = site.table.roll.claims[name]
        passed = [
            other.id
            for other in waiting
            if not (comes_first(claim, other, site) or may_pass(site, claim, other))
        ]
        assert not passed, f"P9: {name} passed {passed}"


def comes_first(one: Claim, other: Claim, site: Site) -> bool:
    """One step of priority outweighs an arrival that is less than `aging` earlier."""
    ahead = (one.terms.priority - other.terms.priority) * AGING
    lead = (arrived(other, site) - arrived(one, site)) / 1000 + ahead
    return lead > 0 or (lead == 0 and (one.ticket, one.id) < (other.ticket, other.id))


def arrived(claim: Claim, site: Site) -> int:
    term, milliseconds = claim.ticket
    return milliseconds if term == site.number else 0


def in_step(table: NodeTable) -> None:
    """The indexes say what the slots say, and every claim is in exactly one place."""
    picture, roll = table.picture, table.roll
    named: dict[str, set[int]] = {}
    for slot in picture.slots.values():
        if slot.holder:
            named.setdefault(slot.holder.claim, set()).add(slot.ordinal)
        idle = slot.op is None
        assert not idle or (slot.heir, slot.pending, slot.stale) == (None, None, False)
    assert {claim: set(ordinals) for claim, ordinals in picture.named.items()} == named
    assert picture.granting == {s.heir: s.ordinal for s in picture.slots.values() if s.heir}
    assert picture._by_op == {s.op.op: s for s in picture.slots.values() if s.op}
    for claim in roll.claims.values():
        places = (claim.id in roll.queue, picture.busy(claim.id))
        assert sum(places) == 1 or (claim.doubt and not any(places)), f"{claim} is in {places}"
    assert len(roll.queue) == sum(claim in roll.queue for claim in roll.claims)
    assert roll.queue.urgent == sum(is_urgent(claim) for claim in roll.queue)
    assert not roll.claims.keys() & roll.ended.keys()


def tokens_grow(world: World) -> None:
    """P5, P3: in the server's history each grant of a slot has a greater token than the last."""
    last: dict[int, int] = {}
    for entry in world.server.history:
        after = entry.after.holder if entry.after else None
        before = entry.before.holder if entry.before else None
        if after is None or (before and before.token == after.token):
            continue
        assert after.token > last.get(entry.ordinal, 0), f"P5: slot {entry.ordinal}: {after}"
        last[entry.ordinal] = after.token


def judge_view(world: World, site: Site, claim: str) -> None:
    view = view_of(site.table, claim, world.now, site.presented.get(claim))
    if isinstance(view, Granted):
        stands(world, site, view)
        shown = site.presented.get(claim)
        assert shown in {None, view.token}, f"P6: {claim} shows {shown} and is told {view}"
    if isinstance(view, Released):
        nobody_named(world, site, claim)


def stands(world: World, site: Site, view: Granted) -> None:
    """P2: what is told as granted was committed, and this table itself takes nothing back."""
    for attempt in site.wire:
        if attempt.awaited and isinstance(attempt.op, m.Free | m.HandOver):
            base = attempt.op.base.holder
            taking = base and (base.claim, base.token) == (view.claim, view.token)
            assert not taking, f"P2: {view} while {attempt.op}"
    lease = world.server.leases.get(view.slot)
    holder = lease.holder if lease else None
    if holder and (holder.claim, holder.token) == (view.claim, view.token):
        return
    for entry in reversed(world.server.history):
        before = entry.before.holder if entry.before else None
        if entry.ordinal == view.slot and before and before.token == view.token:
            assert before.claim == view.claim, f"P2: {view}"
            assert entry.actor != site.number, f"P2: {view} was taken back by {entry}"
            return
    raise AssertionError(f"P2: {view} was never committed")


def nobody_named(world: World, site: Site, claim: str) -> None:
    """P7: no Lease names it by this table's doing, now or through a write still on its way."""
    for lease in world.server.names(claim):
        held = lease.holder
        for entry in world.server.history:
            before = entry.before.holder if entry.before else None
            new = entry.after is not None and entry.after.holder == held and before != held
            if new and entry.after is not None and entry.after.name == lease.name:
                giver = entry.actor
        assert giver != site.number, f"P7: {claim} is told released, {lease} names it"
    late = [a.op for a in site.wire if getattr(a.op, "claim", None) == claim]
    assert not any(world.server.could_apply(op) for op in late), f"P7: {claim} may come back"


def answered(site: Site, claim: str, view: Granted) -> None:
    """P6: one record of a claim is answered with one token, unless its agent showed another."""
    record = site.table.roll.claims[claim]
    before = site.answered.get(claim)
    if before is not None and before[0] is record and site.presented.get(claim) != view.token:
        assert before[1] == view.token, f"P6: {claim} was told {before[1]}, now {view.token}"
    site.answered[claim] = (record, view.token)
