"""The API server's own word about tokens that it made itself (TokenRequest)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from coordinator.core.access import Action, Admissions, AgentPod
from coordinator.core.model import PodRef
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import load_kubeconfig
from coordinator.service.callers import Callers
from coordinator.service.clock import boottime
from coordinator.service.errors import PodElsewhere, Unauthenticated
from coordinator.service.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real

NODE = "node-of-callers"


@dataclass
class Site:
    """A namespace of the real API server, with one ServiceAccount."""

    client: KubeClient
    namespace: str
    callers: Callers

    async def post(self, kind: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        path = f"/api/v1/namespaces/{self.namespace}{kind}"
        return await self.client.request(method, path, body=orjson.dumps(body))

    async def pod(self, name: str, node: str = NODE) -> str:
        """A Pod that nothing runs; its uid."""
        spec: dict[str, Any] = {
            "serviceAccountName": "agent",
            "automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "example/none"}],
        }
        if node:
            spec["nodeName"] = node
        made = await self.post("/pods", {"metadata": {"name": name}, "spec": spec})
        return str(made["metadata"]["uid"])

    async def delete(self, pod: str) -> None:
        await self.post(f"/pods/{pod}", {"gracePeriodSeconds": 0}, "DELETE")

    async def token(self, *audiences: str, pod: tuple[str, str] | None = None) -> str:
        spec: dict[str, Any] = {"audiences": list(audiences)}
        if pod is not None:
            name, uid = pod
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
        made = await self.post("/serviceaccounts/agent/token", {"spec": spec})
        return str(made["status"]["token"])


@pytest.fixture
async def site(real_server: RealApiServer) -> AsyncIterator[Site]:
    namespace = f"callers-{uuid.uuid4().hex[:8]}"
    async with KubeClient(await load_kubeconfig(str(real_server.kubeconfig))) as client:
        admissions = Admissions([namespace])
        callers = Callers(client, admissions, metrics=Metrics(), now=boottime, rng=Random(1))
        body = orjson.dumps({"metadata": {"name": namespace}})
        await client.request("POST", "/api/v1/namespaces", body=body)
        made = Site(client, namespace, callers)
        await made.post("/serviceaccounts", {"metadata": {"name": "agent"}})
        yield made


async def test_a_projected_token_tells_its_pod_and_node(site: Site) -> None:
    uid = await site.pod("agent-x")
    token = await site.token("node-slots", pod=("agent-x", uid))
    caller = await site.callers.identify(token)
    assert caller.agent == AgentPod(site.namespace, "agent", "agent-x", uid, NODE)
    assert not await site.callers.permits(caller, Action("list", site.namespace))
    await site.callers.require_pod_on(PodRef(site.namespace, "agent-x", uid), NODE)
    with pytest.raises(PodElsewhere):
        await site.callers.require_pod_on(PodRef(site.namespace, "agent-x", uid), "another")


async def test_a_token_for_the_api_server_is_nobodys_agent(site: Site) -> None:
    uid = await site.pod("agent-x")
    for token in (await site.token(pod=("agent-x", uid)), await site.token()):
        caller = await site.callers.identify(token)
        assert caller.username == f"system:serviceaccount:{site.namespace}:agent"
        assert caller.agent is None


async def test_a_token_made_for_us_without_a_pod_is_nobodys_agent(site: Site) -> None:
    assert (await site.callers.identify(await site.token("node-slots"))).agent is None


async def test_a_token_for_somebody_else_and_garbage_are_refused(site: Site) -> None:
    for token in (await site.token("vault"), "garbage", "a.b.c"):
        with pytest.raises(Unauthenticated):
            await site.callers.identify(token)


async def test_the_token_of_a_pod_that_runs_nowhere_yet_is_refused(site: Site) -> None:
    uid = await site.pod("agent-x", node="")
    with pytest.raises(Unauthenticated, match="runs on no node yet"):
        await site.callers.identify(await site.token("node-slots", pod=("agent-x", uid)))


async def test_a_deleted_pods_token_is_refused_at_once_not_after_the_servers_ten_seconds(
    site: Site,
) -> None:
    uid = await site.pod("agent-x")
    token = await site.token("node-slots", pod=("agent-x", uid))
    await site.callers.identify(token)
    await site.delete("agent-x")
    site.callers.pod_gone(uid)
    with pytest.raises(Unauthenticated):
        await site.callers.identify(token)


async def test_a_later_pod_of_the_same_name_lends_its_identity_to_no_older_token(
    site: Site,
) -> None:
    token = await site.token("node-slots", pod=("agent-x", await site.pod("agent-x")))
    first = await site.callers.identify(token)
    await site.delete("agent-x")
    await site.pod("agent-x")
    assert first.agent is not None
    site.callers.pods_listed(site.namespace, {"the new one's"})
    with pytest.raises(Unauthenticated):
        await site.callers.identify(token)
