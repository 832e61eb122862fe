"""The status of a node tells of the cap and of the slots kept for restores, where there are any."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from coordinator.api.reports import node_json
from coordinator.core.cap import CapUse
from coordinator.service.status import NodeStatus
from tests.api.fakes import FakeInsight

NODE = NodeStatus("node1", 3, "globalConfig", (), (), "", 0, (), ())
WHY = FakeInsight().why_node("node1")
AT = datetime(2026, 1, 2, tzinfo=UTC)


def test_without_a_cap_there_is_no_field() -> None:
    assert "nodeCap" not in node_json(NODE, AT, WHY)


def test_the_cap_and_what_each_pool_has_of_it_are_told() -> None:
    capped = replace(NODE, cap=CapUse(4, (("velero", 3), ("scans", 0))))
    assert node_json(capped, AT, WHY)["nodeCap"] == {"cap": 4, "taken": {"velero": 3, "scans": 0}}


def test_slots_that_are_kept_for_restores_are_told_where_there_are_any() -> None:
    assert "restoreHeadroom" not in node_json(NODE, AT, WHY)
    assert node_json(replace(NODE, headroom=2), AT, WHY)["restoreHeadroom"] == 2
