"""A sidecar without sockets: its handler is called as the server calls it, in virtual time."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from agent_client.http.messages import Request, Response, Stream
from agent_client.messages import Pod
from agent_client.settings import Settings
from agent_client.sidecar.requests import Defaults
from agent_client.sidecar.service import Plan, Sidecar, Stop
from agent_client.speaking import Speaker
from tests.agent_client.sidecar.node import NodeCoordinator
from tests.agent_client.virtual import in_virtual_time, now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

POD = Pod("velero", "node-agent-x", "uid-1")


class Client:
    """Speaks to a sidecar's handler."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar

    @property
    def spoken_for(self) -> int:
        """How many loads count against the bound."""
        return len(self._sidecar._desk.holds)

    async def ask(
        self, method: str, path: str, body: Any = None, **query: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of one answer."""
        answer = await self.answer(method, path, body, **query)
        assert isinstance(answer, Response)
        return answer.status, json.loads(answer.body) if answer.body else {}

    async def answer(
        self, method: str, path: str, body: Any = None, **query: str
    ) -> Response | Stream:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return await self._sidecar.routes(Request(method, path, query, {}, raw))

    async def named(
        self, method: str, load: str, body: Any = None, **query: str
    ) -> tuple[int, dict[str, Any]]:
        return await self.ask(method, f"/v1/slots/{quote(load, safe='')}", body, **query)

    async def post(self, load: str, **fields: Any) -> Connected:
        """A connection that asks for a slot."""
        stream = await self.answer("POST", "/v1/slots", {"load": load, **fields})
        assert isinstance(stream, Stream)
        return Connected(stream)

    async def granted(self, load: str, **fields: Any) -> Connected:
        """A connection that has a slot."""
        connected = await self.post(load, **fields)
        await connected.reaches("granted")
        return connected

    async def overview(self) -> dict[str, Any]:
        return (await self.ask("GET", "/v1/slots"))[1]

    async def look(self, path: str) -> tuple[int, str]:
        answer = await self.answer("GET", path)
        assert isinstance(answer, Response)
        return answer.status, answer.body.decode()


class Connected:
    """A client that is connected and reads every line."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.lines: list[dict[str, Any]] = []
        self.ended = False
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for line in self._stream.lines:
                assert line.endswith(b"\n")
                self.lines.append(json.loads(line))
                self._news.set()
        finally:
            await self._stream.lines.aclose()
            self.ended = True
            self._news.set()

    async def reaches(self, state: str) -> None:
        """Wait for a line of this state."""
        while self.last["state"] != state:
            assert not self.ended, self.lines
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """The client goes, or is killed: the server cancels what works for it."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    @property
    def states(self) -> list[str]:
        return [line["state"] for line in self.lines]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1] if self.lines else {"state": ""}


def sidecar_of(fake: NodeCoordinator, name: str = "sidecar", **plan: Any) -> Sidecar:
    settings = Settings("http://coordinator:8443", "velero", "node1", "node-agent-x/sidecar", POD)
    client = Speaker(settings, fake, now)
    defaults = plan.pop("defaults", None) or Defaults(pod=POD)
    return Sidecar(client, fake.get, Plan(name, defaults, **plan), clock=now, jitter=lambda: 0.5)


@asynccontextmanager
async def running(fake: NodeCoordinator, **plan: Any) -> AsyncIterator[Client]:
    """A sidecar of `fake`. At the end it is killed: nothing is said to the coordinator."""
    sidecar = sidecar_of(fake, **plan)
    task = asyncio.create_task(sidecar.run(Stop()))
    try:
        yield Client(sidecar)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(
    scenario: Callable[[Client, NodeCoordinator], Awaitable[None]],
    limit: int = 1,
    at_most: float = 3600.0,
    **plan: Any,
) -> None:
    """Run `scenario` with a sidecar and its coordinator, in virtual time."""

    async def whole() -> None:
        fake = NodeCoordinator(limit)
        async with running(fake, **plan) as client:
            await scenario(client, fake)

    in_virtual_time(whole(), at_most)
