"""A coordinator behind a kubelet that forwards ports, on the real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.kubectl.connect import way
from tests.e2e.cluster import limits
from tests.e2e.conftest import cluster, site
from tests.kubectl.connect.fake_kubelet import FakeKubelet
from tests.kubectl.connect.scene import TIMEOUT, Scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.processes import Site

__all__ = ["cluster", "kubelet", "scene", "site"]


@pytest.fixture
async def kubelet(tmp_path: Path) -> AsyncIterator[FakeKubelet]:
    """One that forwards ports."""
    async with FakeKubelet(tmp_path) as running:
        yield running


@pytest.fixture
async def scene(site: Site, kubelet: FakeKubelet, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A node with a slot, and no coordinator yet. A Pod has all the time that a slow machine takes
    for it.
    """
    monkeypatch.setattr(way, "ATTEMPT", TIMEOUT)
    site.cluster.configure(limits(1))
    return Scene(site, kubelet)
