"""The arithmetic under every figure that the tier with a real Velero tells."""

from __future__ import annotations

import pytest

from tests.velero import measure
from tests.velero.measure import Job, Overlap

A, B, C = (Job("a", 0, 0, 10), Job("b", 0, 0, 12), Job("c", 0, 10.5, 20))
"""Two at once, and a third that waits for the first to end."""


@pytest.mark.parametrize(
    ("jobs", "most"),
    [
        ([], 0),
        ([Job("waits", 0)], 0),
        ([A], 1),
        ([A, B, C], 2),
        ([A, Job("right-behind", 0, 10, 11)], 1),
        ([A, Job("inside", 0, 2, 3), Job("inside-too", 0, 3, 4)], 2),
        ([A, Job("never-ends", 0, 1), C], 2),
        ([Job("x", 0, 5), Job("y", 0, 5), Job("z", 0, 5)], 3),
        ([Job("nothing", 0, 3, 3), A], 1),
    ],
)
def test_most_at_once_is_seen_at_some_start(jobs: list[Job], most: int) -> None:
    assert measure.most_at_once(jobs) == most
    assert measure.most_at_once(jobs[::-1]) == most


@pytest.mark.parametrize(
    ("jobs", "limit", "found"),
    [
        ([A, B, C], 2, []),
        ([A, B, C], 1, [Overlap(0, 10, 2), Overlap(10.5, 12, 2)]),
        ([A, B, Job("third", 0, 4, 6)], 1, [Overlap(0, 10, 3)]),
        ([A, B, Job("third", 0, 4, 6)], 2, [Overlap(4, 6, 3)]),
        (
            [A, Job("never-ends", 0, 8), Job("last", 30, 30, 31)],
            1,
            [Overlap(8, 10, 2), Overlap(30, 31, 2)],
        ),
        ([A, Job("in-a-row", 0, 2, 5), Job("behind", 0, 5, 7)], 1, [Overlap(2, 7, 2)]),
    ],
)
def test_every_time_over_the_limit_is_found_as_one_piece(
    jobs: list[Job], limit: int, found: list[Overlap]
) -> None:
    assert measure.overlaps(jobs, limit) == found


def test_overlaps_last_as_long_as_they_do() -> None:
    assert [one.seconds for one in measure.overlaps([A, B, C], 1)] == [10, 1.5]


@pytest.mark.parametrize(
    ("jobs", "limit", "gaps"),
    [
        ([A, B, C], 2, [0.5]),
        # A place that nobody had before is no hand-over, however late it is taken.
        ([A, Job("late", 0, 7, 8)], 2, []),
        # Who came after the end waited for nobody.
        ([A, B, Job("came-later", 11, 11.2, 12)], 2, []),
        # Two ends, two starts: the first place is the first to be taken.
        ([A, B, Job("c", 1, 13, 14), Job("d", 1, 15, 16)], 2, [3, 3]),
        # Over the limit no end makes room until enough have gone.
        ([A, B, C], 1, []),
        ([A, B, Job("c", 0, 13, 14)], 1, [1]),
        ([A, Job("at-once", 0, 10, 12)], 1, [0]),
    ],
)
def test_a_hand_over_is_from_an_end_to_the_start_of_one_who_waited(
    jobs: list[Job], limit: int, gaps: list[float]
) -> None:
    assert measure.hand_overs(jobs, limit) == gaps


@pytest.mark.parametrize(
    ("jobs", "limit", "idle"),
    [
        ([A, B, C], 2, 0.5),
        ([A, B, C], 3, 10.5),
        ([A], 5, 0),
        # Three wait for two idle slots; then one for one.
        ([Job("x", 0, 4, 6), Job("y", 0, 4, 9), Job("z", 0, 7, 9)], 2, 8 + 1),
        ([Job("x", 0, 0, 1), Job("never", 0), Job("y", 5, 5, 6)], 1, 4),
        ([Job("x", 0, 0, 1), Job("came-later", 3, 4, 5)], 1, 1),
    ],
)
def test_a_slot_is_idle_only_while_somebody_waits(jobs: list[Job], limit: int, idle: float) -> None:
    assert measure.idle_seconds(jobs, limit) == pytest.approx(idle)


def test_the_order_is_that_of_the_starts() -> None:
    assert measure.order([C, Job("never", 0), B, A]) == ["a", "b", "c"]


def test_the_figures_are_those_of_one_limit() -> None:
    found = measure.figures([Job("a", 1, 2, 10), B, C], 2)
    assert found == measure.Figures(2, 0, (0.5,), 2.5, 20, ("b", "a", "c"))
    assert found.hand_over == 0.5
    assert measure.figures([A, B, C], 1).over == 11.5


def test_nothing_has_no_figures() -> None:
    assert measure.figures([], 2) == measure.Figures(0, 0, (), 0, 0, ())
    assert measure.figures([], 2).hand_over == 0
