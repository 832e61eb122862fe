"""What the tests of `deploy/` share: helm and kustomize, and namespaces on the real API server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.waiting import until
from tests.tools.programs import HELM, KUSTOMIZE
from tests.tools.using import tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realserver.server import RealApiServer
    from tests.tools.programs import Tool


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """helm; its caches are the test's."""
    return tool(HELM, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def kustomize(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """kustomize."""
    return tool(KUSTOMIZE, tmp_path_factory.mktemp("kustomize"))


@pytest.fixture
def cluster(real_server: RealApiServer) -> Iterator[Cluster]:
    """A namespace on the real API server."""
    made = Cluster(real_server)
    yield made
    made.close()


def _refuses_others(cluster: Cluster) -> bool:
    """The API server's admission learns of a namespace's labels from a watch of its own."""
    spec = {"containers": [{"name": "any", "image": "example/none"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "any"}, "spec": spec}
    return "PodSecurity" in cluster.api.post(f"{cluster.pod_path()}?dryRun=All", body).text


@pytest.fixture(scope="module")
def restricted(real_server: RealApiServer) -> Iterator[Cluster]:
    """A namespace that takes no Pod below the strictest of the Pod Security Standards."""
    made = Cluster(real_server)
    level = {f"pod-security.kubernetes.io/{what}": "restricted" for what in ("enforce", "warn")}
    path = f"/api/v1/namespaces/{made.namespace}"
    assert made.api.merge(path, {"metadata": {"labels": level}}).status == 200
    until(partial(_refuses_others, made), f"{made.namespace} takes restricted Pods only")
    yield made
    made.close()
