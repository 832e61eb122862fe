"""Was a node ever above its limit? Decided from what the loads wrote, not from what anybody claims.

A load counts from the line that it wrote first to the line that it wrote last. The limit that it
is held against is the one in force when its slot was granted: a limit that shrinks evicts nobody,
but nothing may start under it until enough have ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from coordinator.demo.journal import Note

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Span:
    """A limit was in force from some moment in `begun` on (earliest, latest; since the epoch)."""

    limit: int
    begun: tuple[float, float]


@dataclass
class Limits:
    """One node's limits over time, as far as looking now and then can tell."""

    spans: list[Span] = field(default_factory=list)
    _looked: float = -NEVER

    def see(self, limit: int, asked: float, answered: float) -> bool:
        """Take in what one look showed. Returns whether the limit is another one than before.

        The change happened after the last look's question was sent and before this answer came.
        """
        changed = not self.spans or self.spans[-1].limit != limit
        if changed:
            first = not self.spans
            self.spans.append(Span(limit, (-NEVER if first else self._looked, answered)))
        self._looked = asked
        return changed

    def at(self, moment: float | None) -> int:
        """The index of the span that ruled a grant of this moment: of two that may, the larger.

        An unknown moment gets the benefit of the doubt: the largest limit of all.
        """
        able = [
            number
            for number, span in enumerate(self.spans)
            if moment is None or (span.begun[0] <= moment <= self._end(number))
        ]
        return max(able, key=lambda number: (self.spans[number].limit, number))

    def _end(self, number: int) -> float:
        return self.spans[number + 1].begun[1] if number + 1 < len(self.spans) else NEVER


@dataclass
class Period:
    """One limit of one node: how many loads started under it, and the most that then ran."""

    limit: int
    started: int = 0
    most: int = 0
    above: list[str] = field(default_factory=list)
    """Loads that started although the node was full."""
    drained: float | None = None
    """For a lowered limit: seconds from the change until no more than the limit ran. 0: at once."""


def judge(
    notes: Iterable[Note],
    limits: Mapping[str, Limits],
    granted: Mapping[str, float],
    freed_by_hand: Set[str] = frozenset(),
) -> dict[str, list[Period]]:
    """Each node's periods, in order. `granted` is when a load got its slot, where that was seen.

    Loads whose slot was freed by hand do not count: their node was allowed to start another.
    """
    found = {node: [Period(span.limit) for span in told.spans] for node, told in limits.items()}
    running: dict[str, set[str]] = {node: set() for node in limits}
    for note in notes:
        if note.load in freed_by_hand:
            continue
        now = running[note.node]
        before = len(now)
        if note.kind == "end":
            now.discard(note.load)
        else:
            now.add(note.load)
            number = limits[note.node].at(granted.get(note.load))
            _start(found[note.node][number], note.load, len(now))
        _drain(found[note.node], limits[note.node].spans, note.at, before, len(now))
    return found


def _start(period: Period, load: str, running: int) -> None:
    period.started += 1
    period.most = max(period.most, running)
    if running > period.limit:
        period.above.append(load)


def _drain(periods: list[Period], spans: list[Span], at: float, before: int, running: int) -> None:
    """After a lowered limit, note when the node came down to it."""
    last = max((n for n, span in enumerate(spans) if span.begun[1] <= at), default=0)
    period = periods[last]
    lowered = last and spans[last].limit < spans[last - 1].limit
    if not lowered or period.drained is not None:
        return
    if before <= period.limit:
        period.drained = 0.0
    elif running <= period.limit:
        period.drained = at - spans[last].begun[1]
