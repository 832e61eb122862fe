"""One claim of a hold, and a coordinator whose answers the test writes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_client.agent import Agent
from agent_client.hold import record as r
from agent_client.hold.holding import Before, Holding
from agent_client.messages import Reply, Terms
from agent_client.session import Patience
from agent_client.settings import Settings
from tests.agent_client.fake import problem

if TYPE_CHECKING:
    from agent_client.hold.record import Record
    from agent_client.session import IfUnavailable

SETTINGS = Settings("http://coordinator:8443", "velero", "node1", "pod/hold")


def granted(token: int = 7) -> dict[str, Any]:
    told = {"state": "granted", "slot": 0, "lease": "node1-slot-0", "ttlSeconds": 60}
    return {**told, "fencingToken": token}


def queued(position: int = 1, *holders: str) -> dict[str, Any]:
    waits_for = [{"claim": f"c-{load}", "load": load} for load in holders]
    told = {"state": "queued", "position": position, "ticket": "1.1", "reason": "1 of 1 are held"}
    return {**told, "holders": waits_for}


def refused(name: str, status: int) -> dict[str, Any]:
    return {"state": "refused", "problem": problem(name, status)}


LOST = {"state": "lost", "problem": problem("slot-lost", 409)}


class Scene:
    """Asked at 0. Every answer comes a second after the last, which `now` tells."""

    def __init__(
        self, before: Before | None = None, if_unavailable: IfUnavailable = "wait"
    ) -> None:
        self.agent = Agent("pod/hold", "boot", lambda: 0.5)
        patience = Patience(if_unavailable=if_unavailable)
        self.holding = Holding(self.agent, Terms("stem", "job"), patience, before or Before())
        self.now = 0.0
        self.holding.ask(self.now)

    def answer(self, state: dict[str, Any], **more: Any) -> Record:
        """What `hold.json` says after this answer about the claim that was asked for."""
        request = self.agent.request(self.now)
        self.now += 1
        claims = [{"claim": claim, **state} for claim in request.claims]
        answer = {"term": 1, "claims": claims, "released": [], **more}
        self.agent.replied(request, Reply(200, answer), self.now)
        return self.step()

    def silence(self, until: float) -> Record:
        """Nobody answers; time goes on."""
        self.agent.unanswered(self.agent.request(self.now), self.now)
        self.now = until
        return self.step("connection refused")

    def step(self, silence: str | None = None) -> Record:
        self.agent.elapse(self.now)
        self.holding.step(self.now)
        return r.record(self.holding, SETTINGS, silence)

    @property
    def asked(self) -> list[str]:
        """The claims that the next request names."""
        return [one["claim"] for one in self.agent.request(self.now).body["claims"]]
