"""A node's queue played through once: when a claim starts, if loads take what was drawn for them.

Pure arithmetic over times in seconds from now; an end of infinity never comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from math import inf, isinf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Queues:
    """Who decides about the start of the claim at `place`: urgent claims and others, in order."""

    place: int
    urgent: tuple[int, ...]
    others: tuple[int, ...]

    @staticmethod
    def before(place: int, waiting: Sequence[bool]) -> Queues:
        """Of a queue that tells of each claim whether it is urgent, those that may come first.

        Urgent claims may pass others from behind; others pass nobody.
        """
        passed = place if waiting[place] else len(waiting) - 1
        urgent = tuple(one for one in range(passed + 1) if waiting[one])
        return Queues(place, urgent, tuple(one for one in range(place + 1) if not waiting[one]))


def play(limit: int, ends: list[float], before: list[float], now: float = 0.0) -> float:
    """When whoever comes after those who hold for `before` starts: first come, first served.

    `ends` are those of the slots that are taken; what is held over the limit is given to nobody.
    """
    heap = ends + [now] * min(limit - len(ends), len(before) + 1)
    heapify(heap)
    for _ in range(len(ends) - limit):
        heappop(heap)
    for hold in before:
        heapreplace(heap, heap[0] + hold)
    return heap[0]


class Apart:
    """The same where claims that are not urgent may have only `ordinary` of the slots.

    `urgent` tells it of those who hold, and each place holds for `curve[draws[place]]`.
    """

    def __init__(
        self,
        limit: int,
        ordinary: int,
        ends: list[float],
        urgent: Sequence[bool],
        queues: Queues,
        curve: Sequence[float],
        draws: bytes,
    ) -> None:
        self._limit = limit
        self._ordinary = ordinary
        self._heap = list(zip(ends, urgent, strict=True))
        heapify(self._heap)
        self._pressing = sum(urgent)
        """How many slots urgent claims have."""
        self._queues = queues
        self._urgent, self._others = 0, 0
        """How many of each queue have started."""
        self._curve = curve
        self._draws = draws
        self._now = 0.0

    def start(self) -> float:
        """When the claim starts.

        Once no urgent claim waits, and those that hold fit into what is kept for them, the others
        have their own slots to themselves.
        """
        kept = self._limit - self._ordinary
        while self._urgent < len(self._queues.urgent) or self._pressing > kept:
            place = self._next()
            if place == self._queues.place:
                return self._now
            if place is not None:
                self._take(place)
            elif not self._wait():
                return inf
        before = [self._hold(place) for place in self._queues.others[self._others : -1]]
        ends = [end for end, urgent in self._heap if not urgent]
        return play(self._ordinary, ends, before, self._now)

    def _next(self) -> int | None:
        """Who gets a slot now; None while nobody can."""
        if len(self._heap) >= self._limit:
            return None
        urgent = self._queues.urgent[self._urgent : self._urgent + 1]
        room = len(self._heap) - self._pressing < self._ordinary
        others = self._queues.others[self._others : self._others + 1] if room else ()
        return min(urgent + others, default=None)

    def _take(self, place: int) -> None:
        urgent = place in self._queues.urgent[self._urgent : self._urgent + 1]
        self._urgent += urgent
        self._others += not urgent
        self._pressing += urgent
        heappush(self._heap, (self._now + self._hold(place), urgent))

    def _wait(self) -> bool:
        """Until the next slot comes free; whether one ever does."""
        if not self._heap or isinf(self._heap[0][0]):
            return False
        self._now, urgent = heappop(self._heap)
        self._pressing -= urgent
        return True

    def _hold(self, place: int) -> float:
        return self._curve[self._draws[place]]
