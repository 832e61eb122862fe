"""Who has waited for long: told once for each wait, the longest first, a few at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

from coordinator.core.reasons import why_waiting
from coordinator.core.views import holders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coordinator.core.claims import Claim
    from coordinator.core.model import PodRef
    from coordinator.core.slots import NodeTable


@dataclass(frozen=True, slots=True)
class LongWait:
    """A claim that waits since `seconds` ago at `position` of `queued`, and why."""

    claim: str
    load: str
    pod: PodRef
    node: str
    seconds: float
    position: int
    queued: int
    reason: str
    """As those who wait are told it."""
    holders: tuple[str, ...]
    """The loads that have the node's slots."""


def long_waits(tables: Iterable[NodeTable], now: float, most: int) -> list[LongWait]:
    """The longest waits that are to be told of now, `most` at most; they count as told from here.

    Only claims with a Pod, which is what people look at, and only while somebody asks for them. A
    claim that left the queue and came back waits anew.
    """
    due = (one for table in tables for one in _due(table, now))
    first = nsmallest(most, due, key=lambda one: one[1].since)
    for _, claim, _ in first:
        claim.wait_told = True
    return [wait_of(table, claim, pod, now) for table, claim, pod in first]


def has_long_wait(table: NodeTable, now: float) -> bool:
    """Whether there is one to be told of; between two ticks that are due, none is added."""
    return any(True for _ in _due(table, now))


def longest_wait(table: NodeTable, now: float) -> float:
    """Seconds that the node's queue is behind: since when the first of those who still ask waits.

    0.0 while nobody waits. A new leader counts from its own start.
    """
    return max(0.0, now - waiting_since(table, now))


def waiting_since(table: NodeTable, now: float) -> float:
    """When the first of those came who still ask, infinity while nobody does.

    As long as nothing happens to the table this can only become later.
    """
    heard = now - table.policy.presence
    there = [one.since for one in table.roll.queue if one.polls or one.seen >= heard]
    return min(there, default=math.inf)


def _due(table: NodeTable, now: float) -> Iterator[tuple[NodeTable, Claim, PodRef]]:
    policy = table.policy
    for claim in table.roll.queue if policy.long_wait else ():
        pod, late = claim.terms.pod, now >= claim.since + policy.long_wait
        if late and pod and not claim.wait_told and claim.present(now, policy.presence):
            yield table, claim, pod


def wait_of(table: NodeTable, claim: Claim, pod: PodRef, now: float) -> LongWait:
    """The wait of a claim of the queue as it is now."""
    return LongWait(
        claim.id,
        claim.terms.load,
        pod,
        table.node,
        now - claim.since,
        table.roll.queue.position(claim),
        len(table.roll.queue),
        why_waiting(table, claim.id, now).text,
        tuple(held.load for held in holders(table)),
    )
