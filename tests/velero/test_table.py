"""The comparison of two limiters says what was measured, and of whom."""

from __future__ import annotations

import pytest

from tests.velero import table
from tests.velero.measure import Job
from tests.velero.turns import STEPS, Turn

SLOW = (Job("a", 0, 1, 10), Job("b", 0, 1, 12), Job("c", 0, 14, 20), Job("d", 0, 13, 19))
"""Both places are taken again after 3 and 2 seconds, and the last two in the wrong order."""
QUICK = (Job("a", 0, 2, 10), Job("b", 0, 2, 12), Job("c", 0, 11, 20), Job("d", 0, 13, 21))
CHAINS = ((10, 10.1, 10.3, 10.6, 10.7, 10.8, 11), (12, 12.1, 12.2, 12.4, 12.6, 12.7, 13))


def turn(
    limiter: str, jobs: tuple[Job, ...], memory: tuple[float, ...] = (), asked: int = 0
) -> Turn:
    own = CHAINS if limiter == "ours" else ()
    return Turn(limiter, jobs, jobs, jobs, own, memory, asked)


def rows(*turns: Turn) -> dict[str, list[str]]:
    """The cells of each line after its title."""
    lines = table.compare(turns, "theirs", "ours").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {title: rest for title, *rest in cells}


def test_each_limiter_has_its_own_column_and_the_ratio_is_ours_to_theirs() -> None:
    found = rows(turn("theirs", SLOW, (40, 50), 300), turn("ours", QUICK, (10,), 600))
    assert found["hand-over: one's data has moved to the next one's InProgress, s"] == [
        "2.50 (2.00 to 3.00)",
        "1.00",
        "0.40",
    ]
    assert found["idle slot seconds while a mover waits"] == ["7.0", "6.0", "0.86"]
    assert found["the whole, first volume made to last Completed, s"] == ["20.0", "21.0", "1.05"]
    assert found["memory of a mover that waits, MiB"] == ["45 (40 to 50)", "10", "0.22"]
    assert found["requests to the API server, by all"] == ["300", "600", "2.00"]
    assert found["movers at work at once, most"] == ["2", "2", "1.00"]


def test_turns_of_one_limiter_are_taken_together_and_the_worst_is_the_worst_of_all() -> None:
    found = rows(turn("theirs", SLOW), turn("ours", QUICK), turn("ours", SLOW))
    worst = found["the longest of them"]
    assert worst == ["3.00", "3.00", "1.00"]
    total = found["the whole, first volume made to last Completed, s"]
    assert total[1] == "20.5 (20.0 to 21.0)"


def test_a_limiter_without_turns_has_no_figures() -> None:
    found = rows(turn("theirs", SLOW))
    assert {cells[1] for cells in found.values()} == {"-"}
    assert {cells[2] for cells in found.values()} == {"-"}


@pytest.mark.parametrize(("jobs", "percent"), [(QUICK, 0), (SLOW, 100 / 6), (SLOW[::-1], 100 / 6)])
def test_disorder_is_the_share_of_pairs_that_changed_places(
    jobs: tuple[Job, ...], percent: float
) -> None:
    numbered = [Job(job.name, "abcd".index(job.name), job.started, job.ended) for job in jobs]
    assert table.disorder(numbered) == pytest.approx(percent)


def test_the_steps_of_all_hand_overs_are_told_with_their_sum() -> None:
    lines = table.steps([turn("theirs", SLOW), turn("ours", QUICK)]).splitlines()[2:]
    assert len(lines) == len(STEPS)
    assert lines[1].endswith("| 0.15 (0.10 to 0.20) |")
    assert lines[-1] == "| all of it | | 1.00 |"


def test_a_mover_is_at_work_from_in_progress_until_its_data_has_moved() -> None:
    seen = Turn("ours", (Job("a", 0, 3, 9),), (Job("a", 0, 5, 7),), (), (), (), 0)
    assert table.busy(seen) == [Job("a", 0, 3, 7)]
