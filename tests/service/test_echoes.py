"""An event that tells what a table knows is passed over, and no other one."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.core.claims import Policy
from coordinator.core.messages import Seen
from coordinator.core.pods import PodIndex
from coordinator.core.slots import NodeTable
from coordinator.kube.records import parse
from coordinator.service.desk import Desk
from coordinator.service.echoes import is_echo

NODE = "node1"


def lease(name: str = f"{NODE}-slot-0", uid: str = "u1", version: str = "41") -> dict[str, Any]:
    head = {"name": name, "uid": uid, "resourceVersion": version}
    labels = {"app.kubernetes.io/managed-by": "node-slots"}
    return {"kind": "Lease", "metadata": head | {"labels": labels}, "spec": {}}


@pytest.fixture
def desks() -> dict[str, Desk]:
    """One node, whose first slot's Lease is known as of version 41."""
    table = NodeTable(NODE, 1, 0.0, Policy(), PodIndex(), None)
    table.handle(Seen(0, parse(lease())), 1.0)
    return {NODE: Desk(table)}


def test_what_is_known_is_an_echo(desks: dict[str, Desk]) -> None:
    assert is_echo(desks, lease())


@pytest.mark.parametrize(
    "told",
    [
        lease(version="42"),
        lease(version="none"),
        lease(uid="u2"),
        lease(name=f"{NODE}-slot-1"),
        lease(name="node2-slot-0"),
        lease(name="no-slot"),
        {},
    ],
    ids=["newer", "unreadable", "made anew", "another slot", "another node", "no slot", "nothing"],
)
def test_anything_else_is_news(desks: dict[str, Desk], told: dict[str, Any]) -> None:
    assert not is_echo(desks, told)
