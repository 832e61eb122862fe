"""A mover's life from its work and its Pod: what counts as moving, up, waiting, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coordinator.observe.runs import Run, Stage, join
from tests.observe.worlds import RESTORE, T, mover, work

if TYPE_CHECKING:
    from coordinator.velero.world import Mover, Work


def only(works: list[Work], movers: list[Mover]) -> Run:
    (run,) = join(works, movers)
    return run


@pytest.mark.parametrize(
    ("its_work", "its_pod", "stage"),
    [
        (work("a", "n", ""), None, Stage.NEW),
        (work("a", "n", "New"), None, Stage.NEW),
        (work("a", "n", "Accepted"), None, Stage.WAITING),
        (work("a", "n", "Accepted"), mover("a", "n"), Stage.WAITING),
        (work("a", "n", "Accepted"), mover("a", "n", up=4), Stage.IDLE),
        (work("a", "n", "Prepared"), mover("a", "n", up=4), Stage.IDLE),
        (work("a", "n", "Prepared"), None, Stage.IDLE),
        (work("a", "n", "InProgress", 5), mover("a", "n", up=4), Stage.MOVING),
        (work("a", "n", "InProgress", 5), None, Stage.MOVING),
        (work("a", "n", "Canceling", 5), mover("a", "n", up=4), Stage.MOVING),
        (work("a", "n", "InProgress", 5), mover("a", "n", up=4, down=9), Stage.ENDED),
        (work("a", "n", "Canceled", 5, 9), mover("a", "n", up=4), Stage.MOVING),
        (work("a", "n", "Completed", 5, 9), None, Stage.ENDED),
        (work("a", "n", "Failed", 9, 9), mover("a", "n"), Stage.ENDED),
        (None, mover("a", "n"), Stage.WAITING),
        (None, mover("a", "n", up=4), Stage.MOVING),
        (None, mover("a", "n", up=4, down=9), Stage.ENDED),
        (None, replace(mover("a", "n"), phase="Failed"), Stage.ENDED),
    ],
)
def test_the_stage_follows_from_both(
    its_work: Work | None, its_pod: Mover | None, stage: Stage
) -> None:
    works, movers = [its_work] if its_work else [], [its_pod] if its_pod else []
    assert only(works, movers).stage is stage


def test_work_and_pod_of_one_name_and_kind_are_one_run() -> None:
    works = [work("a", "n"), work("a", "n", kind=RESTORE), work("b", "n")]
    runs = join(works, [mover("a", "n", up=4), mover("z", "n")])
    assert [run.id for run in runs] == [
        *("PodVolumeBackup/a", "PodVolumeBackup/b", "PodVolumeRestore/a", "PodVolumeBackup/z"),
    ]
    assert [run.up for run in runs] == [T + 4, None, None, None]


def test_a_wait_begins_when_the_pod_could_be_made() -> None:
    """Accepted 20 s after it was asked for, and its Pod made 30 s later: 30 s are Velero's own."""
    late = replace(work("a", "n", "InProgress", 90), accepted=T + 20)
    run = only([late], [replace(mover("a", "n", up=88), created=T + 50)])
    assert (run.asked, run.ready) == (T, T + 30)
    assert run.waited(T + 1000) == 60


def test_data_moves_until_the_first_of_the_two_ends() -> None:
    run = only([work("a", "n", "Completed", 5, 50)], [mover("a", "n", up=4, down=48)])
    assert (run.moving, run.done, run.down) == (T + 5, T + 48, T + 48)
    assert only([work("a", "n", "Completed", 5, 50)], []).done == T + 50


@pytest.mark.parametrize("phase", ["Failed", "Canceled"])
def test_what_failed_before_it_started_never_moved(phase: str) -> None:
    """Velero writes one time as both."""
    run = only([work("a", "n", phase, 1800, 1800)], [])
    assert run.moving is None
    assert only([work("a", "n", phase, 1700, 1800)], []).moving == T + 1700


def test_who_waits_has_waited_until_now_and_never_less_than_nothing() -> None:
    run = only([work("a", "n")], [])
    assert run.waited(T + 60) == 60
    assert run.waited(T - 60) == 0  # this clock is behind the cluster's
