"""The coordinator in memory, with the state of its node to look up."""

from __future__ import annotations

from typing import Any

from agent_client.errors import NoAnswer
from agent_client.messages import Reply
from tests.agent_client.fake import FakeCoordinator


class NodeCoordinator(FakeCoordinator):
    """`get` answers as GET /v1/namespaces/velero/nodes/node1 does (docs/api.md)."""

    def __init__(self, limit: int = 1) -> None:
        super().__init__(limit)
        self.elements: dict[str, dict[str, Any]] = {}
        self.paths: list[str] = []
        self.lookups: Reply | None = None
        """Answered to every look at the node, while set."""
        self.deaf_to_releases = False

    async def get(self, path: str, timeout: float) -> Reply:
        self.paths.append(path)
        if self.down:
            raise NoAnswer("connection refused")
        if self.lookups is not None:
            return self.lookups
        slots = [self._slot(slot, claim) for slot, claim in sorted(self.holders.items())]
        queue = [self._told(claim) for claim in self.queue]
        return Reply(200, {"node": "node1", "limit": self.limit, "slots": slots, "queue": queue})

    def claims_of(self, load: str) -> list[str]:
        """The claims under which `load` was ever asked for, oldest first."""
        return [claim for claim, element in self.elements.items() if element["load"] == load]

    def held(self) -> list[str]:
        """The loads that hold a slot."""
        return [self.elements[claim]["load"] for claim in self.holders.values()]

    def _take(self, body: dict[str, Any]) -> None:
        self.elements.update({element["claim"]: element for element in body["claims"]})
        super()._take({**body, "releases": [] if self.deaf_to_releases else body["releases"]})

    def _slot(self, slot: int, claim: str) -> dict[str, Any]:
        return {
            "slot": slot,
            "lease": f"node1-slot-{slot}",
            "state": "held",
            "fencingToken": self.tokens[claim],
            "acquired": f"2026-01-05T10:00:00.{self.tokens[claim]:06}Z",
            "holder": self._told(claim),
        }

    def _told(self, claim: str) -> dict[str, Any]:
        element = self.elements[claim]
        pod = element.get("pod")
        return {
            "claim": claim,
            "load": element["load"],
            "priority": element["priority"],
            "ttlSeconds": element["ttlSeconds"],
            "pod": f"{pod['namespace']}/{pod['name']}" if pod else None,
            "podUid": pod.get("uid") if pod else None,
        }
