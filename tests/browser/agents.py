"""Agents in this process: each speaks for one node, by the same requests as the real ones."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.browser.plan import POOL

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.browser.plan import Load, Loads

LONG, SHORT = 3600, 10
"""Seconds of a TTL: of a holder that need not be asked again soon, and of one that falls silent."""
ROUND_SECONDS = 6.0
"""Between two requests for those who wait; after 15 s without one nothing is granted to them."""
AT_ONCE = 16
QUEUED_SHARE = 0.7
"""Of the loads that end, so many are on nodes where another one waits."""
_TRIED = ClientTimeout(total=30)


@dataclass
class Agent:
    """One node's agent: its claims by id, as its next request will name them."""

    node: str
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    _sequence: int = 0

    def add(self, load: Load, pod: dict[str, str], ttl: int = LONG) -> None:
        """A load that wants a slot from the next request on."""
        terms = {"load": load.name, "priority": load.priority, "ttlSeconds": ttl}
        self.claims[load.claim] = {"claim": load.claim, "pod": pod, **terms}

    @property
    def path(self) -> str:
        """Where its node is."""
        return f"/v1/namespaces/{POOL}/nodes/{self.node}"

    def waits(self) -> list[str]:
        """The claims without a slot."""
        return [claim for claim, terms in self.claims.items() if "fencingToken" not in terms]

    def holds(self) -> list[str]:
        """The claims with one, the oldest first."""
        return [claim for claim, terms in self.claims.items() if "fencingToken" in terms]

    async def sync(self, session: ClientSession) -> None:
        """Ask for all of them. Raises ClientError; an answer that is none changes nothing."""
        self._sequence += 1
        body: dict[str, Any] = {"agent": f"agent-{self.node}", "boot": f"boot-{self.node}"}
        body |= {"sequence": self._sequence, "claims": list(self.claims.values())}
        async with session.post(self.path + "/sync", json=body) as answer:
            if answer.status == 200:
                self._learn((await answer.json())["claims"])

    def _learn(self, answers: list[dict[str, Any]]) -> None:
        for told in answers:
            terms = self.claims.get(told["claim"])
            if terms is not None and told["state"] == "granted":
                terms["fencingToken"] = told["fencingToken"]
                terms.pop("ticket", None)
            elif terms is not None and told["state"] == "queued":
                terms["ticket"] = told["ticket"]
            elif told["state"] == "lost":
                self.claims.pop(told["claim"], None)

    async def release(self, session: ClientSession, claim: str) -> None:
        """Give one back. Raises ClientError."""
        async with session.delete(f"{self.path}/claims/{claim}") as answer:
            if answer.status == 204:
                self.claims.pop(claim, None)


@dataclass
class Crowd:
    """All agents of a site. `make_pod` makes the Pod of a load on a node, as a claim names it."""

    url: str
    make_pod: Callable[[str, Load], dict[str, str]]
    agents: list[Agent] = field(default_factory=list)
    turns: int = 0
    """How many loads have come and gone."""
    _session: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """One for all; it begins with the first request."""
        if self._session is None:
            self._session = ClientSession(self.url, trust_env=False, timeout=_TRIED)
        return self._session

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def sync(self, agents: list[Agent]) -> None:
        """One request of each, a few at once. An outage is nothing: the next round asks again."""
        lanes = asyncio.Semaphore(AT_ONCE)

        async def one(agent: Agent) -> None:
            async with lanes:
                with contextlib.suppress(ClientError, TimeoutError):
                    await agent.sync(self.session)

        await asyncio.gather(*map(one, agents))

    async def keep(self) -> None:
        """Go on asking for whatever waits, until cancelled."""
        while True:
            await self.sync([agent for agent in self.agents if agent.waits()])
            await asyncio.sleep(ROUND_SECONDS)

    async def churn(self, loads: Loads, chance: Random, seconds: float) -> None:
        """A hand-over every so often, until cancelled: one load ends, another one comes."""
        while True:
            busy = [agent for agent in self.agents if agent.holds()]
            queued = [agent for agent in busy if agent.waits()]
            chosen = chance.choice(queued if queued and chance.random() < QUEUED_SHARE else busy)
            with contextlib.suppress(ClientError, TimeoutError):
                await self._turn(chosen, loads.new())
                self.turns += 1
            await asyncio.sleep(seconds)

    async def _turn(self, agent: Agent, load: Load) -> None:
        agent.add(load, self.make_pod(agent.node, load))
        await agent.release(self.session, agent.holds()[0])
        await agent.sync(self.session)


def pod_of(load: Load) -> str:
    """The name of the Pod in which it runs."""
    return load.name.replace("/", "-") + "-" + load.claim[:5]
