"""Faults planted into the table, one at a time: each breaks a promise, and the walk must see it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coordinator.core import asks, grants, holders, sightings, slots
from coordinator.core import messages as m
from coordinator.core.claims import Claim, Policy, Roll
from coordinator.core.model import Cause, Verdict
from coordinator.core.owners import require_owner
from coordinator.core.picture import Picture, Slot
from coordinator.core.slots import NodeTable
from tests.core import planted_owners
from tests.core.modelserver import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from coordinator.core.claims import Key, Ticket

    Patch = pytest.MonkeyPatch
    Step = Callable[[NodeTable, Slot, Any, float], bool]

GRANTS = (m.Grant, m.HandOver)


def _on_grants(patch: Patch, outcome: type, step: Step) -> None:
    for write in GRANTS:
        patch.setitem(slots._STEPS, (write, outcome), step)


def unknown_is_failure(patch: Patch) -> None:
    """A 5xx or a timeout is taken for "it did not happen"."""
    _on_grants(patch, m.Unknown, lambda t, s, e, now: t._undo(s, m.Failed(e.op, "5xx"), now))


def failed_after_unknown_is_failure(patch: Patch) -> None:
    """A later attempt's failure is taken for the failure of all attempts."""

    def undo(table: NodeTable, slot: Slot, e: m.Failed, now: float) -> bool:
        slot.unknown = False
        return NodeTable._undo(table, slot, e, now)

    _on_grants(patch, m.Failed, undo)


def reading_is_proof(patch: Patch) -> None:
    """After a write of unknown outcome a read that does not show it is believed."""
    _on_grants(patch, m.Unknown, NodeTable._read_back)


def conflict_is_loss(patch: Patch) -> None:
    """A 409 is a loss, though it may be the repeated write's own success."""
    _on_grants(patch, m.Conflict, lambda t, s, e, now: t._undo(s, m.Failed(e.op, "409"), now))


def token_is_the_new_version(patch: Patch) -> None:
    """The token is made up, and not the version that the swap replaced."""
    real: Any = Server._changed

    def changed(server: Server, op: Any, lease: Any) -> Any:
        new = real(server, op, lease)
        token = lease.transitions % 2
        grant = isinstance(op, GRANTS)
        return replace(new, holder=replace(new.holder, token=token)) if grant else new

    patch.setattr(Server, "_changed", changed)


def released_before_written(patch: Patch) -> None:
    """A release is told before its write stands."""

    def leave(table: NodeTable, e: m.Leave, now: float) -> bool:
        require_owner(table, e.claim, e.owner, now)
        table.picture.granting.pop(e.claim, None)
        if e.claim in table.roll.claims:
            table.roll.drop(table.roll.claims[e.claim])
        for slot in table.picture.slots_of(e.claim):
            if slot.op is None and slot.lease is not None:
                sightings.put(table, slot, replace(slot.lease, holder=None), 0, now)
        table.roll.remember(e.claim, "released", "", now)
        return True

    patch.setitem(slots._HANDLERS, m.Leave, leave)


def heir_may_have_left(patch: Patch) -> None:
    """The next claim is chosen without a look at whether its client is still there."""
    patch.setattr(Claim, "present", lambda claim, now, presence: True)


def leave_forgets_the_write(patch: Patch) -> None:
    """A leave during the grant's write drops the claim at once, and with it the reservation."""

    def leave(table: NodeTable, e: m.Leave, now: float) -> bool:
        require_owner(table, e.claim, e.owner, now)
        claim = table.roll.claims.get(e.claim)
        if claim is not None and e.claim not in table.picture.named:
            ordinal = table.picture.granting.pop(e.claim, None)
            if ordinal is not None:
                table.picture.slots[ordinal].heir = None
            table.end(claim, "released", "", now)
            return True
        return asks.leave(table, e, now)

    patch.setitem(slots._HANDLERS, m.Leave, leave)


def old_events_count(patch: Patch) -> None:
    """Watch events are believed whatever their version."""
    patch.setattr(Slot, "version", property(lambda slot: -1))


def unknown_writes_are_free(patch: Patch) -> None:
    """A slot that is being written to a claim does not count as held."""
    taken = property(lambda slot: slot.lease is not None and slot.lease.taken)
    patch.setattr(Slot, "taken", taken)
    patch.setattr(grants, "_usable", lambda t, o: o not in t.picture.slots or _idle(t, o))


def _idle(table: NodeTable, ordinal: int) -> bool:
    slot = table.picture.slots[ordinal]
    return slot.reserved or not (slot.op or slot.taken)


def foreign_leases_are_free(patch: Patch) -> None:
    """A name that somebody else took does not count against the limit."""

    def taken(slot: Slot) -> bool:
        ours = slot.lease is not None and not slot.lease.foreign and slot.lease.taken
        return slot.heir is not None or ours

    patch.setattr(Slot, "taken", property(taken))


def strays_are_answered(patch: Patch) -> None:
    """Whichever Lease names the claim is its answer."""

    def slot_of(table: NodeTable, claim: Claim) -> Slot | None:
        named = table.picture.slots_of(claim.id)
        return named[-1] if named else None

    patch.setattr(NodeTable, "slot_of", slot_of)


def strays_stay(patch: Patch) -> None:
    """A second Lease of a claim is kept."""
    patch.setattr(grants, "_is_stray", lambda table, holder, claim: False)


def shown_tokens_queue(patch: Patch) -> None:
    """A claim that shows a token is queued like a new one."""

    def ask(table: NodeTable, e: m.Ask, now: float) -> bool:
        named = e.claim in table.picture.named
        return asks.ask(table, e if named else e._replace(token=None), now)

    patch.setitem(slots._HANDLERS, m.Ask, ask)


def expiry_ignores_renewals(patch: Patch) -> None:
    """A claim expires a TTL after its grant."""
    patch.setattr(Claim, "silent", lambda claim, now: now >= claim.renewed + 4)


def shrink_is_ignored(patch: Patch) -> None:
    """The limit only ever grows."""

    def set_limit(table: NodeTable, e: m.SetLimit, now: float) -> bool:
        table.limit = max(table.limit, e.limit)
        return True

    patch.setitem(slots._HANDLERS, m.SetLimit, set_limit)


def newest_first(patch: Patch) -> None:
    """Arrival does not count."""

    def key(policy: Policy, claim: str, priority: int, ticket: Ticket, term: int) -> Key:
        return (-priority * 10**9 - ticket[1], *ticket, claim)

    patch.setattr(Policy, "key", key)


def absence_is_proof(patch: Patch) -> None:
    """A Pod that is not there has ended, whoever renews."""
    real = holders.cause_of

    def cause_of(claim: Claim, verdict: Verdict, now: float) -> tuple[Cause, str] | None:
        gone = verdict in {Verdict.UNJUDGED, Verdict.UNREACHABLE}
        return (Cause.POD_GONE, "gone") if gone else real(claim, verdict, now)

    patch.setattr(holders, "cause_of", cause_of)


def running_is_no_reason(patch: Patch) -> None:
    """Silence alone ends a load whose Pod runs."""
    real = holders.cause_of

    def cause_of(claim: Claim, verdict: Verdict, now: float) -> tuple[Cause, str] | None:
        if claim.silent(now) and verdict is Verdict.RUNNING:
            return Cause.DESERTED, "silent"
        return real(claim, verdict, now)

    patch.setattr(holders, "cause_of", cause_of)


def moved_pods_stay(patch: Patch) -> None:
    """What was seen of a claim's Pod is believed of the one that it moved to."""

    def evidence(table: NodeTable, e: m.Evidence, now: float) -> bool:
        claim = table.roll.claims.get(e.claim)
        pod = claim.terms.pod if claim else None
        return holders.evidence(table, replace(e, pod=pod) if pod else e, now)

    patch.setitem(slots._HANDLERS, m.Evidence, evidence)


def looks_have_no_end(patch: Patch) -> None:
    """Each event of a Pod is a look of its own."""

    def pod_changed(table: NodeTable, e: m.PodChanged, now: float) -> bool:
        claim = table.roll.claims.get(e.claim)
        if claim is not None:
            claim.look.under_way = False
        return holders.pod_changed(table, e, now)

    patch.setitem(slots._HANDLERS, m.PodChanged, pod_changed)


def ending_is_the_end(patch: Patch) -> None:
    """An agent that says that its load may be over is taken at its word."""

    def hear(claim: Claim, now: float, *, ending: bool) -> None:
        if ending:
            claim.leaving, claim.left = "finished", now

    patch.setattr(asks, "hear", hear)


def hurried_looks_have_no_pace(patch: Patch) -> None:
    """While a load is ending its Pod is looked at again at once, and once more at each word."""

    def hear(claim: Claim, now: float, *, ending: bool) -> None:
        if ending:
            claim.look.under_way, claim.look.last = False, -math.inf

    patch.setattr(asks, "hear", hear)


def finished_pods_come_back(patch: Patch) -> None:
    """Nothing is remembered of a Pod that was seen finished."""
    real: Any = Roll.remember

    def remember(roll: Roll, claim: str, reason: str, detail: str, now: float, *_: object) -> None:
        real(roll, claim, reason, detail, now)

    patch.setattr(Roll, "remember", remember)


def released_ids_come_back(patch: Patch) -> None:
    """Nothing is remembered of a release."""
    patch.setattr(Roll, "remember", lambda *args: None)


def lists_are_skipped(patch: Patch) -> None:
    """What a list shows of a slot under way is forgotten."""
    patch.setattr(Slot, "knows", lambda slot, lease: True)


def lost_without_a_look(patch: Patch) -> None:
    """A slot whose settling failed keeps its reservation for ever."""
    patch.setattr(Picture, "take_heir", lambda picture, slot: None)


def release_frees_whoever_holds(patch: Patch) -> None:
    """A release names a slot, and not the claim."""

    def leave(table: NodeTable, e: m.Leave, now: float) -> bool:
        for claim in list(table.picture.named):
            if e.claim not in table.roll.claims and claim in table.roll.claims:
                table.roll.part(table.roll.claims[claim], "released", now)
        return asks.leave(table, e, now)

    patch.setitem(slots._HANDLERS, m.Leave, leave)


def frees_are_blind(patch: Patch) -> None:
    """A slot is emptied without a look at who has it by now."""
    real = Server._write

    def write(server: Server, op: Any, actor: int) -> Any:
        lease = server.leases.get(op.ordinal)
        blind = isinstance(op, m.Free) and lease is not None and lease.uid == op.base.uid
        emptied = replace(lease, holder=None) if lease else None
        return server.commit(op.ordinal, emptied, actor) if blind else real(server, op, actor)

    patch.setattr(Server, "_write", write)


ALL = (
    planted_owners.owners_do_not_matter,
    planted_owners.hearsay_bars_everybody,
    release_frees_whoever_holds,
    frees_are_blind,
    unknown_is_failure,
    failed_after_unknown_is_failure,
    reading_is_proof,
    conflict_is_loss,
    token_is_the_new_version,
    released_before_written,
    heir_may_have_left,
    leave_forgets_the_write,
    old_events_count,
    unknown_writes_are_free,
    foreign_leases_are_free,
    strays_are_answered,
    strays_stay,
    shown_tokens_queue,
    expiry_ignores_renewals,
    shrink_is_ignored,
    newest_first,
    released_ids_come_back,
    lists_are_skipped,
    absence_is_proof,
    running_is_no_reason,
    moved_pods_stay,
    looks_have_no_end,
    lost_without_a_look,
    ending_is_the_end,
    hurried_looks_have_no_pace,
    finished_pods_come_back,
)
