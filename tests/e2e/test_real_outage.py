"""On the real API server: while it does not answer, who holds goes on, and nobody else gets in."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import limits
from tests.e2e.waiting import DEADLINE
from tests.e2e.wire import Http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site
    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real


@contextmanager
def _frozen(server: RealApiServer) -> Iterator[None]:
    """It takes connections and answers nobody."""
    assert server.process is not None
    server.process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send(signal.SIGCONT)


def test_a_holder_known_by_its_token_goes_on_nothing_is_granted_and_a_stranger_stays_out(
    site: Site, cluster: Cluster
) -> None:
    """All that is asked here is answered within the leader's own ten seconds; the others wait for
    the API server for five of them, so the holder asks first.
    """
    node = cluster.add_node()
    cluster.configure(limits(3))
    site.start()
    grant = site.granted(node, "held")
    site.agent("load", node)
    site.journal.wait_started("load")
    known = site.as_agent(node)
    stranger = Http(site.url, site.agents.on(node, "stranger").token, site.mount.file)
    path = site.claim_path

    with ThreadPoolExecutor(3) as threads, _frozen(cluster.server):
        said = {"load": "held", "fencingToken": grant["fencingToken"]}
        held = known.put(path(node, "held"), said)
        asked = {
            "unknown": threads.submit(stranger.put, path(node, "unknown"), {"load": "unknown"}),
            "new": threads.submit(known.put, path(node, "new"), {"load": "new"}),
            "look": threads.submit(site.api.get, site.node_path(node)),
        }
        answers = {name: answer.result(DEADLINE) for name, answer in asked.items()}

    assert (held.status, held.json["lease"]) == (200, grant["lease"])
    assert answers["new"].status in {202, 503}, answers["new"].raw
    assert answers["unknown"].problem == (503, "not-confirmed")
    assert answers["look"].problem == (503, "not-confirmed")
    assert int(answers["look"].headers["retry-after"]) >= 1
    assert site.journal.terminated == set()
    site.granted(node, "new")
    assert set(cluster.holders().values()) == {"held", "load", "new"}
    site.journal.end_all()
