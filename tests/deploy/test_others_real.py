"""Objects of the Prometheus operator's and cert-manager's kinds, as their makers define them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.install import Options, objects
from coordinator.install.files import EXTRAS
from tests.deploy.dryrun import complaints
from tests.deploy.kinds import taught
from tests.deploy.rendering import OTHERS, chart
from tests.tools.using import defined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.cluster import Cluster
    from tests.realserver.server import RealApiServer
    from tests.tools.programs import Tool

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def cluster(real_server: RealApiServer) -> Iterator[Cluster]:
    """A cluster that knows these kinds."""
    with taught(real_server, defined()) as made:
        yield made


def test_they_are_taken_to_the_letter_of_every_field(cluster: Cluster, helm: Tool) -> None:
    options = Options(namespace=cluster.namespace, name=cluster.namespace, extras=frozenset(EXTRAS))
    issuer = {"name": "company", "kind": "ClusterIssuer"}
    values = {"name": cluster.namespace, "tls.mode": "cert-manager", "tls.issuer": issuer}
    found = [*objects(options), *chart(helm, values, cluster.namespace)]
    others = [one for one in found if one["apiVersion"] in OTHERS]
    assert {one["kind"] for one in others} == {
        "ServiceMonitor",
        "PrometheusRule",
        "Issuer",
        "Certificate",
    }
    assert complaints(cluster, others) == []


def test_a_misspelt_field_would_be_seen(cluster: Cluster) -> None:
    options = Options(namespace=cluster.namespace, extras=frozenset({"alerts"}))
    (rule,) = (one for one in objects(options) if one["apiVersion"] in OTHERS)
    rule["spec"]["groups"][0]["rules"][0]["expresion"] = "up"
    (said,) = complaints(cluster, [rule])
    assert "expresion" in said
