"""What else goes on in a cluster: on each of `nodes` an agent that holds and waits, and renews.

It says `up` when every agent was answered, and goes on until it is ended. Its claims are of the
lowest priority, so that nothing which others ask for ever waits behind them.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.loads.syncing import connect, first_of
from tests.bench.loads.told import main

if TYPE_CHECKING:
    from tests.bench.loads.syncing import Connection
    from tests.bench.scenario import Figures

WAIT = 20.0
LOWEST = -1_000_000
_AT_ONCE = 64


class Agent:
    """The agent of one node: `held` slots once they are granted, `waiting` claims behind them."""

    def __init__(self, config: dict[str, Any], node: str, held: int, waiting: int) -> None:
        self.settled = asyncio.Event()
        self._where = config["url"], config["namespace"], node
        self._name = f"background-{node}"
        self._held = held
        self._boot = uuid.uuid4().hex
        self._sequence = 0
        self._claims = {f"{self._boot[:8]}-{i}": self._claim(i) for i in range(held + waiting)}
        self.connection: Connection

    def _claim(self, number: int) -> dict[str, Any]:
        claim = f"{self._boot[:8]}-{number}"
        return {"claim": claim, "load": f"crowd/{number}", "priority": LOWEST, "ttlSeconds": 60}

    async def connect(self) -> None:
        """Open its connection."""
        self.connection = await connect(*self._where, self.heard)

    def sync(self) -> None:
        """Say all that it holds and waits for."""
        self.connection.send(self._body(claims=list(self._claims.values()), waitSeconds=WAIT))

    def heard(self, answer: dict[str, Any]) -> None:
        """Remember tokens and tickets, and say all of it again."""
        states = [self._take(told) for told in answer["claims"]]
        if states.count("granted") >= self._held and "settling" not in states:
            self.settled.set()
        self.sync()

    async def leave(self) -> None:
        """Release everything, on a connection of its own: the other one has a request open."""
        self.connection.heard = lambda _answer: None
        left = asyncio.Event()
        leaving = await connect(*self._where, lambda _answer: left.set())
        leaving.send(self._body(releases=list(self._claims)))
        await left.wait()
        leaving.close()
        self.connection.close()

    def _body(self, **said: Any) -> bytes:
        self._sequence += 1
        return orjson.dumps(
            {"agent": self._name, "boot": self._boot, "sequence": self._sequence, **said}
        )

    def _take(self, told: dict[str, Any]) -> str:
        claim, state = self._claims[told["claim"]], str(told["state"])
        if state == "granted":
            claim["fencingToken"] = told["fencingToken"]
        elif state == "queued":
            claim["ticket"] = told["ticket"]
        else:
            assert state == "settling", told
        return state


async def background(config: dict[str, Any]) -> Figures:
    """For ever, or until a connection fails."""
    agents = [Agent(config, node, config["held"], config["waiting"]) for node in config["nodes"]]
    for agent in agents:
        await agent.connect()
    for_ever = asyncio.ensure_future(_for_ever(agents))
    await first_of(for_ever, [agent.connection for agent in agents])
    return {}


async def begin(agents: list[Agent]) -> None:
    """All of them settled: some at a time, so that no first grant is given up as late."""
    for first in range(0, len(agents), _AT_ONCE):
        some = agents[first : first + _AT_ONCE]
        for agent in some:
            agent.sync()
        for agent in some:
            await agent.settled.wait()


async def _for_ever(agents: list[Agent]) -> None:
    await begin(agents)
    sys.stderr.write("up\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main(background)
