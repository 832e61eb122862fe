"""What is remembered of how long loads held their slots: the newest of each node, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.durations import KEPT, MOST_NODES, Durations
from coordinator.core.happenings import Granted, HandedOver, Party, Released

if TYPE_CHECKING:
    from coordinator.core.happenings import Happening

A, B = Party("a", "load-a"), Party("b", "load-b")


def released(held: float | None, node: str = "node1") -> Released:
    return Released(node, f"{node}-slot-0", 0, A, held)


def handed_over(held: float | None) -> HandedOver:
    return HandedOver("node1", "node1-slot-0", 0, A, B, 7, 1.0, held, 0.1)


def test_every_end_of_holding_counts_and_nothing_else_does() -> None:
    kept = Durations()
    told: list[Happening] = [
        released(5.0),
        handed_over(7.0),
        Granted("node1", "node1-slot-0", 0, B, 8, 3.0),
    ]
    for happening in told:
        kept.heard(happening)
    assert kept.of("node1") == (5.0, 7.0)


def test_a_holder_whose_grant_was_not_seen_tells_nothing() -> None:
    kept = Durations()
    for happening in (released(None), handed_over(None)):
        kept.heard(happening)
    assert kept.of("node1") == ()
    assert len(kept) == 0


def test_nodes_are_kept_apart() -> None:
    kept = Durations()
    kept.heard(released(5.0, "node1"))
    kept.heard(released(6.0, "node2"))
    assert (kept.of("node1"), kept.of("node2"), kept.of("node3")) == ((5.0,), (6.0,), ())


def test_only_the_newest_durations_of_a_node_are_kept() -> None:
    kept = Durations()
    for number in range(KEPT + 10):
        kept.add("node1", number)
    assert kept.of("node1") == tuple(range(10, KEPT + 10))


def test_of_too_many_nodes_the_one_that_was_not_heard_of_for_longest_is_forgotten() -> None:
    kept = Durations()
    for number in range(MOST_NODES):
        kept.add(f"node{number}", 1.0)
    kept.add("node0", 2.0)
    kept.add("another", 3.0)
    assert len(kept) == MOST_NODES
    assert (kept.of("node0"), kept.of("node1"), kept.of("another")) == ((1.0, 2.0), (), (3.0,))


def test_a_clock_that_went_back_makes_no_negative_duration() -> None:
    kept = Durations()
    kept.add("node1", -1.0)
    assert kept.of("node1") == (0.0,)
