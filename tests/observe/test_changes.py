"""What a pipe is told: a line for each change, and none where nothing changed."""

from __future__ import annotations

from dataclasses import replace

from coordinator.observe.changes import changes
from coordinator.observe.picture import picture
from coordinator.velero.world import Limits, World
from tests.observe.worlds import CONFIG, WORLD, T, config, mover, node, work

LATER = replace(WORLD, taken=T + 70)


def told(after: World, before: World = WORLD) -> list[str]:
    """The lines, without their time."""
    return [line[10:] for line in changes(picture(before), picture(after))]


def test_time_alone_is_no_change() -> None:
    assert told(LATER) == []


def test_a_mover_is_told_at_each_of_its_stages() -> None:
    waits = replace(WORLD, works=(work("x", "node2"),), movers=())
    moves = replace(waits, works=(work("x", "node2", "InProgress", 12),))
    ends = replace(waits, works=(work("x", "node2", "Completed", 12, 50),))
    none = replace(WORLD, works=(), movers=())
    where = "node2  x (backup of nightly): "
    assert told(waits, none) == [f"{where}waiting"]
    assert told(moves, waits) == [f"{where}moving, after a wait of 12s"]
    assert told(ends, moves) == [f"{where}ended Completed, after 38s"]
    assert told(none, ends) == []
    assert told(none, waits) == [f"{where}deleted (waiting when last seen)"]


def test_a_mover_that_never_moved_ends_as_such() -> None:
    before = replace(WORLD, works=(work("x", "node2"),), movers=())
    after = replace(before, works=(work("x", "node2", "Failed", 60, 60),))
    assert told(after, before) == [
        "node2  x (backup of nightly): ended Failed, without moving data"
    ]


def test_a_node_over_its_limit_is_told_once_and_when_it_is_over() -> None:
    calm = replace(WORLD, works=WORLD.works[2:], movers=WORLD.movers[2:])
    over = "node1: OVER its limit of 1: 2 move data"
    assert over in told(WORLD, calm)
    assert over not in told(LATER)
    assert "node1: no more over its limit" in told(calm)


def test_limits_nodes_and_findings_are_told() -> None:
    assert told(replace(LATER, limits=(config(3),))) == [
        "node1: limit 1 -> 3 (globalConfig)",
        "node1: no more over its limit",
        "node2: limit 2 -> 3 (globalConfig)",
    ]
    assert told(replace(LATER, nodes=(*WORLD.nodes, node("node3")))) == [
        "node3: a new node, limit 2 (globalConfig)"
    ]
    assert "node2: this node is gone" in told(replace(LATER, nodes=WORLD.nodes[:1]))
    assert "node2: not ready" in told(
        replace(LATER, nodes=(WORLD.nodes[0], node("node2", ready=False)))
    )
    broken = replace(LATER, limits=(Limits(CONFIG, None),))
    assert any(line.startswith("finding: ConfigMap") for line in told(broken))
    assert any(line.startswith("no more: ConfigMap") for line in told(WORLD, broken))


def test_a_new_pod_of_a_known_work_is_no_change_of_its_own() -> None:
    before = replace(WORLD, works=(work("x", "node2"),), movers=())
    assert told(replace(before, movers=(mover("x", "node2"),)), before) == []
