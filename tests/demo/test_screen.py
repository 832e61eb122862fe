"""What a frame looks like."""

from __future__ import annotations

import math

import pytest
from rich.console import Console

from coordinator.demo import scenario
from coordinator.demo.journal import Handover
from coordinator.demo.screen import RECENT, Frame, boxes, decided_by, render
from coordinator.demo.watch import NodeSeen, Seen, SlotSeen

RULE = "perNodeConfig[1] beta.kubernetes.io/instance-type=Standard_B4ms"


def node(limit: int, *held: int, queue: tuple[str, ...] = (), name: str = "node2") -> NodeSeen:
    slots = tuple(SlotSeen(ordinal, f"backup-{ordinal}", None) for ordinal in held)
    return NodeSeen(name, limit, RULE, "", slots, queue)


def frame(*nodes: NodeSeen, handed: int = 0, seconds: float = 20.0) -> Frame:
    recent = [
        Handover(float(n), "node2-slot-0", f"a-{n}", f"b-{n}", 0.049, True) for n in range(handed)
    ]
    return Frame(Seen(0.0, 0.0, {one.name: one for one in nodes}), recent, 5.0, seconds, "phase")


def drawn(what: Frame, width: int) -> list[str]:
    console = Console(width=width, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as captured:
        console.print(render(what, width))
    return captured.get().splitlines()


@pytest.mark.parametrize(
    ("limit", "held", "expected"),
    [
        (3, (), "□□□"),
        (3, (0, 1), "■■□"),
        (3, (0, 2), "■□■"),
        (2, (0, 1, 2, 4), "■■▣▣\n2 over"),
        (0, (0,), "▣\n1 over"),
    ],
)
def test_each_slot_is_a_box(limit: int, held: tuple[int, ...], expected: str) -> None:
    assert boxes(node(limit, *held)).plain == expected


def test_the_rule_is_told_without_its_labels_prefix() -> None:
    assert decided_by(node(2)).plain == "perNodeConfig[1]\n…/instance-type=Standard_B4ms"


@pytest.mark.parametrize("width", [80, 120])
def test_a_frame_fits_its_terminal_and_keeps_its_height(width: int) -> None:
    nodes = [node(3, name=name) for name in scenario.NODES]
    queue = tuple(f"restore-{number}" for number in range(100, 109))
    busy = [node(2, 0, 1, 2, 3, 4, queue=queue, name=name) for name in scenario.NODES]
    idle = drawn(frame(*nodes), width)
    full = drawn(frame(*busy, handed=RECENT + 5), width)
    assert len(idle) == len(full) < 24
    assert max(map(len, full)) <= width
    assert any("Standard_B4ms" in line for line in full)


def test_the_newest_handover_stands_first_and_old_ones_go() -> None:
    lines = [line for line in drawn(frame(node(2), handed=RECENT + 2), 80) if "→" in line]
    assert len(lines) == RECENT
    assert f"a-{RECENT + 1} → b-{RECENT + 1}" in lines[0]


def test_a_demo_without_an_end_shows_none() -> None:
    assert any("5.0 s" in line for line in drawn(frame(node(2), seconds=math.inf), 80))
