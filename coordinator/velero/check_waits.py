"""How long movers would have to wait under our limits, judged by the work that Velero has done.

A queue that never leaves a slot empty while somebody waits starts a load no later than (the sum of
the run times of those that were there before it) / slots, whatever the order (Graham's bound for
list scheduling). So the runs of one backup on one node, and how many of its volumes were there at
once, tell how long a mover waits at most: Velero hands out the volumes of file system backups Pod
by Pod, those of CSI snapshots and of restores all at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coordinator.velero.world import Work, World

RECENT = 7 * 86400.0
"""Seconds that are looked back on: the large backup is often the weekly one."""
HOUR = 3600.0
SAFETY = 3
"""Times the wait that was worked out: backups overlap, volumes grow, a storage has slow days."""
_STEPS = (12, 24, 48, 72, 96, 120, 168)
"""Hours that are recommended."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The work of one Backup or Restore on one node. Times are seconds."""

    node: str
    owner: str
    volumes: int
    together: int
    """How many of them were made and not done at one moment, at most."""
    limit: int
    typical: float
    """The median run."""
    longest: float
    wait: float
    """Of a mover, at most, when nothing else runs there."""
    whole: float
    """Of the whole backup or restore: what it took, or more where our limit is the lower one."""


def backlogs(world: World, limits: Mapping[str, int]) -> list[Backlog]:
    """What backups and restores brought to each node that has a limit; the longest wait first.

    Where no run of a backup's work on a node was seen to its end, nothing is known of it.
    """
    owners: dict[tuple[bool, str], list[Work]] = defaultdict(list)
    for work in world.works:
        if world.taken - (work.completed or work.created) <= RECENT:
            owners[work.kind.restores, work.owner].append(work)
    found = []
    for works in owners.values():
        took = max(_end(work, world.taken) for work in works) - min(w.created for w in works)
        for node in sorted({work.node for work in works if work.node in limits}):
            here = [work for work in works if work.node == node]
            runs = [run for work in here if (run := _run(work)) is not None]
            if runs:
                found.append(_backlog(here, runs, limits[node], took, world.taken))
    return sorted(found, key=lambda one: (-one.wait, -one.whole, one.node, one.owner))


def largest(works: Iterable[Work]) -> int:
    """The volumes of the largest backup or restore, over all nodes."""
    count: dict[tuple[bool, str], int] = defaultdict(int)
    for work in works:
        count[work.kind.restores, work.owner] += 1
    return max(count.values(), default=0)


def rounded(seconds: float) -> float:
    """The next duration that is worth recommending, in seconds: 12 hours or more."""
    hours = seconds / HOUR
    return HOUR * next((step for step in _STEPS if step >= hours), _STEPS[-1])


def _backlog(works: list[Work], runs: list[float], limit: int, took: float, now: float) -> Backlog:
    typical = median(runs)
    lengths = sorted(runs + [typical] * (len(works) - len(runs)), reverse=True)
    together = _together(works, now)
    whole = _bound(lengths, len(works), limit) + lengths[0]
    return Backlog(
        node=works[0].node,
        owner=works[0].owner,
        volumes=len(works),
        together=together,
        limit=limit,
        typical=typical,
        longest=max(runs),
        wait=_bound(lengths, together, limit),
        whole=max(whole, took),
    )


def _bound(lengths: list[float], together: int, limit: int) -> float:
    """The wait of the last of so many; the lengths are those of all runs, the longest first."""
    return sum(lengths[: together - 1]) / limit if together > limit else 0.0


def _together(works: Iterable[Work], now: float) -> int:
    """How many existed at once; one that ends in the second in which another begins is gone."""
    changes = [(work.created, 1) for work in works]
    changes += [(_end(work, now), -1) for work in works]
    there = most = 0
    for _, change in sorted(changes):
        there += change
        most = max(most, there)
    return most


def _end(work: Work, now: float) -> float:
    return now if work.completed is None else max(work.completed, work.created + 1.0)


def _run(work: Work) -> float | None:
    """Seconds from its start to its end; None where it did not both."""
    if work.phase != "Completed" or work.started is None or work.completed is None:
        return None
    return max(0.0, work.completed - work.started)
