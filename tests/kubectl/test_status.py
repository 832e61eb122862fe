"""What a node's row says, and which node comes first."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.kubectl.status import HEADER, WIDE, busy, ordered, row, status
from coordinator.kubectl.table import UNKNOWN


def node(name: str = "n1", **numbers: Any) -> dict[str, Any]:
    whole = {
        "limit": 2,
        "held": 0,
        "queued": 0,
        "hold": "",
        "decidedBy": "globalConfig",
        "unresponsive": 0,
        "draining": 0,
        "longestWaitSeconds": 0.0,
    }
    return {"node": name, **whole, **numbers}


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({}, "Free"),
        ({"held": 1}, "Free"),
        ({"held": 2}, "Full"),
        ({"held": 3}, "OverLimit"),
        ({"limit": 0}, "NoSlots"),
        ({"limit": 0, "held": 1}, "OverLimit"),
        ({"limit": None, "held": 1}, "Unknown"),
        ({"hold": "disk"}, "Free,OnHold"),
        ({"held": 2, "unresponsive": 1}, "Full,Unresponsive"),
        ({"held": 2, "hold": "disk", "unresponsive": 1}, "Full,OnHold,Unresponsive"),
    ],
)
def test_a_status_is_one_word_for_each_thing_that_is_so(numbers: Any, told: str) -> None:
    assert status(node(**numbers)) == told


def test_the_longest_wait_comes_first_then_trouble_then_the_name() -> None:
    nodes = [
        node("b"),
        node("a"),
        node("held", hold="disk"),
        node("short", queued=5, longestWaitSeconds=3.0),
        node("long", queued=1, longestWaitSeconds=60.5),
    ]
    assert [one["node"] for one in ordered(nodes)] == ["long", "short", "held", "a", "b"]


def test_every_row_fills_its_header() -> None:
    assert len(row(node())) == len(HEADER)
    assert len(row(node(), wide=True)) == len(WIDE)


def test_the_oldest_wait_is_there_only_while_somebody_waits() -> None:
    at = HEADER.index("OLDEST")
    assert row(node(queued=1, longestWaitSeconds=313.0))[at] == "5m13s"
    assert row(node(queued=0, longestWaitSeconds=0.0))[at] == "<none>"


def test_a_rule_is_its_place_and_wide_has_its_selector() -> None:
    decided = node(decidedBy="perNodeConfig[0] disk=fast,tier in (a, b)")
    assert row(decided)[-1] == "perNodeConfig[0]"
    assert row(decided, wide=True)[len(HEADER)] == "disk=fast,tier in (a, b)"


def test_what_the_leases_do_not_tell_is_unknown_and_not_zero() -> None:
    alone = node(limit=None, queued=None, unresponsive=None, decidedBy="", longestWaitSeconds=None)
    cells = dict(zip(WIDE, row(alone, wide=True), strict=True))
    names = ("LIMIT", "WAITING", "OLDEST", "RULE", "OVER", "UNRESPONSIVE")
    assert {name: cells[name] for name in names} == dict.fromkeys(names, UNKNOWN)
    assert cells["HELD"] == 0


def test_over_counts_what_drains() -> None:
    at = WIDE.index("OVER")
    assert row(node(limit=0, held=1), wide=True)[at] == 1
    assert row(node(limit=2, held=5), wide=True)[at] == 3


def test_a_node_is_worth_a_look_when_it_holds_queues_or_is_on_hold() -> None:
    assert not busy(node())
    assert all(map(busy, (node(held=1), node(queued=1), node(hold="disk"))))
