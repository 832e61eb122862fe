"""What the tests of `coordinator.kube` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.embedded.server import EmbeddedServer, start
from coordinator.embedded.store import Store
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from tests.kube.fakes import FakeServer, fake_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def fake() -> AsyncIterator[FakeServer]:
    async with fake_server() as server:
        yield server


@pytest.fixture
async def client(fake: FakeServer) -> AsyncIterator[KubeClient]:
    async with KubeClient(OpenAccess(fake.url)) as opened:
        yield opened


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedServer]:
    server = await start(Store(), bookmark_seconds=0.05)
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def cluster(embedded: EmbeddedServer) -> AsyncIterator[KubeClient]:
    """A client of the embedded API server."""
    async with KubeClient(OpenAccess(embedded.url)) as opened:
        yield opened
