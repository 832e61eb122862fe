"""The ground on which rights are probed: a coordinator that may lack one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.e2e import tokens
from tests.e2e.cluster import AGENTS, limits
from tests.e2e.processes import Site
from tests.e2e.webhook import Webhook
from tests.e2e.wire import Http, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Coordinator
    from tests.e2e.wire import Answer

LONG = 3600
"""Seconds of a TTL that is not what frees a slot within a test."""


class Scene:
    """A pool with one node of two slots, and a namespace of clients. Nothing runs yet.

    `extras` are components of the manifests; `injecting`: with the webhook, its right and flags.
    """

    def __init__(
        self, cluster: Cluster, folder: Path, *extras: str, injecting: bool = False
    ) -> None:
        self.cluster = cluster
        self._nodes = 0
        self.client = cluster.add_namespace(f"{cluster.namespace}-client")
        self.site = Site(cluster, folder, clients=(self.client,), extras=frozenset(extras))
        self.webhook = Webhook(self.site) if injecting else None
        if self.webhook:
            self.webhook.apply(self.site.url)
        self.renew()

    def renew(self) -> None:
        """Another node, and nothing that was made for the one before counts."""
        self._nodes += 1
        self.node = self.cluster.add_node(self._nodes)
        self.cluster.configure(limits(2))
        self._made: dict[str, Any] = {}
        self._counted: dict[str, int] = {}
        for namespace in (self.client, self.cluster.namespace):
            self._counted |= self._events(namespace)

    def serve(self, *flags: str) -> Coordinator:
        """Starts the coordinator; it need not be ready yet."""
        return self.site.serve(*flags, *(self.webhook.flags if self.webhook else ()))

    def said(self, words: str) -> bool:
        """Whether an operator can read it: in the log, or in the answer of /readyz."""
        program = self.site.coordinator
        return words in program.output or words in self.tried(self.ready, "text")

    def ready(self) -> Answer:
        return self.site.coordinator.health.get("/readyz")

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gave the first time that it gave anything."""
        if not self._made.get(name):
            self._made[name] = make()
        return self._made[name]

    def do_once(self, name: str, act: Callable[[], None]) -> None:
        if name not in self._made:
            self._made[name] = act
            act()

    def tried(self, asking: Callable[[], Answer], what: str) -> Any:
        """That of the answer, or "" where nobody answers."""
        try:
            self.site.mount.sync()
            return getattr(asking(), what)
        except NoAnswer:
            return ""

    def holds(self, claim: str, api: Http | None = None, **body: Any) -> bool:
        """Whether the claim has its slot; it is asked for each time. The agent's, or who asks."""
        path = self.site.claim_path(self.node, claim)
        asked = {"load": claim, "ttlSeconds": LONG, **body}
        told = self.tried(lambda: (api or self.site.as_agent(self.node)).put(path, asked), "status")
        return bool(told == 200)

    def pod(self, namespace: str, name: str = "load") -> dict[str, str]:
        """A Pod on the node, made once."""
        made: dict[str, str] = self.once(
            f"{namespace}/{name}",
            lambda: self.cluster.add_pod(self.node, f"{name}-{self.node}", namespace=namespace),
        )
        return made

    def finish(self, pod: dict[str, str]) -> None:
        """What its kubelet says of a Pod that has done its work."""
        self.cluster.tell(pod["name"], {"phase": "Succeeded"}, pod["namespace"])

    def has_listed_pods_again(self) -> bool:
        """Whether both namespaces' Pods were listed twice, or that was refused so often: a new
        leader does so once it knows who holds, and sees by it who has ended until then.
        """
        name, labels = "nodeslots_api_request_seconds_count", {"resource": "pods", "verb": "list"}
        return sum(self.site.coordinator.samples(name, **labels)) >= 4

    def is_free(self, load: str) -> bool:
        """Whether no Lease of the node names the load."""
        held = self.cluster.holders().items()
        return not any(
            load in holder.split("/") for name, holder in held if name.startswith(self.node)
        )

    def as_client(self) -> Http:
        """The coordinator, asked by a Pod of the client's."""
        pod = self.pod(self.client, "agent")
        bound, audience = (pod["name"], pod["uid"]), tokens.AUDIENCE
        token = self.once(
            "token",
            lambda: tokens.token(
                self.cluster.api, self.client, AGENTS, pod=bound, audience=audience
            ),
        )
        return self.site.mount.person(self.site.url, token)

    def look(self) -> dict[str, Any]:
        """What a person is told of the node; nothing where nobody says."""
        path = self.site.node_path(self.node)
        told: dict[str, Any] = json.loads(
            self.tried(lambda: self.site.coordinator.api.get(path), "text") or "{}"
        )
        return told

    def limit(self) -> int:
        """The node's; 0 where nobody says."""
        return int(self.look().get("limit", 0))

    def counts(self, namespace: str) -> list[int]:
        """How often the news of each Event there has come."""
        news = self._events(namespace).items()
        return [new for uid, count in news if (new := count - self._counted.get(uid, 0))]

    def _events(self, namespace: str) -> dict[str, int]:
        found = self.cluster.api.get(f"/api/v1/namespaces/{namespace}/events").json["items"]
        return {event["metadata"]["uid"]: event["count"] for event in found}
