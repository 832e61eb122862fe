"""On the real API server: a coordinator that starts too early, or without its rights, says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import Cluster, limits
from tests.e2e.processes import Site
from tests.e2e.waiting import until
from tests.e2e.wire import NoAnswer
from tests.realserver import binaries
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real


@pytest.fixture
def own_server(real_server: RealApiServer) -> Iterator[RealApiServer]:
    """An API server of this test alone, to be stopped; the shared one tells that there are any."""
    found = binaries.find()
    assert found is not None
    with RealApiServer(found) as server:
        yield server


def test_a_start_before_the_api_server_waits_says_so_and_serves_once_that_is_there(
    own_server: RealApiServer, tmp_path: Path
) -> None:
    cluster = Cluster(own_server)
    site = Site(cluster, tmp_path)
    try:
        node = cluster.add_node()
        cluster.configure(limits(2))
        site.installation.apply()
        kubeconfig = site.installation.kubeconfig(tmp_path)
        own_server.stop(grace_seconds=20)
        site.serve(kubeconfig=kubeconfig).wait_alive()
        _waits_for_the_api_server(site)

        own_server.start()

        site.coordinator.wait_ready()
        assert site.granted(node, "early")["slot"] == 0
        assert site.node(node)["limit"] == 2
        assert site.stop() == 0
    finally:
        site.close()


def _waits_for_the_api_server(site: Site) -> None:
    """Alive, not ready, and every place says what it waits for. It has no certificate yet."""
    coordinator = site.coordinator
    _wait_not_ready_for(site, "[-] tls: could not get secrets", site.installation.options.name)
    assert coordinator.logged("certificates"), "the log says so too"
    assert int(coordinator.health.get("/readyz").headers["retry-after"]) >= 1
    with pytest.raises(NoAnswer):
        coordinator.api.get("/v1/status")


def _wait_not_ready_for(site: Site, *words: str) -> None:
    """/readyz says all these words."""

    def said() -> bool:
        answer = site.coordinator.health.get("/readyz")
        return answer.status == 503 and all(word in answer.text for word in words)

    until(said, f"not ready for {words}: {site.coordinator.health.get('/readyz').text}")


def test_without_rights_it_says_which_are_missing_and_goes_on_once_it_has_them(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    whole = site.installation.objects
    site.installation.objects = [one for one in whole if "Role" not in one["kind"]]
    site.serve().wait_alive()
    _wait_not_ready_for(site, "Missing right: secrets: get in namespace")

    for kind, missing in (
        ("Role", "Missing right: nodes: list; add it to the coordinator's ClusterRole"),
        ("ClusterRole", ""),
    ):
        site.installation.objects = [one for one in whole if one["kind"].startswith(kind)]
        site.installation.apply()
        if missing:
            _wait_not_ready_for(site, missing)
            told = [line["error"] for line in site.coordinator.logged("API server did not answer")]
            assert any(missing in error and "403" in error for error in told)
    site.coordinator.wait_ready()
    assert site.granted(node, "early")["slot"] == 0


def test_wrong_credentials_are_told_apart_from_missing_rights(
    site: Site, cluster: Cluster, tmp_path: Path
) -> None:
    config = json.loads(cluster.server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "nobody's"}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    site.serve(kubeconfig=kubeconfig).wait_alive()

    _wait_not_ready_for(site, "401", "credentials are expired or belong to another cluster")
    assert "nobody's" not in site.coordinator.output
    assert site.stop() == 0
