"""Who asks, in tests: callers by their tokens, their rights, and where Pods run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from coordinator.core.access import Action, AgentPod, Caller
from coordinator.service.errors import NotConfirmed, PodElsewhere, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.model import PodRef

SECRET = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0-of-the-caller"
"""Every token of these tests begins with this, so that one that leaks is found."""
AGENT, NEIGHBOUR, GUEST, STRANGER, ELDER, NOBODY, READER, FREER, SCRAPER = (
    f"{SECRET}.{name}"
    for name in (
        "agent",
        "neighbour",
        "guest",
        "stranger",
        "elder",
        "nobody",
        "reader",
        "freer",
        "scraper",
    )
)


def agent(namespace: str, node: str) -> Caller:
    """A Pod's own token; its Pod is `agent-NODE`, its service account the namespace's name."""
    account = f"system:serviceaccount:{namespace}:{namespace}"
    return Caller(account, agent=AgentPod(namespace, namespace, f"agent-{node}", f"u-{node}", node))


def people() -> dict[str, Caller]:
    """Everybody of the table test. The elder's token cannot be confirmed at the moment."""
    return {
        AGENT: agent("velero", "node1"),
        NEIGHBOUR: agent("velero", "node2"),
        GUEST: agent("batch", "node1"),
        STRANGER: agent("games", "node1"),
        ELDER: replace(agent("velero", "node1"), confirmed=False),
        NOBODY: Caller("nobody"),
        READER: Caller("reader"),
        FREER: Caller("freer"),
        SCRAPER: Caller("scraper"),
    }


def rights() -> set[tuple[str, Action]]:
    """Who may do what beyond being an agent."""
    looks = {(name, Action(verb, "velero")) for name in ("reader", "freer") for verb in LOOKING}
    return looks | {("freer", Action("delete", "velero")), ("scraper", SCRAPING)}


LOOKING = ("get", "list")
SCRAPING = Action("get", "", "/metrics")


@dataclass
class FakeCallers:
    """`service.callers.Callers` as the API uses it."""

    known: dict[str, Caller] = field(default_factory=people)
    may: set[tuple[str, Action]] = field(default_factory=rights)
    pods: dict[str, str] = field(default_factory=dict)
    """The node that each Pod (namespace/name) runs on."""
    away: bool = False
    """Whether the API server cannot be asked."""
    asked: list[Action] = field(default_factory=list)
    looked: list[PodRef] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    """What happens while rights are asked for."""

    async def identify(self, token: str) -> Caller:
        if token not in self.known:
            raise Unauthenticated("the API server does not accept this token")
        return self.known[token]

    async def permits(self, caller: Caller, action: Action) -> bool:
        self.asked.append(action)
        self.meanwhile()
        if self.away or not caller.confirmed:
            raise NotConfirmed("the API server does not answer", 2.0)
        return (caller.username, action) in self.may

    async def require_pod_on(self, pod: PodRef, node: str) -> None:
        self.looked.append(pod)
        if self.away:
            raise NotConfirmed("the API server does not answer", 2.0)
        if self.pods.get(f"{pod.namespace}/{pod.name}") != node:
            raise PodElsewhere(f"the Pod {pod.namespace}/{pod.name} does not run on node {node}")


def bearer(token: str) -> dict[str, str]:
    """The headers of a request with a body."""
    return {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
