"""What clients saw of their slots, and what of it may not be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise


@dataclass
class Hold:
    """What one client saw of its slot, in seconds of one clock."""

    node: str
    lease: str
    token: int
    claim: str
    granted_at: float
    release_sent_at: float = float("inf")


def judge(holds: list[Hold], most: int) -> list[str]:
    """What the clients saw that may not be."""
    by_lease, by_node = defaultdict(list), defaultdict(list)
    for hold in sorted(holds, key=lambda one: one.granted_at):
        by_lease[hold.lease].append(hold)
        by_node[hold.node].append(hold)
    found = [fault for group in by_lease.values() for fault in _in_one_slot(group)]
    return found + [fault for group in by_node.values() for fault in _too_many(group, most)]


def overtaken(queued: list[Hold]) -> list[str]:
    """Claims, given in the order in which they queued, that somebody who came later was preferred
    to: their slot came free only after that one had been told of its own. Answers that pass each
    other on their way are no such thing.
    """
    free_since: dict[str, float] = {}
    last: dict[str, float] = {}
    for hold in sorted(queued, key=lambda one: one.granted_at):
        free_since[hold.claim] = last.get(hold.lease, float("-inf"))
        last[hold.lease] = hold.release_sent_at
    found, soonest = [], float("inf")
    for hold in reversed(queued):
        if free_since[hold.claim] > soonest:
            found.append(hold.claim)
        soonest = min(soonest, hold.granted_at)
    return found


def _in_one_slot(holds: list[Hold]) -> list[str]:
    found = []
    longest = holds[0]
    for before, after in pairwise(holds):
        if after.granted_at < longest.release_sent_at:
            found.append(f"two holders at once: {longest} and {after}")
        if after.token <= before.token:
            found.append(f"the fencing token did not grow: {before}, then {after}")
        longest = max(longest, after, key=lambda one: one.release_sent_at)
    return found


def _too_many(holds: list[Hold], most: int) -> list[str]:
    steps = [(hold.granted_at, 1) for hold in holds] + [(h.release_sent_at, -1) for h in holds]
    held, found = 0, []
    for at, step in sorted(steps):
        held += step
        if held > most:
            found.append(f"{held} holders on {holds[0].node} at {at}, the limit is {most}")
    return found
