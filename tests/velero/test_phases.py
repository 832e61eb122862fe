"""From what a watch tells to the jobs that are measured."""

from __future__ import annotations

from tests.velero.measure import Job
from tests.velero.phases import Course


def course(**since: float) -> Course:
    return Course("pvb", {"velero.io/backup-name": "all"}, {"": 1.0, **since})


def test_a_job_runs_from_in_progress_to_its_first_end() -> None:
    whole = course(New=1.5, Accepted=2, Prepared=3, InProgress=4, Completed=9)
    assert whole.job == Job("pvb", 1, 4, 9)
    assert course(InProgress=4, Canceling=5, Canceled=6).job == Job("pvb", 1, 4, 6)


def test_a_job_that_waits_or_runs_has_no_start_or_no_end() -> None:
    assert course(New=1.5).job == Job("pvb", 1)
    assert course(InProgress=4).job == Job("pvb", 1, 4)


def test_a_job_that_failed_before_it_ran_never_ran() -> None:
    assert course(New=1.5, Failed=7).job == Job("pvb", 1, None, 7)
