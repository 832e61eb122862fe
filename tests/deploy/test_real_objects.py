"""A real API server takes every object of every variant, to the letter, and without a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.install import Options, objects
from coordinator.install.files import EXTRAS
from tests.deploy.dryrun import complaints, known
from tests.e2e.cluster import place

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.wire import Answer

pytestmark = pytest.mark.real

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "single": {"replicas": 1},
    "many": {"pools": ("{}-pool/two",), "clients": ("{}-apps:5",)},
    **{name: {"extras": frozenset({name})} for name in EXTRAS},
}


@pytest.fixture(scope="module")
def spaces(restricted: Cluster) -> Cluster:
    """The same, with the namespaces of another pool and of a client."""
    for more in ("pool", "apps"):
        head = {"name": f"{restricted.namespace}-{more}"}
        restricted.make("/api/v1/namespaces", {"metadata": head})
    return restricted


def tried(cluster: Cluster, body: Any) -> Answer:
    return cluster.api.post(f"{place(body)}?dryRun=All&fieldValidation=Strict", body)


def built(cluster: Cluster, **chosen: Any) -> list[Any]:
    name = cluster.namespace
    for more in chosen.keys() & {"pools", "clients"}:
        chosen[more] = tuple(text.format(name) for text in chosen[more])
    options = Options(namespace=name, name=name, **chosen)
    return known(objects(options))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_is_taken_without_a_warning(variant: str, spaces: Cluster) -> None:
    assert complaints(spaces, built(spaces, **VARIANTS[variant])) == []


def test_the_pod_of_the_deployment_is_taken_where_only_restricted_pods_are(
    restricted: Cluster,
) -> None:
    """A Deployment is only warned of; its Pods are what is refused."""
    for chosen in ({}, {"extras": frozenset({"tls-mounted"})}):
        (deployment,) = (one for one in built(restricted, **chosen) if one["kind"] == "Deployment")
        template = deployment["spec"]["template"]
        head = {"name": "pod", "namespace": restricted.namespace, **template["metadata"]}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": template["spec"]}
        answer = tried(restricted, body)
        assert answer.status == 201, answer.text
        body["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
        assert tried(restricted, body).status == 403


def test_a_misspelt_field_would_be_seen(restricted: Cluster) -> None:
    for body in built(restricted, extras=frozenset({"network-policy", "flow-schema"})):
        if "spec" in body:
            body["spec"]["sekretName"] = "x"
            assert tried(restricted, body).status == 400, body["kind"]


def test_applied_again_nothing_that_the_coordinator_wrote_is_lost(cluster: Cluster) -> None:
    """As `kubectl apply --server-side` sends it: what is not named is left as it is."""
    for body in built(cluster):
        if body["kind"] not in ("Secret", "ConfigMap"):
            continue
        path = f"{place(body)}/{body['metadata']['name']}"
        apply = f"{path}?fieldManager=kubectl"
        patch = "application/apply-patch+yaml"
        assert cluster.api.call("PATCH", apply, body, content_type=patch).status == 201
        kept = {"ca.crt": "eA=="}
        found = cluster.api.get(path).json
        assert cluster.api.put(path, found | {"data": kept}).status == 200
        assert cluster.api.call("PATCH", apply, body, content_type=patch).status == 200
        assert cluster.api.get(path).json["data"] == kept
