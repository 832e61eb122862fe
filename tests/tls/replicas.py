"""Two replicas of the API with one Secret, and agents that ask both of them without a pause."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from agent_client.errors import NoAnswer
from agent_client.http.answers import authorization
from agent_client.http.calls import Caller
from coordinator.api.app import api_app, listen
from coordinator.kube.election import Leader
from coordinator.service.metrics import Metrics
from tests.api.callers import AGENT, FakeCallers
from tests.api.conftest import CLAIM
from tests.api.fakes import GRANTED, FakeCoordinator, FakePool
from tests.tls.scene import DEADLINE, Replica, Scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from coordinator.api.proxy import Trust
    from coordinator.api.secured import Tls
    from coordinator.service.callers import Callers
    from coordinator.service.coordinator import Coordinator


class Pair:
    """A leader and a follower; what their agents have mounted is up to the test."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.leader, self.follower = scene.replica(), scene.replica(leading=False)
        self.known = FakeCallers()
        self.urls: list[str] = []
        self._folder = folder
        self.ca_file, self.token_file = folder / "ca.crt", folder / "token"
        self._swap(self.token_file, AGENT.encode())

    async def publish(self) -> None:
        """The leader publishes what it has, and the kubelet brings it to the agents."""
        await self.leader.publisher.look()
        self._swap(self.ca_file, await self.scene.published())

    def bring_token(self, token: str) -> None:
        """The kubelet replaces the agents' token."""
        self._swap(self.token_file, token.encode())

    def _swap(self, file: Path, content: bytes) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.rename(file)

    async def both_look(self) -> None:
        for replica in (self.leader, self.follower):
            await replica.steps.again()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Pair]:
        async with AsyncExitStack() as stack:
            for replica in (self.leader, self.follower):
                await stack.enter_async_context(replica.running())
                await self._listen(replica, stack)
            await self.publish()
            yield self

    async def _listen(self, replica: Replica, stack: AsyncExitStack) -> None:
        coordinator = FakeCoordinator(FakePool(answer=GRANTED))
        coordinator.callers = cast("Callers", self.known)
        coordinator.leading = replica.leading
        coordinator.leader = None if replica.leading else Leader("replica-1", self.urls[0])
        url = await stack.enter_async_context(api(coordinator, replica.certificates))
        self.urls.append(url)


@asynccontextmanager
async def api(coordinator: FakeCoordinator, certificates: Trust | None) -> AsyncIterator[str]:
    """The API as `serve` opens it; what comes back is its URL."""
    app = api_app(cast("Coordinator", coordinator), Metrics(), certificates)
    listener = await listen(app, "127.0.0.1", 0, tls=cast("Tls | None", certificates))
    try:
        yield listener.url
    finally:
        await listener.close()


class Load:
    """Agents that ask: some keep their connection, some open a new one for each request."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.answers: Counter[str] = Counter()
        self._more = asyncio.Condition()

    @asynccontextmanager
    async def going(self, agents: int = 3) -> AsyncIterator[Load]:
        kinds = [(url, keep) for url in self._pair.urls for keep in (True, False)]
        tasks = [asyncio.create_task(self._ask(*kind)) for kind in kinds * agents]
        try:
            await self.more()
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def more(self, count: int = 60) -> None:
        """Waits for so many more answers."""
        wanted = self.answers.total() + count
        async with asyncio.timeout(DEADLINE), self._more:
            await self._more.wait_for(lambda: self.answers.total() >= wanted)

    async def _ask(self, url: str, keep: bool) -> None:
        caller, body = Caller(url, str(self._pair.ca_file)), json.dumps({"load": "x"}).encode()
        try:
            while True:
                headers = authorization(str(self._pair.token_file))
                headers["Content-Type"] = "application/json"
                try:
                    answer = await caller.call("PUT", CLAIM, headers, body, within=DEADLINE)
                    self.answers[f"{answer.status}"] += 1
                except NoAnswer as error:
                    self.answers[str(error)] += 1
                if not keep:
                    await caller.close()
                async with self._more:
                    self._more.notify_all()
        finally:
            await caller.close()
