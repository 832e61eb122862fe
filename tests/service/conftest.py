"""What the tests of `coordinator.service` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.embedded import objects
from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from tests.service.cluster import NODE, NS, Cluster
from tests.service.door import door
from tests.service.faults import Faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.service.door import Door
    from tests.service.jumps import Jumps


@pytest.fixture
async def cluster(jumps: Jumps) -> AsyncIterator[Cluster]:
    """One node, a ConfigMap that allows two slots, and an API server that takes faults."""
    store = Store(namespaces=[NS, "default"])
    objects.put(store, objects.node(NODE))
    faults = Faults(jumps.now)
    server = await start(store, middlewares=[faults.middleware])
    made = Cluster(store, server, faults, jumps)
    made.limit(2)
    yield made
    await made.stop()


@pytest.fixture
async def at(cluster: Cluster) -> AsyncIterator[Door]:
    """Who asks the coordinator, and an API server that knows them."""
    async with door(cluster) as made:
        yield made
