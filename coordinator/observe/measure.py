"""What happened on a node in figures, and the same for what would have happened. Pure.

Times are seconds. A spell is *ready* when its Pod could have been made, and moves data from
`moving` until `done`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Steps = tuple[tuple[float, int], ...]
"""A node's limit over time: from when it is how much. The first one counts for all before it."""


@dataclass(frozen=True, slots=True)
class Spell:
    """One mover's data on its way, from being ready to the end."""

    id: str
    restores: bool
    ready: float
    moving: float
    done: float

    @property
    def waited(self) -> float:
        """Seconds until data moved."""
        return max(0.0, self.moving - self.ready)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long movers waited. Zero where there are none."""

    count: int
    median: float
    longest: float


@dataclass(frozen=True, slots=True)
class Measures:
    """One node, or all of them."""

    waits: Waits
    backups: Waits
    restores: Waits
    most: int
    """How many moved data at once, at most."""
    overlaps: int
    """How often more did than the limit allows."""
    over_seconds: float
    over_most: int
    """How many more at most."""
    idle: float
    """Slot seconds: slots that nobody used while somebody was ready."""
    busy: float
    """Seconds during which anybody was ready or moved data."""


@dataclass(slots=True)
class _Sweep:
    """Counts while time goes on."""

    most: int = 0
    overlaps: int = 0
    over_seconds: float = 0.0
    over_most: int = 0
    idle: float = 0.0
    busy: float = 0.0
    _was_over: bool = False

    def take(self, seconds: float, moving: int, ready: int, limit: int) -> None:
        over = max(0, moving - limit)
        self.most = max(self.most, moving)
        self.over_most = max(self.over_most, over)
        self.overlaps += bool(over) and not self._was_over
        self._was_over = bool(over)
        self.over_seconds += seconds if over else 0.0
        self.idle += seconds * min(max(0, limit - moving), ready)
        self.busy += seconds if moving or ready else 0.0


def measure(spells: Sequence[Spell], steps: Steps) -> Measures:
    """The figures of one node whose limit went through these steps."""
    sweep = _Sweep()
    for seconds, moving, ready, at in _intervals(spells, steps):
        sweep.take(seconds, moving, ready, limit_at(steps, at))
    return _measures(spells, sweep)


def together(parts: Sequence[tuple[Sequence[Spell], Measures]]) -> Measures:
    """The figures of all nodes: times are added up, but those with work to do are one time."""
    spells = [spell for those, _ in parts for spell in those]
    sweep = _Sweep()
    for seconds, moving, ready, _ in _intervals(spells, ()):
        sweep.take(seconds, moving, ready, moving)
    for _, its in parts:
        sweep.overlaps += its.overlaps
        sweep.over_seconds += its.over_seconds
        sweep.over_most = max(sweep.over_most, its.over_most)
        sweep.idle += its.idle
    return _measures(spells, sweep)


def limit_at(steps: Steps, at: float) -> int:
    """The limit at that time."""
    place = bisect_right(steps, at, key=lambda step: step[0])
    return steps[max(0, place - 1)][1] if steps else 0


def _intervals(spells: Iterable[Spell], steps: Steps) -> Iterator[tuple[float, int, int, float]]:
    """How long how many moved and how many were ready, from when; in the order of time."""
    changes: dict[float, tuple[int, int]] = {at: (0, 0) for at, _ in steps}
    for one in spells:
        starts = max(one.ready, one.moving)
        ends = max(one.done, starts)
        for at, moving, ready in ((one.ready, 0, 1), (starts, 1, -1), (ends, -1, 0)):
            before = changes.get(at, (0, 0))
            changes[at] = (before[0] + moving, before[1] + ready)
    moving = ready = 0
    for at, after in pairwise(sorted(changes)):
        moving += changes[at][0]
        ready += changes[at][1]
        yield after - at, moving, ready, at


def _measures(spells: Sequence[Spell], sweep: _Sweep) -> Measures:
    return Measures(
        waits=_waits(spells),
        backups=_waits([spell for spell in spells if not spell.restores]),
        restores=_waits([spell for spell in spells if spell.restores]),
        most=sweep.most,
        overlaps=sweep.overlaps,
        over_seconds=sweep.over_seconds,
        over_most=sweep.over_most,
        idle=sweep.idle,
        busy=sweep.busy,
    )


def _waits(spells: Sequence[Spell]) -> Waits:
    found = [spell.waited for spell in spells] or [0.0]
    return Waits(len(spells), median(found), max(found))
