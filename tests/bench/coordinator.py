"""The coordinator in memory, served from a thread: as many as are asked for, each at its URL."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any, Self

from agent_client.http.server import Request, Response, Server
from agent_client.messages import Reply

if TYPE_CHECKING:
    from types import TracebackType

NOTHING = b'{"node": "node1", "limit": 0, "slots": [], "queue": []}'
ANSWERS_AFTER = 0.01
"""Seconds: an agent waits for its answer blocked, and finds the processor's caches as others have
left them, as it does in a cluster."""
TTL = 60


class Granting:
    """Grants whatever it is asked for, with a TTL that is another one in each answer.

    That is news to an agent, so it syncs again at once: in seconds it renews as often as in hours.
    """

    def __init__(self) -> None:
        self.requests = 0
        """Of any kind."""
        self.syncs = 0
        self.claims = 0
        """In the newest sync."""

    async def answer(self, request: Request) -> Response:
        """As a handler of `Server`."""
        self.requests += 1
        if request.method == "GET":
            return Response(200, NOTHING)
        reply = self._reply(json.loads(request.body))
        await asyncio.sleep(ANSWERS_AFTER)
        return Response(reply.status, json.dumps(reply.payload).encode())

    def _reply(self, body: dict[str, Any]) -> Reply:
        self.syncs += 1
        self.claims = len(body["claims"])
        told = [self._granted(slot, item) for slot, item in enumerate(body["claims"])]
        answer = {"term": 1, "sequence": body["sequence"], "claims": told}
        return Reply(200, {**answer, "released": body["releases"]})

    def _granted(self, slot: int, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "claim": item["claim"],
            "state": "granted",
            "slot": slot,
            "lease": f"node1-slot-{slot}",
            "fencingToken": 1000 + slot,
            "ttlSeconds": TTL - self.syncs % 2,
        }


class Coordinators:
    """`with Coordinators() as them: url, granting = them.fresh()`."""

    def __init__(self) -> None:
        self._all: list[Granting] = []
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

    def fresh(self) -> tuple[str, Granting]:
        """The URL of a new coordinator, and what it has been asked."""
        self._all.append(Granting())
        return f"http://127.0.0.1:{self._port}/{len(self._all) - 1}", self._all[-1]

    async def _answer(self, request: Request) -> Response:
        return await self._all[int(request.path.split("/")[1])].answer(request)
