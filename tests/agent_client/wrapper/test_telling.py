"""What is said while waiting: plain lines, JSON, and the line that updates."""

from __future__ import annotations

import json

import pytest

from agent_client.messages import Queued, Waiter
from agent_client.wrapper.line import Line, fit
from agent_client.wrapper.telling import Json, Plain, span

PLACE = Queued(2, "7.1", "1 of 1 slots of node1 are held", (Waiter("c0", "backup"),))
FIRST = Queued(1, "7.1", PLACE.reason, (Waiter("c9", "scan"),))


def test_who_holds_is_told_with_how_long_as_time_goes_on() -> None:
    stage = Stage()
    stage.seconds = 10
    holders = (Waiter("c0", "backup", 741), Waiter("c9", "scan"))
    stage.plain.queued(Queued(2, "7.1", PLACE.reason, holders))
    stage.seconds = 70
    stage.plain.tick(None)
    told = [line.rpartition("; held by ")[2] for line in stage.said]
    assert told == ["backup for 12:21, scan", "backup for 13:21, scan"]


class FakeScreen:
    """Remembers the terminal's lines; `width` and `is_ours` as the test sets them."""

    def __init__(self) -> None:
        self.lines = [""]
        self.writes = 0
        self.width = 100
        self.is_ours = True

    def write(self, text: str) -> None:
        self.writes += 1
        for part in text.split("\n"):
            wiped = part.rpartition("\r\x1b[K")
            self.lines[-1] = wiped[2] if wiped[1] else self.lines[-1] + part
            self.lines.append("")
        self.lines.pop()


class Stage:
    """A teller, and a clock that stands until it is set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.said: list[str] = []
        self.screen = FakeScreen()
        self.plain = Plain(self.said.append, self.waited)
        self.line = Line(self.screen, self.waited)
        self.json = Json(self.said.append, self.waited, load="job", node="node1")

    def waited(self) -> float:
        return self.seconds


def test_a_log_gets_each_place_once_and_a_reminder() -> None:
    stage = Stage()
    stage.plain.queued(PLACE)
    stage.seconds = 60.5
    stage.plain.tick(None)
    assert stage.said == [
        "slot-agent: waiting at position 2: 1 of 1 slots of node1 are held; held by backup",
        f"slot-agent: still waiting after 1:00 at position 2: {PLACE.reason}; held by backup",
    ]


def test_a_reminder_tells_of_a_silent_coordinator() -> None:
    stage = Stage()
    stage.seconds = 60.5
    stage.plain.tick(12.0)
    assert stage.said == [
        "slot-agent: still waiting after 1:00: no coordinator answers for 0:12",
    ]


def test_quiet_says_nothing_of_the_waiting_and_all_of_a_trouble() -> None:
    said: list[str] = []
    plain = Plain(said.append, lambda: 0.0, quiet=True)
    plain.queued(PLACE)
    plain.tick(None)
    plain.trouble("lost", "gone")
    assert said == ["slot-agent: gone"]


def test_every_json_event_has_its_name_its_time_and_its_load() -> None:
    stage = Stage()
    stage.seconds = 1.23456
    stage.json.queued(PLACE)
    stage.json.trouble("lost", "gone", ends=True)
    queued, lost = map(json.loads, stage.said)
    common = {"seconds": 1.235, "load": "job", "node": "node1"}
    assert queued == {
        "event": "queued",
        **common,
        "position": 2,
        "reason": "1 of 1 slots of node1 are held",
        "holders": [{"claim": "c0", "load": "backup", "heldSeconds": None}],
    }
    assert lost == {"event": "lost", **common, "text": "gone", "ends": True}


def test_the_line_is_one_line_that_updates_and_then_is_gone() -> None:
    stage = Stage()
    stage.line.queued(PLACE)
    told = "slot-agent: waiting {} at position {}: 1 of 1 slots of node1 are held; held by {}"
    assert stage.screen.lines == [told.format("0:00", 2, "backup")]
    stage.line.queued(FIRST)
    stage.seconds = 1.5
    stage.line.tick(None)
    assert stage.screen.lines == [told.format("0:01", 1, "scan")]
    stage.line.stop_waiting()
    stage.line.tick(None)
    assert stage.screen.lines == [""]


def test_the_line_is_drawn_only_when_it_changes_and_not_between_ticks() -> None:
    stage = Stage()
    stage.line.queued(PLACE)
    for _ in range(100):
        stage.line.queued(FIRST)
        stage.line.queued(PLACE)
        stage.line.tick(None)
    assert stage.screen.writes == 1


def test_a_warning_scrolls_above_the_line() -> None:
    stage = Stage()
    stage.line.queued(FIRST)
    drawn = stage.screen.lines[0]
    stage.line.trouble("warning", "no coordinator answers")
    assert stage.screen.lines == ["slot-agent: no coordinator answers", drawn]


def test_the_line_says_that_no_coordinator_answers() -> None:
    stage = Stage()
    stage.seconds = 20
    stage.line.tick(None)
    assert stage.screen.lines == ["slot-agent: waiting 0:20: asking for a slot"]
    stage.line.tick(15.0)
    assert stage.screen.lines == ["slot-agent: waiting 0:20: no coordinator answers for 0:15"]


def test_the_line_leaves_the_last_column_free_so_that_it_never_wraps() -> None:
    stage = Stage()
    stage.screen.width = 40
    stage.line.queued(PLACE)
    assert stage.screen.lines == ["slot-agent: waiting 0:00 at position..."]


def test_in_the_background_there_are_lines_for_each_place_and_no_updates() -> None:
    stage = Stage()
    stage.screen.is_ours = False
    stage.line.queued(PLACE)
    stage.line.tick(None)
    assert stage.screen.lines[0].startswith("slot-agent: waiting at position 2")
    assert stage.screen.lines[1:] == [""]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("too long", 6, "too..."),
        ("\x1b[2Jload", 20, "?[2Jload"),
        ("図図図図", 7, "図図..."),
        ("anything", 2, ".."),
        ("anything", 0, ""),
    ],
)
def test_a_text_is_cut_by_columns_and_moves_no_cursor(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.9, "0:00"), (61, "1:01"), (3599, "59:59"), (3723.5, "1:02:03")]
)
def test_a_span_reads_like_a_stopwatch(seconds: float, shown: str) -> None:
    assert span(seconds) == shown
