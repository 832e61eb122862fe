"""The chart on a real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.dryrun import complaints, known
from tests.deploy.rendering import CHART, chart
from tests.deploy.variants import VARIANTS
from tests.e2e.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.realserver.server import RealApiServer
    from tests.tools.programs import Tool

pytestmark = pytest.mark.real

MANAGED = ("Secret", "secrets", "tls"), ("ConfigMap", "configmaps", "ca")
"""What the coordinator fills in."""


@pytest.fixture
def cluster(real_server: RealApiServer) -> Iterator[Cluster]:
    made = Cluster(real_server)
    yield made
    made.close()


def values(cluster: Cluster) -> dict[str, Any]:
    """Every switch, in namespaces of this test."""
    told = dict(VARIANTS["all-renamed"].values) | {"name": cluster.namespace}
    told["pools"] = [{"namespace": f"{cluster.namespace}-pool", "configMap": "limits"}]
    told["clients"] = [{"namespace": f"{cluster.namespace}-apps", "maxPriority": 3}]
    for more in ("pool", "apps"):
        cluster.make("/api/v1/namespaces", {"metadata": {"name": f"{cluster.namespace}-{more}"}})
    return told


def test_every_object_is_taken_without_a_warning(cluster: Cluster, helm: Tool) -> None:
    more = {
        "limits": {"loadConcurrency": {"globalConfig": 2}},
        "image.pullSecrets": ["registry"],
        "tolerations": [{"operator": "Exists"}],
        "nodeCap": 4,
    }
    found = chart(helm, values(cluster) | more, cluster.namespace)
    assert complaints(cluster, known(found)) == []


def test_an_upgrade_leaves_what_the_coordinator_has_written(
    cluster: Cluster, helm: Tool, real_server: RealApiServer
) -> None:
    place: list[str | Path] = [
        "--kubeconfig",
        real_server.kubeconfig,
        "--namespace",
        cluster.namespace,
    ]
    release: list[str | Path] = ["release", CHART, *place, "--set", f"name={cluster.namespace}"]
    helm(["install", *release])
    kept = {"ca.crt": "eA=="}
    paths = [
        f"/api/v1/namespaces/{cluster.namespace}/{resource}/{cluster.namespace}-{suffix}"
        for _, resource, suffix in MANAGED
    ]
    for path in paths:
        assert cluster.api.put(path, cluster.api.get(path).json | {"data": kept}).status == 200
    helm(["upgrade", *release, "--set", "replicas=3"])
    assert [cluster.api.get(path).json["data"] for path in paths] == [kept, kept]
    deployments = f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments"
    (deployment,) = cluster.api.get(deployments).json["items"]
    assert deployment["spec"]["replicas"] == 3
    helm(["uninstall", "release", *place])
    assert [cluster.api.get(path).status for path in paths] == [404, 404]
