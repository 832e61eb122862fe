"""A seed decides which faults come, and every kind of fault can be done."""

from __future__ import annotations

from random import Random

from tests.chaos.schedule import FIRST, KINDS, LAST, schedule
from tests.chaos.trouble import STRIKES


def test_the_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    assert schedule(Random(1), 120) == schedule(Random(1), 120)
    assert schedule(Random(1), 120) != schedule(Random(2), 120)


def test_faults_come_in_order_and_leave_time_at_both_ends() -> None:
    times = [fault.at for fault in schedule(Random(3), 600)]
    assert times == sorted(times)
    assert times[0] >= FIRST
    assert times[-1] <= 600 - LAST


def test_every_kind_comes_within_an_hour_and_lasts_as_long_as_it_may() -> None:
    faults = schedule(Random(4), 3600)
    assert {fault.kind for fault in faults} == KINDS.keys() == STRIKES.keys()
    for fault in faults:
        shortest, longest = KINDS[fault.kind][1]
        assert shortest <= fault.seconds <= longest
