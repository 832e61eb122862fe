"""Agents whose loads end as soon as they begin: a grant is released at once, a new claim waits.

There is one agent a node, with one sync open, and always one waiting claim for each of its `slots`;
`behind` more wait on each node all the time, of the lowest priority and another agent. A cycle is a
grant; its time is that from the release sent to the next grant of that agent told.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.loads import background
from tests.bench.loads.syncing import connect, first_of
from tests.bench.loads.told import Window, main

if TYPE_CHECKING:
    from tests.bench.loads.syncing import Connection
    from tests.bench.scenario import Figures

WAIT = 20.0


class Agent:
    """The agent of one node: `slots` held, as many waiting."""

    def __init__(self, node: str, slots: int) -> None:
        self.window: Window | None = None
        self.stopping = False
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.connection: Connection
        self._slots = slots
        self._name, self._boot = f"agent-{node}", uuid.uuid4().hex
        self._sequence, self._number = count(1), count(1)
        self._claims: dict[str, dict[str, Any]] = {}
        self._sent = 0.0

    def begin(self) -> None:
        """The first sync."""
        for _ in range(2 * self._slots):
            self._claim()
        self._sync([])

    def heard(self, answer: dict[str, Any]) -> None:
        """Release what was granted, and ask for as many more."""
        released = [told["claim"] for told in answer["claims"] if self._granted(told)]
        for claim in released:
            del self._claims[claim]
            self._claim()
            self.begun.set()
            if self.window is not None:
                self.window.done(self._sent)
        if self.stopping:
            self._leave(released)
        else:
            self._sync(released)

    def _granted(self, told: dict[str, Any]) -> bool:
        if told["state"] == "queued":
            self._claims[told["claim"]]["ticket"] = told["ticket"]
        assert told["state"] in {"granted", "queued", "settling"}, told
        return bool(told["state"] == "granted")

    def _claim(self) -> None:
        claim = f"{self._boot[:12]}-{next(self._number)}"
        self._claims[claim] = {"claim": claim, "load": "backup-7/pvc-3", "ttlSeconds": 60}

    def _leave(self, released: list[str]) -> None:
        releases = [*released, *self._claims]
        self._claims = {}
        self.connection.heard = lambda _answer: self.ended.set()
        self._sync(releases)

    def _sync(self, releases: list[str]) -> None:
        body = {
            "agent": self._name,
            "boot": self._boot,
            "sequence": next(self._sequence),
            "waitSeconds": WAIT,
            "claims": list(self._claims.values()),
            "releases": releases,
        }
        self._sent = time.perf_counter()
        self.connection.send(orjson.dumps(body))


async def cycles(config: dict[str, Any]) -> Figures:
    """Cycles per second over all `nodes`, for `seconds` after `warm_up`."""
    agents = [Agent(node, config["slots"]) for node in config["nodes"]]
    for agent, node in zip(agents, config["nodes"], strict=True):
        agent.connection = await connect(config["url"], config["namespace"], node, agent.heard)
    measuring = asyncio.ensure_future(_measured(config, agents))
    await first_of(measuring, [agent.connection for agent in agents])
    return measuring.result()


async def _measured(config: dict[str, Any], agents: list[Agent]) -> Figures:
    for agent in agents:
        agent.begin()
    for agent in agents:
        await agent.begun.wait()  # nobody of the crowd is granted a slot that these left free
    crowd = await _crowd(config)
    window = Window(config["warm_up"], config["seconds"])
    for agent in agents:
        agent.window = window
    await asyncio.sleep(config["warm_up"] + config["seconds"])
    for one in crowd:
        await one.leave()
    for agent in agents:
        agent.stopping = True
    for agent in agents:
        await agent.ended.wait()
    return window.figures()


async def _crowd(config: dict[str, Any]) -> list[background.Agent]:
    behind, nodes = config.get("behind", 0), config["nodes"] if config.get("behind") else []
    crowd = [background.Agent(config, node, 0, behind) for node in nodes]
    for one in crowd:
        await one.connect()
    await background.begin(crowd)
    return crowd


if __name__ == "__main__":
    main(cycles)
