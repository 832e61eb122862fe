"""etcd's own history of the Leases, on the real API server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.history import ELECTION, History
from tests.chaos.measures import until
from tests.e2e.cluster import Cluster, limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real

SLOT = "node1-slot-0"


@contextmanager
def made(server: RealApiServer) -> Iterator[Cluster]:
    cluster = Cluster(server)
    yield cluster
    cluster.close()


@pytest.fixture
async def seen(
    real_server: RealApiServer, tmp_path: Path
) -> AsyncIterator[tuple[Cluster, History]]:
    with made(real_server) as cluster:
        history = History(real_server.etcd_url, cluster.namespace, tmp_path / "leases")
        async with history:
            yield cluster, history


def held(claim: str, token: str) -> Any:
    """What a grant writes, as a merge patch."""
    notes = {"nodeslots.io/claim": claim, "nodeslots.io/fencing-token": token}
    spec = {"holderIdentity": claim, "acquireTime": "2026-01-02T03:04:05.250000Z"}
    return {"metadata": {"annotations": notes}, "spec": spec}


async def test_every_grant_is_seen_even_between_two_looks(seen: tuple[Cluster, History]) -> None:
    cluster, history = seen
    head = {"name": SLOT, "annotations": {"nodeslots.io/node": "node1"}}
    path = f"{cluster.lease_path}/{SLOT}"
    made = cluster.make(cluster.lease_path, {"metadata": head, "spec": {"holderIdentity": ""}})
    first = cluster.api.merge(path, held("a", "5")).json
    cluster.api.merge(path, held("b", "6"))
    cluster.clear_holder(SLOT)
    cluster.delete_lease(SLOT)

    await until(lambda: SLOT in history.newest and history.newest[SLOT].is_gone, "it is gone")

    grants = [(g.version.claim, g.version.token, g.is_hand_over) for g in history.grants]
    assert grants == [("a", 5, False), ("b", 6, True)]
    replaced = [str(granted.replaced) for granted in history.grants]
    assert replaced == [one["metadata"]["resourceVersion"] for one in (made, first)]
    assert history.grants[0].version.node == "node1"
    assert not history.gaps


async def test_the_leader_and_the_configs_are_seen(seen: tuple[Cluster, History]) -> None:
    cluster, history = seen
    head = {"name": ELECTION, "annotations": {"nodeslots.io/url": "http://leader"}}
    cluster.make(cluster.lease_path, {"metadata": head, "spec": {"holderIdentity": "x"}})
    cluster.configure(limits(7))

    await until(lambda: history.leader_url == "http://leader" and history.configs, "both")
    cluster.clear_holder(ELECTION)
    await until(lambda: not history.leader_url, "nobody leads")

    assert list(history.configs.values()) == [{"limits.json": limits(7)}]
    assert not history.newest


async def test_what_etcd_has_forgotten_is_told_as_a_gap(tmp_path: Path) -> None:
    history = History("http://127.0.0.1:1", "ns", tmp_path / "leases")
    forgotten = {"canceled": True, "compact_revision": "90", "header": {"revision": "120"}}
    assert history._take(forgotten, history._lease, 50) == 0, "it goes on from now"
    (gap,) = history.gaps
    assert gap.startswith("etcd does not tell on from revision 50")
