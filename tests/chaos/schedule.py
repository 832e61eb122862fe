"""Which fault comes when: a seed decides all of it before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

GAPS = (2.0, 9.0)
"""Seconds between two faults."""
FIRST = 5.0
"""Seconds until the first fault: something has to run."""
LAST = 10.0
"""Seconds before the end after which no fault comes any more."""

KINDS: dict[str, tuple[int, tuple[float, float]]] = {
    "kill coordinator": (4, (1, 15)),
    "stop coordinator": (4, (1, 10)),
    "pause coordinator": (4, (2, 60)),
    "kill agent": (5, (0, 0)),
    "pause agent": (5, (2, 30)),
    "stop agent": (2, (0, 0)),
    "restart API server": (2, (0, 5)),
    "pause API server": (2, (2, 20)),
    "pause etcd": (2, (1, 15)),
    "stall link": (4, (2, 30)),
    "cut link": (3, (0, 0)),
    "refuse link": (2, (1, 15)),
    "slow link": (3, (2, 30)),
    "change limit": (6, (0, 0)),
    "break config": (1, (2, 20)),
}
"""How often each comes, against the others, and for how many seconds it lasts."""


@dataclass(frozen=True)
class Fault:
    """One fault; `which` in [0, 1) chooses the target among those there are by then."""

    at: float
    kind: str
    which: float
    seconds: float


def schedule(rng: Random, seconds: float) -> list[Fault]:
    """The faults of a run of so many seconds, in order. Long ones are rarer than short ones."""
    names, weights = list(KINDS), [weight for weight, _ in KINDS.values()]
    found, at = [], FIRST
    while at < seconds - LAST:
        (kind,) = rng.choices(names, weights)
        shortest, longest = KINDS[kind][1]
        lasts = shortest + (longest - shortest) * rng.random() ** 3
        found.append(Fault(at, kind, rng.random(), lasts))
        at += rng.uniform(*GAPS)
    return found
