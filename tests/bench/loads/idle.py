"""Agents with one load at a time, on nodes with a free slot: claim, hold, release, and again.

There is one agent a node. A cycle is two syncs that are answered as soon as their write stands: the
grant's and the release's; its time is that from the claim sent to its release told.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.loads.syncing import connect, first_of
from tests.bench.loads.told import Window, main

if TYPE_CHECKING:
    from tests.bench.loads.syncing import Connection
    from tests.bench.scenario import Figures

WAIT = 20.0


class Agent:
    """The agent of one node."""

    def __init__(self, node: str, window: Window) -> None:
        self.connection: Connection
        self.ended = asyncio.Event()
        self._window = window
        self._name, self._boot = f"agent-{node}", uuid.uuid4().hex
        self._sequence, self._number = count(1), count(1)
        self._claim, self._began = "", 0.0

    def begin(self) -> None:
        """Ask for a slot, under a new id."""
        self._claim = f"{self._boot[:12]}-{next(self._number)}"
        self._began = time.perf_counter()
        self._ask()

    def heard(self, answer: dict[str, Any]) -> None:
        """Release what was granted; once that is told, the next one comes."""
        if answer["released"]:
            self._window.done(self._began)
            if self._window.over:
                self.ended.set()
            else:
                self.begin()
        elif answer["claims"] and answer["claims"][0]["state"] != "granted":
            self._ask()
        else:
            self._sync(releases=[self._claim])

    def _ask(self) -> None:
        self._sync(claims=[{"claim": self._claim, "load": "backup-7/pvc-3", "ttlSeconds": 60}])

    def _sync(self, **said: Any) -> None:
        head = {"agent": self._name, "boot": self._boot, "sequence": next(self._sequence)}
        self.connection.send(orjson.dumps({**head, "waitSeconds": WAIT, **said}))


async def idle(config: dict[str, Any]) -> Figures:
    """Cycles per second over all `nodes`, for `seconds` after `warm_up`."""
    window = Window(config["warm_up"], config["seconds"])
    agents = [Agent(node, window) for node in config["nodes"]]
    for agent, node in zip(agents, config["nodes"], strict=True):
        agent.connection = await connect(config["url"], config["namespace"], node, agent.heard)
        agent.begin()
    ending = asyncio.ensure_future(_ended(agents))
    await first_of(ending, [agent.connection for agent in agents])
    ending.result()
    return window.figures()


async def _ended(agents: list[Agent]) -> None:
    for agent in agents:
        await agent.ended.wait()


if __name__ == "__main__":
    main(idle)
