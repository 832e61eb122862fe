"""From what was heard of a backup to the hand-overs of its slots."""

from __future__ import annotations

from tests.velero.measure import Job
from tests.velero.moments import Moments
from tests.velero.phases import Course
from tests.velero.turns import STEPS, chains


def course(name: str, arrived: float, prepared: float) -> Course:
    since = {"": arrived, "Prepared": prepared, "InProgress": prepared + 0.1}
    return Course(name, {"velero.io/backup-name": "all"}, since)


LAST, NEXT = course("last", 0, 2), course("next", 1, 12)
WORK = (Job("last", 0, 3, 10), Job("next", 1, 13, 20))
RUNS = (Job("last", 0, 1.5, 10.5), Job("next", 1, 11.5, 20.5))


def test_a_chain_has_every_step_from_the_last_ones_data_to_the_next_ones() -> None:
    heard = Moments({"node-slot-0": [("last", 1), ("next", 11)]})
    (chain,) = chains([LAST, NEXT], WORK, RUNS, heard)
    assert chain == (10, 10.5, 11, 11.5, 12, 12.1, 13)
    assert len(chain) == len(STEPS)


def test_other_slots_other_backups_and_newcomers_give_no_chain() -> None:
    apart = Moments({"node-slot-0": [("last", 1)], "node-slot-1": [("before", 1), ("next", 11)]})
    assert not list(chains([LAST, NEXT], WORK, RUNS, apart))
    newcomer = (WORK[0], Job("next", 10.2, 13, 20))
    one_after_the_other = Moments({"node-slot-0": [("last", 1), ("next", 11)]})
    assert not list(chains([LAST, NEXT], newcomer, RUNS, one_after_the_other))
