"""What a list of spans says of one node: pure arithmetic, so that two limiters are judged alike.

All times are seconds of one clock. A span that ends at the moment another starts does not overlap
with it. Where a run has no end yet, or a job no start, it goes on to the last moment of the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Job:
    """One mover: when it could have run, and when it did."""

    name: str
    arrived: float
    started: float | None = None
    ended: float | None = None


@dataclass(frozen=True)
class Stretch:
    """A time in which nothing changed: so many jobs ran, and so many waited."""

    since: float
    until: float
    running: int
    waiting: int

    @property
    def seconds(self) -> float:
        return self.until - self.since


@dataclass(frozen=True)
class Overlap:
    """A time without a break in which more ran than may."""

    since: float
    until: float
    most: int

    @property
    def seconds(self) -> float:
        return self.until - self.since


@dataclass(frozen=True)
class Figures:
    """One limiter's work on one node with one limit."""

    most: int
    """Jobs at once."""
    over: float
    """Seconds with more jobs than the limit."""
    hand_overs: tuple[float, ...]
    """Seconds from an end to the start that took its place, in order."""
    idle: float
    """Slot seconds without a job while one waited."""
    total: float
    """Seconds from the first arrival to the last end."""
    order: tuple[str, ...]
    """Names by their start."""

    @property
    def hand_over(self) -> float:
        """The median one; 0 where there was none."""
        return median(self.hand_overs) if self.hand_overs else 0.0


def figures(jobs: Sequence[Job], limit: int) -> Figures:
    """All of it."""
    return Figures(
        most_at_once(jobs),
        sum(one.seconds for one in overlaps(jobs, limit)),
        tuple(hand_overs(jobs, limit)),
        idle_seconds(jobs, limit),
        _last(jobs) - min((job.arrived for job in jobs), default=0.0),
        tuple(order(jobs)),
    )


def stretches(jobs: Sequence[Job]) -> Iterator[Stretch]:
    """The whole time from the first arrival, one after the other."""
    moments = sorted({moment for job in jobs for moment in _moments(job)})
    for since, until in pairwise(moments):
        running = sum(_runs_at(job, since) for job in jobs)
        waiting = sum(_waits_at(job, since) for job in jobs)
        yield Stretch(since, until, running, waiting)


def most_at_once(jobs: Sequence[Job]) -> int:
    """How many ran at the same moment, at most; one that just started counts."""
    starts = [job.started for job in jobs if job.started is not None]
    return max((sum(_runs_at(job, start) for job in jobs) for start in starts), default=0)


def overlaps(jobs: Sequence[Job], limit: int) -> list[Overlap]:
    """Where more than `limit` ran."""
    found: list[Overlap] = []
    for one in stretches(jobs):
        if one.running > limit:
            unbroken = bool(found) and found[-1].until == one.since
            before = found.pop() if unbroken else Overlap(one.since, one.since, 0)
            found.append(Overlap(before.since, one.until, max(before.most, one.running)))
    return found


def hand_overs(jobs: Sequence[Job], limit: int) -> list[float]:
    """Seconds from each end to the start that took its place, for starters who waited by then.

    In the order of the starts. The place that has been free longest is taken first.
    """
    gaps = []
    free: list[float | None] = [None] * limit  # since when; a place nobody had gives no hand-over
    running = 0
    for moment, job in _events(jobs):
        if job is None:
            running -= 1
            free += [moment] if running < limit else []
            continue
        running += 1
        since = free.pop(0) if free else None
        if since is not None and job.arrived <= since:
            gaps.append(moment - since)
    return gaps


def idle_seconds(jobs: Sequence[Job], limit: int) -> float:
    """Slot seconds in which nobody ran although somebody waited: two idle slots count twice."""
    return sum(
        one.seconds * min(limit - one.running, one.waiting)
        for one in stretches(jobs)
        if one.running < limit
    )


def order(jobs: Sequence[Job]) -> list[str]:
    """The names of those that started, by their start."""
    started = [(job.started, job.name) for job in jobs if job.started is not None]
    return [name for _, name in sorted(started)]


def _moments(job: Job) -> list[float]:
    return [moment for moment in (job.arrived, job.started, job.ended) if moment is not None]


def _events(jobs: Sequence[Job]) -> list[tuple[float, Job | None]]:
    """Ends (without their job) and starts by time; of the same moment the ends come first."""
    ends = [(job.ended, 0, None) for job in jobs if job.ended is not None]
    starts = [(job.started, 1, job) for job in jobs if job.started is not None]
    both = sorted([*ends, *starts], key=lambda event: event[:2])
    return [(moment, job) for moment, _, job in both]


def _runs_at(job: Job, moment: float) -> bool:
    has_started = job.started is not None and job.started <= moment
    return has_started and (job.ended is None or moment < job.ended)


def _waits_at(job: Job, moment: float) -> bool:
    return job.arrived <= moment and (job.started is None or moment < job.started)


def _last(jobs: Sequence[Job]) -> float:
    return max((moment for job in jobs for moment in _moments(job)), default=0.0)
