"""Hand-overs, percentiles, and which endings are a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.demo import findings, summary
from coordinator.demo.agents import Ended
from coordinator.demo.cluster import Hand
from coordinator.demo.findings import Findings, Latency
from coordinator.demo.journal import Journal, handovers, parse, percentile
from coordinator.demo.judge import Period
from coordinator.demo.watch import Counts, read_counts

if TYPE_CHECKING:
    from pathlib import Path

NOTES = [
    parse(line)
    for line in (
        "start a node1 node1-slot-0 1 10.0",
        "end a node1 node1-slot-0 1 11.0",
        "start b node1 node1-slot-0 2 11.05",
        "end b node1 node1-slot-0 2 12.0",
        "start c node1 node1-slot-0 3 15.0",
    )
]
METRICS = """\
# TYPE nodeslots_grants_total counter
nodeslots_grants_total{kind="grant",namespace="velero"} 6.0
nodeslots_grants_total{kind="handover",namespace="velero"} 4.0
# TYPE nodeslots_handover_seconds histogram
nodeslots_handover_seconds_bucket{le="0.005",namespace="velero"} 2.0
nodeslots_handover_seconds_bucket{le="0.05",namespace="velero"} 3.0
nodeslots_handover_seconds_bucket{le="0.1",namespace="velero"} 4.0
nodeslots_handover_seconds_bucket{le="+Inf",namespace="velero"} 4.0
nodeslots_handover_seconds_count{namespace="velero"} 4.0
nodeslots_handover_seconds_sum{namespace="velero"} 0.1
"""


def hand(resource: str, name: str) -> Hand:
    return Hand(1.0, "kubectl", "DELETE", resource, name)


def test_only_a_successor_that_waited_counts_for_the_latency() -> None:
    found = handovers(NOTES, {"b": 10.5, "c": 14.0}, lambda _node, _at: 1)
    assert [(one.before, one.after, one.waited) for one in found] == [
        ("a", "b", True),
        ("b", "c", False),
    ]
    told = findings.latency(found)
    assert told
    assert told.count == 1
    assert told.p50 == told.p99 == pytest.approx(0.05)


def test_a_slot_that_ends_above_a_lowered_limit_is_handed_to_nobody() -> None:
    lines = ("start a n n-slot-0 1 1.0", "start b n n-slot-1 1 1.0", "end b n n-slot-1 1 2.0")
    later = ("end a n n-slot-0 1 5.0", "start c n n-slot-1 2 5.1")
    notes = [parse(line) for line in (*lines, *later)]
    assert handovers(notes, {"c": 1.5}, lambda _node, _at: 1) == []
    assert len(handovers(notes, {"c": 1.5}, lambda _node, _at: 2)) == 1


def test_without_a_handover_there_is_no_latency() -> None:
    assert findings.latency([]) is None


@pytest.mark.parametrize(("percent", "value"), [(50, 2), (75, 3), (99, 4), (100, 4), (1, 1)])
def test_percentiles_are_values_that_occurred(percent: int, value: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == value


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert journal.read() == []
    journal.path.write_text("start a node1 node1-slot-0 1 10.0\nend a no")
    assert [note.kind for note in journal.read()] == ["start"]
    with journal.path.open("a") as file:
        file.write("de1 node1-slot-0 1 11.0\n")
    assert [note.kind for note in journal.read()] == ["end"]
    assert len(journal.notes) == 2


def test_a_strange_line_in_the_journal_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        parse("stop a node1 node1-slot-0 1 10.0")


def test_loads_that_never_wrote_their_end_were_cut_short() -> None:
    assert findings.tally(NOTES) == (3, 1)


@pytest.mark.parametrize(
    ("ended", "hands", "problems"),
    [
        (Ended("a", "node1", 1), [], 1),
        (Ended("a", "node1", 74), [], 1),
        (Ended("a", "node1", 74), [hand("leases", "node1-slot-0")], 0),
        (Ended("a", "node1", 74), [hand("leases", "node1-slot-1")], 1),
        (Ended("a", "node1", 1), [hand("leases", "node1-slot-0")], 1),
        (Ended("a", "node1", 76), [hand("nodes", "node1")], 0),
        (Ended("a", "node1", 76), [hand("nodes", "node2")], 1),
    ],
)
def test_an_agent_may_end_badly_only_when_somebody_had_a_hand_in_it(
    ended: Ended, hands: list[Hand], problems: int
) -> None:
    assert len(findings.unexplained([ended], hands, NOTES)) == problems


def test_a_node_that_ran_nothing_is_a_problem() -> None:
    assert findings.idle({"node1": [Period(2)], "node2": [Period(2, started=1)]}) == [
        "node1 ran no load at all"
    ]


def test_the_metrics_are_read() -> None:
    assert read_counts(METRICS) == Counts(6, 4, p50=0.005, p99=0.1)


def test_metrics_without_a_grant_are_read_as_none() -> None:
    assert read_counts("") == Counts(0, 0, None, None)


def found(*problems: str, above: list[str] | None = None) -> Findings:
    lowered = Period(2, started=4, most=3 if above else 2, above=above or [], drained=3.14)
    return Findings(
        loads=12,
        cut_short=0,
        lost_by_hand=1,
        followed=True,
        periods={"node1": [Period(3, 5, 3), Period(4, 3, 4)], "node2": [Period(5, 5, 5), lowered]},
        counts=Counts(4, 8, 0.005, 0.05),
        latency=Latency(8, 0.0491, 0.0962),
        problems=list(problems),
    )


def test_the_summary_tells_every_number() -> None:
    text = "\n".join(summary.lines(found()))
    for expected in (
        "12 loads run",
        "1 lost the slot by hand",
        "3 of 3",
        "4 of 4         raised from 3",
        "lowered from 5, down to it after 3.1 s",
        "grants: 12; 8 handed over",
        "p50 49 ms, p99 96 ms (8 hand-overs)",
        "p50 up to 5 ms, p99 up to 50 ms",
    ):
        assert expected in text


def test_the_summary_fits_eighty_columns() -> None:
    assert max(map(len, summary.lines(found()))) <= 80


def test_a_node_above_its_limit_is_told_in_the_table_and_in_the_verdict() -> None:
    bad = found(*findings.breaches({"node2": [Period(2, 4, 3, ["scan-4"])]}), above=["scan-4"])
    assert "ABOVE ITS LIMIT" in "\n".join(summary.lines(bad))
    ((line, good),) = summary.verdict(bad)
    assert not good
    assert line == (
        "PROBLEM: node2 was above its limit of 2: 3 ran at once (started while it was full: scan-4)"
    )


def test_without_a_problem_the_verdict_is_good() -> None:
    assert list(summary.verdict(found())) == [
        ("no node was ever above its limit, and the edited limits were followed", True)
    ]
