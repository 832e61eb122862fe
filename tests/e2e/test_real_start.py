"""On the real API server: a coordinator that starts too early, or without its rights, says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.cluster import Cluster, limits
from tests.e2e.processes import Site
from tests.e2e.waiting import until
from tests.realserver import binaries
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
RULES: dict[str, list[dict[str, Any]]] = {
    "nodes": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]}],
    "reads": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["list", "watch"]},
    ],
    "writes": [
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "create", "update", "delete"],
        }
    ],
}


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
        own_server.stop(grace_seconds=20)
        site.serve().wait_listening()
        _waits_for_the_api_server(site, node)

        own_server.start()

        until(lambda: site.coordinator.health.get("/readyz").status == 200, "ready")
        assert site.granted(node, "early")["slot"] == 0
        assert site.node(node)["limit"] == 2
        assert site.stop() == 0
    finally:
        site.close()


def _waits_for_the_api_server(site: Site, node: str) -> None:
    """Alive, not ready, and every place says what it waits for."""
    health = site.coordinator.health
    until(lambda: site.coordinator.logged("API server did not answer"), "the log says so")
    assert health.get("/livez").status == 200
    not_ready = health.get("/readyz")
    assert not_ready.status == 503
    assert int(not_ready.headers["retry-after"]) >= 1
    assert f"[-] {site.cluster.namespace}: Nodes: could not list nodes" in not_ready.text
    answer = site.ask(node, "early", waitSeconds=5)
    assert answer.problem == (503, "no-leader")
    assert "no replica leads" in answer.detail
    assert "leases" in answer.detail
    assert not site.api.get("/v1/status").json["ready"]


class _Account:
    """A ServiceAccount without any right, and the rights it is given one by one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        space = f"/api/v1/namespaces/{cluster.namespace}"
        cluster.make(f"{space}/serviceaccounts", {"metadata": {"name": "coordinator"}})
        path = f"{space}/serviceaccounts/coordinator/token"
        self._token = cluster.make(path, {"spec": {}})["status"]["token"]

    def kubeconfig(self, folder: Path) -> Path:
        """The admin's kubeconfig with this account's token in it."""
        config = json.loads(self._cluster.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": self._token}
        path = folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def allow(self, what: str, *, everywhere: bool = False) -> None:
        """Binds a Role, or `everywhere` a ClusterRole, with these rules."""
        kind, place = ("ClusterRole", "") if everywhere else ("Role", self._cluster.namespace)
        space = f"{RIGHTS}/namespaces/{place}" if place else RIGHTS
        name = f"{self._cluster.namespace}-{what}"
        body = {"metadata": {"name": name}, "rules": RULES[what]}
        self._cluster.make(f"{space}/{kind.lower()}s", body)
        account = {"kind": "ServiceAccount", "name": "coordinator"}
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [account | {"namespace": self._cluster.namespace}],
        }
        self._cluster.make(f"{space}/{kind.lower()}bindings", binding)


def _wait_not_ready_for(site: Site, *words: str) -> None:
    """/readyz says all these words."""

    def said() -> bool:
        answer = site.coordinator.health.get("/readyz")
        return answer.status == 503 and all(word in answer.text for word in words)

    until(said, f"not ready for {words}: {site.coordinator.health.get('/readyz').text}")


def test_without_rights_it_says_which_verb_on_what_is_missing_and_goes_on_once_it_has_them(
    site: Site, cluster: Cluster, tmp_path: Path
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    account = _Account(cluster)
    site.serve(kubeconfig=account.kubeconfig(tmp_path)).wait_listening()

    _wait_not_ready_for(site, "Missing right: nodes: list; add it to the coordinator's ClusterRole")
    errors = [line["error"] for line in site.coordinator.logged("API server did not answer")]
    assert any("could not list nodes" in error and "403" in error for error in errors)
    assert site.ask(node, "early").problem == (503, "no-leader")

    account.allow("nodes", everywhere=True)
    _wait_not_ready_for(site, "Missing right: ", ": list", f"in namespace {cluster.namespace}")
    account.allow("reads")

    denied = "Missing right: leases.coordination.k8s.io: get"
    _wait_not_ready_for(site, "Election: ", denied)
    assert denied in site.ask(node, "early").json["detail"]
    told = site.coordinator.logged("election request failed")
    assert any(denied in line["error"] for line in told)
    assert cluster.leases() == {}

    account.allow("writes")
    assert site.granted(node, "early")["slot"] == 0


def test_wrong_credentials_are_told_apart_from_missing_rights(
    site: Site, cluster: Cluster, tmp_path: Path
) -> None:
    config = json.loads(cluster.server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "nobody's"}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    site.serve(kubeconfig=kubeconfig).wait_listening()

    _wait_not_ready_for(site, "401", "credentials are expired or belong to another cluster")
    assert "nobody's" not in site.coordinator.output
    assert site.stop() == 0
