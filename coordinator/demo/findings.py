"""What is to be said at the end: the numbers, and everything that went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coordinator.demo.agents import LOST, REFUSED
from coordinator.demo.journal import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coordinator.demo.agents import Ended
    from coordinator.demo.cluster import Hand
    from coordinator.demo.journal import Handover, Note
    from coordinator.demo.judge import Period
    from coordinator.demo.watch import Counts


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in seconds, over so many hand-overs."""

    count: int
    p50: float
    p99: float


@dataclass
class Findings:
    """Everything that the summary shows. No problem: the demo succeeded."""

    loads: int
    cut_short: int
    lost_by_hand: int
    followed: bool
    """Whether the edit was made, and the coordinator's answers showed it in time."""
    periods: dict[str, list[Period]]
    counts: Counts | None
    latency: Latency | None
    problems: list[str] = field(default_factory=list)


def tally(notes: Sequence[Note]) -> tuple[int, int]:
    """How many loads ran, and how many of them never wrote their end."""
    started = {note.load for note in notes if note.kind == "start"}
    return len(started), len(started - {note.load for note in notes if note.kind == "end"})


def latency(handovers: Iterable[Handover]) -> Latency | None:
    """Over those whose successor was waiting; None when there was none."""
    gaps = [one.seconds for one in handovers if one.waited]
    return Latency(len(gaps), percentile(gaps, 50), percentile(gaps, 99)) if gaps else None


def breaches(periods: Mapping[str, Iterable[Period]]) -> list[str]:
    """One sentence for each limit that was not kept."""
    return [
        f"{node} was above its limit of {period.limit}: {period.most} ran at once"
        f" (started while it was full: {', '.join(period.above)})"
        for node, its in periods.items()
        for period in its
        if period.above
    ]


def idle(periods: Mapping[str, Iterable[Period]]) -> list[str]:
    """One sentence for each node that ran nothing: then it proved nothing."""
    return [
        f"{node} ran no load at all"
        for node, its in periods.items()
        if not any(period.started for period in its)
    ]


def unexplained(ended: Iterable[Ended], hands: Iterable[Hand], notes: Iterable[Note]) -> list[str]:
    """One sentence for each agent that ended badly, unless somebody had a hand in it.

    An agent whose Lease was deleted or cleared says that its slot is lost; one whose node was
    deleted is refused.
    """
    ended, hands = list(ended), list(hands)
    by_hand = freed_by_hand(ended, hands, notes)
    nodes = {hand.name for hand in hands if hand.resource == "nodes"}
    return [
        f"the agent of {one.load} on {one.node} ended with code {one.code}"
        for one in ended
        if one.load not in by_hand and not (one.code == REFUSED and one.node in nodes)
    ]


def freed_by_hand(
    ended: Iterable[Ended], hands: Iterable[Hand], notes: Iterable[Note]
) -> frozenset[str]:
    """The loads that lost their slot because somebody deleted or cleared its Lease."""
    touched = {hand.name for hand in hands if hand.resource == "leases"}
    leases = {note.load: note.lease for note in notes}
    return frozenset(
        one.load for one in ended if one.code == LOST and leases.get(one.load) in touched
    )
