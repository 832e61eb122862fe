"""node-slots: raw sync requests to a coordinator, each contender an agent of its own.

Who waits has a sync that the coordinator answers when there is news.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.loads.syncing import connect
from tests.bench.rivals.passing import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.loads.syncing import Connection
    from tests.bench.rivals.passing import Config, Contender

_WAIT = 50
_TTL = 600
"""Seconds, so that nothing is renewed meanwhile."""


class NotGranted(Exception):
    """The coordinator said something else; the text is what."""


class Agent:
    """One agent of one node, with one claim at a time."""

    def __init__(self) -> None:
        self._head = {"agent": f"agent-{uuid.uuid4().hex[:12]}", "boot": uuid.uuid4().hex}
        self._sequence = 0
        self._claim = ""
        self._answer: asyncio.Future[dict[str, Any]]
        self._connection: Connection

    async def connect(self, config: Config, node: str) -> None:
        self._connection = await connect(
            config["coordinator"], config["namespace"], node, self._heard
        )
        self._connection.failed.add_done_callback(self._failed)

    async def acquire(self) -> None:
        self._claim = uuid.uuid4().hex
        terms = {"claim": self._claim, "load": "backup-7/pvc-3", "ttlSeconds": _TTL}
        told = await self._ask(terms)
        while told["state"] == "queued":
            told = await self._ask(terms | {"ticket": told["ticket"]})
        if told["state"] != "granted":
            raise NotGranted(told)

    async def release(self) -> None:
        answer = await self._sync(releases=[self._claim])
        if answer["released"] != [self._claim]:
            raise NotGranted(answer)

    def close(self) -> None:
        self._connection.close()

    async def _ask(self, claim: dict[str, Any]) -> dict[str, Any]:
        answer = await self._sync(claims=[claim])
        told: dict[str, Any] = answer["claims"][0]
        return told

    async def _sync(self, **body: Any) -> dict[str, Any]:
        self._sequence += 1
        body |= self._head | {"sequence": self._sequence, "waitSeconds": _WAIT}
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send(orjson.dumps(body))
        return await self._answer

    def _heard(self, answer: dict[str, Any]) -> None:
        self._answer.set_result(answer)

    def _failed(self, failed: asyncio.Future[None]) -> None:
        if not failed.cancelled() and (error := failed.exception()) and not self._answer.done():
            self._answer.set_exception(error)


@asynccontextmanager
async def contest(config: Config, places: int, each: int) -> AsyncIterator[list[list[Contender]]]:
    """A node with the limit 1 for each place: the first of `nodes`."""
    nodes = {node: [Agent() for _ in range(each)] for node in config["nodes"][:places]}
    try:
        for node, agents in nodes.items():
            for agent in agents:
                await agent.connect(config, node)
        yield [list(agents) for agents in nodes.values()]
    finally:
        for agents in nodes.values():
            for agent in agents:
                agent.close()


LOCK = Lock(contest)
