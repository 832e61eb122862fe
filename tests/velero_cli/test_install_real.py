"""A real API server takes everything that governs Velero, to the letter, and without a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.velero.install import INJECTIONS, KYVERNO, POLICY, Governing
from tests.deploy.dryrun import complaints
from tests.deploy.kinds import taught
from tests.e2e.cluster import place
from tests.tools.using import defined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.cluster import Cluster
    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def cluster(real_server: RealApiServer) -> Iterator[Cluster]:
    """A cluster that knows Kyverno's kinds."""
    kinds = [one for one in defined() if one["spec"]["group"] == "policies.kyverno.io"]
    with taught(real_server, kinds) as made:
        yield made


@pytest.mark.parametrize("injection", INJECTIONS)
def test_every_object_is_taken_without_a_warning(injection: str, cluster: Cluster) -> None:
    governing = Governing(namespace=cluster.namespace, injection=injection, limit=2)
    assert complaints(cluster, governing.installed()) == []


def test_a_misspelt_field_or_expression_would_be_seen(cluster: Cluster) -> None:
    for injection in INJECTIONS:
        (first, *_) = Governing(namespace=cluster.namespace, injection=injection).injecting()
        rule = first["webhooks"][0] if "webhooks" in first else first["spec"]
        rule["failurePolice"] = "Ignore"
        assert complaints(cluster, [first]) != [], injection
    first, _ = Governing(namespace=cluster.namespace).injecting()
    mutation = first["spec"]["mutations"][0]["jsonPatch"]
    mutation["expression"] = mutation["expression"].replace("variables.priority", "variables.prio")
    assert "prio" in str(complaints(cluster, [first]))


@pytest.mark.parametrize("injection", [POLICY, KYVERNO])
def test_what_undo_prints_deletes_what_install_made(injection: str, cluster: Cluster) -> None:
    """The injection alone is made: what is the whole cluster's is not this test's to make twice."""
    governing = Governing(namespace=cluster.namespace, injection=injection)
    for one in governing.injecting():
        cluster.make(place(one), one)
    first = governing.undone()[: len(governing.injecting())]
    for one in first:
        assert cluster.api.delete(f"{place(one)}/{one['metadata']['name']}").status == 200
    for one in governing.injecting():
        gone = cluster.api.get(f"{place(one)}/{one['metadata']['name']}")
        assert gone.status == 404
