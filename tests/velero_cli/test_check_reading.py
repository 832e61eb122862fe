"""`velero check`: what it makes of the answers about our own side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.velero.check_model import Injected, Own, Schedule, Served, Way
from coordinator.velero.check_reading import ADMISSION, read_own

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPLOYMENT = "/apis/apps/v1/namespaces/velero/deployments/node-slots-coordinator"
KYVERNO = "/apis/policies.kyverno.io/v1"
SCHEDULES = "/apis/velero.io/v1/namespaces/velero/schedules"
WEBHOOK = f"/{ADMISSION}/v1/mutatingwebhookconfigurations/node-slots-movers"


class Answers(KubeClient):
    """Answers GETs from a table; what is not in it is not served."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        super().__init__(OpenAccess("http://127.0.0.1:9"))
        self._table = table

    async def request(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        assert method == "GET", (method, path)
        found = self._table.get(path, 404)
        if isinstance(found, dict):
            return found
        call = call_of(method, path)
        raise {
            403: errors.Forbidden(call, "no", status=403),
            404: errors.Invalid(call, "404 page not found", status=404),
            503: errors.Unavailable(call, "away", status=503),
        }[found]


def resources(*names: str) -> dict[str, Any]:
    """What discovery says of a group's version."""
    return {"resources": [{"name": name} for name in names]}


V1 = {f"/{ADMISSION}/v1": resources("mutatingwebhookconfigurations")}


async def own(table: Mapping[str, Any], config_map: str = "") -> Own:
    return await read_own(Answers(V1 | dict(table)), "velero", "node-slots", config_map)


@pytest.mark.parametrize(
    ("version", "policy"), [("v1", "v1"), ("v1beta1", "v1beta1"), ("v1alpha1", "v1alpha1")]
)
async def test_the_version_that_policies_are_served_in_is_discovered(
    version: str, policy: str
) -> None:
    both = resources("mutatingadmissionpolicies", "mutatingwebhookconfigurations")
    assert (await own({f"/{ADMISSION}/{version}": both})).served == Served(policy)


async def test_a_cluster_with_neither_policies_nor_kyverno_has_webhooks() -> None:
    assert (await own({})).served == Served(policy="", webhook=True, kyverno=False)


async def test_discovery_that_is_not_allowed_leaves_the_ways_unknown() -> None:
    found = await own({f"/{ADMISSION}/v1": 403})
    assert found.served is None
    assert any("you may not" in text for text in found.unread)


async def test_an_api_server_that_is_away_is_an_error_and_no_finding() -> None:
    with pytest.raises(errors.Unavailable):
        await own({DEPLOYMENT: 503})


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        ({}, ""),
        ({"conditionStatus": {"ready": True}}, ""),
        ({"conditionStatus": {"ready": False, "message": "no CEL"}}, "Kyverno says: no CEL"),
    ],
)
async def test_kyverno_says_itself_whether_its_policy_works(
    status: dict[str, Any], fault: str
) -> None:
    table = {
        KYVERNO: resources("mutatingpolicies"),
        f"{KYVERNO}/mutatingpolicies/node-slots-movers": {"status": status},
    }
    assert (await own(table)).injected == (Injected(Way.KYVERNO, "node-slots-movers", fault),)


@pytest.mark.parametrize(("bundles", "works"), [([], False), (["", "x"], False), (["x"], True)])
async def test_every_webhook_needs_an_authority(bundles: list[str], works: bool) -> None:
    hooks = [{"clientConfig": {"caBundle": bundle}} for bundle in bundles]
    (found,) = (await own({WEBHOOK: {"webhooks": hooks}})).injected
    assert (found.way, not found.fault) == (Way.WEBHOOK, works)


async def test_an_injection_for_another_namespace_is_no_use_here() -> None:
    hook = {
        "clientConfig": {"caBundle": "x"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "backup"}},
    }
    (found,) = (await own({WEBHOOK: {"webhooks": [hook]}})).injected
    assert found.fault == "it is for namespace backup, not for velero"
    assert found.elsewhere == "backup"


async def test_the_limits_are_those_that_the_coordinator_reads() -> None:
    container = {"args": ["--node-agent-configmap=mine", "--prepare-timeout=7200"]}
    spec = {"replicas": 3, "template": {"spec": {"containers": [container]}}}
    table = {
        DEPLOYMENT: {"spec": spec, "status": {"readyReplicas": 1}},
        "/api/v1/namespaces/velero/configmaps/mine": {"data": {"a": "{}"}},
    }
    found = await own(table)
    assert found.coordinator is not None
    assert (found.coordinator.desired, found.coordinator.ready) == (3, 1)
    assert found.coordinator.flags["prepare-timeout"] == "7200"
    assert found.limits is not None
    assert (found.config_map, found.limits.data) == ("mine", {"a": "{}"})
    assert (await own(table, "other")).config_map == "other"


async def test_only_schedules_that_set_a_timeout_are_kept() -> None:
    def schedule(name: str, timeout: str) -> dict[str, Any]:
        template = {"itemOperationTimeout": timeout}
        return {"metadata": {"name": name}, "spec": {"template": template}}

    items = [schedule("weekly", "4h0m0s"), schedule("hourly", "30m"), schedule("plain", "0s")]
    found = await own({SCHEDULES: {"items": items}})
    assert found.schedules == (Schedule("hourly", 1800.0), Schedule("weekly", 14400.0))
