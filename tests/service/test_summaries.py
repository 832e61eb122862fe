"""The newest numbers of each node that changed, once a second at most."""

from __future__ import annotations

from dataclasses import dataclass, field

from coordinator.service.status import NodeCounts
from coordinator.service.summaries import AT_ONCE, LOOK, SPACING, SPARE, Summaries


@dataclass
class Scene:
    """Nodes that a test counts by hand, and the time."""

    held: dict[str, int] = field(default_factory=dict)
    waits: float = 0.0
    now: float = 100.0
    counted: list[str] = field(default_factory=list)
    present: int = 10

    def __post_init__(self) -> None:
        self.summaries = Summaries(self.count, lambda: self.present, lambda: self.now)

    def count(self, node: str) -> NodeCounts:
        self.counted.append(node)
        return NodeCounts(node, 9, self.held.get(node, 0), 0, "", longest_wait=self.waits)

    def change(self, node: str, held: int) -> None:
        self.held[node] = held
        self.summaries.touch(node)

    def told(self, version: int = 0, after: float = LOOK) -> list[tuple[str, int]]:
        self.now += after
        return [(one.counts.node, one.counts.held) for one in self.summaries.since(version)]


def test_each_change_is_told_to_every_reader_the_latest_last() -> None:
    scene = Scene()
    scene.change("n1", 1)
    scene.change("n2", 2)
    assert scene.told() == scene.told() == [("n1", 1), ("n2", 2)]
    seen = scene.summaries.version
    scene.change("n1", 3)
    assert scene.told(seen, SPACING) == [("n1", 3)]
    assert scene.told() == [("n2", 2), ("n1", 3)]


def test_a_node_is_told_of_twice_a_second_and_then_with_its_newest_numbers() -> None:
    scene = Scene()
    scene.change("n1", 1)
    assert scene.told() == [("n1", 1)]
    for held in (2, 3, 4):
        scene.change("n1", held)
        assert scene.told() == [("n1", 1)]
    assert scene.told(0, SPACING) == [("n1", 4)]
    assert scene.counted == ["n1", "n1"]


def test_another_nodes_change_waits_for_nobody() -> None:
    scene = Scene()
    scene.change("n1", 1)
    scene.told()
    scene.change("n1", 2)
    scene.change("n2", 5)
    assert scene.told() == [("n1", 1), ("n2", 5)]


def test_numbers_that_stayed_are_no_news_also_if_a_wait_has_grown() -> None:
    scene = Scene()
    scene.change("n1", 1)
    scene.told()
    seen = scene.summaries.version
    scene.waits = 70.0
    scene.change("n1", 1)
    assert scene.told(seen, SPACING) == []
    assert scene.counted == ["n1", "n1"]


def test_what_is_touched_again_and_again_is_news_once() -> None:
    scene = Scene()
    assert scene.summaries.touch("n1")
    assert not scene.summaries.touch("n1")
    scene.told()
    assert scene.summaries.touch("n1")


def test_many_readers_cost_one_look() -> None:
    scene = Scene()
    scene.change("n1", 1)
    scene.told()
    scene.change("n2", 1)
    for _ in range(64):
        assert scene.told(0, 0.0) == [("n1", 1)]
    assert scene.told() == [("n1", 1), ("n2", 1)]


def test_thousands_are_counted_a_few_at_a_time() -> None:
    scene = Scene(present=5000)
    for number in range(AT_ONCE + 1):
        scene.change(f"n{number}", 1)
    assert len(scene.told()) == AT_ONCE
    assert scene.summaries.due() is not None
    assert len(scene.told()) == AT_ONCE + 1
    assert scene.summaries.due() is None


def test_nodes_that_come_and_go_do_not_pile_up() -> None:
    scene = Scene(present=1)
    for number in range(SPARE + 10):
        scene.change(f"n{number}", 1)
        scene.told(scene.summaries.version)
    assert len(scene.told()) == SPARE + 1
