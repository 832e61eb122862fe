"""The coordinator in memory, served from a thread: as many as are asked for, each at its URL."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Self

from agent_client.http.server import Request, Response, Server
from tests.agent_client.fake import FakeCoordinator

if TYPE_CHECKING:
    from types import TracebackType

NOTHING = b'{"node": "node1", "limit": 0, "slots": [], "queue": []}'


class Coordinators:
    """`with Coordinators() as them: url, fake = them.fresh(limit=3)`."""

    def __init__(self) -> None:
        self._fakes: list[FakeCoordinator] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="coordinators")
        self._server = Server(self._answer)
        self._port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        listening = self._server.listen_tcp("127.0.0.1", 0)
        self._port = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._server.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def fresh(self, limit: int) -> tuple[str, FakeCoordinator]:
        """The URL of a new coordinator, and what it knows."""
        self._fakes.append(FakeCoordinator(limit))
        return f"http://127.0.0.1:{self._port}/{len(self._fakes) - 1}", self._fakes[-1]

    async def _answer(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(200, NOTHING)
        fake = self._fakes[int(request.path.split("/")[1])]
        reply = await fake.sync(json.loads(request.body), 60)
        return Response(reply.status, json.dumps(reply.payload).encode())
