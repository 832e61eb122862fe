"""A bare HTTP client for the contract cases: what was sent is what stands in the case."""

from __future__ import annotations

import asyncio
import io
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import aiohttp

Json = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
EVENT_DEADLINE_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Json:
        parsed: Json = orjson.loads(self.raw)
        return parsed

    @property
    def reason(self) -> str:
        """`reason` of a Status, or "" for every other kind of body."""
        return str(self.json.get("reason", "")) if self.json.get("kind") == "Status" else ""

    @property
    def message(self) -> str:
        return str(self.json.get("message", ""))

    @property
    def outcome(self) -> tuple[int, str]:
        """Status code and reason: what a client decides by."""
        return self.status, self.reason

    @property
    def uid(self) -> str:
        return str(self.json["metadata"]["uid"])

    @property
    def version(self) -> str:
        """metadata.resourceVersion, of an object or of a list."""
        return str(self.json["metadata"]["resourceVersion"])

    @property
    def names(self) -> list[str]:
        """The names of a list's items, in its order."""
        return [item["metadata"]["name"] for item in self.json["items"]]


@dataclass
class Stream:
    """The events of one watch."""

    response: aiohttp.ClientResponse

    async def next(self) -> Json:
        """The next event. Raises EOFError at the end, TimeoutError after 30 s of silence."""
        async with asyncio.timeout(EVENT_DEADLINE_SECONDS):
            line = await self.response.content.readline()
        if not line:
            raise EOFError("the watch has ended")
        event: Json = orjson.loads(line)
        return event

    async def next_told(self) -> tuple[str, str]:
        """Type and object name of the next event."""
        event = await self.next()
        return event["type"], event["object"]["metadata"].get("name", "")

    async def until_end(self) -> list[Json]:
        """All events up to the end that the server makes."""
        events = []
        while True:
            try:
                events.append(await self.next())
            except EOFError:
                return events


@dataclass
class Api:
    """One API server and the namespace that this case has for itself."""

    session: aiohttp.ClientSession
    namespace: str
    forget: Callable[[], Awaitable[None]]
    """Makes the server forget every version before now; watches are cut off."""

    @property
    def leases(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"

    def core(self, resource: str) -> str:
        """The path of a namespaced resource of the core group, such as `configmaps`."""
        return f"/api/v1/namespaces/{self.namespace}/{resource}"

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends the body as JSON, or as it is when it is bytes; `accept=...` sets a header."""
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            sent.setdefault("content-type", "application/json")
        # aiohttp warns of big bytes: it would write them in one go.
        streamed = io.BytesIO(data) if data is not None else None
        async with self.session.request(method, path, data=streamed, headers=sent) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.call("POST", path, body, **headers)

    async def put(self, path: str, body: Any) -> Answer:
        return await self.call("PUT", path, body)

    async def patch(self, path: str, body: Any, kind: str = MERGE_PATCH) -> Answer:
        return await self.call("PATCH", path, body, content_type=kind)

    async def delete(self, path: str, body: Any = None) -> Answer:
        return await self.call("DELETE", path, body)

    async def make(self, path: str, body: Any) -> Answer:
        """Creates something that the case needs; fails the case where it is refused."""
        answer = await self.post(path, body)
        assert answer.status == 201, answer.raw
        return answer

    @asynccontextmanager
    async def watch(self, path: str, query: str, **headers: str) -> AsyncIterator[Stream]:
        """Opens a watch; the answer must be 200."""
        url = f"{path}?watch=true&{query}"
        async with self.session.get(url, headers=headers) as response:
            assert response.status == 200, await response.read()
            try:
                yield Stream(response)
            finally:
                _abort(response)


def _abort(response: aiohttp.ClientResponse) -> None:
    """Ends the connection of an open stream at once.

    A polite end of TLS takes turns of the event loop that the end of a test no longer has.
    """
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
