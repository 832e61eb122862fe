"""What happened as lines, and the picture that `watch` draws."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.kubectl.live import NEWS, Live
from coordinator.kubectl.news import line
from tests.kubectl.test_status import node

AT = {"at": "2026-11-22T10:00:00.000000Z"}
PLACE = {"node": "n1", "lease": "n1-slot-0", "slot": 0, **AT}
TO = {"claim": "c2", "load": "b", "pod": "velero/b-pod"}
BY = {"claim": "c1", "load": "a", "pod": None}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("grant", PLACE | TO | {"waitedSeconds": 190}, "granted to b (velero/b-pod), waited 3m10s"),
        (
            "handover",
            PLACE | TO | {"from": BY, "heldSeconds": 720, "waitedSeconds": 5},
            "from a, held 12m, to b (velero/b-pod), waited 5s",
        ),
        ("release", PLACE | BY | {"heldSeconds": None}, "released by a"),
        ("reclaim", PLACE | BY | {"reason": "its Pod has finished"}, "taken back from a: its Pod"),
        ("limit", PLACE | {"before": 2, "after": 3, "rule": "globalConfig"}, "limit 2 -> 3, from"),
        ("hold", PLACE | {"reason": "disk"}, "on hold: disk"),
        ("hold", PLACE | {"reason": ""}, "grants again"),
        ("config", AT | {"error": "no JSON"}, "refused, the last good one stays in force: no JSON"),
        ("config", AT | {"error": ""}, "a new ConfigMap is in force"),
    ],
)
def test_each_event_is_one_line(name: str, data: Any, told: str) -> None:
    assert told in line(name, data)


def test_a_load_named_as_its_pod_is_told_once() -> None:
    data = PLACE | {"claim": "c", "load": "mover-x", "pod": "velero/mover-x"}
    assert line("grant", data).endswith("granted to mover-x")


def test_what_is_no_news_is_no_line() -> None:
    assert line("node", node()) == line("hello", {"term": 1}) == ""


def test_no_event_commands_the_terminal() -> None:
    assert "\x1b" not in line("hold", PLACE | {"reason": "\x1b[2Jgone"})


def drawn(live: Live, now: float = 0.0, width: int = 100, height: int = 24) -> list[str]:
    return live.lines("10:00:00", now, width, height)


@pytest.fixture
def live() -> Live:
    made = Live("velero")
    made.replace([node("n1", held=1), node("n2")], 0.0)
    return made


def test_the_head_has_the_sums_of_all_nodes(live: Live) -> None:
    assert drawn(live)[0] == "velero  10:00:00  1 of 4 slots held, 0 waiting"


def test_a_nodes_new_numbers_replace_its_old_ones(live: Live) -> None:
    live.take("node", node("n2", held=2, queued=1, longestWaitSeconds=5.0), 0.0)
    assert drawn(live)[3].split()[:5] == ["n2", "Full", "2", "2", "1"]


def test_a_wait_goes_on_between_two_tellings(live: Live) -> None:
    live.take("node", node("n2", held=2, queued=1, longestWaitSeconds=5.0), 100.0)
    assert drawn(live, now=130.0)[3].split()[5] == "35s"


def test_a_lost_connection_is_said_until_it_is_back_and_then_all_is_read_anew(live: Live) -> None:
    assert not live.take("lost", {"why": "no answer"}, 0.0)
    assert "NOT CONNECTED: no answer" in drawn(live)[0]
    assert live.take("back", {}, 0.0)
    assert "NOT CONNECTED" not in drawn(live)[0]


def test_what_changed_before_the_stream_began_is_read_with_its_first_words(live: Live) -> None:
    assert live.take("hello", {"term": 1}, 0.0)
    assert not live.take("hello", {"term": 1}, 0.0), "a stream that goes on where it was"


def test_after_a_gap_in_the_stream_all_is_read_anew(live: Live) -> None:
    assert live.take("reset", {}, 0.0)


def test_the_last_news_stand_below_the_table(live: Live) -> None:
    for number in range(NEWS + 5):
        live.take("grant", PLACE | TO | {"slot": number}, 0.0)
    news = [text for text in drawn(live, height=40) if "granted to" in text]
    assert len(news) == NEWS
    assert f"slot {NEWS + 4}:" in news[-1]


@pytest.mark.parametrize(("width", "height"), [(20, 5), (80, 24), (200, 60)])
def test_no_screen_is_overrun(width: int, height: int) -> None:
    live = Live("velero")
    live.replace([node(f"node-{n}", held=1) for n in range(5000)], 0.0)
    for _ in range(NEWS):
        live.take("grant", PLACE | TO, 0.0)
    lines = drawn(live, width=width, height=height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_of_many_nodes_the_busy_ones_are_drawn_and_the_rest_counted() -> None:
    live = Live("velero")
    live.replace([node(f"idle-{n}") for n in range(100)] + [node("busy", held=1)], 0.0)
    lines = drawn(live)
    assert [text.split()[0] for text in lines[3:5]] == ["busy", "and"]
    assert "and 100 nodes more" in lines
