"""Every node's agent comes with `claims` new ones at once, all within `spread` seconds.

Beforehand each agent connects and says an empty sync. What is granted is kept and renewed, what
waits goes on waiting. Ends `seconds` after the last one came, if every node has its first grant by
then. Anything but granted, queued and settling is an error, and ends the load.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.account import resident
from tests.bench.loads.syncing import connect, first_of
from tests.bench.loads.told import main, spread

if TYPE_CHECKING:
    from tests.bench.loads.syncing import Connection
    from tests.bench.scenario import Figures

WAIT = 20


class Agent:
    """The agent of one node."""

    def __init__(self, node: str, claims: int) -> None:
        self.connection: Connection
        self.asked = 0.0
        self.answered = 0.0
        """When its claims were first answered, each by its state."""
        self.granted = 0.0
        """When it heard of its first grant."""
        self._sequence = count(1)
        self._node = node
        load, pod = f"backup-{node}/pvc-", f"mover-{node}-"
        self._claims: dict[str, dict[str, Any]] = {
            f"{node}-{n}-0f8e6a5c": {
                "claim": f"{node}-{n}-0f8e6a5c",
                "load": f"{load}{n}",
                "pod": {"namespace": "bench", "name": f"{pod}{n}", "uid": f"{node}-{n}-4a7d-9c21"},
            }
            for n in range(claims)
        }

    def greet(self) -> None:
        """A sync that names no claim."""
        self._sync([], 0)

    def come(self) -> None:
        """All claims at once."""
        self.asked = _now()
        self._sync(list(self._claims.values()), WAIT)

    def heard(self, answer: Any) -> None:
        """Take in what was answered, and ask again at once."""
        if not self.asked:
            return
        told = answer["claims"]
        self.answered = self.answered or _now()
        for one in told:
            match one["state"]:
                case "granted":
                    self.granted = self.granted or _now()
                    self._claims[one["claim"]]["fencingToken"] = one["fencingToken"]
                case "queued":
                    self._claims[one["claim"]]["ticket"] = one["ticket"]
                case state:
                    assert state == "settling", one
        self._sync(list(self._claims.values()), WAIT)

    def _sync(self, claims: list[dict[str, Any]], wait: int) -> None:
        body = {
            "agent": f"agent-{self._node}",
            "boot": self._node,
            "sequence": next(self._sequence),
            "waitSeconds": wait,
            "claims": claims,
        }
        self.connection.send(orjson.dumps(body))


async def midnight(config: dict[str, Any]) -> Figures:
    """First grants per second, how long the first answers took, and what a waiting claim takes of
    the memory of the process `pid`: all that came, over those that wait.
    """
    nodes: list[str] = config["nodes"]
    agents = [Agent(node, config["claims"]) for node in nodes]
    for agent, node in zip(agents, nodes, strict=True):
        agent.connection = await connect(config["url"], config["namespace"], node, agent.heard)
        agent.greet()
    await asyncio.sleep(2.0)
    before, cpu = resident(config["pid"]), time.process_time()
    crowd = asyncio.ensure_future(_crowd(agents, config["spread"], config["seconds"]))
    await first_of(crowd, [agent.connection for agent in agents])
    took, waiting = crowd.result(), len(agents) * (config["claims"] - 1)
    figures = {
        "total": float(len(agents)),
        "per second": len(agents) / took,
        "seconds": took,
        "load CPU s": time.process_time() - cpu,
        "KB a waiter": (resident(config["pid"]) - before) / waiting / 1000,
    }
    return figures | spread([agent.answered - agent.asked for agent in agents])


async def _crowd(agents: list[Agent], seconds: float, more: float) -> float:
    """From the first claim to the last node's first grant, in seconds."""
    begin = _now()
    for number, agent in enumerate(agents):
        agent.come()
        left = begin + (number + 1) * seconds / len(agents) - _now()
        if left > 0:
            await asyncio.sleep(left)
    end = _now() + more
    while not all(agent.granted and agent.answered for agent in agents):
        late = sum(not agent.granted for agent in agents)
        assert _now() < end, f"{late} nodes without a grant after {more} s"
        await asyncio.sleep(0.1)
    return max(agent.granted for agent in agents) - begin


def _now() -> float:
    return asyncio.get_running_loop().time()


if __name__ == "__main__":
    main(midnight)
