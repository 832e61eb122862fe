"""A cluster of its own for each test on the real API server, and the programs that run on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import Cluster, limits
from tests.e2e.processes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.realserver.server import RealApiServer


@pytest.fixture
def cluster(real_server: RealApiServer) -> Iterator[Cluster]:
    """A namespace on the real API server; no nodes and no ConfigMap yet."""
    made = Cluster(real_server)
    yield made
    made.close()


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    """Nothing runs yet; whatever is started ends with the test."""
    made = Site(cluster, tmp_path)
    yield made
    made.close()


@pytest.fixture
def node(site: Site, cluster: Cluster) -> str:
    """A node with one slot, and a coordinator that serves it."""
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    return node
