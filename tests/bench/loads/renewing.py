"""One agent a node, each with `slots` held, all of which it renews: a sync that waits its 20 s.

The first syncs are spread over `spread` seconds, so that later ones are too. Nothing is wrong with
any answer, and each names all slots as granted, or the load fails. Runs for `seconds` after that.
"""

from __future__ import annotations

import asyncio
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.held import TOKEN, claim_of, load_of
from tests.bench.loads.syncing import connect, first_of
from tests.bench.loads.told import main

if TYPE_CHECKING:
    from tests.bench.loads.syncing import Connection
    from tests.bench.scenario import Figures

WAIT = 20


class Agent:
    """The agent of one node. All but the sequence of its body is made once."""

    def __init__(self, node: str, slots: int) -> None:
        self.answers = 0
        self.connection: Connection
        self._slots = slots
        self._sequence = count(1)
        claims = [
            {"claim": claim_of(node, n), "load": load_of(node, n), "fencingToken": TOKEN}
            for n in range(slots)
        ]
        head = {"agent": f"agent-{node}", "boot": uuid.uuid4().hex, "waitSeconds": WAIT}
        self._body = orjson.dumps(head | {"claims": claims})[:-1]

    def sync(self) -> None:
        """Say that all is well."""
        self.connection.send(self._body + b',"sequence":%d}' % next(self._sequence))

    def heard(self, answer: Any) -> None:
        """All is well, and goes on."""
        states = [told["state"] for told in answer["claims"]]
        assert states == ["granted"] * self._slots, answer
        self.answers += 1
        self.sync()


async def renewing(config: dict[str, Any]) -> Figures:
    """Syncs per second that were answered."""
    nodes: list[str] = config["nodes"]
    agents = [Agent(node, config["slots"]) for node in nodes]
    begin = asyncio.get_running_loop().time()
    for number, (agent, node) in enumerate(zip(agents, nodes, strict=True)):
        agent.connection = await connect(config["url"], config["namespace"], node, agent.heard)
        agent.sync()
        await _until(begin + (number + 1) * config["spread"] / len(nodes))
    before = sum(agent.answers for agent in agents)
    end = asyncio.ensure_future(_until(begin + config["spread"] + config["seconds"]))
    await first_of(end, [agent.connection for agent in agents])
    answers = sum(agent.answers for agent in agents) - before
    return {"per second": answers / config["seconds"]}


async def _until(when: float) -> None:
    left = when - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)


if __name__ == "__main__":
    main(renewing)
