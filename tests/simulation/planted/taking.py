"""Mistakes about who holds a slot: taking it from the living, answering one grant for another."""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any

from coordinator.core import asks, sightings, slots
from coordinator.core import messages as m
from coordinator.core.claims import Ended, Roll
from coordinator.core.model import Verdict
from coordinator.kube import records
from coordinator.service import reign
from coordinator.service.pool import Pool
from tests.core import planted as core

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.model import Holder
    from coordinator.core.slots import NodeTable
    from coordinator.service.desk import Desk
    from tests.simulation.planted.bug import Patch


def lease_gone_from_the_watch_is_lost(patch: Patch) -> None:
    """What the watch says of a held Lease is believed without a fresh GET."""
    patch.setattr(sightings, "_drops_a_grant", lambda table, slot, lease: False)


def late_events_free_slots(patch: Patch) -> None:
    """Watch events are believed whatever their version, and without a fresh GET."""
    core.old_events_count(patch)
    lease_gone_from_the_watch_is_lost(patch)


def released_ids_are_forgotten(patch: Patch) -> None:
    """A released id may come back after a second: a delayed request makes a claim of it again."""

    def remember(roll: Roll, claim: str, reason: str, detail: str, now: float, *_: object) -> None:
        roll.ended[claim] = Ended(reason, now + 1.0, detail)

    patch.setattr(Roll, "remember", remember)


def lease_absent_from_the_cache_is_lost(patch: Patch) -> None:
    """Whoever shows a token that the picture does not know has lost its slot, without a list."""

    def believer(table: NodeTable, claim: Claim, token: int, now: float) -> None:
        if table.picture.busy(claim.id):
            claim.refuted |= {token}
        else:
            table.end(claim, "lost", "it is not in the cache", now)

    patch.setattr(asks, "_believer", believer)


def pod_absent_from_the_watch_has_finished(patch: Patch) -> None:
    """A Pod that the watch does not know any more has ended, without a GET."""

    def changed(pool: Pool, node: str, claim: str) -> None:
        desk = pool.desks.get(node)
        known = desk.table.roll.claims.get(claim) if desk else None
        pod = known.terms.pod if known else None
        if desk is None or pod is None:
            return
        gone = (pod.namespace, pod.name) not in pool.pods._versions
        news = m.Evidence(claim, Verdict.FINISHED, pod, found=True) if gone else m.PodChanged(claim)
        pool.apply(desk, news)

    patch.setattr(Pool, "_pod_changed", changed)


def takeover_grants_no_ttl(patch: Patch) -> None:
    """A holder that a new leader finds has a moment to speak up, not its whole TTL."""
    real = Roll.adopt

    def adopt(roll: Roll, holder: Holder, now: float) -> None:
        real(roll, holder, now)
        roll.claims[holder.claim].renewed = now - holder.terms.ttl + 1.0

    patch.setattr(Roll, "adopt", adopt)


def ttl_runs_from_renew_time(patch: Patch) -> None:
    """A new leader counts a holder's TTL from the Lease's renewTime, by its own wall clock."""
    read, opened, real = records._holder_or_reason, Pool._open, Roll.adopt

    def renewed(spec: Any, notes: Any) -> Any:
        return read({**spec, "acquireTime": spec.get("renewTime")}, notes)

    def open_desk(pool: Pool, node: str) -> Desk:
        desk = opened(pool, node)
        desk.table.roll.wall = pool._clock.wall  # type: ignore[attr-defined]
        return desk

    def adopt(roll: Any, holder: Holder, now: float) -> None:
        real(roll, holder, now)
        stamp = datetime.fromisoformat(holder.acquired)
        roll.claims[holder.claim].renewed = now - (roll.wall() - stamp).total_seconds()

    patch.setattr(records, "_holder_or_reason", renewed)
    patch.setattr(Pool, "_open", open_desk)
    patch.setattr(Roll, "adopt", adopt)


def renewals_are_forgotten(patch: Patch) -> None:
    """A holder's requests do not put its end off: it has one TTL from its grant."""

    def renew(claim: Claim, token: int | None, now: float) -> None:
        if token is not None:
            claim.present_token(token)

    patch.setattr(asks, "_renew", renew)
    patch.setattr(asks, "_only_renews", lambda table, claim, e: False)


def stalls_expire_holders(patch: Patch) -> None:
    """After a stall the silent are expired before the requests that have come are read."""
    patch.setattr(reign, "STALL", inf)


def lists_have_no_age(patch: Patch) -> None:
    """A list replaces what is known, also what was learnt after it had been sent."""

    def compare(table: NodeTable, slot: Any, lease: Any, started: float, now: float) -> None:
        if slot.op is None:
            sightings.put(table, slot, lease, 0, now)

    patch.setattr(sightings, "_compare", compare)


def leavers_stay_in_the_queue(patch: Patch) -> None:
    """A claim that leaves the queue is noted as released, and still waits there."""

    def leave(table: NodeTable, e: m.Leave, now: float) -> bool:
        claim = table.roll.claims.get(e.claim)
        if claim is None or table.picture.busy(e.claim):
            return asks.leave(table, e, now)
        table.roll.remember(e.claim, "released", "", now)
        table.say(m.Answer(e.claim))
        return True

    patch.setitem(slots._HANDLERS, m.Leave, leave)


ALL = (
    lease_gone_from_the_watch_is_lost,
    lease_absent_from_the_cache_is_lost,
    pod_absent_from_the_watch_has_finished,
    core.absence_is_proof,
    core.running_is_no_reason,
    core.moved_pods_stay,
    takeover_grants_no_ttl,
    ttl_runs_from_renew_time,
    renewals_are_forgotten,
    stalls_expire_holders,
    core.old_events_count,
    late_events_free_slots,
    lists_have_no_age,
    core.lists_are_skipped,
    core.release_frees_whoever_holds,
    core.released_before_written,
    released_ids_are_forgotten,
    core.leave_forgets_the_write,
    leavers_stay_in_the_queue,
    core.strays_are_answered,
    core.strays_stay,
    core.shown_tokens_queue,
    core.lost_without_a_look,
    core.ending_is_the_end,
)
