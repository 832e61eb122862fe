"""How long a claim is likely to wait, from how long the node's last loads held their slots.

The queue is played through `SCENARIOS` times. In each, a holder that has had its slot for a while
keeps it as long as one of the loads that took longer than that, drawn at random, and each claim of
the queue in its turn holds as long as one of all loads. The claim's starts, sorted, give the
median and the 10th and 90th percentile. Nobody comes later and no limit changes: those are not
foreseen. The draws depend on the node's name alone, so the same picture has the same answer, and
whoever is further back in the queue never has the lower one.

A holder that is older than every load seen cannot be foreseen: its slot does not come free, in any
scenario. Where no slot can be foreseen there is no estimate, nor with fewer than `FEWEST` loads.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import inf, isinf
from random import Random
from typing import TYPE_CHECKING

from coordinator.core.playing import Apart, Queues, play

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FEWEST = 5
"""Loads of the node that must have ended before anything is said of its next ones."""
SCENARIOS = 64
MOST_STEPS = 3000
"""Slots and claims of a scenario at most: an answer may not keep the coordinator busy."""
METHOD = (
    "the queue played through {scenarios} times with durations drawn from the last {samples} loads"
    " of this node; median, 10th and 90th percentile; later arrivals are not foreseen"
)

_GRAIN = 256
"""Points at which the distribution of durations is kept: a random byte draws one."""
_EVEN = 24
"""Slots and claims whose draws are spread evenly: the estimates near the head rest on few."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A slot that is taken: for how long in seconds, or `inf` for one that never comes free.

    0 is right for a slot that is just being granted, and an upper bound where nobody knows. A slot
    that is just being given back is `parting`.
    """

    age: float
    urgent: bool = False
    parting: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Who has the node's slots and who waits, as far as the wait of `place` depends on it.

    `waiting` tells of each claim of the queue whether it may use the slots that are kept for
    urgent ones; `place` counts from 0. `ordinary` is how many slots the others may have.
    """

    limit: int
    ordinary: int
    busy: tuple[Busy, ...]
    waiting: tuple[bool, ...]
    place: int

    @property
    def apart(self) -> bool:
        """Whether slots that are kept for urgent claims make a difference."""
        return self.ordinary < self.limit and not all(self.waiting)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until the grant: the median, and the 10th and 90th percentile."""

    seconds: float
    low: float
    high: float
    samples: int
    """How many durations it rests on."""
    method: str


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """There is no estimate, and why."""

    why: str


def estimate(line: Line, durations: Sequence[float], node: str) -> Estimate | Unforeseen:
    """The wait of the claim at `line.place`, counted from now."""
    if len(durations) < FEWEST:
        return Unforeseen(too_few(node, len(durations)))
    if _cost(line) > MOST_STEPS:
        return Unforeseen(f"the queue of {node} is too long to be played through")
    curve = spread(durations)
    rng = Random(node)  # noqa: S311 - no secret
    draws = _draws(len(line.busy), len(line.waiting), len(durations), rng)
    queues = Queues.before(line.place, line.waiting)
    starts = sorted(_scenario(line, queues, curve, *drawn) for drawn in draws)
    if isinf(starts[-1]):
        return Unforeseen(
            "nobody can foresee when a slot comes free: those who hold are silent, or hold for"
            f" longer than any of the last {len(durations)} loads did"
        )
    low, middle, high = (starts[round(part * (SCENARIOS + 1)) - 1] for part in (0.1, 0.5, 0.9))
    method = METHOD.format(scenarios=SCENARIOS, samples=len(durations))
    return Estimate(middle, low, high, len(durations), method)


def _cost(line: Line) -> int:
    """Steps of one scenario; urgent claims that pass others are a dozen times as dear."""
    urgent = sum(line.waiting) if line.apart else 0
    return len(line.busy) + len(line.waiting) + 12 * urgent


def too_few(node: str, number: int) -> str:
    """That nothing can be said after so many loads."""
    have = "load has" if number == 1 else "loads have"
    return (
        f"too little to go by: {number or 'no'} {have} ended on {node} under this coordinator's"
        f" eyes, and {FEWEST} are needed"
    )


def spread(durations: Sequence[float]) -> list[float]:
    """The distribution of the durations at `_GRAIN` points of equal weight, in rising order.

    Between two durations it is drawn straight. Each of n lies at k / (n + 1), as the k-th of n
    draws does on average, so few durations do not seem surer than they are.
    """
    known = sorted(durations)
    last = len(known) - 1
    curve = []
    for point in range(_GRAIN):
        at = min(max((point + 0.5) / _GRAIN * (len(known) + 1) - 1, 0.0), float(last))
        below = int(at)
        above = min(below + 1, last)
        curve.append(known[below] + (at - below) * (known[above] - known[below]))
    return curve


def _draws(holders: int, waiting: int, samples: int, rng: Random) -> Iterator[tuple[bytes, bytes]]:
    """The draws of each scenario, for those who hold and for those who wait, a byte each.

    The first of them are spread evenly over the scenarios; the rest is left to chance, which evens
    out over many. All places draw the same, whoever asks: so none has a lower answer than one
    before it.
    """
    number = holders + waiting
    even = min(number, _EVEN)
    columns = [rng.sample(range(SCENARIOS), SCENARIOS) for _ in range(even)]
    step = _GRAIN // SCENARIOS
    for row in zip(*columns, strict=True):
        drawn = bytes(step * one + rng.randrange(step) for one in row) + rng.randbytes(
            number - even
        )
        yield drawn[:holders], drawn[holders:].translate(_another_past(samples, rng))


def _another_past(samples: int, rng: Random) -> bytes:
    """For each point of the curve one of a history that might as well have been (a bootstrap).

    That few loads were seen makes the sum of many that come less sure than it would seem.
    """
    points = sorted(rng.randbytes(samples))
    return bytes(points[point * samples // _GRAIN] for point in range(_GRAIN))


def _scenario(line: Line, queues: Queues, curve: list[float], first: bytes, later: bytes) -> float:
    """When the claim starts in one scenario, with the draws of who holds and of who waits."""
    ends = [_end(slot, curve, byte) for slot, byte in zip(line.busy, first, strict=True)]
    if line.apart:
        urgent = [slot.urgent for slot in line.busy]
        return Apart(line.limit, line.ordinary, ends, urgent, queues, curve, later).start()
    return play(line.limit, ends, [curve[byte] for byte in later[: line.place]])


def _end(slot: Busy, curve: list[float], drawn: int) -> float:
    """When the slot comes free: what is left of a load that took longer than its age."""
    if slot.parting:
        return 0.0
    longer = bisect_right(curve, slot.age)
    left = _GRAIN - longer
    return curve[longer + drawn * left // _GRAIN] - slot.age if left else inf
