"""The candidate's decisions, by table: what is known, what the time is, what it does."""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING

import pytest

from coordinator.kube.candidate import Candidate, Leader, Read, Step, Timing, Wait, Write
from coordinator.kube.election_record import Record

if TYPE_CHECKING:
    from collections.abc import Callable


class Highest(Random):
    """All jitter at its most."""

    def uniform(self, a: float, b: float) -> float:
        return b


def record(version: int, holder: str = "other", **more: object) -> Record:
    """A Lease; each version was renewed anew unless told otherwise."""
    given: dict[str, object] = {
        "uid": "u",
        "url": f"http://{holder}",
        "renewed": f"t{version}",
        "duration": 15.0,
        "whole": {},
    }
    return Record(version=version, holder=holder, **given | more)  # type: ignore[arg-type]


def candidate(seen: Record | None = None, at: float = 100.0) -> Candidate:
    """One that has read the Lease."""
    made = Candidate("me", "http://me", Timing(), Highest())
    made.reading()
    made.saw(seen, at, at)
    return made


def leader(at: float = 100.0) -> Candidate:
    """One whose write, sent at `at`, made version 11."""
    made = candidate(record(10, ""), at - 1)
    made.sending()
    made.wrote(made.record, record(11, "me"), at, at + 0.1)
    return made


MINE = record(11, "me")


@pytest.mark.parametrize(
    ("known", "now", "step"),
    [
        (None, 100.0, Wait(100.3)),
        (None, 100.3, Write(None)),
        (record(5, ""), 100.3, Write(record(5, ""))),
        (record(5), 100.3, Wait(110.0)),
        (record(5), 110.0, Read()),
        (record(5), 115.2, Read()),
        (record(5), 115.3, Write(record(5))),
        (record(5, duration=0.0), 115.3, Write(record(5, duration=0.0))),
        (record(5, duration=4.0), 104.3, Write(record(5, duration=4.0))),
        (record(5, duration=1e9), 399.0, Read()),
        (record(5, duration=1e9), 400.3, Write(record(5, duration=1e9))),
        (MINE, 100.0, Write(MINE)),
    ],
)
def test_what_it_does_after_a_first_look_at_100(
    known: Record | None, now: float, step: Step
) -> None:
    assert candidate(known).step(now) == step


def test_it_reads_before_it_does_anything_else() -> None:
    assert Candidate("me", "", Timing(), Random(1)).step(-1e9) == Read()


Told = list["Callable[[Candidate], None]"]


@pytest.mark.parametrize(
    ("told", "now", "step"),
    [
        ([], 101.9, Wait(102.0)),
        ([], 102.0, Write(MINE)),
        # Label edits are no doubt; their version is what the next write stands on.
        ([lambda c: c.heard(record(12, "me"), 12, 101)], 102.0, Write(record(12, "me"))),
        # Old news change nothing; newer ones of another holder mean to wait for its time.
        ([lambda c: c.heard(record(9), 9, 101)], 102.0, Write(MINE)),
        ([lambda c: c.heard(None, 11, 101)], 102.0, Write(MINE)),
        ([lambda c: c.heard(record(12), 12, 101)], 102.0, Wait(111)),
        ([lambda c: c.heard(None, 12, 101)], 102.0, Write(None)),
        # A list from before its own write tells nothing, but a restored etcd looks like that.
        ([lambda c: c.listed(None, 9, 101)], 101.0, Read()),
        ([lambda c: c.listed(record(12), 14, 101)], 101.0, Wait(111)),
        # A refusal is looked at in no time, and written after half to one `retry`.
        ([Candidate.sending, lambda c: c.refused(102)], 102.1, Read()),
        # A failure is waited for, from the send on, and read back.
        ([Candidate.sending, lambda c: c.failed(102, 103, None)], 103.0, Wait(104)),
        ([Candidate.sending, lambda c: c.failed(102, 103, None)], 104.0, Read()),
        ([Candidate.sending, lambda c: c.failed(102, 107, None)], 107.0, Read()),
        # Retry-After counts for half of what is left until the deadline at 110.
        ([Candidate.sending, lambda c: c.failed(102, 102, 3.0)], 102.0, Wait(105)),
        ([Candidate.sending, lambda c: c.failed(102, 102, 60.0)], 102.0, Wait(106)),
        # Past the deadline, `lease` seconds are patience enough.
        ([Candidate.sending, lambda c: c.failed(120, 120, 60.0)], 120.0, Wait(135)),
    ],
)
def test_what_a_leader_since_100_does(told: Told, now: float, step: Step) -> None:
    made = leader()
    for tell in told:
        tell(made)
    assert made.step(now) == step


@pytest.mark.parametrize(
    ("told", "deadline"),
    [
        ([], 110.0),
        ([lambda c: c.wrote(MINE, record(12, "me"), 104, 109)], 114.0),
        # The same text twice is no write: nobody else heard of it.
        ([lambda c: c.wrote(MINE, MINE, 104, 104.1)], 110.0),
        # An answer that arrives after news of its successor.
        (
            [
                lambda c: c.heard(record(13), 13, 104.2),
                lambda c: c.wrote(MINE, record(12, "me"), 104, 104.3),
            ],
            -inf,
        ),
        (
            [
                lambda c: c.heard(record(13, "me"), 13, 104.2),
                lambda c: c.wrote(MINE, record(12, "me"), 104, 104.3),
            ],
            114.0,
        ),
        ([lambda c: c.heard(record(12), 12, 104)], -inf),
        ([lambda c: c.heard(None, 12, 104)], -inf),
        ([lambda c: c.heard(record(12, ""), 12, 104)], -inf),
        ([lambda c: c.heard(record(12, "me"), 12, 104)], 110.0),
        ([lambda c: c.listed(None, 9, 104)], 110.0),
        ([Candidate.reading, lambda c: c.saw(record(12), 104, 104)], -inf),
        ([Candidate.reading, lambda c: c.saw(record(12, "me"), 104, 104)], 110.0),
        ([lambda c: c.failed(104, 104, None)], 110.0),
        ([lambda c: c.lapse(109.9)], 110.0),
        ([lambda c: c.lapse(110)], -inf),
        ([Candidate.resign], -inf),
    ],
)
def test_until_when_a_leader_since_100_leads(told: Told, deadline: float) -> None:
    made = leader()
    for tell in told:
        tell(made)
    assert made.deadline == deadline


def test_an_own_write_that_only_a_read_shows_is_no_leadership() -> None:
    made = candidate(record(10, ""))
    made.sending()
    made.failed(100, 105, None)
    made.reading()
    made.saw(MINE, 105, 105)
    assert (made.deadline, made.leader(105)) == (-inf, None)
    assert made.step(107) == Write(MINE)


@pytest.mark.parametrize(
    ("now", "expected", "lapse"),
    [(114.9, Leader("other", "http://other"), 115.0), (115.0, None, inf)],
)
def test_another_leads_until_its_time_is_over(
    now: float, expected: Leader | None, lapse: float
) -> None:
    made = candidate(record(5))
    assert (made.leader(now), made.lapse(now)) == (expected, lapse)


def test_only_what_its_holder_wrote_gives_a_holder_more_time() -> None:
    made = candidate(record(5))
    made.heard(record(6, renewed="t5"), 6, 109)
    assert made.lapse(109) == 115
    made.heard(record(7), 7, 109)
    assert made.lapse(109) == 124


def test_a_read_that_the_watch_overtook_changes_nothing() -> None:
    made = candidate(record(5))
    made.reading()
    made.heard(record(8, ""), 8, 101)
    made.saw(record(6), 100.5, 101)
    assert made.step(101.3) == Write(record(8, ""))


def test_a_read_of_a_restored_etcd_is_believed() -> None:
    made = leader()
    made.refused(102)
    made.reading()
    made.saw(record(3, "me"), 102, 102)
    assert made.step(104) == Write(record(3, "me"))


def test_after_a_failure_a_read_and_the_next_write_are_no_pair() -> None:
    made = leader()
    made.sending()
    made.failed(102, 102, None)
    made.reading()
    made.saw(MINE, 104, 104)
    assert made.step(104) == Wait(106)
    assert made.step(106) == Write(MINE)


def test_a_contested_write_is_tried_again_after_a_pause() -> None:
    made = leader()
    made.sending()
    made.refused(102)
    made.reading()
    made.saw(record(12, "me"), 102, 102)
    assert made.step(102) == Wait(104)


@pytest.mark.parametrize(
    "wrong", [(10, 10, 2), (15, 2, 2), (15, 10, 0), (301, 10, 2), (15, 10, -1)]
)
def test_timing_that_could_make_two_leaders_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="lease > renew > retry"):
        Timing(*wrong)
