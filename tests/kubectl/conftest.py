"""A cluster for each test of a command: three nodes, and a coordinator where it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kubectl.stand import Stand, stand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[Stand]:
    """Two slots on every node, three on the fast one, and no coordinator."""
    async with stand(tmp_path) as made:
        made.configure(2, fast=3)
        made.add_node("worker-1", tier="fast")
        made.add_node("worker-2")
        made.add_node("worker-3")
        yield made


@pytest.fixture
async def served(alone: Stand) -> AsyncIterator[Stand]:
    """The same with a coordinator."""
    async with alone.serving():
        yield alone


@pytest.fixture
async def busy(served: Stand) -> Stand:
    """worker-2 is full, and two wait there; worker-3 has one holder."""
    for number in range(4):
        terms = {"load": f"nightly/pvc-{number}", "pod": f"pod-{number}"}
        await served.ask("worker-2", f"c{number}", **terms, waits=number > 1)
    await served.ask("worker-3", "solo")
    return served
