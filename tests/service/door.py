"""`Callers` on the cluster's API server, and whom that one knows."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from coordinator.core.access import Admissions, ClientNamespace
from coordinator.embedded import objects
from coordinator.embedded.resources import NAMESPACES
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.service.callers import Callers
from coordinator.service.metrics import Metrics
from tests.service.cluster import NODE, NS, Cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

    from coordinator.core.access import Caller
    from tests.service.faults import Match, Sent

CLIENTS = "jobs"
"""A namespace that may claim in the pool too."""
ADMISSIONS = Admissions([NS], [ClientNamespace(NS, CLIENTS)])
EXTRA = "authentication.kubernetes.io/"
API_SERVER = "https://kubernetes.default.svc"
TOKEN_REVIEWS, ACCESS_REVIEWS = "/tokenreviews", "/subjectaccessreviews"


class Door:
    """Who comes, and what that costs the API server."""

    def __init__(self, cluster: Cluster, client: KubeClient) -> None:
        self.cluster = cluster
        self.metrics = Metrics()
        self.callers = Callers(
            client, ADMISSIONS, metrics=self.metrics, now=cluster.jumps.now, rng=Random(1)
        )

    # --- whom the API server knows --------------------------------------------------------------

    def agent(
        self,
        token: str,
        pod: str = "agent-x",
        *,
        namespace: str = NS,
        node: str = NODE,
        audience: str = "node-slots",
        tells_node: bool = True,
        on: str | None = None,
    ) -> str:
        """A token that is bound to a Pod on that node, which is made. Returns the Pod's uid."""
        made = objects.put(
            self.cluster.store, objects.pod(namespace, pod, node if on is None else on)
        )
        uid = str(made["metadata"]["uid"])
        self.bind(token, pod, uid, namespace=namespace, audience=audience)
        if tells_node:
            self.user(token)["extra"][EXTRA + "node-name"] = [node]
        return uid

    def bind(
        self, token: str, pod: str, uid: str, *, namespace: str = NS, audience: str = "node-slots"
    ) -> None:
        """A token of the Pod with that uid, whether it exists or not."""
        extra = {EXTRA + "pod-name": [pod], EXTRA + "pod-uid": [uid]}
        self.cluster.store.tokens[token] = {
            "username": f"system:serviceaccount:{namespace}:agent",
            "uid": "account",
            "groups": [f"system:serviceaccounts:{namespace}"],
            "extra": extra,
            "audiences": [audience],
        }

    def person(self, token: str, name: str = "alice") -> None:
        self.cluster.store.tokens[token] = {
            "username": name,
            "uid": "",
            "groups": ["staff"],
            "audiences": [API_SERVER],
        }

    def user(self, token: str) -> dict[str, Any]:
        return self.cluster.store.tokens[token]

    # --- what is asked ----------------------------------------------------------------------------

    async def identify(self, token: str) -> Caller:
        """Let time pass until it is known."""
        asking = asyncio.create_task(self.callers.identify(token))
        await self.cluster.jumps.until(asking.done)
        return asking.result()

    def asked(self, ending: str = TOKEN_REVIEWS) -> list[Sent]:
        """What was sent to that resource."""
        return [one for one in self.cluster.faults.sent if one.path.endswith(ending)]

    def reviews(self, audience: str = "node-slots") -> int:
        """How many tokens were reviewed for that audience."""
        specs = [orjson.loads(one.body)["spec"] for one in self.asked()]
        return sum(spec.get("audiences", [API_SERVER]) == [audience] for spec in specs)


@asynccontextmanager
async def door(cluster: Cluster) -> AsyncIterator[Door]:
    cluster.store.create(NAMESPACES, "", {"metadata": {"name": CLIENTS}})
    async with KubeClient(OpenAccess(cluster.server.url)) as client:
        yield Door(cluster, client)


def token_review() -> Match:
    return lambda request: request.path.endswith(TOKEN_REVIEWS)


def access_review() -> Match:
    return lambda request: request.path.endswith(ACCESS_REVIEWS)


def pod_get(namespace: str = NS) -> Match:
    return lambda request: f"/namespaces/{namespace}/pods/" in request.path


async def knows_no_audience(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An authenticator that does not look at audiences: whoever it knows, it knows for all."""
    user = {
        "username": f"system:serviceaccount:{NS}:agent",
        "extra": {EXTRA + "pod-name": ["agent-x"], EXTRA + "pod-uid": ["u"]},
    }
    return web.json_response({"status": {"authenticated": True, "user": user}}, status=201)
