"""One candidate's decisions in the election: what to do next, and until when it leads. Pure.

    what is known of the election Lease      what is done
    ---------------------------------------  ----------------------------------------------------
    nothing, or an own write is in doubt     read it
    there is none, or nobody holds it        write it, after a small jitter
    another holds it, heard of lately        wait
    another holds it, silent for `renew`     read it once: the watch may be deaf
    another holds it, past its time          write it, after a small jitter
    held by ourselves                        write it, `retry` after the last good write was sent

Every write is a compare-and-swap, so acting on old news costs a conflict and nothing else. Time
is the caller's own clock; what the Lease says of time is compared for change only.

What makes two leaders impossible, as long as clocks run equally fast: a leader counts `renew`
seconds from the *send* of a write that certainly took effect, everybody else at least `lease`
seconds from when they *heard* of that write. Nobody counts on more: an operator who deletes the
Lease or clears its holder lets another lead at once, up to `retry` seconds beside the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from coordinator.kube.election_record import Record

LONGEST = 300.0
"""Seconds. A Lease that asks for more is not believed: a slip of a hand may not stop elections."""

JITTER = 0.3
"""Seconds at most by which candidates that wait for the same moment spread out."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long others leave a silent leader alone, how long it leads after a write, and
    how often it writes. Raises ValueError unless `LONGEST` >= lease > renew > retry > 0.
    """

    lease: float = 15.0
    renew: float = 10.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        if not LONGEST >= self.lease > self.renew > self.retry > 0:
            raise ValueError(
                f"election timing needs {LONGEST:g} >= lease > renew > retry > 0 seconds; "
                f"given were lease {self.lease:g}, renew {self.renew:g}, retry {self.retry:g}"
            )


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads, and where its API is ("" if it does not say)."""

    identity: str
    url: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before `until`, unless news come."""

    until: float


@dataclass(frozen=True, slots=True)
class Read:
    """The Lease is to be read."""


@dataclass(frozen=True, slots=True)
class Write:
    """The Lease is to be acquired or renewed as it stands in `base`; None: to be created."""

    base: Record | None


Step = Wait | Read | Write


class Candidate:
    """One process's part in the election; its identity is never used by another process."""

    def __init__(self, identity: str, url: str, timing: Timing, rng: Random) -> None:
        self.me = Leader(identity, url)
        """What it is as a leader; only the url may change."""
        self._timing = timing
        self._rng = rng
        self.record: Record | None = None
        """The Lease as last seen; None: there is none, or it was never seen."""
        self.deadline = -inf
        """The time until which it leads; -inf: it does not."""
        self.doubt = True
        """Whether only a read can tell what stands."""
        self._seen = self._mark = -1
        """The resourceVersion up to which everything is known: now, and when a read began."""
        self._failing = False
        self._heard = -inf
        self._expires = -inf
        self._free_at = -inf
        self._due = -inf
        self._write_due = -inf

    # --- asking -------------------------------------------------------------------------------

    def step(self, now: float) -> Step:
        """What to do at `now`."""
        if now < self._due:
            return Wait(self._due)
        if self.doubt:
            return Read()
        begin = max(self._write_due, -inf if self.holds else self._free_at)
        if now >= begin:
            return Write(self.record)
        look = max(self._heard + self._timing.renew, self._due) if self.other else inf
        return Read() if now >= look else Wait(min(begin, look))

    @property
    def holds(self) -> bool:
        """Whether the Lease names it; that alone is no leadership."""
        return self.record is not None and self.record.holder == self.me.identity

    @property
    def other(self) -> bool:
        """Whether the Lease names another."""
        return self.record is not None and bool(self.record.holder) and not self.holds

    def leader(self, now: float) -> Leader | None:
        """Who leads as far as it knows; itself only before its deadline."""
        if now < self.deadline:
            return self.me
        if self.record is not None and self.other and now < self._expires:
            return Leader(self.record.holder, self.record.url)
        return None

    def lapse(self, now: float) -> float:
        """End what is over at `now`; returns when the next thing will be (inf: nothing will)."""
        if now >= self.deadline:
            self.deadline = -inf
        if self.deadline > now:
            return self.deadline
        return self._expires if self.other and self._expires > now else inf

    def resign(self) -> None:
        """It does not lead from here on."""
        self.deadline = -inf

    # --- being told ---------------------------------------------------------------------------

    def reading(self) -> None:
        """A read goes out. Only one request of a candidate is under way at a time."""
        self._mark = self._seen

    def saw(self, record: Record | None, sent: float, now: float) -> None:
        """The read that was sent at `sent` shows `record`; None: there is no Lease.

        It was sent after the last own write had ended, so it settles every doubt. Its numbers may
        be lower than before (a restored etcd), unless the watch has told newer ones meanwhile.
        """
        self.doubt = False
        self._heard = now
        version = self._seen if record is None else record.version
        if self._seen == self._mark or version > self._seen:
            self._know(record, version, now)
        if self._failing:  # the write that is tried next is no pair with this read
            self._failing = False
            self._write_due = sent + self._pause()

    def heard(self, record: Record | None, version: int, now: float) -> None:
        """The watch tells of `version`; None: it is the deletion. Old news change nothing."""
        if version > self._seen:
            self._heard = now
            self._know(record, version, now)

    def listed(self, record: Record | None, version: int, now: float) -> None:
        """A list of `version`. One from before what is known (or from a restored etcd, whose
        numbers are lower) only raises a doubt: it may be older than an own write.
        """
        if version < self._seen:
            self.doubt = True
        else:
            self.heard(record, version, now)

    def sending(self) -> None:
        """A write goes out: until its answer is there, nobody knows."""
        self.doubt = True

    def wrote(self, base: Record | None, record: Record, sent: float, now: float) -> None:
        """The write onto `base`, sent at `sent`, took effect and made `record`."""
        self._due, self._failing = -inf, False
        self._write_due = sent + self._timing.retry
        if base is not None and record.version == base.version:
            return  # the same text again is no write: nobody else heard of it
        self.doubt = False
        if record.version >= self._seen:
            self._know(record, record.version, now)
        if self.holds:  # else the watch was quicker, and told who came after
            self.deadline = max(self.deadline, sent + self._timing.renew)

    def refused(self, sent: float) -> None:
        """The write met another Lease than it was meant for: look at once, write later."""
        self._due = -inf
        self._write_due = sent + self._pause()

    def failed(self, sent: float, now: float, retry_after: float | None) -> None:
        """A request failed, or nobody knows: the next is sent 0.5 to 1 `retry` after this one.

        A longer `Retry-After` is honoured up to `lease` seconds, and while it leads to half of
        what is left, so that obeying does not cost the leadership.
        """
        patience = (self.deadline - now) / 2 if now < self.deadline else self._timing.lease
        asked = now + min(retry_after or 0.0, patience)
        self._due = self._write_due = max(sent + self._pause(), asked)
        self._failing = True

    def _pause(self) -> float:
        return self._timing.retry * self._rng.uniform(0.5, 1.0)

    def _know(self, record: Record | None, version: int, now: float) -> None:
        before, self.record, self._seen = self.record, record, version
        if not self.holds:
            self.deadline = -inf
        if record is None or not record.holder:
            self._expires = now
        elif record.renews(before):
            self._expires = now + self._patience(record)
        else:
            return
        self._free_at = self._expires + self._rng.uniform(0.0, JITTER)

    def _patience(self, record: Record) -> float:
        return min(record.duration or self._timing.lease, LONGEST)
