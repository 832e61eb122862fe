"""The estimates that a recorded run would have had, held against what came.

`tests/data/recorded_holds.jsonl` is `slot-coordinator demo --seconds 110` as the stream of events
told it: each load with its node, and when it asked, was granted and ended, in seconds. The limits
were edited in its middle. Restores pass whoever waits, and three claims are always kept waiting.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from coordinator.core.durations import KEPT
from coordinator.core.estimate import Busy, Estimate, Line, Unforeseen, estimate

RECORD = Path(__file__).parents[1] / "data" / "recorded_holds.jsonl"
EDITED = 57.007
BEFORE, AFTER = {"node1": 3, "node2": 5, "node3": 2}, {"node1": 4, "node2": 2, "node3": 2}


class Hold(NamedTuple):
    node: str
    load: str
    asked: float
    granted: float
    ended: float

    @property
    def place(self) -> tuple[bool, float]:
        """Restores have a higher priority."""
        return not self.load.startswith("restore"), self.asked


HOLDS = [Hold(**json.loads(line)) for line in RECORD.read_text().splitlines()]


def told(hold: Hold) -> Estimate | Unforeseen:
    """What the load would have been told when it asked."""
    now, here = hold.asked, [one for one in HOLDS if one.node == hold.node]
    limit = (BEFORE if now < EDITED else AFTER)[hold.node]
    held = [one for one in here if one.granted <= now < one.ended]
    waits = [one for one in here if one.asked <= now < one.granted]
    place = sorted(waits, key=lambda one: one.place).index(hold)
    ended = sorted((one for one in here if one.ended <= now), key=lambda one: one.ended)
    busy = tuple(Busy(now - one.granted) for one in held)
    line = Line(limit, limit, busy, (False,) * len(waits), place)
    past = [one.ended - one.granted for one in ended[-KEPT:]]
    return estimate(line, past, hold.node)


def as_foreseen(hold: Hold) -> bool:
    """Whether nobody who came later was granted first, and the limits stayed."""
    here = [one for one in HOLDS if one.node == hold.node]
    passed = any(one.asked > hold.asked and one.granted < hold.granted for one in here)
    return not passed and not hold.asked < EDITED < hold.granted


WAITED = [hold for hold in HOLDS if hold.granted - hold.asked > 0.5]


def within(holds: list[Hold]) -> float:
    """The share of those that had an estimate whose wait lay in it."""
    pairs = [(told(hold), hold.granted - hold.asked) for hold in holds]
    known = [(one, wait) for one, wait in pairs if isinstance(one, Estimate)]
    assert len(known) >= 40
    return sum(one.low <= wait <= one.high for one, wait in known) / len(known)


def test_most_recorded_waits_lay_within_their_estimates_where_nobody_passed() -> None:
    assert within([hold for hold in WAITED if as_foreseen(hold)]) >= 0.68


def test_who_is_passed_by_later_claims_waits_longer_than_it_was_told() -> None:
    passed = [(told(hold), hold) for hold in WAITED if not as_foreseen(hold)]
    late = [
        hold.granted - hold.asked > one.seconds for one, hold in passed if isinstance(one, Estimate)
    ]
    assert sum(late) / len(late) > 0.8


def test_the_first_loads_of_a_node_had_nothing_to_go_by() -> None:
    first = min(WAITED, key=lambda hold: hold.asked)
    assert isinstance(told(first), Unforeseen)


def test_the_middle_of_the_estimates_is_near_the_middle_of_the_waits() -> None:
    holds = [hold for hold in WAITED if as_foreseen(hold)]
    pairs = [(told(hold), hold.granted - hold.asked) for hold in holds]
    off = [one.seconds - wait for one, wait in pairs if isinstance(one, Estimate)]
    assert sum(off) / len(off) == pytest.approx(0, abs=0.5)
