"""The figures of hand-made spells, worked out by hand."""

from __future__ import annotations

from coordinator.observe.measure import Spell, Waits, limit_at, measure, together


def spell(name: str, ready: float, moving: float, done: float, *, restores: bool = False) -> Spell:
    return Spell(name, restores, ready, moving, done)


LIMIT_1 = ((0.0, 1),)


def test_two_at_once_where_one_may_is_one_overlap() -> None:
    found = measure([spell("a", 0, 0, 10), spell("b", 0, 4, 12)], LIMIT_1)
    assert (found.overlaps, found.over_seconds, found.over_most, found.most) == (1, 6, 1, 2)


def test_overlaps_that_touch_are_one_and_those_apart_are_two() -> None:
    touching = [spell("a", 0, 0, 20), spell("b", 0, 2, 5), spell("c", 0, 5, 8)]
    apart = [spell("a", 0, 0, 20), spell("b", 0, 2, 5), spell("c", 0, 6, 8)]
    assert measure(touching, LIMIT_1).overlaps == 1
    assert measure(apart, LIMIT_1).overlaps == 2


def test_the_end_of_one_and_the_start_of_the_next_at_one_moment_is_no_overlap() -> None:
    assert measure([spell("a", 0, 0, 5), spell("b", 0, 5, 9)], LIMIT_1).overlaps == 0


def test_a_free_slot_is_idle_only_while_somebody_waits() -> None:
    alone = measure([spell("a", 0, 3, 10)], ((0.0, 2),))
    assert alone.idle == 3  # one waits for 3 s, however many slots are free
    both = measure([spell("a", 0, 0, 10), spell("b", 2, 6, 8)], ((0.0, 2),))
    assert both.idle == 4
    assert measure([spell("a", 0, 0, 10), spell("b", 2, 10, 12)], LIMIT_1).idle == 0


def test_a_limit_counts_from_its_moment_on() -> None:
    steps = ((0.0, 2), (5.0, 1))
    found = measure([spell("a", 0, 0, 10), spell("b", 0, 0, 8)], steps)
    assert (found.overlaps, found.over_seconds) == (1, 3)
    assert [limit_at(steps, at) for at in (-1, 0, 4.9, 5, 99)] == [2, 2, 2, 1, 1]


def test_time_without_work_is_not_busy() -> None:
    assert measure([spell("a", 0, 1, 10), spell("b", 100, 101, 110)], LIMIT_1).busy == 20


def test_waits_are_told_for_all_and_by_kind() -> None:
    spells = [spell("a", 0, 2, 9), spell("b", 0, 10, 12), spell("r", 0, 6, 9, restores=True)]
    found = measure(spells, LIMIT_1)
    assert found.waits == Waits(3, 6, 10)
    assert (found.backups, found.restores) == (Waits(2, 6, 10), Waits(1, 6, 6))


def test_of_all_nodes_times_are_added_but_busy_is_one_time() -> None:
    one, two = [spell("a", 0, 0, 10), spell("b", 0, 0, 4)], [spell("c", 0, 5, 15)]
    found = together([(one, measure(one, LIMIT_1)), (two, measure(two, LIMIT_1))])
    assert (found.overlaps, found.over_seconds, found.idle) == (1, 4, 5)
    assert (found.most, found.busy, found.waits.count) == (2, 15, 3)


def test_nothing_gives_zeros() -> None:
    found = measure([], LIMIT_1)
    assert (found.most, found.busy, found.waits) == (0, 0, Waits(0, 0, 0))
