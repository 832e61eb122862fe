"""The log's lines: one at each change, a reminder a minute, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from agent_client.hold.record import duration
from agent_client.hold.reporter import Reporter
from tests.agent_client.hold.scene import LOST, Scene, granted, queued, refused


class Log:
    def __init__(self) -> None:
        self.scene = Scene()
        self.reporter = Reporter()
        self.told = self.scene.step()
        self.first = self.look(0)

    def look(self, now: float) -> list[str]:
        return self.reporter.news(self.told, now)[1]

    def answer(self, state: dict[str, Any], now: float) -> list[str]:
        self.told = self.scene.answer(state)
        return self.look(now)


def test_it_says_at_once_that_it_waits_and_where() -> None:
    (line,) = Log().first
    where = "asking the coordinator at http://coordinator:8443"
    assert line == f"load job waits for a slot of node1 in pool velero: {where}"


def test_each_change_of_the_place_is_one_line_that_says_who_holds() -> None:
    log = Log()
    (line,) = log.answer(queued(2, "b", "a"), 3)
    assert line.endswith("position 2, 1 of 1 are held (held by a, b) (for 3 s)")
    assert log.answer(queued(2, "b", "a"), 9) == []
    assert len(log.answer(queued(1, "b"), 10)) == 1


def test_while_it_waits_it_reminds_once_a_minute_and_while_it_holds_never() -> None:
    log = Log()
    log.answer(queued(), 0)
    assert [now for now in range(1, 190) if log.look(now)] == [60, 120, 180]
    assert log.answer(granted(), 190)[0].endswith("fencing token 7) (after 3 min 10 s)")
    assert [now for now in range(191, 1000) if log.look(now)] == []


def test_a_loss_is_loud_and_says_that_the_load_cannot_be_stopped() -> None:
    log = Log()
    log.answer(granted(), 1)
    loud, quiet = log.answer(LOST, 5)
    assert "HAS LOST ITS SLOT: slot lost" in loud
    assert "hold cannot stop another container" in loud
    assert "it had one and lost it: slot lost" in quiet


def test_a_refusal_is_told_in_the_coordinators_words() -> None:
    (line,) = Log().answer(refused("claim-mismatch", 409), 1)
    assert "was refused a slot of node1 in pool velero: claim mismatch" in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86400 * 3 + 7200, "3 d 2 h"),
        (-5, "0 s"),
    ],
)
def test_lengths_of_time_are_told_in_their_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
