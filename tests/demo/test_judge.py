"""The judge: a made-up journal, and what must come of it."""

from __future__ import annotations

import pytest

from coordinator.demo.journal import Note, parse
from coordinator.demo.judge import Limits, Period, judge

NODE = "node1"


def limits(*seen: tuple[int, float]) -> dict[str, Limits]:
    """Looks, each of no duration: a limit and when it was seen."""
    told = Limits()
    for limit, at in seen:
        told.see(limit, at, at)
    return {NODE: told}


def journal(*lines: str) -> list[Note]:
    """`+a 3`: load a starts at 3; `-a 4`: it ends at 4."""
    notes = []
    for line in lines:
        name, at = line[1:].split()
        kind = "start" if line[0] == "+" else "end"
        notes.append(parse(f"{kind} {name} {NODE} {NODE}-slot-0 1 {at}"))
    return notes


def test_as_many_as_the_limit_at_once_are_fine() -> None:
    notes = journal("+a 1", "+b 2", "-a 3", "+c 3", "-b 4", "-c 5")
    assert judge(notes, limits((2, 0)), {})[NODE] == [Period(2, started=3, most=2)]


def test_one_more_than_the_limit_is_found_and_named() -> None:
    (period,) = judge(journal("+a 1", "+b 2", "+c 3"), limits((2, 0)), {})[NODE]
    assert (period.most, period.above) == (3, ["c"])


def test_the_order_of_the_lines_counts_and_not_their_times() -> None:
    (period,) = judge(journal("+a 1", "-a 9", "+b 2"), limits((1, 0)), {})[NODE]
    assert not period.above


def test_a_lowered_limit_evicts_nobody_and_lets_nobody_in() -> None:
    seen = limits((3, 0), (1, 10))
    notes = journal("+a 1", "+b 2", "+c 3", "-a 12", "-b 13", "-c 14", "+d 15")
    before, after = judge(notes, seen, {"a": 1, "b": 2, "c": 3, "d": 15})[NODE]
    assert (before.most, before.above) == (3, [])
    assert (after.most, after.above) == (1, [])
    assert after.drained == pytest.approx(3)


def test_a_grant_under_a_lowered_limit_while_the_node_is_still_full_is_found() -> None:
    seen = limits((3, 0), (1, 10))
    notes = journal("+a 1", "+b 2", "+c 3", "-a 12", "+d 12")
    _, after = judge(notes, seen, {"a": 1, "b": 2, "c": 3, "d": 12})[NODE]
    assert after.above == ["d"]


def test_a_grant_from_before_the_change_may_start_after_it() -> None:
    seen = limits((2, 0), (1, 10))
    _, after = judge(journal("+a 1", "+b 11"), seen, {"a": 1, "b": 9.9})[NODE]
    assert (after.started, after.above) == (0, [])


def test_between_two_looks_the_larger_limit_may_have_been_in_force() -> None:
    seen = limits((1, 0), (1, 9), (2, 10))
    before, after = judge(journal("+a 1", "+b 9.5"), seen, {"a": 1, "b": 9.4})[NODE]
    assert (before.started, after.started, after.above) == (1, 1, [])


def test_a_raised_limit_does_not_excuse_what_came_before_it() -> None:
    seen = limits((1, 0), (1, 9), (2, 10))
    before, _ = judge(journal("+a 1", "+b 8"), seen, {"a": 1, "b": 8})[NODE]
    assert before.above == ["b"]


def test_a_lowered_limit_that_was_not_reached_needs_no_draining() -> None:
    seen = limits((3, 0), (2, 10))
    _, after = judge(journal("+a 1", "-a 12"), seen, {"a": 1})[NODE]
    assert after.drained == 0


def test_a_load_whose_slot_was_freed_by_hand_does_not_count() -> None:
    (period,) = judge(journal("+a 1", "+b 2"), limits((1, 0)), {}, {"a"})[NODE]
    assert (period.started, period.above) == (1, [])
