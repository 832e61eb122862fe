"""One node's table: who holds which slot, who waits, and which write is under way.

`NodeTable.handle(event, now)` decides and returns commands; it never waits, logs or reads a clock.
The shell performs each command and feeds its outcome back as an event. What the table believes
about a Lease comes from outcomes, watch events and lists; "who holds" is read from there and kept
nowhere else (`picture`). Who waits and who has left is in `roll`, who of the holders is dead in
`holders`, what to do next in `grants`.

A slot does one thing at a time. `_STEPS` at the end is the whole of what can happen to it:

    under way    Written / Read     Conflict     Unknown        Failed
    ---------    --------------     ---------    -----------    -------------------
    Make         settle             read back    repeat         undo, if never unknown
    Grant        settle             read back    repeat         undo, if never unknown
    HandOver     settle             read back    repeat         undo, if never unknown
    Free         settle             read back    repeat         undo, if never unknown
    Remove       settle             read back    repeat         undo, if never unknown
    Refresh      settle             read back    read back      undo
    ReadBack     settle             (illegal)    repeat         repeat

A grant or a hand-over that had to wait for its first sending may be Withdrawn instead: undone.

A write of unknown outcome is repeated, never judged by reading (P2): a read may come before the
write takes effect. Only its 409 is final, and the read after that tells who won. (A Refresh gives
nothing to anybody, so it is not repeated.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from coordinator.core.asks import ask, ask_all, leave, poll_ended
from coordinator.core.claims import Claim, Policy, Roll
from coordinator.core.due import after_event, after_tick, tick
from coordinator.core.grants import courtesy, operations
from coordinator.core.holders import evidence, pod_changed, restarted
from coordinator.core.picture import Picture, Slot
from coordinator.core.sightings import notice, put, relisted, seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.cap import Share
    from coordinator.core.pods import PodIndex

_MAX_PAUSE = 30.0


class NodeTable:
    """The slots and claims of one node in one pool.

    `term` is the leader's, which took over at the time `takeover`: both make up its tickets, and
    no grant is made until the settling time has passed since (P9). `pods` is the pool's. `share`
    is the table's part of a cap that all pools have together. Until the shell sets a limit the
    table only looks: it neither grants nor removes.
    """

    def __init__(
        self,
        node: str,
        term: int,
        takeover: float,
        policy: Policy | None = None,
        pods: PodIndex | None = None,
        share: Share | None = None,
    ):
        self.node = node
        self.share = share
        self.policy = policy or Policy()
        self.grants_from = takeover + self.policy.settling
        self.picture = Picture(node)
        self.roll = Roll(node, term, takeover, self.policy, pods)
        self.limit = 0
        self.limit_known = False
        self.limit_reason = ""
        self.on_hold = ""
        self.paused_until = -math.inf
        self.paused_why = ""
        self.due = math.inf
        """From when a `Tick` may change something; before that it changes nothing."""
        self.changed = False
        """Whether the last event did more than tell that somebody is still there."""
        self._failures = 0
        self._out: list[m.Command] = []

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """Take one event at the time `now` (seconds) and return what is to be done, in order.

        Raises `Refusal` for a request that may not be, `IllegalTransition` for an outcome that
        nothing under way can have; in both cases nothing was changed.
        """
        self._out = []
        kind = type(event)
        self.changed = changed = _HANDLERS[kind](self, event, now)
        if changed:
            operations(self, now)
        if kind is m.Tick:
            self.due = after_tick(self, now)
        elif changed or kind not in _ROUTINE:
            self.due = after_event(self, now)
        return self._out

    @property
    def empty(self) -> bool:
        """Whether nothing at all is known of this node any more."""
        slots = self.picture.slots.values()
        known = self.roll.claims or self.roll.ended
        return not known and all(slot.op is None and slot.lease is None for slot in slots)

    def slot_of(self, claim: Claim) -> Slot | None:
        """The slot that is the claim's answer; None while no Lease shows that grant."""
        return None if claim.chosen is None else self.picture.slot_with(claim.id, claim.chosen)

    def may_grant(self, now: float) -> bool:
        """Whether nothing but a full node stands in the way of a grant."""
        waits = self.on_hold or (self.share and self.share.blind())
        return not waits and now >= self.grants_from and now >= self.paused_until

    def start(self, slot: Slot, op: m.Operation) -> None:
        """Begin the operation and command it."""
        self.picture.start(slot, op)
        if isinstance(op, m.Grant | m.HandOver):
            self.roll.queue.discard(self.roll.claims[op.claim])
        self._out.append(op)

    def say(self, command: m.Command) -> None:
        """Command something that needs no outcome."""
        self._out.append(command)

    def end(self, claim: Claim, reason: str, detail: str, now: float) -> None:
        """The claim is over, and whoever waits for it is told."""
        self.roll.end(claim, reason, detail, now)
        self.say(m.Answer(claim.id))

    # --- the node and time ----------------------------------------------------------------------

    def _set_limit(self, e: m.SetLimit, now: float) -> bool:
        self.limit, self.limit_reason, self.limit_known = e.limit, e.reason, True
        return True

    def _set_hold(self, e: m.SetHold, now: float) -> bool:
        self.on_hold = e.reason
        return True

    def _turn(self, e: m.Turn, now: float) -> bool:
        return True

    # --- outcomes -----------------------------------------------------------------------------

    def _outcome(self, e: m.Outcome, now: float) -> bool:
        slot = self.picture.under_way(e.op)
        step = _STEPS.get((type(slot.op), type(e))) if slot is not None else None
        if slot is None or step is None:
            what = type(slot.op).__name__ if slot else "no such operation"
            raise m.IllegalTransition(f"{e} on node {self.node} while {what} is under way")
        return step(self, slot, e, now)

    def _settle(self, slot: Slot, e: m.Written | m.Read, now: float) -> bool:
        """The write stands, or a read shows what does."""
        op = self.picture.finish(slot)
        self._failures = 0
        put(self, slot, e.lease, slot.version, now)
        self._settle_heir(slot, now)
        if isinstance(op, m.ReadBack) and e.lease is None and isinstance(slot.pending, m.Seen):
            slot.stale = True  # the event may be older or newer than the 404: read again
        self._catch_up(slot, now)
        return True

    def _catch_up(self, slot: Slot, now: float) -> bool:
        """Take in what was told of the slot while something was under way."""
        pending, slot.pending = slot.pending, None
        stale, slot.stale = slot.stale, False
        if stale:
            self.read(slot)
        return not stale and pending is not None and notice(self, slot, pending, now)

    def _settle_heir(self, slot: Slot, now: float) -> None:
        heir = self.picture.take_heir(slot)
        if heir is None or heir in self.picture.named:
            return
        claim = self.roll.claims[heir]
        if claim.leaving:
            self.end(claim, claim.leaving, "it left while its grant was being written", now)
        elif claim.refuted:
            self.roll.drop(claim)  # who last asked may believe to hold: a plain request comes anew
        elif claim.doubt is None:
            self.roll.queue.add(claim)

    def read(self, slot: Slot) -> None:
        """Look at the slot's Lease with a fresh GET."""
        self.start(slot, m.ReadBack(self.picture.next_op(), slot.ordinal, slot.name))

    def _read_back(self, slot: Slot, e: m.Outcome, now: float) -> bool:
        self.picture.finish(slot)
        self.read(slot)
        return False

    def _repeat(self, slot: Slot, e: m.Outcome, now: float) -> bool:
        slot.unknown = slot.unknown or isinstance(e, m.Unknown)
        if slot.op is not None:
            self._out.append(slot.op)
        return False

    def _undo(self, slot: Slot, e: m.Failed, now: float) -> bool:
        """The write never was; what it was for goes back to its place, and a pause follows."""
        if slot.unknown:
            return self._repeat(slot, e, now)
        self.paused_until = now + min(_MAX_PAUSE, 2.0 ** min(self._failures, 10))
        self.paused_why = e.why
        self._failures += 1
        return self._take_back(slot, now)

    def _withdraw(self, slot: Slot, e: m.Withdrawn, now: float) -> bool:
        """It was never sent, and what it was decided on has changed: decide again."""
        if slot.unknown:
            raise m.IllegalTransition(f"{e} on node {self.node} after it was sent")
        self._take_back(slot, now)
        return True

    def _take_back(self, slot: Slot, now: float) -> bool:
        self.picture.finish(slot)
        self._settle_heir(slot, now)
        return self._catch_up(slot, now)


_ROUTINE = {m.Ask, m.Asks, m.PollEnded}
"""Events that, where they change nothing else, only move later what is due."""

_HANDLERS: dict[type, Callable[[NodeTable, Any, float], bool]] = {
    m.Ask: ask,
    m.Asks: ask_all,
    m.PollEnded: poll_ended,
    m.Leave: leave,
    m.SetLimit: NodeTable._set_limit,
    m.SetHold: NodeTable._set_hold,
    m.Turn: NodeTable._turn,
    m.Tick: tick,
    m.Restarted: restarted,
    m.PodChanged: pod_changed,
    m.Evidence: evidence,
    m.Courtesy: courtesy,
    m.Seen: seen,
    m.Gone: seen,
    m.Relisted: relisted,
    m.Written: NodeTable._outcome,
    m.Conflict: NodeTable._outcome,
    m.Unknown: NodeTable._outcome,
    m.Failed: NodeTable._outcome,
    m.Withdrawn: NodeTable._outcome,
    m.Read: NodeTable._outcome,
}

_WRITE_STEPS: dict[type, Callable[[NodeTable, Slot, Any, float], bool]] = {
    m.Written: NodeTable._settle,
    m.Conflict: NodeTable._read_back,
    m.Unknown: NodeTable._repeat,
    m.Failed: NodeTable._undo,
}
_STEPS: dict[tuple[type, type], Callable[[NodeTable, Slot, Any, float], bool]] = {
    **{
        (write, outcome): step
        for write in (m.Make, m.Grant, m.HandOver, m.Free, m.Remove)
        for outcome, step in _WRITE_STEPS.items()
    },
    (m.Grant, m.Withdrawn): NodeTable._withdraw,
    (m.HandOver, m.Withdrawn): NodeTable._withdraw,
    (m.Refresh, m.Written): NodeTable._settle,
    (m.Refresh, m.Conflict): NodeTable._read_back,
    (m.Refresh, m.Unknown): NodeTable._read_back,
    (m.Refresh, m.Failed): NodeTable._undo,
    (m.ReadBack, m.Read): NodeTable._settle,
    (m.ReadBack, m.Unknown): NodeTable._repeat,
    (m.ReadBack, m.Failed): NodeTable._repeat,
}
